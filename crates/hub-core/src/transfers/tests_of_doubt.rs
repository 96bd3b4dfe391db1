//! Payments that another scheme decides: what never left this one, what another hub says of a conversion whose transfer is
//! not here, and what an operator says (DESIGN, "One payment"; contract, interscheme §1.7, §1.10).

use super::{Resolve, SenderStanding, Stage, TransferState};
use crate::{
    Command, Rejection, Subject,
    fixture::{
        Scheme, agreement, answer, conversion, conversion_subject, expiry, fsp, id, millis, transfer, transfer_subject,
    },
    fx_transfers::Conclude,
};
use alloc::{boxed::Box, vec::Vec};

const NOTHING: [&str; 0] = [];
const TRANSFER: fn() -> Subject = || transfer_subject(1);
const CONVERSION: fn() -> Subject = || conversion_subject(2);

/// From `d1` to `p1`, who is behind `p`.
fn forwarded() -> Scheme {
    let mut scheme = Scheme::new();
    assert_eq!(scheme.run(transfer("d1", "p1")), ["p1 via p: relay"]);
    scheme
}

/// `p1` converts with `fx1` here; the payment itself does not come by here.
fn agreed_for_elsewhere() -> Scheme {
    let mut scheme = Scheme::new();
    scheme.run(conversion(2, "p1", "fx1"));
    assert_eq!(scheme.run(agreement(2, "fx1", "p1")), ["fx p1 via p: relay"]);
    assert_eq!(scheme.moved(), ["p ZMW held 10"]);
    scheme
}

fn concluded(is_committed: bool) -> Conclude {
    let via = Some(fsp("p"));
    Conclude { id: id(2), payment: id(1), standing: SenderStanding::External, via, is_committed }
}

fn word(subject: Subject, is_committed: bool) -> Command {
    let (payment, reason, extensions) = (id(1), "they say so".into(), Some("[]".into()));
    Command::Resolve(Box::new(Resolve { subject, payment, is_committed, reason, extensions }))
}

#[test]
fn what_never_left_this_scheme_expires_here() {
    let mut scheme = forwarded();
    scheme.now = millis(60_001);
    assert_eq!(scheme.run(expiry(TRANSFER())), NOTHING, "what was forwarded is not ours to end");
    assert_eq!(scheme.run(Command::NotForwarded(expiry(TRANSFER()))), NOTHING);
    assert_eq!(
        (scheme.stage(TRANSFER()), scheme.moved()),
        (Some(Stage::Reserved), Vec::from(["d1 MWK held 20".into()]))
    );
    assert_eq!(scheme.run(expiry(TRANSFER())), ["d1: TransferExpired", "p1 via p: TransferExpired"]);
    assert_eq!((scheme.stage(TRANSFER()), scheme.moved()), (Some(Stage::Aborted), Vec::new()));
}

#[test]
fn what_has_ended_is_not_opened_again_because_it_never_left() {
    let mut scheme = forwarded();
    scheme.run(answer("p1", "d1"));
    assert_eq!(scheme.run(Command::NotForwarded(expiry(TRANSFER()))), NOTHING);
    assert_eq!(scheme.stage(TRANSFER()), Some(Stage::Committed));
    assert_eq!(Scheme::new().run(Command::NotForwarded(expiry(TRANSFER()))), NOTHING, "nor is what is unknown");
}

#[test]
fn the_initiators_scheme_says_how_the_payment_ended() {
    let mut committed = agreed_for_elsewhere();
    assert_eq!(committed.run(Command::Conclude(concluded(true))), ["fx fx1: PATCH COMMITTED"]);
    assert_eq!(committed.stage(CONVERSION()), Some(Stage::Committed));
    assert_eq!(committed.moved(), ["fx1 ZMW -10", "p ZMW 10"]);
    assert_eq!(committed.run(Command::Conclude(concluded(false))), NOTHING, "it has ended");
    let mut aborted = agreed_for_elsewhere();
    assert_eq!(aborted.run(Command::Conclude(concluded(false))), ["fx fx1: PATCH ABORTED"]);
    assert_eq!((aborted.stage(CONVERSION()), aborted.moved()), (Some(Stage::Aborted), Vec::new()));
    assert_eq!(aborted.run(Command::Conclude(concluded(true))), NOTHING);
}

