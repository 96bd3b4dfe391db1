//! Who reaches an adapter over TLS, and whom an adapter reaches, while the files of its keys change.

use crate::world::{PATIENCE, run};
use rcgen::{CertificateParams, DistinguishedName, DnType, Issuer};
use sdk::{ClientTls, HttpClient, KeyPair, Links, ListenerTls};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tls::ClientKeys;

fn pair(place: &Path, name: &str) -> KeyPair {
    let file = |file: &str| place.join(name).join(file);
    KeyPair { certificate: file("tls-certificate.pem"), key: file("tls-key.pem") }
}

/// A key and a certificate of an authority, in a directory of their own.
async fn issue(place: &Path, authority: &str, name: &str) -> KeyPair {
    run(place, &format!("admin ca request --into {name} --name {name}")).await;
    let files = format!("--csr {name}/tls-request.pem --output {name}/tls-certificate.pem");
    run(place, &format!("admin ca issue {name} --directory {authority} --host 127.0.0.1 {files}")).await;
    pair(place, name)
}

/// What no command issues: a certificate that has ended.
fn issue_ended(place: &Path, authority: &str, name: &str) -> KeyPair {
    let file = |file: &str| std::fs::read_to_string(place.join(authority).join(file)).unwrap();
    let signer = rcgen::KeyPair::from_pem(&file("ca-key.pem")).unwrap();
    let issuer = Issuer::from_ca_cert_pem(&file("ca.pem"), signer).unwrap();
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = parameters.signed_by(&key, &issuer).unwrap().pem();
    std::fs::create_dir(place.join(name)).unwrap();
    let ended = pair(place, name);
    std::fs::write(&ended.certificate, certificate).unwrap();
    std::fs::write(&ended.key, key.serialize_pem()).unwrap();
    ended
}

/// Whether an answer comes from an address, to a caller who trusts an authority.
async fn is_answered(url: &str, ca: PathBuf, shown: Option<&KeyPair>) -> bool {
    let keys = ClientKeys::of_client(ClientTls { ca: vec![ca], pair: shown.cloned() });
    assert_eq!(keys.state().problem, None);
    HttpClient::over_tls(Arc::new(keys)).get(url, PATIENCE).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adapter_hears_whom_its_authorities_name_and_follows_its_files() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    for authority in ["old", "new", "foreign"] {
        run(place, &format!("admin ca init --directory {authority} --name {authority}")).await;
    }
    let own = issue(place, "old", "adapter").await;
    let client_ca = vec![place.join("old/ca.pem"), place.join("new/ca.pem")];
    let mut settings = adapter::Settings::new("green".parse().unwrap(), "http://127.0.0.1:1", "http://127.0.0.1:1");
    settings.listen_inbound = ([127, 0, 0, 1], 0).into();
    settings.listen_outbound = ([127, 0, 0, 1], 0).into();
    settings.links = Links::open(None, Some(ListenerTls { pair: own.clone(), client_ca })).unwrap();
    let running = adapter::start(settings).await.unwrap();
    let url = format!("https://{}/health", running.inbound());
    let (hub, next) = (issue(place, "old", "hub").await, issue(place, "new", "next-hub").await);
    let (stranger, ended) = (issue(place, "foreign", "stranger").await, issue_ended(place, "old", "ended"));
    let ask = async |shown| is_answered(&url, place.join("old/ca.pem"), shown).await;
    for (what, shown, expected) in [
        ("of the old authority", Some(&hub), true),
        ("of the new authority", Some(&next), true),
        ("of a foreign authority", Some(&stranger), false),
        ("ended", Some(&ended), false),
        ("none", None, false),
    ] {
        assert_eq!(ask(shown).await, expected, "{what}");
    }
    assert!(HttpClient::new().get(&url.replace("https", "http"), PATIENCE).await.is_err(), "plain HTTP");
    // Half of a new pair changes nothing; the whole one comes into use without a restart.
    let renewed = issue(place, "new", "renewed").await;
    std::fs::copy(&renewed.key, &own.key).unwrap();
    tokio::time::timeout(PATIENCE, async {
        assert!(ask(Some(&hub)).await, "the old pair stays");
        std::fs::copy(&renewed.certificate, &own.certificate).unwrap();
        while !is_answered(&url, place.join("new/ca.pem"), Some(&hub)).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("the new certificate is shown");
    assert!(!ask(Some(&hub)).await, "who trusts the old authority alone trusts it no more");
    running.stop().await;
}

#[tokio::test]
async fn an_adapter_without_its_keys_does_not_start() {
    let none = KeyPair { certificate: "none.pem".into(), key: "none.pem".into() };
    let listener = ListenerTls { pair: none.clone(), client_ca: vec!["none.pem".into()] };
    assert!(Links::open(None, Some(listener)).unwrap_err().contains("none.pem cannot be read"));
    let client = ClientTls { ca: Vec::new(), pair: Some(none) };
    assert!(Links::open(Some(client), None).unwrap_err().contains("none.pem cannot be read"));
}
