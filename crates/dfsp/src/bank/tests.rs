//! Tests of the books: what a decision of the scheme makes of the money.

use super::*;
use crate::config::Temper;
use crate::fees::{FeeRule, Fees};
use crate::payment::{Conversion, Intake, Other};
use sdk::{ErrorCode, FspiopError, FxNews, FxStatus, TransferState, new_id};
use std::path::Path;
use std::time::Duration;
use vocabulary::{PartyIdType, Timestamp};

pub(crate) fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

/// A DFSP with Ana (100) and Ben (0), whose hub does not exist.
pub(crate) fn config(data: Option<&Path>) -> Config {
    let customer = |id: &str, number: &str, deposit: &str| Customer {
        id: id.into(),
        name: format!("{id} of Green"),
        number: PartyId::try_new(PartyIdType::Msisdn, number, None).unwrap(),
        deposit: amount(deposit),
        takes: Vec::new(),
        tier: String::new(),
        temper: Temper::Welcoming,
    };
    let mut connection = sdk::Config::new("green".parse().unwrap(), "http://127.0.0.1:1", "secret");
    connection.attempts_max = 1;
    Config {
        connection,
        title: "Green Bank".into(),
        hue: 150,
        currency: "KES".parse().unwrap(),
        fees: Fees {
            sending: FeeRule { basis_points: 100, minimum: amount("1") },
            receiving: FeeRule::FREE,
            decimals: 2,
        },
        tiers: Vec::new(),
        customers: vec![customer("ana", "11111", "100"), customer("ben", "22222", "0")],
        foreign: vec!["USD".parse().unwrap()],
        suggestions: Vec::new(),
        fspiop: ([127, 0, 0, 1], 0).into(),
        wallet: ([127, 0, 0, 1], 0).into(),
        data: data.map(Path::to_owned),
        transfer_lifetime: Duration::from_secs(30),
        quote_lifetime: Duration::from_secs(60),
    }
}

pub(crate) fn bank(data: Option<&Path>) -> Bank {
    let config = config(data);
    Bank::open(config.clone(), Connection::new(config.connection)).unwrap()
}

pub(crate) fn payment(direction: Direction, transfer: &str) -> Payment {
    Payment {
        id: new_id(),
        direction,
        customer: "ana".into(),
        other: Other { name: "Zoë".into(), number: "33333".into(), fsp: "blue".parse().unwrap() },
        transfer: amount(transfer),
        received: amount(transfer),
        fee: if direction == Direction::Outgoing { amount("1") } else { Amount::ZERO },
        note: None,
        opened: Timestamp::from_millis(0),
        expiration: Timestamp::from_millis(1),
        seal: None,
        conversion: None,
        intake: None,
        arrival: None,
        refund: None,
        transaction: None,
        state: State::Pending,
    }
}

/// 40 shillings become 0.3 dollars, of which 0.28 reach the payee.
pub(crate) fn converted() -> Payment {
    let conversion = Conversion {
        id: new_id(),
        provider: "savanna".parse().unwrap(),
        currency: "USD".parse().unwrap(),
        amount: amount("0.3"),
        charge: amount("1"),
        condition: sdk::condition_of(&vocabulary::Fulfilment::new([7; 32])).to_string(),
    };
    Payment { received: amount("0.28"), conversion: Some(conversion), ..payment(Direction::Outgoing, "40") }
}

/// 40 dollars have come in; 5,200 shillings of them reach the account once they are converted.
pub(crate) fn taken() -> Payment {
    let id = new_id();
    let conversion = Conversion {
        currency: "KES".parse().unwrap(),
        amount: amount("5210"),
        charge: amount("0.2"),
        ..converted().conversion.unwrap()
    };
    let intake = Intake {
        currency: "USD".parse().unwrap(),
        agreement_expiration: Timestamp::from_millis(1),
        accepted: None,
        transfer: sdk::HeldTransfer {
            id,
            source: "blue".parse().unwrap(),
            version: sdk::Version::V2_0,
            packet: "AA".into(),
        },
    };
    let (received, fee) = (amount("5200"), amount("10"));
    let (conversion, intake) = (Some(conversion), Some(intake));
    Payment { id, received, fee, conversion, intake, ..payment(Direction::Incoming, "40") }
}

fn expired() -> Decision {
    Decision::Aborted(FspiopError::new(ErrorCode::TRANSFER_EXPIRED))
}

