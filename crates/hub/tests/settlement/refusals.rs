//! What is refused, in which words, and that nothing changes by it.

use super::*;

const VALIDATION: &str = "Generic validation error - ";

async fn invalid(scheme: &Scheme, line: &str, body: Value, text: &str) {
    refused(scheme, line, body, (400, "3100", &format!("{VALIDATION}{text}"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn section_2_2_each_reason_of_windows() {
    let scheme = Scheme::start().await;
    let close_body = || json!({"state": "CLOSED", "reason": "evening"});
    let open = open_window(&scheme).await;
    let line = format!("POST /v2/settlementWindows/{open}");
    invalid(&scheme, &line, close_body(), &format!("Window {open} is empty")).await;
    invalid(&scheme, "POST /v2/settlementWindows/99", close_body(), "Window 99 does not exist").await;
    pay(&scheme, "1").await;
    for (body, text) in [
        (json!({"state": "OPEN", "reason": "r"}), "\"state\" must be CLOSED"),
        (json!({"state": "CLOSED"}), "\"reason\" is required"),
        (json!({"state": "CLOSED", "reason": "r", "more": 1}), "\"more\" is not allowed"),
    ] {
        refused(&scheme, &line, body, (400, "3101", &format!("Malformed syntax - {text}"))).await;
    }
    let window = close(&scheme).await;
    invalid(&scheme, &line, close_body(), &format!("Window {window} is not open")).await;
    let unknown = "Internal server error - No record for settlementWindowId: 99 found";
    refused(&scheme, "GET /v2/settlementWindows/99", Value::Null, (500, "2001", unknown)).await;
    let none = "Use at least one parameter: participantId, state, fromDateTime, toDateTime, currency";
    invalid(&scheme, "GET /v2/settlementWindows", Value::Null, none).await;
    let not_found = "settlementWindow by filters: {state:SETTLED,currency:USD} not found";
    invalid(&scheme, "GET /v2/settlementWindows?currency=USD&state=SETTLED", Value::Null, not_found).await;
    let dates = "fromDateTime=2026-11-21T00:00:00.000Z&toDateTime=2026-11-21T23:59:59.999%2B03:00&state=SETTLED";
    let (status, answer) = ask(&scheme, &format!("GET /v2/settlementWindows?{dates}"), Value::Null).await;
    let text = answer["errorInformation"]["errorDescription"].as_str().unwrap();
    assert!(status == 400 && text.ends_with("not found"), "{text}");
    let states = "Malformed syntax - \"state\" must be one of [OPEN, CLOSED, PENDING_SETTLEMENT, SETTLED, ABORTED]";
    refused(&scheme, "GET /v2/settlementWindows?state=PROCESSING", Value::Null, (400, "3101", states)).await;
    let number = "Malformed syntax - \"id\" must be a positive integer";
    refused(&scheme, "GET /v2/settlementWindows/x", Value::Null, (400, "3101", number)).await;
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn section_2_4_each_reason_against_a_settlement() {
    let scheme = Scheme::start().await;
    pay(&scheme, "1").await;
    let window = close(&scheme).await;
    let open = open_window(&scheme).await;
    let gross = json!({
        "name": "CGS", "settlementGranularity": "GROSS", "settlementInterchange": "BILATERAL",
        "settlementDelay": "IMMEDIATE", "currency": "EUR", "requireLiquidityCheck": true, "autoPositionReset": false,
        "ledgerAccountType": "POSITION", "settlementAccountType": "SETTLEMENT",
    });
    scheme.administer("POST /settlementModels", gross).await;
    let body = |model: &str, windows: &[i64]| {
        let windows: Vec<_> = windows.iter().map(|id| json!({"id": id})).collect();
        json!({"settlementModel": model, "reason": "r", "settlementWindows": windows})
    };
    let line = "POST /v2/settlements";
    invalid(&scheme, line, body("NONE", &[window]), "Settlement model not found: NONE").await;
    let gross = "Settlement can not be created for GROSS or IMMEDIATE models";
    invalid(&scheme, line, body("CGS", &[window]), gross).await;
    let inapplicable = format!("Inapplicable windows {open}, 99");
    invalid(&scheme, line, body("DEFERREDNET", &[window, open, 99]), &inapplicable).await;
    for (body, text) in [
        (body("DEFERREDNET", &[]), "\"settlementWindows\" must contain 1 to 10000 items"),
        (body("DEFERREDNET", &[window, window]), "\"settlementWindows\" must not contain duplicates"),
        (body("DEFERREDNET", &[0]), "\"settlementWindows[0].id\" must be a positive integer"),
    ] {
        refused(&scheme, line, body, (400, "3101", &format!("Malformed syntax - {text}"))).await;
    }
    create(&scheme, "DEFERREDNET", &[window]).await;
    invalid(&scheme, line, body("DEFERREDNET", &[window]), &format!("Inapplicable windows {window}")).await;
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn section_2_5_each_reason_against_a_change() {
    let scheme = Scheme::start().await;
    pay(&scheme, "1").await;
    let window = close(&scheme).await;
    let settlement = create(&scheme, "DEFERREDNET", &[window]).await;
    let line = format!("PUT /v2/settlements/{}", settlement["id"]);
    let mut both = all(&settlement, "PS_TRANSFERS_RECORDED");
    both["state"] = json!("ABORTED");
    invalid(&scheme, &line, both, "No other properties are allowed when participants is provided").await;
    let mandatory = "Missing mandatory element - State and reason are mandatory";
    for body in [json!({"state": "ABORTED"}), json!({"reason": "r"})] {
        refused(&scheme, &line, body, (400, "3102", mandatory)).await;
    }
    for body in [json!({}), json!({"state": "INVALID", "reason": "r"}), Value::Null] {
        invalid(&scheme, &line, body, "Invalid request payload input").await;
    }
    let unknown = "PUT /v2/settlements/99";
    for body in [all(&settlement, "PS_TRANSFERS_RECORDED"), json!({"state": "ABORTED", "reason": "r"})] {
        invalid(&scheme, unknown, body, "Settlement not found").await;
    }
    assert_eq!(does(&scheme, &line, json!({"participants": []})).await["participants"], json!([]));
    for state in ["PS_TRANSFERS_RESERVED", "PS_TRANSFERS_COMMITTED", "SETTLED"] {
        let answer = advance(&scheme, &settlement, state).await;
        assert_eq!(answer["state"], "PENDING_SETTLEMENT");
        let error = &answer["participants"][0]["accounts"][0]["errorInformation"];
        assert_eq!(error["errorCode"], "3000");
        assert_eq!(error["errorDescription"], "Generic client error - State change not allowed");
    }
    let [first, second] = [0, 1].map(|at| settlement["participants"][at].clone());
    let account = |of: &Value| json!({"id": of["accounts"][0]["id"], "state": "PS_TRANSFERS_RECORDED", "reason": "r"});
    let mut nobody = account(&first);
    nobody["id"] = json!(999);
    let accounts = json!([nobody, account(&second), account(&first), account(&first)]);
    let body = json!({"participants": [{"id": first["id"], "accounts": accounts}]});
    let answer = does(&scheme, &line, body).await;
    let accounts = answer["participants"][0]["accounts"].as_array().unwrap();
    let errors: Vec<_> = accounts.iter().map(|one| one["errorInformation"]["errorDescription"].as_str()).collect();
    let text = |text: &str| format!("Generic client error - {text}");
    let [unknown, mismatch, twice] =
        ["Account not found", "Participant and account mismatch", "Account already processed once"].map(text);
    assert_eq!(errors, [Some(&*unknown), Some(&*mismatch), None, Some(&*twice)]);
    assert_eq!(accounts[0].as_object().unwrap().len(), 2, "nothing is known of it but its id");
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn section_2_5_an_abort_comes_too_late_once_an_account_is_committed() {
    let scheme = Scheme::start().await;
    pay(&scheme, "1").await;
    let window = close(&scheme).await;
    let settlement = create(&scheme, "DEFERREDNET", &[window]).await;
    let (id, line) = (&settlement["id"], format!("PUT /v2/settlements/{}", settlement["id"]));
    for state in ["PS_TRANSFERS_RECORDED", "PS_TRANSFERS_RESERVED"] {
        advance(&scheme, &settlement, state).await;
    }
    let mut one = all(&settlement, "PS_TRANSFERS_COMMITTED");
    one["participants"].as_array_mut().unwrap().pop();
    does(&scheme, &line, one).await;
    let abort = || json!({"state": "ABORTED", "reason": "late"});
    let text = format!("At least one settlement transfer is committed for settlement '{id}'. Aborting is not allowed.");
    let text: String = format!("{VALIDATION}{text}").chars().take(128).collect();
    refused(&scheme, &line, abort(), (400, "3100", &text)).await;
    for state in ["PS_TRANSFERS_COMMITTED", "SETTLED"] {
        advance(&scheme, &settlement, state).await;
        let text = format!("State change is not allowed for settlement '{id}' in state '{state}'");
        invalid(&scheme, &line, abort(), &text).await;
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn section_2_4_searches_without_a_filter_or_a_result_are_errors() {
    let scheme = Scheme::start().await;
    pay(&scheme, "1").await;
    let window = close(&scheme).await;
    let settlement = create(&scheme, "DEFERREDNET", &[window]).await;
    let (id, participants) = (&settlement["id"], settlement["participants"].as_array().unwrap());
    let (ask, answer) = ("GET /v2/settlements", ask(&scheme, "GET /v2/settlements", Value::Null).await);
    let text = answer.1["errorInformation"]["errorDescription"].as_str().unwrap().to_owned();
    assert!(answer.0 == 400 && text.contains("Use at least one parameter: state, fromDateTime"), "{text}");
    let (payer, account) = (&participants[0]["id"], &participants[0]["accounts"][0]["id"]);
    for (filter, accounts) in [
        (format!("state=PENDING_SETTLEMENT&settlementWindowId={window}"), 2),
        ("currency=USD&fromDateTime=2020-01-01".to_owned(), 2),
        ("toSettlementWindowDateTime=2100-01-01T00:00:00Z".to_owned(), 2),
        (format!("participantId={payer}"), 1),
        (format!("accountId={account}"), 1),
    ] {
        let found = does(&scheme, &format!("{ask}?{filter}"), Value::Null).await;
        let listed: usize = found[0]["participants"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["accounts"].as_array().unwrap().len())
            .sum();
        assert_eq!((found.as_array().unwrap().len(), listed), (1, accounts), "{filter}");
    }
    let none = "No settlements found matching the provided parameters: {currency:EUR} not found";
    invalid(&scheme, &format!("{ask}?currency=EUR"), Value::Null, none).await;
    invalid(&scheme, &format!("{ask}/99"), Value::Null, "Settlement with ID '99' not found").await;
    let base = format!("{ask}/{id}/participants");
    let stranger = format!("Participant with ID '1' is not part of settlement '{id}'");
    invalid(&scheme, &format!("{base}/1"), Value::Null, &stranger).await;
    let other = &participants[1]["accounts"][0]["id"];
    let text = format!(
        "Provided account ID '{other}' does not match any position account for participant '{payer}' in settlement '{id}'"
    );
    let text: String = format!("{VALIDATION}{text}").chars().take(128).collect();
    refused(&scheme, &format!("{base}/{payer}/accounts/{other}"), Value::Null, (400, "3100", &text)).await;
    scheme.end().await;
}
