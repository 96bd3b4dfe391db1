//! The commands of the pages, run as they stand, but with the addresses of this test. They need bash and curl.

use crate::{pages, support::Inbox};
use hub::{Config, Listeners, Running};
use std::{net::SocketAddr, process::Stdio};
use tokio::process::Command;

async fn fresh_hub() -> Running {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listeners = Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any };
    hub::start(Config { listeners, ..Config::default() }, |_| axum::Router::new()).await.unwrap()
}

/// Runs all commands of a page in one shell, which stops at the first that fails. Returns what they printed.
async fn run(page: &str, addresses: &[(&str, String)]) -> String {
    let blocks = pages::page(page).blocks("sh");
    let mut script = "set -euo pipefail\n".to_owned();
    script.extend(blocks.iter().map(|block| format!("{}\n", block.text)));
    for (written, actual) in addresses {
        assert!(script.contains(written), "{page} does not name {written}");
        script = script.replace(written, actual);
    }
    let shell = Command::new("bash").args(["-xc", &script]).stdin(Stdio::null()).output().await;
    let output = shell.expect("bash and curl are needed to check the commands of the pages: install them");
    let (printed, trace) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{page}: {printed}\n{trace}");
    printed.into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_payment_succeeds() {
    let running = fresh_hub().await;
    let [greenbank, bluebank] = ["greenbank", "bluebank"].map(Inbox::new);
    greenbank.listen();
    bluebank.listen();
    let hub = running.addresses();
    let addresses = [
        ("http://127.0.0.1:3001", format!("http://{}", hub.administration)),
        ("http://127.0.0.1:4000", format!("http://{}", hub.fspiop)),
        ("http://127.0.0.1:9001", greenbank.url()),
        ("http://127.0.0.1:9002", bluebank.url()),
    ];
    let printed = run("connect.md", &addresses).await;
    for position in ["\"value\":25,", "\"value\":-25,"] {
        assert!(printed.contains(position), "{printed}");
    }
    bluebank.next("PUT /participants/MSISDN/27710000002").await;
    bluebank.next("GET /parties/MSISDN/27710000002").await;
    greenbank.next("PUT /parties/MSISDN/27710000002").await;
    let quote = bluebank.next("POST /quotes").await.json();
    greenbank.next(&format!("PUT /quotes/{}", quote["quoteId"].as_str().unwrap())).await;
    let transfer = bluebank.next("POST /transfers").await.json();
    let path = format!("/transfers/{}", transfer["transferId"].as_str().unwrap());
    for (inbox, method) in [(&greenbank, "PUT"), (&bluebank, "PATCH")] {
        assert_eq!(inbox.next(&format!("{method} {path}")).await.json()["transferState"], "COMMITTED");
    }
    running.stop().await;
    for inbox in [&greenbank, &bluebank] {
        assert_eq!(inbox.unread(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calls_of_the_administration_succeed() {
    let running = fresh_hub().await;
    let hub = running.addresses();
    let addresses = [
        ("http://127.0.0.1:3001", format!("http://{}", hub.administration)),
        ("http://127.0.0.1:4001", format!("http://{}", hub.oracles)),
    ];
    let printed = run("administration.md", &addresses).await;
    assert!(printed.contains("BEGIN PUBLIC KEY"), "{printed}");
    let directory = running.hub().fresh_directory().await.unwrap();
    assert_eq!(directory.oracles.iter().filter(|oracle| oracle.is_active).count(), 0);
    running.stop().await;
}

/// The indented commands of a page between two sentences.
fn indented(page: &str, from: &str, to: &str) -> String {
    let text = pages::page(page).text;
    let (_, text) = text.split_once(from).unwrap_or_else(|| panic!("{page} does not say '{from}'"));
    let (text, _) = text.split_once(to).unwrap_or_else(|| panic!("{page} does not say '{to}'"));
    text.lines().filter_map(|line| line.strip_prefix("    ")).collect::<Vec<_>>().join("\n")
}

async fn shell(directory: &std::path::Path, script: &str) -> String {
    let mut shell = Command::new("bash");
    let shell = shell.args(["-euo", "pipefail", "-c", script]).current_dir(directory).stdin(Stdio::null());
    let output = shell.output().await.expect("bash, curl and openssl are needed to check this page: install them");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificates_of_the_example_let_their_participant_in_and_speak_for_it_alone() {
    let directory = tempfile::tempdir().unwrap();
    let script = indented("operations.md", "An example with an authority of the scheme's own.", "Before it signs,");
    shell(directory.path(), &script).await;
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listeners = Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any };
    let mut config = Config { listeners, ..Config::default() };
    let file = |name: &str| directory.path().join(name);
    let pair = tls::KeyPair { certificate: file("hub.pem"), key: file("hub-key.pem") };
    config.tls.fspiop = Some(tls::ListenerTls { pair: pair.clone(), client_ca: vec![file("ca.pem")] });
    config.tls.outgoing = tls::ClientTls { ca: vec![file("ca.pem")], pair: Some(pair) };
    let running = hub::start(config, |_| axum::Router::new()).await.unwrap();
    let port = running.addresses().fspiop.port();
    let headers = "-H 'accept: application/vnd.interoperability.parties+json;version=1.1' \
                   -H 'content-type: application/vnd.interoperability.parties+json;version=1.1' \
                   -H 'date: Mon, 01 Jan 2035 00:00:00 GMT'";
    for (source, expected) in [
        // Who it is, is known; it is no participant yet.
        ("greenbank", "\"errorDescription\":\"Malformed syntax - invalid fspiop-source header\""),
        ("bluebank", "\"errorDescription\":\"Generic validation error - Invalid fspiop-source header\""),
    ] {
        let ask = format!(
            "curl -s --cacert ca.pem --cert greenbank.pem --key greenbank-key.pem \
             --resolve hub.scheme.example:{port}:127.0.0.1 -H 'fspiop-source: {source}' {headers} \
             https://hub.scheme.example:{port}/parties/MSISDN/1"
        );
        let answer = shell(directory.path(), &ask).await;
        assert!(answer.contains(expected), "{source}: {answer}");
    }
    running.stop().await;
}
