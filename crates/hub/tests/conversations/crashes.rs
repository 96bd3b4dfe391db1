//! What was acknowledged before a crash is done after it (DESIGN, "Messages"). A crash is played by a second hub that begins
//! with a copy of the first one's database.

use crate::support::{Call, Oracle, PAYEE, Payment, Scheme, fresh_id};
use serde_json::{Value, json};
use tempfile::TempDir;

async fn scheme_in(directory: &TempDir) -> (Scheme, std::path::PathBuf) {
    let file = directory.path().join("hub.db");
    let store = format!("sqlite:{}", file.display());
    (Scheme::start_with(|config| config.store = store).await, file)
}

/// Lets the oracle be asked so often.
async fn until_asked(oracle: &Oracle, times: usize) -> Vec<String> {
    for _ in 0..1_000_000 {
        if oracle.asked().len() >= times {
            return oracle.asked();
        }
        tokio::task::yield_now().await;
    }
    panic!("the oracle was asked {:?}", oracle.asked());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_at_an_oracle_is_carried_out_and_answered_after_a_crash() {
    let directory = TempDir::new().unwrap();
    let (scheme, file) = scheme_in(&directory).await;
    let oracle = Oracle::answering_in_turn(&[0, 201]).await;
    scheme.register_oracle("ACCOUNT_ID", &oracle.url, None).await;
    let call = Call::new("POST /participants/ACCOUNT_ID/7/savings").from(PAYEE);
    scheme.accept(&call.body(json!({"fspId": PAYEE}).to_string())).await;
    until_asked(&oracle, 1).await;
    let scheme = scheme.crash(&file).await;
    let told = scheme.payee.next("PUT /participants/ACCOUNT_ID/7/savings").await;
    assert_eq!(told.assert_made_by_hub(PAYEE, "1.1").json()["partyList"][0]["partySubIdOrType"], "savings");
    assert_eq!(oracle.asked(), ["POST /participants/ACCOUNT_ID/7"; 2]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_oracle_had_done_before_the_crash_is_no_error_after_it() {
    let directory = TempDir::new().unwrap();
    let (scheme, file) = scheme_in(&directory).await;
    let oracle = Oracle::answering_in_turn(&[0, 400, 200]).await;
    let other = Oracle::answering_in_turn(&[0, 404]).await;
    scheme.register_oracle("ACCOUNT_ID", &oracle.url, None).await;
    scheme.register_oracle("DEVICE", &other.url, None).await;
    let call = Call::new("POST /participants/ACCOUNT_ID/7").from(PAYEE);
    scheme.accept(&call.body(json!({"fspId": PAYEE}).to_string())).await;
    scheme.accept(&Call::new("DELETE /participants/DEVICE/8").from(PAYEE)).await;
    until_asked(&oracle, 1).await;
    until_asked(&other, 1).await;
    let scheme = scheme.crash(&file).await;
    scheme.payee.next("PUT /participants/ACCOUNT_ID/7").await;
    scheme.payee.next("PUT /participants/DEVICE/8").await;
    let path = "/participants/ACCOUNT_ID/7";
    assert_eq!(oracle.asked(), [format!("POST {path}"), format!("POST {path}"), format!("PUT {path}")]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_registrations_is_carried_out_and_answered_after_a_crash() {
    let directory = TempDir::new().unwrap();
    let (scheme, file) = scheme_in(&directory).await;
    let oracle = Oracle::answering_in_turn(&[0, 201]).await;
    scheme.register_oracle("ACCOUNT_ID", &oracle.url, None).await;
    let id = fresh_id();
    let party = |id_type: &str, identifier: &str| json!({"partyIdType": id_type, "partyIdentifier": identifier, "fspId": PAYEE});
    let list = json!([party("ACCOUNT_ID", "1"), party("ALIAS", "ana")]);
    let body = json!({"requestId": id, "currency": "USD", "partyList": list});
    let reply = scheme.send(&Call::new("POST /participants").from(PAYEE).body(body.to_string())).await;
    assert_eq!(reply.status, 200);
    until_asked(&oracle, 1).await;
    let scheme = scheme.crash(&file).await;
    let told = scheme.payee.next(&format!("PUT /participants/{id}")).await.json();
    let items = told["partyList"].as_array().unwrap();
    assert!(items.len() == 2 && items.iter().all(|item| item["errorInformation"].is_null()), "{told}");
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepare_whose_transfer_ended_before_the_crash_is_not_sent_after_it() {
    let directory = TempDir::new().unwrap();
    let (scheme, file) = scheme_in(&directory).await;
    let payment = Payment::usd("5");
    scheme.payee.answer_with(503);
    scheme.accept(&payment.prepare()).await;
    scheme.payee.next("POST /transfers").await;
    scheme.payer.answer_with(503);
    scheme.accept(&payment.fulfil("COMMITTED")).await;
    scheme.payer.next(&payment.put()).await;
    let scheme = scheme.crash(&file).await;
    scheme.payee.forget();
    for inbox in [&scheme.payer, &scheme.payee] {
        inbox.fail(0, 200);
    }
    scheme.payer.next(&payment.put()).await;
    // What became of the prepare rides on the units of those registrations.
    let mut waiting = usize::MAX;
    for number in 0..100 {
        scheme.register_party(&scheme.bystander, &format!("MSISDN/2772000{number:04}")).await;
        let page = scheme.administer("GET /umoja/v1/outbox?state=waiting&to=payeefsp", Value::Null).await;
        waiting = page["messages"].as_array().unwrap().len();
        if waiting == 0 {
            break;
        }
    }
    assert_eq!(waiting, 0);
    assert_eq!(scheme.payee.unread(), Vec::<String>::new());
    assert_eq!(scheme.positions().await, ["5", "-5"]);
    scheme.end_whatever_was_sent().await;
}
