//! A scheme in memory with two currencies and two proxies: what a store does with commands of payments, without a store.
//!
//! It loads for each command only what the command asks for, so that what a decision fails to ask for is missing, and
//! after each it checks that every account holds what the open transfers and conversions hold there.

use crate::{
    Access, Command, Dialect, Flow, Loaded, Message, Notice, OnUs, Outcome, Participant, Posting, Rules, Standing,
    State, Subject, SubjectKind, Wanted, WindowId,
    administration::SettlementModel,
    decide,
    fx_transfers::{Agree, AskedAmount, PrepareConversion, RejectConversion},
    transfers::{Expire, Fulfil, FulfilKind, Prepare, Reject, SenderStanding, Stage, Transfer},
};
use alloc::{boxed::Box, collections::BTreeMap, format, string::String, string::ToString, vec::Vec};
use ledger::{Account, AccountId, AccountKind, Cap, ParticipantId};
use sha2::{Digest as _, Sha256};
use vocabulary::{Amount, Condition, CorrelationId, Currency, Digest, FspId, Fulfilment, Timestamp};

pub(crate) const NOW: i64 = 1_800_000_000_000;
/// The currency that conversions start from, and the one that transfers are in.
pub(crate) const SOURCE: &str = "ZMW";
pub(crate) const TARGET: &str = "MWK";
/// Two DFSPs, two providers and two proxies, after the hub.
pub(crate) const PARTICIPANTS: [&str; 7] = ["Hub", "d1", "d2", "fx1", "fx2", "p", "q"];
/// DFSPs and providers of other schemes with their proxies.
pub(crate) const EXTERNALS: [(&str, &str); 6] =
    [("p1", "p"), ("p2", "p"), ("pfx", "p"), ("q1", "q"), ("q2", "q"), ("qfx", "q")];

#[derive(Clone)]
pub(crate) struct Scheme {
    pub now: Timestamp,
    pub rules: Rules,
    pub models: Vec<SettlementModel>,
    pub participants: Vec<Participant>,
    pub routes: Vec<(FspId, FspId)>,
    pub accounts: Vec<Account>,
    pub transfers: Vec<Transfer>,
    pub postings: Vec<Posting>,
}

pub(crate) fn fsp(name: &str) -> FspId {
    name.parse().unwrap()
}

pub(crate) fn id(number: u8) -> CorrelationId {
    CorrelationId::from_parts([number; 16], true)
}

pub(crate) fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

pub(crate) fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

pub(crate) fn millis(after_now: i64) -> Timestamp {
    Timestamp::from_millis(NOW + after_now)
}

pub(crate) fn fulfilment(number: u8) -> Fulfilment {
    Fulfilment::new([number; 32])
}

fn condition(number: u8) -> Condition {
    Condition::new(Sha256::digest([number; 32]).into())
}

pub(crate) fn transfer_subject(number: u8) -> Subject {
    Subject { kind: SubjectKind::Transfer, id: id(number) }
}

pub(crate) fn conversion_subject(number: u8) -> Subject {
    Subject { kind: SubjectKind::Conversion, id: id(number) }
}

fn standing_of(name: &str) -> SenderStanding {
    if PARTICIPANTS.contains(&name) { SenderStanding::Participant } else { SenderStanding::External }
}

/// Transfer 1: 20 of the target currency, for a minute.
pub(crate) fn transfer(payer: &str, payee: &str) -> Prepare {
    Prepare {
        id: id(1),
        source: fsp(payer),
        payer: fsp(payer),
        payee: fsp(payee),
        amount: Ok(amount("20")),
        currency: currency(TARGET),
        condition: condition(1),
        expiration: millis(60_000),
        hash: Digest([1; 32]),
        dialect: Dialect(1),
        extensions: None,
        transaction: None,
        facts: None,
    }
}

/// A transfer as above in the currency that conversions start from: 10.
pub(crate) fn transfer_in_source(payer: &str, payee: &str) -> Prepare {
    Prepare { amount: Ok(amount("10")), currency: currency(SOURCE), ..transfer(payer, payee) }
}

