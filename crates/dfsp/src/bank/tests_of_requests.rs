//! Tests of requests to pay: what is asked of us is named once, what has ended stays ended, and paying goes by the name.

use super::tests::{amount, bank, payment};
use super::*;
use crate::payer::PayError;
use crate::payment::Other;
use crate::requests::RequestState;
use sdk::{ErrorCode, Party, PaymentRequest, RequestNews, new_id};
use vocabulary::{Money, PartyIdType};

fn number(text: &str) -> PartyId {
    PartyId::try_new(PartyIdType::Msisdn, text, None).unwrap()
}

/// Zoë of Blue asks Ana for 30.
fn asked() -> PaymentRequest {
    PaymentRequest {
        id: new_id(),
        payee: Party {
            id: number("33333"),
            fsp: "blue".parse().unwrap(),
            name: Some("Zoë".into()),
            currencies: Vec::new(),
        },
        payer: number("11111"),
        amount: Money { amount: amount("30"), currency: "KES".parse().unwrap() },
        note: Some("rent".into()),
    }
}

fn own(bank: &Bank) -> Request {
    let other = payment(Direction::Incoming, "1").other;
    let (id, direction, customer) = (new_id(), Direction::Incoming, "ana".to_owned());
    let (amount, note, transaction, state) = (amount("30"), None, None, RequestState::Waiting);
    let request = Request { id, direction, customer, other, amount, note, transaction, opened: now(), state };
    assert!(bank.open_request(request.clone()).unwrap());
    request
}

#[test]
fn a_request_that_is_repeated_gets_the_same_transaction_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let first = bank(Some(directory.path()));
    let asked = asked();
    let transaction = first.requested(asked.clone()).unwrap();
    assert_eq!(first.requested(asked.clone()), Ok(transaction));
    drop(first);
    let bank = bank(Some(directory.path()));
    assert_eq!(bank.requested(asked.clone()), Ok(transaction));
    assert_eq!(bank.requests_of("ana", 10).len(), 1);
    let other_amount = Money { amount: amount("31"), ..asked.amount };
    let changed = PaymentRequest { amount: other_amount, ..asked };
    assert_eq!(bank.requested(changed).unwrap_err().code, ErrorCode::MODIFIED_REQUEST);
    assert_eq!(bank.balance("ana"), (amount("100"), amount("100")), "a request moves nothing");
}

#[test]
fn what_nobody_here_can_pay_is_refused_at_once() {
    let bank = bank(None);
    let money = |text: &str, currency: &str| Money { amount: amount(text), currency: currency.parse().unwrap() };
    for (wrong, code) in [
        (PaymentRequest { payer: number("99999"), ..asked() }, ErrorCode::PARTY_NOT_FOUND),
        (PaymentRequest { amount: money("3", "USD"), ..asked() }, ErrorCode::PAYER_REJECTED_TRANSACTION_REQUEST),
        (PaymentRequest { amount: money("0.001", "KES"), ..asked() }, ErrorCode::PAYER_REJECTED_TRANSACTION_REQUEST),
        (PaymentRequest { amount: money("0", "KES"), ..asked() }, ErrorCode::PAYER_REJECTED_TRANSACTION_REQUEST),
    ] {
        assert_eq!(bank.requested(wrong).unwrap_err().code, code);
    }
    assert!(bank.requests_of("ana", 10).is_empty());
}

#[tokio::test]
async fn a_request_is_paid_once_by_the_payment_that_was_named() {
    let bank = bank(None);
    let asked = asked();
    let transaction = bank.requested(asked.clone()).unwrap();
    let request = bank.request(asked.id).unwrap();
    assert!(bank.can_be_paid(&request));
    let paying = Payment { id: transaction, opened: now(), ..payment(Direction::Outgoing, "30") };
    bank.open_payment(paying.clone()).unwrap();
    assert!(!bank.can_be_paid(&request));
    assert!(matches!(bank.approve(asked.id).await, Err(PayError::NoOffer)));
    assert!(matches!(bank.refuse_request(asked.id).await, Err(PayError::NoOffer)));
    bank.settle(paying.id, &Decision::Committed).unwrap();
    assert_eq!(request.word(bank.payment_of_request(&request).as_ref()), "Paid");
}

#[tokio::test]
async fn a_refusal_that_cannot_be_told_leaves_the_request_open() {
    let bank = bank(None);
    let asked = asked();
    bank.requested(asked.clone()).unwrap();
    assert!(matches!(bank.refuse_request(asked.id).await, Err(PayError::Scheme(_))), "the hub is away");
    assert!(bank.can_be_paid(&bank.request(asked.id).unwrap()));
}

#[test]
fn what_has_ended_stays_ended_and_the_first_name_counts() {
    let directory = tempfile::tempdir().unwrap();
    let first = bank(Some(directory.path()));
    let (named, refused) = (own(&first), own(&first));
    let transaction = new_id();
    first.hear_request(named.id, &RequestNews::Waiting(Some(transaction))).unwrap();
    first.hear_request(named.id, &RequestNews::Waiting(Some(new_id()))).unwrap();
    first.hear_request(refused.id, &RequestNews::Rejected).unwrap();
    first.hear_request(refused.id, &RequestNews::Waiting(Some(new_id()))).unwrap();
    first.hear_request(new_id(), &RequestNews::Rejected).unwrap();
    drop(first);
    let bank = bank(Some(directory.path()));
    assert_eq!(bank.request(named.id).unwrap().transaction, Some(transaction));
    let refused = bank.request(refused.id).unwrap();
    assert_eq!((refused.word(None), refused.transaction), ("Refused", None));
    let paid = Payment { transaction: Some(transaction), opened: now(), ..payment(Direction::Incoming, "30") };
    bank.open_payment(paid.clone()).unwrap();
    bank.settle(paid.id, &Decision::Committed).unwrap();
    let named = bank.request(named.id).unwrap();
    assert_eq!(named.word(bank.payment_of_request(&named).as_ref()), "Paid");
}

#[test]
fn a_payment_that_the_other_side_only_names_does_not_pay_a_request() {
    let bank = bank(None);
    let earlier = payment(Direction::Incoming, "30");
    bank.open_payment(earlier.clone()).unwrap();
    bank.settle(earlier.id, &Decision::Committed).unwrap();
    let smaller = Payment { opened: now().plus_millis(60_000), ..payment(Direction::Incoming, "29.99") };
    let sender = Other { number: "44444".into(), ..earlier.other.clone() };
    let elsewhere = Payment { other: sender, opened: now().plus_millis(60_000), ..payment(Direction::Incoming, "30") };
    for named in [earlier.id, smaller.id, elsewhere.id] {
        let request = own(&bank);
        bank.hear_request(request.id, &RequestNews::Waiting(Some(named))).unwrap();
        for payment in [&smaller, &elsewhere] {
            bank.open_payment(payment.clone()).unwrap();
        }
        let request = bank.request(request.id).unwrap();
        assert_eq!(request.word(bank.payment_of_request(&request).as_ref()), "Waiting");
    }
}
