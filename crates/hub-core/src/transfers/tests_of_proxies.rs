//! Transfers from and to other schemes (contract, interscheme §1.7, §1.8).

use super::{Event, FulfilKind, SenderStanding, Stage, next};
use crate::{
    Rejection,
    fixture::{
        Scheme, TARGET, amount, answer, currency, expiry, fsp, fulfilment, id, millis, payee_error, transfer,
        transfer_subject,
    },
    transfers::{Fulfil, Prepare, TransferState},
};
use alloc::{string::String, vec::Vec};
use vocabulary::Digest;

const NOTHING: [&str; 0] = [];

fn prepared(payer: &str, payee: &str) -> Scheme {
    let mut scheme = Scheme::new();
    assert_eq!(scheme.run(transfer(payer, payee)).len(), 1);
    scheme
}

fn stage(scheme: &Scheme) -> Option<Stage> {
    scheme.stage(transfer_subject(1))
}

fn refusal(scheme: &Scheme) -> Option<Rejection> {
    match &scheme.known(transfer_subject(1))?.state {
        TransferState::Refused(rejection) => Some(rejection.clone()),
        TransferState::Reserved
        | TransferState::Forwarded
        | TransferState::Agreed { .. }
        | TransferState::Committed { .. }
        | TransferState::Aborted(_) => None,
    }
}

