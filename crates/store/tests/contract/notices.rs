//! Notices to operators: the list, the queue, and what alarms have said.

use crate::{Fixture, scheme::*};
use hub_core::{
    administration::Change,
    notices::{Alarm, AlarmStep, Channel, NoticeContent, NoticeKind, OperatorNotice, Recipient, Said},
    settlement::SettlementId,
};
use ledger::AccountKind;
use std::{collections::BTreeSet, sync::Arc};
use store::{
    Claim, DeliveryEnd, DeliveryId, DeliveryState, DueDelivery, NoticeId, NoticeQuery, NoticeRow, Store, UnitWork,
};
use tokio::task::JoinSet;
use vocabulary::{Amount, Timestamp};

const ALL: NoticeQuery = NoticeQuery { participant: None, kind: None, before: None, limit: 100 };

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis)
}

fn recipient(name: &str, channel: Channel, address: &str) -> Recipient {
    Recipient { name: fsp(name), channel, address: address.into() }
}

fn contents() -> [NoticeContent; 4] {
    let [first, second, third, fourth] = [9_500_000, 10_000_000, i64::MIN, i64::MAX].map(units);
    [
        NoticeContent::CapThreshold { position: first, cap: second, remaining: third, alarm_percentage: fourth },
        NoticeContent::LiquidityThreshold { liquidity: third, threshold: fourth },
        NoticeContent::CapAdjustment { previous: first, cap: second },
        NoticeContent::SettlementPosition { position: third, settlement: SettlementId(7) },
    ]
}

/// A notice about a bank that goes to two endpoints.
fn notice(about: &str, content: NoticeContent, made_at: Timestamp) -> OperatorNotice {
    let recipients = vec![
        recipient(about, Channel::Webhook, "http://bank/alarms"),
        recipient(HUB, Channel::Email, "risk@hub.example,ops@hub.example"),
    ];
    OperatorNotice { participant: fsp(about), currency: usd(), content, made_at, recipients }
}

/// A notice of a liquidity, which tells them apart.
fn numbered(number: i64) -> OperatorNotice {
    let content = NoticeContent::LiquidityThreshold { liquidity: units(number), threshold: Amount::MAX };
    notice("bank-a", content, at(number))
}

async fn add(store: &dyn Store, notices: Vec<OperatorNotice>) {
    let mut writer = store.writer().await.unwrap();
    let administration = notices.into_iter().map(Box::new).map(Change::AddNotice).collect();
    let work = UnitWork { administration, actor: "operator".into(), ..UnitWork::default() };
    writer.open(&[]).await.unwrap();
    writer.lock_directory().await.unwrap();
    writer.commit(work).await.unwrap();
}

async fn claim(store: &dyn Store, now: i64, until: i64, limit: usize) -> Vec<DueDelivery> {
    store.claim_deliveries(Claim { now: at(now), until: at(until), limit }).await.unwrap()
}

async fn one(store: &dyn Store) -> NoticeRow {
    store.notices(ALL).await.unwrap().pop().unwrap()
}

pub async fn notices_come_back_as_they_were_made_the_newest_first(fixture: Fixture) {
    let store = fixture.open().await;
    let made: Vec<_> = (1..).zip(contents()).map(|(number, content)| notice("bank-a", content, at(number))).collect();
    add(&*store, made.clone()).await;
    let nobody = OperatorNotice { recipients: Vec::new(), ..notice("bank-b", contents()[0], at(9)) };
    add(&*store, vec![nobody.clone()]).await;
    let rows = store.notices(ALL).await.unwrap();
    let ids: Vec<_> = rows.iter().map(|row| row.notice.id).collect();
    assert!(ids.is_sorted_by(|newer, older| newer > older), "{ids:?}");
    let back = rows.into_iter().rev().map(|row| {
        for delivery in &row.deliveries {
            assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Pending, 0));
            assert_eq!([delivery.due, delivery.changed_at], [row.notice.made_at; 2]);
            assert_eq!(delivery.last_error, None);
        }
        OperatorNotice {
            participant: row.notice.participant,
            currency: row.notice.currency,
            content: row.notice.content,
            made_at: row.notice.made_at,
            recipients: row.deliveries.into_iter().map(|delivery| delivery.recipient).collect(),
        }
    });
    let expected = made.into_iter().chain([nobody]).collect::<Vec<_>>();
    assert_eq!(back.collect::<Vec<_>>(), expected);
}

