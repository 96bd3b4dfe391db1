//! Ledger account types of the operator's own.

use crate::{Fixture, scheme::*};
use hub_core::administration::{AccountRecord, AccountType, Change, Delay, Granularity, Interchange, SettlementModel};
use ledger::AccountKind;
use store::{Store, StoreError, UnitWork};
use vocabulary::Timestamp;

pub async fn account_types_and_what_is_of_them_come_back_as_they_were_written(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let types = [account_type(7, "TAX", now), account_type(8, LONGEST, now.plus_millis(1))];
    let (account, model) = (tax_account(now), tax_model());
    let mut changes = types.clone().map(Change::AddAccountType).to_vec();
    changes.extend([Change::AddAccount(account.clone()), Change::AddSettlementModel(model.clone())]);
    administer(&*store, changes).await.unwrap();
    let directory = store.directory().await.unwrap();
    assert_eq!(directory.account_types, types);
    assert_eq!(directory.account_by_id(account.account.id), Some(&account));
    assert_eq!(directory.settlement_models, [model]);
    let mut writer = store.writer().await.unwrap();
    writer.open(&[]).await.unwrap();
    assert_eq!(writer.lock_directory().await.unwrap().0.account_types, types);
    drop(writer);
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

pub async fn a_second_account_type_of_a_name_is_refused_whatever_its_case(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    administer(&*store, vec![Change::AddAccountType(account_type(7, "TAX", now))]).await.unwrap();
    for name in ["TAX", "tax"] {
        let refused = administer(&*store, vec![Change::AddAccountType(account_type(8, name, now))]).await;
        assert!(refused.is_err(), "{name}");
    }
    assert_eq!(store.directory().await.unwrap().account_types, [account_type(7, "TAX", now)]);
}

pub async fn account_types_stay_after_a_restart_and_are_recorded(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    administer(&*store, vec![Change::AddAccountType(account_type(7, "TAX", now))]).await.unwrap();
    drop(store);
    let store = fixture.open().await;
    assert_eq!(store.directory().await.unwrap().account_types, [account_type(7, "TAX", now)]);
    let recorded = fixture.look("SELECT kind, change FROM changes ORDER BY id DESC LIMIT 1").await;
    assert_eq!(recorded[0].0, "add_account_type");
    assert!(recorded[0].1.contains("TAX"), "{}", recorded[0].1);
}

pub async fn an_account_type_that_went_missing_is_named(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let changes = vec![
        Change::AddAccountType(account_type(7, "TAX", now)),
        Change::AddAccount(tax_account(now)),
        Change::AddSettlementModel(tax_model()),
    ];
    administer(&*store, changes).await.unwrap();
    fixture.tamper("DELETE FROM account_types").await;
    assert_eq!(
        store.verify().await.unwrap(),
        [
            "Account 90 (TAX USD) is of a ledger account type that does not exist.",
            "Settlement model TAXES names the ledger account type TAX, which does not exist.",
        ]
    );
}

const LONGEST: &str = "a_type_with_a_name_of_30_chars";

fn account_type(id: i64, name: &str, created_at: Timestamp) -> AccountType {
    let AccountKind::Custom(name) = kind(name) else { panic!("{name} is built in") };
    let is_settleable = id == 7;
    AccountType { id, name, description: format!("type {id}").into(), is_active: true, is_settleable, created_at }
}

fn kind(name: &str) -> AccountKind {
    name.parse().unwrap()
}

fn tax_account(now: Timestamp) -> AccountRecord {
    account(90, 2, kind("TAX"), now)
}

fn tax_model() -> SettlementModel {
    SettlementModel {
        id: 1,
        name: "TAXES".into(),
        is_active: true,
        granularity: Granularity::Net,
        interchange: Interchange::Multilateral,
        delay: Delay::Deferred,
        currency: Some(usd()),
        requires_liquidity_check: false,
        ledger_account: kind("TAX"),
        settlement_account: AccountKind::Settlement,
        resets_positions: true,
    }
}

async fn administer(store: &dyn Store, changes: Vec<Change>) -> Result<(), StoreError> {
    let mut writer = store.writer().await?;
    writer.open(&[]).await?;
    writer.lock_directory().await?;
    let work = UnitWork { administration: changes, actor: "operator".into(), ..UnitWork::default() };
    writer.commit(work).await.map(drop)
}
