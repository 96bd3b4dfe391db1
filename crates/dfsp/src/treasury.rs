//! An example foreign exchange provider (FXP): offers at the rates of its configuration, reservations, and positions per
//! currency that move when the hub says COMMITTED.
//!
//! Invariant: a conversion is reserved only at an offer of this provider that has not expired, and it is in the journal
//! before it is answered; it ends once. Positions are what the journal's events make of them.

use crate::StartError;
use crate::journal::{Journal, JournalError};
use crate::payment::Reason;
use crate::rates::{Deal, Market};
use sdk::{
    CallError, Connection, Decision, ErrorCode, Exchange, FspiopError, FxAnswer, FxCharge, FxNews, FxQuestion,
    FxReservation, FxTerms, IncomingConversion, Listener, NotRecorded, TransferState, now, text,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;
use vocabulary::{Amount, CorrelationId, Currency, FspId, Money, Timestamp};

/// Offers that wait to be accepted at one time, and conversions that are remembered: this is an example.
const OFFERS_MAX: usize = 10_000;
const CONVERSIONS_MAX: usize = 1_000_000;
/// How often the hub is asked about a conversion in doubt: at first, and at the longest.
const ASK_DELAY: Duration = Duration::from_secs(1);
const ASK_DELAY_MAX: Duration = Duration::from_secs(30);
/// How long after its expiration a conversion that the hub does not know is given up: clocks differ.
const GIVE_UP_AFTER_EXPIRATION_MS: i64 = 10_000;

/// Settings of an example provider.
#[derive(Clone, Debug)]
pub struct TreasuryConfig {
    /// Name in the scheme, hub address and the limits of the connection.
    pub connection: sdk::Config,
    pub markets: Vec<Market>,
    /// Where the hub's messages are listened for; port 0 is any free one.
    pub fspiop: SocketAddr,
    /// Where the journal is kept; without, the positions live as long as the process.
    pub data: Option<PathBuf>,
    /// How long an offer holds.
    pub offer_lifetime: Duration,
    /// At the start; see [`Treasury::behave`].
    pub temper: TreasuryTemper,
}

/// How the provider treats questions. All but the first are for trials.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TreasuryTemper {
    /// Offers and converts.
    Willing,
    /// Offers, and rejects every conversion.
    Refusing,
    /// Offers, and lets every conversion expire without an answer.
    Silent,
    /// Does not even offer.
    Mute,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event {
    /// The first event: whose positions these are.
    TreasuryOpened {
        #[serde(with = "text")]
        fsp: FspId,
    },
    ConversionReserved(Box<Reserved>),
    ConversionCompleted {
        #[serde(with = "text")]
        id: CorrelationId,
        #[serde(with = "text")]
        at: Timestamp,
    },
    ConversionFailed {
        #[serde(with = "text")]
        id: CorrelationId,
        #[serde(with = "text")]
        at: Timestamp,
        reason: Reason,
    },
}

/// A conversion that was accepted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Reserved {
    #[serde(with = "text")]
    id: CorrelationId,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "text::option")]
    transfer: Option<CorrelationId>,
    #[serde(with = "text")]
    initiator: FspId,
    #[serde(with = "text")]
    source: Amount,
    #[serde(with = "text")]
    source_currency: Currency,
    #[serde(with = "text")]
    target: Amount,
    #[serde(with = "text")]
    target_currency: Currency,
    /// Of the source.
    #[serde(with = "text")]
    fee: Amount,
    #[serde(with = "text")]
    expiration: Timestamp,
}

pub struct Treasury {
    config: TreasuryConfig,
    connection: Connection,
    core: Mutex<Core>,
    /// Counts changes of conversions, for those who wait for one.
    changes: watch::Sender<u64>,
}

struct Core {
    journal: Journal,
    temper: TreasuryTemper,
    /// By conversion. They live as long as they can be accepted.
    offers: HashMap<CorrelationId, (FxQuestion, FxTerms, Amount)>,
    conversions: HashMap<CorrelationId, (Reserved, TransferState)>,
    /// Towards the scheme: positive when the provider owes it money, like the hub's POSITION account.
    positions: HashMap<Currency, Amount>,
    fees: HashMap<Currency, Amount>,
}

/// A running provider.
pub struct RunningTreasury {
    treasury: Arc<Treasury>,
    listener: Listener,
}