pub async fn notices_are_listed_in_pages_by_participant_and_kind(fixture: Fixture) {
    let store = fixture.open().await;
    let banks = ["bank-a", "bank-b"];
    for (number, content) in (0..).zip(contents().into_iter().chain(contents())) {
        add(&*store, vec![notice(banks[number % 2], content, at(1))]).await;
    }
    let list = async |query: NoticeQuery| -> Vec<i64> {
        store.notices(query).await.unwrap().iter().map(|row| row.notice.id.0).collect()
    };
    let all = list(ALL).await;
    assert_eq!(all.len(), 8);
    assert_eq!(list(NoticeQuery { limit: 3, ..ALL }).await, all[..3]);
    assert_eq!(list(NoticeQuery { limit: 3, before: Some(NoticeId(all[2])), ..ALL }).await, all[3..6]);
    let of = |participant: &str| NoticeQuery { participant: Some(fsp(participant)), ..ALL };
    assert_eq!(list(of("bank-b")).await, [all[0], all[2], all[4], all[6]]);
    assert_eq!(list(of("bank-c")).await, [0; 0]);
    let kind = Some(NoticeKind::CapAdjustment);
    assert_eq!(list(NoticeQuery { kind, ..ALL }).await, [all[1], all[5]]);
    assert_eq!(list(NoticeQuery { kind, ..of("bank-b") }).await, [0; 0]);
}

pub async fn a_notice_is_lost_with_its_unit(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = store.writer().await.unwrap();
    writer.open(&[]).await.unwrap();
    writer.lock_directory().await.unwrap();
    // The second change meets no row.
    let missing = account(99, 9, AccountKind::Position, at(0));
    let administration = vec![Change::AddNotice(Box::new(numbered(1))), Change::SetAccount(missing)];
    assert!(writer.commit(UnitWork { administration, ..UnitWork::default() }).await.is_err());
    writer.rollback().await.unwrap();
    assert_eq!(store.notices(ALL).await.unwrap(), []);
    assert_eq!(claim(&*store, 100, 200, 10).await, []);
}

pub async fn a_delivery_is_claimed_when_it_is_due_and_again_when_the_claim_is_over(fixture: Fixture) {
    let store = fixture.open().await;
    add(&*store, vec![numbered(5)]).await;
    assert_eq!(claim(&*store, 4, 10, 10).await, [], "not due");
    let first = claim(&*store, 5, 10, 10).await;
    let [webhook, email] = first.as_slice() else { panic!("{first:?}") };
    assert_eq!((webhook.id.place, webhook.id.attempt, email.id.place), (1, 1, 2));
    assert_eq!(webhook.notice.content, numbered(5).content);
    assert_eq!([&webhook.recipient, &email.recipient], [&numbered(5).recipients[0], &numbered(5).recipients[1]]);
    assert_eq!(claim(&*store, 9, 20, 10).await, [], "somebody is at it");
    let again = claim(&*store, 10, 20, 1).await;
    assert_eq!(again.iter().map(|delivery| delivery.id.attempt).collect::<Vec<_>>(), [2], "who had it is gone");
}

