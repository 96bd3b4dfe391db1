//! `umoja proxy` as an operator meets it: its page is true, what is wrong with its configuration stops it with one
//! sentence, and signals do what they should.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

use harness::{
    process::{Addresses, HubCommand, HubProcess, ServerProcess},
    provision::Client,
};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    process::Command,
    time::timeout,
};

const BINARY: &str = env!("CARGO_BIN_EXE_umoja");
/// Longer than any start; an adapter that runs by then was not refused.
const DEADLINE: Duration = Duration::from_secs(30);
const ANY: &str = "127.0.0.1:0";
const ACCEPTED: &[u8] = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/proxy.md")).unwrap()
}

/// The only block of a language on the page.
fn block(language: &str) -> String {
    let page = page();
    let (_, block) = page.split_once(&format!("\n```{language}\n")).unwrap();
    block.split_once("\n```").unwrap().0.to_owned()
}

/// A command without the settings of whoever runs the test.
fn umoja() -> Command {
    let mut command = Command::new(BINARY);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("UMOJA_")) {
        command.env_remove(name);
    }
    command.arg("proxy").stdin(Stdio::null()).kill_on_drop(true);
    command
}

async fn run(command: &mut Command) -> Output {
    timeout(DEADLINE, command.output()).await.expect("the program ends by itself").unwrap()
}

/// What an adapter with these flags, that must not start, says.
async fn refused(arguments: &[&str]) -> String {
    let output = run(umoja().args(arguments)).await;
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{arguments:?}: {error}");
    error.strip_prefix("umoja: ").unwrap_or(&error).trim_end().to_owned()
}

/// An adapter that runs, and its listeners.
async fn start(directory: &TempDir, arguments: &[&str]) -> (ServerProcess, [SocketAddr; 2]) {
    let mut command = umoja();
    command.args(arguments).arg("--json");
    let listeners = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        let address = |name: &str| line[name].as_str()?.parse().ok();
        Some([address("a")?, address("b")?])
    };
    ServerProcess::start("proxy", command, &directory.path().join("proxy.log"), listeners).await.unwrap()
}

async fn health(listener: SocketAddr) -> Value {
    Client::new().get(&format!("http://{listener}/health")).await.unwrap().json().unwrap()
}

/// Puts the files that the page's configuration names where a test may, and says where the configuration is.
fn write_example(directory: &TempDir) -> PathBuf {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["adapter".to_owned()]).unwrap().self_signed(&key).unwrap();
    let text = block("toml");
    let names: Vec<&str> = text.split("\"/etc/umoja/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(names.len(), 8, "{names:?}");
    for name in names {
        let content = if name.ends_with("-key.pem") { key.serialize_pem() } else { certificate.pem() };
        std::fs::write(directory.path().join(name), content).unwrap();
    }
    let file = directory.path().join("proxy.toml");
    std::fs::write(&file, text.replace("/etc/umoja", directory.path().to_str().unwrap())).unwrap();
    file
}

#[tokio::test]
async fn the_configuration_of_the_page_runs_and_its_example_of_health_has_the_right_form() {
    let directory = tempfile::tempdir().unwrap();
    let file = write_example(&directory);
    let config = file.to_str().unwrap();
    let (process, [_, b]) = start(&directory, &["--config", config, "--a-listen", ANY, "--b-listen", ANY]).await;
    let found = health(b).await;
    let shown: Value = serde_json::from_str(&block("json")).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&found), keys(&shown));
    // Side A has keys, and waits for its token; side B needs neither.
    assert_eq!(keys(&found["otherSide"]), keys(&shown["otherSide"]));
    assert_eq!((&found["otherSide"]["certs"], &found["otherSide"]["isReady"]), (&json!(true), &json!(false)));
    assert_eq!(keys(&found["details"]), keys(&shown["details"]));
    assert_eq!(found["details"]["isReady"], true);
    process.stop().await.unwrap();
}

