//! The rules of settlement by example, by their section of the contract, and by random histories.

use super::{fixture::*, *};
use crate::{
    administration::{Delay, Granularity},
    notices::NoticeContent,
};
use SettlementState::{Aborted, Committed, PendingSettlement, Recorded, Reserved, Settled as Done, Settling};
use alloc::{string::ToString, vec, vec::Vec};
use proptest::prelude::*;

const POSITION: AccountKind = AccountKind::Position;
const FEE: AccountKind = AccountKind::InterchangeFee;

/// Two DFSPs, 2 and 3, of which the first has paid 50 to the second; the window is closed.
fn paid() -> (Scheme, WindowId) {
    let mut scheme = Scheme::new(2, &["USD"]);
    scheme.model("NET", None, |_| {});
    scheme.pay((2, 3), POSITION, ("USD", 500_000));
    let window = scheme.close().unwrap();
    (scheme, window)
}

fn settling() -> (Scheme, WindowId, SettlementId) {
    let (mut scheme, window) = paid();
    let id = scheme.create("NET", &[window]).unwrap();
    (scheme, window, id)
}

fn abort(scheme: &mut Scheme, settlement: SettlementId) -> Result<SettlementAnswer, SettlementRejection> {
    let command = AbortSettlement { settlement, reason: "no".into(), external_reference: None };
    scheme.tries(&SettlementCommand::AbortSettlement(command))
}

fn refusals(answer: SettlementAnswer) -> Vec<Result<(), AccountRefusal>> {
    let SettlementAnswer::Advanced { accounts, .. } = answer else { panic!("{answer:?}") };
    accounts.into_iter().map(|account| account.outcome).collect()
}

#[test]
fn section_2_2_a_window_is_closed_once_and_not_without_payments() {
    let mut scheme = Scheme::new(2, &["USD"]);
    let close = |scheme: &mut Scheme, window| {
        let window = WindowId(window);
        scheme.tries(&SettlementCommand::CloseWindow(CloseWindow { window, reason: "evening".into() }))
    };
    assert_eq!(close(&mut scheme, 1), Err(SettlementRejection::WindowEmpty(WindowId(1))));
    assert_eq!(close(&mut scheme, 9), Err(SettlementRejection::WindowNotFound(WindowId(9))));
    scheme.pay((2, 3), POSITION, ("USD", 1));
    let Ok(SettlementAnswer::Opened(opened)) = close(&mut scheme, 1) else { panic!("it has a payment") };
    assert_eq!((opened.id, opened.state, &*opened.reason), (WindowId(2), WindowState::Open, "evening"));
    assert_eq!(scheme.windows[&WindowId(1)].state, WindowState::Processing);
    assert_eq!(close(&mut scheme, 1), Err(SettlementRejection::WindowNotOpen(WindowId(1))));
}

#[test]
fn section_2_2_totals_that_fail_may_be_taken_again_and_taking_them_twice_changes_nothing() {
    let mut scheme = Scheme::new(2, &["USD"]);
    scheme.pay((2, 3), POSITION, ("USD", 7));
    let window = WindowId(1);
    let total = |kind, debits, credits| AccountTotal {
        account: scheme.account(if debits > 0 { 2 } else { 3 }, kind, "USD").id,
        debits: Amount::from_units(debits),
        credits: Amount::from_units(credits),
    };
    let right = vec![total(POSITION, 7, 0), total(POSITION, 0, 7)];
    let wrong = vec![total(POSITION, 7, 0), total(POSITION, 0, 6)];
    let take = |totals: &[AccountTotal]| SettlementCommand::TakeTotals(TakeTotals { window, totals: totals.to_vec() });
    let fail = SettlementCommand::FailWindow { window, reason: "disk".into() };
    assert_eq!(scheme.tries(&take(&right)), Ok(SettlementAnswer::Done), "an open window is left alone");
    assert_eq!(scheme.windows[&window].state, WindowState::Open);
    scheme.tries(&SettlementCommand::CloseWindow(CloseWindow { window, reason: "r".into() })).unwrap();
    assert_eq!(scheme.tries(&take(&wrong)), Err(SettlementRejection::TotalsDoNotBalance(window)));
    scheme.tries(&fail).unwrap();
    assert_eq!(scheme.windows[&window].state, WindowState::Failed);
    scheme.tries(&take(&right)).unwrap();
    let closed = scheme.windows[&window].clone();
    assert_eq!((closed.state, closed.contents.len()), (WindowState::Closed, 1));
    for command in [take(&right), fail] {
        assert_eq!(scheme.tries(&command), Ok(SettlementAnswer::Done));
        assert_eq!(scheme.windows[&window], closed);
    }
}

