//! Authorizations of requested payments: `/authorizations` (contract, transfers §5).

use crate::{
    assert_relayed,
    support::{Call, PAYEE, PAYER, Scheme, fresh_id},
};
use serde_json::json;

const QUERY: &str = "authenticationType=OTP&retriesLeft=2&amount=102&currency=USD";

fn path(id: &str) -> String {
    format!("/authorizations/{id}")
}

/// The payer's DFSP asks the payee's.
fn question(id: &str, query: &str) -> Call {
    Call::new(&format!("GET {}?{query}", path(id))).from(PAYER).to(PAYEE)
}

fn answer(id: &str) -> Call {
    let value = json!({"authentication": "OTP", "authenticationValue": "1234"});
    let body = json!({"authenticationInfo": value, "responseType": "ENTERED"});
    Call::new(&format!("PUT {}", path(id))).from(PAYEE).to(PAYER).body(format!("{body} "))
}

/// The hub does not read it.
fn error(id: &str) -> Call {
    Call::new(&format!("PUT {}/error", path(id))).from(PAYEE).to(PAYER).body("{\"no\": [\"error\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_question_keeps_its_query_and_the_answers_come_back_as_they_were_sent() {
    let scheme = Scheme::start().await;
    let id = fresh_id();
    // Further keys and the order of all go on as they came.
    let query = "x=%41+b&currency=USD&amount=102&retriesLeft=2&authenticationType=QRCODE";
    let asked = question(&id, query).with("fspiop-signature", "{}");
    scheme.accept(&asked).await;
    assert_relayed(&scheme.payee.next(&format!("GET {}?{query}", path(&id))).await, &asked);
    for call in [answer(&id).with("fspiop-http-method", "PUT"), error(&id)] {
        scheme.accept(&call).await;
        let received = scheme.payer.next(&format!("PUT {}", call.path().trim_start_matches("PUT "))).await;
        assert_relayed(&received, &call);
        assert_eq!(received.header("fspiop-http-method"), call.header("fspiop-http-method"));
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_passed_on_is_told_to_its_sender() {
    let scheme = Scheme::start_without_payee_listening(|_| {}).await;
    let id = fresh_id();
    let prefix = "Destination communication error -";
    let missing = format!("{prefix} the fspiop-destination header is missing");
    let unknown = format!("{prefix} no FSPIOP_CALLBACK_URL_AUTHORIZATIONS endpoint for DFSP ghostfsp");
    let unreachable = format!("{prefix} Failed to send HTTP request to host");
    for call in [question(&id, QUERY), answer(&id).from(PAYER), error(&id).from(PAYER)] {
        for (call, text) in [
            (call.clone().without("fspiop-destination"), &missing),
            (call.clone().to("ghostfsp"), &unknown),
            (call.clone().to(PAYEE), &unreachable),
        ] {
            scheme.accept(&call).await;
            let told = scheme.payer.next(&format!("PUT {}/error", path(&id))).await;
            told.assert_made_by_hub(PAYER, "1.1").assert_error("1001", text);
        }
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_without_a_complete_query_is_refused_at_once() {
    let scheme = Scheme::start().await;
    let id = fresh_id();
    for key in ["authenticationType", "retriesLeft", "amount", "currency"] {
        let pairs: Vec<&str> = QUERY.split('&').filter(|pair| !pair.starts_with(key)).collect();
        let expected = format!("400 3102 Missing mandatory element - /query must have required property '{key}'");
        assert_eq!(scheme.send(&question(&id, &pairs.join("&"))).await.error(), expected);
    }
    for (old, new, expected) in [
        (
            "OTP",
            "U2F",
            "400 3100 Generic validation error - /query/authenticationType must be equal to one of the allowed values",
        ),
        ("retriesLeft=2", "retriesLeft=2.5", "400 3101 Malformed syntax - /query/retriesLeft must be integer"),
    ] {
        assert_eq!(scheme.send(&question(&id, &QUERY.replace(old, new))).await.error(), expected);
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_answer_is_refused_at_once() {
    let scheme = Scheme::start().await;
    let id = fresh_id();
    for (body, expected) in [
        ("{}", "400 3102 Missing mandatory element - /requestBody must have required property 'responseType'"),
        (
            r#"{"responseType":"ENTERED","extra":1}"#,
            "400 3103 Too many elements - /requestBody must NOT have additional properties",
        ),
    ] {
        assert_eq!(scheme.send(&answer(&id).body(body)).await.error(), expected);
    }
    scheme.end().await;
}
