//! The first payment after onboarding, the loss of a key, and its renewal while the adapter runs.

use crate::{
    core::{PAYER, WELCOMING},
    world::{Dfsp, Operator, PATIENCE, client, run},
};
use http::Method;
use sdk::HttpClient;
use serde_json::{Value, json};
use std::time::Duration;

fn transfer() -> Value {
    json!({
        "homeTransactionId": "home", "from": {"idType": "MSISDN", "idValue": PAYER, "displayName": "Bob"},
        "to": {"idType": "MSISDN", "idValue": WELCOMING}, "amountType": "SEND", "currency": "KES", "amount": "10",
        "transactionType": "TRANSFER",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_onboarding_adapter_payment_with_certificates_and_signatures_on_every_link() {
    let operator = Operator::start().await;
    let mut green = Dfsp::join(&operator, "green").await;
    let mut blue = Dfsp::join(&operator, "blue").await;
    // Once more, for the key of who has joined since.
    let again = operator.admin(&green.onboarding(&operator, "green")).await;
    assert!(!again.contains("done"), "everything is so already: {again}");
    assert!(again.contains("green/verification-keys/blue.pem") && again.contains("Hub.pem"), "{again}");
    green.start().await;
    blue.start().await;
    let account = json!([{"idType": "MSISDN", "idValue": WELCOMING, "currency": "KES"}]);
    let (status, answer) = blue.call(Method::POST, "/accounts", &account).await;
    assert_eq!((status, &answer["currentState"]), (200, &json!("COMPLETED")), "{answer}");
    pays(&green).await;
    assert_eq!([operator.position("green").await, operator.position("blue").await], ["10", "-10"]);
    nobody_else_reaches_the_adapter(&operator, &blue).await;

    // The key is lost: who has it is not heard, and the DFSP makes a new one while its adapter runs.
    let list: Value =
        serde_json::from_str(&operator.admin("--json certificates list --participant green").await).unwrap();
    let fingerprint = list["certificates"][0]["fingerprint"].as_str().unwrap();
    operator.admin(&format!("certificates revoke {fingerprint} --reason stolen")).await;
    let (status, refused) = green.call(Method::POST, "/transfers", &transfer()).await;
    assert!(status >= 400, "{refused}");
    let error = operator.admin_fails(&green.onboarding(&operator, "green")).await;
    assert!(error.contains("was revoked (stolen)"), "{error}");
    run(operator.path(), "adapter keys --directory green-next --name green").await;
    operator.admin(&green.onboarding(&operator, "green-next")).await;
    for file in ["tls-key.pem", "tls-certificate.pem"] {
        std::fs::copy(operator.path().join("green-next").join(file), green.place.join(file)).unwrap();
    }
    let renewed = async {
        while green.call(Method::POST, "/transfers", &transfer()).await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, renewed).await.expect("the adapter shows its new certificate");
    assert_eq!(operator.position("green").await, "20");
    green.stop().await;
    blue.stop().await;
    operator.stop().await;
}

async fn pays(green: &Dfsp) {
    let (status, answer) = green.call(Method::POST, "/transfers", &transfer()).await;
    assert_eq!((status, &answer["currentState"]), (200, &json!("COMPLETED")), "{answer}");
}

/// Without a certificate of the scheme's authority, or without TLS.
async fn nobody_else_reaches_the_adapter(operator: &Operator, dfsp: &Dfsp) {
    let port = dfsp.port;
    let ask = async |http: HttpClient, scheme: &str| {
        http.get(&format!("{scheme}://127.0.0.1:{port}/health"), PATIENCE).await.is_ok()
    };
    assert!(ask(client(operator.path(), Some("hub")), "https").await);
    assert!(!ask(client(operator.path(), None), "https").await, "without a certificate");
    assert!(!ask(client(operator.path(), Some("alice")), "https").await, "of another authority");
    assert!(!ask(HttpClient::new(), "http").await, "plain HTTP");
}
