//! Who is heard, and for whom somebody may speak.

use crate::{
    Secured,
    certificates::Authority,
    support::{BYSTANDER, Call, PAYEE, PAYER, Payment, Quote},
    until,
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Mutex,
};

const PROXY: &str = "proxyone";
/// A DFSP of another scheme.
const FAR: &str = "farfsp";
const NOT_SOURCE: &str = "400 3100 Generic validation error - Invalid fspiop-source header";
const NOT_PROXY: &str = "400 3100 Generic validation error - Invalid fspiop-proxy header";

#[tokio::test(flavor = "multi_thread")]
async fn participants_with_their_certificates_pay_each_other() {
    let secured = Secured::start().await;
    let payment = Payment::usd("10");
    let mut payer = secured.link_of(PAYER).await;
    assert_eq!(payer.send(&payment.prepare()).await.unwrap().status, 202);
    secured.scheme.payee.next("POST /transfers").await;
    // The name may be among the alternative ones as well.
    let mut payee = secured.link(&secured.authority.issue_alternative("The Payee's Bank", PAYEE)).await;
    assert_eq!(payee.send(&payment.fulfil("COMMITTED")).await.unwrap().status, 200);
    secured.scheme.payer.next(&payment.put()).await;
    assert_eq!(secured.scheme.positions().await, ["10", "-10"]);
    drop((payer, payee));
    secured.scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_no_certificate_of_the_schemes_authority_is_not_heard_and_nothing_changes() {
    let secured = Secured::start().await;
    let (before, call) = (secured.scheme.balances().await, Payment::usd("10").prepare());
    let foreign = Authority::new("foreign");
    let namesake = Authority::new("scheme");
    for (what, shown) in [
        ("nothing", None),
        ("a foreign authority's", Some(foreign.issue(PAYER))),
        ("one of an authority of the same name", Some(namesake.issue(PAYER))),
        ("an expired one", Some(secured.authority.issue_until(PAYER, -60))),
        (
            "one of the future",
            Some(secured.authority.issue_with(PAYER, &[], |parameters| {
                parameters.not_before = rcgen::date_time_ymd(2080, 1, 1);
            })),
        ),
    ] {
        assert!(!secured.is_heard(shown.as_ref(), &call).await, "{what} was heard");
    }
    let mut plain = TcpStream::connect(secured.scheme.addresses().fspiop).await.unwrap();
    plain.write_all(b"POST /transfers HTTP/1.1\r\nhost: hub\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "plain HTTP was answered");
    assert!(secured.is_heard(Some(&secured.authority.issue(PAYER)), &call).await);
    secured.scheme.payee.next("POST /transfers").await;
    assert_ne!(secured.scheme.balances().await, before, "who is heard does change something");
    secured.scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_speaks_for_another_participant() {
    let secured = Secured::start().await;
    let before = secured.scheme.balances().await;
    let payment = Payment::usd("10");
    let mut impostor = secured.link_of(BYSTANDER).await;
    let quote = Quote::usd("10");
    for call in [
        payment.prepare(),
        payment.fulfil("COMMITTED"),
        payment.reject("5000", "no"),
        quote.request(),
        Call::new("GET /parties/MSISDN/123"),
        Call::new("POST /participants/MSISDN/123").body(json!({"fspId": PAYER}).to_string()),
        Call::new("DELETE /participants/MSISDN/123"),
        Call::new(&format!("GET {}", payment.path())),
        // Whatever else the headers say.
        payment.prepare().with("x-client-id", PAYER),
    ] {
        assert_eq!(impostor.send(&call).await.unwrap().error(), NOT_SOURCE, "{call:?}");
    }
    // Names are compared to the letter.
    for name in [PAYER.to_uppercase(), format!("{PAYER}."), format!("{PAYER}\u{0}"), String::new(), "*".to_owned()] {
        let mut link = secured.link_of(&name).await;
        assert_eq!(link.send(&payment.prepare()).await.unwrap().error(), NOT_SOURCE, "{name:?}");
    }
    assert_eq!(secured.scheme.balances().await, before);
    // The id is still free, so that nothing was kept of what was refused.
    let own = Payment { amount: "20".to_owned(), ..payment.clone() };
    let mut payer = secured.link_of(PAYER).await;
    assert_eq!(payer.send(&own.prepare()).await.unwrap().status, 202);
    assert_eq!(secured.scheme.payee.next("POST /transfers").await.text(), own.prepare_body().to_string());
    drop((impostor, payer));
    secured.scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_speaks_for_other_schemes_and_for_nobody_of_this_one() {
    let secured = Secured::start().await;
    let body = json!({"name": PROXY, "currency": "USD", "isProxy": true});
    secured.scheme.administer("POST /participants", body).await;
    let mut proxy = secured.link_of(PROXY).await;
    let mut payer = secured.link_of(PAYER).await;
    let question = Call::new("GET /parties/MSISDN/123").from(FAR).with("fspiop-proxy", PROXY);
    assert_eq!(proxy.send(&question).await.unwrap().status, 202);
    for (call, error) in [
        (question.clone().from(PAYER), NOT_PROXY),
        (Payment::usd("10").prepare().with("fspiop-proxy", PROXY), NOT_PROXY),
        (question.clone().with("fspiop-proxy", PAYER), NOT_PROXY),
        (question.clone().from(PROXY), NOT_PROXY),
        (question.clone().without("fspiop-proxy"), NOT_SOURCE),
        (Payment::usd("10").prepare(), NOT_SOURCE),
    ] {
        assert_eq!(proxy.send(&call).await.unwrap().error(), error, "{call:?}");
    }
    for (call, error) in [
        (question.clone(), NOT_PROXY),
        // A participant that is no proxy.
        (question.with("fspiop-proxy", PAYER), NOT_PROXY),
    ] {
        assert_eq!(payer.send(&call).await.unwrap().error(), error, "{call:?}");
    }
    assert_eq!(secured.scheme.payee.unread(), [""; 0]);
    drop((proxy, payer));
    secured.scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_ends_ends_for_open_connections_too() {
    let secured = Secured::start().await;
    let link = Mutex::new(secured.link(&secured.authority.issue_until(PAYER, 3)).await);
    let question = Call::new("GET /parties/MSISDN/123");
    assert_eq!(link.lock().await.send(&question).await.unwrap().status, 202);
    until("the connection is not trusted any more", || async {
        let reply = link.lock().await.send(&question).await.unwrap();
        reply.status != 202 && {
            assert_eq!(reply.error(), "400 3100 Generic validation error - The client certificate has expired");
            true
        }
    })
    .await;
    drop(link);
    secured.scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_finishes_the_handshake_holds_nobody_up() {
    let secured = Secured::start().await;
    let mut silent = Vec::new();
    for beginning in [&b""[..], b"\x16\x03\x01\x02\x00", b"GET"] {
        let mut stream = TcpStream::connect(secured.scheme.addresses().fspiop).await.unwrap();
        stream.write_all(beginning).await.unwrap();
        silent.push(stream);
    }
    let mut payer = secured.link_of(PAYER).await;
    assert_eq!(payer.send(&Payment::usd("10").prepare()).await.unwrap().status, 202);
    secured.scheme.payee.next("POST /transfers").await;
    drop(payer);
    let stopping = std::time::Instant::now();
    secured.scheme.end().await;
    assert!(stopping.elapsed().as_secs() < 8, "the hub waited for who does not speak");
}
