//! Two adapters that sign and verify, and a hub that refuses what is not signed.

use crate::core::WELCOMING;
use crate::world::{World, transfer_to};
use adapter::Settings;
use fspiop::jws::{KeyDirectory, SigningKey};
use http::Method;
use hub::{PartyAnswers, SignatureFailure, Signing, Verification};
use serde_json::json;
use std::{fs, path::Path, sync::Arc};

/// Writes the public key of each into the directory; returns the private ones of the two DFSPs.
fn keys(directory: &Path) -> [Arc<SigningKey>; 2] {
    let hub = SigningKey::generate_rsa().unwrap();
    fs::write(directory.join("hub-key"), hub.1).unwrap();
    fs::write(directory.join("Hub.pem"), hub.0.public_pem().unwrap()).unwrap();
    ["green", "blue"].map(|name| {
        let key = SigningKey::generate_rsa().unwrap().0;
        fs::write(directory.join(format!("{name}.pem")), key.public_pem().unwrap()).unwrap();
        Arc::new(key)
    })
}

async fn signed(directory: &Path) -> World {
    let [green, blue] = keys(directory);
    let verification = Verification::On {
        keys: directory.into(),
        failure: SignatureFailure::Refused,
        party_answers: PartyAnswers::Verified,
    };
    let signing = Signing::KeyFile(directory.join("hub-key"));
    let hub = hub::Config { signing, verification, ..hub::Config::default() };
    let with = |key: Arc<SigningKey>| {
        let keys = Some(Arc::new(KeyDirectory::open(directory).unwrap()));
        let signatures = sdk::Signatures { key: Some(key), keys, parties: sdk::PartyAnswers::Verified };
        move |settings: &mut Settings| settings.signatures = signatures
    };
    World::with_hub(hub, with(green), with(blue)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_signed_and_verified_by_all_three() {
    let directory = tempfile::tempdir().unwrap();
    let world = signed(directory.path()).await;
    let (status, state) = world.payer.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await;
    assert_eq!((status, &state["currentState"]), (200, &json!("COMPLETED")), "{state}");
    assert_eq!(world.positions().await, ["10", "-10"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_with_a_message_whose_signature_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let world = signed(directory.path()).await;
    let headers = [
        ("content-type", "application/vnd.interoperability.quotes+json;version=1.1"),
        ("accept", "application/vnd.interoperability.quotes+json;version=1.1"),
        ("date", "Fri, 20 Nov 2026 10:00:00 GMT"),
        ("fspiop-source", "green"),
        ("fspiop-destination", "blue"),
    ];
    let (status, answer) = world.payee.inbound_call(Method::POST, "/quotes", &headers, &json!({"quoteId": "1"})).await;
    assert_eq!((status, &answer["errorInformation"]["errorCode"]), (400, &json!("3105")), "{answer}");
    assert!(world.payee.core.asked(Method::POST, "/quoterequests").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_with_another_key_is_refused_by_the_hub_and_pays_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let world = signed(directory.path()).await;
    let other = SigningKey::generate_rsa().unwrap().0;
    fs::write(directory.path().join("green.pem"), other.public_pem().unwrap()).unwrap();
    let (status, answer) = world.payer.call(Method::POST, "/transfers", &transfer_to(WELCOMING)).await;
    assert!(status >= 400 && answer.to_string().contains("3105"), "{status} {answer}");
    assert_eq!(world.positions().await, ["0", "0"]);
}