#[test]
fn section_2_4_each_reason_against_a_settlement() {
    let (mut scheme, window) = paid();
    scheme.model("GROSS", Some("EUR"), |model| model.granularity = Granularity::Gross);
    scheme.model("NOW", Some("EUR"), |model| (model.delay, model.ledger_account) = (Delay::Immediate, FEE));
    scheme.model("OFF", Some("EUR"), |model| model.is_active = false);
    scheme.model("FEES", Some("EUR"), |model| model.ledger_account = FEE);
    let open = scheme.open_window();
    for (model, windows, expected) in [
        ("NONE", vec![window], SettlementRejection::ModelNotFound("NONE".into())),
        ("OFF", vec![window], SettlementRejection::ModelNotFound("OFF".into())),
        ("GROSS", vec![window], SettlementRejection::ModelIsGross),
        ("NOW", vec![window], SettlementRejection::ModelIsGross),
        ("NET", vec![open], SettlementRejection::InapplicableWindows(vec![open])),
        ("NET", vec![window, WindowId(99)], SettlementRejection::InapplicableWindows(vec![WindowId(99)])),
        ("FEES", vec![window], SettlementRejection::InapplicableWindows(vec![window])),
    ] {
        assert_eq!(scheme.create(model, &windows), Err(expected), "{model}");
    }
    assert_eq!(scheme.create("nEt", &[window]), Ok(SettlementId(1)), "names have no case");
    let again = scheme.create("NET", &[window]);
    assert_eq!(again, Err(SettlementRejection::InapplicableWindows(vec![window])), "a content is settled once");
}

#[test]
fn section_1_14_what_is_posted_to_a_type_of_the_operators_own_settles_if_the_type_does() {
    for (is_settleable, contents) in [(true, 2), (false, 1)] {
        let mut scheme = Scheme::new(2, &["USD"]);
        let levy = scheme.custom_type("LEVY", is_settleable);
        scheme.model("NET", Some("USD"), |_| {});
        scheme.model("LEVIES", Some("USD"), |model| model.ledger_account = levy);
        scheme.pay((2, 3), POSITION, ("USD", 500_000));
        scheme.pay((2, 3), levy, ("USD", 70_000));
        let window = scheme.close().unwrap();
        assert_eq!(scheme.windows[&window].contents.len(), contents);
        let levies = scheme.create("LEVIES", &[window]);
        assert_eq!(levies.is_ok(), is_settleable, "{levies:?}");
        if let Ok(levies) = levies {
            scheme.settle_whole(levies);
            assert_eq!(scheme.account(2, levy, "USD").value(), Amount::ZERO);
            assert_eq!(scheme.windows[&window].state, WindowState::PendingSettlement);
        }
        let positions = scheme.create("NET", &[window]).unwrap();
        scheme.settle_whole(positions);
        assert_eq!(scheme.windows[&window].state, WindowState::Settled);
        assert_eq!(scheme.hub_balance("USD"), Amount::ZERO);
    }
}

#[test]
fn section_2_4_a_default_model_leaves_out_currencies_that_have_a_model_of_their_own() {
    let mut scheme = Scheme::new(2, &["USD", "EUR", "TZS"]);
    scheme.model("DEFAULT", None, |_| {});
    scheme.model("EURO", Some("EUR"), |_| {});
    for code in ["USD", "EUR", "TZS"] {
        scheme.pay((2, 3), POSITION, (code, 10));
    }
    let window = scheme.close().unwrap();
    let currencies = |scheme: &Scheme, id: SettlementId| -> Vec<Currency> {
        let account = |account: &SettlementAccount| scheme.directory.account_by_id(account.account).unwrap();
        let all = scheme.settlements[&id].accounts.iter();
        let mut codes: Vec<_> = all.map(|known| account(known).account.currency).collect();
        codes.dedup();
        codes
    };
    let by_default = scheme.create("DEFAULT", &[window]).unwrap();
    let own = scheme.create("EURO", &[window]).unwrap();
    assert_eq!(currencies(&scheme, by_default), [currency("USD"), currency("TZS")]);
    assert_eq!(currencies(&scheme, own), [currency("EUR")]);
    scheme.settle_whole(by_default);
    assert_eq!(scheme.windows[&window].state, WindowState::PendingSettlement, "one of two is settled");
    scheme.settle_whole(own);
    assert_eq!(scheme.windows[&window].state, WindowState::Settled);
}

