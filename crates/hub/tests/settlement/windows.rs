//! Closing windows while payments go on and operators compete.

use super::*;
use futures_util::future::join_all;

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_close_the_same_window_one_does() {
    let scheme = Scheme::start().await;
    pay(&scheme, "1").await;
    let window = open_window(&scheme).await;
    let line = format!("POST /v2/settlementWindows/{window}");
    let tries = (0..20).map(|_| ask(&scheme, &line, json!({"state": "CLOSED", "reason": "r"})));
    let statuses: Vec<u16> = join_all(tries).await.into_iter().map(|(status, _)| status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(open_window(&scheme).await, window + 1);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_payment_is_in_one_window_whatever_closes_around_it() {
    let scheme = Scheme::start().await;
    let payments: Vec<Payment> = (1..=40).map(|number: u32| Payment::usd(&number.to_string())).collect();
    let paying = async {
        for chunk in payments.chunks(6) {
            join_all(chunk.iter().map(|payment| async {
                scheme.accept(&payment.prepare()).await;
                scheme.accept(&payment.fulfil("COMMITTED")).await;
            }))
            .await;
        }
    };
    let closing = async {
        for _ in 0..12 {
            let open = open_window(&scheme).await;
            let line = format!("POST /v2/settlementWindows/{open}");
            let (status, body) = ask(&scheme, &line, json!({"state": "CLOSED", "reason": "r"})).await;
            assert!(status == 200 || body.to_string().contains("is empty"), "{status} {body}");
        }
    };
    tokio::join!(paying, closing);
    let last = open_window(&scheme).await;
    let line = format!("POST /v2/settlementWindows/{last}");
    ask(&scheme, &line, json!({"state": "CLOSED", "reason": "r"})).await;
    let closed = does(&scheme, "GET /v2/settlementWindows?state=CLOSED", Value::Null).await;
    let ids: Vec<i64> =
        closed.as_array().unwrap().iter().map(|one| one["settlementWindowId"].as_i64().unwrap()).collect();
    let settlement = create(&scheme, "DEFERREDNET", &ids).await;
    let sum: u32 = (1..=40).sum();
    let net = settlement["participants"][0]["accounts"][0]["netSettlementAmount"]["amount"].to_string();
    assert_eq!(net, sum.to_string(), "each payment counts once");
    for state in ["PS_TRANSFERS_RECORDED", "PS_TRANSFERS_RESERVED", "PS_TRANSFERS_COMMITTED", "SETTLED"] {
        advance(&scheme, &settlement, state).await;
    }
    assert_eq!(balances(&scheme).await, ["0", "0", "0"]);
    scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_models_settle_one_window_and_it_is_settled_when_both_are() {
    let scheme = Scheme::start().await;
    let model = json!({
        "name": "FEES", "settlementGranularity": "NET", "settlementInterchange": "MULTILATERAL",
        "settlementDelay": "DEFERRED", "requireLiquidityCheck": false, "autoPositionReset": true, "currency": "EUR",
        "ledgerAccountType": "POSITION", "settlementAccountType": "SETTLEMENT",
    });
    scheme.administer("POST /settlementModels", model).await;
    pay(&scheme, "50").await;
    let window = close(&scheme).await;
    let (status, _) = ask(
        &scheme,
        "POST /v2/settlements",
        json!({"settlementModel": "FEES", "reason": "r", "settlementWindows": [{"id": window}]}),
    )
    .await;
    assert_eq!(status, 400, "the window has nothing in euros");
    let settlement = create(&scheme, "DEFERREDNET", &[window]).await;
    for state in ["PS_TRANSFERS_RECORDED", "PS_TRANSFERS_RESERVED", "PS_TRANSFERS_COMMITTED", "SETTLED"] {
        advance(&scheme, &settlement, state).await;
    }
    let settled = does(&scheme, &format!("GET /v2/settlementWindows/{window}"), Value::Null).await;
    assert_eq!(settled["state"], "SETTLED");
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_makes_no_sense_is_refused() {
    let scheme = Scheme::start().await;
    let put = |body: Value| Call::plain("PUT /umoja/v1/settlement-schedule", body);
    for (body, text) in [
        (json!({"timeZone": "Mars/Base", "times": ["12:00"]}), "time zone"),
        (json!({"timeZone": "UTC", "times": ["25:00"]}), "time of day"),
        (json!({"timeZone": "UTC", "times": [], "settle": ["NONE"]}), "no settlement model"),
        (json!({"timeZone": "UTC", "times": [], "more": 1}), "unknown field"),
    ] {
        let reply = scheme.ask_administration(&put(body)).await;
        assert!(reply.status == 400 && reply.text().contains(text), "{}", reply.text());
    }
    let schedule = json!({"timeZone": "Africa/Nairobi", "times": ["12:00", "23:59"], "settle": ["DEFERREDNET"]});
    let empty = json!({"timeZone": "", "times": [], "settle": []});
    assert_eq!(scheme.administer("GET /umoja/v1/settlement-schedule", Value::Null).await, empty);
    assert_eq!(scheme.administer("PUT /umoja/v1/settlement-schedule", schedule.clone()).await, schedule);
    assert_eq!(scheme.administer("GET /umoja/v1/settlement-schedule", Value::Null).await, schedule);
    scheme.end().await;
}
