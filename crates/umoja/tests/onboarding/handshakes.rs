//! What `umoja admin` says when it cannot speak with the hub over TLS.

use crate::world::{Operator, fails, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_handshake_is_explained() {
    let operator = Operator::start().await;
    let place = operator.path();
    run(place, "admin ca init --directory foreign --name Foreign").await;
    run(place, "admin ca issue alice --directory foreign --csr alice/tls-request.pem --output foreign/alice.pem").await;
    let (tls, port) = (operator.url(), operator.addresses.administration.port());
    let plain = hub::start(hub::Config { listeners: crate::world::any_listeners(), ..hub::Config::default() }, |_| {
        axum::Router::new()
    })
    .await
    .unwrap();
    let plain_port = plain.addresses().administration.port();
    let alice = "--certificate alice/tls-certificate.pem --key alice/tls-key.pem";
    for (arguments, expected) in [
        (format!("--hub {tls} --ca ca/ca.pem"), "it demands a certificate of an operator"),
        (format!("--hub {tls} --ca foreign/ca.pem {alice}"), "does not go back to --ca"),
        (format!("--hub {tls} {alice}"), "does not go back to --ca"),
        (format!("--hub https://localhost:{port} --ca ca/ca.pem {alice}"), "not for the host that --hub names"),
        (
            format!("--hub {tls} --ca ca/ca.pem --certificate foreign/alice.pem --key alice/tls-key.pem"),
            "refuses the certificate that --certificate names",
        ),
        (
            format!("--hub {tls} --ca ca/ca.pem --certificate hub/tls-certificate.pem --key alice/tls-key.pem"),
            "cannot be used",
        ),
        (format!("--hub {tls} --ca ca/ca.pem --certificate alice/tls-certificate.pem"), "without --key"),
        (format!("--hub {tls} --ca none.pem {alice}"), "none.pem cannot be read"),
        (format!("--hub http://127.0.0.1:{port}"), "begin --hub with https://"),
        (format!("--hub https://127.0.0.1:{plain_port} --ca ca/ca.pem"), "begin --hub with http://"),
    ] {
        let error = fails(place, &format!("admin {arguments} outbox list")).await;
        assert!(error.contains(expected), "{arguments}: {error}");
        assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    }
    assert_eq!(operator.admin("outbox list").await, "No message is dead.\n");
    plain.stop().await;
    operator.stop().await;
}
