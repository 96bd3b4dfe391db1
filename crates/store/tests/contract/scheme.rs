//! A small scheme to test with: a hub, banks with money, and units that run as a hub runs them.

use hub_core::{
    Access, Command, Dialect, Flow, Notice, OnUs, Outcome, Participant, Rules, Standing, State, Subject, SubjectKind,
    administration::{AccountRecord, Change, ParticipantRecord},
    decide,
    fx_transfers::{Agree, AskedAmount, PrepareConversion, RejectConversion},
    quotes::{AnswerKind, AnswerQuote, Quote, QuoteKind, QuoteTerms, SubmitQuote},
    transfers::{Expire, Fulfil, FulfilKind, Prepare, Reject, SenderStanding, Transfer},
};
use ledger::{Account, AccountId, AccountKind, Cap, Entry, EntryKind, ParticipantId};
use sha2::{Digest as _, Sha256};
use store::{MessageId, NewMessage, Retry, Store, StoreError, UnitWork, Wanted, Writer};
use vocabulary::{Amount, Condition, CorrelationId, Currency, Digest, FspId, Fulfilment, Timestamp};

pub const HUB: &str = "Hub";
pub const BANKS: [&str; 4] = ["bank-a", "bank-b", "bank-c", "bank-d"];
/// Who changes dollars into euros and back.
pub const PROVIDER: &str = "fxp-a";
pub const PROXIES: [&str; 2] = ["proxy-a", "proxy-b"];
/// DFSPs of other schemes: the first two behind the first proxy, the third behind the second.
pub const EXTERNALS: [&str; 3] = ["far-a", "far-b", "far-c"];
/// What each bank has paid in, in the currency of the scheme.
pub const LIQUIDITY: i64 = 10_000_000;
/// The hub's two accounts come first, then position and settlement of each bank.
pub const HUB_RECONCILIATION: AccountId = AccountId(1);
pub const POSITION_OF_A: AccountId = AccountId(3);
pub const POSITION_OF_B: AccountId = AccountId(5);

pub fn fsp(name: &str) -> FspId {
    name.parse().unwrap()
}

pub fn usd() -> Currency {
    "USD".parse().unwrap()
}

pub fn units(units: i64) -> Amount {
    Amount::from_units(units)
}

pub fn eur() -> Currency {
    "EUR".parse().unwrap()
}

