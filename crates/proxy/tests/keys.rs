//! TLS on both ways, and keys that change while the adapter runs (contract, interscheme §2.5, §2.7).
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod support;

use proxy::{
    Config, Target,
    config::{KeyPair, ListenerTls, OauthConfig, Secret},
};
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use support::{
    Answer, Hub, Reply, call, call_on, config, get, metric, request, side,
    tls::{Authority, Issued, acceptor, connect, write},
    until,
};
use tempfile::TempDir;

/// A hub A that speaks TLS and knows the adapter by its certificate.
struct Scheme {
    authority: Authority,
    directory: TempDir,
    hub: Hub,
    adapter: Issued,
    files: KeyPair,
    ca: PathBuf,
}

impl Scheme {
    async fn new() -> Self {
        let authority = Authority::new();
        let directory = tempfile::tempdir().unwrap();
        let hub =
            Hub::with_tls(acceptor(&authority.issue(2090), &authority), |_, _| Reply::status("202 Accepted")).await;
        let adapter = authority.issue(2091);
        let files = adapter.write(directory.path(), "adapter");
        let ca = write(directory.path(), "ca.pem", &authority.pem());
        Self { authority, directory, hub, adapter, files, ca }
    }

    fn config(&self, other: SocketAddr) -> Config {
        let mut a = side(self.hub.address);
        a.hub = Target::parse(&format!("https://{}", self.hub.address)).unwrap();
        a.ca = Some(self.ca.clone());
        a.client = Some(self.files.clone());
        config(a, side(other))
    }
}

async fn post(listener: SocketAddr) -> Answer {
    call(listener, request("POST /transfers", &[], b"{}")).await
}

async fn details(listener: SocketAddr) -> serde_json::Value {
    get(listener, "/health").await.json()["details"].clone()
}

#[tokio::test]
async fn the_adapter_and_the_hub_show_each_other_certificates() {
    let scheme = Scheme::new().await;
    let other = Hub::new().await;
    let running = proxy::start(scheme.config(other.address)).await.unwrap();
    let [listener, _] = running.addresses();
    for _ in 0..3 {
        assert_eq!(post(listener).await.status, 202);
    }
    assert_eq!(scheme.hub.received()[2].certificates, [scheme.adapter.der()]);
    assert_eq!(scheme.hub.connections(), 1, "handshakes are dear; the connection is kept");
    let days = metric(listener, "umoja_proxy_certificate_days{side=\"a\",certificate=\"client\"}").await;
    assert!((20_000..25_000).contains(&days), "{days} until the end of 2091");
    running.stop().await;
}

#[tokio::test]
async fn a_token_is_fetched_over_tls_and_a_ping_answered_with_token_and_certificate() {
    let (scheme, elsewhere) = (Scheme::new().await, Authority::new());
    let tokens = Hub::with_tls(acceptor(&elsewhere.issue(2090), &scheme.authority), |_, _| {
        let body = "{\"access_token\":\"token\",\"expires_in\":3600}";
        Reply::Raw(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into())
    })
    .await;
    let other = Hub::new().await;
    let mut config = scheme.config(other.address);
    config.a.oauth = Some(OauthConfig {
        endpoint: Target::parse(&format!("https://{}/token", tokens.address)).unwrap(),
        ca: Some(write(scheme.directory.path(), "elsewhere.pem", &elsewhere.pem())),
        client_id: "adapter".to_owned(),
        secret: Secret::Value("secret".to_owned()),
        refresh: Duration::from_secs(60),
    });
    let running = proxy::start(config).await.unwrap();
    let [to_a, to_b] = running.addresses();
    until("the side is ready", || async { details(to_a).await["isReady"] == true }).await;
    assert_eq!(tokens.only().certificates, [scheme.adapter.der()]);
    let ping = b"{\"requestId\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\"}";
    assert_eq!(call(to_b, request("POST /ping", &[("fspiop-source", "hub-a")], ping)).await.status, 202);
    until("the ping is answered", || async { !scheme.hub.received().is_empty() }).await;
    let answer = scheme.hub.only();
    assert_eq!(answer.header("authorization"), Some("Bearer token"));
    assert_eq!(answer.certificates, [scheme.adapter.der()]);
    running.stop().await;
}

#[tokio::test]
async fn a_hub_of_another_authority_is_not_spoken_to() {
    let scheme = Scheme::new().await;
    let other = Hub::new().await;
    let mut config = scheme.config(other.address);
    config.a.ca = Some(write(scheme.directory.path(), "stranger.pem", &Authority::new().pem()));
    let running = proxy::start(config).await.unwrap();
    let answer = post(running.addresses()[0]).await;
    assert_eq!((answer.status, answer.error_code()), (503, "2003".to_owned()));
    assert!(scheme.hub.received().is_empty());
    running.stop().await;
}

#[tokio::test]
async fn without_keys_a_side_is_503_with_2003_until_they_are_there() {
    let scheme = Scheme::new().await;
    let other = Hub::new().await;
    std::fs::remove_file(&scheme.files.key).unwrap();
    let running = proxy::start(scheme.config(other.address)).await.unwrap();
    let [to_a, to_b] = running.addresses();
    let refused = post(to_a).await;
    assert_eq!((refused.status, refused.error_code()), (503, "2003".to_owned()));
    assert_eq!(post(to_b).await.status, 202, "the other side is ready");
    let found = details(to_a).await;
    assert_eq!((&found["isReady"], &found["certs"]), (&false.into(), &false.into()));
    assert!(found["problems"][0].as_str().unwrap().contains("adapter-key.pem cannot be read"), "{found}");
    scheme.adapter.write(scheme.directory.path(), "adapter");
    until("the side is ready", || async { details(to_a).await["isReady"] == true }).await;
    assert_eq!(post(to_a).await.status, 202);
    running.stop().await;
}

