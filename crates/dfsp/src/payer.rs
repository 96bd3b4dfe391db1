//! Paying: an offer is made from lookup and quote, the customer confirms it, the transfer is sent and followed to its end.
//!
//! Invariant: the customer's money is set aside before the transfer leaves, and it moves or comes back only by the
//! scheme's decision, or when the scheme certainly does not act on the transfer. After a time-out the hub is asked until
//! it has answered.

use crate::bank::{Bank, BankError};
use crate::config::Customer;
use crate::conversion::Route;
use crate::payment::{Arrival, Conversion, Direction, Other, Payment, Refund, Seal, State};
use sdk::{
    AmountType, CallError, Decision, ErrorCode, FspiopError, News, Party, QuoteOrder, Role, TransferOrder, new_id, now,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use vocabulary::{Amount, Condition, CorrelationId, Currency, Money, PartyId, Timestamp};

/// Offers that wait for a customer's confirmation at one time.
const OFFERS_MAX: usize = 1_000;
/// How often the hub is asked about a payment in doubt: at first, and at the longest.
const ASK_DELAY: Duration = Duration::from_secs(1);
const ASK_DELAY_MAX: Duration = Duration::from_secs(30);
/// How long after its expiration an incoming transfer that the hub does not know is given up: clocks differ.
const GIVE_UP_AFTER_EXPIRATION_MS: i64 = 10_000;

/// What a customer asks for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Id of our customer.
    pub customer: String,
    pub to: PartyId,
    /// In our currency, or in the payee's if it is what the payee gets.
    pub amount: Money,
    /// Whether `amount` is what leaves for the payee or what reaches the payee.
    pub amount_type: AmountType,
    pub note: Option<String>,
    /// The id of a received payment of which this gives something back, to whoever made it.
    pub refund_of: Option<CorrelationId>,
    /// The id of the request to pay that this answers.
    pub request: Option<CorrelationId>,
}

/// Terms that the customer can confirm.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The id that the transfer will have.
    pub id: CorrelationId,
    pub customer: String,
    pub payee: Party,
    /// Leaves our DFSP.
    pub transfer: Amount,
    /// Reaches the payee, in the payee's currency.
    pub received: Amount,
    /// What the payee's DFSP keeps of the transfer, in the payee's currency.
    pub payee_fee: Amount,
    /// What our DFSP takes on top.
    pub fee: Amount,
    pub total: Amount,
    pub note: Option<String>,
    /// The offer cannot be confirmed after it.
    pub expiration: Timestamp,
    /// Only if the payee is paid in another currency.
    pub conversion: Option<Conversion>,
    /// Only if the payee's DFSP converts.
    pub arrival: Option<Arrival>,
    /// Only if something is given back.
    pub refund: Option<Refund>,
    seal: Seal,
}

/// Why there is no offer or no payment.
#[derive(Debug)]
pub enum PayError {
    UnknownCustomer,
    /// The payee is a customer of this DFSP; such payments do not go through the scheme.
    SameDfsp,
    /// The payee cannot be paid in the wish's currency, but in these.
    OtherCurrency(Vec<Currency>),
    /// No positive amount in whole coins.
    ImpossibleAmount,
    /// Account balance too low; what is needed in total.
    NotEnoughMoney(Amount),
    /// What is to be given back was not received from there.
    NotRefundable,
    /// The offer has expired or never was.
    NoOffer,
    TooManyOffers,
    Scheme(CallError),
    Bank(BankError),
}

#[derive(Default)]
pub struct Offers(Mutex<HashMap<CorrelationId, Offer>>);

impl Bank {
    /// Looks the payee up and asks for terms.
    pub async fn offer(&self, wish: Wish) -> Result<Offer, PayError> {
        let id = self.transaction_of(&wish)?;
        self.offer_as(id, wish).await
    }

