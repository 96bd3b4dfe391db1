//! Look-ups (contract, transfers §2.2, §2.3, §2.5, §2.6).

use crate::{
    assert_relayed,
    support::{BYSTANDER, Call, Inbox, Oracle, PAYEE, PAYER, Scheme, party_body},
};
use serde_json::json;

const PARTY: &str = "MSISDN/27710000002";

fn question(path: &str) -> Call {
    Call::new(&format!("GET /parties/{path}"))
}

async fn assert_told(inbox: &Inbox, path: &str, error: (&str, &str)) {
    let told = inbox.next(&format!("PUT /parties/{path}/error")).await;
    told.assert_made_by_hub(inbox.name(), "1.1").assert_error(error.0, error.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_party_is_told_in_the_words_that_clients_compare() {
    let scheme = Scheme::start().await;
    scheme.accept(&question(PARTY)).await;
    assert_told(&scheme.payer, PARTY, ("3204", "Party not found")).await;
    scheme.accept(&question("ALIAS/a.b/home")).await;
    assert_told(&scheme.payer, "ALIAS/a.b/home", ("3204", "Party not found")).await;
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registered_party_is_asked_for_at_its_dfsp_and_the_answer_comes_back() {
    let scheme = Scheme::start().await;
    scheme.register_party(&scheme.payee, PARTY).await;
    let call = question(PARTY).with("fspiop-signature", "{}");
    scheme.accept(&call.clone().at(&format!("/parties/{PARTY}?currency=USD"))).await;
    // The currency chooses the directory's entry and goes no further.
    assert_relayed(&scheme.payee.next(&format!("GET /parties/{PARTY}")).await, &call);

    let answer = Call::new(&format!("PUT /parties/{PARTY}")).from(PAYEE).to(PAYER);
    let answer = answer.body(format!("\n{} ", party_body("MSISDN", "27710000002")));
    scheme.accept(&answer).await;
    assert_relayed(&scheme.payer.next(&format!("PUT /parties/{PARTY}")).await, &answer);
    let error = Call::new(&format!("PUT /parties/{PARTY}/error")).from(PAYEE).to(PAYER);
    let error = error.body("{\"errorInformation\":{\"errorCode\":\"3204\",\"errorDescription\":\"moved away\"} }");
    scheme.accept(&error).await;
    assert_relayed(&scheme.payer.next(&format!("PUT /parties/{PARTY}/error")).await, &error);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sub_id_finds_its_own_entry_only() {
    let scheme = Scheme::start().await;
    let (whole, home) = ("BUSINESS/shop", "BUSINESS/shop/till-4");
    scheme.register_party(&scheme.payee, home).await;
    let call = question(home);
    scheme.accept(&call).await;
    assert_relayed(&scheme.payee.next(&format!("GET /parties/{home}")).await, &call);
    let filtered = "Generic ID not found - Empty oracle partyList, filtered based on callbackEndpointType";
    for path in [whole, "BUSINESS/shop/till-5"] {
        scheme.accept(&question(path)).await;
        assert_told(&scheme.payer, path, ("3200", filtered)).await;
    }
    scheme.register_party(&scheme.bystander, whole).await;
    scheme.accept(&question(whole)).await;
    scheme.bystander.next(&format!("GET /parties/{whole}")).await;
    let answer = Call::new(&format!("PUT /parties/{home}")).from(PAYEE).to(PAYER).body(party_body("BUSINESS", "shop"));
    scheme.accept(&answer).await;
    assert_relayed(&scheme.payer.next(&format!("PUT /parties/{home}")).await, &answer);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_header_is_followed_without_asking_a_directory() {
    let scheme = Scheme::start().await;
    scheme.register_party(&scheme.payee, PARTY).await;
    scheme.accept(&question(PARTY).to(BYSTANDER)).await;
    let asked = scheme.bystander.next(&format!("GET /parties/{PARTY}")).await;
    assert_eq!(asked.header("fspiop-destination"), BYSTANDER);
    scheme.accept(&question(PARTY).to("ghostfsp")).await;
    assert_told(&scheme.payer, PARTY, ("3204", "Party not found")).await;
    // A wrong header costs nobody an account.
    scheme.accept(&question(PARTY)).await;
    let asked = scheme.payee.next(&format!("GET /parties/{PARTY}")).await;
    assert_eq!(asked.header("fspiop-destination"), PAYEE);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oracle_is_asked_instead_of_the_built_in_directory() {
    let scheme = Scheme::start().await;
    scheme.register_party(&scheme.bystander, PARTY).await;
    let list = json!({"partyList": [{"fspId": PAYEE, "currency": "USD"}]});
    let oracle = Oracle::answering(200, list).await;
    scheme.register_oracle("MSISDN", &oracle.url, None).await;
    scheme.accept(&question(PARTY)).await;
    scheme.payee.next(&format!("GET /parties/{PARTY}")).await;
    assert_eq!(oracle.asked(), [format!("GET /participants/{PARTY}")]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_dfsp_that_an_oracle_names_is_asked() {
    let scheme = Scheme::start().await;
    let list = json!({"partyList": [
        {"fspId": PAYEE}, {"fspId": "ghostfsp"}, {"fspId": BYSTANDER}, {"fspId": PAYEE, "partySubIdOrType": "x"},
    ]});
    let oracle = Oracle::answering(200, list).await;
    scheme.register_oracle("EMAIL", &oracle.url, None).await;
    let path = "EMAIL/ana@example.org";
    scheme.accept(&question(path)).await;
    for inbox in [&scheme.payee, &scheme.bystander] {
        let asked = inbox.next(&format!("GET /parties/{path}")).await;
        assert_eq!(asked.header("fspiop-destination"), inbox.name());
    }
    scheme.accept(&question(&format!("{path}/x"))).await;
    scheme.payee.next(&format!("GET /parties/{path}/x")).await;
    assert_eq!(oracle.asked()[1], format!("GET /participants/{path}?partySubIdOrType=x"));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oracle_that_knows_nobody_or_fails_is_reported() {
    let scheme = Scheme::start().await;
    let own = json!({"errorInformation": {"errorCode": "3299", "errorDescription": "closed"}});
    let unreachable = "Destination communication error - Failed to send HTTP request to host";
    for (id_type, status, body, error) in [
        ("DEVICE", 200, json!({"partyList": []}), ("3204", "Party not found")),
        ("ALIAS", 200, json!([]), ("3204", "Party not found")),
        ("BUSINESS", 200, json!({"partyList": [{"fspId": "ghostfsp"}]}), ("3204", "Party not found")),
        ("PERSONAL_ID", 400, own, ("3299", "closed")),
        ("ACCOUNT_ID", 500, json!({}), ("1001", unreachable)),
    ] {
        let oracle = Oracle::answering(status, body).await;
        scheme.register_oracle(id_type, &oracle.url, None).await;
        let path = format!("{id_type}/1");
        scheme.accept(&question(&path)).await;
        assert_told(&scheme.payer, &path, error).await;
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_nobody_keeps_is_told_with_its_name() {
    let scheme = Scheme::start().await;
    let text = "Add Party information error - Oracle type: ACCOUNT_ID not found";
    for path in ["ACCOUNT_ID/1", "ACCOUNT_ID/1/savings"] {
        scheme.accept(&question(path)).await;
        assert_told(&scheme.payer, path, ("3003", text)).await;
        scheme.accept(&question(path).at(&format!("/parties/{path}?currency=USD"))).await;
        assert_told(&scheme.payer, path, ("3003", text)).await;
    }
    // An oracle for one currency is none for another, nor is the directory then.
    let oracle = Oracle::answering(200, json!({"partyList": [{"fspId": PAYEE}]})).await;
    scheme.register_oracle("ALIAS", &oracle.url, Some("USD")).await;
    scheme.accept(&question("ALIAS/a").at("/parties/ALIAS/a?currency=EUR")).await;
    assert_told(&scheme.payer, "ALIAS/a", ("3003", "Add Party information error - Oracle type: ALIAS not found")).await;
    scheme.accept(&question("ALIAS/a").at("/parties/ALIAS/a?currency=USD")).await;
    scheme.payee.next("GET /parties/ALIAS/a").await;
    assert_eq!(oracle.asked(), ["GET /participants/ALIAS/a?currency=USD"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sub_id_that_is_called_error_is_none_and_stays_one_on_its_way() {
    let scheme = Scheme::start().await;
    let path = "/parties/BUSINESS/shop/%65rror";
    let answer = Call::new(&format!("PUT {path}")).from(PAYEE).to(PAYER).body(party_body("BUSINESS", "shop"));
    scheme.accept(&answer).await;
    let told = scheme.payer.next(&format!("PUT {path}")).await;
    assert_relayed(&told, &answer);
    scheme.accept(&question("BUSINESS/shop/error")).await;
    scheme.payer.next(&format!("PUT {path}/error")).await.assert_error("3204", "Party not found");
    scheme.end().await;
}
