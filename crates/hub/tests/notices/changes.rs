//! Changes are told once, by the commit that makes them.

use super::*;
use support::PAYER;

#[tokio::test(flavor = "multi_thread")]
async fn section_4_8_a_cap_that_is_adjusted_is_told_once() {
    let scheme = start_with(|_| {}).await;
    let hub = operator(&scheme).await;
    set_cap(&scheme, PAYER, 900, 10).await;
    set_cap(&scheme, PAYER, 900, 15).await;
    let expected = json!({
        "kind": "NET_DEBIT_CAP_ADJUSTMENT", "participant": PAYER, "currency": "USD",
        "values": {"previousCap": "1000", "cap": "900"},
        "text": "The net debit cap of payerfsp in USD is 900 now; it was 1000.",
    });
    assert_eq!(said(&scheme.payer.next(WEBHOOK).await), expected);
    assert_eq!(said(&hub.next(WEBHOOK).await), expected);
    let share = json!({"currency": "USD", "percentageOfLiquidity": 50, "alarmPercentage": 10});
    scheme.administer(&format!("PUT /umoja/v1/participants/{PAYER}/cap"), share).await;
    assert_eq!(said(&scheme.payer.next(WEBHOOK).await)["values"], json!({"previousCap": "900", "cap": "500"}));
    assert_eq!(said(&hub.next(WEBHOOK).await)["values"], json!({"previousCap": "900", "cap": "500"}));
    assert_eq!(listed(&scheme, "").await.len(), 2, "the cap has changed twice");
    scheme.end().await;
}

/// A call of the settlement API that succeeds.
async fn settle(scheme: &Scheme, line: &str, body: Value) -> Value {
    let reply = scheme.ask_settlement(&Call::plain(line, body)).await;
    assert_eq!(reply.status, 200, "{line}: {}", reply.text());
    serde_json::from_slice(&reply.body).unwrap()
}

/// Asks every account of a settlement to enter a state.
async fn advance(scheme: &Scheme, settlement: &Value, state: &str) {
    let mut participants = settlement["participants"].clone();
    for account in
        participants.as_array_mut().unwrap().iter_mut().flat_map(|one| one["accounts"].as_array_mut().unwrap())
    {
        *account = json!({"id": account["id"], "state": state, "reason": "bank"});
    }
    let line = format!("PUT /v2/settlements/{}", settlement["id"]);
    settle(scheme, &line, json!({"participants": participants})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn section_4_8_positions_that_a_settlement_moves_and_caps_that_it_raises_are_told_once() {
    let scheme = start_with(|_| {}).await;
    pay(&scheme, "50").await;
    // The payee's headroom is too short for what it loses: the model asks for its cap to grow.
    set_cap(&scheme, PAYEE, 0, 0).await;
    let adjusted = scheme.payee.next(WEBHOOK).await.json();
    assert_eq!(adjusted["values"], json!({"previousCap": "1000", "cap": "0"}));
    let window =
        settle(&scheme, "GET /v2/settlementWindows?state=OPEN", Value::Null).await[0]["settlementWindowId"].clone();
    let close = json!({"state": "CLOSED", "reason": "evening"});
    settle(&scheme, &format!("POST /v2/settlementWindows/{window}"), close).await;
    let windows = json!([{"id": window}]);
    let create = json!({"settlementModel": "DEFERREDNET", "reason": "settle", "settlementWindows": windows});
    let settlement = settle(&scheme, "POST /v2/settlements", create).await;
    for state in ["PS_TRANSFERS_RECORDED", "PS_TRANSFERS_RESERVED", "PS_TRANSFERS_COMMITTED", "SETTLED"] {
        for _ in 0..2 {
            advance(&scheme, &settlement, state).await;
        }
    }
    let moved = |name: &str| {
        let id = &settlement["id"];
        json!({
            "kind": "SETTLEMENT_TRANSFER_POSITION_CHANGE", "participant": name, "currency": "USD",
            "values": {"position": "0", "settlementId": id.to_string()},
            "text": format!("Settlement {id} has changed the position of {name} in USD to 0."),
        })
    };
    assert_eq!(said(&scheme.payee.next(WEBHOOK).await), moved(PAYEE));
    assert_eq!(said(&scheme.payer.next(WEBHOOK).await), moved(PAYER));
    let kinds: Vec<_> = listed(&scheme, "").await.iter().map(|notice| notice["kind"].clone()).collect();
    let change = "SETTLEMENT_TRANSFER_POSITION_CHANGE";
    assert_eq!(kinds, [change, change, "NET_DEBIT_CAP_ADJUSTMENT"]);
    scheme.end().await;
}