/// Payer and payee; what is held by the prepare, whom it goes to and the stage; whom the commit goes to and what it moves.
type Row = ([&'static str; 2], &'static [&'static str], (&'static str, Stage), &'static str, &'static [&'static str]);

const ROWS: [Row; 5] = [
    (["d1", "d2"], &["d1 MWK held 20"], ("d2: relay", Stage::Reserved), "d1: relay", &["d1 MWK 20", "d2 MWK -20"]),
    (
        ["d1", "p1"],
        &["d1 MWK held 20"],
        ("p1 via p: relay", Stage::Forwarded),
        "d1: relay",
        &["d1 MWK 20", "p MWK -20"],
    ),
    (["p1", "d1"], &["p MWK held 20"], ("d1: relay", Stage::Reserved), "p1 via p: relay", &["d1 MWK -20", "p MWK 20"]),
    (
        ["p1", "q1"],
        &["p MWK held 20"],
        ("q1 via q: relay", Stage::Forwarded),
        "p1 via p: relay",
        &["p MWK 20", "q MWK -20"],
    ),
    (["p1", "p2"], &[], ("p2 via p: relay", Stage::Forwarded), "p1 via p: relay", &[]),
];

#[test]
fn section_1_7_every_row_of_plain_transfers() {
    for ([payer, payee], held, (relayed, stage_of_it), outcome, moved) in ROWS {
        let mut scheme = Scheme::new();
        assert_eq!(scheme.run(transfer(payer, payee)), [relayed]);
        assert_eq!((scheme.moved(), stage(&scheme)), (owned(held), Some(stage_of_it)), "{payer} to {payee}");
        let mut rejected = scheme.clone();
        assert_eq!(scheme.run(answer(payee, payer)), [outcome]);
        assert_eq!((scheme.moved(), stage(&scheme)), (owned(moved), Some(Stage::Committed)), "{payer} to {payee}");
        assert_eq!(scheme.postings.len(), moved.len() / 2, "{payer} to {payee}");
        assert_eq!(rejected.run(payee_error(payee, payer)), [outcome], "an error takes the same way");
        assert_eq!((rejected.moved(), stage(&rejected)), (Vec::new(), Some(Stage::Aborted)), "{payer} to {payee}");
    }
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| String::from(*line)).collect()
}

#[test]
fn section_1_7_a_party_that_is_neither_here_nor_behind_a_proxy_is_3200_and_takes_no_id() {
    type Case = (&'static str, fn(Scheme) -> Scheme, [&'static str; 2], &'static str);
    let inactive = |mut scheme: Scheme| {
        scheme.position("d2", TARGET).is_active = false;
        scheme
    };
    let lost = |mut scheme: Scheme| {
        scheme.routes.iter_mut().for_each(|(_, proxy)| *proxy = fsp("gone"));
        scheme
    };
    let cases: [Case; 6] = [
        ("unknown payer", |scheme| scheme, ["nobody", "d2"], "nobody: NoRoute"),
        ("unknown payee", |scheme| scheme, ["d1", "nobody"], "d1: NoRoute"),
        ("unknown payee of an external payer", |scheme| scheme, ["p1", "nobody"], "p1 via p: NoRoute"),
        ("payee without the currency", |scheme| scheme.without("d2", TARGET), ["d1", "d2"], "d1: NoRoute"),
        ("payee whose position is inactive", inactive, ["d1", "d2"], "d1: NoRoute"),
        ("payee whose proxy is not here", lost, ["d1", "q1"], "d1: NoRoute"),
    ];
    for (name, spoil, [payer, payee], expected) in cases {
        let mut scheme = spoil(Scheme::new());
        for _ in 0..2 {
            assert_eq!(scheme.run(transfer(payer, payee)), [expected], "{name}");
            assert_eq!((stage(&scheme), scheme.moved()), (None, Vec::new()), "{name}");
        }
    }
}

#[test]
fn section_1_7_a_proxy_is_checked_as_the_dfsp_that_it_stands_for() {
    type Case = (&'static str, [&'static str; 2], fn(&mut Scheme, &mut Prepare), Rejection);
    let no_account = || Rejection::AccountNotFound(fsp("p"), currency(TARGET));
    let cases: [Case; 10] = [
        ("payer's proxy without the currency", ["p1", "d2"], |s, _| *s = s.clone().without("p", TARGET), no_account()),
        ("payee's proxy without the currency", ["d1", "p1"], |s, _| *s = s.clone().without("p", TARGET), no_account()),
        (
            "proxy's position inactive",
            ["p1", "d2"],
            |s, _| s.position("p", TARGET).is_active = false,
            Rejection::AccountInactive(fsp("p"), currency(TARGET)),
        ),
        (
            "proxy inactive",
            ["d1", "p1"],
            |s, _| s.participant("p").is_active = false,
            Rejection::ParticipantInactive(fsp("p")),
        ),
        ("liquidity of the proxy", ["p1", "d2"], |_, c| c.amount = Ok(amount("101")), Rejection::PayerShortOfLiquidity),
        ("cap of the proxy", ["p1", "d2"], |_, c| c.amount = Ok(amount("81")), Rejection::PayerOverCap),
        ("cap of the payer", ["d1", "p1"], |_, c| c.amount = Ok(amount("81")), Rejection::PayerOverCap),
        ("a local payer is the source", ["d1", "p1"], |_, c| c.source = fsp("d2"), Rejection::SourceIsNotPayer),
        ("past", ["p1", "d2"], |_, c| c.expiration = millis(-1), Rejection::AlreadyExpired(millis(-1))),
        (
            "too many digits",
            ["d1", "p1"],
            |_, c| c.amount = Err("123456789012345678".into()),
            Rejection::AmountTooLarge("123456789012345678".into()),
        ),
    ];
    for (name, [payer, payee], spoil, expected) in cases {
        let (mut scheme, mut command) = (Scheme::new(), transfer(payer, payee));
        spoil(&mut scheme, &mut command);
        let told = scheme.run(command.clone());
        assert!(told.len() == 1 && told[0].starts_with(payer), "{name}: {told:?}");
        assert_eq!((refusal(&scheme), scheme.moved()), (Some(expected), Vec::new()), "{name}");
        let via = if payer == "p1" { " via p" } else { "" };
        assert_eq!(scheme.run(command), [alloc::format!("{payer}{via}: PUT ABORTED")], "{name}: its id is taken");
    }
}

#[test]
fn section_1_7_an_external_payer_may_be_called_otherwise_and_one_proxy_needs_no_account() {
    let mut scheme = Scheme::new();
    assert_eq!(scheme.run(Prepare { source: fsp("hub-of-p"), ..transfer("p1", "d2") }), ["d2: relay"]);
    assert_eq!(scheme.run(Fulfil { destination: Some(fsp("hub-of-p")), ..answer("d2", "p1") }), ["p1 via p: relay"]);
    let mut scheme = Scheme::new().without("p", TARGET);
    assert_eq!(scheme.run(transfer("p1", "p2")), ["p2 via p: relay"]);
    scheme.run(answer("p2", "p1"));
    assert_eq!((stage(&scheme), scheme.postings.len()), (Some(Stage::Committed), 0));
}

#[test]
fn section_1_8_a_forwarded_transfer_never_expires_here_and_a_late_answer_commits_it() {
    for ([payer, payee], held, (_, before), outcome, moved) in ROWS {
        let mut scheme = prepared(payer, payee);
        scheme.now = millis(60_001);
        let mut answered = scheme.clone();
        if before == Stage::Forwarded {
            assert_eq!(scheme.run(expiry(transfer_subject(1))), NOTHING);
            assert_eq!((scheme.moved(), stage(&scheme)), (owned(held), Some(Stage::Forwarded)));
            assert_eq!(answered.run(answer(payee, payer)), [outcome]);
            assert_eq!(answered.moved(), owned(moved), "{payer} to {payee}");
            assert_eq!(scheme.run(payee_error(payee, payer)), [outcome], "a late error ends it");
        } else {
            let both = scheme.run(expiry(transfer_subject(1)));
            assert_eq!(
                both,
                [outcome, &alloc::format!("{payee}: relay")].map(|line| line.replace("relay", "TransferExpired"))
            );
            assert_eq!(answered.run(answer(payee, payer)), [alloc::format!("{payee}: TransferExpired")]);
        }
        assert_eq!((scheme.moved(), stage(&scheme)), (Vec::new(), Some(Stage::Aborted)), "{payer} to {payee}");
    }
    assert_eq!(next(Some(Stage::Forwarded), Event::Expired), Some(Stage::Aborted), "only with its payment");
}

/// Payer and payee, who answers and as what, the destination that it names, who is told, and the stage afterwards.
type Answer = ([&'static str; 2], &'static str, SenderStanding, &'static str, &'static [&'static str], Stage);

#[test]
fn section_1_8_who_may_answer_for_an_external_payee() {
    use SenderStanding::{External, Participant};
    let cases: [Answer; 11] = [
        (["d1", "p1"], "p1", External, "d1", &["d1: relay"], Stage::Committed),
        (["d1", "p1"], "hub-of-p", External, "d1", &["d1: relay"], Stage::Committed),
        (["d1", "p1"], "d2", Participant, "d1", &[], Stage::Forwarded),
        (["d1", "p1"], "d1", Participant, "d1", &[], Stage::Forwarded),
        (["d1", "p1"], "p1", External, "d2", &["d1: DestinationIsNotPayer"], Stage::Aborted),
        (["d1", "p1"], "hub-of-p", External, "d2", &[], Stage::Forwarded),
        (["q1", "p1"], "hub-of-p", External, "somebody", &["q1 via q: relay"], Stage::Committed),
        (["d1", "d2"], "hub-of-p", External, "d1", &[], Stage::Reserved),
        (["d1", "d2"], "p1", External, "d1", &[], Stage::Reserved),
        (["p1", "d2"], "p1", External, "p1", &["p1 via p: SourceIsNotPayee"], Stage::Aborted),
        (["p1", "d2"], "hub-of-p", External, "p1", &[], Stage::Reserved),
    ];
    for (parties, source, standing, destination, told, after) in cases {
        let mut scheme = prepared(parties[0], parties[1]);
        let mut rejected = scheme.clone();
        let answer =
            Fulfil { source: fsp(source), standing, destination: Some(fsp(destination)), ..answer("d2", "d1") };
        assert_eq!((scheme.run(answer), stage(&scheme)), (owned(told), Some(after)), "{source} for {parties:?}");
        let mut error = payee_error(source, destination);
        error.standing = standing;
        let after = if after == Stage::Committed { Stage::Aborted } else { after };
        assert_eq!((rejected.run(error), stage(&rejected)), (owned(told), Some(after)), "{source} for {parties:?}");
    }
}

#[test]
fn section_1_8_what_an_external_payee_hears_goes_through_its_proxy() {
    let mut scheme = prepared("d1", "p1");
    let mut reserved = scheme.clone();
    let wrong = Fulfil { fulfilment: Some(fulfilment(9)), ..answer("p1", "d1") };
    assert_eq!(scheme.clone().run(wrong), ["d1: InvalidFulfilment"]);
    let unknown = Fulfil { id: id(9), ..answer("p1", "d1") };
    assert_eq!(scheme.run(unknown), ["p1: TransferNotFound"], "by what the transport knows of it");
    scheme.rules.confirms_to_payee = true;
    assert_eq!(scheme.run(answer("p1", "d1")), ["d1: relay"], "no confirmation leaves the scheme");
    assert_eq!(scheme.run(answer("p1", "d1")), ["p1 via p: PUT COMMITTED with fulfilment"]);
    assert_eq!(scheme.run(answer("hub-of-p", "d1")), ["hub-of-p via p: PUT COMMITTED with fulfilment"]);
    let in_other_words = Fulfil { hash: Digest([9; 32]), ..answer("hub-of-p", "d1") };
    assert_eq!(scheme.run(in_other_words), NOTHING, "its hub says what the payee has said");
    let changed = Fulfil { hash: Digest([9; 32]), fulfilment: Some(fulfilment(9)), ..answer("p1", "d1") };
    assert_eq!(scheme.run(changed), ["p1 via p: ModifiedRequest"]);
    assert_eq!(scheme.run(payee_error("p1", "d1")), NOTHING, "an error of another scheme is not answered with another");
    let wrong_way = crate::transfers::Reject { via: Some(fsp("q")), ..payee_error("hub-of-p", "d1") };
    assert_eq!(reserved.clone().run(wrong_way), NOTHING, "only the payee's own proxy speaks for it");
    let reserve = Fulfil { kind: FulfilKind::Reserve, ..answer("p1", "d1") };
    assert_eq!(reserved.run(reserve), ["d1: PUT COMMITTED with fulfilment", "p1 via p: PATCH COMMITTED"]);
}

/// Two hubs that do not know a transfer told each other so without an end (simulation, seed 62).
#[test]
fn an_error_of_another_scheme_about_an_unknown_transfer_is_not_answered() {
    let mut scheme = prepared("d1", "p1");
    let mut error = payee_error("hub-of-p", "hub");
    error.id = id(9);
    assert_eq!(scheme.clone().run(error.clone()), NOTHING);
    error.standing = SenderStanding::Participant;
    assert_eq!(scheme.run(error), ["hub-of-p: TransferNotFound"]);
}

#[test]
fn what_another_scheme_does_not_know_yet_may_be_on_its_way_until_it_expires() {
    let mut scheme = prepared("d1", "p1");
    let mut unknown = payee_error("hub-of-p", "d1");
    unknown.code = 3208;
    scheme.now = millis(60_000);
    assert_eq!(scheme.run(unknown.clone()), NOTHING);
    assert_eq!(stage(&scheme), Some(Stage::Forwarded));
    let mut answered = scheme.clone();
    assert_eq!(answered.run(answer("p1", "d1")), ["d1: relay"], "it has got there");
    scheme.now = millis(60_001);
    assert_eq!(scheme.run(unknown), ["d1: relay"], "now nobody accepts it any more");
    assert_eq!((scheme.moved(), stage(&scheme)), (Vec::new(), Some(Stage::Aborted)));
}

#[test]
fn a_repeated_prepare_of_an_external_payer_is_answered_through_its_proxy() {
    let mut scheme = prepared("p1", "d2");
    assert_eq!(scheme.run(transfer("p1", "d2")), ["p1 via p: PUT RESERVED"]);
    assert_eq!(scheme.run(Prepare { hash: Digest([9; 32]), ..transfer("p1", "d2") }), ["p1 via p: ModifiedRequest"]);
    assert_eq!(scheme.moved(), ["p MWK held 20"]);
}

/// The proxy is resolved once: what ends the transfer goes where the prepare went.
#[test]
fn a_route_that_changes_does_not_move_a_transfer() {
    let mut scheme = prepared("d1", "p1");
    scheme.routes.iter_mut().find(|(name, _)| *name == fsp("p1")).unwrap().1 = fsp("q");
    scheme.run(answer("p1", "d1"));
    assert_eq!(scheme.moved(), ["d1 MWK 20", "p MWK -20"]);
}
