//! `umoja admin` against a hub that runs: what an operator reads, and what a script reads.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

use harness::process::{Addresses, HubCommand, HubProcess};
use hub_core::{
    Dialect, Participant, Rejection, Subject, SubjectKind,
    administration::{Change, ParticipantRecord},
    notices::{Channel, NoticeContent, OperatorNotice, Recipient},
    quotes::{Quote, QuoteKind},
    transfers::{Hashes, Transfer, TransferKind, TransferState},
};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::Output,
};
use store::{Claim, DeliveryEnd, Direction, JournalRow, Mark, Micros, NewMessage, Retry, UnitWork, Wanted, Writer};
use tokio::process::Command;
use vocabulary::{Amount, CorrelationId, Digest, Money, Timestamp};

const BINARY: &str = env!("CARGO_BIN_EXE_umoja");
const TRANSFER: &str = "b51ec534-ee48-4575-b6a9-ead2955b8069";
const QUOTE: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
/// The messages of these tests are as old as their time.
const KEPT: [&str; 2] = ["--journal-days=100000", "--notice-days=100000"];
/// 2026-01-02T03:04:05.678Z
const TIME: i64 = 1_767_323_045_678;

fn id(text: &str) -> CorrelationId {
    text.parse().unwrap()
}

fn transfer() -> Transfer {
    Transfer {
        key: 0,
        id: id(TRANSFER),
        kind: TransferKind::Payment,
        payer: "greenbank".parse().unwrap(),
        payee: "bluewallet".parse().unwrap(),
        payer_proxy: None,
        payee_proxy: None,
        money: Money { amount: Amount::from_units(55_000), currency: "USD".parse().unwrap() },
        legs: None,
        condition: None,
        expiration: Timestamp::from_millis(TIME),
        state: TransferState::Refused(Rejection::TransferExpired),
        changed_at: Timestamp::from_millis(TIME + 2),
        window: None,
        hashes: Hashes { prepare: Digest([1; 32]), fulfil: None, error: None },
        payer_dialect: Dialect(2),
        payee_dialect: Dialect(2),
        prepare_extensions: None,
        fulfil_extensions: None,
        fees: Vec::new(),
    }
}

/// A message `millis` after the time of the test, with its method and its resource as the hub codes them.
fn row(millis: i64, direction: Direction, (method, resource): (u8, u8), subject: &str) -> JournalRow {
    JournalRow {
        at: Micros((TIME + millis) * 1000),
        direction,
        participant: Some("greenbank".parse().unwrap()),
        method,
        resource,
        subject: Some(id(subject)),
        related: None,
        status: Some(202),
        error: None,
        attempt: if direction == Direction::Out { 1 } else { 0 },
        trace: None,
        party: None,
    }
}

fn dead_message() -> NewMessage {
    let head = json!({
        "method": "PUT", "endpoint": "FSPIOP_CALLBACK_URL_TRANSFER_ERROR", "path": format!("/transfers/{TRANSFER}/error"),
        "variables": [["transferId", TRANSFER]], "headers": [], "on_failure": null,
    });
    NewMessage {
        to: "greenbank".parse().unwrap(),
        payment_key: id(TRANSFER).to_parts().0,
        retry: Retry { until: Timestamp::from_millis(TIME + 10) },
        head: head.to_string().into(),
        body: "{}".into(),
    }
}

async fn unit(writer: &mut dyn Writer, wanted: &[Wanted], work: UnitWork) -> Vec<store::MessageId> {
    writer.open(wanted).await.unwrap();
    writer.lock(&[]).await.unwrap();
    writer.commit(work).await.unwrap()
}

