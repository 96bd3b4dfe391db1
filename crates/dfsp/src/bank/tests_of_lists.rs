//! Tests of lists: a line is paid once, whatever is repeated, and a fault is for good.

use super::tests::{amount, bank, payment};
use super::*;
use crate::lists::{Line, Outcome};
use crate::wallet::in_words;
use sdk::new_id;

/// Two lines, of which nothing is paid yet.
fn list() -> List {
    let line = |number: &str| Line {
        id: new_id(),
        number: number.into(),
        amount: amount("5"),
        note: None,
        name: Some("Zoë".into()),
        fault: None,
    };
    let (id, customer, opened) = (new_id(), "ana".to_owned(), now());
    List { id, customer, opened, is_started: false, lines: vec![line("33333"), line("44444")] }
}

#[tokio::test]
async fn a_line_that_could_not_be_offered_has_a_fault_for_good() {
    let directory = tempfile::tempdir().unwrap();
    let list = list();
    let first = Arc::new(bank(Some(directory.path())));
    first.open_list(list.clone()).unwrap();
    assert!(first.mark_started(list.id).unwrap());
    assert!(!first.mark_started(list.id).unwrap(), "a list is begun once");
    first.clone().pay_list(list.id, in_words).await;
    let known = first.list(list.id).unwrap();
    assert!(known.lines.iter().all(|line| first.outcome(line).has_ended()), "the hub is away");
    assert_eq!(known.payable(), (0, Amount::ZERO));
    drop(first);
    let bank = bank(Some(directory.path()));
    assert_eq!(bank.started_lists(), [list.id]);
    assert_eq!(bank.list(list.id), Some(known));
    assert_eq!(bank.balance("ana"), (amount("100"), amount("100")));
}

#[tokio::test]
async fn a_line_with_a_payment_is_not_paid_again_when_the_list_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let list = list();
    let first = bank(Some(directory.path()));
    first.open_list(list.clone()).unwrap();
    first.mark_started(list.id).unwrap();
    let paid = Payment { id: list.lines[0].id, ..payment(Direction::Outgoing, "5") };
    first.open_payment(paid.clone()).unwrap();
    first.settle(paid.id, &Decision::Committed).unwrap();
    drop(first);
    let bank = Arc::new(bank(Some(directory.path())));
    bank.clone().pay_list(list.id, in_words).await;
    let known = bank.list(list.id).unwrap();
    let outcomes: Vec<Outcome> = known.lines.iter().map(|line| bank.outcome(line)).collect();
    assert!(matches!(&outcomes[0], Outcome::Payment(payment) if !payment.is_pending()), "{outcomes:?}");
    assert!(matches!(&outcomes[1], Outcome::Fault(_)), "{outcomes:?}");
    assert_eq!(bank.balance("ana").0, amount("94"), "5 and a fee of 1, once");
}
