//! Tests of the payee's side: what limits and blocks answer to the scheme, and what the books say of it.

use super::*;
use crate::bank::Standing;
use crate::bank::tests::{amount, config};
use crate::config::Config;
use crate::limits::Tier;
use sdk::{Connection, HeldTransfer, Version, new_id};
use vocabulary::{Money, PartyIdType};

fn party(number: &str, fsp: &str) -> Party {
    let id = PartyId::try_new(PartyIdType::Msisdn, number, None).unwrap();
    Party { id, fsp: fsp.parse().unwrap(), name: None, currencies: Vec::new() }
}

fn kes(text: &str) -> Money {
    Money { amount: amount(text), currency: "KES".parse().unwrap() }
}

/// Ana has 100; she takes 30 at once and holds 150.
fn desk() -> Desk {
    let tier =
        Tier { name: "Basic".into(), payment_max: amount("30"), day_max: amount("30"), balance_max: amount("150") };
    let config = Config { tiers: vec![tier], ..config(None) };
    Desk(Arc::new(Bank::open(config.clone(), Connection::new(config.connection)).unwrap()))
}

fn question(text: &str) -> QuoteQuestion {
    QuoteQuestion {
        quote_id: new_id(),
        transaction_id: new_id(),
        payer: party("33333", "blue"),
        payee: party("11111", "green").id,
        amount_type: AmountType::Receive,
        amount: kes(text),
        note: None,
        refund_of: None,
    }
}

fn transfer(text: &str) -> IncomingTransfer {
    let id = new_id();
    IncomingTransfer {
        id,
        quote_id: new_id(),
        transaction_id: new_id(),
        payer_fsp: "blue".parse().unwrap(),
        payer: party("33333", "blue"),
        payee: party("11111", "green"),
        amount: kes(text),
        received: amount(text),
        conversion: None,
        note: None,
        refund_of: None,
        expiration: now().plus_millis(60_000),
        held: HeldTransfer { id, source: "blue".parse().unwrap(), version: Version::V2_0, packet: "AA".into() },
    }
}

fn rejected(answer: &Answer) -> Option<ErrorCode> {
    if let Answer::Reject(error) = answer { Some(error.code) } else { None }
}

#[tokio::test]
async fn a_quote_past_the_payees_limits_is_refused_before_money_moves() {
    let desk = desk();
    assert!(desk.quote(question("30")).await.is_ok());
    assert_eq!(desk.quote(question("30.01")).await.unwrap_err().code, ErrorCode::PAYEE_LIMIT);
    desk.0.change_standing("ana", Standing { tier: "Basic".into(), is_blocked: true }).unwrap();
    assert_eq!(desk.quote(question("1")).await.unwrap_err().code, ErrorCode::PAYEE_PERMISSION);
}

#[tokio::test]
async fn a_transfer_for_which_there_is_no_room_any_more_is_rejected_as_often_as_it_comes() {
    let desk = desk();
    let (first, second) = (transfer("30"), transfer("25"));
    assert_eq!(desk.prepare(first.clone()).await, Answer::Reserve);
    for _ in 0..2 {
        assert_eq!(rejected(&desk.prepare(second.clone()).await), Some(ErrorCode::PAYEE_LIMIT));
    }
    let seen = desk.0.payment(second.id).unwrap();
    assert!(matches!(seen.state, State::Failed { .. }), "the customer sees it: {seen:?}");
    assert_eq!(desk.prepare(first).await, Answer::Reserve, "what was promised stays promised");
    assert_eq!(desk.0.balance("ana").0, amount("100"));
}

#[tokio::test]
async fn a_blocked_payee_still_gets_what_was_promised_and_nothing_new() {
    let desk = desk();
    let promised = transfer("10");
    assert_eq!(desk.prepare(promised.clone()).await, Answer::Reserve);
    desk.0.change_standing("ana", Standing { tier: "Basic".into(), is_blocked: true }).unwrap();
    assert_eq!(rejected(&desk.prepare(transfer("10")).await), Some(ErrorCode::PAYEE_PERMISSION));
    desk.0.settle(promised.id, &sdk::Decision::Committed).unwrap();
    assert_eq!(desk.0.balance("ana").0, amount("110"));
}

#[tokio::test]
async fn what_comes_back_names_the_payment_that_it_belongs_to() {
    let desk = desk();
    let original = new_id();
    let back = IncomingTransfer { refund_of: Some(original), ..transfer("5") };
    assert_eq!(desk.prepare(back.clone()).await, Answer::Reserve);
    let payment = desk.0.payment(back.id).unwrap();
    assert_eq!(payment.refund, Some(Refund { of: original, amount: amount("5") }));
    assert_eq!(payment.transaction_id(), back.transaction_id);
}