pub async fn how_a_delivery_ends_decides_whether_it_is_tried_again(fixture: Fixture) {
    let store = fixture.open().await;
    add(&*store, vec![numbered(1), numbered(2)]).await;
    let claimed = claim(&*store, 2, 100, 10).await;
    let retry = DeliveryEnd::Retry { due: at(30), error: "connection refused\0".into() };
    let ends = [
        retry,
        DeliveryEnd::Sent,
        DeliveryEnd::Failed("no such host".into()),
        DeliveryEnd::Skipped("no mail server".into()),
    ];
    for (delivery, end) in claimed.iter().zip(ends) {
        store.end_delivery(delivery.id, end, at(7)).await.unwrap();
    }
    let mut found: Vec<_> = store.notices(ALL).await.unwrap();
    found.reverse();
    let found = found.iter().flat_map(|row| &row.deliveries);
    let found: Vec<_> = found
        .map(|delivery| (delivery.state, delivery.attempts, delivery.last_error.as_deref().unwrap_or_default()))
        .collect();
    assert!(found[0].2.starts_with("connection refused"));
    assert_eq!((found[0].0, found[0].1), (DeliveryState::Pending, 1));
    assert_eq!(
        found[1..],
        [
            (DeliveryState::Sent, 1, ""),
            (DeliveryState::Failed, 1, "no such host"),
            (DeliveryState::Skipped, 1, "no mail server")
        ]
    );
    assert_eq!(claim(&*store, 29, 100, 10).await, []);
    let again = claim(&*store, 30, 100, 10).await;
    assert_eq!(
        again.iter().map(|delivery| delivery.id).collect::<Vec<_>>(),
        [DeliveryId { attempt: 2, ..claimed[0].id }]
    );
    store.end_delivery(again[0].id, DeliveryEnd::Sent, at(31)).await.unwrap();
    assert_eq!(claim(&*store, 1_000, 2_000, 10).await, []);
    let last = &store.notices(ALL).await.unwrap()[1].deliveries[0];
    assert_eq!((last.state, last.attempts, last.changed_at), (DeliveryState::Sent, 2, at(31)));
}

pub async fn a_claim_that_is_over_ends_nothing_but_what_it_sent(fixture: Fixture) {
    let store = fixture.open().await;
    add(&*store, vec![OperatorNotice { recipients: numbered(1).recipients[..1].to_vec(), ..numbered(1) }]).await;
    let slow = claim(&*store, 1, 10, 10).await[0].id;
    let quick = claim(&*store, 10, 20, 10).await[0].id;
    store.end_delivery(slow, DeliveryEnd::Failed("too late".into()), at(11)).await.unwrap();
    assert_eq!(one(&*store).await.deliveries[0].state, DeliveryState::Pending);
    store.end_delivery(slow, DeliveryEnd::Sent, at(12)).await.unwrap();
    assert_eq!(one(&*store).await.deliveries[0].state, DeliveryState::Sent);
    let retry = DeliveryEnd::Retry { due: at(13), error: "connection refused".into() };
    store.end_delivery(quick, retry, at(13)).await.unwrap();
    assert_eq!(one(&*store).await.deliveries[0].state, DeliveryState::Sent);
}

pub async fn however_many_claim_at_once_each_delivery_goes_to_one(fixture: Fixture) {
    let store = fixture.open().await;
    add(&*store, (0..60).map(numbered).collect()).await;
    let mut claimants = JoinSet::new();
    for _ in 0..8 {
        let store = Arc::clone(&store);
        claimants.spawn(async move {
            let mut claimed = Vec::new();
            loop {
                let chunk = claim(&*store, 1_000, 2_000, 7).await;
                assert!(chunk.len() <= 7);
                if chunk.is_empty() {
                    return claimed;
                }
                claimed.extend(chunk.into_iter().map(|delivery| (delivery.id.notice, delivery.id.place)));
            }
        });
    }
    let claimed: Vec<_> = claimants.join_all().await.into_iter().flatten().collect();
    assert_eq!((claimed.len(), claimed.iter().collect::<BTreeSet<_>>().len()), (120, 120));
}

fn step(before: Option<Said>, after: Option<Said>, notice: Option<OperatorNotice>) -> AlarmStep {
    AlarmStep { account: POSITION_OF_A, before, after, notice }
}

