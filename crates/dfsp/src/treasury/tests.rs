//! Tests of the provider: what it promises, once, and what a decision of the scheme makes of its positions.

use super::*;
use crate::fees::FeeRule;
use crate::rates::Rate;
use sdk::{AmountType, new_id};
use std::path::Path;

fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

fn currency(text: &str) -> Currency {
    text.parse().unwrap()
}

fn treasury(data: Option<&Path>, temper: TreasuryTemper) -> Treasury {
    let mut connection = sdk::Config::new("fxp".parse().unwrap(), "http://127.0.0.1:1", "secret");
    connection.attempts_max = 1;
    let config = TreasuryConfig {
        connection,
        markets: vec![Market {
            source: currency("KES"),
            target: currency("TZS"),
            rate: Rate { source: 1, target: 20 },
            spread_basis_points: 0,
            fee: FeeRule { basis_points: 0, minimum: amount("2") },
        }],
        fspiop: ([127, 0, 0, 1], 0).into(),
        data: data.map(Path::to_owned),
        offer_lifetime: Duration::from_secs(60),
        temper,
    };
    Treasury::open(config.clone(), Connection::new(config.connection)).unwrap()
}

fn question() -> FxQuestion {
    FxQuestion {
        request_id: new_id(),
        conversion_id: new_id(),
        transfer_id: Some(new_id()),
        initiator: "green".parse().unwrap(),
        amount_type: AmountType::Send,
        amount: Money { amount: amount("102"), currency: currency("KES") },
        other: currency("TZS"),
        expiration: now().plus_millis(600_000),
    }
}

fn accepted(question: &FxQuestion, terms: &FxTerms) -> IncomingConversion {
    IncomingConversion {
        id: question.conversion_id,
        transfer_id: question.transfer_id,
        initiator: question.initiator.clone(),
        source: terms.source,
        target: terms.target,
        expiration: now().plus_millis(5_000),
    }
}

fn expired() -> Decision {
    Decision::Aborted(FspiopError::new(ErrorCode::TRANSFER_EXPIRED))
}

#[test]
fn a_committed_conversion_moves_both_positions_and_earns_the_fee_once() {
    let treasury = treasury(None, TreasuryTemper::Willing);
    let question = question();
    let terms = treasury.offer(question.clone()).unwrap();
    assert_eq!((terms.source.amount, terms.target.amount), (amount("102"), amount("2000")));
    assert_eq!(treasury.offer(question.clone()).as_ref(), Ok(&terms), "the same question gets the same terms");
    let conversion = accepted(&question, &terms);
    assert_eq!(treasury.reserve(&conversion), Ok(true));
    assert_eq!(treasury.reserve(&conversion), Ok(false), "a repeated message reserves nothing more");
    assert_eq!(treasury.position(currency("TZS")), Amount::ZERO);
    for decision in [Decision::Committed, Decision::Committed, expired()] {
        treasury.settle(conversion.id, &decision).unwrap();
    }
    assert_eq!(treasury.position(currency("KES")), amount("-102"));
    assert_eq!(treasury.position(currency("TZS")), amount("2000"));
    assert_eq!(treasury.fees(currency("KES")), amount("2"));
    assert_eq!(treasury.state(conversion.id), Some(TransferState::Committed));
}

#[test]
fn an_aborted_conversion_moves_nothing_and_is_not_reserved_again() {
    let treasury = treasury(None, TreasuryTemper::Willing);
    let question = question();
    let terms = treasury.offer(question.clone()).unwrap();
    let conversion = accepted(&question, &terms);
    treasury.reserve(&conversion).unwrap();
    treasury.settle(conversion.id, &expired()).unwrap();
    assert_eq!(treasury.position(currency("KES")), Amount::ZERO);
    let error = treasury.reserve(&conversion).unwrap_err();
    assert_eq!(error.code, ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION);
}

#[test]
fn what_was_not_offered_or_only_until_a_while_ago_is_not_converted() {
    let treasury = treasury(None, TreasuryTemper::Willing);
    let mut question = question();
    let terms = FxTerms {
        source: question.amount,
        target: Money { amount: amount("2000"), currency: currency("TZS") },
        charges: Vec::new(),
        expiration: now(),
    };
    let conversion = accepted(&question, &terms);
    assert_eq!(treasury.reserve(&conversion).unwrap_err().code, ErrorCode::QUOTE_EXPIRED);
    question.expiration = now().plus_millis(-1);
    let late = treasury.offer(question.clone()).unwrap();
    let conversion = accepted(&question, &late);
    assert_eq!(treasury.reserve(&conversion).unwrap_err().code, ErrorCode::QUOTE_EXPIRED);
}

#[test]
fn other_currencies_and_amounts_that_cannot_be_counted_get_no_offer() {
    let treasury = treasury(None, TreasuryTemper::Willing);
    let unknown = FxQuestion { other: currency("USD"), ..question() };
    assert_eq!(treasury.offer(unknown).unwrap_err().code, ErrorCode::PAYEE_UNSUPPORTED_CURRENCY);
    let tiny = FxQuestion { amount: Money { amount: amount("2"), currency: currency("KES") }, ..question() };
    assert_eq!(treasury.offer(tiny).unwrap_err().code, ErrorCode::PAYEE_FSP_REJECTED_QUOTE);
}

#[test]
fn a_restart_finds_positions_and_what_was_reserved() {
    let directory = tempfile::tempdir().unwrap();
    let open = {
        let treasury = treasury(Some(directory.path()), TreasuryTemper::Willing);
        let [done, open] = [question(), question()].map(|question| {
            let terms = treasury.offer(question.clone()).unwrap();
            let conversion = accepted(&question, &terms);
            treasury.reserve(&conversion).unwrap();
            conversion
        });
        treasury.settle(done.id, &Decision::Committed).unwrap();
        open
    };
    let treasury = treasury(Some(directory.path()), TreasuryTemper::Willing);
    assert_eq!(treasury.position(currency("TZS")), amount("2000"));
    assert_eq!(treasury.pending(), [open.id]);
    assert_eq!(treasury.reserve(&open), Ok(false), "the promise outlives the offer");
    treasury.settle(open.id, &Decision::Committed).unwrap();
    assert_eq!(treasury.position(currency("TZS")), amount("4000"));
}

#[test]
fn the_journal_of_another_is_not_opened() {
    let directory = tempfile::tempdir().unwrap();
    drop(treasury(Some(directory.path()), TreasuryTemper::Willing));
    let mut config = treasury(None, TreasuryTemper::Willing).config;
    config.connection.name = "other".parse().unwrap();
    config.data = Some(directory.path().to_owned());
    let error = Treasury::open(config.clone(), Connection::new(config.connection)).err().unwrap().to_string();
    assert!(error.contains("these are not the conversions of other"), "{error}");
}
