//! Tokens on a listener that asks for certificates as well: both must name who sends.

use crate::{
    BYSTANDER, Call, Guarded, PAYER,
    certificates::{Authority, write},
    claims, client,
    links::Link,
    question, request, shown,
    support::Reply,
};
use tls::ListenerTls;

const NOT_SOURCE: &str = "400 3100 Generic validation error - Invalid fspiop-source header";

#[tokio::test(flavor = "multi_thread")]
async fn certificate_and_token_must_both_name_who_sends() {
    let (authority, directory) = (Authority::new("scheme"), tempfile::tempdir().unwrap());
    let pair = authority.issue("hub").write(directory.path(), "hub");
    let client_ca = vec![write(directory.path(), "ca.pem", &authority.pem())];
    let guarded = Guarded::start_with(|config| config.tls.fspiop = Some(ListenerTls { pair, client_ca })).await;
    let secret = client(&guarded.scheme, PAYER).await;
    client(&guarded.scheme, BYSTANDER).await;
    let address = guarded.scheme.addresses().fspiop;
    let send = async |name: &str, call: Call| -> Reply {
        let mut link = Link::open(address, &authority, Some(&authority.issue(name))).await.unwrap();
        link.send(&call).await.unwrap()
    };
    let made = |name: &str| guarded.made(&claims(name));
    assert_eq!(send(PAYER, shown(question(PAYER), &made(PAYER))).await.status, 202);
    for (certificate, token, source) in
        [(BYSTANDER, PAYER, PAYER), (PAYER, BYSTANDER, PAYER), (BYSTANDER, PAYER, BYSTANDER), (PAYER, PAYER, BYSTANDER)]
    {
        let reply = send(certificate, shown(question(source), &made(token))).await;
        assert_eq!(reply.error(), NOT_SOURCE, "{certificate} {token} {source}");
    }
    assert_eq!(send(PAYER, question(PAYER)).await.status, 401, "a certificate is no token");
    let grant = || request(Some((PAYER, &secret)), crate::GRANT);
    assert_eq!(send(PAYER, grant()).await.status, 200);
    assert_eq!(send(BYSTANDER, grant()).await.status, 401, "a secret is of no use to another");
    guarded.scheme.end_whatever_was_sent().await;
}
