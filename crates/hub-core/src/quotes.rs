//! Quotes and fxQuotes: relayed, with participant checks and duplicate detection (contract §3.2 to §3.4, interscheme §1.6,
//! §3.2). What concerns a DFSP behind a proxy is for its own scheme to check.

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
    pub kind: QuoteKind,
    pub id: CorrelationId,
    /// Absent for a quote whose answer came without its request.
    pub request: Option<Digest>,
    pub response: Option<Digest>,
    pub error: Option<Digest>,
}

/// What a quote is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QuoteKind {
    Transfer,
    /// An fxQuote.
    Conversion,
}

/// `POST /quotes` or `/fxQuotes` whose form has been checked.
#[derive(Clone, Debug)]
pub struct SubmitQuote {
    pub id: CorrelationId,
    pub source: FspId,
    pub destination: FspId,
    pub terms: QuoteTerms,
    pub hash: Digest,
    pub dialect: Dialect,
}

/// What of a quote the hub looks at.
#[derive(Clone, Debug)]
pub enum QuoteTerms {
    Transfer {
        currency: Currency,
        /// `payer.supportedCurrencies`; if there are any, the payer is checked instead of the payee.
        payer_currencies: Vec<Currency>,
        /// `fspId` of payer and payee in the body, where given.
        stated_payer: Option<FspId>,
        stated_payee: Option<FspId>,
    },
    /// The currency that is converted, and the one that it is converted into.
    Conversion([Currency; 2]),
}

/// `PUT /quotes/{ID}` or `/fxQuotes/{ID}` or its error, whose form has been checked.
#[derive(Clone, Debug)]
pub struct AnswerQuote {
    pub id: CorrelationId,
    pub of: QuoteKind,
    pub source: FspId,
    pub destination: FspId,
    pub kind: AnswerKind,
    pub hash: Digest,
    pub dialect: Dialect,
}

/// Which resource the answer came by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnswerKind {
    /// With the currency that the payee receives or that is transferred; none for an fxQuote.
    Response(Option<Currency>),
    Error,
}

impl QuoteKind {
    pub const fn subject_kind(self) -> SubjectKind {
        match self {
            Self::Transfer => SubjectKind::Quote,
            Self::Conversion => SubjectKind::ConversionQuote,
        }
    }
}

impl Quote {
    pub fn subject(&self) -> Subject {
        Subject { kind: self.kind.subject_kind(), id: self.id }
    }
}

impl SubmitQuote {
    pub fn kind(&self) -> QuoteKind {
        match self.terms {
            QuoteTerms::Transfer { .. } => QuoteKind::Transfer,
            QuoteTerms::Conversion(_) => QuoteKind::Conversion,
        }
    }

    pub fn subject(&self) -> Subject {
        Subject { kind: self.kind().subject_kind(), id: self.id }
    }

    pub(crate) fn standings(&self) -> Vec<(Standing, Access)> {
        self.checks().into_iter().map(|check| (check.standing, Access::Look)).collect()
    }

    /// What has to be an active participant with an active position, in the order in which it is reported.
    fn checks(&self) -> Vec<Check> {
        let (payer, payee) = (Check::payer, Check::payee);
        match &self.terms {
            QuoteTerms::Transfer { currency, payer_currencies, stated_payer, stated_payee } => {
                let mut checks: Vec<Check> = if payer_currencies.is_empty() {
                    Vec::from([payee(&self.destination, *currency)])
                } else {
                    payer_currencies.iter().map(|currency| payer(&self.source, *currency)).collect()
                };
                let stated_payer = stated_payer.iter().filter(|name| **name != self.source);
                let stated_payee = stated_payee.iter().filter(|name| **name != self.destination);
                checks.extend(stated_payer.map(|name| payer(name, *currency)));
                checks.extend(stated_payee.map(|name| payee(name, *currency)));
                checks
            }
            QuoteTerms::Conversion(currencies) => {
                currencies.iter().map(|currency| Check::provider(&self.destination, *currency)).collect()
            }
        }
    }
}

impl AnswerQuote {
    pub fn subject(&self) -> Subject {
        Subject { kind: self.of.subject_kind(), id: self.id }
    }

    pub(crate) fn standings(&self) -> Vec<(Standing, Access)> {
        match self.kind {
            AnswerKind::Response(Some(currency)) => {
                Vec::from([(Standing { participant: self.source.clone(), currency }, Access::Look)])
            }
            AnswerKind::Response(None) | AnswerKind::Error => Vec::new(),
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

    fn provider(name: &FspId, currency: Currency) -> Self {
        let standing = Standing { participant: name.clone(), currency };
        Self { standing, role: |_| true, rejection: Rejection::UnsupportedProvider }
    }

    fn run(self, state: &State) -> Result<(), Rejection> {
        let Standing { participant, currency } = self.standing;
        if state.holder(&participant).is_some_and(|holder| holder.is_proxy) {
            return Ok(());
        }
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
    let subject = command.subject();
    let tell = |to: &FspId, message| notice(subject, to, command.dialect, message);
    if let Err(rejection) = command.checks().into_iter().try_for_each(|check| check.run(state)) {
        return tell(&command.source, Message::Failure(rejection));
    }
    match state.quote(subject).map(|known| known.request) {
        Some(Some(earlier)) if earlier != command.hash => {
            return tell(&command.source, Message::Failure(Rejection::ModifiedRequest));
        }
        Some(Some(_)) => {}
        Some(None) => state.change_quote(subject).request = Some(command.hash),
        None => state.add_quote(Quote {
            key: 0,
            kind: command.kind(),
            id: command.id,
            request: Some(command.hash),
            response: None,
            error: None,
        }),
    }
    tell(&command.destination, Message::Relay)
}

/// Decides an answer to a quote. The hub asks neither whether the quote is known nor whether it has expired: terms are
/// between the two DFSPs.
pub fn answer(state: &mut State, command: &AnswerQuote) -> Outcome {
    let subject = command.subject();
    let tell = |to: &FspId, message| notice(subject, to, command.dialect, message);
    if let AnswerKind::Response(Some(currency)) = command.kind
        && let Err(rejection) = Check::payee(&command.source, currency).run(state)
    {
        return tell(&command.source, Message::Failure(rejection));
    }
    if state.quote(subject).is_none() {
        let (kind, id) = (command.of, command.id);
        state.add_quote(Quote { key: 0, kind, id, request: None, response: None, error: None });
    }
    let known = state.quote(subject).expect("it was found or added");
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
            let known = state.change_quote(subject);
            match command.kind {
                AnswerKind::Response(_) => known.response = Some(command.hash),
                AnswerKind::Error => known.error = Some(command.hash),
            }
        }
    }
    tell(&command.destination, Message::Relay)
}

/// The way to an external DFSP is that of the message itself; whoever renders the notice knows it.
fn notice(about: Subject, to: &FspId, dialect: Dialect, message: Message) -> Outcome {
    Outcome::tell([Notice { to: to.clone(), via: None, about, dialect, message }])
}
