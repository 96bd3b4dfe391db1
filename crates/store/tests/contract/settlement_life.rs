//! The life of windows and settlements, decided by the core and kept by the store (contract, administration §2, §3.5, §3.6).

use crate::{Fixture, days::Days, scheme::*, settlement::MULTILATERAL, settling};
use hub_core::{
    Command, WindowId,
    administration::Change,
    settlement::{
        AbortSettlement, AdvanceAccount, AdvanceSettlement, CreateSettlement, Scope, Settlement, SettlementAnswer,
        SettlementCommand, SettlementId, SettlementRejection, SettlementState, Window, WindowState,
    },
};
use ledger::ParticipantId;
use store::{SettlementQuery, Store, UnitWork, WindowQuery, Writer};
use vocabulary::Timestamp;

const FAR: Timestamp = Timestamp::from_millis(4_000_000_000_000);
const FIRST: WindowId = WindowId(1);
const SECOND: WindowId = WindowId(2);

async fn begin(store: &dyn Store) -> Box<dyn Writer> {
    found(store).await;
    let mut writer = store.writer().await.unwrap();
    writer.open(&[]).await.unwrap();
    writer.lock_books(&Scope::Windows(Vec::new())).await.unwrap();
    let administration = vec![Change::AddSettlementModel(crate::settlement::net_model(1))];
    writer.commit(UnitWork { administration, actor: "operator".into(), ..UnitWork::default() }).await.unwrap();
    writer
}

async fn pay(writer: &mut dyn Writer, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        run(writer, &[Command::Prepare(prepare(number, FAR).into())]).await;
        run(writer, &[Command::Fulfil(fulfil(number).into())]).await;
    }
}

async fn create(writer: &mut dyn Writer, windows: &[WindowId]) -> Result<Settlement, SettlementRejection> {
    let command =
        CreateSettlement { model: "deferrednet1".into(), reason: "the day".into(), windows: windows.to_vec() };
    let answer = settling::run(writer, SettlementCommand::CreateSettlement(command)).await.unwrap()?;
    let SettlementAnswer::Created(settlement) = answer else { panic!("{answer:?}") };
    Ok(settlement)
}

async fn advance(writer: &mut dyn Writer, settlement: &Settlement, state: SettlementState) -> Settlement {
    let account = |account: &hub_core::settlement::SettlementAccount| AdvanceAccount {
        // The first bank is the second participant and has the third account.
        participant: ParticipantId((account.account.0 - 1) / 2 + 1),
        account: account.account,
        state,
        reason: "the day".into(),
        external_reference: Some("bank 7".into()),
    };
    let accounts = settlement.accounts.iter().map(account).collect();
    let command = AdvanceSettlement { settlement: settlement.id, accounts };
    let answer = settling::does(writer, SettlementCommand::AdvanceSettlement(command)).await;
    let SettlementAnswer::Advanced { settlement, accounts } = answer else { panic!("{answer:?}") };
    assert!(accounts.iter().all(|account| account.outcome.is_ok()), "{accounts:?}");
    settlement
}

/// Posted on the positions of the first two banks and on the hub's account between them.
async fn balances(store: &dyn Store) -> [i64; 3] {
    let directory = store.directory().await.unwrap();
    [POSITION_OF_A, POSITION_OF_B, MULTILATERAL].map(|id| directory.account_by_id(id).unwrap().account.posted.units())
}

async fn window(store: &dyn Store, id: WindowId) -> Window {
    store.windows(WindowQuery { ids: Some(vec![id]), ..WindowQuery::default() }).await.unwrap().remove(0)
}

async fn settlement(store: &dyn Store, id: i64) -> Settlement {
    let query = SettlementQuery { id: Some(SettlementId(id)), ..SettlementQuery::default() };
    store.settlements(query).await.unwrap().remove(0)
}

