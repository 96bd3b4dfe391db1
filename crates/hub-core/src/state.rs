//! The state of one unit: what was loaded under lock, and what the decisions changed.

use crate::{
    Participant, Rules, Subject, SubjectKind, administration::SettlementModel, fees::FeeRule, quotes::Quote,
    transfers::Transfer,
};
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use ledger::{Account, AccountId, AccountKind, Book, Entry, ParticipantId};
use vocabulary::{Amount, CorrelationId, Currency, FspId, Timestamp};

/// A settlement window; ids count from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WindowId(pub i64);

/// What a store has loaded for a unit. Participants and accounts that do not exist are absent.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Read once, after the last lock was granted; never earlier than in the unit before.
    pub now: Timestamp,
    /// The settlement window that is open for as long as the unit runs.
    pub window: WindowId,
    /// The active settlement models.
    pub models: Vec<SettlementModel>,
    /// The active fee rules.
    pub fee_rules: Vec<FeeRule>,
    pub participants: Vec<Participant>,
    /// External DFSPs with the proxies that they are behind, which are among the participants.
    pub routes: Vec<(FspId, FspId)>,
    pub accounts: Vec<Account>,
    /// Conversions included.
    pub transfers: Vec<Transfer>,
    pub quotes: Vec<Quote>,
}

/// Who has the accounts of a DFSP here: itself, or the proxy that it is behind.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    pub participant: &'a Participant,
    pub is_proxy: bool,
}

/// The state that decisions read and change.
#[derive(Debug)]
pub struct State {
    pub now: Timestamp,
    pub window: WindowId,
    pub rules: Rules,
    pub book: Book,
    /// The active settlement models.
    pub models: Vec<SettlementModel>,
    /// The active fee rules.
    pub fee_rules: Vec<FeeRule>,
    participants: BTreeMap<FspId, Participant>,
    routes: BTreeMap<FspId, FspId>,
    accounts: BTreeMap<(ParticipantId, Currency, AccountKind), AccountId>,
    transfers: BTreeMap<Subject, Tracked<Transfer>>,
    /// The conversions of each payment.
    conversions: BTreeMap<CorrelationId, Vec<Subject>>,
    quotes: BTreeMap<Subject, Tracked<Quote>>,
    postings: Vec<Posting>,
    transactions: Vec<(CorrelationId, Box<[u8]>)>,
    /// Posted balances as loaded, against which the unit's entries are checked.
    opening: BTreeMap<AccountId, Amount>,
}

/// An entry with the transfer that caused it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Posting {
    pub entry: Entry,
    pub transfer: Subject,
    /// The settlement window, for entries that are settled; none for funds movements.
    pub window: Option<WindowId>,
}

/// What a unit changes, for the store to write in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub now: Option<Timestamp>,
    pub new_transfers: Vec<Transfer>,
    pub changed_transfers: Vec<Transfer>,
    pub new_quotes: Vec<Quote>,
    pub changed_quotes: Vec<Quote>,
    pub postings: Vec<Posting>,
    /// What the packets of new transfers say, as JSON text.
    pub transactions: Vec<(CorrelationId, Box<[u8]>)>,
    /// Accounts whose balances changed, whole.
    pub accounts: Vec<Account>,
}

#[derive(Clone, Debug)]
struct Tracked<T> {
    value: T,
    mark: Mark,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mark {
    Loaded,
    Changed,
    New,
}

impl State {
    pub fn new(loaded: Loaded, rules: Rules) -> Self {
        let tracked = |value| Tracked { value, mark: Mark::Loaded };
        let mut conversions: BTreeMap<CorrelationId, Vec<Subject>> = BTreeMap::new();
        for known in loaded.transfers.iter().filter(|known| known.terms().is_some()) {
            conversions.entry(known.payment()).or_default().push(known.subject());
        }
        Self {
            conversions,
            now: loaded.now,
            window: loaded.window,
            rules,
            models: loaded.models,
            fee_rules: loaded.fee_rules,
            transactions: Vec::new(),
            accounts: loaded.accounts.iter().map(|account| (key_of(account), account.id)).collect(),
            opening: loaded.accounts.iter().map(|account| (account.id, account.posted)).collect(),
            book: Book::new(loaded.accounts),
            participants: loaded.participants.into_iter().map(|known| (known.name.clone(), known)).collect(),
            routes: loaded.routes.into_iter().collect(),
            transfers: loaded.transfers.into_iter().map(|known| (known.subject(), tracked(known))).collect(),
            quotes: loaded
                .quotes
                .into_iter()
                .map(|known| (known.subject(), Tracked { value: known, mark: Mark::Loaded }))
                .collect(),
            postings: Vec::new(),
        }
    }

    pub fn participant(&self, name: &FspId) -> Option<&Participant> {
        self.participants.get(name)
    }

    /// The participant's account of a kind in a currency.
    pub fn account(&self, name: &FspId, currency: Currency, kind: AccountKind) -> Option<&Account> {
        let owner = self.participant(name)?.id;
        self.book.get(*self.accounts.get(&(owner, currency, kind))?)
    }

