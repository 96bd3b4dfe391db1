//! Settlement beside models of the operator's own ledger account types (contract, administration §1.14, §2.4).

use super::*;

const CURRENCY: &str = "TZS";

/// A scheme that clears TZS, and has a type with a model there to which nothing posts.
async fn scheme_with_a_type() -> Scheme {
    let scheme = Scheme::start().await;
    for kind in ["HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"] {
        scheme.administer("POST /participants/Hub/accounts", json!({"type": kind, "currency": CURRENCY})).await;
    }
    for (name, is_settleable) in [("LEVY", true), ("LEVY_SETTLEMENT", false)] {
        let body = json!({"name": name, "description": "d", "isActive": true, "isSettleable": is_settleable});
        scheme.administer("POST /ledgerAccountTypes", body).await;
    }
    for (name, ledger, settlement) in
        [("DEFERREDNETTZS", "POSITION", "SETTLEMENT"), ("LEVIES", "LEVY", "LEVY_SETTLEMENT")]
    {
        let model = json!({
            "name": name, "settlementGranularity": "NET", "settlementInterchange": "MULTILATERAL",
            "settlementDelay": "DEFERRED", "requireLiquidityCheck": false, "autoPositionReset": true,
            "currency": CURRENCY, "ledgerAccountType": ledger, "settlementAccountType": settlement,
        });
        scheme.administer("POST /settlementModels", model).await;
    }
    for name in [PAYER, PAYEE] {
        scheme.add(name, CURRENCY).await;
    }
    scheme
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_to_which_nothing_posts_holds_up_no_window() {
    let scheme = scheme_with_a_type().await;
    let payment = Payment { currency: CURRENCY, ..Payment::usd("50") };
    scheme.reserve(&payment).await;
    scheme.accept(&payment.fulfil("COMMITTED")).await;
    scheme.payer.next(&payment.put()).await;
    let window = close(&scheme).await;
    let line = format!("GET /v2/settlementWindows/{window}");
    let closed = does(&scheme, &line, Value::Null).await;
    let types: Vec<_> =
        closed["content"].as_array().unwrap().iter().map(|content| content["ledgerAccountType"].clone()).collect();
    assert_eq!(types, ["POSITION"]);

    let levies = json!({"settlementModel": "LEVIES", "reason": "r", "settlementWindows": [{"id": window}]});
    let nothing = format!("Generic validation error - Inapplicable windows {window}");
    refused(&scheme, "POST /v2/settlements", levies.clone(), (400, "3100", &nothing)).await;
    let settlement = create(&scheme, "DEFERREDNETTZS", &[window]).await;
    for state in ["PS_TRANSFERS_RECORDED", "PS_TRANSFERS_RESERVED", "PS_TRANSFERS_COMMITTED", "SETTLED"] {
        advance(&scheme, &settlement, state).await;
    }
    assert_eq!(does(&scheme, &line, Value::Null).await["state"], "SETTLED");
    let balances = scheme.balances().await;
    for name in [PAYER, PAYEE] {
        for kind in ["POSITION", "LEVY", "LEVY_SETTLEMENT"] {
            let line = format!("{name} \"{kind}\" \"{CURRENCY}\" 0");
            assert!(balances.contains(&line), "{line} in {balances:?}");
        }
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_of_a_custom_type_has_a_statement() {
    let scheme = scheme_with_a_type().await;
    let line = |kind: &str| {
        format!(
            "GET /umoja/v1/reports/statement?dfspId={PAYER}&currency={CURRENCY}&accountType={kind}\
             &startDate=2026-01-01&endDate=2100-01-01"
        )
    };
    let statement = scheme.administer(&line("LEVY"), Value::Null).await;
    assert_eq!(statement["control"]["lines"], 0, "{statement}");
    scheme.end().await;
}
