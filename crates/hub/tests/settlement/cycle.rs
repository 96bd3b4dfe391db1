//! From open to settled, and back by an abort.

use super::*;

const STEPS: [(&str, [&str; 3], &str); 4] = [
    ("PS_TRANSFERS_RECORDED", ["50", "-50", "0"], "PENDING_SETTLEMENT"),
    ("PS_TRANSFERS_RESERVED", ["50", "0", "-50"], "PENDING_SETTLEMENT"),
    ("PS_TRANSFERS_COMMITTED", ["0", "0", "0"], "PENDING_SETTLEMENT"),
    ("SETTLED", ["0", "0", "0"], "SETTLED"),
];

#[tokio::test(flavor = "multi_thread")]
async fn section_3_5_a_payment_is_settled_step_by_step() {
    let scheme = Scheme::start().await;
    pay(&scheme, "50").await;
    let window = close(&scheme).await;
    let closed = does(&scheme, &format!("GET /v2/settlementWindows/{window}"), Value::Null).await;
    assert_eq!((closed["state"].as_str(), closed["reason"].as_str()), (Some("CLOSED"), Some("evening")));
    let content = &closed["content"][0];
    assert_eq!(closed["content"].as_array().unwrap().len(), 1);
    assert_eq!(content["ledgerAccountType"], "POSITION");
    assert_eq!((&content["currencyId"], &content["state"]), (&json!("USD"), &json!("CLOSED")));
    assert_eq!(content["settlementId"], Value::Null);

    let settlement = create(&scheme, "deferrednet", &[window]).await;
    assert_eq!(settlement["settlementModel"], "DEFERREDNET");
    assert_eq!((&settlement["state"], &settlement["reason"]), (&json!("PENDING_SETTLEMENT"), &json!("settle")));
    assert_eq!(settlement["settlementWindows"][0]["id"], window);
    assert_eq!(settlement["settlementWindows"][0]["content"][0]["id"], content["id"]);
    let nets: Vec<String> = settlement["participants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["accounts"][0]["netSettlementAmount"].to_string())
        .collect();
    assert_eq!(nets, [r#"{"amount":50,"currency":"USD"}"#, r#"{"amount":-50,"currency":"USD"}"#]);
    assert_eq!(balances(&scheme).await, ["50", "-50", "0"], "nothing moves yet");

    for (state, expected, of_window) in STEPS {
        for _ in 0..2 {
            let moved = advance(&scheme, &settlement, state).await;
            assert_eq!((&moved["id"], &moved["state"]), (&settlement["id"], &json!(state)));
            assert_eq!(moved["settlementWindows"][0]["state"], of_window);
            for participant in moved["participants"].as_array().unwrap() {
                let account = &participant["accounts"][0];
                assert_eq!((&account["state"], &account["reason"]), (&json!(state), &json!("bank")));
                assert!(account.get("errorInformation").is_none() && account["createdDate"].is_string());
            }
            assert_eq!(balances(&scheme).await, expected, "{state}");
        }
    }
    let settled = does(&scheme, &format!("GET /v2/settlements/{}", settlement["id"]), Value::Null).await;
    assert_eq!(settled["state"], "SETTLED");
    assert!(settled.get("settlementModel").is_none());
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_moved_one_at_a_time_by_their_own_paths() {
    let scheme = Scheme::start().await;
    pay(&scheme, "50").await;
    let window = close(&scheme).await;
    let settlement = create(&scheme, "DEFERREDNET", &[window]).await;
    let [payer, payee] = [0, 1].map(|at| settlement["participants"][at].clone());
    let base = format!("/v2/settlements/{}/participants", settlement["id"]);
    let step = |state: &str| json!({"state": state, "reason": "one", "externalReference": "bank 7"});
    for (state, settled) in [
        ("PS_TRANSFERS_RECORDED", "PENDING_SETTLEMENT"),
        ("PS_TRANSFERS_RESERVED", "PS_TRANSFERS_RECORDED"),
        ("PS_TRANSFERS_COMMITTED", "PS_TRANSFERS_RESERVED"),
        ("SETTLED", "SETTLING"),
    ] {
        let line = format!("PUT {base}/{}/accounts/{}", payer["id"], payer["accounts"][0]["id"]);
        let moved = does(&scheme, &line, step(state)).await;
        assert_eq!(moved["state"], settled);
        assert_eq!(moved["participants"][0]["accounts"][0]["externalReference"], "bank 7");
        let mut account = step(state);
        account["id"] = payee["accounts"][0]["id"].clone();
        let moved = does(&scheme, &format!("PUT {base}/{}", payee["id"]), json!({"accounts": [account]})).await;
        assert_eq!(moved["state"], state, "both are there");
    }
    let one = does(&scheme, &format!("GET {base}/{}", payer["id"]), Value::Null).await;
    assert_eq!((one["participants"].as_array().unwrap().len(), &one["state"]), (1, &json!("SETTLED")));
    assert_eq!(one["settlementWindows"][0]["id"], window);
    let line = format!("GET {base}/{}/accounts/{}", payer["id"], payer["accounts"][0]["id"]);
    assert_eq!(does(&scheme, &line, Value::Null).await["participants"], one["participants"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn section_2_5_after_an_abort_everything_is_as_before_and_can_be_settled() {
    let scheme = Scheme::start().await;
    pay(&scheme, "50").await;
    let window = close(&scheme).await;
    for steps in 0..3 {
        let settlement = create(&scheme, "DEFERREDNET", &[window]).await;
        for (state, _, _) in &STEPS[..steps] {
            advance(&scheme, &settlement, state).await;
        }
        let line = format!("PUT /v2/settlements/{}", settlement["id"]);
        let abort = json!({"state": "ABORTED", "reason": "bank is shut"});
        for _ in 0..2 {
            let aborted = does(&scheme, &line, abort.clone()).await;
            assert_eq!(aborted, json!({"id": settlement["id"], "state": "ABORTED", "reason": "bank is shut"}));
        }
        assert_eq!(balances(&scheme).await, ["50", "-50", "0"]);
        let freed = does(&scheme, &format!("GET /v2/settlementWindows/{window}"), Value::Null).await;
        assert_eq!((&freed["state"], &freed["content"][0]["settlementId"]), (&json!("ABORTED"), &Value::Null));
        let found = does(&scheme, "GET /v2/settlements?state=ABORTED", Value::Null).await;
        assert_eq!(found.as_array().unwrap().len(), steps + 1);
    }
    let settlement = create(&scheme, "DEFERREDNET", &[window]).await;
    for (state, expected, _) in STEPS {
        advance(&scheme, &settlement, state).await;
        assert_eq!(balances(&scheme).await, expected);
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn section_2_7_a_gross_currency_settles_each_payment_and_leaves_nothing_for_the_evening() {
    let scheme = Scheme::start().await;
    let model = json!({
        "name": "CGS", "settlementGranularity": "GROSS", "settlementInterchange": "BILATERAL",
        "settlementDelay": "IMMEDIATE", "currency": "USD", "requireLiquidityCheck": true, "autoPositionReset": false,
        "ledgerAccountType": "POSITION", "settlementAccountType": "SETTLEMENT",
    });
    scheme.administer("POST /settlementModels", model).await;
    pay(&scheme, "50").await;
    assert_eq!(balances(&scheme).await, ["0", "0", "0"]);
    let found = scheme.balances().await;
    for line in [format!("{PAYER} \"SETTLEMENT\" \"USD\" -950"), format!("{PAYEE} \"SETTLEMENT\" \"USD\" -1050")] {
        assert!(found.contains(&line), "{line} in {found:?}");
    }
    let window = close(&scheme).await;
    let closed = does(&scheme, &format!("GET /v2/settlementWindows/{window}"), Value::Null).await;
    assert_eq!((&closed["state"], &closed["content"]), (&json!("CLOSED"), &json!([])));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_settlement_takes_several_windows() {
    let scheme = Scheme::start().await;
    let mut windows = Vec::new();
    for amount in ["50", "25.5", "0.0001"] {
        pay(&scheme, amount).await;
        windows.push(close(&scheme).await);
    }
    let settlement = create(&scheme, "DEFERREDNET", &windows).await;
    assert_eq!(settlement["participants"][0]["accounts"][0]["netSettlementAmount"]["amount"].to_string(), "75.5001");
    for (state, _, of_window) in STEPS {
        let moved = advance(&scheme, &settlement, state).await;
        let states: Vec<_> = moved["settlementWindows"].as_array().unwrap().iter().map(|one| &one["state"]).collect();
        assert_eq!(states, [of_window; 3]);
    }
    assert_eq!(balances(&scheme).await, ["0", "0", "0"]);
    scheme.end().await;
}
