//! The sequence by which schemes are set up, run twice (contract, administration §9).

use crate::support::{ORACLE_HEADERS, Scheme, default_model, model};
use serde_json::json;

/// Statuses of the calls of one run, in order, with the code of the error where there is one.
async fn provision(scheme: &Scheme) -> Vec<String> {
    let mut outcomes = Vec::new();
    let mut note = |step: &str, reply: crate::support::Reply| {
        let code = reply.body["errorInformation"]["errorCode"].as_str().unwrap_or("").to_owned();
        outcomes.push(format!("{step} {} {code}", reply.status).trim_end().to_owned());
    };
    for (kind, currency) in [
        ("HUB_MULTILATERAL_SETTLEMENT", "USD"),
        ("HUB_RECONCILIATION", "USD"),
        ("HUB_MULTILATERAL_SETTLEMENT", "XXX"),
        ("HUB_RECONCILIATION", "XXX"),
    ] {
        let body = json!({"type": kind, "currency": currency});
        note("hub account", scheme.post("/participants/Hub/accounts", body).await);
    }
    for kind in [
        "SETTLEMENT_TRANSFER_POSITION_CHANGE_EMAIL",
        "NET_DEBIT_CAP_ADJUSTMENT_EMAIL",
        "NET_DEBIT_CAP_THRESHOLD_BREACH_EMAIL",
    ] {
        let body = json!({"type": kind, "value": "hub@example.org"});
        note("hub e-mail", scheme.post("/participants/Hub/endpoints", body).await);
    }
    let gross = json!({"name": "CGS", "settlementGranularity": "GROSS", "settlementInterchange": "BILATERAL",
        "settlementDelay": "IMMEDIATE", "currency": "XXX", "autoPositionReset": false});
    let fees = json!({"name": "INTERCHANGEFEE", "currency": "XXX", "ledgerAccountType": "INTERCHANGE_FEE",
        "settlementAccountType": "INTERCHANGE_FEE_SETTLEMENT"});
    for body in [default_model(), model(gross), model(fees)] {
        note("model", scheme.post("/settlementModels", body).await);
    }
    for id_type in ["MSISDN", "BUSINESS", "ALIAS"] {
        let endpoint = json!({"value": "http://127.0.0.1:9/oracle", "endpointType": "URL"});
        let body = json!({"oracleIdType": id_type, "endpoint": endpoint, "currency": "USD", "isDefault": true});
        note("oracle", scheme.oracle("POST", "/oracles", &ORACLE_HEADERS, &body).await);
    }
    for currency in ["USD", "XXX"] {
        note("participant", scheme.post("/participants", json!({"name": "payerfsp", "currency": currency})).await);
        let limit = json!({"type": "NET_DEBIT_CAP", "value": 1000000});
        let body = json!({"currency": currency, "limit": limit, "initialPosition": 0});
        note("open", scheme.post("/participants/payerfsp/initialPositionAndLimits", body).await);
    }
    let body = json!({"name": "proxy1", "currency": "USD", "isProxy": "true"});
    note("proxy", scheme.post("/participants", body).await);
    let body =
        json!({"type": "FSPIOP_CALLBACK_URL_TRANSFER_PUT", "value": "http://127.0.0.1:9/transfers/{{transferId}}"});
    note("endpoint", scheme.post("/participants/payerfsp/endpoints", body).await);
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_changes_nothing_and_is_answered_as_clients_expect() {
    let scheme = Scheme::start().await;
    let first = provision(&scheme).await;
    assert!(first.iter().all(|outcome| outcome.ends_with(" 201")), "{first:#?}");
    let participants = scheme.get("/participants").await.body;

    let expected = [
        ["hub account 400 3003"; 4].as_slice(),
        &["hub e-mail 201"; 3],
        &["model 400 3000"; 3],
        &["oracle 500 2001"; 3],
        &["participant 400 3000", "open 500 2001", "participant 400 3000", "open 500 2001"],
        &["proxy 400 3000", "endpoint 201"],
    ];
    assert_eq!(provision(&scheme).await, expected.concat());
    assert_eq!(scheme.get("/participants").await.body, participants);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_currency_with_its_own_models_gives_four_open_accounts() {
    let scheme = Scheme::start().await;
    provision(&scheme).await;
    let accounts = scheme.get("/participants/payerfsp/accounts?currency=XXX").await.body;
    let kinds: Vec<_> = accounts.as_array().unwrap().iter().map(|account| &account["ledgerAccountType"]).collect();
    assert_eq!(kinds, ["POSITION", "SETTLEMENT", "INTERCHANGE_FEE", "INTERCHANGE_FEE_SETTLEMENT"]);
    scheme.end().await;
}