#[tokio::test]
async fn the_page_names_every_setting_and_every_metric() {
    let page = page();
    let help = String::from_utf8(run(umoja().arg("--help")).await.stdout).unwrap();
    let flags: Vec<&str> =
        help.split_whitespace().filter_map(|word| word.strip_prefix("--")).filter(|word| !word.is_empty()).collect();
    assert!(flags.contains(&"a-hub") && flags.contains(&"b-hub") && flags.len() > 30, "{flags:?}");
    for flag in flags {
        let key = flag.strip_prefix("a-").or(flag.strip_prefix("b-")).unwrap_or(flag).trim_end_matches([',', '.', ';']);
        let is_of_commands = ["config", "json", "log", "help"].contains(&key);
        assert!(is_of_commands || page.contains(&format!("`{key}`")), "docs/proxy.md does not explain {key}");
    }
    let directory = tempfile::tempdir().unwrap();
    let file = write_example(&directory);
    let config = file.to_str().unwrap();
    let (process, [_, b]) = start(&directory, &["--config", config, "--a-listen", ANY, "--b-listen", ANY]).await;
    let metrics = Client::new().get(&format!("http://{b}/metrics")).await.unwrap();
    let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
    let types = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let mut count = 0;
    for (name, kind) in types {
        let name = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
        assert!(page.contains(&format!("| `{name}` by")), "docs/proxy.md does not explain {name}");
        count += 1;
    }
    assert_eq!(count, page.matches("| `umoja_proxy_").count());
    process.stop().await.unwrap();
}

