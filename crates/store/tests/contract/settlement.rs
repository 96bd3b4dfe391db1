//! Windows and settlements as they are stored, searched and checked. What is written here is written change by change, so
//! that the store answers for itself; how decisions and store work together is in [`crate::settlement_life`].

use crate::{Fixture, scheme::*};
use hub_core::{
    Command, Subject, WindowId,
    administration::{Change, Delay, Granularity, Interchange, SettlementModel},
    settlement::{
        AccountTotal, Content, ContentId, Scope, Settlement, SettlementAccount, SettlementId, SettlementState, Window,
        WindowState,
    },
};
use ledger::{AccountId, AccountKind, Entry, EntryKind, ParticipantId};
use std::sync::Arc;
use store::{SettlementQuery, StatementQuery, Store, StoreError, UnitWork, WindowQuery, Writer};
use vocabulary::Timestamp;

pub const MULTILATERAL: AccountId = AccountId(2);
const FAR: Timestamp = Timestamp::from_millis(4_000_000_000_000);
const FIRST: WindowId = WindowId(1);
const SECOND: WindowId = WindowId(2);

pub fn net_model(id: i64) -> SettlementModel {
    SettlementModel {
        id,
        name: format!("DEFERREDNET{id}").into(),
        is_active: true,
        granularity: Granularity::Net,
        interchange: Interchange::Multilateral,
        delay: Delay::Deferred,
        currency: None,
        requires_liquidity_check: false,
        ledger_account: AccountKind::Position,
        settlement_account: AccountKind::Settlement,
        resets_positions: true,
    }
}

/// A payment from the first bank to the second, committed.
async fn pay(writer: &mut dyn Writer, number: u64) {
    run(writer, &[Command::Prepare(prepare(number, FAR).into())]).await;
    run(writer, &[Command::Fulfil(fulfil(number).into())]).await;
}

async fn change(writer: &mut dyn Writer, changes: Vec<Change>) -> Result<(), StoreError> {
    writer.open(&[]).await?;
    writer.lock_books(&Scope::Gate(FIRST)).await?;
    let work = UnitWork { administration: changes, actor: "operator".into(), ..UnitWork::default() };
    writer.commit(work).await.map(drop)
}

fn window(id: WindowId, state: WindowState, at: Timestamp) -> Window {
    let closed_at = (state != WindowState::Open).then_some(at);
    Window { id, state, reason: "by hand".into(), created_at: at, changed_at: at, closed_at, contents: Vec::new() }
}

/// Of the two payments of 10 from the first bank to the second.
fn content(at: Timestamp) -> Content {
    let total = |account, debits, credits| AccountTotal { account, debits: units(debits), credits: units(credits) };
    Content {
        id: ContentId(1),
        window: FIRST,
        ledger_account: AccountKind::Position,
        currency: usd(),
        state: WindowState::PendingSettlement,
        settlement: Some(SettlementId(1)),
        created_at: at,
        changed_at: at,
        totals: vec![total(POSITION_OF_A, 20_0000, 0), total(POSITION_OF_B, 0, 20_0000)],
    }
}

fn settlement(at: Timestamp) -> Settlement {
    let account = |account, net, state| SettlementAccount {
        account,
        net: units(net),
        state,
        reason: "by hand".into(),
        external_reference: Some("bank 7".into()),
        created_at: at,
        changed_at: at,
    };
    Settlement {
        id: SettlementId(1),
        model: 1,
        state: SettlementState::Reserved,
        reason: "by hand".into(),
        created_at: at,
        changed_at: at,
        windows: vec![FIRST],
        accounts: vec![
            account(POSITION_OF_A, 20_0000, SettlementState::Committed),
            account(POSITION_OF_B, -20_0000, SettlementState::Reserved),
        ],
    }
}

fn step(kind: EntryKind, debit: AccountId, credit: AccountId) -> Change {
    let entry = Entry { kind, debit, credit, amount: units(20_0000) };
    Change::Post { entry, settlement: Some(SettlementId(1)) }
}

