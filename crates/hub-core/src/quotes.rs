//! Quotes: relayed, with participant checks and duplicate detection (contract §3.2 to §3.4).

use crate::{
    Access, Dialect, Flow, Message, Notice, Outcome, Participant, Rejection, Standing, State, Subject, SubjectKind,
};
use alloc::vec::Vec;
use ledger::AccountKind;
use vocabulary::{CorrelationId, Currency, Digest, FspId};

/// What is kept of a quote: the hashes of its messages, from their first sight.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quote {
    /// The store's own key; zero until it is stored.
    pub key: i64,
    pub id: CorrelationId,
    /// Absent for a quote whose answer came without its request.
    pub request: Option<Digest>,
    pub response: Option<Digest>,
    pub error: Option<Digest>,
}

/// `POST /quotes` whose form has been checked.
#[derive(Clone, Debug)]
pub struct SubmitQuote {
    pub id: CorrelationId,
    pub source: FspId,
    pub destination: FspId,
    pub currency: Currency,
    /// `payer.supportedCurrencies`; if there are any, the payer is checked instead of the payee.
    pub payer_currencies: Vec<Currency>,
    /// `fspId` of payer and payee in the body, where given.
    pub stated_payer: Option<FspId>,
    pub stated_payee: Option<FspId>,
    pub hash: Digest,
    pub dialect: Dialect,
}

/// `PUT /quotes/{ID}` or its error, whose form has been checked.
#[derive(Clone, Debug)]
pub struct AnswerQuote {
    pub id: CorrelationId,
    pub source: FspId,
    pub destination: FspId,
    pub kind: AnswerKind,
    pub hash: Digest,
    pub dialect: Dialect,
}

/// Which resource the answer came by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnswerKind {
    /// With the currency that the payee receives or that is transferred.
    Response(Currency),
    Error,
}

impl SubmitQuote {
    pub(crate) fn standings(&self) -> Vec<(Standing, Access)> {
        self.checks().map(|check| (check.standing, Access::Look)).collect()
    }

    /// What has to be an active participant with an active position, in the order in which it is reported.
    fn checks(&self) -> impl Iterator<Item = Check> {
        let (payer, payee) = (Check::payer, Check::payee);
        let first: Vec<Check> = if self.payer_currencies.is_empty() {
            Vec::from([payee(&self.destination, self.currency)])
        } else {
            self.payer_currencies.iter().map(|currency| payer(&self.source, *currency)).collect()
        };
        let stated_payer = self.stated_payer.iter().filter(|name| **name != self.source);
        let stated_payee = self.stated_payee.iter().filter(|name| **name != self.destination);
        let stated: Vec<Check> = stated_payer
            .map(|name| payer(name, self.currency))
            .chain(stated_payee.map(|name| payee(name, self.currency)))
            .collect();
        first.into_iter().chain(stated)
    }
}

impl AnswerQuote {
    pub(crate) fn standings(&self) -> Vec<(Standing, Access)> {
        match self.kind {
            AnswerKind::Response(currency) => {
                Vec::from([(Standing { participant: self.source.clone(), currency }, Access::Look)])
            }
            AnswerKind::Error => Vec::new(),
        }
    }
}

struct Check {
    standing: Standing,
    role: fn(Flow) -> bool,
    rejection: fn(FspId) -> Rejection,
}

impl Check {
    fn payer(name: &FspId, currency: Currency) -> Self {
        let standing = Standing { participant: name.clone(), currency };
        Self { standing, role: Flow::sends, rejection: Rejection::UnsupportedPayer }
    }

    fn payee(name: &FspId, currency: Currency) -> Self {
        let standing = Standing { participant: name.clone(), currency };
        Self { standing, role: Flow::receives, rejection: Rejection::UnsupportedPayee }
    }

    fn run(self, state: &State) -> Result<(), Rejection> {
        let Standing { participant, currency } = self.standing;
        let takes_part = |known: &Participant| known.is_active && (self.role)(known.flow);
        let is_active = state.participant(&participant).is_some_and(takes_part);
        let account = state.account(&participant, currency, AccountKind::Position);
        if is_active && account.is_some_and(|account| account.is_active) {
            Ok(())
        } else {
            Err((self.rejection)(participant))
        }
    }
}

/// Decides a quote request: it is relayed to the destination, again if it is repeated, never if it was changed.
pub fn submit(state: &mut State, command: &SubmitQuote) -> Outcome {
    let tell = |to: &FspId, message| notice(command.id, to, command.dialect, message);
    if let Err(rejection) = command.checks().try_for_each(|check| check.run(state)) {
        return tell(&command.source, Message::Failure(rejection));
    }
    match state.quote(command.id).map(|known| known.request) {
        Some(Some(earlier)) if earlier != command.hash => {
            return tell(&command.source, Message::Failure(Rejection::ModifiedRequest));
        }
        Some(Some(_)) => {}
        Some(None) => state.change_quote(command.id).request = Some(command.hash),
        None => {
            state.add_quote(Quote { key: 0, id: command.id, request: Some(command.hash), response: None, error: None })
        }
    }
    tell(&command.destination, Message::Relay)
}

/// Decides an answer to a quote. The hub asks neither whether the quote is known nor whether it has expired: terms are
/// between the two DFSPs.
pub fn answer(state: &mut State, command: &AnswerQuote) -> Outcome {
    let tell = |to: &FspId, message| notice(command.id, to, command.dialect, message);
    if let AnswerKind::Response(currency) = command.kind
        && let Err(rejection) = Check::payee(&command.source, currency).run(state)
    {
        return tell(&command.source, Message::Failure(rejection));
    }
    if state.quote(command.id).is_none() {
        state.add_quote(Quote { key: 0, id: command.id, request: None, response: None, error: None });
    }
    let known = state.quote(command.id).expect("it was found or added");
    let earlier = match command.kind {
        AnswerKind::Response(_) => known.response,
        AnswerKind::Error => known.error,
    };
    match earlier {
        Some(earlier) if earlier != command.hash => {
            return tell(&command.source, Message::Failure(Rejection::ModifiedRequest));
        }
        Some(_) => {}
        None => {
            let known = state.change_quote(command.id);
            match command.kind {
                AnswerKind::Response(_) => known.response = Some(command.hash),
                AnswerKind::Error => known.error = Some(command.hash),
            }
        }
    }
    tell(&command.destination, Message::Relay)
}

fn notice(id: CorrelationId, to: &FspId, dialect: Dialect, message: Message) -> Outcome {
    let about = Subject { kind: SubjectKind::Quote, id };
    Outcome::tell([Notice { to: to.clone(), about, dialect, message }])
}
