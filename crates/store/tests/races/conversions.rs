//! A transfer and its conversions, that come to different writers at once: they are decided one after the other, and end
//! together.

use crate::{
    nodes::{FAR, Runner, on_all_writers, shuffled, two_nodes_among_schemes},
    scheme::{self, Random, agree, id, positions, prepare_conversion, prepare_converted, reject_conversion},
};
use hub_core::{
    Command, Rejection, Subject,
    transfers::{Stage, TransferState},
};
use std::sync::Arc;
use store::{Store, postgres::PostgresStore};

/// Conversions have ids of their own, apart from those of transfers.
const CONVERSIONS: u64 = 1_000_000;

fn convert(number: u64) -> Command {
    Command::PrepareConversion(Box::new(prepare_conversion(CONVERSIONS + number, number, FAR)))
}

fn agree_to(number: u64) -> Command {
    Command::Agree(Box::new(agree(CONVERSIONS + number, number)))
}

fn pay(number: u64) -> Command {
    Command::Prepare(Box::new(prepare_converted(number, FAR)))
}

fn fulfil(number: u64) -> Command {
    Command::Fulfil(Box::new(scheme::fulfil(number)))
}

fn reject(number: u64) -> Command {
    Command::RejectConversion(Box::new(reject_conversion(CONVERSIONS + number, number)))
}

/// The states of a transfer and of its conversion.
async fn states(node: &PostgresStore, number: u64) -> [TransferState; 2] {
    let transfer = node.transfer(Subject::transfer(id(number))).await.unwrap().unwrap();
    let conversion = node.transfer(Subject::conversion(id(CONVERSIONS + number))).await.unwrap().unwrap();
    [transfer.state, conversion.state]
}

/// Conversions that are agreed to, and the transfers that they wait for.
async fn agreed(node: &PostgresStore, numbers: std::ops::Range<u64>) {
    let mut runner = Runner::new(node).await;
    for command in [convert, agree_to, pay] {
        runner.run(&numbers.clone().map(command).collect::<Vec<_>>()).await;
    }
}

async fn assert_at_rest(nodes: &[Arc<PostgresStore>; 2]) {
    assert_eq!(nodes[1].verify().await.unwrap(), Vec::<String>::new());
    assert!(positions(&*nodes[0]).await.iter().all(|(.., held)| *held == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_and_its_conversion_that_come_at_once_see_each_other() {
    let nodes = two_nodes_among_schemes().await;
    on_all_writers(&nodes, |task, mut runner| async move {
        for numbers in shuffled(90, task / 2).chunks(6) {
            let of = |number: &u64| {
                if (task + *number as usize).is_multiple_of(2) { pay(*number) } else { convert(*number) }
            };
            runner.run(&numbers.iter().map(of).collect::<Vec<_>>()).await;
        }
        ((), runner)
    })
    .await;
    for number in 0..90 {
        let found = states(&nodes[0], number).await;
        // Whichever came second knew the first: the transfer needs an agreement, the conversion another payment.
        let (refused, differs) = (
            TransferState::Refused(Rejection::ConversionNotAgreed),
            TransferState::Refused(Rejection::ConversionDiffers),
        );
        let right = [[refused, TransferState::Reserved], [TransferState::Reserved, differs]];
        assert!(right.contains(&found), "{number}: {found:?}");
    }
    assert_eq!(nodes[1].verify().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_is_fulfilled_and_refused_at_once_has_one_outcome() {
    const ROUND: u64 = 20;
    let nodes = two_nodes_among_schemes().await;
    let mut committed = 0;
    for round in 0..4 {
        let first = round * ROUND;
        agreed(&nodes[0], first..first + ROUND).await;
        on_all_writers(&nodes, |task, mut runner| async move {
            for numbers in shuffled(ROUND, task + round as usize).chunks(5) {
                let of = |number: &u64| {
                    let is_fulfilled = (task as u64 + number).is_multiple_of(2);
                    if is_fulfilled { fulfil(first + number) } else { reject(first + number) }
                };
                runner.run(&numbers.iter().map(of).collect::<Vec<_>>()).await;
            }
            ((), runner)
        })
        .await;
        for number in first..first + ROUND {
            match states(&nodes[1], number).await {
                [TransferState::Committed { .. }, TransferState::Committed { .. }] => committed += 1,
                [TransferState::Aborted(_), TransferState::Aborted(_)] => {}
                other => panic!("{number}: {other:?}"),
            }
        }
    }
    assert_at_rest(&nodes).await;
    let moved = |units: i64| committed * units;
    let expected: Vec<(String, String, i64, i64)> = [
        ("bank-a", "USD", moved(100_000)),
        ("bank-b", "EUR", moved(-80_000)),
        ("fxp-a", "EUR", moved(80_000)),
        ("fxp-a", "USD", moved(-100_000)),
    ]
    .into_iter()
    .filter(|(.., posted)| *posted != 0)
    .map(|(name, currency, posted)| (name.into(), currency.into(), posted, 0))
    .collect();
    assert_eq!(positions(&*nodes[0]).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_of_the_same_payments_no_part_is_left_behind() {
    const PAYMENTS: u64 = 60;
    let nodes = two_nodes_among_schemes().await;
    on_all_writers(&nodes, |task, mut runner| async move {
        let mut random = Random(task as u64);
        for round in 0..8 {
            for numbers in shuffled(PAYMENTS, task + round).chunks(7) {
                let steps = [convert, agree_to, agree_to, pay, pay, fulfil, fulfil, reject];
                let command = |number: &u64| steps[random.below(steps.len() as u64) as usize](*number);
                let commands: Vec<Command> = numbers.iter().map(command).collect();
                runner.run(&commands).await;
            }
        }
        ((), runner)
    })
    .await;
    let mut runner = Runner::new(&nodes[0]).await;
    let commands: Vec<Command> = (0..PAYMENTS).map(pay).collect();
    runner.run(&commands).await;
    for end in [fulfil, reject] {
        runner.run(&(0..PAYMENTS).map(end).collect::<Vec<_>>()).await;
    }
    for number in 0..PAYMENTS {
        let transfer = nodes[0].transfer(Subject::transfer(id(number))).await.unwrap().unwrap();
        let conversion = nodes[0].transfer(Subject::conversion(id(CONVERSIONS + number))).await.unwrap();
        let stage = conversion.map(|known| known.stage());
        let is_whole = match stage {
            Some(Stage::Committed) => transfer.stage() == Stage::Committed,
            Some(Stage::Aborted | Stage::Refused) | None => !transfer.is_open(),
            Some(Stage::Reserved | Stage::Forwarded | Stage::Agreed) => false,
        };
        assert!(is_whole, "{transfer:?} with {stage:?}");
    }
    assert_at_rest(&nodes).await;
}
