//! Why the hub says no: one closed list, in words of the domain.

use alloc::{boxed::Box, format, string::ToString};
use vocabulary::{Currency, FspId, Timestamp};

/// A reason for refusing or ending something. What it is called on the wire is decided in one place outside this crate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rejection {
    /// Neither known here nor behind a proxy (contract §4.3 row 1). The id is not taken.
    NoRoute {
        payer: FspId,
        payee: FspId,
    },
    /// The id was used before for other content.
    ModifiedRequest,
    SourceIsNotPayer,
    /// More digits than the ledger holds; the text is the amount as it was sent.
    AmountTooLarge(Box<str>),
    ParticipantNotFound(FspId),
    ParticipantInactive(FspId),
    /// The participant takes no transfers that it pays, at present.
    PayerMayNotSend(FspId),
    /// The participant takes no transfers that it is paid, at present.
    PayeeMayNotReceive(FspId),
    AlreadyExpired(Timestamp),
    PayerIsPayee,
    AccountNotFound(FspId, Currency),
    AccountInactive(FspId, Currency),
    PayerShortOfLiquidity,
    PayerOverCap,
    /// A balance would leave the range of the ledger.
    Overflow,
    TransferNotFound,
    SourceIsNotPayee,
    DestinationIsNotPayer,
    InvalidFulfilment,
    NotReserved,
    TransferExpired,
    /// The asker is neither payer nor payee.
    NotAParty,
    /// The payee's own error, with its code and text.
    ByPayee {
        code: u16,
        description: Box<str>,
    },
    /// A quote whose payer cannot take part in the quote's currency (contract §3.2).
    UnsupportedPayer(FspId),
    /// A quote whose payee cannot take part in the quote's currency.
    UnsupportedPayee(FspId),
    /// An fxQuote to a provider that has no active positions in both currencies (contract, interscheme §1.6).
    UnsupportedProvider(FspId),
    ConversionNotFound,
    /// A conversion that does not say which transfer it is for.
    NoDeterminingTransfer,
    NoExpiration,
    /// A conversion of the payment has not been agreed to, or has ended.
    ConversionNotAgreed,
    /// The transfer is of another amount or payer than the conversion that it determines.
    ConversionDiffers,
    /// The determining transfer cannot be converted any more, or is decided in another scheme.
    NotConvertible,
}

/// Separates the parts of a stored rejection; it cannot occur in a name or a number.
const SEPARATOR: char = '\u{1f}';

impl Rejection {
    /// The text that a store keeps; [`Rejection::from_stored`] reads it back.
    pub fn to_stored(&self) -> Box<str> {
        let one = |name: &str, part: &str| format!("{name}{SEPARATOR}{part}").into_boxed_str();
        let two = |name: &str, first: &str, second: &str| {
            format!("{name}{SEPARATOR}{first}{SEPARATOR}{second}").into_boxed_str()
        };
        match self {
            Self::NoRoute { payer, payee } => two("no_route", payer.as_str(), payee.as_str()),
            Self::ModifiedRequest => "modified_request".into(),
            Self::SourceIsNotPayer => "source_is_not_payer".into(),
            Self::AmountTooLarge(text) => one("amount_too_large", text),
            Self::ParticipantNotFound(name) => one("participant_not_found", name.as_str()),
            Self::ParticipantInactive(name) => one("participant_inactive", name.as_str()),
            Self::PayerMayNotSend(name) => one("payer_may_not_send", name.as_str()),
            Self::PayeeMayNotReceive(name) => one("payee_may_not_receive", name.as_str()),
            Self::AlreadyExpired(time) => one("already_expired", &time.millis().to_string()),
            Self::PayerIsPayee => "payer_is_payee".into(),
            Self::AccountNotFound(name, currency) => two("account_not_found", name.as_str(), currency.as_str()),
            Self::AccountInactive(name, currency) => two("account_inactive", name.as_str(), currency.as_str()),
            Self::PayerShortOfLiquidity => "payer_short_of_liquidity".into(),
            Self::PayerOverCap => "payer_over_cap".into(),
            Self::Overflow => "overflow".into(),
            Self::TransferNotFound => "transfer_not_found".into(),
            Self::SourceIsNotPayee => "source_is_not_payee".into(),
            Self::DestinationIsNotPayer => "destination_is_not_payer".into(),
            Self::InvalidFulfilment => "invalid_fulfilment".into(),
            Self::NotReserved => "not_reserved".into(),
            Self::TransferExpired => "transfer_expired".into(),
            Self::NotAParty => "not_a_party".into(),
            Self::ByPayee { code, description } => two("by_payee", &code.to_string(), description),
            Self::UnsupportedPayer(name) => one("unsupported_payer", name.as_str()),
            Self::UnsupportedPayee(name) => one("unsupported_payee", name.as_str()),
            Self::UnsupportedProvider(name) => one("unsupported_provider", name.as_str()),
            Self::ConversionNotFound => "conversion_not_found".into(),
            Self::NoDeterminingTransfer => "no_determining_transfer".into(),
            Self::NoExpiration => "no_expiration".into(),
            Self::ConversionNotAgreed => "conversion_not_agreed".into(),
            Self::ConversionDiffers => "conversion_differs".into(),
            Self::NotConvertible => "not_convertible".into(),
        }
    }

