//! The DFSP's line to its hub: sends messages and waits for the callbacks that answer them.
//!
//! Invariant: every wait ends, at its deadline at the latest, and says what is known then. A message is repeated only
//! byte for byte.

use crate::call_error::CallError;
use crate::fx::{FxNews, FxOffer};
use crate::http_client::{HttpAnswer, HttpClient};
use crate::message::Message;
use crate::news::News;
use crate::payer::Quote;
use crate::requests::RequestNews;
use crate::waiting::{Waiter, Waiting};
use crate::{Config, Party};
use fspiop::{ErrorCode, FspiopError, PartyPath, ilp};
use http::{StatusCode, header::AUTHORIZATION};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use vocabulary::{CorrelationId, Currency, FspId};

/// Between the tries of one message, times four after each.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// Cloning shares the line. Its calls are in `payer`, its listener is [`crate::serve`].
#[derive(Clone)]
pub struct Connection(pub(crate) Arc<Line>);

pub(crate) struct Line {
    pub config: Config,
    pub secret: ilp::Secret,
    pub waiting: Waiting<Key, Callback>,
    /// Requests of others in work.
    pub working: Arc<Semaphore>,
    http: HttpClient,
}

/// What a callback answers.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Party(PartyPath),
    Participant(PartyPath),
    Quote(CorrelationId),
    Transfer(CorrelationId),
    FxProviders(Option<[Currency; 2]>),
    FxQuote(CorrelationId),
    FxTransfer(CorrelationId),
    Request(CorrelationId),
}

#[derive(Clone)]
pub(crate) enum Callback {
    Party(Party),
    /// The FSP that the directory names, or none if it only confirms.
    Participant(Option<FspId>),
    Quote(Quote),
    Transfer(News),
    FxProviders(Vec<FspId>),
    FxQuote(Box<FxOffer>),
    FxTransfer(FxNews),
    Request(RequestNews),
    Error(FspiopError),
}

impl Callback {
    pub fn party(self) -> Option<Party> {
        if let Self::Party(party) = self { Some(party) } else { None }
    }

    pub fn participant(self) -> Option<Option<FspId>> {
        if let Self::Participant(fsp) = self { Some(fsp) } else { None }
    }

    pub fn quote(self) -> Option<Quote> {
        if let Self::Quote(quote) = self { Some(quote) } else { None }
    }

    pub fn transfer(self) -> Option<News> {
        if let Self::Transfer(news) = self { Some(news) } else { None }
    }

    pub fn fx_providers(self) -> Option<Vec<FspId>> {
        if let Self::FxProviders(providers) = self { Some(providers) } else { None }
    }

    pub fn fx_quote(self) -> Option<FxOffer> {
        if let Self::FxQuote(offer) = self { Some(*offer) } else { None }
    }

    pub fn request(self) -> Option<RequestNews> {
        if let Self::Request(news) = self { Some(news) } else { None }
    }

    pub fn fx_transfer(self) -> Option<FxNews> {
        if let Self::FxTransfer(news) = self { Some(news) } else { None }
    }
}

impl Connection {
    /// No I/O happens here; connections are opened when they are needed.
    pub fn new(config: Config) -> Self {
        let secret = ilp::Secret::new(config.ilp_secret.clone());
        let waiting = Waiting::new(config.waiting_max);
        let working = Arc::new(Semaphore::new(config.working_max));
        let http = config.links.client();
        Self(Arc::new(Line { config, secret, waiting, working, http }))
    }

    /// The DFSP's name in the scheme.
    pub fn name(&self) -> &FspId {
        &self.0.config.name
    }

    pub(crate) fn register(&self, key: Key) -> Result<Waiter<Key, Callback>, CallError> {
        self.0.waiting.register(key).map_err(|_| CallError::Busy)
    }

    /// Sends a message until the hub has taken or refused it, or the tries are used up. This is the way of every message
    /// to the hub, of this crate's own calls as well; it is signed here if this DFSP signs.
    pub async fn deliver(&self, message: &Message) -> Result<(), CallError> {
        match &self.0.config.signatures.key {
            Some(key) if message.can_be_signed() => {
                let (message, key, name) = (message.clone(), key.clone(), self.name().clone());
                // An RSA signature takes a millisecond, in which this thread serves others.
                let signed = tokio::task::spawn_blocking(move || message.signed(&key, &name)).await;
                let signed = signed.map_err(|error| error.to_string()).and_then(|signed| signed);
                let signed = signed.map_err(|error| CallError::Unreachable(format!("not signed: {error}")))?;
                self.send_until_taken(&signed).await
            }
            Some(_) | None => self.send_until_taken(message).await,
        }
    }