#[tokio::test]
async fn the_commands_of_the_page_register_the_adapter() {
    let directory = tempfile::tempdir().unwrap();
    let command = HubCommand {
        binary: PathBuf::from(BINARY),
        arguments: vec!["--store".into(), "memory".into()],
        log: directory.path().join("hub.log"),
    };
    let hub = HubProcess::start(&command, Addresses::any()).await.unwrap();
    let client = Client::new();
    let admin = format!("http://{}", hub.addresses().administration);
    for kind in ["HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"] {
        let account = json!({"type": kind, "currency": "USD"});
        client.post(&format!("{admin}/participants/Hub/accounts"), &account).await.unwrap().expect(&[201]).unwrap();
    }
    let model = json!({
        "name": "DEFERREDNET", "settlementGranularity": "NET", "settlementInterchange": "MULTILATERAL",
        "settlementDelay": "DEFERRED", "requireLiquidityCheck": true, "autoPositionReset": true,
        "ledgerAccountType": "POSITION", "settlementAccountType": "SETTLEMENT",
    });
    client.post(&format!("{admin}/settlementModels"), &model).await.unwrap().expect(&[201]).unwrap();
    let script = format!("set -euo pipefail\n{}", block("sh").replace("http://127.0.0.1:3001", &admin));
    let output = timeout(DEADLINE, Command::new("bash").args(["-c", &script]).output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let participant = client.get(&format!("{admin}/participants/interop-ab")).await.unwrap().json().unwrap();
    assert!(participant["isProxy"] == json!(true) || participant["isProxy"] == json!(1), "{participant}");
    let endpoints = client.get(&format!("{admin}/participants/interop-ab/endpoints")).await.unwrap().json().unwrap();
    let endpoints = endpoints.as_array().unwrap();
    assert_eq!(endpoints.len(), 16);
    assert!(endpoints.iter().all(|one| one["value"].as_str().unwrap().starts_with("http://adapter:4200")));
    hub.stop().await.unwrap();
}

#[tokio::test]
async fn a_configuration_that_makes_no_sense_is_refused_with_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let empty = directory.path().join("empty");
    std::fs::write(&empty, "\n").unwrap();
    let empty = empty.to_str().unwrap();
    let hubs = ["--name", "p", "--a-hub", "http://a", "--b-hub", "http://b"];
    let token = ["--a-token-url", "http://t/token"];
    for (more, sentence) in [
        (&[][..], "-"),
        (
            &["--a-hub", "hub-a:4000"],
            "The hub of side a, 'hub-a:4000', cannot be used: it begins neither with http:// nor with https://.",
        ),
        (&["--b-hub", "http://b/fsp"], "The hub of side b, 'http://b/fsp', has a path; requests bring their own."),
        (&["--a-hub", "https://a"], "The hub of side a speaks TLS: give --a-ca the certificates to trust."),
        (&["--a-ca", empty], "Side a has keys for TLS, but its hub is 'http://a': write https, or leave out the keys."),
        (&["--b-certificate", "c"], "--b-certificate and --b-key go together; one of them is missing."),
        (&["--a-listen-key", "k"], "--a-listen-certificate and --a-listen-key go together; one of them is missing."),
        (&["--a-listen-client-ca", "c"], "--a-listen-client-ca needs --a-listen-certificate."),
        (&["--a-client-id", "x"], "Side a has settings for a token: give --a-token-url as well."),
        (&token, "--a-token-url needs --a-client-id."),
        (
            &[token[0], token[1], "--a-client-id", "a:b"],
            "The client id 'a:b' has a colon, which Basic authentication cannot carry.",
        ),
        (
            &[token[0], token[1], "--a-client-id", "a"],
            "Side a has a client id without a secret: give --a-client-secret-file, or set UMOJA_PROXY_A_CLIENT_SECRET.",
        ),
        (&[token[0], token[1], "--a-client-id", "a", "--a-client-secret-file", empty], "The client secret is empty."),
        (
            &["--a-token-url", "https://t/token", "--a-client-id", "a"],
            "The token endpoint of side a speaks TLS: give --a-token-ca the certificates to trust.",
        ),
        (
            &["--remove-headers", "x-a,FSPIOP-Source"],
            "'FSPIOP-Source' in remove-headers is a header that FSPIOP needs.",
        ),
        (&["--remove-headers", "x a"], "'x a' in remove-headers is no name of a header."),
        (&["--connections", "0"], "connections is 0; it can be 1 to 10000."),
        (&["--attempt-timeout-ms", "0"], "attempt-timeout-ms is 0; it can be 1 to 60000."),
        (&["--name", "naïve"], "The name 'naïve' has characters that no header can carry."),
    ] {
        let all: Vec<&str> = if sentence == "-" { Vec::new() } else { overridden(&hubs, more) };
        let sentence =
            if sentence == "-" { "The adapter needs a name: give --name, as both hubs know it." } else { sentence };
        let all = [all, vec!["--a-listen", ANY, "--b-listen", ANY]].concat();
        assert_eq!(refused(&all).await, sentence);
    }
    let taken = TcpListener::bind(ANY).await.unwrap().local_addr().unwrap();
    let _held = TcpListener::bind(taken).await.unwrap();
    let address = taken.to_string();
    let arguments = [&hubs[..], &["--a-listen", ANY, "--b-listen", &address]].concat();
    let sentence = format!(
        "The listener of side b cannot use {address}: another program listens there. Stop it, or give --b-listen another \
         address."
    );
    assert_eq!(refused(&arguments).await, sentence);
}

/// Flags where a later one replaces an earlier one of the same name.
fn overridden<'a>(flags: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    let kept = flags.chunks(2).filter(|pair| !more.contains(&pair[0])).flatten();
    kept.chain(more).copied().collect()
}

