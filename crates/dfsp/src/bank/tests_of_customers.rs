//! Tests of limits, refunds and the counter: what is refused, what is booked once, and what a restart keeps.

use super::tests::{amount, bank, config, payment};
use super::*;
use crate::payment::{Other, Refund};
use proptest::prelude::*;
use sdk::{ErrorCode, new_id};
use std::path::Path;

fn tier(name: &str, [payment_max, day_max, balance_max]: [&str; 3]) -> Tier {
    let (payment_max, day_max, balance_max) = (amount(payment_max), amount(day_max), amount(balance_max));
    Tier { name: name.into(), payment_max, day_max, balance_max }
}

/// Ana may pay 30 at once, 50 a day, and hold 150.
fn limited(data: Option<&Path>) -> Bank {
    let tiers = vec![tier("Basic", ["30", "50", "150"]), tier("Full", ["1000", "1000", "1000"])];
    let config = Config { tiers, ..config(data) };
    Bank::open(config.clone(), Connection::new(config.connection)).unwrap()
}

fn outgoing(transfer: &str) -> Payment {
    payment(Direction::Outgoing, transfer)
}

fn incoming(transfer: &str) -> Payment {
    payment(Direction::Incoming, transfer)
}

fn refund(original: &Payment, part: &str) -> Payment {
    Payment { refund: Some(Refund { of: original.transaction_id(), amount: amount(part) }), ..outgoing(part) }
}

fn failed() -> Decision {
    Decision::Aborted(FspiopError::new(ErrorCode::TRANSFER_EXPIRED))
}

fn number(text: &str) -> PartyId {
    PartyId::try_new(vocabulary::PartyIdType::Msisdn, text, None).unwrap()
}

#[test]
fn a_payment_past_a_limit_is_not_opened_and_a_failed_one_gives_its_share_back() {
    let bank = limited(None);
    assert!(matches!(bank.open_payment(outgoing("30.01")), Err(BankError::Limit(Limit::Payment(_)))));
    let first = outgoing("30");
    bank.open_payment(first.clone()).unwrap();
    let second = bank.open_payment(outgoing("20.01"));
    assert!(matches!(second, Err(BankError::Limit(Limit::Day(left))) if left == amount("20")), "{second:?}");
    bank.settle(first.id, &failed()).unwrap();
    bank.open_payment(outgoing("30")).unwrap();
}

#[test]
fn what_is_on_its_way_counts_for_the_greatest_balance() {
    let bank = limited(None);
    let first = incoming("30");
    bank.open_payment(first.clone()).unwrap();
    let second = bank.open_payment(incoming("20.01"));
    assert!(matches!(second, Err(BankError::Limit(Limit::Balance(_)))), "{second:?}");
    bank.settle(first.id, &failed()).unwrap();
    bank.open_payment(incoming("20.01")).unwrap();
}

#[test]
fn another_tier_has_other_limits_and_who_is_blocked_neither_pays_nor_is_paid() {
    let directory = tempfile::tempdir().unwrap();
    let bank = limited(Some(directory.path()));
    bank.change_standing("ana", Standing { tier: "Full".into(), is_blocked: false }).unwrap();
    bank.open_payment(outgoing("60")).unwrap();
    bank.change_standing("ana", Standing { tier: "Full".into(), is_blocked: true }).unwrap();
    drop(bank);
    let bank = limited(Some(directory.path()));
    assert_eq!(bank.tier_of("ana").name, "Full");
    for payment in [outgoing("1"), incoming("1")] {
        assert!(matches!(bank.open_payment(payment), Err(BankError::Blocked)));
    }
    assert!(matches!(bank.move_cash(new_id(), "ana", amount("1")), Err(BankError::Blocked)));
}

#[test]
fn what_was_received_is_given_back_once_in_all_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let bank = bank(Some(directory.path()));
    let original = incoming("80");
    bank.open_payment(original.clone()).unwrap();
    let early = bank.open_payment(refund(&original, "1"));
    assert!(matches!(early, Err(BankError::RefundTooLarge(left)) if left.is_zero()), "not received yet: {early:?}");
    bank.settle(original.id, &Decision::Committed).unwrap();
    let (first, lost) = (refund(&original, "50"), refund(&original, "30"));
    bank.open_payment(first.clone()).unwrap();
    bank.open_payment(lost.clone()).unwrap();
    bank.settle(first.id, &Decision::Committed).unwrap();
    bank.settle(lost.id, &failed()).unwrap();
    drop(bank);
    let bank = super::tests::bank(Some(directory.path()));
    let original = bank.payment(original.id).unwrap();
    assert_eq!(bank.refundable(&original), amount("30"));
    let more = bank.open_payment(refund(&original, "30.01"));
    assert!(matches!(more, Err(BankError::RefundTooLarge(left)) if left == amount("30")), "{more:?}");
    bank.open_payment(refund(&original, "30")).unwrap();
    assert!(bank.refundable(&original).is_zero());
}