/// A store with a quote, a transfer that came too late, and what was said about them.
async fn fill(data: &Path) {
    let address = format!("sqlite:{}", data.join("hub.db").display());
    let store = store::open(&address, &"Hub".parse().unwrap()).await.unwrap();
    let mut writer = store.writer().await.unwrap();
    let claims = [(SubjectKind::Transfer, TRANSFER), (SubjectKind::Quote, QUOTE)]
        .map(|(kind, text)| Wanted::Claim(Subject { kind, id: id(text) }));
    let failed = JournalRow { status: None, error: Some(1001), ..row(3, Direction::Out, (3, 0x84), TRANSFER) };
    let mut work = UnitWork {
        messages: vec![dead_message()],
        journal: vec![
            JournalRow { related: Some(id(TRANSFER)), ..row(0, Direction::In, (2, 3), QUOTE) },
            row(1, Direction::In, (2, 4), TRANSFER),
            failed.clone(),
            JournalRow { at: Micros((TIME + 4) * 1000), attempt: 2, ..failed },
        ],
        ..UnitWork::default()
    };
    work.changes.new_transfers = vec![transfer()];
    let quote = Quote {
        key: 0,
        kind: QuoteKind::Transfer,
        id: id(QUOTE),
        request: Some(Digest([2; 32])),
        response: None,
        error: None,
    };
    work.changes.new_quotes = vec![quote];
    let dead = Mark::Dead { id: unit(&mut *writer, &claims, work).await[0], attempts: 2, error: "no way".into() };
    unit(&mut *writer, &[], UnitWork { marks: vec![dead], ..UnitWork::default() }).await;
}

/// Adds a notice that was sent to one endpoint and not to the other, and one that nobody wants.
async fn add_notices(data: &Path) {
    let address = format!("sqlite:{}", data.join("hub.db").display());
    let store = store::open(&address, &"Hub".parse().unwrap()).await.unwrap();
    let mut writer = store.writer().await.unwrap();
    let recipient = |name: &str, channel, address: &str| Recipient {
        name: name.parse().unwrap(),
        channel,
        address: address.into(),
    };
    let [previous, cap] = [10_000_000, 9_000_000].map(Amount::from_units);
    let notice = OperatorNotice {
        participant: "greenbank".parse().unwrap(),
        currency: "USD".parse().unwrap(),
        content: NoticeContent::CapAdjustment { previous, cap },
        made_at: Timestamp::from_millis(TIME),
        recipients: vec![
            recipient("greenbank", Channel::Webhook, "http://greenbank/alarms"),
            recipient("Hub", Channel::Email, "ops@hub.example"),
        ],
    };
    let content = NoticeContent::LiquidityThreshold { liquidity: cap, threshold: previous };
    let unwanted = OperatorNotice { content, recipients: Vec::new(), ..notice.clone() };
    let administration = [notice, unwanted].map(Box::new).map(Change::AddNotice).to_vec();
    writer.open(&[]).await.unwrap();
    writer.lock_directory().await.unwrap();
    writer.commit(UnitWork { administration, ..UnitWork::default() }).await.unwrap();
    let now = Timestamp::from_millis(TIME);
    let claimed = store.claim_deliveries(Claim { now, until: now.plus_millis(1), limit: 2 }).await.unwrap();
    let ends = [DeliveryEnd::Sent, DeliveryEnd::Failed("no such host".into())];
    for (delivery, end) in claimed.iter().zip(ends) {
        store.end_delivery(delivery.id, end, now).await.unwrap();
    }
}

/// A hub on a filled store, and its administration's URL.
async fn start(data: &Path) -> (HubProcess, String) {
    let [journal, notices] = KEPT.map(Into::into);
    let arguments = ["--data".into(), data.into(), "--sign".into(), "false".into(), journal, notices].to_vec();
    let command = HubCommand { binary: PathBuf::from(BINARY), arguments, log: data.with_extension("log") };
    let hub = HubProcess::start(&command, Addresses::any()).await.unwrap();
    let url = format!("http://{}", hub.addresses().administration);
    (hub, url)
}

async fn admin(url: &str, arguments: &[&str]) -> Output {
    Command::new(BINARY).arg("admin").args(arguments).args(["--hub", url]).output().await.unwrap()
}