/// A conversion of 10 of the source currency into 20 of the target's, for transfer 1.
pub(crate) fn conversion(number: u8, initiator: &str, provider: &str) -> PrepareConversion {
    let asked = |text, code| AskedAmount { amount: Ok(amount(text)), currency: currency(code) };
    PrepareConversion {
        id: id(number),
        source: fsp(initiator),
        initiator: fsp(initiator),
        provider: fsp(provider),
        determining: Some(id(1)),
        source_amount: asked("10", SOURCE),
        target_amount: asked("20", TARGET),
        condition: condition(number),
        expiration: Some(millis(60_000)),
        hash: Digest([number; 32]),
        dialect: Dialect(1),
    }
}

pub(crate) fn agreement(number: u8, provider: &str, initiator: &str) -> Agree {
    Agree {
        id: id(number),
        payment: id(1),
        source: fsp(provider),
        standing: standing_of(provider),
        via: None,
        destination: Some(fsp(initiator)),
        agrees: true,
        fulfilment: Some(fulfilment(number)),
        hash: Digest([100 + number; 32]),
        dialect: Dialect(2),
    }
}

pub(crate) fn provider_error(number: u8, provider: &str, initiator: &str) -> RejectConversion {
    RejectConversion {
        id: id(number),
        payment: id(1),
        source: fsp(provider),
        standing: standing_of(provider),
        via: None,
        destination: Some(fsp(initiator)),
        code: 5105,
        description: "no rate".into(),
        hash: Digest([150 + number; 32]),
        dialect: Dialect(2),
    }
}

pub(crate) fn answer(payee: &str, payer: &str) -> Fulfil {
    Fulfil {
        id: id(1),
        source: fsp(payee),
        standing: standing_of(payee),
        via: None,
        destination: Some(fsp(payer)),
        kind: FulfilKind::Commit,
        fulfilment: Some(fulfilment(1)),
        hash: Digest([101; 32]),
        dialect: Dialect(2),
        extensions: None,
    }
}

pub(crate) fn payee_error(payee: &str, payer: &str) -> Reject {
    Reject {
        id: id(1),
        source: fsp(payee),
        standing: standing_of(payee),
        via: None,
        destination: Some(fsp(payer)),
        code: 5104,
        description: "no".into(),
        hash: Digest([151; 32]),
        dialect: Dialect(2),
    }
}

pub(crate) fn expiry(subject: Subject) -> Expire {
    Expire { subject, payment: id(1) }
}

impl Scheme {
    /// Every participant has liquidity 100 and cap 80 in both currencies.
    pub fn new() -> Self {
        let mut scheme = Self {
            now: millis(0),
            rules: Rules { hub_name: fsp("Hub"), on_us: OnUs::Refused, confirms_to_payee: false },
            models: Vec::new(),
            participants: Vec::new(),
            routes: EXTERNALS.iter().map(|(name, proxy)| (fsp(name), fsp(proxy))).collect(),
            accounts: Vec::new(),
            transfers: Vec::new(),
            postings: Vec::new(),
        };
        for (number, name) in PARTICIPANTS.into_iter().enumerate() {
            let (owner, is_proxy) = (ParticipantId(number as i64 + 1), ["p", "q"].contains(&name));
            let (name, flow) = (fsp(name), Flow::Both);
            scheme.participants.push(Participant { id: owner, name, is_active: true, is_proxy, flow });
            for code in [SOURCE, TARGET] {
                scheme.open(owner, AccountKind::Position, code);
                scheme.open(owner, AccountKind::Settlement, code);
            }
        }
        scheme
    }

    fn open(&mut self, owner: ParticipantId, kind: AccountKind, code: &str) {
        let is_position = kind == AccountKind::Position;
        let cap = Cap { limit: amount("80"), alarm_percentage: amount("10"), share: None };
        self.accounts.push(Account {
            id: AccountId(self.accounts.len() as i64 + 1),
            owner,
            kind,
            currency: currency(code),
            is_active: true,
            posted: if is_position { Amount::ZERO } else { amount("100").checked_neg().unwrap() },
            held: Amount::ZERO,
            cap: is_position.then_some(cap),
        });
    }

