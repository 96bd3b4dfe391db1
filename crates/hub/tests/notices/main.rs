//! What operators are told: alarms of caps and liquidity, adjustments, positions that a settlement moved; by webhook and
//! e-mail, once, whatever fails and however many nodes there are (contract, administration §4.8).
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod alarms;
mod changes;
mod delivery;
mod mail_server;
mod nodes;
#[path = "../support/mod.rs"]
mod support;

use hub::Config;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{BYSTANDER, Call, Inbox, PAYEE, Payment, Received, Scheme};

const WEBHOOK: &str = "POST /alarms";
/// Longer than anything takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);

/// A hub that looks often, with webhooks of payer, payee and bystander.
async fn start_with(set: impl FnOnce(&mut Config)) -> Scheme {
    let scheme = Scheme::start_with(|config| {
        look_often(config);
        set(config);
    })
    .await;
    for inbox in [&scheme.payer, &scheme.payee, &scheme.bystander] {
        tell(&scheme, inbox.name(), "ALARM_NOTIFICATION_URL", &format!("{}/alarms", inbox.url())).await;
    }
    scheme
}

fn look_often(config: &mut Config) {
    config.notices.look_interval = Duration::from_millis(20);
    config.notices.retry_pause = Duration::from_millis(5);
}

/// The hub's operator, with a webhook.
async fn operator(scheme: &Scheme) -> Inbox {
    let inbox = Inbox::new("Hub");
    inbox.listen();
    tell(scheme, "Hub", "ALARM_NOTIFICATION_URL", &format!("{}/alarms", inbox.url())).await;
    inbox
}

/// Registers where a participant wants notices.
async fn tell(scheme: &Scheme, name: &str, endpoint_type: &str, value: &str) {
    let body = json!({"type": endpoint_type, "value": value});
    scheme.administer(&format!("POST /participants/{name}/endpoints"), body).await;
}

async fn set_cap(scheme: &Scheme, name: &str, value: u32, alarm: u32) {
    let limit = json!({"type": "NET_DEBIT_CAP", "value": value, "alarmPercentage": alarm});
    scheme.administer(&format!("PUT /participants/{name}/limits"), json!({"currency": "USD", "limit": limit})).await;
}

/// A committed payment of the scheme's payer to its payee.
async fn pay(scheme: &Scheme, amount: &str) {
    let payment = Payment::usd(amount);
    scheme.reserve(&payment).await;
    scheme.accept(&payment.fulfil("COMMITTED")).await;
    scheme.payer.next(&payment.put()).await;
}

/// Returns after the hub has looked at every balance as it is now: the bystander, whose account comes last, has an alarm
/// after this and had none before.
async fn look_at_everything(scheme: &Scheme) {
    set_cap(scheme, BYSTANDER, support::FUNDS, 100).await;
    let notice = scheme.bystander.next(WEBHOOK).await.json();
    assert_eq!(
        (&notice["kind"], &notice["participant"]),
        (&json!("NET_DEBIT_CAP_THRESHOLD_BREACH"), &json!(BYSTANDER))
    );
}

async fn listed(scheme: &Scheme, query: &str) -> Vec<Value> {
    let page = scheme.administer(&format!("GET /umoja/v1/notices?{query}"), Value::Null).await;
    page["notices"].as_array().unwrap().clone()
}

/// The newest notice of a query, once it fits.
async fn until(scheme: &Scheme, query: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let notices = listed(scheme, query).await;
        if let Some(notice) = notices.into_iter().next().filter(&fits) {
            return notice;
        }
        assert!(started.elapsed() < DEADLINE, "{query}: {:#?}", listed(scheme, query).await);
        tokio::task::yield_now().await;
    }
}

/// What a notice says, without its id and time.
fn said(received: &Received) -> Value {
    let mut notice = received.json();
    let members = notice.as_object_mut().unwrap();
    assert!(members.remove("id").unwrap().as_i64().unwrap() > 0);
    assert!(members.remove("madeAt").unwrap().as_str().unwrap().ends_with('Z'));
    assert_eq!(received.header("content-type"), "application/json; charset=utf-8");
    notice
}