#[test]
fn nobody_else_says_how_a_conversion_ended() {
    type Case = (&'static str, fn(&mut Scheme, &mut Conclude));
    let cases: [Case; 5] = [
        ("a participant", |_, word| word.standing = SenderStanding::Participant),
        ("another proxy", |_, word| word.via = Some(fsp("q"))),
        ("no proxy", |_, word| word.via = None),
        ("of another conversion", |_, word| word.id = id(9)),
        ("where the transfer is here", |scheme, _| {
            scheme.run(transfer("p1", "d2"));
        }),
    ];
    for (name, spoil) in cases {
        for is_committed in [true, false] {
            let (mut scheme, mut word) = (agreed_for_elsewhere(), concluded(is_committed));
            spoil(&mut scheme, &mut word);
            let before = scheme.moved();
            assert_eq!(scheme.run(Command::Conclude(word)), NOTHING, "{name}");
            assert_eq!((scheme.stage(CONVERSION()), scheme.moved()), (Some(Stage::Agreed), before), "{name}");
        }
    }
}

#[test]
fn what_nobody_has_agreed_to_is_ended_by_the_initiators_scheme_but_not_committed() {
    let mut scheme = Scheme::new();
    scheme.run(conversion(2, "p1", "fx1"));
    assert_eq!(scheme.run(Command::Conclude(concluded(true))), NOTHING);
    assert_eq!(scheme.stage(CONVERSION()), Some(Stage::Reserved));
    assert_eq!(scheme.run(Command::Conclude(concluded(false))), ["fx fx1: PATCH ABORTED"]);
    assert_eq!(scheme.moved(), Vec::<&str>::new());
}

#[test]
fn an_operator_ends_what_the_other_scheme_does_not() {
    let mut committed = forwarded();
    committed.now = millis(60_001);
    let mut aborted = committed.clone();
    assert_eq!(committed.run(word(TRANSFER(), true)), ["d1: PUT COMMITTED"]);
    assert_eq!(committed.moved(), ["d1 MWK 20", "p MWK -20"]);
    let known = committed.known(TRANSFER()).unwrap();
    assert_eq!((known.window.is_some(), known.fulfil_extensions.as_deref()), (true, Some("[]")));
    assert_eq!(aborted.run(word(TRANSFER(), false)), ["d1: ByPayee"]);
    let TransferState::Aborted(Rejection::ByPayee { code, description }) = &aborted.known(TRANSFER()).unwrap().state
    else {
        panic!("it was aborted")
    };
    assert_eq!((*code, &**description), (2001, "Ended by the operator: they say so"));
    assert_eq!(aborted.moved(), Vec::<&str>::new());
    // The other scheme's late word changes nothing any more.
    assert_eq!(committed.run(answer("p1", "d1")), ["p1 via p: NotReserved"]);
    assert_eq!(aborted.run(answer("p1", "d1")), ["p1 via p: NotReserved"]);
    assert_eq!((committed.moved().len(), aborted.moved().len()), (2, 0));
}

#[test]
fn an_operator_ends_all_parts_of_a_payment() {
    for (is_committed, moved) in [(true, 4), (false, 0)] {
        let mut scheme = Scheme::new();
        scheme.run(conversion(2, "d1", "fx1"));
        scheme.run(agreement(2, "fx1", "d1"));
        scheme.run(transfer("d1", "p1"));
        scheme.now = millis(60_001);
        assert_eq!(scheme.run(word(CONVERSION(), is_committed)), NOTHING, "its transfer is here and decides");
        let told = scheme.run(word(TRANSFER(), is_committed));
        assert!(told.iter().any(|line| line.starts_with("fx fx1: PATCH")), "{told:?}");
        assert!(told.iter().any(|line| line.starts_with("d1: ")), "{told:?}");
        let (transfer, conversion) = (scheme.stage(TRANSFER()), scheme.stage(CONVERSION()));
        assert_eq!((transfer, scheme.moved().len()), (conversion, moved), "{:?}", scheme.moved());
    }
}

#[test]
fn an_operator_ends_a_conversion_whose_transfer_never_came() {
    let mut scheme = agreed_for_elsewhere();
    assert_eq!(scheme.run(word(CONVERSION(), true)), NOTHING, "its time has not passed");
    scheme.now = millis(60_001);
    let mut aborted = scheme.clone();
    assert_eq!(scheme.run(word(CONVERSION(), true)), ["fx fx1: PATCH COMMITTED"]);
    assert_eq!(scheme.moved(), ["fx1 ZMW -10", "p ZMW 10"]);
    let told = aborted.run(word(CONVERSION(), false));
    assert_eq!(told, ["fx p1 via p: ByPayee", "fx fx1: PATCH ABORTED"]);
    assert_eq!(aborted.moved(), Vec::<&str>::new());
}

#[test]
fn an_operator_does_not_end_what_ends_by_itself() {
    let mut scheme = Scheme::new();
    scheme.run(transfer("d1", "d2"));
    scheme.now = millis(60_001);
    assert_eq!(scheme.run(word(TRANSFER(), true)), NOTHING);
    assert_eq!(scheme.stage(TRANSFER()), Some(Stage::Reserved));
    assert_eq!(Scheme::new().run(word(TRANSFER(), true)), NOTHING, "nor what nobody knows");
    let mut early = forwarded();
    early.now = millis(60_000);
    assert_eq!(early.run(word(TRANSFER(), false)), NOTHING);
}