/// Opens the journal, listens, and asks the hub about conversions that were in doubt at the last stop.
pub async fn start_treasury(config: TreasuryConfig) -> Result<RunningTreasury, StartError> {
    let (connection, address) = (Connection::new(config.connection.clone()), config.fspiop);
    let treasury = Arc::new(Treasury::open(config, connection.clone()).map_err(StartError::Journal)?);
    let listener = sdk::serve_exchange(connection, Arc::new(Counter(treasury.clone())), address).await;
    let listener = listener.map_err(|error| StartError::Listen("FSPIOP", address, error))?;
    for id in treasury.pending() {
        tokio::spawn(watch(treasury.clone(), id));
    }
    Ok(RunningTreasury { treasury, listener })
}

impl RunningTreasury {
    pub fn treasury(&self) -> &Arc<Treasury> {
        &self.treasury
    }

    /// Where the hub's messages arrive.
    pub fn fspiop_address(&self) -> SocketAddr {
        self.listener.address()
    }

    pub async fn stop(self) {
        self.listener.stop().await;
    }
}

/// The treasury as the scheme's messages reach it.
struct Counter(Arc<Treasury>);

impl Exchange for Counter {
    async fn quote(&self, question: FxQuestion) -> Result<FxTerms, FspiopError> {
        if self.0.temper() == TreasuryTemper::Mute {
            tokio::time::sleep(self.0.config.offer_lifetime).await;
            return Err(FspiopError::new(ErrorCode::QUOTE_EXPIRED));
        }
        self.0.offer(question)
    }

    async fn quoted(&self, request_id: CorrelationId) -> Result<(FxQuestion, FxTerms), FspiopError> {
        let core = self.0.core();
        let found = core.offers.values().find(|(question, ..)| question.request_id == request_id);
        let (question, terms, _) = found.ok_or_else(|| FspiopError::new(ErrorCode::QUOTE_ID_NOT_FOUND))?;
        Ok((question.clone(), terms.clone()))
    }

    async fn prepare(&self, conversion: IncomingConversion) -> FxAnswer {
        let id = conversion.id;
        match self.0.reserve(&conversion) {
            Ok(is_new) => {
                if is_new {
                    tokio::spawn(watch(self.0.clone(), id));
                }
                let is_silent = self.0.temper() == TreasuryTemper::Silent;
                if is_silent { FxAnswer::Silence } else { FxAnswer::Reserve }
            }
            Err(error) => FxAnswer::Reject(error),
        }
    }

    async fn reservation(&self, id: CorrelationId) -> Result<FxReservation, FspiopError> {
        let core = self.0.core();
        let known = core.conversions.get(&id).ok_or_else(|| FspiopError::new(ErrorCode::TRANSFER_ID_NOT_FOUND))?;
        Ok(FxReservation { conversion: known.0.conversion(), state: known.1 })
    }

    async fn news(&self, id: CorrelationId, news: FxNews) -> Result<(), NotRecorded> {
        let Some(decision) = news.for_provider() else { return Ok(()) };
        self.0.settle(id, &decision).map_err(|error| NotRecorded(error.to_string()))
    }
}

impl Treasury {
    /// Replays the journal.
    fn open(config: TreasuryConfig, connection: Connection) -> Result<Self, JournalError> {
        let (journal, events) = match &config.data {
            Some(directory) => Journal::open(directory)?,
            None => (Journal::Memory, Vec::new()),
        };
        let mut core = Core::new(journal, config.temper);
        let whose = Event::TreasuryOpened { fsp: config.connection.name.clone() };
        match events.first() {
            Some(first) if *first != whose => {
                return Err(JournalError::of_others(config.data.as_deref(), &config.connection.name));
            }
            Some(_) => {}
            None => core.journal.append(&whose)?,
        }
        events.iter().for_each(|event| core.apply(event));
        Ok(Self { config, connection, core: Mutex::new(core), changes: watch::Sender::new(0) })
    }

    /// Treats questions otherwise from now on; for trials.
    pub fn behave(&self, temper: TreasuryTemper) {
        self.core().temper = temper;
    }

    fn temper(&self) -> TreasuryTemper {
        self.core().temper
    }

    /// What the provider owes the scheme in a currency.
    pub fn position(&self, currency: Currency) -> Amount {
        self.core().positions.get(&currency).copied().unwrap_or_default()
    }

    /// Fees earned in a currency.
    pub fn fees(&self, currency: Currency) -> Amount {
        self.core().fees.get(&currency).copied().unwrap_or_default()
    }