/// A first window with two payments that is being settled, and a second one with a payment that is open.
async fn settled_halfway(store: &dyn Store) -> Timestamp {
    let at = found(store).await;
    let mut writer = store.writer().await.unwrap();
    pay(&mut *writer, 1).await;
    pay(&mut *writer, 2).await;
    let changes = vec![
        Change::AddSettlementModel(net_model(1)),
        Change::SetWindow(window(FIRST, WindowState::PendingSettlement, at)),
        Change::OpenWindow(window(SECOND, WindowState::Open, at.plus_millis(5))),
        Change::AddContent(content(at)),
        Change::AddSettlement(settlement(at)),
        step(EntryKind::SettlementNetRecipient, POSITION_OF_B, MULTILATERAL),
        step(EntryKind::SettlementNetSender, MULTILATERAL, POSITION_OF_A),
    ];
    change(&mut *writer, changes).await.unwrap();
    pay(&mut *writer, 3).await;
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    at
}

pub async fn windows_and_settlements_come_back_as_they_were_written(fixture: Fixture) {
    let store = fixture.open().await;
    let at = settled_halfway(&*store).await;
    let found = store.windows(WindowQuery::default()).await.unwrap();
    let [open, closed] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(*open, window(SECOND, WindowState::Open, at.plus_millis(5)));
    assert_eq!(closed.contents, [content(at)]);
    assert_eq!((closed.state, closed.closed_at), (WindowState::PendingSettlement, Some(at)));
    assert_eq!(store.settlements(SettlementQuery::default()).await.unwrap(), [settlement(at)]);

    let later = at.plus_millis(60_000);
    let mut aborted = settlement(at);
    (aborted.state, aborted.reason, aborted.changed_at) = (SettlementState::Aborted, "no".into(), later);
    let mut account = aborted.accounts[0].clone();
    (account.state, account.external_reference, account.changed_at) = (SettlementState::Aborted, None, later);
    aborted.accounts[0] = account.clone();
    let mut unbound = content(at);
    (unbound.state, unbound.settlement, unbound.changed_at) = (WindowState::Aborted, None, later);
    let changes = vec![
        Change::SetSettlement(aborted.clone()),
        Change::SetSettlementAccount(SettlementId(1), account),
        Change::SetContent(unbound.clone()),
    ];
    change(&mut *store.writer().await.unwrap(), changes).await.unwrap();
    assert_eq!(store.settlements(SettlementQuery::default()).await.unwrap(), [aborted]);
    assert_eq!(store.windows(WindowQuery::default()).await.unwrap()[1].contents, [unbound]);
}

