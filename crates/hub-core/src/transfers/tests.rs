//! The rules of transfers, by example, by table and by property.

use super::*;
use crate::Flow;
use crate::{Command, Loaded, OnUs, Outcome, Participant, Rules, State, decide};
use alloc::{format, string::String, string::ToString, vec::Vec};
use ledger::{Account, AccountKind, Cap, ParticipantId};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use vocabulary::{Amount, Currency};

const NOW: i64 = 1_800_000_000_000;

fn fsp(name: &str) -> FspId {
    name.parse().unwrap()
}

fn currency() -> Currency {
    "XTS".parse().unwrap()
}

pub(super) fn id(number: u8) -> CorrelationId {
    CorrelationId::from_parts([number; 16], true)
}

fn fulfilment(number: u8) -> Fulfilment {
    Fulfilment::new([number; 32])
}

fn condition(number: u8) -> Condition {
    Condition::new(Sha256::digest([number; 32]).into())
}

/// Payer, payee and a third DFSP, each with liquidity 100 and cap 80, in whole units; and the hub.
pub(super) fn loaded() -> Loaded {
    let mut accounts = Vec::new();
    let mut participants = Vec::new();
    for (number, name) in ["Hub", "payer", "payee", "third"].iter().enumerate() {
        let owner = ParticipantId(number as i64 + 1);
        participants.push(Participant {
            id: owner,
            name: fsp(name),
            is_active: true,
            is_proxy: false,
            flow: Flow::Both,
        });
        let kinds = match number {
            0 => [AccountKind::HubMultilateralSettlement, AccountKind::HubReconciliation],
            _ => [AccountKind::Position, AccountKind::Settlement],
        };
        for (at, kind) in kinds.into_iter().enumerate() {
            let liquidity = match kind {
                AccountKind::Settlement => -1_000_000,
                AccountKind::HubReconciliation => 3_000_000,
                AccountKind::Position
                | AccountKind::HubMultilateralSettlement
                | AccountKind::InterchangeFee
                | AccountKind::InterchangeFeeSettlement
                | AccountKind::Custom(_) => 0,
            };
            accounts.push(Account {
                id: AccountId(number as i64 * 2 + at as i64 + 1),
                owner,
                kind,
                currency: currency(),
                is_active: true,
                posted: Amount::from_units(liquidity),
                held: Amount::ZERO,
                cap: (kind == AccountKind::Position).then_some(Cap {
                    limit: Amount::from_units(800_000),
                    alarm_percentage: Amount::from_units(100_000),
                    share: None,
                }),
            });
        }
    }
    let now = Timestamp::from_millis(NOW);
    Loaded {
        now,
        window: WindowId(7),
        models: Vec::new(),
        fee_rules: Vec::new(),
        participants,
        routes: Vec::new(),
        accounts,
        transfers: Vec::new(),
        quotes: Vec::new(),
    }
}

pub(super) fn rules() -> Rules {
    Rules { hub_name: fsp("Hub"), on_us: OnUs::Refused, confirms_to_payee: false }
}

fn state() -> State {
    State::new(loaded(), rules())
}

pub(super) fn a_prepare(number: u8) -> Prepare {
    Prepare {
        id: id(number),
        source: fsp("payer"),
        payer: fsp("payer"),
        payee: fsp("payee"),
        amount: Ok(Amount::parse("50").unwrap()),
        currency: currency(),
        condition: condition(number),
        expiration: Timestamp::from_millis(NOW + 60_000),
        hash: Digest([number; 32]),
        dialect: Dialect(1),
        extensions: None,
        transaction: None,
        facts: None,
    }
}

pub(super) fn a_fulfil(number: u8, kind: FulfilKind) -> Fulfil {
    Fulfil {
        id: id(number),
        source: fsp("payee"),
        standing: SenderStanding::Participant,
        via: None,
        destination: Some(fsp("payer")),
        kind,
        fulfilment: Some(fulfilment(number)),
        hash: Digest([100 + number; 32]),
        dialect: Dialect(2),
        extensions: None,
    }
}

fn a_rejection(number: u8) -> Reject {
    Reject {
        id: id(number),
        source: fsp("payee"),
        standing: SenderStanding::Participant,
        via: None,
        destination: Some(fsp("payer")),
        code: 5104,
        description: "no".into(),
        hash: Digest([200; 32]),
        dialect: Dialect(2),
    }
}

