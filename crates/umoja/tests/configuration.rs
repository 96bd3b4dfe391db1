//! `umoja hub` as an operator meets it: what is wrong with its configuration stops it with one message that says what to
//! do, what it prints of its configuration can be read back, and it stops when it is told to.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

use harness::{
    process::{Addresses, HubCommand, HubProcess},
    provision::Client,
};
use serde_json::json;
use std::{
    ffi::OsString,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};
use tokio::{process::Command, time::timeout};

const BINARY: &str = env!("CARGO_BIN_EXE_umoja");
/// Longer than any start; a hub that runs by then was not refused.
const DEADLINE: Duration = Duration::from_secs(30);
/// Any free ports, so that only what a test spoils can stop the start.
const ANY_PORTS: [&str; 5] =
    ["listen-fspiop", "listen-administration", "listen-settlement", "listen-oracles", "listen-portal"];

/// Runs `umoja` to its end. Settings of a hub that the person runs are not for this one.
async fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("UMOJA_")) {
        command.env_remove(name);
    }
    command.args(arguments).kill_on_drop(true);
    timeout(DEADLINE, command.output()).await.expect("the program ends by itself").unwrap()
}

/// Starts a hub that must not start: nothing on standard output, exit code 1, and on standard error this message alone.
async fn assert_refused(arguments: &[&str], message: &str) {
    let ports: Vec<String> = ANY_PORTS
        .iter()
        .map(|name| format!("--{name}"))
        .filter(|flag| !arguments.contains(&flag.as_str()))
        .flat_map(|flag| [flag, "127.0.0.1:0".to_owned()])
        .collect();
    let all: Vec<&str> = ["hub"].iter().chain(arguments).copied().chain(ports.iter().map(String::as_str)).collect();
    let output = run(&all).await;
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(shown(&output.stderr), format!("umoja: {message}\n"), "{arguments:?}");
    assert_eq!((shown(&output.stdout), output.status.code()), (String::new(), Some(1)), "{arguments:?}");
}

/// Standard output of a run that succeeds.
async fn printed(arguments: &[&str]) -> String {
    let output = run(arguments).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A hub that runs on a data directory.
async fn start(data: &Path) -> HubProcess {
    let arguments: Vec<OsString> = vec!["--data".into(), data.into()];
    let log = data.with_extension("log");
    let command = HubCommand { binary: PathBuf::from(BINARY), arguments, log };
    HubProcess::start(&command, Addresses::any()).await.unwrap()
}

#[tokio::test]
async fn a_configuration_file_with_a_mistake_is_refused_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("hub.toml");
    let shown = text(&file);
    let keys = known_keys().await;
    let expected = keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    for (content, what) in [
        ("store = \"memory\"\nlisten-fspoip = \"127.0.0.1:1\"\n", {
            format!("is wrong in line 2: unknown field `listen-fspoip`, expected one of {expected}.")
        }),
        (
            "\n\nexpiry-sweep-ms = \"soon\"\n",
            "is wrong in line 3: invalid type: string \"soon\", expected u64.".to_owned(),
        ),
        ("store = memory", "is wrong in line 1: string values must be quoted, expected literal string.".to_owned()),
        ("listen-portal = \"nowhere\"", "is wrong in line 1: invalid socket address syntax.".to_owned()),
    ] {
        std::fs::write(&file, content).unwrap();
        assert_refused(&["--config", shown], &format!("The configuration file {shown} {what}")).await;
    }
    let missing = directory.path().join("none.toml");
    let message =
        format!("The configuration file {} cannot be read: No such file or directory (os error 2).", missing.display());
    assert_refused(&["--config", text(&missing)], &message).await;
}

#[tokio::test]
async fn a_value_that_means_nothing_is_refused_wherever_it_stands() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("hub.toml");
    for (content, message) in [
        ("on-us = \"maybe\"", "on-us is 'maybe'; it can be refused or allowed."),
        ("name = \"\"", "The name '' cannot be used: an FSP id has 1 to 32 characters."),
        ("connections-per-participant = 0", "connections-per-participant is 0; at least one connection is needed."),
        ("directory-id-types = [\"PHONE\"]", {
            "'PHONE' in directory-id-types is no id type; known are MSISDN, EMAIL, PERSONAL_ID, BUSINESS, DEVICE, \
             ACCOUNT_ID, IBAN, ALIAS."
        }),
        ("store = \"mysql://db\"", {
            "The store address 'mysql://db' is not understood. Write memory, sqlite:PATH or \
             postgres://USER@HOST/DATABASE."
        }),
    ] {
        let store = if content.starts_with("store") { "" } else { "\nstore = \"memory\"" };
        std::fs::write(&file, format!("{content}{store}")).unwrap();
        assert_refused(&["--config", text(&file)], message).await;
    }
    let message = "The log filter 'hub=loud' is wrong: error parsing level filter: expected one of \"off\", \"error\", \
        \"warn\", \"info\", \"debug\", \"trace\", or a number 0-5.";
    assert_refused(&["--store", "memory", "--log", "hub=loud"], message).await;
}

