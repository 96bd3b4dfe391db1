//! Interchange fees: rules, what payments owe by them, how that is settled; and the transactions that they look at
//! (contract, administration §2.8 and §1.16).

use super::*;
use fspiop::ilp::{PaymentPacket, Secret, condition_of};
use vocabulary::Fulfilment;

const CURRENCY: &str = "TZS";

/// A scheme that clears TZS with fees: payer and payee have accounts for both.
async fn scheme_with_fees() -> Scheme {
    let scheme = Scheme::start().await;
    for kind in ["HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"] {
        scheme.administer("POST /participants/Hub/accounts", json!({"type": kind, "currency": CURRENCY})).await;
    }
    for (name, ledger, settlement) in [
        ("DEFERREDNETTZS", "POSITION", "SETTLEMENT"),
        ("INTERCHANGEFEE", "INTERCHANGE_FEE", "INTERCHANGE_FEE_SETTLEMENT"),
    ] {
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
    // The edge's copy of the directory is refreshed by each change.
    scheme
}

fn transaction(account_type: &str) -> Value {
    let party = |id: &str| {
        json!({"partyIdInfo": {
            "partyIdType": "MSISDN", "partyIdentifier": id,
            "extensionList": {"extension": [{"key": "accountType", "value": account_type}]},
        }})
    };
    json!({
        "payer": party("27710000001"), "payee": party("27710000002"),
        "transactionType": {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "CONSUMER"},
    })
}

/// A committed payment whose packet has a transaction; returns its id.
async fn pay_with(scheme: &Scheme, amount: &str, transaction: &Value) -> String {
    let transaction = transaction.to_string().into_bytes();
    let packet = PaymentPacket { amount: 1, account: "g.tz".to_owned(), transaction }.encode();
    let base = Payment { currency: CURRENCY, ..Payment::usd(amount) };
    let fulfilment: Fulfilment = Secret::new(base.id.as_str()).fulfilment_v1(&packet);
    let payment = Payment { fulfilment, ..base };
    let mut body = payment.prepare_body();
    body["ilpPacket"] = json!(packet);
    body["condition"] = json!(condition_of(&payment.fulfilment).to_string());
    scheme.accept(&payment.prepare().body(body.to_string())).await;
    scheme.payee.next("POST /transfers").await;
    scheme.accept(&payment.fulfil("COMMITTED")).await;
    scheme.payer.next(&payment.put()).await;
    payment.id
}

/// The fee accounts of payer and payee.
async fn fees(scheme: &Scheme) -> [String; 2] {
    let found = scheme.balances().await;
    [PAYER, PAYEE].map(|name| {
        let start = format!("{name} \"INTERCHANGE_FEE\" \"{CURRENCY}\" ");
        found.iter().find_map(|line| line.strip_prefix(&start)).unwrap().to_owned()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn section_2_8_the_rule_that_comes_with_the_hub_is_the_references() {
    let scheme = scheme_with_fees().await;
    let id = pay_with(&scheme, "100", &transaction("Wallet")).await;
    assert_eq!(fees(&scheme).await, ["0.6", "-0.6"]);
    pay_with(&scheme, "100", &transaction("Savings")).await;
    assert_eq!(fees(&scheme).await, ["0.6", "-0.6"], "the other one met no condition");

    let window = close(&scheme).await;
    let settlement = create(&scheme, "INTERCHANGEFEE", &[window]).await;
    assert_eq!(settlement["participants"][0]["accounts"][0]["netSettlementAmount"]["amount"].to_string(), "0.6");
    for state in ["PS_TRANSFERS_RECORDED", "PS_TRANSFERS_RESERVED", "PS_TRANSFERS_COMMITTED", "SETTLED"] {
        advance(&scheme, &settlement, state).await;
    }
    assert_eq!(fees(&scheme).await, ["0", "0"]);
    let left = does(&scheme, &format!("GET /v2/settlementWindows/{window}"), Value::Null).await;
    assert_eq!(left["state"], "PENDING_SETTLEMENT", "the payments themselves are not settled yet");
    create(&scheme, "DEFERREDNETTZS", &[window]).await;

    let shown = scheme.administer(&format!("GET /transactions/{id}"), Value::Null).await;
    assert_eq!(shown, transaction("Wallet"));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_added_switched_and_apply_from_then_on() {
    let scheme = scheme_with_fees().await;
    scheme.administer("PUT /umoja/v1/fee-rules/1", json!({"isActive": false})).await;
    pay_with(&scheme, "100", &transaction("Wallet")).await;
    assert_eq!(fees(&scheme).await, ["0", "0"]);
    let rule = json!({
        "name": "flat", "debtor": "PAYEE", "fixed": "0.25",
        "conditions": {"currency": CURRENCY, "payerFsp": PAYER, "amountFrom": 50, "scenario": "TRANSFER"},
        "validFrom": "2020-01-01", "validUntil": "2100-01-01T00:00:00+03:00",
    });
    let made = scheme.administer("POST /umoja/v1/fee-rules", rule.clone()).await;
    assert_eq!(
        (made["id"].as_i64(), &made["debtor"], made["fixed"].to_string()),
        (Some(2), &json!("PAYEE"), "0.25".into())
    );
    assert_eq!(made["conditions"]["payerFsp"], PAYER);
    pay_with(&scheme, "100", &transaction("Savings")).await;
    pay_with(&scheme, "49", &transaction("Savings")).await;
    assert_eq!(fees(&scheme).await, ["-0.25", "0.25"]);
    let listed = scheme.administer("GET /umoja/v1/fee-rules", Value::Null).await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    for (line, body, expected) in [
        ("POST /umoja/v1/fee-rules", rule, "3000 Generic client error - A fee rule of this name already exists"),
        ("PUT /umoja/v1/fee-rules/9", json!({"isActive": true}), "3200 Generic ID not found - Fee rule not found"),
        (
            "POST /umoja/v1/fee-rules",
            json!({"name": "x", "debtor": "PAYER", "percentage": 1, "decimals": 5}),
            "3101 Malformed syntax - \"decimals\" must be a whole number from 0 to 4",
        ),
        (
            "POST /umoja/v1/fee-rules",
            json!({"name": "x", "debtor": "PAYER"}),
            "3101 Malformed syntax - \"fixed\" or \"percentage\" is required, and not both",
        ),
    ] {
        let reply = scheme.ask_administration(&Call::plain(line, body)).await;
        let error: Value = serde_json::from_slice(&reply.body).unwrap();
        let error = &error["errorInformation"];
        let found = format!("{} {}", error["errorCode"].as_str().unwrap(), error["errorDescription"].as_str().unwrap());
        assert_eq!((reply.status, found.as_str()), (400, expected));
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn section_1_16_what_has_no_transaction_is_not_found() {
    let scheme = Scheme::start().await;
    pay(&scheme, "1").await;
    for id in ["11111111-5eed-4000-8000-0123456789ab", "x"] {
        let reply = scheme.ask_administration(&Call::plain(&format!("GET /transactions/{id}"), Value::Null)).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
    }
    scheme.end().await;
}
