//! Two nodes on one PostgreSQL, with many writers each: whatever overlaps, each payment is decided once, on balances
//! that nobody else is changing, in a window that is open. The order of locks leaves no deadlock, so that no unit of
//! these tests has to run again.
#![allow(clippy::unwrap_used, reason = "a test fails where its helper does")]

#[path = "../contract/scheme.rs"]
#[allow(dead_code, reason = "the contract suite uses all of it")]
mod scheme;
#[path = "../contract/settling.rs"]
mod settling;

mod conversions;
mod nodes;
mod other_schemes;

use hub_core::{
    Command, Message, Rejection, Subject, WindowId,
    administration::{Change, Directory},
    settlement::WindowState,
};
use ledger::{AccountKind, Cap};
use nodes::{
    Runner, WRITERS_PER_NODE, client, fulfil, is_relayed, number, on_all_writers, prepare, shuffled, two_nodes,
};
use scheme::{BANKS, HUB, LIQUIDITY, POSITION_OF_A, fsp, id, units};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use store::{
    PartyChange, PartyEntry, Store, UnitWork, WindowQuery, Writer, postgres::PostgresStore, postgres::scratch,
};
use tokio::task::JoinSet;
use vocabulary::{PartyId, PartyIdType};

const A: &str = BANKS[0];
const B: &str = BANKS[1];