    /// Reads what [`Rejection::to_stored`] wrote; `None` for anything else.
    pub fn from_stored(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, SEPARATOR);
        let name = parts.next()?;
        let (first, second) = (parts.next(), parts.next());
        let fsp = |part: Option<&str>| part?.parse::<FspId>().ok();
        Some(match name {
            "no_route" => Self::NoRoute { payer: fsp(first)?, payee: fsp(second)? },
            "modified_request" => Self::ModifiedRequest,
            "source_is_not_payer" => Self::SourceIsNotPayer,
            "amount_too_large" => Self::AmountTooLarge(first?.into()),
            "participant_not_found" => Self::ParticipantNotFound(fsp(first)?),
            "participant_inactive" => Self::ParticipantInactive(fsp(first)?),
            "payer_may_not_send" => Self::PayerMayNotSend(fsp(first)?),
            "payee_may_not_receive" => Self::PayeeMayNotReceive(fsp(first)?),
            "already_expired" => Self::AlreadyExpired(Timestamp::from_millis(first?.parse().ok()?)),
            "payer_is_payee" => Self::PayerIsPayee,
            "account_not_found" => Self::AccountNotFound(fsp(first)?, second?.parse().ok()?),
            "account_inactive" => Self::AccountInactive(fsp(first)?, second?.parse().ok()?),
            "payer_short_of_liquidity" => Self::PayerShortOfLiquidity,
            "payer_over_cap" => Self::PayerOverCap,
            "overflow" => Self::Overflow,
            "transfer_not_found" => Self::TransferNotFound,
            "source_is_not_payee" => Self::SourceIsNotPayee,
            "destination_is_not_payer" => Self::DestinationIsNotPayer,
            "invalid_fulfilment" => Self::InvalidFulfilment,
            "not_reserved" => Self::NotReserved,
            "transfer_expired" => Self::TransferExpired,
            "not_a_party" => Self::NotAParty,
            "by_payee" => Self::ByPayee { code: first?.parse().ok()?, description: second?.into() },
            "unsupported_payer" => Self::UnsupportedPayer(fsp(first)?),
            "unsupported_payee" => Self::UnsupportedPayee(fsp(first)?),
            "unsupported_provider" => Self::UnsupportedProvider(fsp(first)?),
            "conversion_not_found" => Self::ConversionNotFound,
            "no_determining_transfer" => Self::NoDeterminingTransfer,
            "no_expiration" => Self::NoExpiration,
            "conversion_not_agreed" => Self::ConversionNotAgreed,
            "conversion_differs" => Self::ConversionDiffers,
            "not_convertible" => Self::NotConvertible,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn every_rejection_survives_being_stored() {
        let fsp = |name: &str| name.parse::<FspId>().unwrap();
        let usd: Currency = "USD".parse().unwrap();
        for rejection in vec![
            Rejection::NoRoute { payer: fsp("a b"), payee: fsp("ö") },
            Rejection::ModifiedRequest,
            Rejection::SourceIsNotPayer,
            Rejection::AmountTooLarge("123456789012345678".into()),
            Rejection::ParticipantNotFound(fsp("a")),
            Rejection::ParticipantInactive(fsp("a")),
            Rejection::PayerMayNotSend(fsp("a")),
            Rejection::PayeeMayNotReceive(fsp("a")),
            Rejection::AlreadyExpired(Timestamp::from_millis(-5)),
            Rejection::PayerIsPayee,
            Rejection::AccountNotFound(fsp("a"), usd),
            Rejection::AccountInactive(fsp("a"), usd),
            Rejection::PayerShortOfLiquidity,
            Rejection::PayerOverCap,
            Rejection::Overflow,
            Rejection::TransferNotFound,
            Rejection::SourceIsNotPayee,
            Rejection::DestinationIsNotPayer,
            Rejection::InvalidFulfilment,
            Rejection::NotReserved,
            Rejection::TransferExpired,
            Rejection::NotAParty,
            Rejection::ByPayee { code: 5104, description: "no \u{1f} way".into() },
            Rejection::UnsupportedPayer(fsp("a")),
            Rejection::UnsupportedPayee(fsp("a")),
            Rejection::UnsupportedProvider(fsp("a")),
            Rejection::ConversionNotFound,
            Rejection::NoDeterminingTransfer,
            Rejection::NoExpiration,
            Rejection::ConversionNotAgreed,
            Rejection::ConversionDiffers,
            Rejection::NotConvertible,
        ] {
            assert_eq!(Rejection::from_stored(&rejection.to_stored()), Some(rejection));
        }
        assert_eq!(Rejection::from_stored("nonsense"), None);
    }
}