    /// What became of a conversion: RESERVED, COMMITTED or ABORTED.
    pub fn state(&self, id: CorrelationId) -> Option<TransferState> {
        self.core().conversions.get(&id).map(|(_, state)| *state)
    }

    /// Waits until a conversion has ended; the caller sets the limit.
    pub async fn settled(&self, id: CorrelationId) -> Option<TransferState> {
        let mut changes = self.changes.subscribe();
        loop {
            let state = self.state(id)?;
            if state != TransferState::Reserved || changes.changed().await.is_err() {
                return Some(state);
            }
        }
    }

    fn pending(&self) -> Vec<CorrelationId> {
        let core = self.core();
        let open = core.conversions.iter().filter(|(_, (_, state))| *state == TransferState::Reserved);
        open.map(|(id, _)| *id).collect()
    }

    /// Makes an offer, or repeats the one that was made to the same question.
    fn offer(&self, question: FxQuestion) -> Result<FxTerms, FspiopError> {
        let refused = |detail: &str| FspiopError::with_detail(ErrorCode::PAYEE_FSP_REJECTED_QUOTE, detail);
        let mut core = self.core();
        let now = now();
        core.offers.retain(|_, (_, terms, _)| terms.expiration > now);
        if let Some((asked, terms, _)) = core.offers.get(&question.conversion_id) {
            let is_same = *asked == question;
            return if is_same { Ok(terms.clone()) } else { Err(FspiopError::new(ErrorCode::MODIFIED_REQUEST)) };
        }
        if core.offers.len() >= OFFERS_MAX {
            return Err(FspiopError::new(ErrorCode::SERVER_BUSY));
        }
        let (source, target) = (question.source(), question.target());
        let market = self.config.markets.iter().find(|market| (market.source, market.target) == (source, target));
        let market = market.ok_or_else(|| FspiopError::new(ErrorCode::PAYEE_UNSUPPORTED_CURRENCY))?;
        let deal = market.deal(question.amount_type, question.amount.amount);
        let Deal { source: given, target: gives, fee } =
            deal.ok_or_else(|| refused("the amount cannot be converted"))?;
        let lifetime = i64::try_from(self.config.offer_lifetime.as_millis()).unwrap_or(i64::MAX);
        let charge = |amount| Some(Money { amount, currency: source });
        let terms = FxTerms {
            source: Money { amount: given, currency: source },
            target: Money { amount: gives, currency: target },
            charges: vec![FxCharge { kind: "Conversion fee".into(), source: charge(fee), target: None }],
            expiration: now.plus_millis(lifetime).min(question.expiration),
        };
        core.offers.insert(question.conversion_id, (question, terms.clone(), fee));
        Ok(terms)
    }

    /// Reserves a conversion; true if it was not reserved before.
    fn reserve(&self, conversion: &IncomingConversion) -> Result<bool, FspiopError> {
        let mut core = self.core();
        if let Some((known, state)) = core.conversions.get(&conversion.id) {
            let is_same = known.conversion() == *conversion && *state != TransferState::Aborted;
            return if is_same { Ok(false) } else { Err(FspiopError::new(ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION)) };
        }
        if core.temper == TreasuryTemper::Refusing || core.conversions.len() >= CONVERSIONS_MAX {
            return Err(FspiopError::new(ErrorCode::PAYEE_REJECTED_TRANSACTION));
        }
        let offer = core.offers.get(&conversion.id).filter(|(_, terms, _)| terms.expiration > now());
        let Some((_, _, fee)) = offer else { return Err(FspiopError::new(ErrorCode::QUOTE_EXPIRED)) };
        let reserved = Reserved {
            id: conversion.id,
            transfer: conversion.transfer_id,
            initiator: conversion.initiator.clone(),
            source: conversion.source.amount,
            source_currency: conversion.source.currency,
            target: conversion.target.amount,
            target_currency: conversion.target.currency,
            fee: *fee,
            expiration: conversion.expiration,
        };
        core.record(Event::ConversionReserved(Box::new(reserved))).map_err(|error| {
            tracing::error!(%error, "a conversion could not be recorded and is rejected");
            FspiopError::new(ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION)
        })?;
        Ok(true)
    }

