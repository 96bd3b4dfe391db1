//! `POST /transfers`: checks and hold (contract §4.3 to §4.5).

use super::{Event, Hashes, Side, Stage, Transfer, TransferKind, TransferState, linked, subject};
use crate::{
    Dialect, Holder, Message, Notice, OnUs, Outcome, Rejection, State,
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

/// What a prepare resolves, once: who stands for both sides, and the accounts of the entry.
struct Resolved {
    payer_proxy: Option<FspId>,
    payee_proxy: Option<FspId>,
    legs: Option<[AccountId; 2]>,
}

/// Decides a prepare. The payer hears of a refusal; the payee gets the payer's own message.
pub fn prepare(state: &mut State, command: &Prepare) -> Outcome {
    let via = state.proxy_of(&command.payer);
    let to_payer = |message| {
        let (to, about) = (command.payer.clone(), subject(command.id));
        Outcome::tell([Notice { to, via: via.clone(), about, dialect: command.dialect, message }])
    };
    let has_route = has_route(state, command);
    let no_route = || Rejection::NoRoute { payer: command.payer.clone(), payee: command.payee.clone() };
    let is_converted = state.conversions_of(command.id).next().is_some();
    if !has_route && !is_converted {
        return to_payer(Message::Failure(no_route()));
    }
    if let Some(known) = state.transfer(command.id) {
        return to_payer(if known.hashes.prepare == command.hash {
            Message::Status(Box::new(known.status()))
        } else {
            Message::Failure(Rejection::ModifiedRequest)
        });
    }
    let checked = if has_route { check(state, command) } else { Err(no_route()) };
    match checked.and_then(|(resolved, amount)| hold(state, resolved, amount)) {
        Ok(resolved) => {
            let transfer = Transfer { fees: fees(state, command), ..stored(state, command, Ok(resolved)) };
            let notice = transfer.tell_payee(Message::Relay);
            state.add_transfer(transfer);
            if let Some(transaction) = &command.transaction {
                state.keep_transaction(command.id, transaction.clone());
            }
            Outcome::tell([notice])
        }
        Err(rejection) => {
            let mut outcome = to_payer(Message::Failure(rejection.clone()));
            if takes_id(state, command, &rejection) {
                let transfer = stored(state, command, Err(rejection.clone()));
                state.add_transfer(transfer);
                // What was converted for it can never be paid.
                let ended = (Event::Invalidated, &rejection);
                outcome.notices.extend(linked::abort_conversions(state, command.id, ended));
            }
            outcome
        }
    }
}

/// Whether a refused prepare is remembered, and with its id the payment ended. Where something was converted for the payment
/// only its own payer can do that, and not by being too early.
fn takes_id(state: &State, command: &Prepare, rejection: &Rejection) -> bool {
    let mut conversions = state.conversions_of(command.id).peekable();
    if conversions.peek().is_none() {
        return true;
    }
    let is_early = *rejection == Rejection::ConversionNotAgreed;
    let is_external = state.holder(&command.payer).is_some_and(|holder| holder.is_proxy);
    let is_by_payer = is_external || command.source == command.payer;
    is_by_payer && !is_early && conversions.all(|conversion| conversion.payer.same_as(command.payer.as_str()))
}

/// Row 1: both sides are known here or behind a proxy, and a payee that is known here has an active position in the
/// currency.
fn has_route(state: &State, command: &Prepare) -> bool {
    let Some(payee) = state.holder(&command.payee) else { return false };
    let position = state.account(&command.payee, command.currency, AccountKind::Position);
    state.holder(&command.payer).is_some() && (payee.is_proxy || position.is_some_and(|account| account.is_active))
}

/// Rows 4 to 13, in their order; the first that fails is reported. What concerns an external DFSP is for its own scheme
/// to check.
fn check(state: &State, command: &Prepare) -> Result<(Resolved, Amount), Rejection> {
    let [payer, payee] = holders(state, [&command.payer, &command.payee])?;
    if !payer.is_proxy && command.source != command.payer {
        return Err(Rejection::SourceIsNotPayer);
    }
    let amount = command.amount.clone().map_err(Rejection::AmountTooLarge)?;
    check_participants([payer, payee])?;
    if command.expiration < state.now {
        return Err(Rejection::AlreadyExpired(command.expiration));
    }
    if state.rules.on_us == OnUs::Refused && command.payer.same_as(command.payee.as_str()) {
        return Err(Rejection::PayerIsPayee);
    }
    let debtor = match agreed_conversion(state, command, amount)? {
        Some(conversion) => {
            state.holder(conversion.payee_holder()).map(|known| (known, conversion.payee_proxy.is_some()))
        }
        None => Some((payer, payer.is_proxy)),
    };
    let (debtor, is_external) = debtor.ok_or_else(|| Rejection::ParticipantNotFound(command.payer.clone()))?;
    let is_same_proxy = is_external && payee.is_proxy && debtor.participant.id == payee.participant.id;
    #[cfg(feature = "planted-bugs")]
    let is_same_proxy = is_same_proxy && !crate::planted::has(crate::planted::Bug::PostWithinOneProxy);
    let position = |of: Holder<'_>| position(state, &of.participant.name, command.currency);
    let legs = if is_same_proxy { None } else { Some([position(debtor)?, position(payee)?]) };
    let proxy = |of: Holder<'_>| of.is_proxy.then(|| of.participant.name.clone());
    Ok((Resolved { payer_proxy: proxy(payer), payee_proxy: proxy(payee), legs }, amount))
}

/// Who has the accounts of the two sides.
pub(crate) fn holders<'a>(state: &'a State, names: [&FspId; 2]) -> Result<[Holder<'a>; 2], Rejection> {
    let holder = |name: &FspId| state.holder(name).ok_or_else(|| Rejection::ParticipantNotFound(name.clone()));
    Ok([holder(names[0])?, holder(names[1])?])
}

