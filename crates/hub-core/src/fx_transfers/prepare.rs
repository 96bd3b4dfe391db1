//! `POST /fxTransfers`: checks and hold (contract, interscheme §3.3).

use super::subject;
use crate::{
    Dialect, Message, Notice, OnUs, Outcome, Rejection, State,
    transfers::{
        Hashes, Side, Stage, Terms, Transfer, TransferKind, TransferState, check_participants, hold_position, holders,
        position,
    },
};
use alloc::{boxed::Box, vec::Vec};
use ledger::AccountId;
use vocabulary::{Amount, Condition, CorrelationId, Currency, Digest, FspId, Money, Timestamp};

/// A conversion that is asked for, whose form has been checked.
#[derive(Clone, Debug)]
pub struct PrepareConversion {
    /// `commitRequestId`.
    pub id: CorrelationId,
    /// The `FSPIOP-Source` header.
    pub source: FspId,
    /// `initiatingFsp`.
    pub initiator: FspId,
    /// `counterPartyFsp`: the foreign exchange provider.
    pub provider: FspId,
    pub determining: Option<CorrelationId>,
    pub source_amount: AskedAmount,
    pub target_amount: AskedAmount,
    pub condition: Condition,
    pub expiration: Option<Timestamp>,
    pub hash: Digest,
    pub dialect: Dialect,
}

/// An amount of the wire; the text itself, where its grammar allows what the ledger cannot hold.
#[derive(Clone, Debug)]
pub struct AskedAmount {
    pub amount: Result<Amount, Box<str>>,
    pub currency: Currency,
}

/// What a prepare resolves, once.
struct Resolved {
    side: Side,
    /// What is held, and from which account to which it will move; none between two DFSPs of one proxy.
    held: Money,
    other: Money,
    legs: Option<[AccountId; 2]>,
    expiration: Timestamp,
}

/// Decides a prepare. The initiator hears of a refusal; the provider gets the initiator's own message.
pub fn prepare(state: &mut State, command: &PrepareConversion) -> Outcome {
    let via = state.proxy_of(&command.initiator);
    let to_initiator = |message| {
        let (to, about) = (command.initiator.clone(), subject(command.id));
        Outcome::tell([Notice { to, via: via.clone(), about, dialect: command.dialect, message }])
    };
    if [&command.initiator, &command.provider].into_iter().any(|name| state.holder(name).is_none()) {
        let (payer, payee) = (command.initiator.clone(), command.provider.clone());
        return to_initiator(Message::Failure(Rejection::NoRoute { payer, payee }));
    }
    if let Some(known) = state.conversion(command.id) {
        return to_initiator(if known.hashes.prepare == command.hash {
            Message::Status(Box::new(known.status()))
        } else {
            Message::Failure(Rejection::ModifiedRequest)
        });
    }
    match check(state, command).and_then(|resolved| hold(state, command, resolved)) {
        Ok(resolved) => {
            let conversion = stored(state, command, Ok(resolved));
            let notice = conversion.tell_payee(Message::Relay);
            state.add_transfer(conversion);
            Outcome::tell([notice])
        }
        Err(rejection) => {
            let conversion = stored(state, command, Err(rejection.clone()));
            state.add_transfer(conversion);
            to_initiator(Message::Failure(rejection))
        }
    }
}

/// Step 5, in its order; the first that fails is reported. What concerns an external DFSP is for its own scheme to check.
fn check(state: &State, command: &PrepareConversion) -> Result<Resolved, Rejection> {
    let [initiator, provider] = holders(state, [&command.initiator, &command.provider])?;
    if !initiator.is_proxy && command.source != command.initiator {
        return Err(Rejection::SourceIsNotPayer);
    }
    let (source, target) = (money(&command.source_amount)?, money(&command.target_amount)?);
    check_participants([initiator, provider])?;
    let expiration = command.expiration.ok_or(Rejection::NoExpiration)?;
    if expiration < state.now {
        return Err(Rejection::AlreadyExpired(expiration));
    }
    if state.rules.on_us == OnUs::Refused && command.initiator.same_as(command.provider.as_str()) {
        return Err(Rejection::PayerIsPayee);
    }
    let determining = command.determining.ok_or(Rejection::NoDeterminingTransfer)?;
    let side = side(state, command, determining, source)?;
    let is_same_proxy = initiator.is_proxy && provider.is_proxy && initiator.participant.id == provider.participant.id;
    let (initiator, provider_is_here) = (&initiator.participant.name, !provider.is_proxy);
    let provider = &provider.participant.name;
    let (held, other, [debtor, creditor]) = match side {
        Side::Payer => (source, target, [initiator, provider]),
        Side::Payee => (target, source, [provider, initiator]),
    };
    let legs = if is_same_proxy {
        None
    } else {
        Some([position(state, debtor, held.currency)?, position(state, creditor, held.currency)?])
    };
    if provider_is_here {
        position(state, provider, other.currency)?;
    }
    Ok(Resolved { side, held, other, legs, expiration })
}

