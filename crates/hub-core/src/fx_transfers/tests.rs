//! The rules of conversions by themselves: prepare, the provider's answer, its error (contract, interscheme §3.3, §3.4).

use super::{Agree, PrepareConversion, RejectConversion};
use crate::{
    Rejection,
    fixture::{
        SOURCE, Scheme, TARGET, agreement, amount, answer, conversion, conversion_subject, currency, expiry, fsp,
        fulfilment, id, millis, provider_error, transfer, transfer_in_source, transfer_subject,
    },
    transfers::{Fulfil, PublicState, Stage, TransferState},
};
use alloc::{format, string::String, vec::Vec};
use vocabulary::Digest;

const NOTHING: [&str; 0] = [];

fn prepared(initiator: &str, provider: &str) -> Scheme {
    let mut scheme = Scheme::new();
    assert_eq!(scheme.run(conversion(2, initiator, provider)).len(), 1);
    scheme
}

fn agreed() -> Scheme {
    let mut scheme = prepared("d1", "fx1");
    assert_eq!(scheme.run(agreement(2, "fx1", "d1")), ["fx d1: relay"]);
    scheme
}

fn stage(scheme: &Scheme) -> Option<Stage> {
    scheme.stage(conversion_subject(2))
}

fn refusal(scheme: &Scheme) -> Option<Rejection> {
    match &scheme.known(conversion_subject(2))?.state {
        TransferState::Refused(rejection) => Some(rejection.clone()),
        TransferState::Reserved
        | TransferState::Forwarded
        | TransferState::Agreed { .. }
        | TransferState::Committed { .. }
        | TransferState::Aborted(_) => None,
    }
}