    /// The same with the id that the payment will have.
    pub(crate) async fn offer_as(&self, id: CorrelationId, wish: Wish) -> Result<Offer, PayError> {
        let customer = self.customer(&wish.customer).ok_or(PayError::UnknownCustomer)?;
        let is_own = wish.amount.currency == self.config.currency;
        if wish.amount.amount <= Amount::ZERO || (is_own && !self.config.fees.is_payable(wish.amount.amount)) {
            return Err(PayError::ImpossibleAmount);
        }
        let refund = self.refund(&wish)?;
        if self.customer_of(&wish.to).is_some() {
            return Err(PayError::SameDfsp);
        }
        let payee = self.connection.find(&wish.to).await?;
        if payee.fsp == *self.connection.name() {
            return Err(PayError::SameDfsp);
        }
        let target = self.target(&wish, &payee)?;
        let order = QuoteOrder {
            quote_id: new_id(),
            transaction_id: id,
            payer: self.party(&customer),
            payee: payee.clone(),
            amount_type: wish.amount_type,
            amount: wish.amount,
            note: wish.note.clone(),
            refund_of: refund.map(|refund| refund.of),
            request: wish.request,
        };
        let route = self.route(order, target).await?;
        let offer = Offer { refund, ..self.offer_of(&wish, id, payee, route)? };
        self.offers.keep(offer.clone())?;
        Ok(offer)
    }

    /// What a wish gives back. Errors: it was not received, or was given back already.
    fn refund(&self, wish: &Wish) -> Result<Option<Refund>, PayError> {
        let Some(id) = wish.refund_of else { return Ok(None) };
        let original = self
            .payment(id)
            .filter(|payment| payment.customer == wish.customer && payment.other.number == *wish.to.identifier);
        let original = original.filter(|_| wish.amount.currency == self.config.currency);
        let original = original.ok_or(PayError::NotRefundable)?;
        let left = self.refundable(&original);
        if wish.amount.amount > left {
            return Err(PayError::Bank(BankError::RefundTooLarge(left)));
        }
        Ok(Some(Refund { of: original.transaction_id(), amount: wish.amount.amount }))
    }

    fn offer_of(&self, wish: &Wish, id: CorrelationId, payee: Party, route: Route) -> Result<Offer, PayError> {
        let Route { quote, fx_quote } = route;
        let arrives = quote.transfer.amount;
        let transfer = fx_quote.as_ref().map_or(arrives, |fx_quote| fx_quote.source.amount);
        let received = quote.received.map_or(arrives, |money| money.amount);
        let converted =
            quote.received.map(|money| money.currency).filter(|currency| *currency != quote.transfer.currency);
        let fee_in = converted.unwrap_or(quote.transfer.currency);
        let payee_fee = quote.fee.filter(|fee| fee.currency == fee_in).map_or(Amount::ZERO, |fee| fee.amount);
        let fee = self.config.fees.sending_fee(transfer).ok_or(PayError::ImpossibleAmount)?;
        let total = transfer.checked_add(fee).ok_or(PayError::ImpossibleAmount)?;
        self.check_sending(&wish.customer, transfer).map_err(PayError::Bank)?;
        if self.balance(&wish.customer).1 < total {
            return Err(PayError::NotEnoughMoney(total));
        }
        Ok(Offer {
            id,
            customer: wish.customer.clone(),
            payee: Party { fsp: quote.payee_fsp, ..payee },
            transfer,
            received,
            payee_fee,
            fee,
            total,
            note: wish.note.clone(),
            expiration: fx_quote.as_ref().map_or(quote.expiration, |first| first.expiration.min(quote.expiration)),
            conversion: fx_quote.as_ref().map(Conversion::of),
            arrival: converted.map(|currency| Arrival { currency, fee: payee_fee }),
            refund: None,
            seal: Seal { packet: quote.packet, condition: quote.condition.to_string() },
        })
    }

    /// An offer that can still be confirmed.
    pub fn open_offer(&self, id: CorrelationId) -> Option<Offer> {
        self.offers.get(id)
    }

    /// Forgets an offer that the customer does not want. Nothing has been set aside for it.
    pub fn decline(&self, id: CorrelationId) {
        self.offers.remove(id);
    }

    /// Sets the money aside and sends the transfer; returns its id before its end is known. Confirming twice pays once.
    pub fn confirm(self: &Arc<Self>, id: CorrelationId) -> Result<CorrelationId, PayError> {
        if self.payment(id).is_some() {
            return Ok(id);
        }
        let offer = self.offers.get(id).ok_or(PayError::NoOffer)?;
        let payment = self.payment_of(offer);
        match self.open_payment(payment.clone()) {
            Ok(_) => {}
            Err(BankError::NotEnoughMoney) => return Err(PayError::NotEnoughMoney(payment.customer_amount())),
            Err(error) => return Err(PayError::Bank(error)),
        }
        // Only the one who takes the offer away sends; whoever confirmed at the same moment sees the same payment.
        if self.offers.remove(id) {
            tokio::spawn(self.clone().carry_out(payment));
        }
        Ok(id)
    }

