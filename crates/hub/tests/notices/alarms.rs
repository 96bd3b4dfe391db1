//! Alarms: a position near its cap, liquidity below an amount, and how often they are told.

use super::*;
use crate::mail_server::MailServer;
use hub_core::notices::Policy;
use support::PAYER;

const QUERY: &str = "participant=payerfsp&kind=NET_DEBIT_CAP_THRESHOLD_BREACH";

#[tokio::test(flavor = "multi_thread")]
async fn section_4_8_a_position_near_its_cap_is_told_to_the_participant_and_the_hub() {
    let mail = MailServer::start().await;
    let scheme = start_with(|config| config.notices.smtp = Some(mail.smtp())).await;
    let hub = operator(&scheme).await;
    tell(&scheme, PAYER, "NET_DEBIT_CAP_THRESHOLD_BREACH_EMAIL", "risk@payer.example, cfo@payer.example").await;
    tell(&scheme, "Hub", "NET_DEBIT_CAP_THRESHOLD_BREACH_EMAIL", "ops@hub.example").await;
    tell(&scheme, PAYER, "NET_DEBIT_CAP_ADJUSTMENT_EMAIL", "somebody-else@payer.example").await;
    pay(&scheme, "899.9999").await;
    pay(&scheme, "50.0001").await;

    let expected = json!({
        "kind": "NET_DEBIT_CAP_THRESHOLD_BREACH", "participant": PAYER, "currency": "USD",
        "values": {"position": "950", "cap": "1000", "remainingPercentage": "5", "alarmPercentage": "10"},
        "text": "The position of payerfsp in USD is 950 and its net debit cap 1000: 5 per cent of the cap remain, and \
                 the alarm is set at 10.",
    });
    assert_eq!(said(&scheme.payer.next(WEBHOOK).await), expected);
    assert_eq!(said(&hub.next(WEBHOOK).await), expected);
    for to in [vec!["risk@payer.example", "cfo@payer.example"], vec!["ops@hub.example"]] {
        let letter = mail.next(to[0]).await;
        assert_eq!(
            (letter.from.as_str(), letter.to.clone()),
            ("hub@scheme.example", to.into_iter().map(str::to_owned).collect())
        );
        assert!(letter.has_line("Subject: Hub: NET_DEBIT_CAP_THRESHOLD_BREACH payerfsp USD"), "{letter:?}");
        assert!(letter.has_line("remainingPercentage: 5") && letter.has_line("position: 950"), "{letter:?}");
    }
    let all_sent = |notice: &Value| {
        let deliveries = notice["deliveries"].as_array().unwrap();
        deliveries.len() == 4 && deliveries.iter().all(|delivery| delivery["state"] == "sent")
    };
    until(&scheme, QUERY, all_sent).await;
    assert_eq!(listed(&scheme, "").await.len(), 1, "nothing was said at 899.9999");
    assert_eq!((hub.unread(), mail.unread()), (vec![], 0));
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_reserved_counts_towards_the_position() {
    let scheme = start_with(|_| {}).await;
    let payment = Payment::usd("950");
    scheme.reserve(&payment).await;
    assert_eq!(scheme.payer.next(WEBHOOK).await.json()["values"]["position"], "950");
    scheme.accept(&payment.fulfil("COMMITTED")).await;
    scheme.payer.next(&payment.put()).await;
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn section_4_8_an_alarm_is_not_repeated_within_its_spacing() {
    let scheme = start_with(|_| {}).await;
    pay(&scheme, "950").await;
    scheme.payer.next(WEBHOOK).await;
    pay(&scheme, "10").await;
    set_cap(&scheme, PAYER, support::FUNDS, 90).await;
    look_at_everything(&scheme).await;
    assert_eq!(listed(&scheme, QUERY).await.len(), 1);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn section_4_8_an_alarm_is_repeated_so_many_times_in_a_period_also_when_it_passes_meanwhile() {
    let policy = Policy { per_period_max: 3, spacing_ms: 1, period_ms: 3_600_000 };
    let scheme = start_with(|config| config.notices.policy = policy).await;
    pay(&scheme, "950").await;
    for _ in 0..3 {
        assert_eq!(scheme.payer.next(WEBHOOK).await.json()["kind"], "NET_DEBIT_CAP_THRESHOLD_BREACH");
    }
    // It passes, and comes back.
    set_cap(&scheme, PAYER, 3 * support::FUNDS, 10).await;
    assert_eq!(scheme.payer.next(WEBHOOK).await.json()["kind"], "NET_DEBIT_CAP_ADJUSTMENT");
    look_at_everything(&scheme).await;
    set_cap(&scheme, PAYER, support::FUNDS, 10).await;
    assert_eq!(scheme.payer.next(WEBHOOK).await.json()["kind"], "NET_DEBIT_CAP_ADJUSTMENT");
    // The payee's account comes after the payer's.
    set_cap(&scheme, PAYEE, support::FUNDS, 300).await;
    scheme.payee.next(WEBHOOK).await;
    assert_eq!(listed(&scheme, QUERY).await.len(), 3);
    scheme.end_whatever_was_sent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn liquidity_below_its_threshold_is_told() {
    let scheme = start_with(|_| {}).await;
    let line = format!("PUT /umoja/v1/participants/{PAYER}/liquidity-threshold");
    let set = async |amount: Value| scheme.administer(&line, json!({"currency": "USD", "amount": amount})).await;
    assert_eq!(set(json!(1000)).await, json!({"currency": "USD", "amount": 1000}));
    look_at_everything(&scheme).await;
    assert_eq!(listed(&scheme, "participant=payerfsp").await, [Value::Null; 0], "it has no less");
    set(json!("1000.0001")).await;
    let expected = json!({
        "kind": "LIQUIDITY_THRESHOLD_BREACH", "participant": PAYER, "currency": "USD",
        "values": {"liquidity": "1000", "threshold": "1000.0001"},
        "text": "The liquidity of payerfsp in USD is 1000, below the 1000.0001 that were set as its threshold.",
    });
    assert_eq!(said(&scheme.payer.next(WEBHOOK).await), expected);
    let shown = async || scheme.administer(&line.replace("PUT", "GET"), Value::Null).await.to_string();
    assert_eq!(shown().await, r#"[{"amount":1000.0001,"currency":"USD"}]"#);
    set(Value::Null).await;
    assert_eq!(shown().await, r#"[{"amount":null,"currency":"USD"}]"#);
    scheme.end().await;
}
