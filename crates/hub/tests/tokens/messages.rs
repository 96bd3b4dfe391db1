//! Payments with tokens, and what becomes of the tokens.

use crate::{
    Guarded, PAYEE, PAYER, ask, claims, client, metric, question, seconds, shown,
    support::{Payment, Scheme},
    token, until, with,
};
use futures_util::future::join_all;
use hub::{Provider, TokenPolicy};
use serde_json::{Value, json};
use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

#[tokio::test(flavor = "multi_thread")]
async fn participants_with_their_tokens_pay_each_other_and_nobody_else_sees_the_tokens() {
    let guarded = Guarded::start().await;
    let scheme = &guarded.scheme;
    let (payer, payee) = (guarded.token(PAYER).await, guarded.token(PAYEE).await);
    let payment = Payment::usd("10");
    scheme.accept(&shown(payment.prepare(), &payer)).await;
    let prepare = scheme.payee.next("POST /transfers").await;
    scheme.accept(&shown(payment.fulfil("COMMITTED"), &payee)).await;
    let fulfil = scheme.payer.next(&payment.put()).await;
    for message in [prepare, fulfil] {
        assert_eq!(message.header("authorization"), "", "a token is for the hub alone");
    }
    assert_eq!(scheme.positions().await, ["10", "-10"]);
    let id = payment.path().trim_start_matches("/transfers/").to_owned();
    let trace = scheme.administer(&format!("GET /umoja/v1/trace/{id}"), Value::Null).await.to_string();
    assert!(trace.contains(PAYER) && !trace.contains(&payer) && !trace.contains(&payee), "{trace}");
    guarded.scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_refused_once_it_has_expired_however_often_it_was_taken() {
    let guarded = Guarded::start_with(|config| config.tokens.leeway = Duration::ZERO).await;
    guarded.client(PAYER).await;
    let short = guarded.made(&with(claims(PAYER), "exp", json!(seconds() + 2)));
    let ask = async || guarded.scheme.send(&shown(question(PAYER), &short)).await;
    assert_eq!(ask().await.status, 202);
    until("the token has expired", || async {
        let reply = ask().await;
        reply.status != 202 && {
            assert!(reply.error().ends_with("the access token has expired"), "{}", reply.text());
            true
        }
    })
    .await;
    guarded.scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_tokens_come_at_once_each_is_its_own() {
    let guarded = Guarded::start().await;
    let scheme = &guarded.scheme;
    let (first, second) = (guarded.client(PAYER).await, guarded.client(PAYEE).await);
    let (first, second) = (&first, &second);
    let each = (0..40).map(|number: usize| async move {
        let (name, secret, other) = if number < 20 { (PAYER, first, PAYEE) } else { (PAYEE, second, PAYER) };
        let own = token(scheme, name, secret).await;
        let taken = scheme.send(&shown(question(name), &own)).await.status;
        let refused = scheme.send(&shown(question(other), &own)).await.status;
        (taken, refused)
    });
    assert_eq!(join_all(each).await, [(202, 400); 40]);
    assert_eq!(metric(scheme, "umoja_tokens_issued_total").await, 40);
    guarded.scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_secrets_and_revocations_outlive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}", directory.path().join("hub.db").display());
    let start = || async {
        let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let listeners = hub::Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any };
        let mut config = hub::Config { listeners, store: address.clone(), ..hub::Config::default() };
        config.tokens.policy = TokenPolicy::Required;
        hub::start(config, |_| axum::Router::new()).await.unwrap()
    };
    let scheme = Scheme::start_with(|config| {
        config.store.clone_from(&address);
        config.tokens.policy = TokenPolicy::Required;
    })
    .await;
    let (payer_secret, payee_secret) = (client(&scheme, PAYER).await, client(&scheme, PAYEE).await);
    let (payer, payee) = (token(&scheme, PAYER, &payer_secret).await, token(&scheme, PAYEE, &payee_secret).await);
    scheme.administer(&format!("DELETE /umoja/v1/clients/{PAYEE}"), Value::Null).await;
    scheme.end().await;
    let again = start().await;
    let fspiop = again.addresses().fspiop;
    let send = async |call: crate::Call| crate::messages::send(fspiop, &call).await;
    assert_eq!(send(shown(question(PAYER), &payer)).await, 202);
    assert_eq!(send(shown(question(PAYEE), &payee)).await, 401);
    assert_eq!(send(crate::request(Some((PAYER, &payer_secret)), crate::GRANT)).await, 200);
    assert_eq!(send(crate::request(Some((PAYEE, &payee_secret)), crate::GRANT)).await, 401);
    again.stop().await;
}

/// The status of the answer to a call.
async fn send(to: std::net::SocketAddr, call: &crate::Call) -> u16 {
    let stream = tokio::net::TcpStream::connect(to).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let mut request = http::Request::builder().method(call.method()).uri(call.path()).header("host", "hub");
    for (name, value) in call.headers() {
        request = request.header(name, value);
    }
    let body = http_body_util::Full::new(call.bytes().clone());
    sender.send_request(request.body(body).unwrap()).await.unwrap().status().as_u16()
}

/// Where the log of a test goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// On this thread alone, so that what is logged is this test's.
#[tokio::test]
async fn neither_tokens_nor_secrets_are_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    // Of a provider that is not there something is logged.
    let issuer = "http://127.0.0.1:1".to_owned();
    let provider = Provider { issuer, audience: "fspiop".to_owned(), claims: vec!["azp".to_owned()] };
    let guarded = Guarded::start_with(|config| config.tokens.provider = Some(provider)).await;
    let scheme = &guarded.scheme;
    let secret = guarded.client(PAYER).await;
    let taken = token(scheme, PAYER, &secret).await;
    let forged = format!("{taken}x");
    assert_eq!(scheme.send(&shown(question(PAYER), &taken)).await.status, 202);
    assert_eq!(scheme.send(&shown(question(PAYEE), &taken)).await.status, 400);
    assert_eq!(scheme.send(&shown(question(PAYER), &forged)).await.status, 401);
    assert_eq!(ask(scheme, PAYER, &format!("{secret}x")).await.status, 401);
    guarded.scheme.end_whatever_was_sent().await;
    let text = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(text.contains("could not be fetched"), "{text}");
    for hidden in [&secret, &taken, taken.rsplit('.').next().unwrap()] {
        assert!(!text.contains(hidden), "{hidden} is in the log");
    }
}