/// What is wrong with a conversion by `d1` with `fx1`, and why it is refused.
type Refused = (&'static str, fn(&mut Scheme, &mut PrepareConversion), Rejection);

/// Refuses each; nothing moves and the id is taken.
fn check_refusals(start: &Scheme, command: &PrepareConversion, cases: impl IntoIterator<Item = Refused>) {
    for (name, spoil, expected) in cases {
        let (mut scheme, mut command) = (start.clone(), command.clone());
        spoil(&mut scheme, &mut command);
        let (before, initiator) = (scheme.moved(), command.initiator.clone());
        let told = scheme.run(command.clone());
        assert!(told.len() == 1 && told[0].starts_with(&format!("fx {initiator}")), "{name}: {told:?}");
        assert_eq!((refusal(&scheme), scheme.moved()), (Some(expected), before), "{name}");
        let repeated = scheme.run(command);
        assert!(repeated.len() == 1 && repeated[0].ends_with(": PUT ABORTED"), "{name}: {repeated:?}");
    }
}

fn no_account(name: &str, code: &str) -> Rejection {
    Rejection::AccountNotFound(fsp(name), currency(code))
}

#[test]
fn section_3_3_every_refusal_of_a_conversion_before_its_transfer() {
    let digits = || Rejection::AmountTooLarge("123456789012345678".into());
    let cases: [Refused; 12] = [
        ("source is not the initiator", |_, c| c.source = fsp("d2"), Rejection::SourceIsNotPayer),
        ("source amount", |_, c| c.source_amount.amount = Err("123456789012345678".into()), digits()),
        ("target amount", |_, c| c.target_amount.amount = Err("123456789012345678".into()), digits()),
        ("initiator inactive", |s, _| s.participant("d1").is_active = false, Rejection::ParticipantInactive(fsp("d1"))),
        (
            "provider inactive",
            |s, _| s.participant("fx1").is_active = false,
            Rejection::ParticipantInactive(fsp("fx1")),
        ),
        ("no expiration", |_, c| c.expiration = None, Rejection::NoExpiration),
        ("past", |_, c| c.expiration = Some(millis(-1)), Rejection::AlreadyExpired(millis(-1))),
        ("initiator is provider", |_, c| c.provider = fsp("d1"), Rejection::PayerIsPayee),
        ("no determining transfer", |_, c| c.determining = None, Rejection::NoDeterminingTransfer),
        ("liquidity", |_, c| c.source_amount.amount = Ok(amount("100.0001")), Rejection::PayerShortOfLiquidity),
        ("cap", |_, c| c.source_amount.amount = Ok(amount("80.0001")), Rejection::PayerOverCap),
        (
            "order: amounts before participants before expiration",
            |s, c| {
                s.participant("d1").is_active = false;
                c.expiration = None;
            },
            Rejection::ParticipantInactive(fsp("d1")),
        ),
    ];
    check_refusals(&Scheme::new(), &conversion(2, "d1", "fx1"), cases);
}

#[test]
fn section_3_3_every_account_that_a_conversion_needs() {
    let cases: [Refused; 6] = [
        ("initiator, source", |s, _| *s = s.clone().without("d1", SOURCE), no_account("d1", SOURCE)),
        ("provider, source", |s, _| *s = s.clone().without("fx1", SOURCE), no_account("fx1", SOURCE)),
        ("provider, target", |s, _| *s = s.clone().without("fx1", TARGET), no_account("fx1", TARGET)),
        (
            "provider, target, inactive",
            |s, _| s.position("fx1", TARGET).is_active = false,
            Rejection::AccountInactive(fsp("fx1"), currency(TARGET)),
        ),
        (
            "provider's proxy, source",
            |s, c| {
                *s = s.clone().without("p", SOURCE);
                c.provider = fsp("pfx");
            },
            no_account("p", SOURCE),
        ),
        (
            "initiator's proxy, source",
            |s, c| {
                *s = s.clone().without("p", SOURCE);
                c.initiator = fsp("p1");
            },
            no_account("p", SOURCE),
        ),
    ];
    check_refusals(&Scheme::new(), &conversion(2, "d1", "fx1"), cases);
    let mut scheme = Scheme::new().without("d1", TARGET).without("p", TARGET);
    assert_eq!(scheme.run(conversion(2, "d1", "pfx")), ["fx pfx via p: relay"], "a proxy needs the source only");
    let mut scheme = Scheme::new().without("p", SOURCE).without("p", TARGET);
    assert_eq!(scheme.run(conversion(2, "p1", "pfx")), ["fx pfx via p: relay"], "one proxy on both sides needs none");
}

#[test]
fn section_3_3_equality_passes_the_limits_and_the_expiration() {
    let mut command = conversion(2, "d1", "fx1");
    command.source_amount.amount = Ok(amount("80"));
    command.expiration = Some(millis(0));
    let mut scheme = Scheme::new();
    assert_eq!(scheme.run(command), ["fx fx1: relay"]);
    assert_eq!((scheme.moved(), stage(&scheme)), (Vec::from([String::from("d1 ZMW held 80")]), Some(Stage::Reserved)));
}

#[test]
fn section_3_3_an_unknown_party_is_3200_and_takes_no_id() {
    for (initiator, provider, told) in [
        ("nobody", "fx1", "fx nobody: NoRoute"),
        ("d1", "nobody", "fx d1: NoRoute"),
        ("p1", "nobody", "fx p1 via p: NoRoute"),
    ] {
        let mut scheme = Scheme::new();
        for _ in 0..2 {
            assert_eq!(scheme.run(conversion(2, initiator, provider)), [told]);
            assert_eq!((stage(&scheme), scheme.moved()), (None, Vec::new()));
        }
    }
}

#[test]
fn section_3_3_a_repeated_conversion_tells_the_state_and_a_changed_one_is_3106() {
    let again = || conversion(2, "d1", "fx1");
    let mut scheme = prepared("d1", "fx1");
    assert_eq!(scheme.run(again()), ["fx d1: PUT RESERVED"]);
    let changed = PrepareConversion { hash: Digest([9; 32]), ..again() };
    assert_eq!(scheme.run(changed.clone()), ["fx d1: ModifiedRequest"]);
    assert_eq!(scheme.run(PrepareConversion { determining: Some(id(5)), ..changed }), ["fx d1: ModifiedRequest"]);
    scheme.run(agreement(2, "fx1", "d1"));
    assert_eq!(scheme.run(again()), ["fx d1: PUT RESERVED with fulfilment"]);
    assert_eq!(scheme.moved(), ["d1 ZMW held 10"]);
    scheme.run(transfer("d1", "d2"));
    scheme.run(answer("d2", "d1"));
    assert_eq!(scheme.run(again()), ["fx d1: PUT COMMITTED with fulfilment"]);
    let own_id = PrepareConversion { id: id(1), hash: Digest([9; 32]), ..again() };
    assert_eq!(scheme.run(own_id), ["fx d1: NotConvertible"], "ids of conversions and transfers do not clash");
}

#[test]
fn section_3_3_a_transfer_whose_conversion_was_refused_is_refused() {
    let mut scheme = Scheme::new();
    scheme.run(PrepareConversion { expiration: None, ..conversion(2, "d1", "fx1") });
    assert_eq!(scheme.run(transfer("d1", "d2")), ["d1: ConversionNotAgreed"]);
    assert_eq!(scheme.moved(), NOTHING);
}

fn paid_in_source() -> Scheme {
    let mut scheme = Scheme::new();
    assert_eq!(scheme.run(transfer_in_source("d1", "d2")), ["d2: relay"]);
    scheme
}

#[test]
fn section_3_3_every_refusal_of_a_conversion_after_its_transfer() {
    let cases: [Refused; 12] = [
        (
            "initiator is not the payee",
            |_, c| (c.initiator, c.source) = (fsp("d1"), fsp("d1")),
            Rejection::ConversionDiffers,
        ),
        ("another amount", |_, c| c.source_amount.amount = Ok(amount("11")), Rejection::ConversionDiffers),
        ("another currency", |_, c| c.source_amount.currency = currency(TARGET), Rejection::ConversionDiffers),
        ("liquidity", |_, c| c.target_amount.amount = Ok(amount("101")), Rejection::PayerShortOfLiquidity),
        ("cap", |_, c| c.target_amount.amount = Ok(amount("81")), Rejection::PayerOverCap),
        ("provider, source", |s, _| *s = s.clone().without("fx1", SOURCE), no_account("fx1", SOURCE)),
        ("provider, target", |s, _| *s = s.clone().without("fx1", TARGET), no_account("fx1", TARGET)),
        ("initiator, target", |s, _| *s = s.clone().without("d2", TARGET), no_account("d2", TARGET)),
        (
            "provider's proxy, source",
            |s, c| {
                *s = s.clone().without("p", SOURCE);
                c.provider = fsp("pfx");
            },
            no_account("p", SOURCE),
        ),
        ("transfer committed", |s, _| assert_eq!(s.run(answer("d2", "d1")).len(), 1), Rejection::NotConvertible),
        (
            "transfer expired",
            |s, c| {
                s.now = millis(60_001);
                c.expiration = Some(millis(90_000));
                assert_eq!(s.run(expiry(transfer_subject(1))).len(), 2);
            },
            Rejection::NotConvertible,
        ),
        ("a second one", |s, _| assert_eq!(s.run(conversion(3, "d2", "fx2")).len(), 1), Rejection::NotConvertible),
    ];
    check_refusals(&paid_in_source(), &conversion(2, "d2", "fx1"), cases);
}

#[test]
fn a_refused_conversion_on_the_payees_side_leaves_the_transfer_to_the_payee() {
    let mut scheme = paid_in_source();
    let command = PrepareConversion { expiration: None, ..conversion(2, "d2", "fx1") };
    assert_eq!(scheme.run(command), ["fx d2: NoExpiration"]);
    assert_eq!(scheme.run(answer("d2", "d1")), ["d1: relay"]);
    assert_eq!(scheme.moved(), ["d1 ZMW 10", "d2 ZMW -10"]);
    let mut scheme = Scheme::new();
    scheme.run(transfer_in_source("d1", "p1"));
    let told = scheme.run(conversion(2, "p1", "fx1"));
    assert_eq!(told, ["fx p1 via p: NotConvertible"], "what was forwarded is converted where it is decided");
    assert_eq!(scheme.moved(), ["d1 ZMW held 10"]);
}

/// What is wrong with the answer of `fx1` to `d1`, who is told, and where the conversion stands then.
type Answered = (&'static str, fn(&mut Scheme, &mut Agree), &'static [&'static str], Stage);

const ENDED: &str = "fx fx1: PATCH ABORTED";

#[test]
fn section_3_4_every_step_of_the_providers_answer() {
    let late = |s: &mut Scheme, _: &mut Agree| s.now = millis(60_000);
    let cases: [Answered; 14] = [
        ("agreed", |_, _| {}, &["fx d1: relay"], Stage::Agreed),
        ("no fulfilment", |_, c| c.fulfilment = None, &["fx d1: relay"], Stage::Agreed),
        ("unknown", |_, c| c.id = id(9), &["fx fx1: ConversionNotFound"], Stage::Reserved),
        ("its payment is not loaded", |_, c| c.payment = id(2), &["fx fx1: ConversionNotFound"], Stage::Reserved),
        ("from the initiator", |_, c| c.source = fsp("d1"), &["fx d1: SourceIsNotPayee", ENDED], Stage::Aborted),
        ("from a stranger", |_, c| c.source = fsp("d2"), &[], Stage::Reserved),
        (
            "to another",
            |_, c| c.destination = Some(fsp("d2")),
            &["fx d1: DestinationIsNotPayer", ENDED],
            Stage::Aborted,
        ),
        ("to nobody", |_, c| c.destination = None, &["fx d1: DestinationIsNotPayer", ENDED], Stage::Aborted),
        (
            "in another case",
            |_, c| (c.source, c.destination) = (fsp("FX1"), Some(fsp("D1"))),
            &["fx d1: relay"],
            Stage::Agreed,
        ),
        (
            "wrong fulfilment",
            |_, c| c.fulfilment = Some(fulfilment(9)),
            &["fx d1: InvalidFulfilment", ENDED],
            Stage::Aborted,
        ),
        ("late", late, &["fx fx1: TransferExpired"], Stage::Reserved),
        (
            "late and wrong",
            |s, c| {
                s.now = millis(60_000);
                c.fulfilment = Some(fulfilment(9));
            },
            &["fx d1: InvalidFulfilment", ENDED],
            Stage::Aborted,
        ),
        ("ABORTED", |_, c| c.agrees = false, &[], Stage::Reserved),
        (
            "ABORTED and late",
            |s, c| {
                s.now = millis(60_000);
                c.agrees = false;
            },
            &["fx fx1: TransferExpired"],
            Stage::Reserved,
        ),
    ];
    check_answers(&cases);
}

#[test]
fn section_3_4_the_providers_second_word() {
    let cases: [Answered; 3] = [
        (
            "after an error",
            |s, _| assert_eq!(s.run(provider_error(2, "fx1", "d1")).len(), 1),
            &["fx fx1: NotReserved"],
            Stage::Aborted,
        ),
        ("repeated", |s, c| assert_eq!(s.run(c.clone()).len(), 1), &[], Stage::Agreed),
        (
            "changed, which is looked at after the parties and before all else",
            |s, c| {
                s.run(c.clone());
                c.hash = Digest([9; 32]);
                c.fulfilment = Some(fulfilment(9));
            },
            &["fx fx1: ModifiedRequest"],
            Stage::Agreed,
        ),
    ];
    check_answers(&cases);
}

fn check_answers(cases: &[Answered]) {
    for (name, spoil, told, after) in cases {
        let (mut scheme, mut command) = (prepared("d1", "fx1"), agreement(2, "fx1", "d1"));
        spoil(&mut scheme, &mut command);
        assert_eq!((scheme.run(command), stage(&scheme)), (owned(told), Some(*after)), "{name}");
        let held: &[&str] = if *after == Stage::Aborted { &[] } else { &["d1 ZMW held 10"] };
        assert_eq!(scheme.moved(), owned(held), "{name}");
        assert!(scheme.postings.is_empty(), "{name}: an agreement moves nothing");
    }
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| String::from(*line)).collect()
}

#[test]
fn section_3_4_what_is_agreed_reads_reserved_with_its_fulfilment() {
    let scheme = agreed();
    let status = scheme.known(conversion_subject(2)).unwrap().status();
    assert_eq!((status.state, status.fulfilment), (PublicState::Reserved, Some(fulfilment(2))));
    assert_eq!(scheme.moved(), ["d1 ZMW held 10"]);
}

#[test]
fn section_3_4_a_repeated_answer_to_an_ended_conversion_is_told_how_it_ended() {
    let mut scheme = agreed();
    scheme.run(transfer("d1", "d2"));
    let mut rejected = scheme.clone();
    scheme.run(Fulfil { hash: Digest([7; 32]), ..answer("d2", "d1") });
    assert_eq!(scheme.run(agreement(2, "fx1", "d1")), ["fx fx1: PUT COMMITTED with fulfilment"]);
    rejected.run(provider_error(2, "fx1", "d1"));
    assert_eq!(rejected.run(agreement(2, "fx1", "d1")), ["fx fx1: PUT ABORTED"]);
}

#[test]
fn section_3_4_the_answer_of_a_provider_behind_a_proxy() {
    let cases: [Answered; 6] = [
        ("its own", |_, _| {}, &["fx d1: relay"], Stage::Agreed),
        ("of its hub", |_, c| c.source = fsp("hub-of-p"), &["fx d1: relay"], Stage::Agreed),
        ("past the expiration", |s, _| s.now = millis(90_000), &["fx d1: relay"], Stage::Agreed),
        (
            "to nobody",
            |_, c| c.destination = None,
            &["fx d1: DestinationIsNotPayer", "fx pfx via p: PATCH ABORTED"],
            Stage::Aborted,
        ),
        (
            "of its hub, to another",
            |_, c| (c.source, c.destination) = (fsp("hub-of-p"), Some(fsp("d2"))),
            &[],
            Stage::Forwarded,
        ),
        ("of the initiator", |_, c| *c = Agree { hash: c.hash, ..agreement(2, "d1", "d1") }, &[], Stage::Forwarded),
    ];
    for (name, spoil, told, after) in cases {
        let (mut scheme, mut command) = (prepared("d1", "pfx"), agreement(2, "pfx", "d1"));
        spoil(&mut scheme, &mut command);
        assert_eq!((scheme.run(command), stage(&scheme)), (owned(told), Some(after)), "{name}");
    }
    let mut scheme = prepared("p1", "fx1");
    let to_nobody = Agree { destination: None, ..agreement(2, "fx1", "p1") };
    assert_eq!(scheme.run(to_nobody), ["fx p1 via p: relay"], "an external initiator may be called otherwise");
}

#[test]
fn section_1_8_another_scheme_that_knows_nothing_is_not_answered_and_ends_nothing_in_time() {
    let mut scheme = prepared("d1", "pfx");
    let unknown = RejectConversion { code: 3208, ..provider_error(2, "pfx", "d1") };
    assert_eq!(scheme.clone().run(RejectConversion { id: id(9), ..unknown.clone() }), NOTHING);
    scheme.now = millis(60_000);
    assert_eq!(scheme.run(unknown.clone()), NOTHING);
    scheme.now = millis(60_001);
    assert_eq!(scheme.run(unknown), ["fx d1: relay"]);
}

#[test]
fn section_3_6_every_step_of_the_providers_error() {
    type Case = (&'static str, fn(&mut Scheme, &mut RejectConversion), &'static [&'static str], Stage);
    let cases: [Case; 10] = [
        ("in time", |_, _| {}, &["fx d1: relay"], Stage::Aborted),
        (
            "in a scheme that confirms",
            |s, _| s.rules.confirms_to_payee = true,
            &["fx d1: relay", "fx fx1: ByPayee"],
            Stage::Aborted,
        ),
        ("unknown", |_, c| c.id = id(9), &["fx fx1: ConversionNotFound"], Stage::Reserved),
        ("its payment is not loaded", |_, c| c.payment = id(2), &["fx fx1: ConversionNotFound"], Stage::Reserved),
        ("from a stranger", |_, c| c.source = fsp("d2"), &[], Stage::Reserved),
        ("from the initiator", |_, c| c.source = fsp("d1"), &["fx d1: SourceIsNotPayee"], Stage::Aborted),
        ("to another", |_, c| c.destination = Some(fsp("d2")), &["fx d1: DestinationIsNotPayer"], Stage::Aborted),
        ("late", |s, _| s.now = millis(60_000), &["fx fx1: TransferExpired"], Stage::Reserved),
        ("repeated", |s, c| assert_eq!(s.run(c.clone()).len(), 1), &["fx fx1: PUT ABORTED"], Stage::Aborted),
        (
            "changed",
            |s, c| {
                s.run(c.clone());
                c.hash = Digest([9; 32]);
            },
            &["fx fx1: ModifiedRequest"],
            Stage::Aborted,
        ),
    ];
    for (name, spoil, told, after) in cases {
        let (mut scheme, mut command) = (prepared("d1", "fx1"), provider_error(2, "fx1", "d1"));
        spoil(&mut scheme, &mut command);
        assert_eq!((scheme.run(command), stage(&scheme)), (owned(told), Some(after)), "{name}");
        let held: &[&str] = if after == Stage::Aborted { &[] } else { &["d1 ZMW held 10"] };
        assert_eq!(scheme.moved(), owned(held), "{name}");
    }
}
