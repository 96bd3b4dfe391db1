//! Payments as the DFSP's books and pages know them.
//!
//! Invariant: a payment is pending until the scheme has decided; then it is completed or failed, once and for good.

use sdk::text;
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
    /// Leaves or reaches this DFSP.
    #[serde(with = "text")]
    pub transfer: Amount,
    /// Reaches the payee, in the payee's currency.
    #[serde(with = "text")]
    pub received: Amount,
    /// What this DFSP takes from its customer: on top of the transfer when sending, out of it when receiving.
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
    /// Only if the payee is paid in another currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion: Option<Conversion>,
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

/// Packet and condition of the quote.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seal {
    pub packet: String,
    /// 43 characters of base64url.
    pub condition: String,
}

/// How an outgoing payment gets into the payee's currency.
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
    /// What the provider keeps of what we send, in our currency.
    #[serde(with = "text")]
    pub charge: Amount,
    /// 43 characters of base64url.
    pub condition: String,
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
        let arrives = self.conversion.as_ref().map_or(self.transfer, |conversion| conversion.amount);
        arrives.checked_sub(self.received).expect("a quote pays out at most what it takes")
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