#[test]
fn a_committed_payment_takes_the_money_and_the_fee_and_leaves_the_books_balanced() {
    let bank = bank(None);
    let payment = payment(Direction::Outgoing, "40");
    bank.open_payment(payment.clone()).unwrap();
    assert_eq!(bank.balance("ana"), (amount("100"), amount("59")), "set aside, not yet taken");
    bank.settle(payment.id, &Decision::Committed).unwrap();
    assert_eq!(bank.balance("ana"), (amount("59"), amount("59")));
    assert_eq!(bank.balance_of(&Account::Position), amount("40"));
    assert_eq!(bank.balance_of(&Account::FeeIncome), amount("1"));
    assert!(bank.is_balanced());
}

#[test]
fn a_failed_payment_gives_everything_back() {
    let bank = bank(None);
    let payment = payment(Direction::Outgoing, "40");
    bank.open_payment(payment.clone()).unwrap();
    bank.settle(payment.id, &expired()).unwrap();
    assert_eq!(bank.balance("ana"), (amount("100"), amount("100")));
    assert_eq!(bank.balance_of(&Account::Position), Amount::ZERO);
}

#[test]
fn a_conversion_that_fails_ends_its_payment_and_an_agreed_one_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let (agreed, refused) = (converted(), converted());
    let ids = [&agreed, &refused].map(|payment| payment.conversion.as_ref().unwrap().id);
    {
        let bank = bank(Some(directory.path()));
        bank.open_payment(agreed.clone()).unwrap();
        bank.open_payment(refused.clone()).unwrap();
        assert_eq!(bank.balance("ana"), (amount("100"), amount("18")));
    }
    let bank = bank(Some(directory.path()));
    let reporter = "savanna".parse().unwrap();
    let reserved = FxStatus { state: TransferState::Reserved, fulfilment: None, completed: None, reporter };
    bank.hear_conversion(ids[0], &FxNews::Status(reserved)).unwrap();
    bank.hear_conversion(ids[1], &FxNews::Error(FspiopError::new(ErrorCode::PAYER_LIQUIDITY))).unwrap();
    bank.hear_conversion(new_id(), &FxNews::Error(FspiopError::new(ErrorCode::PAYER_LIQUIDITY))).unwrap();
    assert!(bank.payment(agreed.id).unwrap().is_pending());
    assert!(matches!(bank.payment(refused.id).unwrap().state, State::Failed { .. }));
    assert_eq!(bank.balance("ana"), (amount("100"), amount("59")));
    bank.settle(agreed.id, &Decision::Committed).unwrap();
    assert_eq!(bank.balance_of(&Account::Position), amount("40"), "in our own currency");
    assert!(bank.is_balanced());
}

#[test]
fn what_is_converted_on_its_way_in_is_credited_in_our_currency_and_keeps_nothing_of_the_other() {
    let bank = bank(None);
    let payment = taken();
    bank.open_payment(payment.clone()).unwrap();
    assert!(bank.accept(payment.id).unwrap().is_some());
    assert_eq!(bank.balance("ana").0, amount("100"), "accepted is not committed");
    bank.settle(payment.id, &Decision::Committed).unwrap();
    assert_eq!(bank.balance("ana"), (amount("5300"), amount("5300")));
    assert_eq!(bank.balance_of(&Account::FeeIncome), amount("10"));
    assert_eq!(bank.balance_of(&Account::Position), amount("-5210"));
    assert!(bank.is_balanced());
}

#[test]
fn what_was_accepted_is_not_given_up_and_what_was_given_up_is_not_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let (accepted, refused) = (taken(), taken());
    let error = FspiopError::new(ErrorCode::PAYEE_REJECTED_TRANSACTION);
    let at = {
        let bank = bank(Some(directory.path()));
        for payment in [&accepted, &refused] {
            assert!(bank.open_payment(payment.clone()).unwrap());
            assert!(!bank.open_payment(payment.clone()).unwrap());
        }
        assert!(bank.give_up(refused.id, &error).unwrap());
        bank.accept(accepted.id).unwrap().unwrap()
    };
    let bank = bank(Some(directory.path()));
    assert_eq!(bank.accept(accepted.id).unwrap(), Some(at), "the same time, so that the same bytes are sent");
    assert!(!bank.give_up(accepted.id, &error).unwrap());
    assert_eq!(bank.accept(refused.id).unwrap(), None);
    assert!(bank.give_up(refused.id, &error).unwrap(), "it may be refused again");
    assert_eq!(bank.pending(), [accepted.id]);
    let conversion = accepted.conversion.unwrap().id;
    let in_doubt = bank.hear_conversion(conversion, &FxNews::Error(error)).unwrap();
    assert_eq!(in_doubt, Some(accepted.id), "the hub is asked, and decides");
    assert!(bank.payment(accepted.id).unwrap().is_pending());
    bank.settle(accepted.id, &expired()).unwrap();
    assert_eq!(bank.balance("ana").0, amount("100"));
}