    async fn send_until_taken(&self, message: &Message) -> Result<(), CallError> {
        let mut delay = RETRY_DELAY;
        let mut may_have_arrived = false;
        for attempt in 1.. {
            let error = match self.attempt(message).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let is_final = error.scheme_error().is_some() || attempt >= self.0.config.attempts_max;
            tracing::debug!(message = message.title(), attempt, is_final, %error, "a message was not taken");
            may_have_arrived |= !error.is_certain();
            if is_final {
                return Err(if may_have_arrived { error.uncertain() } else { error });
            }
            tokio::time::sleep(delay).await;
            delay *= 4;
        }
        unreachable!("the loop ends with the last attempt")
    }

    async fn attempt(&self, message: &Message) -> Result<(), CallError> {
        let answer = self.exchange(message).await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let can_change = status.is_server_error()
            || status == StatusCode::REQUEST_TIMEOUT
            || status == StatusCode::TOO_MANY_REQUESTS;
        if can_change {
            return Err(CallError::Uncertain(format!("the hub answered {status}")));
        }
        let adopted = FspiopError::from_json(answer.body());
        if status == StatusCode::UNAUTHORIZED {
            return Err(CallError::Refused(unauthorized(adopted.as_ref())));
        }
        let unexplained =
            || FspiopError::with_detail(ErrorCode::CLIENT_ERROR, format_args!("the hub answered {status}"));
        Err(CallError::Refused(adopted.unwrap_or_else(unexplained)))
    }

    /// Shows an access token if there is one, and another one where that is refused.
    async fn exchange(&self, message: &Message) -> Result<HttpAnswer, CallError> {
        let config = &self.0.config;
        let mut token = config.tokens.authorization().await;
        for tries in 0.. {
            let request = message.request(&config.hub, &config.name);
            let mut request = request.map_err(|error| CallError::Unreachable(format!("no valid request: {error}")))?;
            request.headers_mut().extend(token.clone().map(|token| (AUTHORIZATION, token)));
            let answer = self.0.http.send(request, config.request_timeout).await?;
            if answer.status() != StatusCode::UNAUTHORIZED {
                return Ok(answer);
            }
            let Some(other) = config.tokens.renewed(token.as_ref(), tries).await else { return Ok(answer) };
            tracing::debug!(message = message.title(), "the hub refused the access token; another one is tried");
            token = Some(other);
        }
        unreachable!("the tries have a limit")
    }
}

impl CallError {
    /// An earlier try may have been accepted, so that a later one's failure is no certain end. A refusal stays one: the
    /// hub judges the same bytes the same way, but for their signature, whose key may have been replaced meanwhile, and the
    /// access token, which was another one.
    fn uncertain(self) -> Self {
        match self {
            Self::Unreachable(cause) => Self::Uncertain(cause),
            Self::Refused(error) if depends_on_the_try(&error) => Self::Uncertain(error.to_string()),
            Self::Uncertain(_)
            | Self::Refused(_)
            | Self::Answered(_)
            | Self::NoAnswer(_)
            | Self::Unusable(_)
            | Self::NoProvider
            | Self::Busy => self,
        }
    }
}

fn depends_on_the_try(error: &FspiopError) -> bool {
    error.code == ErrorCode::INVALID_SIGNATURE || error.http_status() == StatusCode::UNAUTHORIZED.as_u16()
}

/// The answer 401 as an error that is known by its status.
fn unauthorized(adopted: Option<&FspiopError>) -> FspiopError {
    let detail = adopted.and_then(|error| error.description().rsplit(" - ").next());
    FspiopError::unauthorized(detail.unwrap_or("the hub refused the access token"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_try_that_may_have_arrived_only_a_refusal_that_the_first_one_got_too_is_certain() {
        let refused = |code| CallError::Refused(FspiopError::new(code)).uncertain();
        assert!(refused(ErrorCode::GENERIC_VALIDATION).is_certain());
        assert!(!refused(ErrorCode::INVALID_SIGNATURE).is_certain(), "the key may have changed between the tries");
        let unauthorized = CallError::Refused(unauthorized(None));
        assert!(unauthorized.is_certain());
        assert!(!unauthorized.uncertain().is_certain(), "the token was another one at the first try");
        assert!(!CallError::Unreachable("gone".into()).uncertain().is_certain());
    }
}
