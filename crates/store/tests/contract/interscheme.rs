//! Other schemes: routes to them, standings behind proxies, and questions about parties.

use crate::{Fixture, scheme::*};
use hub_core::{
    Access, Command, Dialect, Standing, Subject,
    administration::Change,
    discovery::Answered,
    transfers::{Fulfil, Prepare, SenderStanding, Stage},
};
use ledger::AccountKind;
use store::{Asked, Question, Store, Unanswered, UnitWork, Verdict, Writer};
use vocabulary::{Currency, FspId, PartyId, PartyIdType, Timestamp};

const FAR: Timestamp = Timestamp::from_millis(4_000_000_000_000);
const PAST: Timestamp = Timestamp::from_millis(1_000);

pub async fn a_route_is_learned_changed_and_never_that_of_a_participant(fixture: Fixture) {
    let store = fixture.open().await;
    found_schemes(&*store).await;
    let [one, other] = PROXIES.map(fsp);
    let far = fsp("far-z");
    assert_eq!(store.route(&far).await.unwrap(), None);
    assert!(store.learn_route(&far, &one).await.unwrap());
    assert!(!store.learn_route(&far, &one).await.unwrap(), "it is known");
    assert_eq!(store.route(&far).await.unwrap(), Some(one.clone()));
    assert!(store.learn_route(&far, &other).await.unwrap());
    assert_eq!(store.route(&far).await.unwrap(), Some(other.clone()));
    for name in [BANKS[0], PROXIES[0], HUB] {
        assert!(!store.learn_route(&fsp(name), &other).await.unwrap());
        assert_eq!(store.route(&fsp(name)).await.unwrap(), None);
    }
    // Names are compared as they are, and may be whatever a header can hold.
    for name in ["FAR-Z", "дальний", "it's \"far\""] {
        assert!(store.learn_route(&fsp(name), &one).await.unwrap());
        assert_eq!(store.route(&fsp(name)).await.unwrap(), Some(one.clone()));
    }
    let nul = fsp("far\0z");
    assert!(!store.learn_route(&nul, &one).await.unwrap());
    assert_eq!(store.route(&nul).await.unwrap(), None);
    let behind = |name: &str, proxy: &FspId| (fsp(name), proxy.clone());
    let expected = [
        behind("FAR-Z", &one),
        behind(EXTERNALS[0], &one),
        behind(EXTERNALS[1], &one),
        behind(EXTERNALS[2], &other),
        behind("far-z", &other),
        behind("it's \"far\"", &one),
        behind("дальний", &one),
    ];
    assert_eq!(store.routes().await.unwrap(), expected);
}

pub async fn a_learned_route_is_recorded_as_the_doing_of_its_proxy(fixture: Fixture) {
    let store = fixture.open().await;
    found_schemes(&*store).await;
    for proxy in [PROXIES[1], PROXIES[1], PROXIES[0]] {
        store.learn_route(&fsp("far-z"), &fsp(proxy)).await.unwrap();
    }
    store.learn_route(&fsp(BANKS[0]), &fsp(PROXIES[0])).await.unwrap();
    let changes = fixture.look("SELECT actor, change FROM changes WHERE kind = 'learn_route' ORDER BY id DESC LIMIT 3");
    let expected = [
        (PROXIES[0], "far-z is behind proxy-a"),
        (PROXIES[1], "far-z is behind proxy-b"),
        (PROXIES[1], "far-c is behind proxy-b"),
    ];
    assert_eq!(changes.await, expected.map(|(actor, change)| (actor.to_owned(), change.to_owned())));
    drop(store);
    let store = fixture.open().await;
    assert_eq!(store.route(&fsp("far-z")).await.unwrap(), Some(fsp(PROXIES[0])));
}

/// Participants, routes, and the accounts by owner, currency and kind, each in its order.
async fn locked(writer: &mut dyn Writer, wanted: &[(&str, Currency, Access)]) -> Found {
    writer.open(&[]).await.unwrap();
    let standing = |(name, currency, access): &(&str, Currency, Access)| {
        (Standing { participant: fsp(name), currency: *currency }, *access)
    };
    let loaded = writer.lock(&wanted.iter().map(standing).collect::<Vec<_>>()).await.unwrap();
    writer.rollback().await.unwrap();
    let mut participants: Vec<String> = loaded.participants.iter().map(|known| known.name.to_string()).collect();
    participants.sort();
    let mut routes: Vec<(String, String)> =
        loaded.routes.iter().map(|(fsp, proxy)| (fsp.to_string(), proxy.to_string())).collect();
    routes.sort();
    let name = |account: &ledger::Account| {
        loaded.participants.iter().find(|known| known.id == account.owner).unwrap().name.to_string()
    };
    let mut accounts: Vec<_> =
        loaded.accounts.iter().map(|account| (name(account), account.currency.to_string(), account.kind)).collect();
    accounts.sort_by_key(|(name, currency, kind)| (name.clone(), currency.clone(), kind.as_str().to_owned()));
    (participants, routes, accounts)
}

