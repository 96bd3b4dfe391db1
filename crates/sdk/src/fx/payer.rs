//! The payer's side of a conversion: who converts, at which terms, and the reservation (FSPIOP 2.0; contract, interscheme
//! §3.1 to §3.4).
//!
//! Invariant: terms are handed on only if they fit what was asked; of several the best for the payer is chosen, and a
//! provider that answers late, with an error or with something else leaves the choice to the others.

use super::wire::{ConversionTerms, FxMoney, FxQuotePost, FxTransferPost};
use super::{FxCharge, FxDecision, FxNews, FxStatus, from_to};
use crate::call_error::CallError;
use crate::config::now;
use crate::connection::{Connection, Key};
use crate::message::Message;
use crate::payer::{amount_type_text, answers_a_question};
use crate::{new_id, wire};
use fspiop::body::AmountType;
use fspiop::{Operation, Resource, Version};
use http::Method;
use std::cmp::Reverse;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use vocabulary::{Amount, Condition, CorrelationId, Currency, FspId, Money, Timestamp};

/// Providers that are asked for one payment.
const PROVIDERS_MAX: usize = 16;

/// The conversion that a payment needs, whoever makes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FxWish {
    /// The transfer that the conversion is for.
    pub transfer_id: CorrelationId,
    /// Whether `amount` is what the payer's DFSP gives or what the transfer needs.
    pub amount_type: AmountType,
    pub amount: Money,
    /// The currency of the amount that is asked for.
    pub other: Currency,
    /// Until when the terms should hold.
    pub expiration: Timestamp,
}

/// What one provider is asked. The same order makes the same bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FxQuoteOrder {
    pub request_id: CorrelationId,
    /// The id that the conversion will have.
    pub conversion_id: CorrelationId,
    pub provider: FspId,
    pub wish: FxWish,
}

/// A provider's terms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FxQuote {
    pub provider: FspId,
    pub conversion_id: CorrelationId,
    pub transfer_id: CorrelationId,
    /// The provider gets it, charges included.
    pub source: Money,
    /// The provider gives it: what the transfer moves.
    pub target: Money,
    pub charges: Vec<FxCharge>,
    pub expiration: Timestamp,
    pub condition: Condition,
}

/// A conversion to send. The same order makes the same bytes, so that sending it again is safe.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FxTransferOrder {
    pub id: CorrelationId,
    pub transfer_id: CorrelationId,
    pub provider: FspId,
    pub source: Money,
    pub target: Money,
    /// Of the quote, unchanged.
    pub condition: Condition,
    pub expiration: Timestamp,
}

/// `PUT /fxQuotes/{ID}` as it came, not yet compared with what was asked.
#[derive(Clone)]
pub(crate) struct FxOffer {
    /// Who answered.
    pub source: FspId,
    pub condition: Option<Condition>,
    pub terms: ConversionTerms,
}

impl Connection {
    /// Asks the hub who converts between two currencies; perhaps nobody does.
    pub async fn fx_providers(&self, source: Currency, target: Currency) -> Result<Vec<FspId>, CallError> {
        let pair = Some([source, target]);
        let message = Message::new(Method::GET, Resource::Services, &Operation::GetFxProviders(pair));
        let answer = self.ask_in(Version::V2_0, Key::FxProviders(pair), message).await?;
        answer.fx_providers().ok_or_else(|| CallError::Unusable("not a list of providers".into()))
    }

    /// Asks one provider for its terms.
    ///
    /// Errors: `Unusable` if the terms are not for this amount, these currencies and this payment.
    pub async fn fx_quote(&self, order: &FxQuoteOrder) -> Result<FxQuote, CallError> {
        let body =
            FxQuotePost { conversion_request_id: order.request_id, conversion_terms: order.to_wire(self.name()) };
        let message = Message::new(Method::POST, Resource::FxQuotes, &Operation::PostFxQuote)
            .to(&order.provider)
            .body(wire::bytes(&body));
        let answer = self.ask_in(Version::V2_0, Key::FxQuote(order.request_id), message).await?;
        let checked = answer.fx_quote().ok_or("not terms of a conversion").and_then(|offer| offer.check(order));
        checked.map_err(|reason| CallError::Unusable(reason.into()))
    }

