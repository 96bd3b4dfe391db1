//! Payments as the DFSP's books and pages know them.
//!
//! Invariant: a payment is pending until the scheme has decided; then it is completed or failed, once and for good.

use sdk::{HeldTransfer, text};
use serde::{Deserialize, Serialize};
use vocabulary::{Amount, CorrelationId, Currency, FspId, Money, Timestamp};

/// One transfer, seen from this DFSP.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Payment {
    /// The transfer's id in the scheme.
    #[serde(with = "text")]
    pub id: CorrelationId,
    pub direction: Direction,
    /// Our side, by the customer's id.
    pub customer: String,
    pub other: Other,
    /// Leaves or reaches this DFSP; of an incoming payment in the payer's currency.
    #[serde(with = "text")]
    pub transfer: Amount,
    /// Reaches the payee, in the payee's currency.
    #[serde(with = "text")]
    pub received: Amount,
    /// What this DFSP takes from its customer: on top of the transfer when sending, out of what arrives when receiving.
    #[serde(with = "text")]
    pub fee: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(with = "text")]
    pub opened: Timestamp,
    /// After it the scheme does not commit the transfer any more.
    #[serde(with = "text")]
    pub expiration: Timestamp,
    /// What the transfer is sent with; only for outgoing ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<Seal>,
    /// Only if this DFSP has the payment converted, on its way out or in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion: Option<Conversion>,
    /// Only of an incoming payment that is converted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intake: Option<Intake>,
    /// Only of an outgoing payment that the payee's DFSP converts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival: Option<Arrival>,
    /// Only if it gives back something of another payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<Refund>,
    /// The transaction's id in the scheme, if it is not the transfer's.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "text::option")]
    pub transaction: Option<CorrelationId>,
    pub state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Outgoing,
    Incoming,
}

/// The other person, at another DFSP.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    pub name: String,
    /// Phone number.
    pub number: String,
    #[serde(with = "text")]
    pub fsp: FspId,
}

/// What a payment gives back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refund {
    /// The transaction of the payment of which this is a part.
    #[serde(with = "text")]
    pub of: CorrelationId,
    /// What counts against what was received; in the currency of our accounts.
    #[serde(with = "text")]
    pub amount: Amount,
}

/// Packet and condition of the quote.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seal {
    pub packet: String,
    /// 43 characters of base64url.
    pub condition: String,
}

/// How a payment gets from the payer's currency into the payee's.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Conversion {
    #[serde(with = "text")]
    pub id: CorrelationId,
    /// Who converts.
    #[serde(with = "text")]
    pub provider: FspId,
    /// The payee's.
    #[serde(with = "text")]
    pub currency: Currency,
    /// Reaches the payee's DFSP.
    #[serde(with = "text")]
    pub amount: Amount,
    /// What the provider keeps of the amount in the payer's currency.
    #[serde(with = "text")]
    pub charge: Amount,
    /// 43 characters of base64url.
    pub condition: String,
}

/// What an incoming payment needs until it has been converted and accepted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Intake {
    /// The payer's.
    #[serde(with = "text")]
    pub currency: Currency,
    /// Until when the provider may agree: some time before the transfer expires, which has to be accepted after it.
    #[serde(with = "text")]
    pub agreement_expiration: Timestamp,
    /// When the transfer was accepted. From then on the scheme alone decides.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "text::option")]
    pub accepted: Option<Timestamp>,
    /// To answer it.
    pub transfer: HeldTransfer,
}

/// How a payment arrives that the payee's DFSP converts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Arrival {
    /// The payee's.
    #[serde(with = "text")]
    pub currency: Currency,
    /// What the payee's DFSP keeps, in that currency.
    #[serde(with = "text")]
    pub fee: Amount,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Pending,
    Completed {
        #[serde(with = "text")]
        at: Timestamp,
    },
    Failed {
        #[serde(with = "text")]
        at: Timestamp,
        reason: Reason,
    },
}

/// Why a payment failed, in the words of the scheme.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reason {
    /// Four digits.
    pub code: String,
    pub description: String,
}

impl Payment {
    /// What the payment takes from or gives to the customer.
    pub fn customer_amount(&self) -> Amount {
        match self.direction {
            Direction::Outgoing => self.transfer.checked_add(self.fee).expect("checked when the payment was offered"),
            Direction::Incoming => self.received,
        }
    }

    /// What the payee's DFSP keeps of the transfer, in the payee's currency.
    pub fn other_fee(&self) -> Amount {
        if let Some(arrival) = &self.arrival {
            return arrival.fee;
        }
        let arrives = self.conversion.as_ref().map_or(self.transfer, |conversion| conversion.amount);
        arrives.checked_sub(self.received).expect("a quote pays out at most what it takes")
    }

    /// The payer's currency at a DFSP whose own is `own`.
    pub fn sent_in(&self, own: Currency) -> Currency {
        self.intake.as_ref().map_or(own, |intake| intake.currency)
    }

    /// The payee's currency at a DFSP whose own is `own`.
    pub fn received_in(&self, own: Currency) -> Currency {
        let converted = self.conversion.as_ref().map(|conversion| conversion.currency);
        self.arrival.as_ref().map(|arrival| arrival.currency).or(converted).unwrap_or(own)
    }

    pub fn transaction_id(&self) -> CorrelationId {
        self.transaction.unwrap_or(self.id)
    }

    pub fn is_pending(&self) -> bool {
        self.state == State::Pending
    }
}

impl Conversion {
    /// What the transfer moves.
    pub fn money(&self) -> Money {
        Money { amount: self.amount, currency: self.currency }
    }
}

impl From<&sdk::FspiopError> for Reason {
    fn from(error: &sdk::FspiopError) -> Self {
        Self { code: error.code.to_string(), description: error.description().to_owned() }
    }
}

impl std::fmt::Debug for Other {
    /// Prints the FSP only: names and numbers are personal data.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Other(… at {})", self.fsp)
    }
}