    /// Ends a reserved conversion. Ending it again changes nothing; an unknown one is ignored.
    fn settle(&self, id: CorrelationId, decision: &Decision) -> Result<(), JournalError> {
        let mut core = self.core();
        let Some(state) = core.conversions.get(&id).map(|(_, state)| *state) else { return Ok(()) };
        let ending = match decision {
            Decision::Committed => TransferState::Committed,
            Decision::Aborted(_) => TransferState::Aborted,
        };
        if state != TransferState::Reserved {
            if state != ending {
                tracing::error!(%id, ?decision, "the scheme decided against what is settled; look into it");
            }
            return Ok(());
        }
        core.record(match decision {
            Decision::Committed => Event::ConversionCompleted { id, at: now() },
            Decision::Aborted(error) => Event::ConversionFailed { id, at: now(), reason: Reason::from(error) },
        })?;
        drop(core);
        self.changes.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Asks the hub about a conversion, again and again, until it has ended.
    async fn follow(&self, id: CorrelationId) {
        let mut delay = ASK_DELAY;
        while tokio::time::timeout(delay, self.settled(id)).await.is_err() {
            match self.connection.fx_status(id).await {
                // `news` has ended the conversion if the status decides it.
                Ok(_) => {}
                Err(CallError::Answered(error)) if error.code == ErrorCode::TRANSFER_ID_NOT_FOUND => {
                    self.give_up_unknown(id, error);
                }
                Err(error) => tracing::debug!(%id, %error, "the hub was asked about a conversion in vain"),
            }
            delay = (delay * 2).min(ASK_DELAY_MAX);
        }
    }

    fn give_up_unknown(&self, id: CorrelationId, unknown: FspiopError) {
        let expiration = self.core().conversions.get(&id).map(|(known, _)| known.expiration);
        if expiration.is_some_and(|expiration| now() > expiration.plus_millis(GIVE_UP_AFTER_EXPIRATION_MS))
            && let Err(error) = self.settle(id, &Decision::Aborted(unknown))
        {
            tracing::error!(%id, %error, "a conversion could not be ended; it is asked about again after a restart");
        }
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().expect("after a panic in the treasury nothing may be trusted")
    }
}

/// Waits for the hub's word about a reservation and asks if it does not come.
async fn watch(treasury: Arc<Treasury>, id: CorrelationId) {
    let Some(expiration) = treasury.core().conversions.get(&id).map(|(known, _)| known.expiration) else { return };
    let left = expiration.millis().saturating_sub(now().millis());
    let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
    let patience = left + treasury.config.connection.word_after_expiration;
    if tokio::time::timeout(patience, treasury.settled(id)).await.is_err() {
        treasury.follow(id).await;
    }
}

impl Core {
    fn new(journal: Journal, temper: TreasuryTemper) -> Self {
        let (offers, conversions) = (HashMap::new(), HashMap::new());
        Self { journal, temper, offers, conversions, positions: HashMap::new(), fees: HashMap::new() }
    }

    fn record(&mut self, event: Event) -> Result<(), JournalError> {
        self.journal.append(&event)?;
        self.apply(&event);
        Ok(())
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::TreasuryOpened { .. } => {}
            Event::ConversionReserved(reserved) => {
                self.conversions.insert(reserved.id, (Reserved::clone(reserved), TransferState::Reserved));
            }
            Event::ConversionCompleted { id, .. } => {
                let known = self.end(*id, TransferState::Committed);
                let fits = "positions of one example provider stay far below the limit of 64 bits";
                let source = self.positions.entry(known.source_currency).or_default();
                *source = source.checked_sub(known.source).expect(fits);
                let target = self.positions.entry(known.target_currency).or_default();
                *target = target.checked_add(known.target).expect(fits);
                let fees = self.fees.entry(known.source_currency).or_default();
                *fees = fees.checked_add(known.fee).expect(fits);
            }
            Event::ConversionFailed { id, .. } => drop(self.end(*id, TransferState::Aborted)),
        }
    }

    fn end(&mut self, id: CorrelationId, ending: TransferState) -> Reserved {
        let (reserved, state) = self.conversions.get_mut(&id).expect("a conversion is reserved before it ends");
        assert!(*state == TransferState::Reserved, "a conversion ends once");
        *state = ending;
        reserved.clone()
    }
}

impl Reserved {
    fn conversion(&self) -> IncomingConversion {
        IncomingConversion {
            id: self.id,
            transfer_id: self.transfer,
            initiator: self.initiator.clone(),
            source: Money { amount: self.source, currency: self.source_currency },
            target: Money { amount: self.target, currency: self.target_currency },
            expiration: self.expiration,
        }
    }
}

#[cfg(test)]
mod tests;