#[test]
fn a_provider_that_refuses_ends_what_was_not_accepted() {
    let bank = bank(None);
    let payment = taken();
    bank.open_payment(payment.clone()).unwrap();
    let conversion = payment.conversion.unwrap().id;
    let error = FspiopError::new(ErrorCode::PAYEE_REJECTED_TRANSACTION);
    assert_eq!(bank.hear_conversion(conversion, &FxNews::Error(error)).unwrap(), None);
    assert!(matches!(bank.payment(payment.id).unwrap().state, State::Failed { .. }));
    assert_eq!(bank.accept(payment.id).unwrap(), None);
}

#[test]
fn a_payment_is_opened_and_settled_once_however_often_it_is_said() {
    let bank = bank(None);
    let payment = payment(Direction::Outgoing, "40");
    for _ in 0..3 {
        bank.open_payment(payment.clone()).unwrap();
    }
    for decision in [Decision::Committed, Decision::Committed, expired()] {
        bank.settle(payment.id, &decision).unwrap();
    }
    assert_eq!(bank.balance("ana"), (amount("59"), amount("59")));
    assert!(matches!(bank.payment(payment.id).unwrap().state, State::Completed { .. }));
}

#[test]
fn an_incoming_payment_is_credited_only_when_it_is_committed() {
    let bank = bank(None);
    let payment = payment(Direction::Incoming, "25");
    bank.open_payment(payment.clone()).unwrap();
    assert_eq!(bank.balance("ana").0, amount("100"));
    bank.settle(payment.id, &Decision::Committed).unwrap();
    assert_eq!(bank.balance("ana"), (amount("125"), amount("125")));
    assert_eq!(bank.balance_of(&Account::Position), amount("-25"));
}

#[test]
fn nobody_spends_more_than_they_have_not_even_in_two_payments() {
    let bank = bank(None);
    bank.open_payment(payment(Direction::Outgoing, "60")).unwrap();
    let second = payment(Direction::Outgoing, "38.01");
    assert!(matches!(bank.open_payment(second.clone()), Err(BankError::NotEnoughMoney)));
    assert_eq!(bank.payment(second.id), None, "a refused payment leaves no trace");
    bank.open_payment(payment(Direction::Outgoing, "38")).unwrap();
}

#[test]
fn a_restart_finds_balances_history_and_what_was_pending() {
    let directory = tempfile::tempdir().unwrap();
    let (settled, open) = (payment(Direction::Outgoing, "10"), payment(Direction::Outgoing, "20"));
    {
        let bank = bank(Some(directory.path()));
        bank.open_payment(settled.clone()).unwrap();
        bank.settle(settled.id, &Decision::Committed).unwrap();
        bank.open_payment(open.clone()).unwrap();
    }
    let bank = bank(Some(directory.path()));
    assert_eq!(bank.balance("ana"), (amount("89"), amount("68")), "the deposit is made once");
    assert_eq!(bank.pending(), [open.id]);
    let ids: Vec<_> = bank.history("ana", 10).iter().map(|payment| payment.id).collect();
    assert_eq!(ids, [open.id, settled.id]);
    bank.settle(open.id, &expired()).unwrap();
    assert_eq!(bank.balance("ana"), (amount("89"), amount("89")));
}

#[test]
fn the_books_of_another_dfsp_are_not_opened() {
    let directory = tempfile::tempdir().unwrap();
    drop(bank(Some(directory.path())));
    let mut other = config(Some(directory.path()));
    other.connection.name = "blue".parse().unwrap();
    let error = Bank::open(other.clone(), Connection::new(other.connection)).err().unwrap().to_string();
    assert!(error.contains("these are not the books of blue in KES"), "{error}");
}

#[tokio::test]
async fn whoever_waits_for_a_payment_hears_of_its_end() {
    let bank = std::sync::Arc::new(bank(None));
    let payment = payment(Direction::Outgoing, "40");
    bank.open_payment(payment.clone()).unwrap();
    let waiting = tokio::spawn({
        let (bank, id) = (bank.clone(), payment.id);
        async move { bank.settled(id).await }
    });
    bank.settle(payment.id, &Decision::Committed).unwrap();
    assert!(matches!(waiting.await.unwrap().unwrap().state, State::Completed { .. }));
}
