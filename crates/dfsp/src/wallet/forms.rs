//! What the customer has typed, and what is wrong with it.

use super::format;
use crate::payer::Wish;
use sdk::AmountType;
use serde::Deserialize;
use vocabulary::{Currency, Money};

const NOTE_CHARS_MAX: usize = 128;

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
}

/// The button "confirm".
#[derive(Deserialize)]
pub(super) struct ConfirmForm {
    #[serde(default)]
    pub token: String,
}

/// What is wrong, field by field, and with the whole.
#[derive(Default)]
pub(super) struct Faults {
    pub number: Option<&'static str>,
    pub amount: Option<&'static str>,
    pub note: Option<&'static str>,
    pub whole: Option<&'static str>,
}

impl SendForm {
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
            }),
            _ => Err(faults),
        }
    }
}

impl Faults {
    pub fn of_whole(text: &'static str) -> Self {
        Self { whole: Some(text), ..Self::default() }
    }
}
