//! Payments with conversions: what is held, moved and told when their parts end together (contract, interscheme §1.7,
//! §3.5 to §3.7).

use super::{Agree, PrepareConversion};
use crate::{
    Rejection, Subject,
    fixture::{
        SOURCE, Scheme, TARGET, agreement, amount, answer, conversion, conversion_subject, currency, expiry, fsp,
        fulfilment, id, millis, payee_error, provider_error, transfer, transfer_in_source, transfer_subject,
    },
    transfers::{Fulfil, FulfilKind, Prepare, PublicState, Reject, Stage, TransferState},
};
use alloc::{string::String, vec::Vec};
use vocabulary::{Amount, Digest};

const NOTHING: [&str; 0] = [];
const ENDED: &str = "fx fx1: PATCH ABORTED";

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| String::from(*line)).collect()
}

fn agreed(initiator: &str, provider: &str) -> Scheme {
    let mut scheme = Scheme::new();
    assert_eq!(scheme.run(conversion(2, initiator, provider)).len(), 1);
    assert_eq!(scheme.run(agreement(2, provider, initiator)).len(), 1);
    scheme
}

fn reserved(payer: &str, provider: &str, payee: &str) -> Scheme {
    let mut scheme = agreed(payer, provider);
    assert_eq!(scheme.run(transfer(payer, payee)).len(), 1);
    scheme
}

fn stages(scheme: &Scheme) -> [Option<Stage>; 2] {
    [transfer_subject(1), conversion_subject(2)].map(|subject| scheme.stage(subject))
}