/// The `number`-th UUID of the test.
pub fn id(number: u64) -> CorrelationId {
    let mut bytes = [0x41; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    bytes[8] |= 0x80;
    CorrelationId::from_parts(bytes, false)
}

pub fn subject(kind: SubjectKind, id: CorrelationId) -> Subject {
    Subject { kind, id }
}

/// A hash that differs for every text.
pub fn hash(text: &str) -> Digest {
    Digest(Sha256::digest(text).into())
}

pub fn fulfilment() -> Fulfilment {
    Fulfilment::new([7; 32])
}

pub fn condition() -> Condition {
    Condition::new(Sha256::digest(fulfilment().bytes()).into())
}

pub fn rules() -> Rules {
    Rules { hub_name: fsp(HUB), on_us: OnUs::Refused, confirms_to_payee: true }
}

pub fn standing(name: &str, access: Access) -> (Standing, Access) {
    (Standing { participant: fsp(name), currency: usd() }, access)
}

pub fn account(id: i64, owner: i64, kind: AccountKind, created_at: Timestamp) -> AccountRecord {
    let account = Account {
        id: AccountId(id),
        owner: ParticipantId(owner),
        kind,
        currency: usd(),
        is_active: true,
        posted: Amount::ZERO,
        held: Amount::ZERO,
        cap: None,
    };
    AccountRecord { account, is_open: true, created_at, changed_at: created_at }
}

pub fn participant(id: i64, name: &str, created_at: Timestamp) -> ParticipantRecord {
    let participant =
        Participant { id: ParticipantId(id), name: fsp(name), is_active: true, is_proxy: false, flow: Flow::Both };
    ParticipantRecord { participant, created_at }
}

/// Gives the hub its accounts, and each bank a position, a cap and liquidity. Returns the time of it.
pub async fn found(store: &dyn Store) -> Timestamp {
    let mut writer = store.writer().await.unwrap();
    writer.open(&[]).await.unwrap();
    let (_, now) = writer.lock_directory().await.unwrap();
    let mut changes = vec![
        Change::AddAccount(account(1, 1, AccountKind::HubReconciliation, now)),
        Change::AddAccount(account(2, 1, AccountKind::HubMultilateralSettlement, now)),
    ];
    for (name, number) in BANKS.iter().zip(1..) {
        let (owner, first) = (1 + number, 1 + 2 * number);
        let mut position = account(first, owner, AccountKind::Position, now);
        position.account.cap = Some(Cap { limit: units(LIQUIDITY), alarm_percentage: units(100_000), share: None });
        changes.push(Change::AddParticipant(participant(owner, name, now)));
        changes.push(Change::AddAccount(position));
        changes.push(Change::AddAccount(account(first + 1, owner, AccountKind::Settlement, now)));
        let entry = Entry {
            kind: EntryKind::FundsIn,
            debit: HUB_RECONCILIATION,
            credit: AccountId(first + 1),
            amount: units(LIQUIDITY),
        };
        changes.push(Change::Post { entry, settlement: None });
    }
    let work = UnitWork { administration: changes, actor: "operator".into(), ..UnitWork::default() };
    writer.commit(work).await.unwrap();
    now
}

/// As [`found`]; then every bank has euros too, and there are a provider and proxies with both currencies, behind which the
/// external DFSPs are known to be.
pub async fn found_schemes(store: &dyn Store) -> Timestamp {
    let now = found(store).await;
    let names: Vec<&str> = BANKS.into_iter().chain([PROVIDER]).chain(PROXIES).collect();
    let mut changes = Vec::new();
    for (name, owner) in names.iter().zip(2..).skip(BANKS.len()) {
        let mut added = participant(owner, name, now);
        added.participant.is_proxy = PROXIES.contains(name);
        changes.push(Change::AddParticipant(added));
    }
    let mut next = 2 * BANKS.len() as i64 + 2;
    let mut add = |owner, kind, currency| {
        next += 1;
        let mut record = account(next, owner, kind, now);
        record.account.currency = currency;
        if kind == AccountKind::Position {
            record.account.cap = Some(Cap { limit: units(LIQUIDITY), alarm_percentage: units(100_000), share: None });
        }
        changes.push(Change::AddAccount(record));
        AccountId(next)
    };
    let euros = add(1, AccountKind::HubReconciliation, eur());
    add(1, AccountKind::HubMultilateralSettlement, eur());
    let with_dollars = 2 + BANKS.len() as i64;
    let mut funds = Vec::new();
    for owner in (2..).take(names.len()) {
        for (currency, debit) in [(usd(), HUB_RECONCILIATION), (eur(), euros)] {
            if currency == eur() || owner >= with_dollars {
                add(owner, AccountKind::Position, currency);
                let credit = add(owner, AccountKind::Settlement, currency);
                funds.push(Entry { kind: EntryKind::FundsIn, debit, credit, amount: units(LIQUIDITY) });
            }
        }
    }
    changes.extend(funds.into_iter().map(|entry| Change::Post { entry, settlement: None }));
    let mut writer = store.writer().await.unwrap();
    writer.open(&[]).await.unwrap();
    writer.lock_directory().await.unwrap();
    let work = UnitWork { administration: changes, actor: "operator".into(), ..UnitWork::default() };
    writer.commit(work).await.unwrap();
    drop(writer);
    for (external, proxy) in EXTERNALS.into_iter().zip([PROXIES[0], PROXIES[0], PROXIES[1]]) {
        assert!(store.learn_route(&fsp(external), &fsp(proxy)).await.unwrap());
    }
    now
}

/// Posted and held of every position that is not at rest, by its owner and currency.
pub async fn positions(store: &dyn Store) -> Vec<(String, String, i64, i64)> {
    let directory = store.directory().await.unwrap();
    let name = |owner: ParticipantId| {
        let known = directory.participants.iter().find(|record| record.participant.id == owner).unwrap();
        known.participant.name.to_string()
    };
    let accounts = directory.accounts.iter().map(|record| record.account);
    let moved = accounts.filter(|account| account.kind == AccountKind::Position);
    let moved = moved.filter(|account| !account.posted.is_zero() || !account.held.is_zero());
    let mut positions: Vec<_> = moved
        .map(|account| {
            (name(account.owner), account.currency.to_string(), account.posted.units(), account.held.units())
        })
        .collect();
    positions.sort();
    positions
}

/// The first bank changes ten dollars into eight euros, for a payment.
pub fn prepare_conversion(number: u64, determining: u64, expiration: Timestamp) -> PrepareConversion {
    let asked = |amount, currency| AskedAmount { amount: Ok(units(amount)), currency };
    PrepareConversion {
        id: id(number),
        source: fsp(BANKS[0]),
        initiator: fsp(BANKS[0]),
        provider: fsp(PROVIDER),
        determining: Some(id(determining)),
        source_amount: asked(100_000, usd()),
        target_amount: asked(80_000, eur()),
        condition: condition(),
        expiration: Some(expiration),
        hash: hash(&format!("conversion {number}")),
        dialect: Dialect(1),
    }
}

/// The second bank changes the ten dollars of a payment into eight euros.
pub fn prepare_payee_conversion(number: u64, determining: u64, expiration: Timestamp) -> PrepareConversion {
    let (source, initiator) = (fsp(BANKS[1]), fsp(BANKS[1]));
    PrepareConversion { source, initiator, ..prepare_conversion(number, determining, expiration) }
}

/// The payment that the conversion of [`prepare_conversion`] is for.
pub fn prepare_converted(number: u64, expiration: Timestamp) -> Prepare {
    Prepare { amount: Ok(units(80_000)), currency: eur(), ..prepare(number, expiration) }
}

pub fn agree(number: u64, payment: u64) -> Agree {
    Agree {
        id: id(number),
        payment: id(payment),
        source: fsp(PROVIDER),
        standing: SenderStanding::Participant,
        destination: Some(fsp(BANKS[0])),
        agrees: true,
        fulfilment: Some(fulfilment()),
        hash: hash(&format!("agreed {number}")),
        dialect: Dialect(2),
    }
}

pub fn reject_conversion(number: u64, payment: u64) -> RejectConversion {
    RejectConversion {
        id: id(number),
        payment: id(payment),
        source: fsp(PROVIDER),
        standing: SenderStanding::Participant,
        destination: Some(fsp(BANKS[0])),
        code: 5100,
        description: "Provider rejected".into(),
        hash: hash(&format!("conversion error {number}")),
        dialect: Dialect(2),
    }
}

pub fn prepare(number: u64, expiration: Timestamp) -> Prepare {
    Prepare {
        id: id(number),
        source: fsp(BANKS[0]),
        payer: fsp(BANKS[0]),
        payee: fsp(BANKS[1]),
        amount: Ok(units(100_000)),
        currency: usd(),
        condition: condition(),
        expiration,
        hash: hash(&format!("prepare {number}")),
        dialect: Dialect(1),
        extensions: None,
        transaction: Some(b"{}".as_slice().into()),
        facts: Some(Box::default()),
    }
}

pub fn fulfil(number: u64) -> Fulfil {
    Fulfil {
        id: id(number),
        standing: SenderStanding::Participant,
        source: fsp(BANKS[1]),
        destination: Some(fsp(BANKS[0])),
        kind: FulfilKind::Commit,
        fulfilment: Some(fulfilment()),
        hash: hash(&format!("fulfil {number}")),
        dialect: Dialect(2),
        extensions: None,
    }
}

pub fn reject(number: u64) -> Reject {
    Reject {
        id: id(number),
        standing: SenderStanding::Participant,
        source: fsp(BANKS[1]),
        destination: Some(fsp(BANKS[0])),
        code: 5104,
        description: "Payee rejected".into(),
        hash: hash(&format!("error {number}")),
        dialect: Dialect(2),
    }
}

pub fn expire(number: u64) -> Expire {
    Expire { subject: Subject::transfer(id(number)), payment: id(number) }
}

pub fn submit_quote(number: u64) -> SubmitQuote {
    SubmitQuote {
        id: id(number),
        source: fsp(BANKS[0]),
        destination: fsp(BANKS[1]),
        terms: QuoteTerms::Transfer {
            currency: usd(),
            payer_currencies: Vec::new(),
            stated_payer: None,
            stated_payee: None,
        },
        hash: hash(&format!("quote {number}")),
        dialect: Dialect(1),
    }
}

pub fn answer_quote(number: u64) -> AnswerQuote {
    AnswerQuote {
        id: id(number),
        of: QuoteKind::Transfer,
        source: fsp(BANKS[1]),
        destination: fsp(BANKS[0]),
        kind: AnswerKind::Response(Some(usd())),
        hash: hash(&format!("answer {number}")),
        dialect: Dialect(1),
    }
}

/// Runs commands, each with a subject of its own, as one unit, and returns what follows from each.
pub async fn run(writer: &mut dyn Writer, commands: &[Command]) -> Vec<Outcome> {
    let (outcomes, work) = decided(writer, commands).await.unwrap();
    writer.commit(work).await.unwrap();
    outcomes
}

/// Runs a unit up to its commit.
pub async fn decided(writer: &mut dyn Writer, commands: &[Command]) -> Result<(Vec<Outcome>, UnitWork), StoreError> {
    let mut wanted: Vec<Wanted> = commands.iter().flat_map(Command::wanted).collect();
    let subject_of = |(Wanted::Claim(subject) | Wanted::Find(subject)): &Wanted| *subject;
    // A claim comes before a search for the same.
    wanted.sort_by_key(|wanted| (subject_of(wanted), matches!(wanted, Wanted::Find(_))));
    wanted.dedup_by_key(|wanted| subject_of(wanted));
    let opened = writer.open(&wanted).await?;
    let standings: Vec<(Standing, Access)> = commands
        .iter()
        .flat_map(|command| {
            let is_part = |known: &&Transfer| known.payment() == command.subject().id;
            let parts: Vec<&Transfer> = opened.transfers.iter().filter(is_part).collect();
            command.standings(&parts, &fsp(HUB))
        })
        .collect();
    let mut loaded = writer.lock(&standings).await?;
    loaded.transfers = opened.transfers;
    loaded.quotes = opened.quotes;
    let now = loaded.now;
    let mut state = State::new(loaded, rules());
    let outcomes: Vec<Outcome> = commands.iter().map(|command| decide(&mut state, command)).collect();
    let notices = outcomes.iter().flat_map(|outcome| &outcome.notices);
    let messages = notices.map(|notice| message_of(notice, now)).collect();
    Ok((outcomes, UnitWork { changes: state.into_changes(), messages, ..UnitWork::default() }))
}

/// A unit that only adds messages.
pub async fn send(writer: &mut dyn Writer, messages: Vec<NewMessage>) -> Vec<MessageId> {
    commit(writer, UnitWork { messages, ..UnitWork::default() }).await.unwrap()
}

/// A unit of ready work, without decisions.
pub async fn commit(writer: &mut dyn Writer, work: UnitWork) -> Result<Vec<MessageId>, StoreError> {
    let claims: Vec<Wanted> = work
        .changes
        .new_transfers
        .iter()
        .map(Transfer::subject)
        .chain(work.changes.new_quotes.iter().map(Quote::subject))
        .map(Wanted::Claim)
        .collect();
    writer.open(&claims).await?;
    writer.lock(&[]).await?;
    writer.commit(work).await
}

pub fn message(to: &str, text: &str) -> NewMessage {
    NewMessage {
        to: fsp(to),
        payment_key: hash(text).0[..16].try_into().unwrap(),
        retry: Retry { until: Timestamp::from_millis(4_000_000_000_000) },
        head: format!("PUT /transfers/{text}").into_bytes().into(),
        body: text.to_owned().into_bytes().into(),
    }
}

fn message_of(notice: &Notice, now: Timestamp) -> NewMessage {
    let (key, _) = notice.about.id.to_parts();
    let retry = Retry { until: now.plus_millis(60_000) };
    let text = format!("{:?}", notice.message);
    NewMessage { retry, payment_key: key, ..message(notice.to.as_str(), &text) }
}

/// A source of numbers that a seed determines (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}