pub async fn a_settlement_decision_sees_what_its_scope_asks_for(fixture: Fixture) {
    let store = fixture.open().await;
    let at = settled_halfway(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let mut books = async |scope: Scope| {
        writer.open(&[]).await.unwrap();
        let (books, now) = writer.lock_books(&scope).await.unwrap();
        writer.rollback().await.unwrap();
        assert!(now >= at);
        assert_eq!(
            (books.last_window, books.last_content, books.last_settlement),
            (SECOND, ContentId(1), SettlementId(1))
        );
        assert_eq!(books.directory.settlement_models, [net_model(1)]);
        books
    };
    let gate = books(Scope::Gate(SECOND)).await;
    assert_eq!((gate.windows.len(), gate.has_payments, gate.settlement), (1, true, None));
    let gate = books(Scope::Gate(FIRST)).await;
    assert!(gate.has_payments && gate.windows[0].contents.is_empty(), "{:?}", gate.windows);
    assert_eq!(books(Scope::Gate(WindowId(9))).await.windows, []);
    let windows = books(Scope::Windows(vec![SECOND, FIRST, WindowId(9)])).await.windows;
    assert_eq!(windows.iter().map(|window| window.id).collect::<Vec<_>>(), [FIRST, SECOND]);
    assert_eq!(windows[0].contents, [content(at)]);
    let found = books(Scope::Settlement(SettlementId(1))).await;
    assert_eq!((found.settlement, &found.windows[0].contents), (Some(settlement(at)), &vec![content(at)]));
    let balance = |id| found.directory.account_by_id(id).unwrap().account.posted;
    assert_eq!((balance(POSITION_OF_A), balance(MULTILATERAL)), (units(10_0000), units(0)));
    assert_eq!(books(Scope::Settlement(SettlementId(9))).await.settlement, None);
}

pub async fn payments_join_the_window_that_was_opened_and_see_the_active_models(fixture: Fixture) {
    let store = fixture.open().await;
    settled_halfway(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let mut models = async |changes: Vec<Change>| {
        if !changes.is_empty() {
            change(&mut *writer, changes).await.unwrap();
        }
        writer.open(&[]).await.unwrap();
        let loaded = writer.lock(&[]).await.unwrap();
        writer.rollback().await.unwrap();
        assert_eq!(loaded.window, SECOND);
        loaded.models
    };
    assert_eq!(models(Vec::new()).await, [net_model(1)]);
    assert_eq!(models(vec![Change::AddSettlementModel(net_model(2))]).await, [net_model(1), net_model(2)]);
    let off = SettlementModel { is_active: false, ..net_model(1) };
    assert_eq!(models(vec![Change::SetSettlementModel(off)]).await, [net_model(2)]);
    assert_eq!(models(Vec::new()).await, [net_model(2)]);
    drop(writer);
    assert_eq!(store.transfer(Subject::transfer(id(3))).await.unwrap().unwrap().window, Some(SECOND));
}

pub async fn windows_are_found_by_every_filter(fixture: Fixture) {
    let store = fixture.open().await;
    let at = settled_halfway(&*store).await;
    let all = WindowQuery::default;
    let owner = |number| Some(ParticipantId(number));
    for (query, expected) in [
        (all(), vec![2, 1]),
        (WindowQuery { ids: Some(vec![FIRST, WindowId(7)]), ..all() }, vec![1]),
        (WindowQuery { ids: Some(Vec::new()), ..all() }, vec![]),
        (WindowQuery { states: Some(vec![WindowState::Open, WindowState::Failed]), ..all() }, vec![2]),
        (WindowQuery { from: Some(at.plus_millis(5)), ..all() }, vec![2]),
        (WindowQuery { from: Some(at.plus_millis(6)), ..all() }, vec![]),
        (WindowQuery { to: Some(at.plus_millis(4)), ..all() }, vec![1]),
        (WindowQuery { to: Some(at.plus_millis(5)), ..all() }, vec![2, 1]),
        // The second window is open: only its entries know.
        (WindowQuery { participant: owner(3), ..all() }, vec![2, 1]),
        (WindowQuery { participant: owner(4), ..all() }, vec![]),
        (WindowQuery { currency: Some(usd()), ..all() }, vec![2, 1]),
        (WindowQuery { currency: Some("EUR".parse().unwrap()), ..all() }, vec![]),
        (WindowQuery { participant: owner(2), currency: Some(usd()), to: Some(at), ..all() }, vec![1]),
    ] {
        let found = store.windows(query.clone()).await.unwrap();
        assert_eq!(found.iter().map(|window| window.id.0).collect::<Vec<_>>(), expected, "{query:?}");
    }
}

pub async fn settlements_are_found_by_every_filter(fixture: Fixture) {
    let store = fixture.open().await;
    let at = settled_halfway(&*store).await;
    let another = Settlement { id: SettlementId(2), windows: vec![SECOND], accounts: Vec::new(), ..settlement(at) };
    change(&mut *store.writer().await.unwrap(), vec![Change::AddSettlement(another)]).await.unwrap();
    let all = SettlementQuery::default;
    let (owner, euro) = (|number| Some(ParticipantId(number)), "EUR".parse().unwrap());
    for (query, expected) in [
        (all(), vec![2, 1]),
        (SettlementQuery { id: Some(SettlementId(1)), ..all() }, vec![1]),
        (SettlementQuery { state: Some(SettlementState::Reserved), ..all() }, vec![2, 1]),
        (SettlementQuery { state: Some(SettlementState::Settled), ..all() }, vec![]),
        (SettlementQuery { from: Some(at), to: Some(at), ..all() }, vec![2, 1]),
        (SettlementQuery { from: Some(at.plus_millis(1)), ..all() }, vec![]),
        (SettlementQuery { to: Some(at.plus_millis(-1)), ..all() }, vec![]),
        (SettlementQuery { window: Some(SECOND), ..all() }, vec![2]),
        (SettlementQuery { from_window: Some(at.plus_millis(1)), ..all() }, vec![2]),
        (SettlementQuery { to_window: Some(at.plus_millis(4)), ..all() }, vec![1]),
        (SettlementQuery { from_window: Some(at.plus_millis(1)), to_window: Some(at.plus_millis(4)), ..all() }, vec![]),
        (SettlementQuery { currency: Some(usd()), ..all() }, vec![1]),
        (SettlementQuery { currency: Some(euro), ..all() }, vec![]),
        (SettlementQuery { participant: owner(2), ..all() }, vec![1]),
        (SettlementQuery { participant: owner(2), account: Some(POSITION_OF_B), ..all() }, vec![]),
        (SettlementQuery { participant: owner(3), account: Some(POSITION_OF_B), ..all() }, vec![1]),
        (SettlementQuery { account: Some(AccountId(9)), ..all() }, vec![]),
    ] {
        let found = store.settlements(query.clone()).await.unwrap();
        assert_eq!(found.iter().map(|found| found.id.0).collect::<Vec<_>>(), expected, "{query:?}");
    }
}

pub async fn totals_of_a_window_are_what_its_payments_moved(fixture: Fixture) {
    let store = fixture.open().await;
    let at = settled_halfway(&*store).await;
    assert_eq!(store.window_totals(FIRST).await.unwrap(), content(at).totals);
    let open = store.window_totals(SECOND).await.unwrap();
    assert_eq!(
        open.iter().map(|total| (total.account, total.net())).collect::<Vec<_>>(),
        [(POSITION_OF_A, units(10_0000)), (POSITION_OF_B, units(-10_0000))]
    );
    let pairs = store.pair_totals(vec![SECOND, FIRST]).await.unwrap();
    let figures = pairs.iter().map(|pair| (pair.window, pair.debit, pair.credit, pair.amount.units(), pair.count));
    assert_eq!(
        figures.collect::<Vec<_>>(),
        [(SECOND, POSITION_OF_A, POSITION_OF_B, 10_0000, 1), (FIRST, POSITION_OF_A, POSITION_OF_B, 20_0000, 2)]
    );
    assert!(matches!(store.window_totals(WindowId(9)).await, Err(StoreError::Data(_))));
}

pub async fn totals_that_leave_64_bits_are_refused(fixture: Fixture) {
    let store = fixture.open().await;
    found(&*store).await;
    let row = format!("'PRINCIPLE_VALUE', 3, 5, {}, 1, 0", i64::MAX);
    let sql = format!("INSERT INTO entries (kind, debit, credit, amount, window_id, at) VALUES ({row}), ({row})");
    fixture.tamper(&sql).await;
    let refused = store.window_totals(FIRST).await;
    assert!(matches!(&refused, Err(StoreError::Data(what)) if what.contains("window 1")), "{refused:?}");
}

pub async fn a_statement_comes_in_pages_and_ends_at_its_balance(fixture: Fixture) {
    let store = fixture.open().await;
    let at = settled_halfway(&*store).await;
    let query = |after, limit| StatementQuery { account: POSITION_OF_A, from: at, to: FAR, after, limit };
    let all = store.statement(query(0, 100)).await.unwrap();
    let figures: Vec<_> = all.iter().map(|line| (line.kind.as_str(), line.amount.units(), line.other)).collect();
    assert_eq!(
        figures,
        [
            ("PRINCIPLE_VALUE", 10_0000, POSITION_OF_B),
            ("PRINCIPLE_VALUE", 10_0000, POSITION_OF_B),
            ("SETTLEMENT_NET_SENDER", -20_0000, MULTILATERAL),
            ("PRINCIPLE_VALUE", 10_0000, POSITION_OF_B),
        ]
    );
    assert_eq!((all[0].transfer, all[0].settlement), (Some(id(1)), None));
    assert_eq!((all[2].transfer, all[2].settlement), (None, Some(SettlementId(1))));
    let mut paged = Vec::new();
    loop {
        let page = store.statement(query(paged.last().map_or(0, |line: &store::StatementLine| line.entry), 3)).await;
        let page = page.unwrap();
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, all);
    let none = StatementQuery { from: FAR, to: FAR.plus_millis(1), ..query(0, 9) };
    assert_eq!(store.statement(none).await.unwrap(), []);
    let before = StatementQuery { from: at.plus_millis(-9), to: at, ..query(0, 9) };
    assert_eq!(store.statement(before).await.unwrap(), []);
    assert_eq!(store.balance_at(POSITION_OF_A, at).await.unwrap(), units(0));
    assert_eq!(store.balance_at(POSITION_OF_A, FAR).await.unwrap(), units(10_0000));
    let settlement_account_of_a = AccountId(4);
    assert_eq!(store.balance_at(settlement_account_of_a, at).await.unwrap(), units(0));
    assert_eq!(store.balance_at(settlement_account_of_a, at.plus_millis(1)).await.unwrap(), units(-LIQUIDITY));
    assert!(matches!(store.balance_at(AccountId(99), at).await, Err(StoreError::Data(_))));
}

pub async fn balances_of_the_past_are_found_from_both_ends(fixture: Fixture) {
    let store = fixture.open().await;
    let at = found(&*store).await;
    // Ten entries, two minutes apart.
    let rows = (1..=10).map(|number| {
        let time = at.millis() + number * 120_000;
        format!("('INITIAL_POSITION', {}, {}, {number}, {time})", MULTILATERAL.0, POSITION_OF_A.0)
    });
    let rows = rows.collect::<Vec<_>>().join(", ");
    fixture.tamper(&format!("INSERT INTO entries (kind, debit, credit, amount, at) VALUES {rows}")).await;
    fixture.tamper("UPDATE accounts SET posted = posted - 55 WHERE id = 3").await;
    fixture.tamper("UPDATE accounts SET posted = posted + 55 WHERE id = 2").await;
    let mut sum = 0;
    for number in 1..=10 {
        let time = at.plus_millis(number * 120_000);
        assert_eq!(store.balance_at(POSITION_OF_A, time).await.unwrap(), units(-sum), "before {number}");
        sum += number;
        assert_eq!(store.balance_at(POSITION_OF_A, time.plus_millis(1)).await.unwrap(), units(-sum), "after {number}");
        let query = StatementQuery { account: POSITION_OF_A, from: time, to: time.plus_millis(1), after: 0, limit: 9 };
        let line = store.statement(query).await.unwrap().remove(0);
        assert_eq!((line.amount, line.other), (units(-number), MULTILATERAL));
    }
}

pub async fn what_settlement_changes_is_recorded_without_its_thousands_of_lines(fixture: Fixture) {
    let store = fixture.open().await;
    settled_halfway(&*store).await;
    let rows =
        fixture.look("SELECT kind, change FROM changes WHERE kind IN ('add_content', 'add_settlement') ORDER BY id");
    let texts = rows.await.into_iter().map(|(_, text)| text).collect::<Vec<_>>();
    let [content, settlement] = texts.as_slice() else { panic!("{texts:?}") };
    assert!(content.contains("ContentId(1)") && content.ends_with("with 2 totals"), "{content}");
    assert!(settlement.contains("SettlementId(1)") && settlement.ends_with("with 2 accounts"), "{settlement}");
    let kinds = fixture.look("SELECT kind, actor FROM changes WHERE kind LIKE '%window' ORDER BY id").await;
    assert_eq!(kinds.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["set_window", "open_window"]);
}

pub async fn payments_from_before_settlement_are_in_the_first_window(fixture: Fixture) {
    let store = fixture.open().await;
    found(&*store).await;
    let mut writer = store.writer().await.unwrap();
    pay(&mut *writer, 1).await;
    drop((writer, store));
    fixture.undo_settlement().await;

    let store = fixture.open().await;
    let found = store.windows(WindowQuery::default()).await.unwrap();
    let [window] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((window.id, window.state, &*window.reason), (FIRST, WindowState::Open, "initial window"));
    assert_eq!(window.changed_at, window.created_at);
    let mut writer = store.writer().await.unwrap();
    pay(&mut *writer, 2).await;
    drop(writer);
    assert_eq!(store.window_totals(FIRST).await.unwrap()[0].debits, units(20_0000));
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

/// Each of these spoils a right database in another way; the sentence names what is wrong.
const CORRUPTIONS: [(&str, &str); 19] = [
    ("UPDATE accounts SET posted = posted + 1 WHERE id = 3", "Account 3 (POSITION USD)"),
    ("UPDATE entries SET amount = amount + 1 WHERE id = 5", "Entry 5 of transfer 41414141-4141-4141-8000-000000000001"),
    ("DELETE FROM entries WHERE id = 6", "Transfer 41414141-4141-4141-8000-000000000002 is committed, but no entry"),
    (
        "UPDATE entries SET credit = 7 WHERE id = 5",
        "Entry 5 of transfer 41414141-4141-4141-8000-000000000001 is between",
    ),
    ("UPDATE entries SET window_id = 1 WHERE id = 9", "Entry 9 lies in window 1"),
    (
        "UPDATE entries SET transfer = (SELECT transfer FROM entries WHERE id = 5) WHERE id = 6",
        "Entry 6 posts transfer",
    ),
    ("UPDATE entries SET transfer = 999999 WHERE id = 6", "Entry 6 names a transfer with the key 999999"),
    ("UPDATE transfers SET state = 3, rejection = 'expired' WHERE window_id = 2", "Entry 9 belongs to transfer"),
    ("UPDATE window_totals SET debits = debits + 1 WHERE account = 3", "Content 1 (POSITION USD of window 1)"),
    ("DELETE FROM window_totals; DELETE FROM window_contents", "Account 3 (POSITION USD) was debited 20.0000"),
    ("UPDATE window_contents SET settlement = 9", "Content 1 (POSITION USD of window 1) is bound to settlement 9"),
    (
        "DELETE FROM settlement_windows",
        "Content 1 (POSITION USD of window 1) is bound to settlement 1, which does not list",
    ),
    (
        "UPDATE settlement_accounts SET net = net - 1 WHERE account = 5",
        "Settlement 1 has the net amount -20.0001 for account 5",
    ),
    ("UPDATE settlement_accounts SET state = 'SETTLED' WHERE account = 3", "Account 3 of settlement 1 is SETTLED"),
    ("UPDATE entries SET settlement = 9 WHERE id = 7", "Entry 7 names settlement 9"),
    (
        "UPDATE entries SET kind = 'SETTLEMENT_NET_SENDER' WHERE id = 7",
        "Account 5 of settlement 1 is PS_TRANSFERS_RESERVED",
    ),
    (
        "UPDATE settlements SET state = 'SETTLED'",
        "settlement 1 is PS_TRANSFERS_COMMITTED, while the settlement is SETTLED",
    ),
    ("UPDATE windows SET state = 'SETTLED' WHERE id = 1", "Window 1 is SETTLED, which its contents contradict"),
    ("UPDATE windows SET state = 'CLOSED' WHERE id = 2", "No window is open"),
];

pub async fn every_corruption_of_a_settled_database_is_named(fixture: Fixture) {
    let store = fixture.open().await;
    settled_halfway(&*store).await;
    let entries = fixture.look("SELECT CAST(id AS TEXT), kind FROM entries ORDER BY id").await;
    assert_eq!(entries[4].0, "5", "the corruptions count on it: {entries:?}");
    let state = fixture.save(SPOILT).await;
    for (corruption, sentence) in CORRUPTIONS {
        fixture.tamper(corruption).await;
        let found = store.verify().await.unwrap();
        assert!(found.iter().any(|found| found.contains(sentence)), "{corruption}: {found:?}");
        fixture.restore(&state).await;
        assert_eq!(store.verify().await.unwrap(), Vec::<String>::new(), "after {corruption}");
    }
}

/// The tables that corruptions change.
const SPOILT: [&str; 9] = [
    "accounts",
    "entries",
    "transfers",
    "windows",
    "window_contents",
    "window_totals",
    "settlements",
    "settlement_windows",
    "settlement_accounts",
];

pub async fn an_aborted_settlement_lets_go_of_everything(fixture: Fixture) {
    let store: Arc<dyn Store> = fixture.open().await;
    let at = settled_halfway(&*store).await;
    let mut aborted = settlement(at);
    aborted.state = SettlementState::Aborted;
    aborted.accounts.iter_mut().for_each(|account| account.state = SettlementState::Aborted);
    let free = Content { state: WindowState::Aborted, settlement: None, ..content(at) };
    let mut changes = vec![
        Change::SetSettlement(aborted.clone()),
        Change::SetContent(free),
        Change::SetWindow(window(FIRST, WindowState::Aborted, at)),
        step(EntryKind::SettlementNetRecipient, MULTILATERAL, POSITION_OF_B),
    ];
    let accounts = aborted.accounts.into_iter();
    changes.extend(accounts.map(|account| Change::SetSettlementAccount(SettlementId(1), account)));
    let mut writer = store.writer().await.unwrap();
    change(&mut *writer, changes).await.unwrap();
    drop(writer);
    // What a sender has paid is never aborted.
    let found = store.verify().await.unwrap();
    assert!(matches!(&found[..], [only] if only.contains("Account 3 of settlement 1 is ABORTED")), "{found:?}");
}