fn an_expiry(number: u8) -> Expire {
    Expire { subject: subject(id(number)), payment: id(number) }
}

fn position(state: &State, name: &str) -> String {
    state.account(&fsp(name), currency(), AccountKind::Position).unwrap().value().to_string()
}

/// Who is told what, in short: `payer:failure NotReserved`.
fn told(outcome: &Outcome) -> Vec<String> {
    let short = |notice: &Notice| {
        let what = match &notice.message {
            Message::Relay => "relay".to_string(),
            Message::Failure(rejection) => format!("{rejection:?}"),
            Message::Status(status) => format!("PUT {}", status.state.as_str()),
            Message::Patch(status) => format!("PATCH {}", status.state.as_str()),
        };
        format!("{}:{what}", notice.to)
    };
    outcome.notices.iter().map(short).collect()
}

fn reserved() -> State {
    let mut state = state();
    assert_eq!(told(&prepare(&mut state, &a_prepare(1))), ["payee:relay"]);
    state
}

#[test]
fn section_4_0_a_payment_holds_at_prepare_and_moves_at_fulfil() {
    let mut state = reserved();
    assert_eq!((position(&state, "payer"), position(&state, "payee")), ("50".into(), "0".into()));
    let outcome = fulfil(&mut state, &a_fulfil(1, FulfilKind::Commit));
    assert_eq!(told(&outcome), ["payer:relay"]);
    assert_eq!((position(&state, "payer"), position(&state, "payee")), ("50".into(), "-50".into()));
    let changes = state.into_changes();
    assert_eq!(changes.postings.len(), 1);
    assert_eq!(changes.postings[0].window, Some(WindowId(7)));
}

/// Section 4.3: each row breaks one rule; the text is what the payer is told, and whether the id is taken.
#[test]
fn section_4_3_every_row_of_the_prepare_checks() {
    type Case = (&'static str, fn(&mut Loaded, &mut Rules, &mut Prepare), &'static str, bool);
    let cases: [Case; 16] = [
        (
            "row 1, unknown payer",
            |_, _, c| {
                c.payer = fsp("nobody");
                c.source = fsp("nobody")
            },
            "NoRoute",
            false,
        ),
        ("row 1, unknown payee", |_, _, c| c.payee = fsp("nobody"), "NoRoute", false),
        ("row 1, payee without account", |l, _, _| l.accounts.retain(|a| a.id.0 != 5), "NoRoute", false),
        ("row 1, payee's account inactive", |l, _, _| l.accounts[4].is_active = false, "NoRoute", false),
        ("row 4, source is not payer", |_, _, c| c.source = fsp("third"), "SourceIsNotPayer", true),
        ("row 4 compares case", |_, _, c| c.source = fsp("Payer"), "SourceIsNotPayer", true),
        ("row 6, too many digits", |_, _, c| c.amount = Err("123456789012345678".into()), "AmountTooLarge", true),
        (
            "row 7, payer inactive",
            |l, _, _| l.participants[1].is_active = false,
            "ParticipantInactive(FspId(payer))",
            true,
        ),
        (
            "row 8, payee inactive",
            |l, _, _| l.participants[2].is_active = false,
            "ParticipantInactive(FspId(payee))",
            true,
        ),
        ("row 10, expired", |_, _, c| c.expiration = Timestamp::from_millis(NOW - 1), "AlreadyExpired", true),
        ("row 11, payer is payee", |_, _, c| c.payee = fsp("payer"), "PayerIsPayee", true),
        ("row 12, payer without account", |l, _, _| l.accounts.retain(|a| a.id.0 != 3), "AccountNotFound", true),
        ("row 12, payer's account inactive", |l, _, _| l.accounts[2].is_active = false, "AccountInactive", true),
        (
            "row 14, liquidity before cap",
            |_, _, c| c.amount = Ok(Amount::parse("100.0001").unwrap()),
            "PayerShortOfLiquidity",
            true,
        ),
        ("row 14, cap", |_, _, c| c.amount = Ok(Amount::parse("80.0001").unwrap()), "PayerOverCap", true),
        (
            "order: row 7 before row 10",
            |l, _, c| {
                l.participants[1].is_active = false;
                c.expiration = Timestamp::from_millis(0)
            },
            "ParticipantInactive",
            true,
        ),
    ];
    for (name, spoil, expected, takes_id) in cases {
        let (mut loaded, mut rules, mut command) = (loaded(), rules(), a_prepare(1));
        spoil(&mut loaded, &mut rules, &mut command);
        let payer = command.payer.to_string();
        let mut state = State::new(loaded, rules);
        let outcome = told(&prepare(&mut state, &command));
        assert_eq!(outcome.len(), 1, "{name}");
        assert!(outcome[0].starts_with(&format!("{payer}:{expected}")), "{name}: {outcome:?}");
        assert_eq!(state.transfer(id(1)).map(Transfer::stage), takes_id.then_some(Stage::Refused), "{name}");
        let changes = state.into_changes();
        assert!(changes.accounts.is_empty() && changes.postings.is_empty(), "{name} moves nothing");
    }
}