    /// Who has a DFSP's accounts here; none for a name that is neither a participant nor behind a known proxy.
    pub fn holder(&self, name: &FspId) -> Option<Holder<'_>> {
        if let Some(participant) = self.participant(name) {
            return Some(Holder { participant, is_proxy: false });
        }
        self.participant(self.routes.get(name)?).map(|participant| Holder { participant, is_proxy: true })
    }

    /// The proxy through which an external DFSP is reached.
    pub fn proxy_of(&self, name: &FspId) -> Option<FspId> {
        let holder = self.holder(name)?;
        holder.is_proxy.then(|| holder.participant.name.clone())
    }

    pub fn name_of(&self, id: ParticipantId) -> Option<&FspId> {
        self.participants.values().find(|known| known.id == id).map(|known| &known.name)
    }

    /// The account of a kind beside another account of the same owner, in the same currency.
    pub fn sibling(&self, account: AccountId, kind: AccountKind) -> Option<AccountId> {
        let known = self.book.get(account)?;
        self.accounts.get(&(known.owner, known.currency, kind)).copied()
    }

    pub fn transfer(&self, id: CorrelationId) -> Option<&Transfer> {
        self.any_transfer(Subject { kind: SubjectKind::Transfer, id })
    }

    pub fn conversion(&self, id: CorrelationId) -> Option<&Transfer> {
        self.any_transfer(Subject { kind: SubjectKind::Conversion, id })
    }

    pub fn any_transfer(&self, subject: Subject) -> Option<&Transfer> {
        self.transfers.get(&subject).map(|tracked| &tracked.value)
    }

    /// The conversions of a payment, refused ones included.
    pub fn conversions_of(&self, payment: CorrelationId) -> impl Iterator<Item = &Transfer> {
        let subjects = self.conversions.get(&payment).into_iter().flatten();
        subjects.filter_map(|subject| self.any_transfer(*subject))
    }

    pub fn quote(&self, subject: Subject) -> Option<&Quote> {
        self.quotes.get(&subject).map(|tracked| &tracked.value)
    }

    pub(crate) fn add_transfer(&mut self, transfer: Transfer) {
        if transfer.terms().is_some() {
            self.conversions.entry(transfer.payment()).or_default().push(transfer.subject());
        }
        let before = self.transfers.insert(transfer.subject(), Tracked { value: transfer, mark: Mark::New });
        assert!(before.is_none(), "an id is taken once");
    }

    /// Changes a loaded transfer, in the course of this unit.
    pub(crate) fn change_transfer(&mut self, subject: Subject) -> &mut Transfer {
        change(&mut self.transfers, subject)
    }

    pub(crate) fn add_quote(&mut self, quote: Quote) {
        let before = self.quotes.insert(quote.subject(), Tracked { value: quote, mark: Mark::New });
        assert!(before.is_none(), "an id is taken once");
    }

    pub(crate) fn change_quote(&mut self, subject: Subject) -> &mut Quote {
        change(&mut self.quotes, subject)
    }

    /// Keeps what the packet of a new transfer says.
    pub(crate) fn keep_transaction(&mut self, id: CorrelationId, transaction: Box<[u8]>) {
        self.transactions.push((id, transaction));
    }

    pub(crate) fn record(&mut self, posting: Posting) {
        self.postings.push(posting);
    }

    /// What the store has to write.
    ///
    /// # Panics
    /// If entries and balances disagree: then nothing of the unit may become durable.
    pub fn into_changes(self) -> Changes {
        self.check_entries();
        let accounts = self.book.changed();
        let mut changes = Changes { now: Some(self.now), postings: self.postings, accounts, ..Changes::default() };
        changes.transactions = self.transactions;
        for Tracked { value, mark } in self.transfers.into_values() {
            match mark {
                Mark::Loaded => {}
                Mark::Changed => changes.changed_transfers.push(value),
                Mark::New => changes.new_transfers.push(value),
            }
        }
        for Tracked { value, mark } in self.quotes.into_values() {
            match mark {
                Mark::Loaded => {}
                Mark::Changed => changes.changed_quotes.push(value),
                Mark::New => changes.new_quotes.push(value),
            }
        }
        changes
    }

    /// Every posted balance is what was loaded plus this unit's debits minus its credits. As an entry debits what it
    /// credits, the posted balances of each currency then keep their sum.
    fn check_entries(&self) {
        let mut expected = self.opening.clone();
        for Posting { entry, .. } in &self.postings {
            let mut add = |account, amount: Option<Amount>| {
                let balance = expected.get_mut(&account).expect("an entry is between loaded accounts");
                *balance = amount.and_then(|amount| balance.checked_add(amount)).expect("balances stay in range");
            };
            add(entry.debit, Some(entry.amount));
            add(entry.credit, entry.amount.checked_neg());
        }
        for account in self.book.accounts() {
            assert_eq!(expected.get(&account.id), Some(&account.posted), "entries and balances agree");
        }
    }
}

fn key_of(account: &Account) -> (ParticipantId, Currency, AccountKind) {
    (account.owner, account.currency, account.kind)
}

fn change<T>(of: &mut BTreeMap<Subject, Tracked<T>>, subject: Subject) -> &mut T {
    let tracked = of.get_mut(&subject).expect("only what was loaded or added is changed");
    if tracked.mark == Mark::Loaded {
        tracked.mark = Mark::Changed;
    }
    &mut tracked.value
}