    /// The scheme without a participant's accounts in a currency.
    pub fn without(mut self, name: &str, code: &str) -> Self {
        let owner = self.participant(name).id;
        self.accounts.retain(|account| account.owner != owner || account.currency != currency(code));
        self
    }

    pub fn participant(&mut self, name: &str) -> &mut Participant {
        self.participants.iter_mut().find(|known| known.name.as_str() == name).unwrap()
    }

    pub fn position(&mut self, name: &str, code: &str) -> &mut Account {
        let owner = self.participant(name).id;
        let is_it = |known: &&mut Account| {
            known.owner == owner && known.currency == currency(code) && known.kind == AccountKind::Position
        };
        self.accounts.iter_mut().find(is_it).unwrap()
    }

    pub fn known(&self, subject: Subject) -> Option<&Transfer> {
        self.transfers.iter().find(|known| known.subject() == subject)
    }

    pub fn stage(&self, subject: Subject) -> Option<Stage> {
        self.known(subject).map(Transfer::stage)
    }

    /// Positions that are not empty: `d1 ZMW held 10` where an amount is held, `d1 ZMW 10` where it is owed.
    pub fn moved(&self) -> Vec<String> {
        let positions = self.accounts.iter().filter(|account| account.kind == AccountKind::Position);
        let name = |account: &Account| &self.participants[account.owner.0 as usize - 1].name;
        let lines = positions.flat_map(|account| {
            let of = format!("{} {}", name(account), account.currency);
            let held = (!account.held.is_zero()).then(|| format!("{of} held {}", account.held));
            let posted = (!account.posted.is_zero()).then(|| format!("{of} {}", account.posted));
            held.into_iter().chain(posted)
        });
        lines.collect()
    }

    /// Decides a command and keeps what it changed. Who is told what, in short: `fx p1 via p: relay`.
    pub fn run(&mut self, command: impl Into<Command>) -> Vec<String> {
        let command = command.into();
        let found = self.found(&command);
        let standings = command.standings(&found.iter().collect::<Vec<_>>(), &self.rules.hub_name);
        let mut state = State::new(self.loaded(found, &standings), self.rules.clone());
        let outcome = decide(&mut state, &command);
        let changes = state.into_changes();
        for account in changes.accounts {
            assert!(self.may_change(&account, &standings), "{command:?} changes an account that it only looks at");
            let kept = self.accounts.iter_mut().find(|known| known.id == account.id).unwrap();
            *kept = account;
        }
        for transfer in changes.changed_transfers {
            let kept = self.transfers.iter_mut().find(|known| known.subject() == transfer.subject()).unwrap();
            *kept = transfer;
        }
        self.transfers.extend(changes.new_transfers);
        self.postings.extend(changes.postings);
        self.check_holds();
        told(&outcome)
    }

    /// The subjects that a command wants, with the conversions of each transfer among them.
    fn found(&self, command: &Command) -> Vec<Transfer> {
        let subject = |wanted: Wanted| match wanted {
            Wanted::Claim(subject) | Wanted::Find(subject) => subject,
        };
        let wanted: Vec<Subject> = command.wanted().into_iter().map(subject).collect();
        let is_wanted = |known: &Transfer| {
            let determining = known.terms().and_then(|terms| terms.determining);
            let determining = determining.map(|id| Subject { kind: SubjectKind::Transfer, id });
            wanted.contains(&known.subject()) || determining.is_some_and(|subject| wanted.contains(&subject))
        };
        let mut found: Vec<_> = self.transfers.iter().filter(|known| is_wanted(known)).cloned().collect();
        found.sort_by_key(|known| known.terms().is_some());
        found
    }

