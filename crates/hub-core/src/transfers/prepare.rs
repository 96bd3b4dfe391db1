//! `POST /transfers`: checks and hold (contract §4.3 to §4.5).

use super::{Hashes, Transfer, TransferKind, TransferState, subject};
use crate::{
    Dialect, Message, Notice, OnUs, Outcome, Rejection, State,
    fees::{Fee, Priced, TransactionFacts, fees_of},
};
use alloc::{boxed::Box, vec::Vec};
use ledger::{AccountId, AccountKind, LedgerError, Shortfall};
use vocabulary::{Amount, Condition, CorrelationId, Currency, Digest, FspId, Money, Timestamp};

/// A prepare whose form has been checked.
#[derive(Clone, Debug)]
pub struct Prepare {
    pub id: CorrelationId,
    /// The `FSPIOP-Source` header.
    pub source: FspId,
    pub payer: FspId,
    pub payee: FspId,
    /// The text itself, where the grammar of the wire allows an amount that the ledger cannot hold.
    pub amount: Result<Amount, Box<str>>,
    pub currency: Currency,
    pub condition: Condition,
    pub expiration: Timestamp,
    pub hash: Digest,
    pub dialect: Dialect,
    /// `extensionList` as JSON text.
    pub extensions: Option<Box<str>>,
    /// The transaction in the ILP packet, as JSON text; none where the packet could not be read.
    pub transaction: Option<Box<[u8]>>,
    /// What fee rules look at in it; none where there are no rules.
    pub facts: Option<Box<TransactionFacts>>,
}

/// The accounts that a prepare resolves: the payer's position and the account of its liquidity, the payee's position.
struct Accounts {
    payer: AccountId,
    settlement: AccountId,
    payee: AccountId,
}

/// Decides a prepare. The payer hears of a refusal; the payee gets the payer's own message.
pub fn prepare(state: &mut State, command: &Prepare) -> Outcome {
    let to_payer = |message| {
        let (to, about) = (command.payer.clone(), subject(command.id));
        Outcome::tell([Notice { to, about, dialect: command.dialect, message }])
    };
    let Some(payee_account) = route(state, command) else {
        let (payer, payee) = (command.payer.clone(), command.payee.clone());
        return to_payer(Message::Failure(Rejection::NoRoute { payer, payee }));
    };
    if let Some(known) = state.transfer(command.id) {
        return to_payer(if known.hashes.prepare == command.hash {
            Message::Status(Box::new(known.status()))
        } else {
            Message::Failure(Rejection::ModifiedRequest)
        });
    }
    match check(state, command, payee_account).and_then(|(accounts, amount)| hold(state, &accounts, amount)) {
        Ok(legs) => {
            let fees = fees(state, command);
            let transfer = Transfer { fees, ..stored(state, command, Ok(legs)) };
            let notice = transfer.tell_payee(Message::Relay);
            state.add_transfer(transfer);
            if let Some(transaction) = &command.transaction {
                state.keep_transaction(command.id, transaction.clone());
            }
            Outcome::tell([notice])
        }
        Err(rejection) => {
            let transfer = stored(state, command, Err(rejection.clone()));
            state.add_transfer(transfer);
            to_payer(Message::Failure(rejection))
        }
    }
}

/// Row 1: both sides are known here and the payee has an active position in the currency, or there is no route.
fn route(state: &State, command: &Prepare) -> Option<AccountId> {
    state.participant(&command.payer)?;
    let payee = state.account(&command.payee, command.currency, AccountKind::Position)?;
    payee.is_active.then_some(payee.id)
}

/// Rows 4 to 13, in their order; the first that fails is reported.
fn check(state: &State, command: &Prepare, payee: AccountId) -> Result<(Accounts, Amount), Rejection> {
    if command.source != command.payer {
        return Err(Rejection::SourceIsNotPayer);
    }
    let amount = command.amount.clone().map_err(Rejection::AmountTooLarge)?;
    for name in [&command.payer, &command.payee] {
        let participant = state.participant(name).ok_or_else(|| Rejection::ParticipantNotFound(name.clone()))?;
        if !participant.is_active {
            return Err(Rejection::ParticipantInactive(name.clone()));
        }
    }
    let flow = |name| state.participant(name).map(|known| known.flow).unwrap_or_default();
    if !flow(&command.payer).sends() {
        return Err(Rejection::PayerMayNotSend(command.payer.clone()));
    }
    if !flow(&command.payee).receives() {
        return Err(Rejection::PayeeMayNotReceive(command.payee.clone()));
    }
    if command.expiration < state.now {
        return Err(Rejection::AlreadyExpired(command.expiration));
    }
    if state.rules.on_us == OnUs::Refused && command.payer.same_as(command.payee.as_str()) {
        return Err(Rejection::PayerIsPayee);
    }
    let account = |kind| state.account(&command.payer, command.currency, kind);
    let missing = || Rejection::AccountNotFound(command.payer.clone(), command.currency);
    let payer = account(AccountKind::Position).ok_or_else(missing)?;
    if !payer.is_active {
        return Err(Rejection::AccountInactive(command.payer.clone(), command.currency));
    }
    let settlement = account(AccountKind::Settlement).ok_or_else(missing)?.id;
    Ok((Accounts { payer: payer.id, settlement, payee }, amount))
}

/// Row 14: liquidity cover, then net debit cap.
fn hold(state: &mut State, accounts: &Accounts, amount: Amount) -> Result<[AccountId; 2], Rejection> {
    match state.book.hold(accounts.payer, accounts.settlement, amount) {
        Ok(()) => Ok([accounts.payer, accounts.payee]),
        Err(LedgerError::Short(Shortfall::Liquidity)) => Err(Rejection::PayerShortOfLiquidity),
        Err(LedgerError::Short(Shortfall::Cap)) => Err(Rejection::PayerOverCap),
        Err(LedgerError::Overflow) => Err(Rejection::Overflow),
    }
}

/// What the two participants will owe each other for the transfer.
fn fees(state: &State, command: &Prepare) -> Vec<Fee> {
    let (Ok(amount), Some(facts)) = (&command.amount, &command.facts) else { return Vec::new() };
    let money = Money { amount: *amount, currency: command.currency };
    let payment = Priced { payer: &command.payer, payee: &command.payee, money, facts };
    fees_of(&state.fee_rules, &payment, state.now)
}

fn stored(state: &State, command: &Prepare, outcome: Result<[AccountId; 2], Rejection>) -> Transfer {
    let amount = command.amount.clone().unwrap_or(Amount::ZERO);
    Transfer {
        key: 0,
        id: command.id,
        kind: TransferKind::Payment,
        payer: command.payer.clone(),
        payee: command.payee.clone(),
        money: Money { amount, currency: command.currency },
        legs: outcome.as_ref().ok().copied(),
        condition: Some(command.condition),
        expiration: command.expiration,
        state: outcome.map_or_else(TransferState::Refused, |_| TransferState::Reserved),
        changed_at: state.now,
        window: None,
        hashes: Hashes { prepare: command.hash, fulfil: None, error: None },
        payer_dialect: command.dialect,
        payee_dialect: Dialect::default(),
        prepare_extensions: command.extensions.clone(),
        fulfil_extensions: None,
        fees: Vec::new(),
    }
}
