//! What comes in to be converted, at a DFSP whose hub is away.

use super::*;
use crate::bank::tests::{amount, bank};
use crate::payee::Desk;
use crate::payment::State;
use sdk::{Answer, Backend, Party, Version, new_id};
use vocabulary::{Condition, Money, PartyId, PartyIdType};

fn money(text: &str, currency: &str) -> Money {
    Money { amount: amount(text), currency: currency.parse().unwrap() }
}

fn party(number: &str, fsp: &str) -> Party {
    let id = PartyId::try_new(PartyIdType::Msisdn, number, None).unwrap();
    Party { id, fsp: fsp.parse().unwrap(), name: None, currencies: Vec::new() }
}

/// 2 dollars for Ana, which become 260 shillings, of which she gets 255.
fn transfer(lifetime_ms: i64) -> IncomingTransfer {
    let (id, source, now) = (new_id(), money("2", "USD"), now());
    let conversion = FxQuote {
        provider: "savanna".parse().unwrap(),
        conversion_id: new_id(),
        transfer_id: id,
        source,
        target: money("260", "KES"),
        charges: Vec::new(),
        expiration: now.plus_millis(60_000),
        condition: Condition::new([7; 32]),
    };
    IncomingTransfer {
        id,
        quote_id: new_id(),
        transaction_id: id,
        payer_fsp: "blue".parse().unwrap(),
        payer: party("33333", "blue"),
        payee: party("11111", "green"),
        amount: source,
        received: amount("255"),
        conversion: Some(conversion),
        note: None,
        refund_of: None,
        expiration: now.plus_millis(lifetime_ms),
        held: HeldTransfer { id, source: "blue".parse().unwrap(), version: Version::V2_0, packet: "AA".into() },
    }
}

fn question() -> QuoteQuestion {
    QuoteQuestion {
        quote_id: new_id(),
        transaction_id: new_id(),
        payer: party("33333", "blue"),
        payee: party("11111", "green").id,
        amount_type: AmountType::Send,
        amount: money("2", "USD"),
        note: None,
        refund_of: None,
    }
}

#[tokio::test]
async fn a_transfer_that_comes_twice_at_once_is_opened_once_and_given_up_when_its_time_is_over() {
    let bank = Arc::new(bank(None));
    let desk = Desk(bank.clone());
    let transfer = transfer(400);
    let id = transfer.id;
    let (first, second) = tokio::join!(desk.prepare(transfer.clone()), desk.prepare(transfer.clone()));
    assert_eq!((first, second), (Answer::Later, Answer::Later));
    assert_eq!(bank.history("ana", 10).len(), 1);
    let payment = tokio::time::timeout(Duration::from_secs(20), bank.settled(id)).await.unwrap().unwrap();
    let State::Failed { reason, .. } = payment.state else { panic!("{:?}", payment.state) };
    assert_eq!(reason.code, ErrorCode::TRANSFER_EXPIRED.to_string());
    assert_eq!(bank.balance("ana").0, amount("100"));
    let again = desk.prepare(transfer).await;
    assert!(matches!(again, Answer::Reject(error) if error.code == ErrorCode::TRANSFER_EXPIRED));
}

#[tokio::test]
async fn what_the_provider_is_asked_follows_from_the_transfer_and_ends_before_it() {
    let bank = bank(None);
    let transfer = transfer(40_000);
    let (conversion, intake) = bank.intake_of(&transfer).unwrap().unwrap();
    assert!(intake.agreement_expiration > now() && intake.agreement_expiration < transfer.expiration);
    let payment = Payment { conversion: Some(conversion), intake: Some(intake), ..crate::bank::tests::taken() };
    let payment = Payment { id: transfer.id, transfer: amount("2"), ..payment };
    let order = bank.fx_order(&payment).unwrap();
    assert_eq!((order.transfer_id, order.source, order.target), (transfer.id, money("2", "USD"), money("260", "KES")));
    assert_eq!(order.expiration, payment.intake.unwrap().agreement_expiration);
}

#[tokio::test]
async fn a_transfer_that_was_not_quoted_so_is_refused() {
    type Case = (&'static str, fn(&mut IncomingTransfer));
    let cases: [Case; 4] = [
        ("another id than the transaction's", |transfer| transfer.transaction_id = new_id()),
        ("no conversion", |transfer| transfer.conversion = None),
        ("into another currency", |transfer| {
            transfer.conversion.as_mut().unwrap().target = money("4", "EUR");
        }),
        ("more for the payee than arrives", |transfer| transfer.received = amount("260.01")),
    ];
    let bank = Arc::new(bank(None));
    for (name, spoil) in cases {
        let mut transfer = transfer(40_000);
        spoil(&mut transfer);
        let id = transfer.id;
        let answer = Desk(bank.clone()).prepare(transfer).await;
        let refused = ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION;
        assert!(matches!(&answer, Answer::Reject(error) if error.code == refused), "{name}: {answer:?}");
        assert_eq!(bank.payment(id), None, "{name}");
    }
}

#[test]
fn a_question_has_one_answer_while_its_terms_hold() {
    let (quotes, question) = (Quotes::default(), question());
    let until = now().plus_millis(60_000);
    let (first, _) = quotes.of(&question, until).unwrap();
    let (again, since) = quotes.of(&question, until.plus_millis(5)).unwrap();
    assert!(Arc::ptr_eq(&first, &again) && since == until);
    let other = QuoteQuestion { amount: money("3", "USD"), ..question.clone() };
    assert_eq!(quotes.of(&other, until).unwrap_err().code, ErrorCode::MODIFIED_REQUEST);
    let past = QuoteQuestion { quote_id: new_id(), ..question };
    let (first, _) = quotes.of(&past, now()).unwrap();
    let (anew, _) = quotes.of(&past, until).unwrap();
    assert!(!Arc::ptr_eq(&first, &anew), "what has expired is forgotten");
}

#[tokio::test]
async fn a_customer_is_quoted_in_the_currencies_that_the_account_takes() {
    let bank = Arc::new(bank(None));
    let error = Desk(bank.clone()).quote(question()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::PAYEE_UNSUPPORTED_CURRENCY);
    let customer = Customer { takes: vec!["USD".parse().unwrap()], ..Customer::clone(&bank.customers()[0]) };
    let error = bank.converted_terms(question(), &customer).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::PAYEE_FSP_REJECTED_QUOTE, "the hub is away");
    assert_eq!(bank.party(&customer).currencies, ["KES".parse().unwrap(), "USD".parse().unwrap()]);
}