/// Both holders are active and take transfers in their role.
pub(crate) fn check_participants(holders: [Holder<'_>; 2]) -> Result<(), Rejection> {
    let [payer, payee] = holders.map(|holder| holder.participant);
    if let Some(inactive) = [payer, payee].into_iter().find(|known| !known.is_active) {
        return Err(Rejection::ParticipantInactive(inactive.name.clone()));
    }
    if !payer.flow.sends() {
        return Err(Rejection::PayerMayNotSend(payer.name.clone()));
    }
    if !payee.flow.receives() {
        return Err(Rejection::PayeeMayNotReceive(payee.name.clone()));
    }
    Ok(())
}

/// The active position of a participant.
pub(crate) fn position(state: &State, name: &FspId, currency: Currency) -> Result<AccountId, Rejection> {
    let account = state.account(name, currency, AccountKind::Position);
    let account = account.ok_or_else(|| Rejection::AccountNotFound(name.clone(), currency))?;
    if account.is_active { Ok(account.id) } else { Err(Rejection::AccountInactive(name.clone(), currency)) }
}

/// The conversion on the payer's side that pays for the transfer, the first where there are several: all of them have been
/// agreed to, and each yields what the transfer moves (contract, interscheme §3.5).
fn agreed_conversion<'a>(
    state: &'a State,
    command: &Prepare,
    amount: Amount,
) -> Result<Option<&'a Transfer>, Rejection> {
    let mut found = None;
    for conversion in state.conversions_of(command.id) {
        if conversion.stage() != Stage::Agreed {
            return Err(Rejection::ConversionNotAgreed);
        }
        let money = Money { amount, currency: command.currency };
        let yields = conversion.terms().is_some_and(|terms| terms.side == Side::Payer && terms.other == money);
        if yields && conversion.payer.same_as(command.payer.as_str()) {
            found = found.or(Some(conversion));
        } else {
            return Err(Rejection::ConversionDiffers);
        }
    }
    Ok(found)
}

/// Row 14: liquidity cover, then net debit cap.
fn hold(state: &mut State, resolved: Resolved, amount: Amount) -> Result<Resolved, Rejection> {
    if let Some([debit, _]) = resolved.legs {
        hold_position(state, debit, amount)?;
    }
    Ok(resolved)
}

/// Holds an amount on a position, if its owner's liquidity and cap allow it.
pub(crate) fn hold_position(state: &mut State, position: AccountId, amount: Amount) -> Result<(), Rejection> {
    let missing = || {
        let account = state.book.get(position).expect("the position was just found");
        let owner = state.name_of(account.owner).expect("an account is loaded with its owner");
        Rejection::AccountNotFound(owner.clone(), account.currency)
    };
    let settlement = state.sibling(position, AccountKind::Settlement).ok_or_else(missing)?;
    match state.book.hold(position, settlement, amount) {
        Ok(()) => Ok(()),
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

fn stored(state: &State, command: &Prepare, outcome: Result<Resolved, Rejection>) -> Transfer {
    let amount = command.amount.clone().unwrap_or(Amount::ZERO);
    let (resolved, transfer_state) = match outcome {
        #[cfg(feature = "planted-bugs")]
        Ok(resolved) if crate::planted::has(crate::planted::Bug::ExpireForwarded) => {
            (resolved, TransferState::Reserved)
        }
        Ok(resolved) if resolved.payee_proxy.is_some() => (resolved, TransferState::Forwarded),
        Ok(resolved) => (resolved, TransferState::Reserved),
        Err(rejection) => {
            let (payer_proxy, payee_proxy) = (state.proxy_of(&command.payer), state.proxy_of(&command.payee));
            (Resolved { payer_proxy, payee_proxy, legs: None }, TransferState::Refused(rejection))
        }
    };
    Transfer {
        key: 0,
        id: command.id,
        kind: TransferKind::Payment,
        payer: command.payer.clone(),
        payee: command.payee.clone(),
        payer_proxy: resolved.payer_proxy,
        payee_proxy: resolved.payee_proxy,
        money: Money { amount, currency: command.currency },
        legs: resolved.legs,
        condition: Some(command.condition),
        expiration: command.expiration,
        state: transfer_state,
        changed_at: state.now,
        window: None,
        hashes: Hashes { prepare: command.hash, fulfil: None, error: None },
        payer_dialect: command.dialect,
        // Until it says something, it is spoken to as in the message that it was given.
        payee_dialect: command.dialect,
        prepare_extensions: command.extensions.clone(),
        fulfil_extensions: None,
        fees: Vec::new(),
    }
}