#[test]
fn section_2_5_an_account_moves_by_the_state_of_the_settlement() {
    for (stage, allowed) in [
        (PendingSettlement, vec![PendingSettlement, Recorded]),
        (Recorded, vec![Recorded, Reserved]),
        (Reserved, vec![Reserved, Committed]),
        (Committed, vec![Committed, Done]),
    ] {
        let (mut scheme, _, id) = settling();
        for step in [Recorded, Reserved, Committed] {
            if scheme.settlements[&id].state != stage {
                scheme.advance_all(id, step);
            }
        }
        for asked in [PendingSettlement, Recorded, Reserved, Committed, Done] {
            let mut copy = scheme.clone();
            let one = copy.all(id, asked).remove(0);
            let expected = if allowed.contains(&asked) { Ok(()) } else { Err(AccountRefusal::StateChangeNotAllowed) };
            assert_eq!(refusals(copy.advance(id, vec![one])), [expected], "{stage:?} to {asked:?}");
            let settlement = copy.settlements[&id].state;
            let expected = if (stage, asked) == (Committed, Done) { Settling } else { stage };
            assert_eq!(settlement, expected, "one of two accounts went from {stage:?} to {asked:?}");
        }
    }
}

#[test]
fn section_2_5_what_is_wrong_with_one_account_does_not_hold_up_the_others() {
    let (mut scheme, _, id) = settling();
    let [first, second] = scheme.all(id, Recorded).try_into().unwrap();
    let of_another = AdvanceAccount { participant: second.participant, ..first.clone() };
    let unknown = AdvanceAccount { account: AccountId(999), ..first.clone() };
    let answer = scheme.advance(id, vec![unknown, of_another, first.clone(), first, second]);
    let expected = [
        Err(AccountRefusal::NotFound),
        Err(AccountRefusal::OfAnotherParticipant),
        Ok(()),
        Err(AccountRefusal::ListedTwice),
        Ok(()),
    ];
    assert_eq!(refusals(answer), expected);
    assert_eq!(scheme.settlements[&id].state, Recorded);
    let unknown = AdvanceSettlement { settlement: SettlementId(9), accounts: Vec::new() };
    let refused = scheme.tries(&SettlementCommand::AdvanceSettlement(unknown));
    assert_eq!(refused, Err(SettlementRejection::SettlementNotFound(SettlementId(9))));
}

#[test]
fn section_2_5_an_abort_frees_the_window_and_moves_back_what_was_reserved() {
    for steps in [vec![], vec![Recorded], vec![Recorded, Reserved]] {
        let (mut scheme, window, id) = settling();
        steps.iter().for_each(|step| scheme.advance_all(id, *step));
        abort(&mut scheme, id).unwrap();
        assert_eq!(scheme.settlements[&id].state, Aborted);
        assert!(scheme.settlements[&id].accounts.iter().all(|account| account.state == Aborted));
        assert_eq!((scheme.position(2, "USD"), scheme.position(3, "USD")), (amount("50"), amount("-50")), "{steps:?}");
        assert_eq!(scheme.hub_balance("USD"), Amount::ZERO);
        assert_eq!(scheme.windows[&window].state, WindowState::Aborted);
        assert!(abort(&mut scheme, id).is_ok(), "once more is recorded");
        let again = scheme.create("NET", &[window]).unwrap();
        scheme.settle_whole(again);
        assert_eq!(scheme.windows[&window].state, WindowState::Settled);
        assert_eq!(scheme.position(2, "USD"), Amount::ZERO);
    }
}

