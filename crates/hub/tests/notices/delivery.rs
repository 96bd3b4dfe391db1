//! What fails is tried again, then kept as failed; what cannot be sent says why; bad questions are refused.

use super::*;
use crate::mail_server::MailServer;
use hub::SmtpTls;
use support::PAYER;

const ADJUSTMENT: &str = "NET_DEBIT_CAP_ADJUSTMENT_EMAIL";

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_fails_is_tried_again_with_the_same_bytes() {
    let scheme = start_with(|_| {}).await;
    scheme.payer.fail(2, 500);
    set_cap(&scheme, PAYER, 900, 10).await;
    let first = scheme.payer.next(WEBHOOK).await;
    for _ in 0..2 {
        assert_eq!(scheme.payer.next(WEBHOOK).await.body, first.body);
    }
    let notice = until(&scheme, "participant=payerfsp", |notice| notice["deliveries"][0]["state"] == "sent").await;
    assert_eq!(notice["id"], first.json()["id"]);
    let delivery = &notice["deliveries"][0];
    assert_eq!(
        (&delivery["attempts"], &delivery["channel"], &delivery["to"]),
        (&json!(3), &json!("webhook"), &json!(PAYER))
    );
    assert_eq!(delivery["lastError"], "answered 500 Internal Server Error");
    assert!(delivery.get("nextAttemptAt").is_none());
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_never_reached_is_given_up_and_seen() {
    let scheme = start_with(|_| {}).await;
    // It has a port and does not listen.
    let nobody = Inbox::new("nobody");
    tell(&scheme, PAYER, "ALARM_NOTIFICATION_URL", &format!("{}/alarms", nobody.url())).await;
    tell(&scheme, "Hub", "ALARM_NOTIFICATION_URL", "https://hub.example/alarms").await;
    set_cap(&scheme, PAYER, 900, 10).await;
    let is_over = |notice: &Value| notice["deliveries"].as_array().unwrap().iter().all(|one| one["state"] == "failed");
    let notice = until(&scheme, "", is_over).await;
    let [unreached, no_url] = [0, 1].map(|place| notice["deliveries"][place].clone());
    assert_eq!((&unreached["attempts"], &no_url["attempts"]), (&json!(5), &json!(1)));
    assert!(unreached["lastError"].as_str().unwrap().contains("onnect"), "{unreached}");
    assert_eq!(no_url["lastError"], "'https://hub.example/alarms' is no URL that begins with http://");
    let metrics = scheme.ask_administration(&Call::plain("GET /metrics", Value::Null)).await.text();
    for line in [r#"{outcome="failed"} 4"#, r#"{outcome="given_up"} 2"#] {
        assert!(metrics.contains(&format!("umoja_notice_deliveries_total{line}")), "{line} in {metrics}");
    }
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_mail_server_e_mail_is_skipped_and_says_so() {
    let scheme = start_with(|_| {}).await;
    tell(&scheme, PAYER, ADJUSTMENT, "risk@payer.example").await;
    set_cap(&scheme, PAYER, 900, 10).await;
    scheme.payer.next(WEBHOOK).await;
    let notice = until(&scheme, "", |notice| notice["deliveries"][1]["state"] == "skipped").await;
    assert_eq!(notice["deliveries"][1]["address"], "risk@payer.example");
    assert_eq!(notice["deliveries"][1]["lastError"], "this hub has no mail server; set smtp-host and smtp-from");
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn e_mail_is_tried_again_and_an_address_that_is_none_is_not() {
    let mail = MailServer::start().await;
    let scheme = start_with(|config| config.notices.smtp = Some(mail.smtp())).await;
    mail.refuse(1);
    tell(&scheme, PAYER, ADJUSTMENT, "risk@payer.example").await;
    tell(&scheme, "Hub", ADJUSTMENT, "ops at hub").await;
    set_cap(&scheme, PAYER, 900, 10).await;
    scheme.payer.next(WEBHOOK).await;
    let letter = mail.next("risk@payer.example").await;
    assert!(letter.has_line("previousCap: 1000"), "{letter:?}");
    let is_over = |notice: &Value| [1, 2].iter().all(|at| notice["deliveries"][*at]["state"] != "pending");
    let notice = until(&scheme, "", is_over).await;
    let [sent, none] = [1, 2].map(|place| notice["deliveries"][place].clone());
    assert_eq!((&sent["state"], &sent["attempts"]), (&json!("sent"), &json!(2)));
    assert!(sent["lastError"].as_str().unwrap().contains("451"), "{sent}");
    assert_eq!(
        (&none["state"], &none["attempts"], &none["lastError"]),
        (&json!("failed"), &json!(1), &json!("'ops at hub' is no e-mail address"))
    );
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_asks_for_a_password_gets_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    std::fs::write(&file, "open sesame\n").unwrap();
    let mail = MailServer::start_with_password("ann", "open sesame").await;
    let user = Some(("ann".to_owned(), file));
    let smtp = hub::Smtp { user, ..mail.smtp() };
    assert!(!format!("{smtp:?}").contains("sesame"));
    let scheme = start_with(|config| config.notices.smtp = Some(smtp)).await;
    tell(&scheme, PAYER, ADJUSTMENT, "risk@payer.example").await;
    set_cap(&scheme, PAYER, 900, 10).await;
    scheme.payer.next(WEBHOOK).await;
    mail.next("risk@payer.example").await;
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_in_the_clear_to_a_mail_server_that_should_speak_tls() {
    let mail = MailServer::start().await;
    let smtp = hub::Smtp { tls: SmtpTls::StartTls, ..mail.smtp() };
    let scheme = start_with(|config| config.notices.smtp = Some(smtp)).await;
    tell(&scheme, PAYER, ADJUSTMENT, "risk@payer.example").await;
    set_cap(&scheme, PAYER, 900, 10).await;
    scheme.payer.next(WEBHOOK).await;
    until(&scheme, "", |notice| notice["deliveries"][1]["state"] == "failed").await;
    assert_eq!(mail.unread(), 0);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_are_listed_in_pages() {
    let scheme = start_with(|_| {}).await;
    for cap in 1..=5 {
        set_cap(&scheme, PAYER, cap, 10).await;
        scheme.payer.next(WEBHOOK).await;
    }
    set_cap(&scheme, PAYEE, 1, 10).await;
    scheme.payee.next(WEBHOOK).await;
    let mut caps = Vec::new();
    let mut after = String::new();
    loop {
        let line = format!("GET /umoja/v1/notices?participant=payerfsp&kind=NET_DEBIT_CAP_ADJUSTMENT&limit=2{after}");
        let page = scheme.administer(&line, Value::Null).await;
        caps.extend(page["notices"].as_array().unwrap().iter().map(|notice| notice["values"]["cap"].clone()));
        let Some(next) = page["next"].as_i64() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(caps, ["5", "4", "3", "2", "1"]);
    assert_eq!(listed(&scheme, "kind=LIQUIDITY_THRESHOLD_BREACH").await, [Value::Null; 0]);
    assert_eq!(listed(&scheme, "").await.len(), 6);
    scheme.end().await;
}