    fn payment_of(&self, offer: Offer) -> Payment {
        let opened = now();
        let lifetime = i64::try_from(self.config.transfer_lifetime.as_millis()).unwrap_or(i64::MAX);
        let number = offer.payee.id.identifier.to_string();
        let name = offer.payee.name.unwrap_or_else(|| number.clone());
        Payment {
            id: offer.id,
            direction: Direction::Outgoing,
            customer: offer.customer,
            other: Other { name, number, fsp: offer.payee.fsp },
            transfer: offer.transfer,
            received: offer.received,
            fee: offer.fee,
            note: offer.note,
            opened,
            expiration: opened.plus_millis(lifetime),
            seal: Some(offer.seal),
            conversion: offer.conversion,
            intake: None,
            arrival: offer.arrival,
            refund: offer.refund,
            transaction: None,
            state: State::Pending,
        }
    }

    /// Sends the `POST /transfers` of an outgoing payment once more, byte for byte, as a client does that is not sure
    /// whether the first one arrived; not before a provider has agreed to its conversion. `None` if there is no such payment.
    pub async fn send_again(&self, id: CorrelationId) -> Option<Result<(), CallError>> {
        let payment = self.payment(id)?;
        let order = self.order(&payment)?;
        if !self.may_send(&payment).await {
            return Some(Ok(()));
        }
        Some(self.connection.prepare(&order).await)
    }

    async fn carry_out(self: Arc<Self>, payment: Payment) {
        let order = self.order(&payment).expect("an offer has a seal");
        let (error, is_agreed) = match self.convert(&payment).await {
            Ok(true) => match self.connection.send(&order).await {
                // Settled by `news` before it came here.
                Ok(Decision::Committed | Decision::Aborted(_)) => return,
                Err(error) => (error, payment.conversion.is_some()),
            },
            Ok(false) => return,
            Err(error) => (error, false),
        };
        // What a provider has agreed to ends with the transfer, so that the transfer has to reach the hub.
        if !error.is_certain() || (is_agreed && error.scheme_error().is_none()) {
            return self.follow(payment.id).await;
        }
        let reason = error.scheme_error().cloned();
        let reason = reason.unwrap_or_else(|| FspiopError::with_detail(ErrorCode::COMMUNICATION, &error));
        self.settle_or_report(payment.id, &Decision::Aborted(reason));
    }

    /// Waits for the end of a payment and asks the hub about it, again and again, until it is settled.
    pub(crate) async fn follow(&self, id: CorrelationId) {
        let mut delay = ASK_DELAY;
        while tokio::time::timeout(delay, self.settled(id)).await.is_err() {
            let Some(payment) = self.payment(id) else { return };
            match self.connection.status(id).await {
                // `news` has settled the payment if the status decides it.
                Ok(_) => {}
                Err(CallError::Answered(error)) if error.code == ErrorCode::TRANSFER_ID_NOT_FOUND => {
                    self.follow_unknown(&payment, error).await;
                }
                Err(error) => tracing::debug!(%id, %error, "the hub was asked about a payment in vain"),
            }
            delay = (delay * 2).min(ASK_DELAY_MAX);
        }
    }

    /// The hub does not know a payment. An outgoing one has not arrived; it is sent again, byte for byte, and the hub
    /// decides: it refuses what has expired meanwhile. An incoming one is given up some time after its expiration.
    async fn follow_unknown(&self, payment: &Payment, unknown: FspiopError) {
        match self.order(payment) {
            Some(_) if !self.may_send(payment).await => {}
            Some(order) => match self.connection.prepare(&order).await {
                Err(CallError::Refused(error)) => self.settle_or_report(payment.id, &Decision::Aborted(error)),
                Ok(()) => {}
                Err(error) => tracing::debug!(id = %payment.id, %error, "a payment was sent again in vain"),
            },
            None if now() > payment.expiration.plus_millis(GIVE_UP_AFTER_EXPIRATION_MS) => {
                self.settle_or_report(payment.id, &Decision::Aborted(unknown));
            }
            None => {}
        }
    }

