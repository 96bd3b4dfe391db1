//! Which DFSP serves a party: asking, registering, removing (contract, transfers §2.4).

use crate::support::{BYSTANDER, Call, Inbox, Oracle, PAYEE, PAYER, Scheme, fresh_id};
use serde_json::{Value, json};

const PARTY: &str = "MSISDN/27710000002";

/// Asks who serves a party and returns the answer's body.
async fn served_by(scheme: &Scheme, path: &str) -> Value {
    scheme.accept(&Call::new(&format!("GET /participants/{path}"))).await;
    let told = scheme.payer.next(&format!("PUT /participants/{path}")).await;
    told.assert_made_by_hub(PAYER, "1.1").json()
}

async fn assert_unknown(scheme: &Scheme, path: &str) {
    scheme.accept(&Call::new(&format!("GET /participants/{path}"))).await;
    assert_told(&scheme.payer, path, ("3204", "Party not found")).await;
}

async fn assert_told(inbox: &Inbox, path: &str, error: (&str, &str)) {
    let told = inbox.next(&format!("PUT /participants/{path}/error")).await;
    told.assert_made_by_hub(inbox.name(), "1.1").assert_error(error.0, error.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_is_registered_found_moved_and_removed() {
    let scheme = Scheme::start().await;
    assert_unknown(&scheme, PARTY).await;
    let register = Call::new(&format!("POST /participants/{PARTY}")).from(PAYEE);
    scheme.accept(&register.body(r#"{"fspId":"payeefsp","currency":"USD"}"#)).await;
    let told = scheme.payee.next(&format!("PUT /participants/{PARTY}")).await;
    let entry = |fsp: &str| json!([{"partyIdType": "MSISDN", "partyIdentifier": "27710000002", "fspId": fsp}]);
    let expected = json!({"partyList": entry(PAYEE), "currency": "USD"});
    assert_eq!(told.assert_made_by_hub(PAYEE, "1.1").json(), expected);
    assert_eq!(served_by(&scheme, PARTY).await, json!({"fspId": PAYEE}));

    // The answer goes to the DFSP that is registered, whoever asked for it, unless a destination is named.
    let update = Call::new(&format!("PUT /participants/{PARTY}")).from(PAYEE);
    scheme.accept(&update.clone().body(r#"{"fspId":"otherfsp","currency":"USD"}"#)).await;
    let told = scheme.bystander.next(&format!("PUT /participants/{PARTY}")).await;
    assert_eq!(told.assert_made_by_hub(BYSTANDER, "1.1").json()["partyList"], entry(BYSTANDER));
    assert_eq!(served_by(&scheme, PARTY).await, json!({"fspId": BYSTANDER}));
    scheme.accept(&update.to(PAYER).body(r#"{"fspId":"payeefsp","currency":"USD"}"#)).await;
    let told = scheme.payer.next(&format!("PUT /participants/{PARTY}")).await;
    assert_eq!(told.assert_made_by_hub(PAYER, "1.1").json()["partyList"], entry(PAYEE));

    scheme.accept(&Call::new(&format!("DELETE /participants/{PARTY}")).from(PAYEE)).await;
    let told = scheme.payee.next(&format!("PUT /participants/{PARTY}")).await;
    assert_eq!(told.assert_made_by_hub(PAYEE, "1.1").json(), json!({"fspId": PAYEE}));
    assert_unknown(&scheme, PARTY).await;
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sub_id_is_an_entry_of_its_own() {
    let scheme = Scheme::start().await;
    scheme.register_party(&scheme.payee, "BUSINESS/shop").await;
    scheme.register_party(&scheme.bystander, "BUSINESS/shop/till-4").await;
    assert_eq!(served_by(&scheme, "BUSINESS/shop").await, json!({"fspId": PAYEE}));
    assert_eq!(served_by(&scheme, "BUSINESS/shop/till-4").await, json!({"fspId": BYSTANDER}));
    assert_unknown(&scheme, "BUSINESS/shop/till-5").await;
    scheme.accept(&Call::new("DELETE /participants/BUSINESS/shop/till-4").from(BYSTANDER)).await;
    scheme.bystander.next("PUT /participants/BUSINESS/shop/till-4").await;
    assert_unknown(&scheme, "BUSINESS/shop/till-4").await;
    assert_eq!(served_by(&scheme, "BUSINESS/shop").await, json!({"fspId": PAYEE}));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_registered_is_told_to_who_asked() {
    let scheme = Scheme::start().await;
    let register = |path: &str, fsp: &str| {
        Call::new(&format!("POST /participants/{path}")).body(json!({"fspId": fsp}).to_string())
    };
    scheme.accept(&register(PARTY, "ghostfsp")).await;
    let told = scheme.payer.next(&format!("PUT /participants/{PARTY}/error")).await;
    assert_eq!(told.assert_made_by_hub(PAYER, "1.1").json()["errorInformation"]["errorCode"], "3003");
    assert_unknown(&scheme, PARTY).await;
    let no_oracle = ("3003", "Add Party information error - Oracle type: ACCOUNT_ID not found");
    scheme.accept(&register("ACCOUNT_ID/1", PAYER)).await;
    assert_told(&scheme.payer, "ACCOUNT_ID/1", no_oracle).await;
    scheme.accept(&Call::new("GET /participants/ACCOUNT_ID/1")).await;
    assert_told(&scheme.payer, "ACCOUNT_ID/1", no_oracle).await;
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_answered_party_by_party() {
    let scheme = Scheme::start().await;
    let id = fresh_id();
    let party = |id_type: &str, identifier: &str, fsp: &str| json!({"partyIdType": id_type, "partyIdentifier": identifier, "fspId": fsp});
    let list = json!([
        party("MSISDN", "27710000002", PAYEE),
        party("MSISDN", "27710000003", BYSTANDER),
        party("ACCOUNT_ID", "1", PAYEE),
        party("ALIAS", "ana", PAYEE),
    ]);
    let body = json!({"requestId": id, "currency": "USD", "partyList": list});
    let reply = scheme.send(&Call::new("POST /participants").from(PAYEE).body(body.to_string())).await;
    assert_eq!(reply.status, 200);
    let told = scheme.payee.next(&format!("PUT /participants/{id}")).await;
    let body = told.assert_made_by_hub(PAYEE, "1.1").json();
    assert_eq!(body["currency"], "USD");
    let outcomes: Vec<_> = body["partyList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let (party, error) = (&item["partyId"], &item["errorInformation"]);
            let extension = &error["extensionList"]["extension"][0];
            json!([party["partyIdentifier"], error["errorCode"], extension["key"], extension["value"]])
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            json!(["27710000002", null, null, null]),
            json!(["27710000003", "3204", "MSISDN", "27710000003"]),
            json!(["1", "3003", "ACCOUNT_ID", "1"]),
            json!(["ana", null, null, null]),
        ]
    );
    assert_eq!(served_by(&scheme, PARTY).await, json!({"fspId": PAYEE}));
    assert_eq!(served_by(&scheme, "ALIAS/ana").await, json!({"fspId": PAYEE}));
    assert_unknown(&scheme, "MSISDN/27710000003").await;
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_about_a_registration_is_passed_on() {
    let scheme = Scheme::start().await;
    let body = "{\"errorInformation\":{\"errorCode\":\"3003\",\"errorDescription\":\"no\"}\n}";
    let call = Call::new(&format!("PUT /participants/{PARTY}/error")).from(PAYEE).body(body);
    scheme.accept(&call.clone().to(PAYER)).await;
    crate::assert_relayed(&scheme.payer.next(&format!("PUT /participants/{PARTY}/error")).await, &call);
    scheme.accept(&call.to("ghostfsp")).await;
    let text = "Destination FSP Error - Destination FSP not found";
    assert_told(&scheme.payee, PARTY, ("3201", text)).await;
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_goes_to_the_oracle_of_its_type_and_succeeds_with_201() {
    let scheme = Scheme::start().await;
    let oracle = Oracle::answering(201, Value::Null).await;
    scheme.register_oracle("ACCOUNT_ID", &oracle.url, None).await;
    let registration = json!({"fspId": PAYEE, "currency": "USD"}).to_string();
    let path = "ACCOUNT_ID/7/savings";
    scheme.accept(&Call::new(&format!("POST /participants/{path}")).from(PAYEE).body(registration)).await;
    let told = scheme.payee.next(&format!("PUT /participants/{path}")).await;
    let entry = json!({
        "partyIdType": "ACCOUNT_ID", "partyIdentifier": "7", "partySubIdOrType": "savings", "fspId": PAYEE,
    });
    let expected = json!({"partyList": [entry], "currency": "USD"});
    assert_eq!(told.assert_made_by_hub(PAYEE, "1.1").json(), expected);
    let stored = r#"{"currency":"USD","fspId":"payeefsp","partySubIdOrType":"savings"}"#;
    assert_eq!(oracle.asked(), [format!("POST /participants/ACCOUNT_ID/7 {stored}")]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_an_oracle_refuses_is_told_to_who_asked() {
    let scheme = Scheme::start().await;
    let unwilling =
        Oracle::answering(400, json!({"errorInformation": {"errorCode": "3299", "errorDescription": "x"}})).await;
    scheme.register_oracle("ACCOUNT_ID", &unwilling.url, None).await;
    let lukewarm = Oracle::answering(200, json!({})).await;
    scheme.register_oracle("DEVICE", &lukewarm.url, None).await;
    let registration = json!({"fspId": PAYEE}).to_string();
    for (method, path, code) in [
        ("POST", "ACCOUNT_ID/1", "3003"),
        ("PUT", "ACCOUNT_ID/2", "3003"),
        ("DELETE", "ACCOUNT_ID/3", "3040"),
        ("POST", "DEVICE/1", "3003"),
    ] {
        let call = Call::new(&format!("{method} /participants/{path}"));
        scheme.accept(&if method == "DELETE" { call } else { call.body(registration.clone()) }).await;
        let told = scheme.payer.next(&format!("PUT /participants/{path}/error")).await;
        assert_eq!(told.assert_made_by_hub(PAYER, "1.1").json()["errorInformation"]["errorCode"], code, "{path}");
    }
    // Changing may be answered with anything that is a success.
    scheme.accept(&Call::new("PUT /participants/DEVICE/1").body(registration)).await;
    scheme.payee.next("PUT /participants/DEVICE/1").await;
    scheme.end().await;
}