#[tokio::test]
async fn a_key_that_is_misspelt_is_refused_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("proxy.toml");
    let shown = file.to_str().unwrap();
    for (content, begin) in [
        (
            "name = \"p\"\n[a]\nhubs = \"http://a\"\n",
            "is wrong in line 3: unknown field `hubs`, expected one of `listen`, `hub`",
        ),
        ("nam = \"p\"\n", "is wrong in line 1: unknown field `nam`, expected one of `name`"),
        ("[c]\n", "is wrong in line 1: unknown field `c`"),
        ("[a]\nclient-secret = \"s\"\n", "is wrong in line 2: unknown field `client-secret`"),
    ] {
        std::fs::write(&file, content).unwrap();
        let sentence = refused(&["--config", shown]).await;
        assert!(sentence.starts_with(&format!("The configuration file {shown} {begin}")), "{sentence}");
    }
}

#[tokio::test]
async fn a_flag_wins_over_its_variable_and_that_over_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("proxy.toml");
    std::fs::write(&file, "name = \"p\"\n[a]\nhub = \"http://of-file:1\"\n[b]\nhub = \"http://of-file:2\"\n").unwrap();
    let shown = file.to_str().unwrap();
    let (process, [a, _]) =
        start(&directory, &["--config", shown, "--a-hub", "http://of-flag:3", "--a-listen", ANY, "--b-listen", ANY])
            .await;
    let found = health(a).await;
    assert_eq!(
        (&found["details"]["hub"], &found["otherSide"]["hub"]),
        (&json!("http://of-flag:3"), &json!("http://of-file:2"))
    );
    process.stop().await.unwrap();
    // An address that is wrong shows whose it was.
    let mut command = umoja();
    command.args(["--config", shown]).env("UMOJA_PROXY_B_HUB", "of-variable");
    let error = String::from_utf8(run(&mut command).await.stderr).unwrap();
    assert!(error.contains("'of-variable'"), "{error}");
}

#[tokio::test]
async fn told_to_stop_it_answers_what_it_took_and_ends_well_and_a_hang_up_reads_the_keys() {
    let directory = tempfile::tempdir().unwrap();
    let hub = TcpListener::bind(ANY).await.unwrap();
    let url = format!("http://{}", hub.local_addr().unwrap());
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["adapter".to_owned()]).unwrap().self_signed(&key).unwrap();
    let [shown, secret] = ["listener.pem", "listener-key.pem"].map(|name| directory.path().join(name));
    std::fs::write(&shown, certificate.pem()).unwrap();
    std::fs::write(&secret, key.serialize_pem()).unwrap();
    let arguments = [
        ["--name", "p"],
        ["--a-hub", &url],
        ["--b-hub", &url],
        ["--a-listen", ANY],
        ["--b-listen", ANY],
        ["--b-listen-certificate", shown.to_str().unwrap()],
        ["--b-listen-key", secret.to_str().unwrap()],
    ];
    let (process, [a, _]) = start(&directory, &arguments.concat()).await;
    std::fs::write(&shown, "no certificate").unwrap();
    process.signal("HUP").await.unwrap();
    let noticed = async { while health(a).await["otherSide"]["problems"].is_null() {} };
    timeout(DEADLINE, noticed).await.unwrap();

    let mut caller = TcpStream::connect(a).await.unwrap();
    caller.write_all(b"POST /quotes HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    let (mut stream, _) = hub.accept().await.unwrap();
    let mut received = [0; 4096];
    assert!(stream.read(&mut received).await.unwrap() > 0);
    let stopping = tokio::spawn(process.stop());
    while TcpStream::connect(a).await.is_ok() {}
    stream.write_all(ACCEPTED).await.unwrap();
    let mut answer = String::new();
    timeout(DEADLINE, caller.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 202 Accepted\r\n"), "{answer}");
    stopping.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_benchmark_of_the_adapter_is_clean_and_says_so() {
    let mut command = Command::new(BINARY);
    command
        .args(["bench-proxy", "--warm-up", "0", "--seconds", "1", "--concurrency", "8", "--json"])
        .kill_on_drop(true);
    let output = run(&mut command).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success() && report["errors"] == 0, "{report}");
    assert!(report["messages"].as_u64().unwrap() > 0 && report["p99_ms"].is_number(), "{report}");
}