    /// Asks all `providers` at once and chooses: the most for what is given, or the least for what is needed; among equals
    /// the first name. Whoever has not answered after `Config::choice_timeout` is left out if another has.
    ///
    /// Errors: `NoProvider` if the list is empty; if nobody gave usable terms, what went wrong with the first of them.
    pub async fn best_fx_quote(&self, wish: &FxWish, providers: &[FspId]) -> Result<FxQuote, CallError> {
        let mut asking = JoinSet::new();
        for provider in providers.iter().take(PROVIDERS_MAX) {
            let (connection, order) = (self.clone(), wish.ask(provider));
            asking.spawn(async move {
                let answer = connection.fx_quote(&order).await;
                (order.provider, answer)
            });
        }
        let deadline = Instant::now() + self.0.config.choice_timeout;
        let (mut quotes, mut failures) = (Vec::new(), Vec::new());
        while let Some((provider, answer)) = next(&mut asking, deadline, quotes.is_empty()).await {
            match answer {
                Ok(quote) => quotes.push(quote),
                Err(error) => {
                    tracing::debug!(%provider, %error, "a provider gave no terms");
                    failures.push((provider, error));
                }
            }
        }
        let best = best(wish.amount_type, quotes);
        let first_failure = || failures.into_iter().min_by(|one, other| one.0.cmp(&other.0));
        best.ok_or_else(|| first_failure().map_or(CallError::NoProvider, |(_, error)| error))
    }

    /// Sends a conversion and waits until the provider has agreed or it has ended, a moment past its expiration at the
    /// longest. The core hears of it first, by [`crate::Backend::fx_news`].
    ///
    /// Errors: after one that is not [`CallError::is_certain`] there may be an agreement; ask [`Connection::fx_status`].
    pub async fn fx_send(&self, order: &FxTransferOrder) -> Result<FxDecision, CallError> {
        let mut waiter = self.register(Key::FxTransfer(order.id))?;
        self.fx_prepare(order).await?;
        loop {
            let left = order.expiration.millis().saturating_sub(now().millis());
            let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
            let left = left + self.0.config.word_after_expiration;
            let Some(callback) = waiter.next(left).await else { return Err(CallError::NoAnswer(left)) };
            let news = callback.fx_transfer();
            if let Some(decision) = news.and_then(|news| news.for_initiator(&order.provider, order.condition)) {
                return Ok(decision);
            }
        }
    }

    /// Sends the `POST /fxTransfers` of an order, also again; returns when the hub has taken it.
    pub async fn fx_prepare(&self, order: &FxTransferOrder) -> Result<(), CallError> {
        let body = FxTransferPost {
            commit_request_id: order.id,
            determining_transfer_id: order.transfer_id,
            initiating_fsp: self.name(),
            counter_party_fsp: &order.provider,
            source_amount: order.source.into(),
            target_amount: order.target.into(),
            condition: order.condition,
            expiration: order.expiration,
        };
        let message = Message::new(Method::POST, Resource::FxTransfers, &Operation::PostFxTransfer)
            .to(&order.provider)
            .body(wire::bytes(&body));
        self.deliver(&message).await
    }

    /// Asks the hub what became of a conversion.
    ///
    /// Errors: `Answered` with 3208 if the hub does not know it.
    pub async fn fx_status(&self, id: CorrelationId) -> Result<FxStatus, CallError> {
        let operation = Operation::GetFxTransfer(id.to_string());
        let message = Message::new(Method::GET, Resource::FxTransfers, &operation);
        let mut waiter = self.register(Key::FxTransfer(id))?;
        self.deliver(&message).await?;
        let timeout = self.0.config.callback_timeout;
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let callback = waiter.next(left).await.ok_or(CallError::NoAnswer(timeout))?;
            match callback.fx_transfer() {
                Some(FxNews::Status(status)) => return Ok(status),
                Some(FxNews::Error(error)) if answers_a_question(error.code) => return Err(CallError::Answered(error)),
                // News of the conversion itself that came in between.
                Some(FxNews::Error(_)) | None => {}
            }
        }
    }
}

/// The next answer; after the deadline only while there is no usable one.
async fn next(
    asking: &mut JoinSet<(FspId, Result<FxQuote, CallError>)>,
    deadline: Instant,
    needs_one: bool,
) -> Option<(FspId, Result<FxQuote, CallError>)> {
    let answer = if needs_one {
        asking.join_next().await
    } else {
        tokio::time::timeout_at(deadline, asking.join_next()).await.ok().flatten()
    };
    answer.map(|answer| answer.expect("asking a provider does not panic and is not cancelled"))
}

/// The best terms for the payer.
fn best(amount_type: AmountType, quotes: Vec<FxQuote>) -> Option<FxQuote> {
    let name = |quote: &FxQuote| quote.provider.clone();
    match amount_type {
        AmountType::Send => quotes.into_iter().min_by_key(|quote| (Reverse(quote.target.amount), name(quote))),
        AmountType::Receive => quotes.into_iter().min_by_key(|quote| (quote.source.amount, name(quote))),
    }
}

impl FxWish {
    pub fn source(&self) -> Currency {
        from_to(self.amount_type, self.amount.currency, self.other)[0]
    }

    pub fn target(&self) -> Currency {
        from_to(self.amount_type, self.amount.currency, self.other)[1]
    }

    /// The question to one provider, under new ids.
    pub fn ask(&self, provider: &FspId) -> FxQuoteOrder {
        let (request_id, conversion_id) = (new_id(), new_id());
        FxQuoteOrder { request_id, conversion_id, provider: provider.clone(), wish: self.clone() }
    }
}