#[tokio::test]
async fn a_flag_that_makes_no_sense_is_refused_before_anything_is_touched() {
    for (arguments, first_line) in [
        (["hub", "--on-us", "maybe"].as_slice(), "error: invalid value 'maybe' for '--on-us <POLICY>'"),
        (&["hub", "--listen-fspiop", "nowhere"], {
            "error: invalid value 'nowhere' for '--listen-fspiop <IP:PORT>': invalid socket address syntax"
        }),
        (&["hub", "--data", "d", "--store", "memory"], {
            "error: the argument '--data <DIR>' cannot be used with '--store <ADDRESS>'"
        }),
        (&["hub", "--listen-fspoip", "127.0.0.1:1"], "error: unexpected argument '--listen-fspoip' found"),
    ] {
        let output = run(arguments).await;
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((error.lines().next(), output.status.code()), (Some(first_line), Some(2)), "{error}");
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_its_listener_and_no_data_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for listener in ["fspiop", "administration", "settlement", "oracles", "portal"] {
        let message = format!(
            "The {listener} listener cannot use {address}: another program listens there. Stop it, or give \
             --listen-{listener} another address."
        );
        assert_refused(&["--data", text(&data), &format!("--listen-{listener}"), &address], &message).await;
    }
    assert!(!data.join("hub.db").exists());
}

#[tokio::test]
async fn only_the_fspiop_listener_may_be_open_to_the_network() {
    for listener in ["administration", "settlement", "oracles", "portal"] {
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:3001"] {
            let message = format!(
                "The {listener} listener would be open to the network at {address} without authentication. Demand \
                 certificates of operators with --administration-certificate, --administration-key and \
                 --administration-client-ca; or give it an address of 127.0.0.1 and put an authenticating proxy in front of it."
            );
            assert_refused(&["--store", "memory", &format!("--listen-{listener}"), address], &message).await;
        }
    }
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "not a directory").unwrap();
    let below = file.join("data");
    let message = format!(
        "The data directory {} cannot be made: Not a directory (os error 20). Give --data another one.",
        below.display()
    );
    assert_refused(&["--data", text(&below)], &message).await;

    let database = directory.path().join("hub.db");
    std::fs::write(&database, "this is a letter and no database, although it has the name of one").unwrap();
    let message = format!(
        "The database {} cannot be opened: file is not a database. Check that the path is right, that this user may \
         write the file and its directory, and that the file is a database.",
        database.display()
    );
    assert_refused(&["--data", text(directory.path())], &message).await;
}

#[tokio::test]
async fn a_signing_key_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("key.pem");
    std::fs::write(&key, "not a key").unwrap();
    let shown = key.display();
    let message = format!(
        "The signing key {shown} cannot be used: the text holds no key in PEM form. Put a PEM private key there."
    );
    assert_refused(&["--store", "memory", "--signing-key", text(&key)], &message).await;
    let below = key.join("key.pem");
    let message = format!("The signing key {} cannot be read: Not a directory (os error 20).", below.display());
    assert_refused(&["--store", "memory", "--signing-key", text(&below)], &message).await;
}

#[tokio::test]
async fn a_directory_of_keys_that_cannot_be_read_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let keys = directory.path().join("keys");
    let message = format!(
        "The directory of keys {} cannot be read: No such file or directory (os error 2). It holds a file <FSP id>.pem \
         for each FSP.",
        keys.display()
    );
    let arguments = ["--store", "memory", "--verify-signatures", "enforce", "--verification-keys", text(&keys)];
    assert_refused(&arguments, &message).await;
}

#[tokio::test]
async fn two_hubs_do_not_share_a_data_directory() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let first = start(&data).await;
    let message = format!(
        "The database {} is in use by another process. Stop that one, or give this one a database of its own.",
        data.join("hub.db").display()
    );
    assert_refused(&["--data", text(&data)], &message).await;
    first.stop().await.unwrap();
}