#[test]
fn section_4_3_equality_passes_both_limits_and_expiry() {
    let mut command = a_prepare(1);
    command.amount = Ok(Amount::parse("80").unwrap());
    command.expiration = Timestamp::from_millis(NOW);
    assert_eq!(told(&prepare(&mut state(), &command)), ["payee:relay"]);
}

#[test]
fn section_6_1_a_transfer_inside_one_dfsp_passes_where_the_scheme_allows_it() {
    let mut command = a_prepare(1);
    command.payee = fsp("payer");
    let mut state = State::new(loaded(), Rules { on_us: OnUs::Allowed, ..rules() });
    assert_eq!(told(&prepare(&mut state, &command)), ["payer:relay"]);
    let mut answer = a_fulfil(1, FulfilKind::Reserve);
    answer.source = fsp("payer");
    assert_eq!(told(&fulfil(&mut state, &answer)), ["payer:PUT COMMITTED", "payer:PATCH COMMITTED"]);
    assert_eq!(position(&state, "payer"), "0");
}

#[test]
fn section_4_4_a_repeated_prepare_tells_the_state_and_a_changed_one_is_3106() {
    let mut state = reserved();
    let mut changed = a_prepare(1);
    changed.hash = Digest([9; 32]);
    assert_eq!(told(&prepare(&mut state, &a_prepare(1))), ["payer:PUT RESERVED"]);
    assert_eq!(told(&prepare(&mut state, &changed)), ["payer:ModifiedRequest"]);
    assert_eq!(position(&state, "payer"), "50");
    fulfil(&mut state, &a_fulfil(1, FulfilKind::Commit));
    assert_eq!(told(&prepare(&mut state, &a_prepare(1))), ["payer:PUT COMMITTED"]);
    let mut refused = a_prepare(2);
    refused.expiration = Timestamp::from_millis(0);
    prepare(&mut state, &refused);
    assert_eq!(told(&prepare(&mut state, &refused)), ["payer:PUT ABORTED"]);
}

