//! `contract-deviations.toml`: every entry is exercised, and needed.

use crate::{
    Book,
    definitions::Definitions,
    support::{Call, PAYER, Scheme},
};
use serde_json::{Value, json};
use std::path::PathBuf;
use toml::Table;

/// The list at the root of the repository.
pub struct Deviations(Table);

impl Deviations {
    pub fn load() -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contract-deviations.toml");
        Self(std::fs::read_to_string(path).unwrap().parse().unwrap())
    }

    /// The members that the hub adds to the body of a callback.
    pub fn members(&self, method: &str, path: &str) -> Option<Vec<String>> {
        self.listed("member", &format!("{method} {path}"))
    }

    /// The members of an answer that have another type.
    pub fn values(&self, line: &str) -> Option<Vec<String>> {
        self.listed("value", line)
    }

    fn listed(&self, kind: &str, line: &str) -> Option<Vec<String>> {
        self.entries(kind).into_iter().find(|entry| entry.line() == line).map(|entry| entry.members)
    }

    /// Whether a status that no definition lists is the contract's.
    pub fn allows(&self, line: &str, status: u16) -> bool {
        let (method, path) = line.split_once(' ').unwrap();
        let is_about =
            |entry: &Entry| entry.method == method && entry.status == status && is_instance(path, &entry.path);
        self.entries("status").iter().any(is_about)
    }

    fn entries(&self, kind: &str) -> Vec<Entry> {
        self.0[kind].as_array().unwrap().iter().map(|entry| Entry::of(entry.as_table().unwrap())).collect()
    }
}

fn is_instance(path: &str, template: &str) -> bool {
    let (given, wanted) = (path.split('?').next().unwrap().split('/'), template.split('/'));
    given.clone().count() == wanted.clone().count()
        && given.zip(wanted).all(|(given, wanted)| given == wanted || wanted.starts_with('{'))
}

/// One deviation.
struct Entry {
    file: String,
    method: String,
    path: String,
    status: u16,
    members: Vec<String>,
    example: (String, Value),
}

impl Entry {
    fn of(table: &Table) -> Self {
        let text = |name: &str| table.get(name).and_then(toml::Value::as_str).unwrap_or_default().to_owned();
        for name in ["section", "reason", "file", "method", "path"] {
            assert!(!text(name).is_empty(), "an entry lacks {name}: {table}");
        }
        let members = table.get("members").and_then(toml::Value::as_array).into_iter().flatten();
        let body = text("body");
        let body = if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() };
        Self {
            file: text("file"),
            method: text("method"),
            path: text("path"),
            status: table.get("status").map_or(0, |status| status.as_integer().unwrap().try_into().unwrap()),
            members: members.map(|member| member.as_str().unwrap().to_owned()).collect(),
            example: (text("example"), body),
        }
    }

    fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_status_that_the_definitions_do_not_list_is_really_answered() {
    let scheme = Scheme::start().await;
    scheme.administer("POST /participants", json!({"name": "newfsp", "currency": "USD"})).await;
    let model = json!({
        "name": "EUROS", "currency": "EUR", "settlementGranularity": "NET", "settlementInterchange": "MULTILATERAL",
        "settlementDelay": "DEFERRED", "requireLiquidityCheck": true, "autoPositionReset": true,
        "ledgerAccountType": "POSITION", "settlementAccountType": "SETTLEMENT",
    });
    scheme.administer("POST /settlementModels", model).await;
    scheme.register_oracle("ACCOUNT_ID", "http://127.0.0.1:1", None).await;
    for entry in Deviations::load().entries("status") {
        let Some(file) = Definitions::load(&entry.file) else { return };
        assert!(!file.declares(&entry.line(), entry.status), "{} does list {}", entry.file, entry.line());
        let (path, body) = &entry.example;
        assert!(is_instance(path, &entry.path), "{path} is no {}", entry.path);
        let line = format!("{} {path}", entry.method);
        let reply = match entry.file.as_str() {
            name if name.starts_with("fspiop") => scheme.send(&Call::new(&line).body(body.to_string())).await,
            "central-ledger-admin.json" => scheme.ask_administration(&Call::plain(&line, body.clone())).await,
            "account-lookup-admin.yaml" => {
                let call = Call::new(&format!("{} /participants", entry.method)).plain_body(body.to_string());
                scheme.ask_oracles(&call.at(path)).await
            }
            "central-settlement-v2.json" => {
                let line = format!("{} /v2{path}", entry.method);
                scheme.ask_settlement(&Call::plain(&line, body.clone())).await
            }
            other => panic!("no listener is known for {other}"),
        };
        assert_eq!(reply.status, entry.status, "{line}: {}", reply.text());
        if entry.status >= 400 {
            assert!(reply.error().contains(" - "), "{line}: {}", reply.error());
        }
    }
    scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_member_that_the_definitions_do_not_list_is_really_sent() {
    let Some(book) = Book::open() else { return };
    let scheme = Scheme::start().await;
    for entry in book.deviations.entries("member") {
        let (path, body) = &entry.example;
        scheme.accept(&Call::new(&format!("POST {path}")).body(body.to_string())).await;
        let told = scheme.payer.next(&format!("{} {path}", entry.method)).await;
        told.assert_made_by_hub(PAYER, "1.1");
        for member in &entry.members {
            assert!(!told.json()[member].is_null(), "{member} is missing in {}", told.text());
        }
        let (template, result) = book.file("1.1").check_message(&told);
        assert_eq!(template, entry.path);
        assert!(result.is_err(), "{} lists {:?}", entry.line(), entry.members);
        assert_eq!(book.file("1.1").check_without(&told, &entry.members), Ok(()));
    }
    scheme.end().await;
}
