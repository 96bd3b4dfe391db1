//! Routes and questions of two nodes.

use crate::{
    nodes::{FAR, Runner, two_nodes_among_schemes},
    scheme::{EXTERNALS, PROXIES, fsp, id, prepare, units},
};
use hub_core::{Command, Dialect, Subject, discovery::Answered, transfers::Prepare};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use store::{Asked, Question, Store};
use tokio::task::JoinSet;
use vocabulary::{PartyId, PartyIdType, Timestamp};

fn question(number: u64) -> Question {
    let party = PartyId::try_new(PartyIdType::Msisdn, &format!("2557{number:05}"), None).unwrap();
    Question { source: fsp("bank-a"), party }
}

fn asked(number: u64, until: Timestamp) -> Asked {
    let proxies = ["p-1", "p-2", "p-3", "p-4"].map(fsp).to_vec();
    Asked { question: question(number), via: None, dialect: Dialect(1), proxies, until }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_answers_that_two_nodes_take_one_is_the_last() {
    let nodes = two_nodes_among_schemes().await;
    for number in 0..40 {
        assert!(nodes[0].ask(asked(number, FAR)).await.unwrap());
    }
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let node = Arc::clone(&nodes[task % 2]);
        tasks.spawn(async move {
            let mut last = Vec::new();
            let mut counted = 0;
            for number in 0..40 {
                // Each proxy's failure arrives twice, once at each node.
                let proxy = fsp(["p-1", "p-2", "p-3", "p-4"][(task / 2 + number as usize) % 4]);
                let verdict = node.take_answer(question(number), Some(proxy), false).await.unwrap();
                counted += usize::from(verdict.answered != Answered::NotPending);
                if verdict.answered == Answered::LastFailure {
                    last.push(number);
                }
            }
            (last, counted)
        });
    }
    let (last, counted): (Vec<Vec<u64>>, Vec<usize>) = tasks.join_all().await.into_iter().unzip();
    let mut last = last.concat();
    last.sort_unstable();
    assert_eq!(last, (0..40).collect::<Vec<u64>>(), "each question has one last failure");
    assert_eq!(counted.into_iter().sum::<usize>(), 160, "each proxy's first answer counts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_two_nodes_ask_is_asked_once() {
    let nodes = two_nodes_among_schemes().await;
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let node = Arc::clone(&nodes[task % 2]);
        tasks.spawn(async move {
            let mut count = 0;
            for number in 0..30 {
                count += usize::from(node.ask(asked(number, FAR)).await.unwrap());
            }
            count
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().sum::<usize>(), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_over_is_returned_to_one_of_two_nodes() {
    let nodes = two_nodes_among_schemes().await;
    let past = Timestamp::from_millis(1_000);
    for number in 0..60 {
        assert!(nodes[0].ask(asked(number, past)).await.unwrap());
    }
    let mut tasks = JoinSet::new();
    for task in 0..6 {
        let node = Arc::clone(&nodes[task % 2]);
        tasks.spawn(async move {
            let mut expired = Vec::new();
            for _ in 0..15 {
                expired.extend(node.expire_questions(7).await.unwrap().into_iter().map(|over| over.question));
            }
            expired
        });
    }
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for question in tasks.join_all().await.concat() {
        *times.entry(question.party.identifier.to_string()).or_default() += 1;
    }
    assert_eq!((times.len(), times.values().max()), (60, Some(&1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_changes_while_payments_pass_refuses_none() {
    let nodes = two_nodes_among_schemes().await;
    let is_over = Arc::new(AtomicBool::new(false));
    let (external, proxies) = (fsp(EXTERNALS[0]), PROXIES.map(fsp));
    let learning = async {
        let mut changes = 0;
        while !is_over.load(Ordering::Acquire) {
            let learned = nodes[1].learn_route(&external, &proxies[(changes + 1) % 2]).await.unwrap();
            assert!(learned, "it was behind the other");
            changes += 1;
        }
        changes
    };
    let paying = async {
        let mut tasks = JoinSet::new();
        for task in 0..4_u64 {
            let (mut runner, payer) = (Runner::new(&nodes[task as usize % 2]).await, external.clone());
            tasks.spawn(async move {
                for round in 0..60 {
                    let command = prepare(task * 1_000 + round, FAR);
                    let (source, payer, amount) = (payer.clone(), payer.clone(), Ok(units(10)));
                    let command = Prepare { source, payer, amount, ..command };
                    runner.run(&[Command::Prepare(Box::new(command))]).await;
                }
            });
        }
        tasks.join_all().await;
        is_over.store(true, Ordering::Release);
    };
    let (changes, ()) = tokio::join!(learning, paying);
    assert!(changes > 1, "a race worth its name");
    for number in (0..4).flat_map(|task| (0..60).map(move |round| task * 1_000 + round)) {
        let known = nodes[0].transfer(Subject::transfer(id(number))).await.unwrap().unwrap();
        assert!(
            known.is_open() && known.payer_proxy.is_some_and(|proxy| proxies.contains(&proxy)),
            "{:?}",
            known.state
        );
    }
    assert_eq!(nodes[0].verify().await.unwrap(), Vec::<String>::new());
}