#[tokio::test]
async fn a_node_that_was_told_other_scheme_settings_than_the_store_does_not_start() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    start(&data).await.stop().await.unwrap();
    for (flag, value, setting, stored) in [
        ("--name", "Other", "hub_name", "Hub"),
        ("--on-us", "allowed", "on_us", "refused"),
        ("--confirm-to-payee", "true", "confirm_to_payee", "false"),
        ("--directory-id-types", "MSISDN,ALIAS", "directory_id_types", {
            "MSISDN,EMAIL,PERSONAL_ID,BUSINESS,DEVICE,IBAN,ALIAS"
        }),
    ] {
        let message = format!(
            "The scheme setting {setting} is '{stored}' in the store, but this node was told '{value}'. Change the \
             node's configuration to what the store says."
        );
        assert_refused(&["--data", text(&data), flag, value], &message).await;
    }
    // What was refused has changed nothing.
    start(&data).await.stop().await.unwrap();
}

#[tokio::test]
async fn what_print_config_prints_can_be_given_back_and_means_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let file = directory.path().join("hub.toml");
    for arguments in [
        ["hub", "--print-config"].as_slice(),
        &[
            "hub",
            "--print-config",
            "--data",
            text(&data),
            "--name",
            "Umoja",
            "--on-us",
            "allowed",
            "--expiry-sweep-ms",
            "7",
        ],
        &[
            "hub",
            "--print-config",
            "--store",
            "memory",
            "--directory-id-types",
            "MSISDN",
            "--listen-fspiop",
            "0.0.0.0:4000",
        ],
    ] {
        let first = printed(arguments).await;
        std::fs::write(&file, &first).unwrap();
        assert_eq!(printed(&["hub", "--print-config", "--config", text(&file)]).await, first);
    }
    assert!(!data.exists(), "printing makes nothing");
}

#[tokio::test]
async fn the_help_and_the_printed_configuration_name_the_same_settings() {
    let help = printed(&["hub", "--help"]).await;
    let keys = known_keys().await;
    assert!(keys.len() >= 14, "{keys:?}");
    for key in keys {
        let variable = format!("UMOJA_{}", key.to_uppercase().replace('-', "_"));
        assert!(help.contains(&format!("--{key} <")) && help.contains(&variable), "{key} is missing in\n{help}");
    }
}

#[tokio::test]
async fn a_hub_that_is_told_to_stop_ends_well_and_finds_its_participants_again() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let client = Client::new();
    let hub = start(&data).await;
    let participants = format!("http://{}/participants", hub.addresses().administration);
    for kind in ["HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"] {
        let account = json!({"type": kind, "currency": "USD"});
        client.post(&format!("{participants}/Hub/accounts"), &account).await.unwrap().expect(&[201]).unwrap();
    }
    let model = json!({
        "name": "DEFERREDNET", "settlementGranularity": "NET", "settlementInterchange": "MULTILATERAL",
        "settlementDelay": "DEFERRED", "requireLiquidityCheck": true, "autoPositionReset": true,
        "ledgerAccountType": "POSITION", "settlementAccountType": "SETTLEMENT",
    });
    let models = format!("http://{}/settlementModels", hub.addresses().administration);
    client.post(&models, &model).await.unwrap().expect(&[201]).unwrap();
    client.post(&participants, &json!({"name": "bank", "currency": "USD"})).await.unwrap().expect(&[201]).unwrap();
    let before = client.get(&format!("{participants}/bank/accounts")).await.unwrap().json().unwrap();
    hub.stop().await.unwrap();

    let hub = start(&data).await;
    let participants = format!("http://{}/participants", hub.addresses().administration);
    let after = client.get(&format!("{participants}/bank/accounts")).await.unwrap().json().unwrap();
    assert_eq!(after, before);
    let again = client.post(&participants, &json!({"name": "bank", "currency": "USD"})).await.unwrap();
    again.expect(&[400]).unwrap();
    hub.stop().await.unwrap();
    assert_eq!(printed(&["verify", "--data", text(&data)]).await, "Every balance and hold agrees with the entries.\n");
}

/// The keys of a configuration file, in the order in which they are printed.
async fn known_keys() -> Vec<String> {
    let text = printed(&["hub", "--print-config"]).await;
    let key = |line: &str| Some(line.trim_start_matches("# ").split_once(" = ")?.0.to_owned());
    text.lines().filter_map(key).collect()
}