/// A row of section 4.6: what is wrong with the payee's answer, what it asks for, who is told, and where it ends.
type FulfilCase = (&'static str, fn(&mut State, &mut Fulfil), FulfilKind, &'static [&'static str], Stage);

fn check_fulfils(cases: &[FulfilCase]) {
    for (name, spoil, kind, expected, stage) in cases {
        let (mut state, mut command) = (reserved(), a_fulfil(1, *kind));
        spoil(&mut state, &mut command);
        assert_eq!(told(&fulfil(&mut state, &command)), *expected, "{name}");
        assert_eq!(state.transfer(id(1)).unwrap().stage(), *stage, "{name}");
        let held = if *stage == Stage::Aborted { "0" } else { "50" };
        assert_eq!(position(&state, "payer"), held, "{name}");
        state.into_changes();
    }
}

#[test]
fn section_4_6_steps_1_to_3_who_may_answer() {
    check_fulfils(&[
        ("step 1, version 1.0", |_, _| {}, FulfilKind::ReserveWithoutPatch, &[], Stage::Reserved),
        ("step 2, unknown", |_, c| c.id = id(9), FulfilKind::Commit, &["payee:TransferNotFound"], Stage::Reserved),
        (
            "step 3, from the payer",
            |_, c| c.source = fsp("payer"),
            FulfilKind::Commit,
            &["payer:SourceIsNotPayee"],
            Stage::Aborted,
        ),
        ("step 3, from a stranger", |_, c| c.source = fsp("third"), FulfilKind::Commit, &[], Stage::Reserved),
        (
            "step 3, to another",
            |_, c| c.destination = Some(fsp("third")),
            FulfilKind::Commit,
            &["payer:DestinationIsNotPayer"],
            Stage::Aborted,
        ),
        (
            "step 3, reserve to another",
            |_, c| c.destination = Some(fsp("third")),
            FulfilKind::Reserve,
            &["payer:DestinationIsNotPayer", "payee:PATCH ABORTED"],
            Stage::Aborted,
        ),
        (
            "step 3 ignores case",
            |_, c| {
                c.source = fsp("PAYEE");
                c.destination = Some(fsp("Payer"))
            },
            FulfilKind::Commit,
            &["payer:relay"],
            Stage::Committed,
        ),
        ("step 3, no destination", |_, c| c.destination = None, FulfilKind::Commit, &["payer:relay"], Stage::Committed),
    ]);
}

#[test]
fn section_4_6_steps_5_to_9_what_the_answer_says() {
    let expired = |state: &mut State, _: &mut Fulfil| state.now = Timestamp::from_millis(NOW + 60_000);
    check_fulfils(&[
        ("step 5, ABORTED", |_, _| {}, FulfilKind::Abort, &[], Stage::Reserved),
        (
            "step 6, wrong fulfilment",
            |_, c| c.fulfilment = Some(fulfilment(2)),
            FulfilKind::Commit,
            &["payer:InvalidFulfilment"],
            Stage::Aborted,
        ),
        (
            "step 6, none",
            |_, c| c.fulfilment = None,
            FulfilKind::Reserve,
            &["payer:InvalidFulfilment", "payee:PATCH ABORTED"],
            Stage::Aborted,
        ),
        ("step 8, expired", expired, FulfilKind::Commit, &["payee:TransferExpired"], Stage::Reserved),
        (
            "step 8, expired reserve",
            expired,
            FulfilKind::Reserve,
            &["payee:TransferExpired", "payee:PATCH ABORTED"],
            Stage::Reserved,
        ),
        ("step 9, commit", |_, _| {}, FulfilKind::Commit, &["payer:relay"], Stage::Committed),
        (
            "step 9, reserve",
            |_, _| {},
            FulfilKind::Reserve,
            &["payer:PUT COMMITTED", "payee:PATCH COMMITTED"],
            Stage::Committed,
        ),
    ]);
}

#[test]
fn section_4_6_step_7_an_answer_to_an_ended_transfer_changes_nothing() {
    let mut state = reserved();
    reject(&mut state, &a_rejection(1));
    assert_eq!(
        told(&fulfil(&mut state, &a_fulfil(1, FulfilKind::Reserve))),
        ["payee:NotReserved", "payee:PATCH ABORTED"]
    );
    assert_eq!((position(&state, "payer"), position(&state, "payee")), ("0".into(), "0".into()));
}

#[test]
fn section_4_4_a_repeated_fulfil_is_answered_and_a_changed_one_is_3106() {
    let mut state = reserved();
    fulfil(&mut state, &a_fulfil(1, FulfilKind::Reserve));
    assert_eq!(told(&fulfil(&mut state, &a_fulfil(1, FulfilKind::Reserve))), ["payee:PATCH COMMITTED"]);
    let mut changed = a_fulfil(1, FulfilKind::Commit);
    changed.hash = Digest([1; 32]);
    assert_eq!(told(&fulfil(&mut state, &changed)), ["payee:ModifiedRequest"]);
    assert_eq!(position(&state, "payee"), "-50");
}

#[test]
fn a_committed_transfer_is_never_reversed_by_a_wrong_header() {
    let mut state = reserved();
    fulfil(&mut state, &a_fulfil(1, FulfilKind::Commit));
    let mut wrong = a_fulfil(1, FulfilKind::Reserve);
    wrong.destination = Some(fsp("third"));
    assert_eq!(told(&fulfil(&mut state, &wrong)), Vec::<String>::new());
    assert_eq!(position(&state, "payer"), "50");
}

#[test]
fn section_4_7_a_payees_error_ends_the_transfer_once() {
    let mut state = reserved();
    assert_eq!(told(&reject(&mut state, &a_rejection(1))), ["payer:relay"]);
    assert_eq!(told(&reject(&mut state, &a_rejection(1))), ["payee:PUT ABORTED"]);
    let changed = Reject { hash: Digest([3; 32]), ..a_rejection(1) };
    assert_eq!(told(&reject(&mut state, &changed)), ["payee:ModifiedRequest"]);
    assert_eq!(position(&state, "payer"), "0");
    let late = Reject { id: id(8), ..a_rejection(1) };
    assert_eq!(told(&reject(&mut state, &late)), ["payee:TransferNotFound"]);
}

#[test]
fn section_4_8_a_confirming_scheme_also_tells_the_payee() {
    let mut state = State::new(loaded(), Rules { confirms_to_payee: true, ..rules() });
    prepare(&mut state, &a_prepare(1));
    let outcome = fulfil(&mut state, &a_fulfil(1, FulfilKind::Commit));
    assert_eq!(told(&outcome), ["payer:relay", "payee:PUT COMMITTED"]);
}

#[test]
fn section_4_10_expiry_tells_both_sides_and_comes_once() {
    let mut state = reserved();
    assert_eq!(told(&expire(&mut state, &an_expiry(1))), Vec::<String>::new(), "not due yet");
    state.now = Timestamp::from_millis(NOW + 60_001);
    let both = ["payer:TransferExpired", "payee:TransferExpired"];
    assert_eq!(told(&expire(&mut state, &an_expiry(1))), both);
    assert_eq!(told(&expire(&mut state, &an_expiry(1))), Vec::<String>::new());
    assert_eq!(position(&state, "payer"), "0");
    assert_eq!(told(&fulfil(&mut state, &a_fulfil(1, FulfilKind::Commit))), ["payee:NotReserved"]);
}

#[test]
fn a_message_made_by_the_hub_speaks_the_version_that_its_recipient_spoke_last() {
    let mut state = reserved();
    let outcome = fulfil(&mut state, &a_fulfil(1, FulfilKind::Reserve));
    let dialects: Vec<_> = outcome.notices.iter().map(|notice| (notice.to.to_string(), notice.dialect.0)).collect();
    assert_eq!(dialects, [("payer".to_string(), 1), ("payee".to_string(), 2)]);
}

#[test]
fn funds_move_liquidity_and_never_expire() {
    let mut state = state();
    let money = |text: &str| Money { amount: Amount::parse(text).unwrap(), currency: currency() };
    let funds = |number: u8, text: &str| NewFundsFor(number, money(text)).into();
    record_funds(&mut state, &RecordFunds::In(funds(1, "20")));
    record_funds(&mut state, &RecordFunds::In(funds(1, "20")));
    let settlement =
        |state: &State| state.account(&fsp("payer"), currency(), AccountKind::Settlement).unwrap().value().to_string();
    assert_eq!(settlement(&state), "-120", "the repetition is ignored");
    record_funds(&mut state, &RecordFunds::OutReserve(funds(2, "30")));
    assert_eq!(settlement(&state), "-90");
    state.now = Timestamp::from_millis(i64::MAX);
    expire(&mut state, &an_expiry(2));
    record_funds(&mut state, &RecordFunds::OutAbort(finish(2, "payer")));
    assert_eq!(settlement(&state), "-120");
    record_funds(&mut state, &RecordFunds::OutReserve(funds(3, "120.0001")));
    assert_eq!(state.transfer(id(3)).unwrap().stage(), Stage::Refused);
    record_funds(&mut state, &RecordFunds::OutReserve(funds(4, "120")));
    record_funds(&mut state, &RecordFunds::OutCommit(finish(4, "payee")));
    assert_eq!(state.transfer(id(4)).unwrap().stage(), Stage::Reserved, "it is not the payee's");
    record_funds(&mut state, &RecordFunds::OutCommit(finish(4, "payer")));
    record_funds(&mut state, &RecordFunds::OutCommit(finish(4, "payer")));
    assert_eq!(settlement(&state), "0");
    assert_eq!(state.into_changes().postings.len(), 2);
}

fn finish(number: u8, participant: &str) -> super::FinishFunds {
    super::FinishFunds { id: id(number), participant: fsp(participant), extensions: Some("why".into()) }
}

struct NewFundsFor(u8, Money);

impl From<NewFundsFor> for super::funds::NewFunds {
    fn from(new: NewFundsFor) -> Self {
        let NewFundsFor(number, money) = new;
        Self { id: id(number), participant: fsp("payer"), money, hash: Digest([number; 32]), extensions: None }
    }
}

#[test]
fn the_state_machine_is_the_documented_table() {
    let stages = [None].into_iter().chain(Stage::ALL.map(Some));
    let mut table = String::new();
    for stage in stages {
        for event in Event::ALL {
            if let Some(follows) = next(stage, event) {
                let from = stage.map_or("unknown".to_string(), |stage| format!("{stage:?}"));
                table.push_str(&format!("| {from} | {event:?} | {follows:?} |\n"));
            }
        }
    }
    let documented = include_str!("../../../../docs/transfer-states.md");
    assert!(documented.contains(&table), "docs/transfer-states.md should contain:\n{table}");
}

#[derive(Clone, Debug)]
enum Step {
    Prepare(u8, u8),
    Fulfil(u8, bool, bool),
    Reject(u8),
    Expire(u8),
    Later(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0u8..6, 1u8..60).prop_map(|(number, amount)| Step::Prepare(number, amount)),
        (0u8..6, any::<bool>(), any::<bool>()).prop_map(|(number, fits, commits)| Step::Fulfil(number, fits, commits)),
        (0u8..6).prop_map(Step::Reject),
        (0u8..6).prop_map(Step::Expire),
        (1u16..40_000).prop_map(Step::Later),
    ];
    prop::collection::vec(step, 1..60)
}

fn command_of(step: &Step) -> Option<Command> {
    Some(match step {
        Step::Prepare(number, amount) => {
            let mut command = a_prepare(*number);
            command.amount = Ok(Amount::from_units(i64::from(*amount) * 10_000));
            Command::Prepare(alloc::boxed::Box::new(command))
        }
        Step::Fulfil(number, fits, commits) => {
            let kind = if *commits { FulfilKind::Commit } else { FulfilKind::Reserve };
            let mut command = a_fulfil(*number, kind);
            command.fulfilment = Some(fulfilment(if *fits { *number } else { 77 }));
            command.hash = Digest([u8::from(*fits) + 2 * u8::from(*commits); 32]);
            Command::Fulfil(alloc::boxed::Box::new(command))
        }
        Step::Reject(number) => Command::Reject(alloc::boxed::Box::new(a_rejection(*number))),
        Step::Expire(number) => Command::Expire(an_expiry(*number)),
        Step::Later(_) => return None,
    })
}

proptest! {
    /// No sequence commits a transfer twice or after its expiration, or moves a position without a matching entry;
    /// entries sum to zero per currency.
    #[test]
    fn any_sequence_of_commands_keeps_the_books(steps in steps()) {
        let mut state = state();
        let mut committed = [0u32; 6];
        let sum = |state: &State| state.book.accounts().map(|account| account.posted.units()).sum::<i64>();
        let before = sum(&state);
        for step in &steps {
            let Some(command) = command_of(step) else {
                let Step::Later(by) = step else { continue };
                state.now = state.now.plus_millis(i64::from(*by));
                continue;
            };
            let subject = command.subject().id;
            let was = state.transfer(subject).map(Transfer::stage);
            decide(&mut state, &command);
            let known = state.transfer(subject);
            let is = known.map(Transfer::stage);
            if was != Some(Stage::Committed) && is == Some(Stage::Committed) {
                committed[subject.to_parts().0[0] as usize] += 1;
                prop_assert!(known.unwrap().expiration > state.now, "committed after its expiration");
            }
            prop_assert!(was != Some(Stage::Committed) || is == was, "a committed transfer changed");
            let held: i64 = (0..6)
                .filter_map(|number| state.transfer(id(number)))
                .filter(|known| known.stage() == Stage::Reserved)
                .map(|known| known.money.amount.units())
                .sum();
            let payer = state.account(&fsp("payer"), currency(), AccountKind::Position).unwrap();
            prop_assert_eq!(payer.held.units(), held);
            prop_assert!(payer.value().units() <= 800_000);
        }
        prop_assert!(committed.iter().all(|times| *times <= 1));
        prop_assert_eq!(sum(&state), before);
        let changes = state.into_changes();
        prop_assert_eq!(changes.postings.len() as u32, committed.iter().sum::<u32>());
    }
}