#[test]
fn section_2_5_a_settlement_with_a_committed_account_cannot_be_aborted() {
    let (mut scheme, _, id) = settling();
    [Recorded, Reserved].into_iter().for_each(|state| scheme.advance_all(id, state));
    let one = scheme.all(id, Committed).remove(0);
    scheme.advance(id, vec![one]);
    assert_eq!(abort(&mut scheme, id), Err(SettlementRejection::AbortAfterCommit(id)));
    for step in [Committed, Done] {
        scheme.advance_all(id, step);
        assert_eq!(abort(&mut scheme, id), Err(SettlementRejection::AbortNotAllowed(id, step)));
    }
    assert_eq!(abort(&mut scheme, SettlementId(9)), Err(SettlementRejection::SettlementNotFound(SettlementId(9))));
}

#[test]
fn section_3_5_the_worked_example() {
    let (mut scheme, window, id) = settling();
    let balances = |scheme: &Scheme| [scheme.position(2, "USD"), scheme.position(3, "USD"), scheme.hub_balance("USD")];
    let expect = |scheme: &Scheme, expected: [&str; 3]| assert_eq!(balances(scheme), expected.map(amount));
    let nets: Vec<Amount> = scheme.settlements[&id].accounts.iter().map(|account| account.net).collect();
    assert_eq!(nets, [amount("50"), amount("-50")]);
    for (step, expected) in [
        (Recorded, ["50", "-50", "0"]),
        (Reserved, ["50", "0", "-50"]),
        (Committed, ["0", "0", "0"]),
        (Done, ["0", "0", "0"]),
    ] {
        scheme.advance_all(id, step);
        expect(&scheme, expected);
        scheme.advance_all(id, step);
        expect(&scheme, expected);
        assert_eq!(scheme.settlements[&id].state, step);
    }
    assert_eq!(scheme.windows[&window].state, WindowState::Settled);
    assert_eq!(scheme.account(2, AccountKind::Settlement, "USD").value(), Amount::ZERO, "liquidity does not move");
}

#[test]
fn section_3_6_a_model_that_does_not_reset_positions_moves_none() {
    let (mut scheme, window) = paid();
    scheme.model("STAY", Some("USD"), |model| model.resets_positions = false);
    let id = scheme.create("STAY", &[window]).unwrap();
    scheme.settle_whole(id);
    assert_eq!((scheme.position(2, "USD"), scheme.position(3, "USD")), (amount("50"), amount("-50")));
    assert_eq!(scheme.windows[&window].state, WindowState::Settled);
}

#[test]
fn section_3_6_the_cap_of_a_recipient_grows_only_where_the_model_asks_and_headroom_is_short() {
    for (checks, paid_back, expected) in [(true, "0", "1000"), (true, "1020", "1050"), (false, "1020", "1000")] {
        let (mut scheme, window) = paid();
        scheme.model("CHECKED", Some("USD"), |model| model.requires_liquidity_check = checks);
        // In the next window: the recipient owes so much by now.
        scheme.pay((3, 2), POSITION, ("USD", amount(paid_back).units()));
        let id = scheme.create("CHECKED", &[window]).unwrap();
        [Recorded, Reserved].into_iter().for_each(|state| scheme.advance_all(id, state));
        let cap = scheme.account(3, POSITION, "USD").cap.unwrap().limit;
        assert_eq!(cap, amount(expected), "{checks} {paid_back}");
        let adjusted = NoticeContent::CapAdjustment { previous: amount("1000"), cap };
        let told = scheme.notices.iter().filter(|notice| notice.content == adjusted).count();
        assert_eq!(told, usize::from(cap != amount("1000")), "{checks} {paid_back}");
    }
}

#[test]
fn section_4_8_each_position_that_a_settlement_moves_is_told_once() {
    let (mut scheme, _, id) = settling();
    let told = |scheme: &mut Scheme| -> Vec<_> {
        scheme.notices.drain(..).map(|notice| (notice.participant.to_string(), notice.content)).collect()
    };
    let position = |position| NoticeContent::SettlementPosition { position: amount(position), settlement: id };
    for (step, expected) in [
        (Recorded, vec![]),
        (Reserved, vec![("dfsp3".to_string(), position("0"))]),
        (Committed, vec![("dfsp2".to_string(), position("0"))]),
        (Done, vec![]),
    ] {
        scheme.advance_all(id, step);
        assert_eq!(told(&mut scheme), expected, "{step:?}");
        scheme.advance_all(id, step);
        assert_eq!(told(&mut scheme), [], "{step:?} again");
    }
}