    /// News of any transfer, outgoing or incoming.
    pub(crate) fn hear(&self, id: CorrelationId, news: &News) -> Result<(), BankError> {
        let Some(payment) = self.payment(id) else { return Ok(()) };
        match news.decision(role(&payment)) {
            Some(decision) => self.settle(id, &decision),
            None => Ok(()),
        }
    }

    fn order(&self, payment: &Payment) -> Option<TransferOrder> {
        let seal = payment.seal.as_ref()?;
        let own = Money { amount: payment.transfer, currency: self.config.currency };
        Some(TransferOrder {
            id: payment.id,
            payee_fsp: payment.other.fsp.clone(),
            amount: payment.conversion.as_ref().map_or(own, Conversion::money),
            packet: seal.packet.clone(),
            condition: Condition::parse(&seal.condition)?,
            expiration: payment.expiration,
        })
    }

    /// A customer as the scheme sees them.
    pub(crate) fn party(&self, customer: &Customer) -> Party {
        let (id, fsp) = (customer.number.clone(), self.connection.name().clone());
        let currencies = std::iter::once(self.config.currency).chain(customer.takes.iter().copied()).collect();
        Party { id, fsp, name: Some(customer.name.clone()), currencies }
    }

    pub(crate) fn settle_or_report(&self, id: CorrelationId, decision: &Decision) {
        if let Err(error) = self.settle(id, decision) {
            tracing::error!(%id, %error, "a payment could not be settled; it is asked about again after a restart");
        }
    }
}

/// Registers the customers with the scheme's directory, those that it does not know yet.
pub(crate) async fn register_customers(bank: &Bank) -> Result<(), CallError> {
    let connection = &bank.connection;
    for customer in bank.customers() {
        if connection.server_of(&customer.number).await?.as_ref() != Some(connection.name()) {
            bank.register(&customer).await?;
        }
    }
    Ok(())
}

impl Bank {
    /// Registers a customer's number with the scheme's directory.
    pub(crate) async fn register(&self, customer: &Customer) -> Result<(), CallError> {
        self.connection.serve_party(&customer.number, self.config.currency).await
    }
}

fn role(payment: &Payment) -> Role {
    let condition = payment.seal.as_ref().and_then(|seal| Condition::parse(&seal.condition));
    match (payment.direction, condition) {
        (Direction::Outgoing, Some(condition)) => Role::Payer { condition },
        (Direction::Outgoing | Direction::Incoming, _) => Role::Payee,
    }
}

impl Offers {
    fn keep(&self, offer: Offer) -> Result<(), PayError> {
        let mut offers = self.0.lock().expect("no thread panics while it holds the offers");
        let now = now();
        offers.retain(|_, offer| offer.expiration > now);
        if offers.len() >= OFFERS_MAX {
            return Err(PayError::TooManyOffers);
        }
        offers.insert(offer.id, offer);
        Ok(())
    }

    fn get(&self, id: CorrelationId) -> Option<Offer> {
        let offers = self.0.lock().expect("no thread panics while it holds the offers");
        offers.get(&id).filter(|offer| offer.expiration > now()).cloned()
    }

    /// Whether the offer was still there.
    fn remove(&self, id: CorrelationId) -> bool {
        self.0.lock().expect("no thread panics while it holds the offers").remove(&id).is_some()
    }
}

impl From<CallError> for PayError {
    fn from(error: CallError) -> Self {
        Self::Scheme(error)
    }
}

impl std::fmt::Display for PayError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownCustomer => formatter.write_str("no such customer"),
            Self::SameDfsp => formatter.write_str("the payee is a customer of the same DFSP"),
            Self::OtherCurrency(_) => formatter.write_str("the payee is not paid in this currency"),
            Self::ImpossibleAmount => formatter.write_str("the amount cannot be paid"),
            Self::NotEnoughMoney(total) => write!(formatter, "there is less than {total} in the account"),
            Self::NotRefundable => formatter.write_str("nothing was received that could be given back there"),
            Self::NoOffer => formatter.write_str("the offer has expired"),
            Self::TooManyOffers => formatter.write_str("too many offers are open"),
            Self::Scheme(error) => write!(formatter, "{error}"),
            Self::Bank(error) => write!(formatter, "{error}"),
        }
    }
}

impl std::error::Error for PayError {}