impl FxQuoteOrder {
    fn to_wire(&self, initiator: &FspId) -> ConversionTerms {
        let wish = &self.wish;
        let [source_amount, target_amount] = match wish.amount_type {
            AmountType::Send => [wish.amount.into(), FxMoney::open(wish.other)],
            AmountType::Receive => [FxMoney::open(wish.other), wish.amount.into()],
        };
        ConversionTerms {
            conversion_id: self.conversion_id,
            determining_transfer_id: Some(wish.transfer_id),
            initiating_fsp: initiator.clone(),
            counter_party_fsp: self.provider.clone(),
            amount_type: amount_type_text(wish.amount_type).to_owned(),
            source_amount,
            target_amount,
            expiration: wish.expiration,
            charges: Vec::new(),
        }
    }
}

impl FxQuote {
    /// What the provider keeps of the source amount.
    pub fn charge(&self) -> Amount {
        let charges = self.charges.iter().filter_map(|charge| charge.source);
        let ours = charges.filter(|charge| charge.currency == self.source.currency);
        ours.fold(Amount::ZERO, |sum, charge| sum.checked_add(charge.amount).unwrap_or(sum))
    }
}

impl FxTransferOrder {
    /// Accepts terms; the provider has to answer by `expiration`.
    pub fn of(quote: &FxQuote, expiration: Timestamp) -> Self {
        Self {
            id: quote.conversion_id,
            transfer_id: quote.transfer_id,
            provider: quote.provider.clone(),
            source: quote.source,
            target: quote.target,
            condition: quote.condition,
            expiration,
        }
    }
}

impl FxOffer {
    /// The terms must be for the question: its ids, currencies and fixed amount, and with two amounts above zero.
    fn check(self, order: &FxQuoteOrder) -> Result<FxQuote, &'static str> {
        let (wish, terms) = (&order.wish, self.terms);
        let is_of_provider =
            order.provider.same_as(self.source.as_str()) && order.provider.same_as(terms.counter_party_fsp.as_str());
        let transfer = terms.determining_transfer_id.unwrap_or(wish.transfer_id);
        if !is_of_provider || terms.conversion_id != order.conversion_id || transfer != wish.transfer_id {
            return Err("the terms are for another conversion");
        }
        let both = terms.source_amount.money().zip(terms.target_amount.money());
        let (source, target) = both.ok_or("the terms leave an amount open")?;
        if (source.currency, target.currency) != (wish.source(), wish.target()) {
            return Err("the terms are in other currencies");
        }
        let fixed = match wish.amount_type {
            AmountType::Send => source,
            AmountType::Receive => target,
        };
        if fixed != wish.amount || source.amount <= Amount::ZERO || target.amount <= Amount::ZERO {
            return Err("the terms are for another amount");
        }
        if terms.expiration <= now() {
            return Err("the terms have expired");
        }
        let money = |cash: Option<wire::Cash>| cash.map(|cash| cash.money());
        let charge = |charge: super::wire::FxCharge| FxCharge {
            kind: charge.charge_type,
            source: money(charge.source_amount),
            target: money(charge.target_amount),
        };
        Ok(FxQuote {
            provider: order.provider.clone(),
            conversion_id: order.conversion_id,
            transfer_id: wish.transfer_id,
            source,
            target,
            charges: terms.charges.into_iter().map(charge).collect(),
            expiration: terms.expiration,
            condition: self.condition.ok_or("the terms have no condition")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quote(provider: &str, source: &str, target: &str) -> FxQuote {
        let money = |text: &str, currency: &str| Money {
            amount: Amount::parse(text).unwrap(),
            currency: currency.parse().unwrap(),
        };
        FxQuote {
            provider: provider.parse().unwrap(),
            conversion_id: new_id(),
            transfer_id: new_id(),
            source: money(source, "KES"),
            target: money(target, "USD"),
            charges: Vec::new(),
            expiration: Timestamp::from_millis(0),
            condition: Condition::new([0; 32]),
        }
    }

    fn chosen(amount_type: AmountType, quotes: Vec<FxQuote>) -> Option<String> {
        best(amount_type, quotes).map(|quote| quote.provider.to_string())
    }

    #[test]
    fn the_most_for_what_is_given_is_best_and_ties_go_by_name() {
        let quotes = vec![quote("b", "100", "9"), quote("c", "100", "10"), quote("a", "100", "10")];
        assert_eq!(chosen(AmountType::Send, quotes).as_deref(), Some("a"));
        assert_eq!(chosen(AmountType::Send, Vec::new()), None);
    }

    #[test]
    fn the_least_for_what_is_needed_is_best() {
        let quotes = vec![quote("a", "101", "9"), quote("c", "99.5", "9"), quote("b", "99.5", "9")];
        assert_eq!(chosen(AmountType::Receive, quotes).as_deref(), Some("b"));
    }
}