#[test]
fn section_4_8_an_abort_tells_what_it_moves_back() {
    let (mut scheme, _, id) = settling();
    [Recorded, Reserved].into_iter().for_each(|state| scheme.advance_all(id, state));
    scheme.notices.clear();
    abort(&mut scheme, id).unwrap();
    let expected = NoticeContent::SettlementPosition { position: amount("-50"), settlement: id };
    let told: Vec<_> = scheme.notices.iter().map(|notice| (notice.participant.as_str(), notice.content)).collect();
    assert_eq!(told, [("dfsp3", expected)]);
}

#[test]
fn a_hub_without_its_settlement_account_moves_nothing() {
    let (mut scheme, _, id) = settling();
    scheme.directory.accounts.retain(|record| record.account.kind != AccountKind::HubMultilateralSettlement);
    let accounts = scheme.all(id, Recorded);
    let command = AdvanceSettlement { settlement: id, accounts };
    let refused = scheme.tries(&SettlementCommand::AdvanceSettlement(command));
    assert_eq!(refused, Err(SettlementRejection::NoHubSettlementAccount));
}

/// One thing that somebody does; numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    Pay { payer: i64, payee: i64, is_fee: bool, code: usize, units: i64 },
    Close,
    Create { model: usize, windows: Vec<usize> },
    Advance { settlement: usize, state: usize, skip: usize },
    Abort { settlement: usize },
}

const CODES: [&str; 3] = ["USD", "EUR", "TZS"];
const MODELS: [&str; 4] = ["DEFAULT", "EURO", "FEES", "STAY"];
const ASKED: [SettlementState; 5] = [PendingSettlement, Recorded, Reserved, Committed, Done];

fn step() -> impl Strategy<Value = Step> {
    let pay = (2i64..6, 2i64..6, any::<bool>(), 0..CODES.len(), 1i64..100_000);
    prop_oneof![
        6 => pay.prop_map(|(payer, payee, is_fee, code, units)| Step::Pay { payer, payee, is_fee, code, units }),
        2 => Just(Step::Close),
        3 => (0..MODELS.len(), prop::collection::vec(0usize..8, 1..4))
            .prop_map(|(model, windows)| Step::Create { model, windows }),
        9 => (0usize..6, 0..ASKED.len(), 0usize..12).prop_map(|(settlement, state, skip)| Step::Advance { settlement, state, skip }),
        1 => (0usize..6).prop_map(|settlement| Step::Abort { settlement }),
    ]
}

/// Four DFSPs, three currencies: one with the default model, one with its own, one with models for positions and fees
/// of which that for positions does not move them.
fn scheme_of_all_models() -> Scheme {
    let mut scheme = Scheme::new(4, &CODES);
    scheme.model("DEFAULT", None, |_| {});
    scheme.model("EURO", Some("EUR"), |model| model.requires_liquidity_check = true);
    scheme.model("FEES", Some("TZS"), |model| model.ledger_account = FEE);
    scheme.model("STAY", Some("TZS"), |model| {
        (model.resets_positions, model.interchange) = (false, crate::administration::Interchange::Bilateral);
    });
    scheme
}

fn run(scheme: &mut Scheme, step: Step) {
    let window = |scheme: &Scheme, number: usize| *scheme.windows.keys().nth(number % scheme.windows.len()).unwrap();
    let settlement = |scheme: &Scheme, number: usize| scheme.settlements.keys().nth(number).copied();
    match step {
        Step::Pay { payer, payee, is_fee, code, units } => {
            let payee = if payer == payee { payer % 4 + 2 } else { payee };
            if payer != payee {
                scheme.pay((payer, payee), if is_fee { FEE } else { POSITION }, (CODES[code], units));
            }
        }
        Step::Close => drop(scheme.close()),
        Step::Create { model, windows } => {
            let mut windows: Vec<_> = windows.into_iter().map(|number| window(scheme, number)).collect();
            windows.sort();
            windows.dedup();
            let before = scheme.clone();
            if scheme.create(MODELS[model], &windows).is_err() {
                assert_same(&before, scheme);
            }
        }
        Step::Advance { settlement: number, state, skip } => {
            let Some(id) = settlement(scheme, number) else { return };
            let mut accounts = scheme.all(id, ASKED[state]);
            // Most requests are about all accounts; some leave one out, so that a phase is half done.
            if skip < accounts.len() {
                accounts.remove(skip);
            }
            let before = scheme.settlements[&id].state;
            scheme.advance(id, accounts);
            assert_follows(before, scheme.settlements[&id].state);
        }
        Step::Abort { settlement: number } => {
            let Some(id) = settlement(scheme, number) else { return };
            let before = scheme.clone();
            if abort(scheme, id).is_err() {
                assert_same(&before, scheme);
            }
        }
    }
}

