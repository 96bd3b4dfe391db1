//! Reports and the ledger's check over HTTP (contract, administration §4.6).

use super::*;

async fn report(scheme: &Scheme, path: &str) -> (u16, String) {
    let line = format!("GET /umoja/v1/reports/{path}");
    let reply = scheme.ask_administration(&Call::plain(&line, Value::Null)).await;
    (reply.status, reply.text())
}

async fn json_of(scheme: &Scheme, path: &str) -> Value {
    let (status, text) = report(scheme, path).await;
    assert_eq!(status, 200, "{path}: {text}");
    serde_json::from_str(&text).unwrap()
}

/// 50 from the payer to the payee and 20 back, in a closed window; returns the settlement's id.
async fn settled_scheme(scheme: &Scheme) -> Value {
    pay(scheme, "50").await;
    let back = Payment { payer: PAYEE, payee: PAYER, ..Payment::usd("20") };
    scheme.accept(&back.prepare()).await;
    scheme.payer.next("POST /transfers").await;
    scheme.accept(&back.fulfil("COMMITTED")).await;
    scheme.payee.next(&back.put()).await;
    let window = close(scheme).await;
    create(scheme, "DEFERREDNET", &[window]).await["id"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bank_is_told_who_pays_and_everything_adds_up() {
    let scheme = Scheme::start().await;
    let id = settled_scheme(&scheme).await;
    let (_, csv) = report(&scheme, &format!("settlement-bank?settlementId={id}&format=csv")).await;
    assert_eq!(
        csv,
        format!(
            "paymentId,debtor,creditor,amount,currency\r\n\
             SETTLEMENT-{id}-1,{PAYER},SETTLEMENT BANK,30.00,USD\r\n\
             SETTLEMENT-{id}-2,SETTLEMENT BANK,{PAYEE},30.00,USD\r\n\
             CONTROL number of payments,2\r\nCONTROL total amount USD,60.00\r\nCONTROL sum of net amounts USD,0.00\r\n"
        )
    );
    let (_, xml) = report(&scheme, &format!("settlement-bank?settlementId={id}&format=xml")).await;
    assert!(xml.contains("<NbOfTxs>2</NbOfTxs><CtrlSum>60</CtrlSum>"), "{xml}");
    assert_eq!(xml.matches("<IntrBkSttlmAmt Ccy=\"USD\">30.00</IntrBkSttlmAmt>").count(), 2);
    let json = json_of(&scheme, &format!("settlement-bank?settlementId={id}")).await;
    assert_eq!(json["iso20022"]["MulSttlmReq"]["SttlmReq"][0]["Dbtr"]["FinInstnId"]["Othr"]["Id"], PAYER);
    let sheet = json_of(&scheme, &format!("settlement-initiation?settlementId={id}")).await;
    assert_eq!(sheet["control"]["sum of net amounts USD"], "0.00");
    assert_eq!((&sheet["rows"][0]["settlementTransfer"], &sheet["rows"][0]["balance"]), (&json!("30.00"), &json!("")));

    let matrix = json_of(&scheme, &format!("multilateral?settlementId={id}")).await;
    assert_eq!(matrix["control"]["check value USD"], "0.00");
    let row = |of: &str| matrix["rows"].as_array().unwrap().iter().find(|row| row["sentBy"] == of).unwrap().clone();
    assert_eq!(row(PAYER)[format!("receivedBy {PAYEE}")], "50.00");
    assert_eq!(row(PAYEE)["totalSent"], "20.00");
    assert_eq!(row("AGGREGATED NET POSITION")[format!("receivedBy {PAYEE}")], "-30.00");
    let pairs = json_of(&scheme, &format!("bilateral?settlementId={id}")).await;
    let expected = json!({
        "netDebtor": PAYER, "netCreditor": PAYEE, "currency": "USD",
        "totalSentAmount": "50.00", "totalReceivedAmount": "20.00", "netSettlementAmount": "30.00",
    });
    assert_eq!(pairs["rows"], json!([expected]));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_bilateral_model_each_pair_has_its_own_obligation() {
    let scheme = Scheme::start().await;
    let model = json!({
        "name": "PAIRS", "settlementGranularity": "NET", "settlementInterchange": "BILATERAL",
        "settlementDelay": "DEFERRED", "requireLiquidityCheck": false, "autoPositionReset": true, "currency": "USD",
        "ledgerAccountType": "POSITION", "settlementAccountType": "SETTLEMENT",
    });
    scheme.administer("POST /settlementModels", model).await;
    pay(&scheme, "50").await;
    let window = close(&scheme).await;
    let id = create(&scheme, "PAIRS", &[window]).await["id"].clone();
    let bank = json_of(&scheme, &format!("settlement-bank?settlementId={id}")).await;
    let row = &bank["rows"][0];
    assert_eq!((&row["debtor"], &row["creditor"], &row["amount"]), (&json!(PAYER), &json!(PAYEE), &json!("50.00")));
    assert_eq!(bank["control"]["number of payments"], "1");
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_opens_lists_closes_and_adds_up() {
    let scheme = Scheme::start().await;
    let id = settled_scheme(&scheme).await;
    let settlement = does(&scheme, &format!("GET /v2/settlements/{id}"), Value::Null).await;
    for state in ["PS_TRANSFERS_RECORDED", "PS_TRANSFERS_RESERVED", "PS_TRANSFERS_COMMITTED", "SETTLED"] {
        advance(&scheme, &settlement, state).await;
    }
    let path = format!("statement?dfspId={PAYER}&currency=USD&accountType=POSITION");
    let whole = json_of(&scheme, &path).await;
    assert_eq!((&whole["opening"], &whole["closing"]), (&json!("0.00"), &json!("0.00")));
    let lines: Vec<_> = whole["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {}", row["processDescription"].as_str().unwrap(), row["balance"].as_str().unwrap()))
        .collect();
    assert_eq!(lines, ["PRINCIPLE_VALUE 50.00", "PRINCIPLE_VALUE 30.00", "SETTLEMENT_NET_SENDER 0.00"]);
    assert_eq!(
        whole["control"],
        json!({"lines": 3, "debits": "50.00", "credits": "50.00", "openingPlusDebitsLessCredits": "0.00"})
    );
    let since = whole["rows"][1]["dateTime"].as_str().unwrap();
    let later = json_of(&scheme, &format!("{path}&startDate={since}")).await;
    assert_eq!((&later["opening"], &later["closing"]), (&json!("50.00"), &json!("0.00")));
    assert_eq!(later["control"]["lines"], 2);
    let (_, csv) = report(&scheme, &format!("statement?dfspId={PAYER}&currency=USD&format=csv")).await;
    assert!(csv.contains("RECORD_FUNDS_IN,Hub,0.00,1000.00,-1000.00\r\n"), "{csv}");
    assert!(csv.ends_with("CONTROL closing,,,,-1000.00\r\n"), "{csv}");
    let windows = json_of(&scheme, "windows").await;
    assert_eq!((windows["rows"].as_array().unwrap().len(), &windows["control"]["open windows"]), (2, &json!("1")));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_wrongly_is_refused_in_a_sentence() {
    let scheme = Scheme::start().await;
    for (path, text) in [
        ("multilateral", "3101 Malformed syntax - \"settlementId\" is required"),
        ("multilateral?settlementId=x", "3101 Malformed syntax - \"settlementId\" must be a positive integer"),
        ("bilateral?settlementId=9", "3200 Generic ID not found - The requested resource could not be found"),
        ("bilateral?settlementId=9&format=xml", "3101 Malformed syntax - \"format\" must be one of [json, csv]"),
        (
            "statement?dfspId=nobody&currency=USD",
            "3200 Generic ID not found - The requested resource could not be found",
        ),
        ("statement?dfspId=payerfsp", "3101 Malformed syntax - \"currency\" is required"),
        (
            "statement?dfspId=payerfsp&currency=USD&accountType=NONE",
            "3101 Malformed syntax - \"accountType\" must be a ledger account type",
        ),
        (
            "statement?dfspId=payerfsp&currency=USD&startDate=2026-02-01&endDate=2026-01-01",
            "3101 Malformed syntax - \"endDate\" must not be before \"startDate\"",
        ),
    ] {
        let (status, body) = report(&scheme, path).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        let error = &body["errorInformation"];
        let found = format!("{} {}", error["errorCode"].as_str().unwrap(), error["errorDescription"].as_str().unwrap());
        assert_eq!((status, found.as_str()), (400, text), "{path}");
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_running_hub_verifies_its_ledger() {
    let scheme = Scheme::start().await;
    settled_scheme(&scheme).await;
    let found = scheme.administer("GET /umoja/v1/verify", Value::Null).await;
    assert_eq!((&found["isRight"], &found["differences"]), (&json!(true), &json!([])));
    scheme.end().await;
}
