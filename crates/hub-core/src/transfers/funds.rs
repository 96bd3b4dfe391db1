//! Liquidity that participants pay in and take out: `/participants/{name}/accounts/{id}` of the administration API
//! (contract, administration §1.13). What is refused here is visible in the transfer's state only, as in the reference.

use super::{Event, Hashes, Stage, Transfer, TransferKind, TransferState, linked, subject};
use crate::{Dialect, Outcome, Posting, Rejection, State};
use alloc::{boxed::Box, vec::Vec};
use ledger::{AccountId, AccountKind, EntryKind, LedgerError};
use vocabulary::{CorrelationId, Currency, Digest, FspId, Money, Timestamp};

/// An operator's funds movement whose form has been checked.
#[derive(Clone, Debug)]
pub enum RecordFunds {
    In(NewFunds),
    /// Holds the amount until it is committed or aborted.
    OutReserve(NewFunds),
    OutCommit(FinishFunds),
    OutAbort(FinishFunds),
}

/// A withdrawal that is to end.
#[derive(Clone, Debug)]
pub struct FinishFunds {
    pub id: CorrelationId,
    /// Whose withdrawal it is; that of another is left alone.
    pub participant: FspId,
    /// Why, and who says so, as an `extensionList` in JSON text.
    pub extensions: Option<Box<str>>,
}

/// A funds movement that is asked for.
#[derive(Clone, Debug)]
pub struct NewFunds {
    pub id: CorrelationId,
    pub participant: FspId,
    pub money: Money,
    pub hash: Digest,
    /// `extensionList` as JSON text, the external reference included.
    pub extensions: Option<Box<str>>,
}

impl RecordFunds {
    pub fn id(&self) -> CorrelationId {
        match self {
            Self::In(funds) | Self::OutReserve(funds) => funds.id,
            Self::OutCommit(finish) | Self::OutAbort(finish) => finish.id,
        }
    }

    pub fn may_create(&self) -> bool {
        match self {
            Self::In(_) | Self::OutReserve(_) => true,
            Self::OutCommit(_) | Self::OutAbort(_) => false,
        }
    }

    /// The participant whose liquidity moves, and the currency.
    pub fn participant_and_currency(&self, known: Option<&Transfer>) -> Option<(FspId, Currency)> {
        match self {
            Self::In(funds) | Self::OutReserve(funds) => Some((funds.participant.clone(), funds.money.currency)),
            Self::OutCommit(_) | Self::OutAbort(_) => known.map(|known| (known.payer.clone(), known.money.currency)),
        }
    }
}

/// Decides a funds movement. Repetitions, and what does not fit the state, change nothing.
pub fn record_funds(state: &mut State, command: &RecordFunds) -> Outcome {
    match command {
        RecordFunds::In(funds) => start(state, funds, TransferKind::FundsIn),
        RecordFunds::OutReserve(funds) => start(state, funds, TransferKind::FundsOut),
        RecordFunds::OutCommit(command) => finish(state, command, Event::Fulfilled),
        RecordFunds::OutAbort(command) => finish(state, command, Event::Rejected),
    }
    Outcome::silent()
}

fn start(state: &mut State, funds: &NewFunds, kind: TransferKind) {
    if state.transfer(funds.id).is_some() {
        return;
    }
    let currency = funds.money.currency;
    let hub = state.rules.hub_name.clone();
    let settlement = state.account(&funds.participant, currency, AccountKind::Settlement);
    let reconciliation = state.account(&hub, currency, AccountKind::HubReconciliation);
    let (Some(settlement), Some(reconciliation)) =
        (settlement.map(|known| known.id), reconciliation.map(|known| known.id))
    else {
        return;
    };
    let outcome = match kind {
        TransferKind::FundsIn => pay_in(state, funds, [reconciliation, settlement]),
        TransferKind::FundsOut | TransferKind::Payment | TransferKind::Conversion(_) => {
            let held = state.book.hold_withdrawal(settlement, funds.money.amount);
            held.map(|()| ([settlement, reconciliation], TransferState::Reserved)).map_err(rejection_of)
        }
    };
    let (legs, transfer_state) = match outcome {
        Ok((legs, transfer_state)) => (Some(legs), transfer_state),
        Err(rejection) => (None, TransferState::Refused(rejection)),
    };
    let (payer, payee) = match kind {
        TransferKind::FundsIn => (hub, funds.participant.clone()),
        TransferKind::FundsOut | TransferKind::Payment | TransferKind::Conversion(_) => {
            (funds.participant.clone(), hub)
        }
    };
    state.add_transfer(Transfer {
        key: 0,
        id: funds.id,
        kind,
        payer,
        payee,
        payer_proxy: None,
        payee_proxy: None,
        money: funds.money,
        legs,
        condition: None,
        expiration: Timestamp::from_millis(i64::MAX),
        state: transfer_state,
        changed_at: state.now,
        window: None,
        hashes: Hashes { prepare: funds.hash, fulfil: None, error: None },
        payer_dialect: Dialect::default(),
        payee_dialect: Dialect::default(),
        prepare_extensions: funds.extensions.clone(),
        fulfil_extensions: None,
        fees: Vec::new(),
    });
}

fn pay_in(
    state: &mut State,
    funds: &NewFunds,
    legs: [AccountId; 2],
) -> Result<([AccountId; 2], TransferState), Rejection> {
    let entry = state.book.post(EntryKind::FundsIn, legs, funds.money.amount).map_err(rejection_of)?;
    state.record(Posting { entry, transfer: subject(funds.id), window: None });
    Ok((legs, TransferState::Committed { fulfilment: None }))
}

fn finish(state: &mut State, command: &FinishFunds, event: Event) {
    let id = command.id;
    let is_open = state.transfer(id).is_some_and(|known| {
        let is_its_own = known.payer.same_as(command.participant.as_str());
        known.kind == TransferKind::FundsOut && known.stage() == Stage::Reserved && is_its_own
    });
    if !is_open {
        return;
    }
    state.change_transfer(subject(id)).fulfil_extensions.clone_from(&command.extensions);
    if event == Event::Rejected {
        let by_operator = Rejection::ByPayee { code: 2001, description: "Withdrawal aborted by the operator".into() };
        return linked::abort(state, subject(id), event, by_operator);
    }
    let known = state.transfer(id).expect("it was found above");
    let (legs, amount) = (known.legs.expect("a reserved transfer has its accounts"), known.money.amount);
    let Ok(entry) = state.book.post_held(EntryKind::FundsOut, legs, amount) else { return };
    state.record(Posting { entry, transfer: subject(id), window: None });
    let now = state.now;
    state.change_transfer(subject(id)).enter(event, TransferState::Committed { fulfilment: None }, now);
}

fn rejection_of(error: LedgerError) -> Rejection {
    match error {
        LedgerError::Short(_) => Rejection::PayerShortOfLiquidity,
        LedgerError::Overflow => Rejection::Overflow,
    }
}