/// Payer, provider and payee; what is held once the transfer is prepared, and its stage; who hears of the commit, and what
/// it moves.
type Row = ([&'static str; 3], &'static [&'static str], Stage, &'static [&'static str], &'static [&'static str]);

const ROWS: [Row; 8] = [
    (
        ["d1", "fx1", "d2"],
        &["d1 ZMW held 10", "fx1 MWK held 20"],
        Stage::Reserved,
        &["d1: relay", "fx fx1: PATCH COMMITTED"],
        &["d1 ZMW 10", "d2 MWK -20", "fx1 ZMW -10", "fx1 MWK 20"],
    ),
    (
        ["d1", "fx1", "p1"],
        &["d1 ZMW held 10", "fx1 MWK held 20"],
        Stage::Forwarded,
        &["d1: relay", "fx fx1: PATCH COMMITTED"],
        &["d1 ZMW 10", "fx1 ZMW -10", "fx1 MWK 20", "p MWK -20"],
    ),
    (["d1", "pfx", "p1"], &["d1 ZMW held 10"], Stage::Forwarded, &["d1: relay"], &["d1 ZMW 10", "p ZMW -10"]),
    (
        ["d1", "pfx", "q1"],
        &["d1 ZMW held 10", "p MWK held 20"],
        Stage::Forwarded,
        &["d1: relay", "fx pfx via p: PATCH COMMITTED"],
        &["d1 ZMW 10", "p ZMW -10", "p MWK 20", "q MWK -20"],
    ),
    (
        ["d1", "pfx", "d2"],
        &["d1 ZMW held 10", "p MWK held 20"],
        Stage::Reserved,
        &["d1: relay", "fx pfx via p: PATCH COMMITTED"],
        &["d1 ZMW 10", "d2 MWK -20", "p ZMW -10", "p MWK 20"],
    ),
    (
        ["q1", "fx1", "d2"],
        &["fx1 MWK held 20", "q ZMW held 10"],
        Stage::Reserved,
        &["q1 via q: relay", "fx fx1: PATCH COMMITTED"],
        &["d2 MWK -20", "fx1 ZMW -10", "fx1 MWK 20", "q ZMW 10"],
    ),
    (
        ["p1", "pfx", "q1"],
        &["p MWK held 20"],
        Stage::Forwarded,
        &["p1 via p: relay", "fx pfx via p: PATCH COMMITTED"],
        &["p MWK 20", "q MWK -20"],
    ),
    (["p1", "pfx", "p2"], &[], Stage::Forwarded, &["p1 via p: relay"], &[]),
];

fn via(name: &str) -> String {
    match &name[..1] {
        "p" | "q" => alloc::format!("{name} via {}", &name[..1]),
        _ => name.into(),
    }
}

#[test]
fn section_1_7_every_row_of_payments_with_a_conversion() {
    for ([payer, provider, payee], held, stage, told, moved) in ROWS {
        let name = alloc::format!("{payer} with {provider} to {payee}");
        let mut scheme = Scheme::new();
        assert_eq!(scheme.run(conversion(2, payer, provider)), [alloc::format!("fx {}: relay", via(provider))]);
        let converted = scheme.moved();
        assert_eq!(scheme.run(agreement(2, provider, payer)), [alloc::format!("fx {}: relay", via(payer))]);
        assert_eq!(scheme.moved(), converted, "{name}: an agreement moves nothing");
        assert_eq!(scheme.run(transfer(payer, payee)), [alloc::format!("{}: relay", via(payee))]);
        assert_eq!((scheme.moved(), stages(&scheme)), (owned(held), [Some(stage), Some(Stage::Agreed)]), "{name}");
        let mut rejected = scheme.clone();
        assert_eq!(scheme.run(answer(payee, payer)), told, "{name}");
        assert_eq!((scheme.moved(), stages(&scheme)), (owned(moved), [Some(Stage::Committed); 2]), "{name}");
        assert_eq!(scheme.postings.len(), moved.len() / 2, "{name}");
        // That it has failed a provider hears from here too, wherever it is.
        let told = [told[0].into(), alloc::format!("fx {}: PATCH ABORTED", via(provider))];
        assert_eq!(rejected.run(payee_error(payee, payer)), told, "{name}");
        assert_eq!((rejected.moved(), stages(&rejected)), (Vec::new(), [Some(Stage::Aborted); 2]), "{name}");
        assert!(rejected.postings.is_empty(), "{name}");
    }
}

#[test]
fn section_3_5_conversion_and_transfer_are_committed_by_one_decision_in_one_window() {
    let mut scheme = reserved("d1", "fx1", "d2");
    scheme.now = millis(30_000);
    let reserve = Fulfil { kind: FulfilKind::Reserve, ..answer("d2", "d1") };
    let told = ["d1: PUT COMMITTED with fulfilment", "d2: PATCH COMMITTED", "fx fx1: PATCH COMMITTED"];
    assert_eq!(scheme.run(reserve), told);
    let [transfer, conversion] =
        [transfer_subject(1), conversion_subject(2)].map(|part| scheme.known(part).unwrap().clone());
    assert!(transfer.window.is_some() && transfer.window == conversion.window);
    let status = conversion.status();
    assert_eq!((status.state, status.fulfilment), (PublicState::Committed, Some(fulfilment(2))));
    assert_eq!((transfer.changed_at, conversion.changed_at), (millis(30_000), millis(30_000)));
    let of: Vec<Subject> = scheme.postings.iter().map(|posting| posting.transfer).collect();
    assert_eq!(of, [transfer_subject(1), conversion_subject(2)]);
    assert!(scheme.postings.iter().all(|posting| posting.window == transfer.window));
}

#[test]
fn section_3_5_a_transfer_that_does_not_fit_its_conversion_is_refused_and_ends_it() {
    type Case = (&'static str, fn(&mut Scheme, &mut Prepare), &'static str);
    let cases: [Case; 7] = [
        ("another amount", |_, c| c.amount = Ok(amount("20.0001")), "d1: ConversionDiffers"),
        (
            "another currency",
            |_, c| (c.amount, c.currency) = (Ok(amount("10")), currency(SOURCE)),
            "d1: ConversionDiffers",
        ),
        ("cap", |s, _| s.position("fx1", TARGET).cap.as_mut().unwrap().limit = amount("19"), "d1: PayerOverCap"),
        ("liquidity", |s, _| s.position("fx1", TARGET).posted = amount("81"), "d1: PayerShortOfLiquidity"),
        ("provider's account", |s, _| *s = s.clone().without("fx1", TARGET), "d1: AccountNotFound"),
        (
            "account of the payee's proxy",
            |s, c| {
                *s = s.clone().without("p", TARGET);
                c.payee = fsp("p1");
            },
            "d1: AccountNotFound",
        ),
        ("past", |_, c| c.expiration = millis(-1), "d1: AlreadyExpired"),
    ];
    for (name, spoil, expected) in cases {
        let (mut scheme, mut command) = (agreed("d1", "fx1"), transfer("d1", "d2"));
        spoil(&mut scheme, &mut command);
        let told = scheme.run(command);
        assert_eq!(told[0], expected, "{name}");
        assert!(told[1..].iter().all(|line| line.ends_with("PATCH ABORTED")) && told.len() > 1, "{name}: {told:?}");
        assert_eq!(stages(&scheme), [Some(Stage::Refused), Some(Stage::Aborted)], "{name}");
        assert!(scheme.moved().iter().all(|line| !line.contains("held")), "{name}: {:?}", scheme.moved());
        assert_eq!(scheme.run(conversion(4, "d1", "fx1")), ["fx d1: NotConvertible"], "{name}");
    }
}

#[test]
fn section_3_5_a_transfer_that_is_early_or_not_its_payers_leaves_the_conversion_alone() {
    let mut early = Scheme::new();
    early.run(conversion(2, "d1", "fx1"));
    assert_eq!(early.run(transfer("d1", "d2")), ["d1: ConversionNotAgreed"]);
    assert_eq!(early.run(agreement(2, "fx1", "d1")), ["fx d1: relay"]);
    assert_eq!(early.run(transfer("d1", "d2")), ["d2: relay"], "its id was not taken");
    let mut scheme = agreed("d1", "fx1");
    let held = scheme.moved();
    let foreign = Prepare { source: fsp("d2"), payer: fsp("d2"), payee: fsp("d1"), ..transfer("d1", "d2") };
    assert_eq!(scheme.run(foreign), ["d2: ConversionDiffers"]);
    let forged = Prepare { source: fsp("d2"), ..transfer("d1", "d2") };
    assert_eq!(scheme.run(forged), ["d1: SourceIsNotPayer"]);
    scheme.run(conversion(3, "d1", "fx2"));
    assert_eq!(scheme.run(transfer("d1", "d2")), ["d1: ConversionNotAgreed"], "another one is not agreed to");
    scheme.run(provider_error(3, "fx2", "d1"));
    assert_eq!((scheme.moved(), stages(&scheme)), (Vec::new(), [None, Some(Stage::Aborted)]));
    assert_eq!(held, ["d1 ZMW held 10"]);
}

#[test]
fn section_3_5_the_payer_needs_no_account_in_the_target_currency() {
    let mut scheme = Scheme::new().without("d1", TARGET);
    scheme.run(conversion(2, "d1", "fx1"));
    scheme.run(agreement(2, "fx1", "d1"));
    assert_eq!(scheme.run(transfer("d1", "d2")), ["d2: relay"]);
}

#[test]
fn section_3_5_the_first_of_several_conversions_pays_for_the_transfer() {
    let mut scheme = agreed("d1", "fx1");
    scheme.run(conversion(3, "d1", "fx2"));
    scheme.run(agreement(3, "fx2", "d1"));
    assert_eq!(scheme.run(transfer("d1", "d2")), ["d2: relay"]);
    assert_eq!(scheme.moved(), ["d1 ZMW held 20", "fx1 MWK held 20"]);
    let told = ["d1: relay", "fx fx1: PATCH COMMITTED", "fx fx2: PATCH COMMITTED"];
    assert_eq!(scheme.run(answer("d2", "d1")), told);
    assert_eq!(scheme.moved(), ["d1 ZMW 20", "d2 MWK -20", "fx1 ZMW -10", "fx1 MWK 20", "fx2 ZMW -10"]);
}

#[test]
fn a_payment_of_which_one_leg_would_overflow_moves_nothing() {
    let mut scheme = reserved("d1", "fx1", "d2");
    scheme.position("fx1", SOURCE).posted = Amount::from_units(i64::MIN + 2);
    let before = scheme.moved();
    assert_eq!(scheme.run(answer("d2", "d1")), ["d2: Overflow"]);
    assert_eq!((scheme.moved(), stages(&scheme)), (before, [Some(Stage::Reserved), Some(Stage::Agreed)]));
    assert!(scheme.postings.is_empty());
}

#[test]
fn section_3_6_whatever_ends_a_payment_releases_all_of_it() {
    type Case = (&'static str, fn(&mut Scheme) -> Vec<String>, &'static [&'static str]);
    let cases: [Case; 8] = [
        ("the provider's error", |s| s.run(provider_error(2, "fx1", "d1")), &["fx d1: relay", "d1: ByPayee"]),
        (
            "the provider's error past the expiration",
            |s| {
                s.now = millis(60_000);
                s.run(provider_error(2, "fx1", "d1"))
            },
            &["fx d1: relay", "d1: ByPayee"],
        ),
        ("the payee's error", |s| s.run(payee_error("d2", "d1")), &["d1: relay", ENDED]),
        (
            "the payee's error to another",
            |s| s.run(Reject { destination: Some(fsp("fx1")), ..payee_error("d2", "d1") }),
            &["d1: DestinationIsNotPayer", ENDED],
        ),
        (
            "a wrong fulfilment",
            |s| s.run(Fulfil { fulfilment: Some(fulfilment(9)), ..answer("d2", "d1") }),
            &["d1: InvalidFulfilment", ENDED],
        ),
        (
            "a wrong fulfilment of a payee that waits",
            |s| s.run(Fulfil { fulfilment: None, kind: FulfilKind::Reserve, ..answer("d2", "d1") }),
            &["d1: InvalidFulfilment", "d2: PATCH ABORTED", ENDED],
        ),
        (
            "a fulfil to another",
            |s| s.run(Fulfil { destination: Some(fsp("fx1")), ..answer("d2", "d1") }),
            &["d1: DestinationIsNotPayer", ENDED],
        ),
        (
            "expiry",
            |s| {
                s.now = millis(60_001);
                s.run(expiry(transfer_subject(1)))
            },
            &["d1: TransferExpired", "d2: TransferExpired", "fx d1: TransferExpired", "fx fx1: TransferExpired"],
        ),
    ];
    for (name, end, told) in cases {
        let mut scheme = reserved("d1", "fx1", "d2");
        assert_eq!(end(&mut scheme), told, "{name}");
        assert_eq!((scheme.moved(), stages(&scheme)), (Vec::new(), [Some(Stage::Aborted); 2]), "{name}");
        let late = Fulfil { hash: Digest([8; 32]), ..answer("d2", "d1") };
        assert_eq!(scheme.run(late).len(), 1, "{name}");
        assert_eq!((scheme.moved(), scheme.postings.len()), (Vec::new(), 0), "{name}: it ends once");
    }
}

#[test]
fn section_3_6_a_conversion_that_fails_takes_those_beside_it_along() {
    let mut scheme = agreed("d1", "fx1");
    scheme.run(conversion(3, "d1", "fx2"));
    let mut wrong = scheme.clone();
    let told = ["fx d1: relay", "fx d1: ByPayee", "fx fx1: PATCH ABORTED"];
    assert_eq!(scheme.run(provider_error(3, "fx2", "d1")), told);
    let told = wrong.run(Agree { fulfilment: Some(fulfilment(9)), ..agreement(3, "fx2", "d1") });
    assert_eq!(
        told,
        ["fx d1: InvalidFulfilment", "fx fx2: PATCH ABORTED", "fx d1: InvalidFulfilment", "fx fx1: PATCH ABORTED"]
    );
    for ended in [&scheme, &wrong] {
        assert_eq!((ended.moved(), ended.transfers.iter().any(|known| known.is_open())), (Vec::new(), false));
    }
}

#[test]
fn section_3_6_only_the_scheme_of_the_payee_ends_a_forwarded_transfer() {
    // An external provider's error is never answered with another one.
    let cases: [(&str, &str, &[&str]); 2] = [("fx1", "p1", &["fx fx1: NotReserved"]), ("pfx", "q1", &[])];
    for (provider, payee, told) in cases {
        let mut scheme = reserved("d1", provider, payee);
        let before = scheme.moved();
        assert_eq!(scheme.run(provider_error(2, provider, "d1")), told);
        assert_eq!((scheme.moved(), stages(&scheme)), (before, [Some(Stage::Forwarded), Some(Stage::Agreed)]));
        scheme.run(answer(payee, "d1"));
        assert_eq!(stages(&scheme), [Some(Stage::Committed); 2], "{provider} and {payee}");
    }
    // Where provider and payee are behind the same proxy, either error ends the payment; the other one is late.
    let mut scheme = reserved("d1", "pfx", "p1");
    let mut by_payee = scheme.clone();
    assert_eq!(scheme.run(provider_error(2, "pfx", "d1")), ["fx d1: relay", "d1: ByPayee"]);
    assert_eq!(scheme.run(payee_error("p1", "d1")), NOTHING);
    assert_eq!(by_payee.run(payee_error("p1", "d1")), ["d1: relay", "fx pfx via p: PATCH ABORTED"]);
    assert_eq!(by_payee.run(provider_error(2, "pfx", "d1")), NOTHING);
    assert_eq!((scheme.moved(), by_payee.moved()), (Vec::new(), Vec::new()));
}

#[test]
fn section_3_7_a_reserved_conversion_expires_and_an_agreed_or_forwarded_one_does_not() {
    let told = ["fx d1: TransferExpired", "fx fx1: TransferExpired"];
    let mut scheme = Scheme::new();
    scheme.run(conversion(2, "d1", "fx1"));
    scheme.now = millis(60_000);
    assert_eq!(scheme.run(expiry(conversion_subject(2))), NOTHING, "not due yet");
    scheme.now = millis(60_001);
    assert_eq!(scheme.run(expiry(conversion_subject(2))), told);
    assert_eq!(scheme.run(expiry(conversion_subject(2))), NOTHING);
    assert_eq!((scheme.moved(), scheme.stage(conversion_subject(2))), (Vec::new(), Some(Stage::Aborted)));
    let mut forwarded = Scheme::new();
    forwarded.run(conversion(2, "d1", "pfx"));
    for mut scheme in [agreed("d1", "fx1"), agreed("d1", "pfx"), forwarded] {
        scheme.now = millis(600_000);
        assert_eq!(scheme.run(expiry(conversion_subject(2))), NOTHING);
        assert_eq!(scheme.moved(), ["d1 ZMW held 10"]);
    }
}

#[test]
fn section_3_7_an_expiring_transfer_takes_its_conversions_along_and_all_sides_are_told() {
    for ([payer, provider, payee], held, stage, ..) in ROWS {
        let mut scheme = reserved(payer, provider, payee);
        scheme.now = millis(60_001);
        assert_eq!(scheme.run(expiry(conversion_subject(2))), NOTHING, "it waits for its transfer");
        let told = scheme.run(expiry(transfer_subject(1)));
        if stage == Stage::Forwarded {
            assert_eq!((told, scheme.moved()), (Vec::new(), owned(held)), "{payer} with {provider} to {payee}");
            continue;
        }
        let [payer, provider, payee] = [payer, provider, payee].map(via);
        let of_transfer = [payer.clone(), payee];
        let of_conversion = [payer, provider.clone()].map(|name| alloc::format!("fx {name}"));
        let all = of_transfer.iter().chain(&of_conversion).map(|name| alloc::format!("{name}: TransferExpired"));
        let elsewhere = provider.contains("via").then(|| alloc::format!("fx {provider}: PATCH ABORTED"));
        assert_eq!((told, scheme.moved()), (all.chain(elsewhere).collect(), Vec::new()));
        assert_eq!(stages(&scheme), [Some(Stage::Aborted); 2]);
        let expired = TransferState::Aborted(Rejection::TransferExpired);
        assert!(scheme.transfers.iter().all(|known| known.state == expired));
    }
}

#[test]
fn section_3_7_an_expiring_conversion_takes_its_siblings_and_its_transfer_along() {
    let mut scheme = agreed("d1", "fx1");
    scheme.run(conversion(3, "d1", "fx2"));
    scheme.now = millis(60_001);
    let told: Vec<_> = ["d1", "fx1", "d1", "fx2"].map(|name| alloc::format!("fx {name}: TransferExpired")).into();
    assert_eq!((scheme.run(expiry(conversion_subject(3))), scheme.moved()), (told, Vec::new()));

    let mut scheme = Scheme::new();
    scheme.run(transfer_in_source("d1", "d2"));
    scheme.run(PrepareConversion { expiration: Some(millis(1_000)), ..conversion(2, "d2", "fx1") });
    scheme.now = millis(1_001);
    let told = ["d1", "d2", "fx d2", "fx fx1"].map(|name| alloc::format!("{name}: TransferExpired"));
    assert_eq!((scheme.run(expiry(conversion_subject(2))), scheme.moved()), (told.into(), Vec::new()));
    assert_eq!(stages(&scheme), [Some(Stage::Aborted); 2]);
}

/// Payer, payee and its provider; what the commit moves, and who is told.
type PayeeRow = ([&'static str; 3], &'static [&'static str], &'static [&'static str]);

#[test]
fn a_conversion_on_the_payees_side_redirects_the_transfer_to_its_provider() {
    let rows: [PayeeRow; 3] = [
        (
            ["d1", "d2", "fx1"],
            &["d1: relay", "fx fx1: PATCH COMMITTED"],
            &["d1 ZMW 10", "d2 MWK -20", "fx1 ZMW -10", "fx1 MWK 20"],
        ),
        (
            ["d1", "d2", "pfx"],
            &["d1: relay", "fx pfx via p: PATCH COMMITTED"],
            &["d1 ZMW 10", "d2 MWK -20", "p ZMW -10", "p MWK 20"],
        ),
        (
            ["q1", "d2", "fx1"],
            &["q1 via q: relay", "fx fx1: PATCH COMMITTED"],
            &["d2 MWK -20", "fx1 ZMW -10", "fx1 MWK 20", "q ZMW 10"],
        ),
    ];
    for ([payer, payee, provider], told, moved) in rows {
        let mut scheme = Scheme::new();
        assert_eq!(scheme.run(transfer_in_source(payer, payee)), ["d2: relay"]);
        assert_eq!(scheme.run(conversion(2, payee, provider)), [alloc::format!("fx {}: relay", via(provider))]);
        let held = scheme.moved();
        assert_eq!(held.iter().filter(|line| line.contains("held")).count(), 2, "{held:?}");
        assert_eq!(scheme.clone().run(answer(payee, payer)), ["d2: ConversionNotAgreed"]);
        assert_eq!(scheme.run(agreement(2, provider, payee)), ["fx d2: relay"]);
        assert_eq!(scheme.moved(), held);
        let mut by_payee = scheme.clone();
        let mut by_provider = scheme.clone();
        assert_eq!(scheme.run(answer(payee, payer)), told);
        assert_eq!((scheme.moved(), stages(&scheme)), (owned(moved), [Some(Stage::Committed); 2]));
        by_payee.run(payee_error(payee, payer));
        let told = by_provider.run(provider_error(2, provider, payee));
        assert_eq!(told, ["fx d2: relay".into(), alloc::format!("{}: ByPayee", via(payer))]);
        for ended in [by_payee, by_provider] {
            assert_eq!((ended.moved(), stages(&ended)), (Vec::new(), [Some(Stage::Aborted); 2]));
        }
    }
}

#[test]
fn conversions_on_both_sides_meet_in_the_currency_of_the_transfer() {
    let mut scheme = reserved("d1", "fx1", "d2");
    let mut onwards = conversion(3, "d2", "fx2");
    (onwards.source_amount.amount, onwards.source_amount.currency) = (Ok(amount("20")), currency(TARGET));
    (onwards.target_amount.amount, onwards.target_amount.currency) = (Ok(amount("30")), currency(SOURCE));
    assert_eq!(scheme.run(onwards), ["fx fx2: relay"]);
    assert_eq!(scheme.moved(), ["d1 ZMW held 10", "fx1 MWK held 20", "fx2 ZMW held 30"]);
    assert_eq!(scheme.run(agreement(3, "fx2", "d2")), ["fx d2: relay"]);
    let mut rejected = scheme.clone();
    let told = ["d1: relay", "fx fx1: PATCH COMMITTED", "fx fx2: PATCH COMMITTED"];
    assert_eq!(scheme.run(answer("d2", "d1")), told);
    let moved = ["d1 ZMW 10", "d2 ZMW -30", "fx1 ZMW -10", "fx1 MWK 20", "fx2 ZMW 30", "fx2 MWK -20"];
    assert_eq!((scheme.moved(), scheme.postings.len()), (owned(&moved), 3));
    let told = ["fx d2: relay", "d1: ByPayee", "fx d1: ByPayee", "fx fx1: PATCH ABORTED"];
    assert_eq!(rejected.run(provider_error(3, "fx2", "d2")), told);
    assert_eq!((rejected.moved(), rejected.stage(conversion_subject(3))), (Vec::new(), Some(Stage::Aborted)));
    assert_eq!(rejected.known(transfer_subject(1)).map(|known| known.id), Some(id(1)));
}