#[tokio::test]
async fn new_keys_are_used_for_new_connections_and_the_old_ones_end() {
    let scheme = Scheme::new().await;
    let other = Hub::new().await;
    let running = proxy::start(scheme.config(other.address)).await.unwrap();
    let [listener, _] = running.addresses();
    assert_eq!(post(listener).await.status, 202);
    let renewed = scheme.authority.issue(2092);
    renewed.write(scheme.directory.path(), "adapter");
    until("the new certificate is shown", || async {
        assert_eq!(post(listener).await.status, 202);
        scheme.hub.received().last().unwrap().certificates == [renewed.der()]
    })
    .await;
    until("the old connection has ended", || async { scheme.hub.open_connections() == 1 }).await;
    running.stop().await;
}

#[tokio::test]
async fn files_that_cannot_be_used_leave_the_old_keys_and_show_in_health() {
    let scheme = Scheme::new().await;
    let other = Hub::new().await;
    let running = proxy::start(scheme.config(other.address)).await.unwrap();
    let [listener, _] = running.addresses();
    let stranger = scheme.authority.issue(2093);
    for (broken, problem) in [
        (Issued { certificate: stranger.certificate.clone(), key: scheme.adapter.key.clone() }, "cannot be used"),
        (Issued { certificate: "half a fi".to_owned(), key: scheme.adapter.key.clone() }, "holds no certificate"),
        (Issued { certificate: scheme.adapter.certificate.clone(), key: "PRIVATE".to_owned() }, "holds no private key"),
    ] {
        broken.write(scheme.directory.path(), "adapter");
        running.reload().await;
        let found = details(listener).await;
        assert!(found["problems"][0].as_str().unwrap().contains(problem), "{found}");
        assert!(!found.to_string().contains("PRIVATE"), "{found}");
        assert_eq!((&found["isReady"], post(listener).await.status), (&true.into(), 202));
    }
    assert!(scheme.hub.received().iter().all(|one| one.certificates == [scheme.adapter.der()]));
    scheme.adapter.write(scheme.directory.path(), "adapter");
    running.reload().await;
    assert_eq!(details(listener).await["problems"], serde_json::Value::Null);
    running.stop().await;
}

#[tokio::test]
async fn a_listener_with_tls_hears_only_callers_with_a_certificate_of_its_authority() {
    let (scheme, hub) = (Scheme::new().await, Hub::new().await);
    let directory = scheme.directory.path();
    let mut config = config(side(hub.address), side(hub.address));
    config.a.listener_tls = Some(ListenerTls {
        pair: scheme.authority.issue(2094).write(directory, "listener"),
        client_ca: vec![scheme.ca.clone()],
    });
    let running = proxy::start(config).await.unwrap();
    let [listener, plain] = running.addresses();
    let caller = scheme.authority.issue(2095);
    let stranger = Authority::new().issue(2095);
    let mut stream = connect(listener, &scheme.authority, Some(&caller)).await.unwrap();
    assert_eq!(call_on(&mut stream, request("POST /quotes", &[], b"{}")).await.status, 202);
    for refused in [None, Some(&stranger)] {
        // In TLS 1.3 the caller hears of the refusal with its first read.
        if let Ok(mut stream) = connect(listener, &scheme.authority, refused).await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &request("POST /quotes", &[], b"{}")).await;
            assert_eq!(support::read_head(&mut stream).await, None);
        }
    }
    assert_eq!(hub.received().len(), 1);
    let days = metric(plain, "umoja_proxy_certificate_days{side=\"a\",certificate=\"listener\"}").await;
    assert!(days > 20_000, "{days}");
    running.stop().await;
}

#[tokio::test]
async fn a_listener_takes_new_keys_and_ends_connections_of_the_old_ones() {
    let (scheme, hub) = (Scheme::new().await, Hub::new().await);
    let directory = scheme.directory.path();
    let mut config = config(side(hub.address), side(hub.address));
    let pair = scheme.authority.issue(2094).write(directory, "listener");
    config.a.listener_tls = Some(ListenerTls { pair, client_ca: Vec::new() });
    let running = proxy::start(config).await.unwrap();
    let [listener, _] = running.addresses();
    let mut old = connect(listener, &scheme.authority, None).await.unwrap();
    assert_eq!(call_on(&mut old, request("POST /quotes", &[], b"{}")).await.status, 202);
    let renewed = scheme.authority.issue(2096);
    renewed.write(directory, "listener");
    running.reload().await;
    assert_eq!(support::read_head(&mut old).await, None, "the old connection ends when it is idle");
    let mut new = connect(listener, &scheme.authority, None).await.unwrap();
    assert_eq!(new.get_ref().1.peer_certificates().unwrap()[0].to_vec(), renewed.der());
    assert_eq!(call_on(&mut new, request("POST /quotes", &[], b"{}")).await.status, 202);
    running.stop().await;
}

#[tokio::test]
async fn a_listener_without_its_keys_does_not_start() {
    let (scheme, hub) = (Scheme::new().await, Hub::new().await);
    let mut config = config(side(hub.address), side(hub.address));
    let pair = KeyPair { certificate: scheme.files.certificate.clone(), key: scheme.directory.path().join("none.pem") };
    config.a.listener_tls = Some(ListenerTls { pair, client_ca: Vec::new() });
    let problem = proxy::start(config).await.err().unwrap().to_string();
    assert!(problem.contains("none.pem cannot be read: No such file or directory"), "{problem}");
}