type Found = (Vec<String>, Vec<(String, String)>, Vec<(String, String, AccountKind)>);

fn expected(routes: &[(&str, &str)], accounts: &[(&str, &str)]) -> Found {
    let text = |name: &&str| (*name).to_owned();
    let mut participants: Vec<String> = accounts.iter().map(|(name, _)| text(name)).collect();
    participants.dedup();
    let both = |(name, currency): &(&str, &str)| {
        [AccountKind::Position, AccountKind::Settlement].map(|kind| (text(name), text(currency), kind))
    };
    let routes = routes.iter().map(|(fsp, proxy)| (text(fsp), text(proxy))).collect();
    (participants, routes, accounts.iter().flat_map(both).collect())
}

pub async fn an_external_name_stands_in_the_accounts_of_its_proxy_each_once(fixture: Fixture) {
    let store = fixture.open().await;
    found_schemes(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let [one, other] = PROXIES;
    let [near, next, far] = EXTERNALS;
    let found = locked(&mut *writer, &[(near, usd(), Access::Change)]).await;
    assert_eq!(found, expected(&[(near, one)], &[(one, "USD")]));
    // The proxy itself, and another behind it, whoever only looks.
    for accesses in [[Access::Change; 3], [Access::Change, Access::Look, Access::Look], [Access::Look; 3]] {
        for names in [[near, next, one], [one, near, next], [next, one, near]] {
            let wanted: Vec<_> = names.into_iter().zip(accesses).map(|(name, access)| (name, usd(), access)).collect();
            let found = locked(&mut *writer, &wanted).await;
            assert_eq!(found, expected(&[(near, one), (next, one)], &[(one, "USD")]), "{wanted:?}");
        }
    }
    let wanted = [
        (near, usd(), Access::Look),
        (next, eur(), Access::Change),
        (near, usd(), Access::Change),
        (far, eur(), Access::Look),
        (BANKS[0], usd(), Access::Look),
        ("nobody", usd(), Access::Change),
        ("no\0body", usd(), Access::Change),
    ];
    let found = locked(&mut *writer, &wanted).await;
    let accounts = [(BANKS[0], "USD"), (one, "EUR"), (one, "USD"), (other, "EUR")];
    assert_eq!(found, expected(&[(near, one), (next, one), (far, other)], &accounts));
    assert_eq!(locked(&mut *writer, &[("nobody", usd(), Access::Look)]).await, expected(&[], &[]));
}

pub async fn a_participant_is_itself_even_where_its_name_was_behind_a_proxy(fixture: Fixture) {
    let store = fixture.open().await;
    let now = found_schemes(&*store).await;
    let mut writer = store.writer().await.unwrap();
    writer.open(&[]).await.unwrap();
    writer.lock_directory().await.unwrap();
    let administration = vec![
        Change::AddParticipant(participant(90, EXTERNALS[0], now)),
        Change::AddAccount(account(900, 90, AccountKind::Position, now)),
        Change::AddAccount(account(901, 90, AccountKind::Settlement, now)),
    ];
    writer.commit(UnitWork { administration, actor: "operator".into(), ..UnitWork::default() }).await.unwrap();
    let (_, _, accounts) = locked(&mut *writer, &[(EXTERNALS[0], usd(), Access::Change)]).await;
    assert_eq!(accounts, expected(&[], &[(EXTERNALS[0], "USD")]).2);
    assert!(!store.learn_route(&fsp(EXTERNALS[0]), &fsp(PROXIES[1])).await.unwrap());
}

pub async fn payments_through_proxies_hold_and_move_what_their_proxies_have(fixture: Fixture) {
    let store = fixture.open().await;
    found_schemes(&*store).await;
    let mut writer = store.writer().await.unwrap();
    let between = |number, payer: &str, payee: &str| {
        let (payer, payee) = (fsp(payer), fsp(payee));
        Command::Prepare(Box::new(Prepare { source: payer.clone(), payer, payee, ..prepare(number, FAR) }))
    };
    let prepares = [
        between(1, EXTERNALS[0], BANKS[1]),
        between(2, BANKS[0], EXTERNALS[2]),
        between(3, EXTERNALS[0], EXTERNALS[1]),
        between(4, EXTERNALS[0], EXTERNALS[2]),
    ];
    run(&mut *writer, &prepares).await;
    let stage = async |number| {
        let known = store.transfer(Subject::transfer(id(number))).await.unwrap().unwrap();
        (known.stage(), known.legs.is_some())
    };
    assert_eq!(stage(1).await, (Stage::Reserved, true));
    assert_eq!(stage(2).await, (Stage::Forwarded, true));
    assert_eq!(stage(3).await, (Stage::Forwarded, false), "both are behind one proxy");
    assert_eq!(stage(4).await, (Stage::Forwarded, true));
    let held = |name: &str, held| (name.to_owned(), "USD".to_owned(), 0, held);
    assert_eq!(positions(&*store).await, [held(BANKS[0], 100_000), held(PROXIES[0], 200_000)]);
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    let fulfils = [(1, BANKS[1]), (2, EXTERNALS[2]), (3, EXTERNALS[1]), (4, EXTERNALS[2])].map(|(number, payee)| {
        let (source, destination) = (fsp(payee), None);
        let is_here = payee == BANKS[1];
        let standing = if is_here { SenderStanding::Participant } else { SenderStanding::External };
        Command::Fulfil(Box::new(Fulfil { source, standing, destination, ..fulfil(number) }))
    });
    run(&mut *writer, &fulfils).await;
    for number in 1..=4 {
        assert_eq!(stage(number).await.0, Stage::Committed, "{number}");
    }
    let posted = |name: &str, posted| (name.to_owned(), "USD".to_owned(), posted, 0);
    let expected = [
        posted(BANKS[0], 100_000),
        posted(BANKS[1], -100_000),
        posted(PROXIES[0], 200_000),
        posted(PROXIES[1], -200_000),
    ];
    assert_eq!(positions(&*store).await, expected);
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
    let trace = store.trace(id(3)).await.unwrap().unwrap();
    assert!(trace.entries.is_empty() && trace.transfer.is_some());
}

fn question(number: u64) -> Question {
    let sub_id = (number % 2 == 1).then_some("home");
    let party = PartyId::try_new(PartyIdType::AccountId, &format!("account-{number}"), sub_id).unwrap();
    Question { source: fsp(BANKS[0]), party }
}

fn asked(number: u64, proxies: &[&str], until: Timestamp) -> Asked {
    let proxies = proxies.iter().map(|name| fsp(name)).collect();
    Asked { question: question(number), via: None, dialect: Dialect(2), proxies, until }
}

async fn answer(store: &dyn Store, number: u64, proxy: Option<&str>, is_success: bool) -> Answered {
    store.take_answer(question(number), proxy.map(fsp), is_success).await.unwrap().answered
}

pub async fn a_question_waits_for_every_proxy_and_is_not_asked_twice(fixture: Fixture) {
    let store = fixture.open().await;
    found_schemes(&*store).await;
    let [one, other] = PROXIES;
    assert_eq!(answer(&*store, 1, Some(one), false).await, Answered::NotPending, "nobody has asked");
    assert!(store.ask(asked(1, &PROXIES, FAR)).await.unwrap());
    assert!(!store.ask(asked(1, &PROXIES, FAR)).await.unwrap(), "it is asked");
    // Another source, party or sub-id is another question.
    let source = Asked { question: Question { source: fsp(BANKS[1]), ..question(1) }, ..asked(1, &PROXIES, FAR) };
    assert!(store.ask(source).await.unwrap());
    assert!(store.ask(asked(2, &PROXIES, FAR)).await.unwrap());
    let party = PartyId { sub_id: None, ..question(1).party };
    let sub_id = Asked { question: Question { party, ..question(1) }, ..asked(1, &PROXIES, FAR) };
    assert!(store.ask(sub_id).await.unwrap());

    assert_eq!(answer(&*store, 1, Some(one), false).await, Answered::OneFailure);
    assert_eq!(answer(&*store, 1, Some(one), true).await, Answered::NotPending, "the first answer counts");
    assert_eq!(answer(&*store, 1, Some("stranger"), true).await, Answered::NotPending);
    assert_eq!(answer(&*store, 1, Some(other), false).await, Answered::LastFailure);
    assert_eq!(answer(&*store, 1, Some(other), false).await, Answered::NotPending, "it is over");
    assert!(store.ask(asked(1, &PROXIES, FAR)).await.unwrap(), "and can be asked again");
    assert_eq!(answer(&*store, 1, None, false).await, Answered::OneFailure);
    assert_eq!(answer(&*store, 1, None, false).await, Answered::LastFailure);

    assert_eq!(answer(&*store, 2, Some(other), true).await, Answered::Success);
    assert_eq!(answer(&*store, 2, Some(one), false).await, Answered::OneFailure, "somebody has succeeded");
    assert_eq!(answer(&*store, 2, Some(one), false).await, Answered::NotPending);
}

pub async fn a_question_from_another_scheme_remembers_its_way_back(fixture: Fixture) {
    let store = fixture.open().await;
    found_schemes(&*store).await;
    let [one, other] = PROXIES.map(fsp);
    let way_back = |via: &FspId| Asked { via: Some(via.clone()), ..asked(1, &[], FAR) };
    assert_eq!(store.asked_via(question(1)).await.unwrap(), None);
    // Nobody of another scheme is to answer, so a new question takes the place of the old one.
    for via in [&one, &other] {
        assert!(store.ask(way_back(via)).await.unwrap());
        assert_eq!(store.asked_via(question(1)).await.unwrap().as_ref(), Some(via));
    }
    let verdict = store.take_answer(question(1), Some(one.clone()), true).await.unwrap();
    assert_eq!(verdict, Verdict { answered: Answered::NotPending, via: Some(other.clone()) });
    assert_eq!(store.asked_via(question(1)).await.unwrap(), Some(other.clone()), "it is still there");
    // Passed on to a third scheme, the answers go back as well.
    assert!(store.ask(Asked { via: Some(one.clone()), ..asked(1, &[PROXIES[1]], FAR) }).await.unwrap());
    assert!(!store.ask(way_back(&other)).await.unwrap(), "somebody is to answer");
    let verdict = store.take_answer(question(1), Some(other), true).await.unwrap();
    assert_eq!(verdict, Verdict { answered: Answered::Success, via: Some(one) });
    assert_eq!(store.asked_via(question(1)).await.unwrap(), None);
}

pub async fn questions_end_with_their_time_and_tell_who_has_heard_nothing(fixture: Fixture) {
    let store = fixture.open().await;
    found_schemes(&*store).await;
    let via = Some(fsp(PROXIES[0]));
    store.ask(asked(1, &PROXIES, PAST)).await.unwrap();
    store.ask(Asked { via: via.clone(), dialect: Dialect(1), ..asked(2, &PROXIES, PAST) }).await.unwrap();
    store.ask(asked(3, &PROXIES, PAST)).await.unwrap();
    store.ask(Asked { via: via.clone(), ..asked(4, &[], PAST) }).await.unwrap();
    store.ask(asked(5, &PROXIES, FAR)).await.unwrap();
    assert_eq!(answer(&*store, 1, Some(PROXIES[1]), false).await, Answered::OneFailure);
    assert_eq!(answer(&*store, 3, Some(PROXIES[1]), true).await, Answered::Success);
    let mut over = Vec::new();
    for _ in 0..2 {
        over.extend(store.expire_questions(2).await.unwrap());
    }
    over.sort_by_key(|over| over.question.party.identifier.clone());
    let unanswered = |number, via, dialect| Unanswered { question: question(number), via, dialect };
    assert_eq!(over, [unanswered(1, None, Dialect(2)), unanswered(2, via, Dialect(1))]);
    assert_eq!(store.expire_questions(10).await.unwrap(), []);
    for number in 1..=4 {
        assert_eq!(answer(&*store, number, Some(PROXIES[0]), false).await, Answered::NotPending, "{number} is over");
        assert_eq!(store.asked_via(question(number)).await.unwrap(), None);
    }
    assert_eq!(answer(&*store, 5, Some(PROXIES[0]), false).await, Answered::OneFailure);
}

pub async fn a_question_whose_time_is_up_gives_way_to_a_new_one(fixture: Fixture) {
    let store = fixture.open().await;
    found_schemes(&*store).await;
    assert!(store.ask(asked(1, &PROXIES, PAST)).await.unwrap());
    assert!(store.ask(asked(1, &[PROXIES[1]], FAR)).await.unwrap());
    assert_eq!(answer(&*store, 1, Some(PROXIES[0]), false).await, Answered::NotPending);
    assert_eq!(answer(&*store, 1, Some(PROXIES[1]), false).await, Answered::LastFailure);
}
