//! `umoja verify-jws` as somebody uses it who has a message that was refused.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

use fspiop::jws::{SigningKey, sign};
use http::{HeaderMap, HeaderName};
use serde_json::{Value, json};
use std::{path::Path, process::Command};
use tempfile::TempDir;

const BODY: &str = r#"{"amount":{"amount":"1.50","currency":"USD"},"transferId":"1"}"#;
const HEADERS: [(&str, &str); 5] = [
    ("FSPIOP-Source", "payerfsp"),
    ("FSPIOP-Destination", "payeefsp"),
    ("FSPIOP-URI", "/transfers"),
    ("FSPIOP-HTTP-Method", "POST"),
    ("Date", "Fri, 20 Nov 2026 21:53:58 GMT"),
];

/// A key's file `key.pem`, and the value of the signature of the message.
fn prepare() -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let (key, _) = SigningKey::generate_rsa().unwrap();
    std::fs::write(directory.path().join("key.pem"), key.public_pem().unwrap()).unwrap();
    let pair = |(name, value): (&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    let headers: HeaderMap = HEADERS.into_iter().map(pair).collect();
    let signature = sign(&key, &headers, BODY.as_bytes()).unwrap();
    (directory, signature)
}

fn head(signature: &str) -> String {
    let mut head: String = HEADERS.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    head.push_str(&format!("FSPIOP-Signature: {signature}\r\n"));
    head
}

/// Writes files and runs the command in their directory; gives back the exit code and what was printed.
fn run(directory: &Path, files: &[(&str, &str)], arguments: &[&str]) -> (i32, String) {
    for (name, content) in files {
        std::fs::write(directory.join(name), content).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_umoja"));
    let output = command.current_dir(directory).arg("verify-jws").args(["--key", "key.pem"]).args(arguments).output();
    let output = output.unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

#[test]
fn a_message_that_fits_is_said_to_fit_in_every_form_of_file() {
    let (directory, signature) = prepare();
    let fits = (0, "The signature of payerfsp (RS256) fits the message and the key.\n".to_owned());
    let head = head(&signature);
    let http = format!("POST /transfers HTTP/1.1\r\n{head}\r\n{BODY}");
    let pairs = HEADERS.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
    let mut headers: serde_json::Map<String, Value> = pairs.collect();
    headers.insert("fspiop-signature".to_owned(), signature.into());
    let recorded = json!({"dir": "sdk->hub", "m": "POST", "u": "/transfers", "h": headers, "b": BODY}).to_string();
    for (files, arguments) in [
        (vec![("message", &http[..])], &["--message", "message"][..]),
        (vec![("line", &recorded)], &["--message", "line"]),
        (vec![("headers", &head), ("body", BODY)], &["--headers", "headers", "--body", "body"]),
        (vec![("sent", BODY)], &["--message", "message", "--sent", "sent"]),
    ] {
        assert_eq!(run(directory.path(), &files, arguments), fits, "{arguments:?}");
    }
}

#[test]
fn what_differs_is_said_in_sentences_and_as_json() {
    let (directory, signature) = prepare();
    let head = head(&signature).replace("payeefsp", "payeefsq");
    let message = format!("POST /quotes HTTP/1.1\r\n{head}\r\n{}", BODY.replace("1.50", "1.51"));
    let files = [("message", &message[..]), ("sent", BODY)];
    let arguments = ["--message", "message", "--sent", "sent"];
    let (code, text) = run(directory.path(), &files, &arguments);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((code, lines.len()), (1, 5), "{text}");
    assert_eq!(lines[0], "The signature of payerfsp (RS256) does not fit the message and the key.");
    assert_eq!(
        lines[1],
        "The header fspiop-destination differs from byte 7 on: 0x70 was signed, 0x71 received (\"payeefsp\" and \
         \"payeefsq\")."
    );
    assert!(lines[2].starts_with("The signature fits the body in no form"), "{text}");
    assert_eq!(lines[3], "The request is POST /quotes, and the header fspiop-uri is not that of the request.");
    assert!(lines[4].starts_with("The body differs from byte 24 on: 0x30 was signed, 0x31 received"), "{text}");

    let (code, text) = run(directory.path(), &files, &[&arguments[..], &["--json"]].concat());
    let explained: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &explained["valid"], &explained["source"]), (1, &json!(false), &json!("payerfsp")));
    let about: Vec<&str> =
        explained["findings"].as_array().unwrap().iter().map(|finding| finding["about"].as_str().unwrap()).collect();
    assert_eq!(about, ["fspiop-destination", "body", "request", "body"]);
    assert_eq!(explained["findings"][3]["byte"], 24);
}

#[test]
fn what_cannot_be_read_is_named() {
    let (directory, signature) = prepare();
    let message = format!("{}\r\n{BODY}", head(&signature));
    let files = [("message", &message[..]), ("bad.pem", "no key"), ("torn", "POST /transfers HTTP/1.1\r\n")];
    let with_other_key = ["--message", "message"];
    assert_eq!(run(directory.path(), &files, &with_other_key).0, 0);
    std::fs::copy(directory.path().join("bad.pem"), directory.path().join("key.pem")).unwrap();
    let message =
        "umoja: The key key.pem cannot be used: the text holds no key in PEM form. Give a public key in PEM form.\n";
    assert_eq!(run(directory.path(), &[], &with_other_key), (1, message.to_owned()));
    let (directory, _) = prepare();
    let message = "umoja: The message cannot be read: there is no empty line between headers and body.\n";
    assert_eq!(run(directory.path(), &files, &["--message", "torn"]), (1, message.to_owned()));
    let message = "umoja: nowhere cannot be read: No such file or directory (os error 2).\n";
    assert_eq!(run(directory.path(), &[], &["--message", "nowhere"]), (1, message.to_owned()));
    assert_eq!(run(directory.path(), &[], &["--headers", "message"]).0, 2, "headers without a body make no sense");
}