async fn printed(url: &str, arguments: &[&str]) -> String {
    let output = admin(url, arguments).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

async fn refused(url: &str, arguments: &[&str]) -> String {
    let output = admin(url, arguments).await;
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn a_payment_is_shown_on_one_page() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path()).await;
    let (hub, url) = start(directory.path()).await;
    let page = "\
Transfer b51ec534-ee48-4575-b6a9-ead2955b8069: 5.5 USD from greenbank to bluewallet, REFUSED
Quote    01ARZ3NDEKTSV4RRFFQ69G5FAV

2026-01-02T03:04:05.678Z  from greenbank              POST /quotes                          202
2026-01-02T03:04:05.679Z  from greenbank              POST /transfers                       202
2026-01-02T03:04:05.680Z    state REFUSED: 3303 Transfer expired
2026-01-02T03:04:05.681Z  to   greenbank              PUT /transfers/…/error                no answer  error 1001
2026-01-02T03:04:05.682Z  to   greenbank              PUT /transfers/…/error                no answer  error 1001  attempt 2

In the outbox:
dead             1  greenbank                    2  PUT /transfers/b51ec534-ee48-4575-b6a9-ead2955b8069/error
                                            no way
";
    assert_eq!(printed(&url, &["trace", TRANSFER]).await, page);
    let trace: Value = serde_json::from_str(&printed(&url, &["trace", TRANSFER, "--json"]).await).unwrap();
    assert_eq!((trace["messages"].as_array().unwrap().len(), &trace["quotes"]), (4, &json!([QUOTE])));
    let unknown = refused(&url, &["trace", "6b4e5a9e-3d22-4b8c-a2f3-6ad3e0d2a111"]).await;
    assert_eq!(unknown, "umoja: The hub refuses: Unknown URI - no transfer and no quote has this id.\n");
    hub.stop().await.unwrap();
}

#[tokio::test]
async fn the_outbox_is_listed_and_its_messages_are_replayed_and_dropped() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path()).await;
    let (hub, url) = start(directory.path()).await;
    assert!(printed(&url, &["outbox", "list"]).await.contains("no way"));
    assert_eq!(printed(&url, &["outbox", "list", "--to", "bluewallet"]).await, "No message is dead.\n");
    // Nobody knows where greenbank listens, so it waits for that once it is sent again.
    let replayed: Value = serde_json::from_str(&printed(&url, &["outbox", "replay", "1", "--json"]).await).unwrap();
    assert_eq!((&replayed["id"], &replayed["state"]), (&json!(1), &json!("waiting")));
    assert!(refused(&url, &["outbox", "replay", "1"]).await.contains("message 1 is waiting already"));
    assert_eq!(printed(&url, &["outbox", "drop", "1"]).await, "Message 1 is dropped.\n");
    assert!(refused(&url, &["outbox", "drop", "1"]).await.contains("the outbox has no message 1"));
    let page = printed(&url, &["outbox", "list", "--state", "waiting", "--json"]).await;
    assert_eq!(page, "{\"messages\":[]}\n");
    hub.stop().await.unwrap();
}

#[tokio::test]
async fn notices_are_listed_with_what_became_of_them() {
    let directory = tempfile::tempdir().unwrap();
    add_notices(directory.path()).await;
    let (hub, url) = start(directory.path()).await;
    let adjustment = "         \
1  2026-01-02T03:04:05.678Z  The net debit cap of greenbank in USD is 900 now; it was 1000.
            sent     webhook to greenbank, http://greenbank/alarms
            failed   email to Hub, ops@hub.example: no such host
";
    let liquidity = "         \
2  2026-01-02T03:04:05.678Z  The liquidity of greenbank in USD is 900, below the 1000 that were set as its threshold.
";
    assert_eq!(printed(&url, &["notices"]).await, format!("{liquidity}{adjustment}"));
    let more = "There may be more: --after 2\n";
    assert_eq!(printed(&url, &["notices", "--limit", "1"]).await, format!("{liquidity}{more}"));
    assert_eq!(printed(&url, &["notices", "--after", "2"]).await, adjustment);
    assert_eq!(printed(&url, &["notices", "--kind", "NET_DEBIT_CAP_ADJUSTMENT"]).await, adjustment);
    assert_eq!(printed(&url, &["notices", "--participant", "bluewallet"]).await, "There is no notice.\n");
    let page: Value = serde_json::from_str(&printed(&url, &["notices", "--json"]).await).unwrap();
    assert_eq!(page["notices"][1]["values"], json!({"previousCap": "1000", "cap": "900"}));
    let refusal = refused(&url, &["notices", "--kind", "SOMETHING"]).await;
    assert!(refusal.contains("\"kind\" must be one of [NET_DEBIT_CAP_THRESHOLD_BREACH,"), "{refusal}");
    hub.stop().await.unwrap();
}