#[tokio::test(flavor = "multi_thread")]
async fn one_id_is_created_once_however_many_ask() {
    let (nodes, _) = two_nodes().await;
    let relayed = on_all_writers(&nodes, |task, mut runner| async move {
        let mut relayed = Vec::new();
        for numbers in shuffled(120, task).chunks(12) {
            let commands: Vec<Command> = numbers.iter().map(|number| prepare(*number, [A, B], 10)).collect();
            for (number, outcome) in numbers.iter().zip(runner.run(&commands).await) {
                match &outcome.notices[..] {
                    [notice] if notice.message == Message::Relay => relayed.push(*number),
                    [notice] => assert!(matches!(notice.message, Message::Status(_)), "{notice:?}"),
                    other => panic!("{other:?}"),
                }
            }
        }
        (relayed, runner)
    })
    .await;
    let mut relayed = relayed.concat();
    relayed.sort_unstable();
    assert_eq!(relayed, (0..120).collect::<Vec<u64>>());
    assert_eq!(nodes[0].verify().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn liquidity_is_never_overspent() {
    let (nodes, _) = two_nodes().await;
    let amount = LIQUIDITY / 100 - 1;
    let results = on_all_writers(&nodes, |task, mut runner| async move {
        let mut relayed = 0;
        for number in 0..40 {
            let outcome = &runner.run(&[prepare((task * 1_000 + number) as u64, [A, B], amount)]).await[0];
            let short = Message::Failure(Rejection::PayerShortOfLiquidity);
            assert!(is_relayed(outcome) || outcome.notices[0].message == short, "{outcome:?}");
            relayed += i64::from(is_relayed(outcome));
        }
        (relayed, runner)
    })
    .await;
    assert_eq!(results.into_iter().sum::<i64>(), LIQUIDITY / amount, "of 320 payments, as many as there is money for");
    assert_eq!(nodes[1].verify().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn units_that_cross_do_not_wait_in_a_circle() {
    let (nodes, _) = two_nodes().await;
    let counts = on_all_writers(&nodes, |task, mut runner| async move {
        let mut relayed = 0;
        for round in 0..25 {
            let first = (task * 10_000 + round * 10) as u64;
            let between = |offset: usize| [0, 1].map(|side| BANKS[(task + round + offset + side) % 4]);
            let pairs: Vec<(u64, [&str; 2])> = (first..).zip((0..4).map(between)).collect();
            let prepares: Vec<Command> = pairs.iter().map(|(number, pair)| prepare(*number, *pair, 5)).collect();
            relayed += runner.run(&prepares).await.iter().filter(|outcome| is_relayed(outcome)).count();
            let fulfils: Vec<Command> = pairs.iter().rev().map(|(number, pair)| fulfil(*number, *pair)).collect();
            relayed += runner.run(&fulfils).await.iter().filter(|outcome| is_relayed(outcome)).count();
        }
        (relayed, runner)
    })
    .await;
    assert_eq!(counts, [25 * 8; 2 * WRITERS_PER_NODE]);
    assert_eq!(nodes[0].verify().await.unwrap(), Vec::<String>::new());
    let directory = nodes[0].directory().await.unwrap();
    assert!(directory.accounts.iter().all(|record| record.account.held.is_zero()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fulfil_that_two_nodes_receive_moves_money_once() {
    let (nodes, _) = two_nodes().await;
    let prepares: Vec<Command> = (0..30).map(|number| prepare(number, [A, B], 10)).collect();
    Runner::new(&nodes[0]).await.run(&prepares).await;
    let relayed = on_all_writers(&nodes, |task, mut runner| async move {
        let mut relayed = 0;
        for numbers in shuffled(30, task).chunks(5) {
            let commands: Vec<Command> = numbers.iter().map(|number| fulfil(*number, [A, B])).collect();
            relayed += runner.run(&commands).await.iter().filter(|outcome| is_relayed(outcome)).count();
        }
        (relayed, runner)
    })
    .await;
    assert_eq!(relayed.into_iter().sum::<usize>(), 30);
    let directory = nodes[0].directory().await.unwrap();
    let payer = directory.accounts.iter().find(|record| record.account.id == POSITION_OF_A).unwrap();
    assert_eq!((payer.account.posted, payer.account.held), (units(300), units(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_window_is_final_and_every_commit_has_one() {
    let (nodes, address) = two_nodes().await;
    let is_over = Arc::new(AtomicBool::new(false));
    let closing = async {
        let client = client(&address).await;
        let mut sums = Vec::new();
        let mut writer = nodes[1].writer().await.unwrap();
        for window in 1..=20 {
            let joined = format!("SELECT count(*) FROM entries WHERE window_id = {window}");
            while number(&client, &joined).await == 0 {
                tokio::task::yield_now().await;
            }
            let next = settling::close(&mut *writer, WindowId(window)).await.unwrap();
            assert_eq!(next.id, WindowId(window + 1), "windows follow each other");
            sums.push(number(&client, &sum_of_window(window)).await);
        }
        is_over.store(true, Ordering::Release);
        sums
    };
    let paying = on_all_writers(&nodes, |task, mut runner| {
        let is_over = Arc::clone(&is_over);
        async move {
            let mut committed = 0;
            while !is_over.load(Ordering::Acquire) {
                let number = (task * 1_000_000) as u64 + committed;
                runner.run(&[prepare(number, [A, B], 1)]).await;
                assert!(is_relayed(&runner.run(&[fulfil(number, [A, B])]).await[0]));
                committed += 1;
            }
            (committed, runner)
        }
    });
    let (sums, committed) = tokio::join!(closing, paying);
    let client = client(&address).await;
    for (window, sum_at_close) in (1..).zip(sums) {
        let sum = number(&client, &sum_of_window(window)).await;
        assert_eq!(sum, sum_at_close, "nothing joins window {window} after its close");
    }
    let settled = number(&client, "SELECT count(*) FROM entries WHERE window_id IS NOT NULL").await;
    assert_eq!(settled, committed.into_iter().sum::<u64>() as i64);
    let disagreeing = "SELECT count(*) FROM entries JOIN transfers ON transfers.key = entries.transfer \
                       WHERE entries.window_id IS DISTINCT FROM transfers.window_id";
    assert_eq!(number(&client, disagreeing).await, 0);
}

fn sum_of_window(window: i64) -> String {
    format!("SELECT coalesce(sum(amount), 0)::BIGINT FROM entries WHERE window_id = {window}")
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_and_administrative_changes_leave_each_other_whole() {
    let (nodes, _) = two_nodes().await;
    let results = on_all_writers(&nodes, |task, mut runner| async move {
        let mut relayed = 0;
        for round in 0..30 {
            if task < 2 {
                change_cap(&mut *runner.writer, LIQUIDITY - round).await;
                continue;
            }
            let number = (task * 1_000) as u64 + round as u64;
            relayed += i64::from(is_relayed(&runner.run(&[prepare(number, [A, B], 7)]).await[0]));
        }
        (relayed, runner)
    })
    .await;
    let relayed: i64 = results.iter().sum();
    assert_eq!(relayed, 6 * 30, "no payment was lost to a change");
    let directory = nodes[1].directory().await.unwrap();
    assert_eq!(directory.version, 1 + 2 * 30, "no change was lost to another");
    let payer = directory.accounts.iter().find(|record| record.account.id == POSITION_OF_A).unwrap().account;
    assert_eq!((payer.held, payer.cap.map(|cap| cap.limit)), (units(7 * relayed), Some(units(LIQUIDITY - 29))));
    assert_eq!(nodes[0].verify().await.unwrap(), Vec::<String>::new());
}

async fn change_cap(writer: &mut dyn Writer, limit: i64) {
    writer.open(&[]).await.unwrap();
    let (directory, _) = writer.lock_directory().await.unwrap();
    let mut record = directory.accounts.into_iter().find(|record| record.account.id == POSITION_OF_A).unwrap();
    record.account.cap = Some(Cap { limit: units(limit), alarm_percentage: units(10_0000), share: None });
    let administration = vec![Change::SetAccount(record)];
    writer.commit(UnitWork { administration, actor: "operator".into(), ..UnitWork::default() }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn administrative_changes_see_each_other() {
    let (nodes, _) = two_nodes().await;
    let before = nodes[0].directory().await.unwrap();
    on_all_writers(&nodes, |task, mut runner| async move {
        for round in 0..10 {
            runner.writer.open(&[]).await.unwrap();
            let (directory, now) = runner.writer.lock_directory().await.unwrap();
            let next = 1 + directory.accounts.iter().map(|record| record.account.id.0).max().unwrap_or(0);
            let added = scheme::participant(1_000 + next, &format!("bank-{task}-{round}"), now);
            let account = scheme::account(next, 1_000 + next, AccountKind::Position, now);
            let administration = vec![Change::AddParticipant(added), Change::AddAccount(account)];
            let work = UnitWork { administration, actor: "operator".into(), ..UnitWork::default() };
            runner.writer.commit(work).await.unwrap();
        }
        ((), runner)
    })
    .await;
    let after = nodes[1].directory().await.unwrap();
    let counts = |directory: &Directory| (directory.participants.len(), directory.accounts.len(), directory.version);
    let (participants, accounts, version) = counts(&before);
    assert_eq!(counts(&after), (participants + 80, accounts + 80, version + 80));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_can_be_verified_while_payments_and_closes_go_on() {
    let (nodes, _) = two_nodes().await;
    let verifying = async {
        let mut writer = nodes[0].writer().await.unwrap();
        for _ in 0..15 {
            assert_eq!(nodes[0].verify().await.unwrap(), Vec::<String>::new());
            let window = nodes[0].windows(open_windows()).await.unwrap().remove(0).id;
            // A window without payments is not closed.
            if settling::close(&mut *writer, window).await.is_ok() {
                settling::take_totals(&*nodes[1], &mut *writer, window).await;
            }
        }
    };
    let paying = on_all_writers(&nodes, |task, mut runner| async move {
        for round in 0..40 {
            let number = (task * 1_000 + round) as u64;
            // Units on different accounts commit in another order than that of their entries' ids.
            let pair = [BANKS[task % 4], BANKS[(task + 2) % 4]];
            runner.run(&[prepare(number, pair, 3)]).await;
            runner.run(&[fulfil(number, pair)]).await;
        }
        ((), runner)
    });
    tokio::join!(verifying, paying);
    let last = nodes[1].transfer(Subject::transfer(id(7_039))).await.unwrap().unwrap();
    assert!(last.window.is_some(), "{last:?}");
}

fn open_windows() -> WindowQuery {
    WindowQuery { states: Some(vec![WindowState::Open]), ..WindowQuery::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_close_the_same_window_close_it_once_and_keep_every_payment() {
    let (nodes, _) = two_nodes().await;
    let is_over = Arc::new(AtomicBool::new(false));
    let closing = async {
        let mut taken = Vec::new();
        let mut writers = [nodes[0].writer().await.unwrap(), nodes[1].writer().await.unwrap()];
        let mut window = WindowId(1);
        while window.0 <= 10 {
            let [first, second] = &mut writers;
            let (one, other) =
                tokio::join!(settling::close(&mut **first, window), settling::close(&mut **second, window));
            let closed = usize::from(one.is_ok()) + usize::from(other.is_ok());
            assert!(closed <= 1, "{one:?} {other:?}");
            if closed == 0 {
                // No payment had come yet.
                tokio::task::yield_now().await;
                continue;
            }
            // Whoever comes second finds the contents and leaves them as they are.
            let (store, another) = (&*nodes[0], &*nodes[1]);
            tokio::join!(
                settling::take_totals(store, &mut **first, window),
                settling::take_totals(another, &mut **second, window)
            );
            taken.push((window, nodes[1].window_totals(window).await.unwrap()));
            window = WindowId(window.0 + 1);
        }
        is_over.store(true, Ordering::Release);
        taken
    };
    let paying = on_all_writers(&nodes, |task, mut runner| {
        let is_over = Arc::clone(&is_over);
        async move {
            let mut committed = 0;
            while !is_over.load(Ordering::Acquire) {
                let number = (task * 1_000_000) as u64 + committed;
                let pair = [BANKS[task % 4], BANKS[(task + 1) % 4]];
                runner.run(&[prepare(number, pair, 1)]).await;
                assert!(is_relayed(&runner.run(&[fulfil(number, pair)]).await[0]));
                committed += 1;
            }
            (committed, runner)
        }
    });
    let (taken, _) = tokio::join!(closing, paying);
    for (window, totals) in taken {
        assert_eq!(nodes[0].window_totals(window).await.unwrap(), totals, "nothing joins {window:?} after its close");
        let query = WindowQuery { ids: Some(vec![window]), ..WindowQuery::default() };
        let stored = nodes[0].windows(query).await.unwrap().remove(0);
        assert_eq!(stored.state, WindowState::Closed);
        assert_eq!(stored.contents.iter().flat_map(|content| content.totals.clone()).collect::<Vec<_>>(), totals);
    }
    assert_eq!(nodes[1].verify().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn units_that_register_the_same_parties_do_not_wait_in_a_circle() {
    let (nodes, _) = two_nodes().await;
    let party = |number: u64| PartyId::try_new(PartyIdType::Msisdn, &format!("100{number}"), None).unwrap();
    on_all_writers(&nodes, move |task, mut runner| async move {
        for round in 0..20 {
            let changes = shuffled(20, task + round).into_iter().flat_map(|number| {
                let entry = |currency: &str| PartyEntry {
                    party: party(number),
                    fsp: fsp(BANKS[task % 4]),
                    currency: Some(currency.parse().unwrap()),
                };
                let remove = PartyChange::Remove { party: party(number), currency: None };
                // What one unit removes first, another registers first.
                match (number as usize + task).is_multiple_of(2) {
                    true => vec![remove],
                    false => vec![PartyChange::Register(entry("USD")), remove, PartyChange::Register(entry("EUR"))],
                }
            });
            let work = UnitWork { parties: changes.collect(), ..UnitWork::default() };
            scheme::commit(&mut *runner.writer, work).await.unwrap();
        }
        ((), runner)
    })
    .await;
    for number in 0..20 {
        let entries = nodes[0].parties(party(number)).await.unwrap();
        let in_dollars = entries.iter().filter(|entry| entry.currency == Some(scheme::usd())).count();
        assert_eq!(in_dollars, 0, "the removal took the first registration back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_nodes_that_start_on_an_empty_database_create_it_once() {
    let address = scratch::database().await.unwrap();
    let mut starts = JoinSet::new();
    for _ in 0..6 {
        let address = address.clone();
        starts.spawn(async move { PostgresStore::connect(&address, &fsp(HUB)).await.map(|_| ()) });
    }
    for started in starts.join_all().await {
        started.unwrap();
    }
    assert_eq!(number(&client(&address).await, "SELECT count(*) FROM participants").await, 1);
}