/// The documented transitions (contract, administration §2.5), and staying.
fn assert_follows(before: SettlementState, after: SettlementState) {
    let may_follow = match before {
        PendingSettlement => [PendingSettlement, Recorded].contains(&after),
        Recorded => [Recorded, Reserved].contains(&after),
        Reserved => [Reserved, Committed].contains(&after),
        Committed => [Committed, Settling, Done].contains(&after),
        Settling => [Settling, Done].contains(&after),
        Done | Aborted => after == before,
    };
    assert!(may_follow, "{before:?} to {after:?}");
}

fn assert_same(before: &Scheme, after: &Scheme) {
    assert_eq!((&before.windows, &before.settlements), (&after.windows, &after.settlements));
    assert!(before.directory.accounts == after.directory.accounts);
}

fn assert_conserved(scheme: &Scheme) {
    for code in CODES {
        let of_currency = scheme.directory.accounts.iter().filter(|record| record.account.currency == currency(code));
        assert_eq!(of_currency.map(|record| record.account.posted.units()).sum::<i64>(), 0, "{code}");
        for settlement in scheme.settlements.values() {
            let is_of = |account: &&SettlementAccount| {
                scheme.directory.account_by_id(account.account).unwrap().account.currency == currency(code)
            };
            let nets = settlement.accounts.iter().filter(is_of).map(|account| account.net.units());
            assert_eq!(nets.sum::<i64>(), 0, "settlement {:?} in {code}", settlement.id);
        }
        let is_half_way = |settlement: &Settlement| {
            let mut accounts = settlement.accounts.iter();
            accounts.any(|account| matches!(account.state, Reserved | Committed)) && settlement.state != Done
        };
        if !scheme.settlements.values().any(is_half_way) {
            assert_eq!(scheme.hub_balance(code), Amount::ZERO, "nothing is half way in {code}");
        }
    }
    for content in scheme.windows.values().flat_map(|window| &window.contents) {
        let bound = content.settlement.map(|id| scheme.settlements[&id].state);
        let fits = match content.state {
            WindowState::Closed | WindowState::Aborted => bound.is_none(),
            WindowState::PendingSettlement => bound.is_some_and(|state| state != Aborted),
            WindowState::Settled => matches!(bound, Some(Settling | Done)),
            WindowState::Open | WindowState::Processing | WindowState::Failed => false,
        };
        assert!(fits, "{content:?} of {bound:?}");
    }
}

/// Takes every settlement to its end, and settles whatever is left in closed windows.
fn settle_everything(scheme: &mut Scheme) {
    let finish = |scheme: &mut Scheme, id: SettlementId| {
        while let Some(next) = advance::next_of_accounts(scheme.settlements[&id].state) {
            scheme.advance_all(id, next);
        }
    };
    let _ = scheme.close();
    scheme.settlements.keys().copied().collect::<Vec<_>>().into_iter().for_each(|id| finish(scheme, id));
    for model in MODELS {
        for window in scheme.windows.keys().copied().collect::<Vec<_>>() {
            if let Ok(id) = scheme.create(model, &[window]) {
                finish(scheme, id);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn whatever_operators_do_money_is_conserved_and_settling_everything_ends_every_position(
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut scheme = scheme_of_all_models();
        for step in steps {
            run(&mut scheme, step);
            assert_conserved(&scheme);
        }
        settle_everything(&mut scheme);
        assert_conserved(&scheme);
        for dfsp in 2..6 {
            prop_assert_eq!(scheme.position(dfsp, "USD"), Amount::ZERO);
            prop_assert_eq!(scheme.position(dfsp, "EUR"), Amount::ZERO);
            prop_assert_eq!(scheme.account(dfsp, FEE, "TZS").value(), Amount::ZERO);
        }
    }
}