async fn assert_right(store: &dyn Store) {
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

pub async fn a_window_is_closed_and_settled_and_positions_go_back(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = begin(&*store).await;
    assert_eq!(settling::close(&mut *writer, FIRST).await, Err(SettlementRejection::WindowEmpty(FIRST)));
    pay(&mut *writer, [1, 2]).await;
    assert_eq!(settling::close(&mut *writer, FIRST).await.unwrap().id, SECOND);
    settling::take_totals(&*store, &mut *writer, FIRST).await;
    pay(&mut *writer, [3]).await;
    assert_eq!(window(&*store, FIRST).await.contents[0].totals, store.window_totals(FIRST).await.unwrap());
    assert_eq!(create(&mut *writer, &[SECOND]).await, Err(SettlementRejection::InapplicableWindows(vec![SECOND])));
    let created = create(&mut *writer, &[FIRST]).await.unwrap();
    assert_eq!(settlement(&*store, 1).await, created);
    let open = 10_0000;
    for (state, expected) in [
        (SettlementState::Recorded, [20_0000 + open, -20_0000 - open, 0]),
        (SettlementState::Reserved, [20_0000 + open, -open, -20_0000]),
        (SettlementState::Committed, [open, -open, 0]),
        (SettlementState::Settled, [open, -open, 0]),
    ] {
        let advanced = advance(&mut *writer, &created, state).await;
        assert_eq!((advanced.state, balances(&*store).await), (state, expected));
        assert_eq!(settlement(&*store, 1).await, advanced);
        assert_right(&*store).await;
    }
    assert_eq!(window(&*store, FIRST).await.state, WindowState::Settled);
    assert_eq!(window(&*store, FIRST).await.contents[0].state, WindowState::Settled);
}

pub async fn an_aborted_settlement_can_be_made_again(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = begin(&*store).await;
    pay(&mut *writer, [1, 2]).await;
    settling::close(&mut *writer, FIRST).await.unwrap();
    settling::take_totals(&*store, &mut *writer, FIRST).await;
    let created = create(&mut *writer, &[FIRST]).await.unwrap();
    advance(&mut *writer, &created, SettlementState::Recorded).await;
    advance(&mut *writer, &created, SettlementState::Reserved).await;
    assert_eq!(balances(&*store).await, [20_0000, 0, -20_0000]);
    let abort =
        AbortSettlement { settlement: SettlementId(1), reason: "the bank says no".into(), external_reference: None };
    settling::does(&mut *writer, SettlementCommand::AbortSettlement(abort)).await;
    assert_eq!(balances(&*store).await, [20_0000, -20_0000, 0]);
    assert_eq!(settlement(&*store, 1).await.state, SettlementState::Aborted);
    assert_eq!(window(&*store, FIRST).await.state, WindowState::Aborted);
    assert_right(&*store).await;
    let again = create(&mut *writer, &[FIRST]).await.unwrap();
    for state in
        [SettlementState::Recorded, SettlementState::Reserved, SettlementState::Committed, SettlementState::Settled]
    {
        advance(&mut *writer, &again, state).await;
    }
    assert_eq!(balances(&*store).await, [0, 0, 0]);
    assert_eq!(window(&*store, FIRST).await.state, WindowState::Settled);
    assert_right(&*store).await;
}

pub async fn totals_are_taken_once_however_often_they_are_brought(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = begin(&*store).await;
    pay(&mut *writer, [1]).await;
    settling::close(&mut *writer, FIRST).await.unwrap();
    settling::take_totals(&*store, &mut *writer, FIRST).await;
    let taken = window(&*store, FIRST).await;
    settling::take_totals(&*store, &mut *writer, FIRST).await;
    assert_eq!(window(&*store, FIRST).await, taken);
    assert_right(&*store).await;
}

pub async fn a_settlement_goes_on_where_it_was_after_every_restart(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = begin(&*store).await;
    pay(&mut *writer, [1, 2]).await;
    settling::close(&mut *writer, FIRST).await.unwrap();
    drop((writer, store));

    // Nobody has taken the totals: the window says so.
    let store = fixture.open().await;
    let unfinished = WindowQuery { states: Some(vec![WindowState::Processing]), ..WindowQuery::default() };
    assert_eq!(store.windows(unfinished.clone()).await.unwrap().len(), 1);
    assert_right(&*store).await;
    let mut writer = store.writer().await.unwrap();
    settling::take_totals(&*store, &mut *writer, FIRST).await;
    assert_eq!(store.windows(unfinished).await.unwrap(), []);
    let created = create(&mut *writer, &[FIRST]).await.unwrap();
    drop((writer, store));
    for state in
        [SettlementState::Recorded, SettlementState::Reserved, SettlementState::Committed, SettlementState::Settled]
    {
        let store = fixture.open().await;
        let mut writer = store.writer().await.unwrap();
        advance(&mut *writer, &created, state).await;
        drop(writer);
        assert_right(&*store).await;
    }
    let store = fixture.open().await;
    assert_eq!(settlement(&*store, 1).await.state, SettlementState::Settled);
    assert_eq!(balances(&*store).await, [0, 0, 0]);
}

pub async fn windows_that_were_closed_before_there_were_contents_are_unfinished(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = begin(&*store).await;
    pay(&mut *writer, [1, 2]).await;
    settling::close(&mut *writer, FIRST).await.unwrap();
    pay(&mut *writer, [3]).await;
    settling::take_totals(&*store, &mut *writer, FIRST).await;
    let totals = store.window_totals(FIRST).await.unwrap();
    drop((writer, store));
    fixture.undo_settlement().await;

    let store = fixture.open().await;
    let before = window(&*store, FIRST).await;
    assert_eq!((before.state, before.contents), (WindowState::Processing, Vec::new()));
    let mut writer = store.writer().await.unwrap();
    settling::take_totals(&*store, &mut *writer, FIRST).await;
    assert_eq!(window(&*store, FIRST).await.contents[0].totals, totals);
    assert_right(&*store).await;
}

pub async fn whatever_happens_in_a_day_everything_can_be_settled_in_the_evening(fixture: Fixture) {
    let store = fixture.open().await;
    let mut days = Days::new(&*store, 4711).await;
    for _ in 0..6 {
        days.day(12).await;
    }
    drop(days);
    assert_right(&*store).await;
}
