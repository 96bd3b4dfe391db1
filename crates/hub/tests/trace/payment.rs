//! `/umoja/v1/trace/{id}`: the whole conversation of a payment.

use crate::support::{Call, Oracle, PAYEE, PAYER, Payment, Quote, Scheme, fresh_id, party_body};
use serde_json::{Value, json};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The trace of a payment, once it has so many messages: rows ride on units, and each look makes one.
async fn trace(scheme: &Scheme, id: &str, messages: usize) -> Value {
    let mut trace = Value::Null;
    for number in 0..200 {
        scheme.register_party(&scheme.bystander, &format!("MSISDN/2772000{number:04}")).await;
        trace = scheme.administer(&format!("GET /umoja/v1/trace/{id}"), Value::Null).await;
        if trace["messages"].as_array().unwrap().len() >= messages {
            return trace;
        }
    }
    panic!("{messages} messages were expected: {trace}");
}

/// `<direction> <participant> <method> <resource> <status> <error> <attempt>` of each message.
fn lines(trace: &Value) -> Vec<String> {
    let shown = |value: &Value| {
        if value.is_null() { "-".to_owned() } else { value.as_str().map_or_else(|| value.to_string(), str::to_owned) }
    };
    let line = |message: &Value| {
        let keys = ["direction", "participant", "method", "resource", "status", "error", "attempt"];
        let error = if message["isError"] == true { " (error)" } else { "" };
        keys.map(|key| shown(&message[key])).join(" ") + error
    };
    trace["messages"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_oracle_was_asked_is_in_the_trace() {
    let scheme = Scheme::start().await;
    let oracle = Oracle::answering(200, json!({"partyList": [{"fspId": PAYEE}]})).await;
    scheme.register_oracle("ACCOUNT_ID", &oracle.url, None).await;
    scheme.accept(&traced(Call::new("GET /parties/ACCOUNT_ID/7"))).await;
    scheme.payee.next("GET /parties/ACCOUNT_ID/7").await;
    let quote = Quote::usd("5");
    scheme.accept(&traced(quote.request())).await;
    scheme.payee.next("POST /quotes").await;
    let lines = lines(&trace(&scheme, &quote.id, 5).await);
    assert!(lines.contains(&"out - GET participants 200 - 1".to_owned()), "{lines:?}");
    scheme.end().await;
}

fn traced(call: Call) -> Call {
    call.with("traceparent", TRACEPARENT)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_traced_from_its_look_up_to_its_end_with_every_attempt() {
    let scheme = Scheme::start().await;
    let party = "MSISDN/27710000002";
    scheme.register_party(&scheme.payee, party).await;
    scheme.accept(&traced(Call::new(&format!("GET /parties/{party}")))).await;
    scheme.payee.next(&format!("GET /parties/{party}")).await;
    let answer = Call::new(&format!("PUT /parties/{party}")).from(PAYEE).to(PAYER);
    scheme.accept(&traced(answer.body(party_body("MSISDN", "27710000002")))).await;
    scheme.payer.next(&format!("PUT /parties/{party}")).await;
    let quote = Quote::usd("5");
    scheme.accept(&traced(quote.request())).await;
    scheme.payee.next("POST /quotes").await;
    scheme.accept(&traced(quote.response())).await;
    scheme.payer.next(&quote.put()).await;
    let payment = Payment::usd("5");
    scheme.accept(&traced(payment.prepare())).await;
    scheme.payee.next("POST /transfers").await;
    scheme.payer.fail(2, 503);
    scheme.accept(&traced(payment.fulfil("RESERVED"))).await;
    scheme.payee.next(&payment.patch()).await;
    for _ in 0..3 {
        scheme.payer.next(&payment.put()).await;
    }

    let whole = trace(&scheme, &payment.id, 15).await;
    let (mut patch, mut rest): (Vec<_>, Vec<_>) = lines(&whole).into_iter().partition(|line| line.contains("PATCH"));
    // To whom of the two the outcome leaves first is nobody's promise.
    assert_eq!(patch.pop().as_deref(), Some("out payeefsp PATCH transfers 200 - 1"));
    assert!(rest.remove(0).starts_with("in payerfsp GET parties 202 - -"));
    assert_eq!(
        rest,
        [
            "out payeefsp GET parties 202 - 1",
            "in payeefsp PUT parties 200 - -",
            "out payerfsp PUT parties 200 - 1",
            "in payerfsp POST quotes 202 - -",
            "out payeefsp POST quotes 202 - 1",
            "in payeefsp PUT quotes 200 - -",
            "out payerfsp PUT quotes 200 - 1",
            "in payerfsp POST transfers 202 - -",
            "out payeefsp POST transfers 202 - 1",
            "in payeefsp PUT transfers 200 - -",
            "out payerfsp PUT transfers 503 1001 1",
            "out payerfsp PUT transfers 503 1001 2",
            "out payerfsp PUT transfers 200 - 3",
        ]
    );
    let transfer = &whole["transfer"];
    assert_eq!(
        (&transfer["id"], &transfer["amount"], &transfer["payer"]),
        (&json!(payment.id), &json!(5), &json!(PAYER))
    );
    assert_eq!((&whole["quotes"], &whole["isWhole"]), (&json!([quote.id]), &json!(true)));
    let states = whole["states"].as_array().unwrap();
    assert_eq!(states.iter().map(|state| &state["state"]).collect::<Vec<_>>(), ["RESERVED", "COMMITTED"]);
    let [entry] = whole["entries"].as_array().unwrap().as_slice() else { panic!("{whole}") };
    assert_eq!((&entry["debit"]["participant"], &entry["debit"]["kind"]), (&json!(PAYER), &json!("POSITION")));
    assert_eq!((&entry["credit"]["participant"], &entry["amount"]), (&json!(PAYEE), &json!(5)));
    assert_eq!(trace(&scheme, &quote.id, 15).await["messages"], whole["messages"]);
    assert!(!whole.to_string().contains("27710000002"), "no identifier of a party is shown: {whole}");
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_wrong_with_a_payment_is_in_its_trace() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    scheme.reserve(&payment).await;
    scheme.accept(&payment.reject("5104", "Payee rejected")).await;
    scheme.payer.next(&payment.put_error()).await;
    // A fulfilment after the end, and a message that cannot be read.
    let malformed = Call::new(&payment.put()).from(PAYEE).to(PAYER).body("{");
    assert_eq!(scheme.send(&malformed).await.status, 400);
    let trace = trace(&scheme, &payment.id, 5).await;
    assert_eq!(
        lines(&trace),
        [
            "in payerfsp POST transfers 202 - -",
            "out payeefsp POST transfers 202 - 1",
            "in payeefsp PUT transfers 200 5104 - (error)",
            "out payerfsp PUT transfers 200 5104 1 (error)",
            "in payeefsp PUT transfers 400 3102 -",
        ]
    );
    let end = trace["states"].as_array().unwrap().last().unwrap();
    assert_eq!(end["state"], "ABORTED");
    assert!(end["reason"].as_str().unwrap().starts_with("5104"), "{end}");
    assert_eq!(trace["entries"], json!([]));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_nobody_used_is_not_found() {
    let scheme = Scheme::start().await;
    for id in [fresh_id(), "nonsense".to_owned()] {
        let reply = scheme.ask_administration(&Call::plain(&format!("GET /umoja/v1/trace/{id}"), Value::Null)).await;
        assert_eq!(reply.error(), "404 3002 Unknown URI - no transfer and no quote has this id");
    }
    scheme.end().await;
}