/// The payee's side, where the determining transfer is already there: then the conversion starts from what it moves, is
/// asked for by its payee, and is decided in the same scheme.
fn side(
    state: &State,
    command: &PrepareConversion,
    determining: CorrelationId,
    source: Money,
) -> Result<Side, Rejection> {
    let Some(known) = state.transfer(determining) else { return Ok(Side::Payer) };
    let is_only_one = !state
        .conversions_of(determining)
        .any(|other| other.is_open() && other.terms().is_some_and(|terms| terms.side == Side::Payee));
    if known.kind != TransferKind::Payment || known.stage() != Stage::Reserved || !is_only_one {
        return Err(Rejection::NotConvertible);
    }
    if known.money != source || !known.payee.same_as(command.initiator.as_str()) {
        return Err(Rejection::ConversionDiffers);
    }
    Ok(Side::Payee)
}

fn money(asked: &AskedAmount) -> Result<Money, Rejection> {
    let amount = asked.amount.clone().map_err(Rejection::AmountTooLarge)?;
    Ok(Money { amount, currency: asked.currency })
}

/// Step 8. On the payee's side, what the determining transfer moves will go to the provider instead of the payee.
fn hold(state: &mut State, command: &PrepareConversion, resolved: Resolved) -> Result<Resolved, Rejection> {
    let redirected = match (resolved.side, command.determining) {
        (Side::Payee, Some(determining)) => Some((determining, redirected(state, command, determining)?)),
        (Side::Payee, None) | (Side::Payer, _) => None,
    };
    if let Some([debit, _]) = resolved.legs {
        hold_position(state, debit, resolved.held.amount)?;
    }
    if let Some((determining, legs)) = redirected {
        let about = crate::Subject { kind: crate::SubjectKind::Transfer, id: determining };
        state.change_transfer(about).legs = Some(legs);
    }
    Ok(resolved)
}

/// The accounts of the determining transfer, with the provider's in place of the payee's.
fn redirected(
    state: &State,
    command: &PrepareConversion,
    determining: CorrelationId,
) -> Result<[AccountId; 2], Rejection> {
    let known = state.transfer(determining).ok_or(Rejection::NotConvertible)?;
    let [debit, _] = known.legs.ok_or(Rejection::NotConvertible)?;
    let provider = state.holder(&command.provider).ok_or(Rejection::NotConvertible)?;
    let credit = position(state, &provider.participant.name, known.money.currency)?;
    Ok([debit, credit])
}

fn stored(state: &State, command: &PrepareConversion, outcome: Result<Resolved, Rejection>) -> Transfer {
    let (payer_proxy, payee_proxy) = (state.proxy_of(&command.initiator), state.proxy_of(&command.provider));
    let asked =
        |asked: &AskedAmount| Money { amount: asked.amount.clone().unwrap_or(Amount::ZERO), currency: asked.currency };
    let (resolved, transfer_state) = match outcome {
        Ok(resolved) if payee_proxy.is_some() => (resolved, TransferState::Forwarded),
        Ok(resolved) => (resolved, TransferState::Reserved),
        Err(rejection) => {
            let (held, other) = (asked(&command.source_amount), asked(&command.target_amount));
            let expiration = command.expiration.unwrap_or(state.now);
            let side = Side::Payer;
            (Resolved { side, held, other, legs: None, expiration }, TransferState::Refused(rejection))
        }
    };
    let terms = Terms { determining: command.determining, side: resolved.side, other: resolved.other };
    Transfer {
        key: 0,
        id: command.id,
        kind: TransferKind::Conversion(terms),
        payer: command.initiator.clone(),
        payee: command.provider.clone(),
        payer_proxy,
        payee_proxy,
        money: resolved.held,
        legs: resolved.legs,
        condition: Some(command.condition),
        expiration: resolved.expiration,
        state: transfer_state,
        changed_at: state.now,
        window: None,
        hashes: Hashes { prepare: command.hash, fulfil: None, error: None },
        payer_dialect: command.dialect,
        payee_dialect: command.dialect,
        prepare_extensions: None,
        fulfil_extensions: None,
        fees: Vec::new(),
    }
}