#[tokio::test]
async fn a_hub_that_is_not_there_is_named() {
    let sentence = refused("http://127.0.0.1:1", &["outbox", "list"]).await;
    assert!(sentence.starts_with("umoja: The hub at http://127.0.0.1:1 does not answer: no connection"), "{sentence}");
}

#[tokio::test]
async fn the_report_of_funds_is_printed_for_people_and_programs() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path()).await;
    let (hub, url) = start(directory.path()).await;
    let table = printed(&url, &["report", "funds", "--from", "2026-01-01", "--to", "2026-02-01"]).await;
    assert!(table.starts_with("transferId,dateTime,lastChange,fspId,currency,direction,amount,state,"), "{table}");
    assert!(table.trim_end().ends_with("CONTROL rows,0"), "{table}");
    let report: Value = serde_json::from_str(&printed(&url, &["report", "funds", "--json"]).await).unwrap();
    assert_eq!((&report["report"], &report["rows"]), (&json!("funds"), &json!([])));
    let unknown = refused(&url, &["report", "funds", "--dfsp", "nobody"]).await;
    assert!(unknown.contains("The requested resource could not be found"), "{unknown}");
    hub.stop().await.unwrap();
}

#[tokio::test]
async fn clients_are_made_rotated_and_revoked_and_their_secrets_shown_once() {
    let directory = tempfile::tempdir().unwrap();
    add_participant(directory.path()).await;
    let (hub, url) = start(directory.path()).await;
    assert_eq!(printed(&url, &["clients", "list"]).await, "There is no client.\n");
    let made = printed(&url, &["clients", "create", "greenbank"]).await;
    let secret = made.lines().find_map(|line| line.strip_prefix("client secret  ")).unwrap().to_owned();
    assert_eq!(secret.len(), 43, "{made}");
    assert!(refused(&url, &["clients", "create", "greenbank"]).await.contains("is a client already"));
    let rotated = printed(&url, &["clients", "rotate", "greenbank", "--overlap-s", "3600", "--json"]).await;
    let rotated: Value = serde_json::from_str(&rotated).unwrap();
    let listed = printed(&url, &["clients", "list"]).await;
    let end = rotated["previousEndsAt"].as_str().unwrap();
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(listed.lines().nth(1).unwrap().ends_with(&format!(", taken until {end}")), "{listed}");
    assert!(!listed.contains(&secret) && !listed.contains(rotated["clientSecret"].as_str().unwrap()), "{listed}");
    assert!(refused(&url, &["clients", "rotate", "greenbank"]).await.contains("Two secrets are valid"));
    let revoked = printed(&url, &["clients", "revoke", "greenbank"]).await;
    assert_eq!(revoked, "The client greenbank is revoked: its secrets and tokens are worth nothing.\n");
    assert_eq!(printed(&url, &["clients", "list"]).await, format!("{:<30}  revoked\n", "greenbank"));
    assert!(refused(&url, &["clients", "revoke", "nobody"]).await.contains("participant not found"));
    hub.stop().await.unwrap();
}

async fn add_participant(data: &Path) {
    let address = format!("sqlite:{}", data.join("hub.db").display());
    let store = store::open(&address, &"Hub".parse().unwrap()).await.unwrap();
    let mut writer = store.writer().await.unwrap();
    let hub = store.directory().await.unwrap().participants[0].participant.clone();
    let mut participant = Participant { name: "greenbank".parse().unwrap(), ..hub };
    participant.id.0 += 1;
    let record = ParticipantRecord { participant, created_at: Timestamp::from_millis(TIME) };
    let administration = vec![Change::AddParticipant(record)];
    writer.open(&[]).await.unwrap();
    writer.lock_directory().await.unwrap();
    writer.commit(UnitWork { administration, ..UnitWork::default() }).await.unwrap();
}
