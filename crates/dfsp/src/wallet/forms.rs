//! What the customer has typed, and what is wrong with it.

use super::format;
use crate::code::Code;
use crate::payer::Wish;
use crate::payment::Payment;
use sdk::AmountType;
use serde::Deserialize;
use vocabulary::{Amount, CorrelationId, Currency, Money};

pub(super) const NOTE_CHARS_MAX: usize = 128;

/// The form "send money", as typed.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct SendForm {
    pub token: String,
    pub number: String,
    pub amount: String,
    /// Of the amount; empty for our own.
    pub currency: String,
    /// `receive` or `send`.
    pub mode: String,
    pub note: String,
    /// The id of a received payment of which this gives something back; else empty.
    pub refund_of: String,
}

/// From what the form is filled in.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct FilledFrom {
    /// The text of a payment code.
    pub code: String,
    /// The id of a received payment.
    pub refund_of: String,
}

/// The button "confirm".
#[derive(Deserialize)]
pub(super) struct ConfirmForm {
    #[serde(default)]
    pub token: String,
}

/// What was done just now, as a word in the page's address.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Notice {
    pub said: String,
}

/// What is wrong, field by field, and with the whole.
#[derive(Default)]
pub(super) struct Faults {
    pub number: Option<&'static str>,
    pub amount: Option<&'static str>,
    pub note: Option<&'static str>,
    pub whole: Option<String>,
}

impl SendForm {
    /// Filled in from a code that the customer has read.
    pub fn of_code(code: Code) -> Self {
        Self {
            number: code.number.identifier.to_string(),
            amount: code.amount.map(|amount| amount.to_string()).unwrap_or_default(),
            currency: code.currency.to_string(),
            mode: "receive".into(),
            note: code.reference.unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Filled in to give back what is left of a received payment. What was converted goes back by what we send.
    pub fn of_refund(payment: &Payment, left: Amount) -> Self {
        let mode = if payment.intake.is_some() { "send" } else { "receive" };
        Self {
            number: payment.other.number.clone(),
            amount: left.to_string(),
            mode: mode.into(),
            note: payment.note.clone().unwrap_or_default(),
            refund_of: payment.id.to_string(),
            ..Self::default()
        }
    }

    pub fn sends_exactly(&self) -> bool {
        self.mode == "send"
    }

    /// Reads the form, or says what is wrong with every field that is.
    ///
    /// `currencies` are those of the form, our own first.
    pub fn wish(&self, customer: &str, currencies: &[Currency]) -> Result<Wish, Faults> {
        let [own, ..] = currencies else { return Err(Faults::of_whole("Nothing can be paid from here.")) };
        let chosen = currencies.iter().find(|currency| currency.as_str() == self.currency).unwrap_or(own);
        let (to, amount) = (format::read_number(&self.number), format::read_amount(&self.amount, *chosen));
        let is_sendable = chosen == own || !self.sends_exactly();
        if !self.refund_of.is_empty() && self.refund_of.parse::<CorrelationId>().is_err() {
            return Err(Faults::of_whole("Nothing was received that could be given back."));
        }
        let note = self.note.trim();
        let note_fits = note.chars().count() <= NOTE_CHARS_MAX;
        let faults = Faults {
            number: to.is_none().then_some("Write a phone number of 5 to 15 digits."),
            amount: match amount {
                None => Some("Write an amount above zero, for example 250 or 99.50."),
                Some(_) => (!is_sendable).then_some("What you send is in your own currency; choose it."),
            },
            note: (!note_fits).then_some("A note has at most 128 characters."),
            whole: None,
        };
        match (to, amount) {
            (Some(to), Some(amount)) if note_fits && is_sendable => Ok(Wish {
                customer: customer.to_owned(),
                to,
                amount: Money { amount, currency: *chosen },
                amount_type: if self.sends_exactly() { AmountType::Send } else { AmountType::Receive },
                note: (!note.is_empty()).then(|| note.to_owned()),
                refund_of: self.refund_of.parse().ok(),
                request: None,
            }),
            _ => Err(faults),
        }
    }
}

impl Faults {
    pub fn of_whole(text: impl Into<String>) -> Self {
        Self { whole: Some(text.into()), ..Self::default() }
    }
}