#[test]
fn only_what_came_from_there_is_given_back_there() {
    let bank = bank(None);
    let original = incoming("80");
    bank.open_payment(original.clone()).unwrap();
    bank.settle(original.id, &Decision::Committed).unwrap();
    let elsewhere = Other { number: "44444".into(), ..original.other.clone() };
    for wrong in [
        Payment { other: elsewhere, ..refund(&original, "1") },
        Payment { customer: "ben".into(), ..refund(&original, "1") },
        refund(&outgoing("5"), "1"),
    ] {
        assert!(matches!(bank.open_payment(wrong), Err(BankError::RefundTooLarge(_))));
    }
    let second = Payment { refund: Some(Refund { of: new_id(), amount: amount("5") }), ..incoming("5") };
    bank.open_payment(second.clone()).unwrap();
    bank.settle(second.id, &Decision::Committed).unwrap();
    assert!(bank.refundable(&bank.payment(second.id).unwrap()).is_zero(), "a refund is not given back again");
}

#[test]
fn cash_moves_once_per_slip_and_never_more_than_there_is() {
    let directory = tempfile::tempdir().unwrap();
    let bank = bank(Some(directory.path()));
    let slip = new_id();
    assert!(bank.move_cash(slip, "ana", amount("50")).unwrap());
    assert!(!bank.move_cash(slip, "ana", amount("50")).unwrap());
    assert_eq!((bank.balance("ana").0, bank.balance_of(&Account::Cash)), (amount("150"), amount("-150")));
    bank.open_payment(outgoing("99")).unwrap();
    let held = bank.move_cash(new_id(), "ana", amount("-50.01"));
    assert!(matches!(held, Err(BankError::NotEnoughMoney)), "100 are set aside: {held:?}");
    for nothing in ["0", "0.001"] {
        assert!(matches!(bank.move_cash(new_id(), "ana", amount(nothing)), Err(BankError::ImpossibleAmount)));
    }
    assert!(bank.move_cash(new_id(), "ana", amount("-50")).unwrap());
    drop(bank);
    let bank = super::tests::bank(Some(directory.path()));
    assert!(!bank.move_cash(slip, "ana", amount("50")).unwrap(), "a restart knows the slip");
    assert_eq!(bank.balance("ana"), (amount("100"), Amount::ZERO));
    assert!(bank.is_balanced());
}

#[test]
fn the_vault_gives_what_it_has() {
    let bank = bank(None);
    let received = incoming("500");
    bank.open_payment(received.clone()).unwrap();
    bank.settle(received.id, &Decision::Committed).unwrap();
    assert!(matches!(bank.move_cash(new_id(), "ana", amount("-100.01")), Err(BankError::EmptyVault)));
    assert!(bank.move_cash(new_id(), "ana", amount("-100")).unwrap());
}

#[test]
fn a_customer_of_the_counter_is_there_after_a_restart_and_a_number_has_one_account() {
    let directory = tempfile::tempdir().unwrap();
    let bank = bank(Some(directory.path()));
    let opened = bank.open_customer("Zawadi", &number("55555"), "Basic").unwrap();
    assert_eq!(opened, Opening::Opened("c55555".into()));
    assert_eq!(bank.open_customer("Zoë", &number("55555"), "Basic").unwrap(), Opening::Known("c55555".into()));
    assert_eq!(bank.open_customer("Zoë", &number("11111"), "Basic").unwrap(), Opening::Known("ana".into()));
    bank.move_cash(new_id(), "c55555", amount("7")).unwrap();
    drop(bank);
    let bank = super::tests::bank(Some(directory.path()));
    let customer = bank.customer_of(&number("55555")).unwrap();
    assert_eq!((customer.name.as_str(), bank.balance("c55555").0), ("Zawadi", amount("7")));
}

#[derive(Clone, Debug)]
enum Step {
    Cash(i64),
    Pay(i64, bool),
    Receive(i64, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (-200_i64..200).prop_map(Step::Cash),
        (1_i64..100, any::<bool>()).prop_map(|(coins, ends_well)| Step::Pay(coins, ends_well)),
        (1_i64..100, any::<bool>()).prop_map(|(coins, ends_well)| Step::Receive(coins, ends_well)),
    ]
}

fn play(bank: &Bank, step: &Step) {
    let coins = |coins: i64| Amount::from_units(coins * 10_000);
    let (payment, ends_well) = match *step {
        Step::Cash(count) => {
            let _ = bank.move_cash(new_id(), "ana", coins(count));
            return;
        }
        Step::Pay(count, ends_well) => {
            (Payment { transfer: coins(count), received: coins(count), ..outgoing("1") }, ends_well)
        }
        Step::Receive(count, ends_well) => {
            (Payment { transfer: coins(count), received: coins(count), ..incoming("1") }, ends_well)
        }
    };
    let decision = if ends_well { Decision::Committed } else { failed() };
    if bank.open_payment(payment.clone()).is_ok() {
        bank.settle(payment.id, &decision).unwrap();
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_statement_ends_with_the_balance_and_the_books_balance(
        steps in prop::collection::vec(step(), 0..40)
    ) {
        let bank = bank(None);
        for step in &steps {
            play(&bank, step);
            let (balance, available) = bank.balance("ana");
            let statement = bank.statement("ana", Timestamp::from_millis(0), Timestamp::from_millis(i64::MAX));
            prop_assert_eq!(statement.closing, balance);
            prop_assert!(bank.is_balanced() && available <= balance && !available.is_negative());
        }
    }
}