    fn loaded(&self, transfers: Vec<Transfer>, standings: &[(Standing, Access)]) -> Loaded {
        let holders: Vec<_> = standings.iter().filter_map(|(standing, _)| self.holder(standing)).collect();
        let is_asked = |name: &FspId| standings.iter().any(|(standing, _)| standing.participant == *name);
        let is_held = |account: &&Account| holders.contains(&(account.owner, account.currency));
        Loaded {
            now: self.now,
            window: WindowId(7),
            models: self.models.clone(),
            fee_rules: Vec::new(),
            participants: self
                .participants
                .iter()
                .filter(|known| holders.iter().any(|(owner, _)| *owner == known.id))
                .cloned()
                .collect(),
            routes: self.routes.iter().filter(|(name, _)| is_asked(name)).cloned().collect(),
            accounts: self.accounts.iter().filter(is_held).copied().collect(),
            transfers,
            quotes: Vec::new(),
        }
    }

    /// Whose accounts a standing is: the participant's of that name, or those of its proxy.
    fn holder(&self, standing: &Standing) -> Option<(ParticipantId, Currency)> {
        let by_name = |name: &FspId| self.participants.iter().find(|known| known.name == *name);
        let by_route = || by_name(&self.routes.iter().find(|(name, _)| *name == standing.participant)?.1);
        by_name(&standing.participant).or_else(by_route).map(|known| (known.id, standing.currency))
    }

    fn may_change(&self, account: &Account, standings: &[(Standing, Access)]) -> bool {
        standings.iter().any(|(standing, access)| {
            *access == Access::Change && self.holder(standing) == Some((account.owner, account.currency))
        })
    }

    fn check_holds(&self) {
        let mut held: BTreeMap<AccountId, i64> = BTreeMap::new();
        for known in self.transfers.iter().filter(|known| known.is_open()) {
            if let Some([debit, _]) = known.legs {
                *held.entry(debit).or_default() += known.money.amount.units();
            }
        }
        for account in &self.accounts {
            let expected = held.get(&account.id).copied().unwrap_or_default();
            assert_eq!(account.held.units(), expected, "what is held is what open parts hold: {:?}", self.moved());
        }
    }
}

fn told(outcome: &Outcome) -> Vec<String> {
    let short = |notice: &Notice| {
        let fulfilled =
            |status: &crate::transfers::TransferStatus| status.fulfilment.map_or("", |_| " with fulfilment");
        let what = match &notice.message {
            Message::Relay => "relay".to_string(),
            Message::Failure(rejection) => {
                format!("{rejection:?}").split(['(', ' ']).next().unwrap_or_default().to_string()
            }
            Message::Status(status) => format!("PUT {}{}", status.state.as_str(), fulfilled(status)),
            Message::Patch(status) => format!("PATCH {}{}", status.state.as_str(), fulfilled(status)),
        };
        let about = if notice.about.kind == SubjectKind::Conversion { "fx " } else { "" };
        let via = notice.via.as_ref().map_or(String::new(), |proxy| format!(" via {proxy}"));
        format!("{about}{}{via}: {what}", notice.to)
    };
    outcome.notices.iter().map(short).collect()
}

impl From<Prepare> for Command {
    fn from(command: Prepare) -> Self {
        Self::Prepare(Box::new(command))
    }
}

impl From<Fulfil> for Command {
    fn from(command: Fulfil) -> Self {
        Self::Fulfil(Box::new(command))
    }
}

impl From<Reject> for Command {
    fn from(command: Reject) -> Self {
        Self::Reject(Box::new(command))
    }
}

impl From<Expire> for Command {
    fn from(command: Expire) -> Self {
        Self::Expire(command)
    }
}

impl From<PrepareConversion> for Command {
    fn from(command: PrepareConversion) -> Self {
        Self::PrepareConversion(Box::new(command))
    }
}

impl From<Agree> for Command {
    fn from(command: Agree) -> Self {
        Self::Agree(Box::new(command))
    }
}

impl From<RejectConversion> for Command {
    fn from(command: RejectConversion) -> Self {
        Self::RejectConversion(Box::new(command))
    }
}
