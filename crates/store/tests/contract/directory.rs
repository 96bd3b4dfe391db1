//! What operators maintain.

use crate::{Fixture, scheme::*};
use hub_core::administration::{
    Change, Delay, Endpoint, Granularity, Interchange, Oracle, ParticipantRecord, SettlementModel,
};
use ledger::{AccountId, AccountKind, Cap, Entry, EntryKind, ParticipantId};
use store::{PartyChange, PartyEntry, Store, StoreError, UnitWork, Writer};
use vocabulary::{Currency, PartyId, PartyIdType, Timestamp};

pub async fn a_new_store_knows_the_hub_and_nobody_else(fixture: Fixture) {
    let store = fixture.open().await;
    let directory = store.directory().await.unwrap();
    let names: Vec<_> = directory.participants.iter().map(|record| record.participant.clone()).collect();
    assert_eq!(names, [participant(1, HUB, Timestamp::from_millis(0)).participant]);
    assert_eq!((directory.version, directory.accounts.len()), (0, 0));
    store.ping().await.unwrap();
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

pub async fn a_changed_directory_comes_back_as_it_was_written(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let mut expected = store.directory().await.unwrap();
    let proxy = ParticipantRecord {
        participant: hub_core::Participant { is_proxy: true, ..participant(9, "proxy", now).participant },
        created_at: now.plus_millis(1),
    };
    let mut inactive = expected.participants[1].participant.clone();
    inactive.is_active = false;
    let mut closed = expected.accounts[2].clone();
    closed.account.is_active = false;
    closed.account.cap = None;
    closed.is_open = false;
    closed.changed_at = now.plus_millis(2);
    closed.liquidity_threshold = Some(units(7));
    let mut capped = account(90, 9, AccountKind::InterchangeFee, now);
    capped.account.cap = Some(Cap { limit: units(5), alarm_percentage: units(12_5000), share: None });
    capped.liquidity_threshold = Some(units(-1));
    let [first_model, second_model] = [1, 2].map(model);
    let changed_model = SettlementModel { is_active: false, resets_positions: true, ..first_model.clone() };
    let oracle = oracle();
    let changed_oracle = Oracle { url: "http://elsewhere".into(), currency: None, ..oracle.clone() };
    administer(
        &*store,
        vec![
            Change::AddParticipant(proxy.clone()),
            Change::SetParticipant(inactive.clone()),
            Change::AddAccount(capped.clone()),
            Change::SetAccount(closed.clone()),
            Change::AddSettlementModel(first_model),
            Change::AddSettlementModel(second_model.clone()),
            Change::SetSettlementModel(changed_model.clone()),
            Change::AddOracle(oracle),
            Change::SetOracle(changed_oracle.clone()),
        ],
    )
    .await
    .unwrap();
    expected.participants.push(proxy);
    expected.participants[1].participant = inactive;
    expected.accounts.push(capped);
    expected.accounts[2] = closed;
    expected.settlement_models = vec![changed_model, second_model];
    expected.oracles = vec![changed_oracle];
    expected.version += 1;
    assert_eq!(format!("{:?}", store.directory().await.unwrap()), format!("{expected:?}"));
    let mut writer = store.writer().await.unwrap();
    writer.open(&[]).await.unwrap();
    assert_eq!(format!("{:?}", writer.lock_directory().await.unwrap().0), format!("{expected:?}"));
}

pub async fn an_endpoint_that_is_replaced_keeps_its_place(fixture: Fixture) {
    let store = fixture.open().await;
    found(&*store).await;
    let endpoint = |participant, endpoint_type: &str, value: &str| Endpoint {
        participant: ParticipantId(participant),
        endpoint_type: endpoint_type.into(),
        value: value.into(),
    };
    let endpoints = [endpoint(3, "B", "http://1"), endpoint(2, "A", "http://2"), endpoint(2, "B", "http://3")];
    administer(&*store, endpoints.clone().map(Change::SetEndpoint).to_vec()).await.unwrap();
    administer(&*store, vec![Change::SetEndpoint(endpoint(3, "B", "http://4"))]).await.unwrap();
    let [_, second, third] = endpoints;
    assert_eq!(store.directory().await.unwrap().endpoints, [endpoint(3, "B", "http://4"), second, third]);
}

pub async fn each_unit_with_administrative_changes_makes_one_version(fixture: Fixture) {
    let store = fixture.open().await;
    found(&*store).await;
    assert_eq!(store.directory_version().await.unwrap(), 1);
    let mut writer = store.writer().await.unwrap();
    send(&mut *writer, vec![message("bank-a", "1")]).await;
    drop(writer);
    assert_eq!(store.directory_version().await.unwrap(), 1);
    let record = participant(9, "bank-z", Timestamp::from_millis(0));
    administer(&*store, vec![Change::AddParticipant(record)]).await.unwrap();
    assert_eq!(store.directory_version().await.unwrap(), 2);
    assert_eq!(store.directory().await.unwrap().version, 2);
}

pub async fn what_an_administrative_change_posts_moves_both_balances(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found(&*store).await;
    let entry =
        Entry { kind: EntryKind::InitialPosition, debit: POSITION_OF_A, credit: AccountId(2), amount: units(5_0000) };
    administer(&*store, vec![posted_entry(entry)]).await.unwrap();
    let accounts = store.directory().await.unwrap().accounts;
    let posted = |id: AccountId| {
        let record = accounts.iter().find(|record| record.account.id == id).unwrap();
        (record.account.posted.units(), record.changed_at >= now)
    };
    assert_eq!((posted(POSITION_OF_A), posted(AccountId(2))), ((5_0000, true), (-5_0000, true)));
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    let to_nobody = Entry { credit: AccountId(4711), ..entry };
    let refused = administer(&*store, vec![posted_entry(to_nobody)]).await;
    assert!(matches!(refused, Err(StoreError::Data(_))), "{refused:?}");
    let too_much = Entry { amount: vocabulary::Amount::MAX, ..entry };
    let refused = administer(&*store, vec![posted_entry(too_much)]).await;
    assert!(matches!(refused, Err(StoreError::Data(_))), "{refused:?}");
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

fn posted_entry(entry: Entry) -> Change {
    Change::Post { entry, settlement: None }
}

pub async fn every_change_leaves_a_row_with_its_actor(fixture: Fixture) {
    let store = fixture.open().await;
    found(&*store).await;
    administer(&*store, vec![Change::AddOracle(oracle())]).await.unwrap();
    store.settings(&[("currency".into(), "USD".into())], "the file").await.unwrap();
    let changes = fixture.look("SELECT actor, kind FROM changes ORDER BY id DESC LIMIT 3").await;
    let expected = [("the file", "seed_setting"), ("another operator", "add_oracle"), ("operator", "post")];
    assert_eq!(changes, expected.map(|(actor, kind)| (actor.to_owned(), kind.to_owned())));
    let texts = fixture.look("SELECT kind, change FROM changes ORDER BY id DESC LIMIT 2").await;
    assert_eq!(texts[0].1, "currency=USD");
    assert!(texts[1].1.contains("http://oracle"), "{}", texts[1].1);
}

pub async fn a_party_is_registered_replaced_and_removed_by_its_currency(fixture: Fixture) {
    let store = fixture.open().await;
    let mut writer = store.writer().await.unwrap();
    let party = |sub_id| PartyId::try_new(PartyIdType::Msisdn, "27713803912", sub_id).unwrap();
    let entry = |sub_id, fsp_id: &str, currency: Option<Currency>| PartyEntry {
        party: party(sub_id),
        fsp: fsp(fsp_id),
        currency,
    };
    let other = PartyEntry {
        party: PartyId::try_new(PartyIdType::Alias, "27713803912", None).unwrap(),
        ..entry(None, "bank-c", None)
    };
    let registered = [
        entry(None, "bank-a", None),
        entry(None, "bank-a", Some(usd())),
        entry(Some("work"), "bank-b", Some(usd())),
        entry(None, "bank-b", None),
        other.clone(),
    ];
    change_parties(&mut *writer, registered.map(PartyChange::Register).to_vec()).await;
    let (plain, in_usd) = (entry(None, "bank-b", None), entry(None, "bank-a", Some(usd())));
    let with_sub_id = entry(Some("work"), "bank-b", Some(usd()));
    assert_eq!(store.parties(party(None)).await.unwrap(), [plain.clone(), in_usd, with_sub_id.clone()]);
    let removed = PartyChange::Remove { party: party(None), currency: Some(usd()) };
    change_parties(&mut *writer, vec![removed]).await;
    assert_eq!(store.parties(party(Some("any"))).await.unwrap(), [plain, with_sub_id.clone()]);
    let removed = PartyChange::Remove { party: party(None), currency: None };
    change_parties(&mut *writer, vec![removed]).await;
    assert_eq!(store.parties(party(None)).await.unwrap(), [with_sub_id]);
    assert_eq!(store.parties(other.party.clone()).await.unwrap(), [other]);
}

pub async fn only_an_empty_store_takes_the_seed_of_the_settings(fixture: Fixture) {
    let store = fixture.open().await;
    let seed = |value: &str| [("currency".to_owned(), value.to_owned()), ("on_us".to_owned(), "refused".to_owned())];
    assert_eq!(store.settings(&[], "nobody").await.unwrap(), []);
    assert_eq!(store.settings(&seed("USD"), "the file").await.unwrap(), seed("USD"));
    assert_eq!(store.settings(&seed("EUR"), "the file").await.unwrap(), seed("USD"));
}

async fn administer(store: &dyn Store, changes: Vec<Change>) -> Result<(), StoreError> {
    let mut writer = store.writer().await?;
    writer.open(&[]).await?;
    writer.lock_directory().await?;
    let work = UnitWork { administration: changes, actor: "another operator".into(), ..UnitWork::default() };
    writer.commit(work).await.map(drop)
}

async fn change_parties(writer: &mut dyn Writer, parties: Vec<PartyChange>) {
    commit(writer, UnitWork { parties, ..UnitWork::default() }).await.unwrap();
}

fn model(id: i64) -> SettlementModel {
    SettlementModel {
        id,
        name: format!("MODEL{id}").into(),
        is_active: true,
        granularity: if id == 1 { Granularity::Net } else { Granularity::Gross },
        interchange: if id == 1 { Interchange::Multilateral } else { Interchange::Bilateral },
        delay: if id == 1 { Delay::Deferred } else { Delay::Immediate },
        currency: (id == 1).then(usd),
        requires_liquidity_check: id == 1,
        ledger_account: AccountKind::Position,
        settlement_account: AccountKind::Settlement,
        resets_positions: false,
    }
}

fn oracle() -> Oracle {
    Oracle {
        id: 1,
        id_type: PartyIdType::Msisdn,
        currency: Some(usd()),
        url: "http://oracle".into(),
        is_default: true,
        is_active: true,
    }
}