pub async fn a_step_of_an_alarm_is_taken_from_what_was_said_and_from_nothing_else(fixture: Fixture) {
    let store = fixture.open().await;
    let [first, second] = [(1, 1), (5, 2)].map(|(last, count)| Said { since: at(1), last: at(last), count });
    let take = async |step: AlarmStep| store.take_alarm_step(step).await.unwrap();
    assert_eq!(store.alarms().await.unwrap(), []);
    assert!(!take(step(Some(first), Some(second), Some(numbered(9)))).await, "nothing was said");
    assert!(take(step(None, Some(first), Some(numbered(1)))).await);
    assert!(!take(step(None, Some(first), Some(numbered(9)))).await);
    assert_eq!(store.alarms().await.unwrap(), [Alarm { account: POSITION_OF_A, said: first }]);
    assert!(take(step(Some(first), Some(second), Some(numbered(2)))).await);
    assert!(!take(step(Some(first), Some(second), Some(numbered(9)))).await);
    assert!(!take(step(Some(first), None, None)).await);
    assert!(take(AlarmStep { account: POSITION_OF_B, ..step(None, Some(first), None) }).await);
    let expected = [(POSITION_OF_A, second), (POSITION_OF_B, first)].map(|(account, said)| Alarm { account, said });
    assert_eq!(store.alarms().await.unwrap(), expected);
    assert!(take(step(Some(second), None, None)).await);
    assert!(!take(step(Some(second), None, None)).await);
    assert_eq!(store.alarms().await.unwrap(), expected[1..]);
    let rows = store.notices(ALL).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| row.notice.content).collect();
    assert_eq!(told, [numbered(2).content, numbered(1).content], "only the steps that were taken");
}

pub async fn however_many_take_a_step_at_once_one_does(fixture: Fixture) {
    let store = fixture.open().await;
    let said = |count: u32| Said { since: at(1), last: at(count.into()), count };
    for count in 1..6 {
        let before = (count > 1).then(|| said(count - 1));
        let mut takers = JoinSet::new();
        for _ in 0..8 {
            let (store, step) = (Arc::clone(&store), step(before, Some(said(count)), Some(numbered(count.into()))));
            takers.spawn(async move { store.take_alarm_step(step).await.unwrap() });
        }
        let taken = takers.join_all().await.into_iter().filter(|is_taken| *is_taken).count();
        assert_eq!(taken, 1, "{count}");
    }
    assert_eq!(store.notices(ALL).await.unwrap().len(), 5);
}

pub async fn old_notices_are_forgotten_in_chunks_with_their_deliveries_and_young_ones_stay(fixture: Fixture) {
    let store = fixture.open().await;
    add(&*store, (1..=5).map(numbered).collect()).await;
    let newest = store.notices(ALL).await.unwrap()[0].notice.id;
    assert_eq!(store.trim_notices(at(1), 10).await.unwrap(), 0);
    for expected in [2, 1, 0] {
        assert_eq!(store.trim_notices(at(4), 2).await.unwrap(), expected);
    }
    let left: Vec<_> = store.notices(ALL).await.unwrap().iter().map(|row| row.notice.made_at).collect();
    assert_eq!(left, [at(5), at(4)]);
    let due: Vec<_> = claim(&*store, 100, 200, 10).await.iter().map(|delivery| delivery.notice.made_at).collect();
    assert_eq!(due, [at(4), at(4), at(5), at(5)]);
    assert_eq!(store.trim_notices(at(6), 10).await.unwrap(), 2);
    assert_eq!(claim(&*store, 1_000, 2_000, 10).await, []);
    add(&*store, vec![numbered(6)]).await;
    assert!(store.notices(ALL).await.unwrap()[0].notice.id > newest, "an id is never used again");
}

pub async fn what_waits_and_what_was_said_are_found_after_a_restart(fixture: Fixture) {
    let store = fixture.open().await;
    let said = Said { since: at(1), last: at(2), count: 3 };
    assert!(store.take_alarm_step(step(None, Some(said), Some(numbered(1)))).await.unwrap());
    drop(store);
    let store = fixture.open().await;
    assert_eq!(store.alarms().await.unwrap(), [Alarm { account: POSITION_OF_A, said }]);
    assert_eq!(claim(&*store, 1, 100, 10).await.len(), 2);
}
