//! The error codes of FSPIOP 1.1 §7.6 and the few that implementations added: code, name and HTTP status, in one table.
//!
//! Invariant: a code is a number from 1000 to 9999. Codes outside the table exist (schemes own `xx40`–`xx99`) and
//! are kept as they came; their name is that of their generic code.

use std::fmt;

/// An FSPIOP error code: four digits, the first not zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorCode(u16);

macro_rules! error_codes {
    ($($constant:ident = $code:literal, $name:literal;)*) => {
        impl ErrorCode {
            $(#[doc = concat!("`", stringify!($code), "` ", $name)] pub const $constant: Self = Self($code);)*

            /// Every code that has a name of its own, in ascending order.
            pub const ALL: &'static [Self] = &[$(Self($code)),*];
        }

        const NAMES: &[(u16, &str)] = &[$(($code, $name)),*];
    };
}

error_codes! {
    COMMUNICATION = 1000, "Communication error";
    DESTINATION_COMMUNICATION = 1001, "Destination communication error";
    SERVER_ERROR = 2000, "Generic server error";
    INTERNAL = 2001, "Internal server error";
    NOT_IMPLEMENTED = 2002, "Not implemented";
    SERVICE_UNAVAILABLE = 2003, "Service currently unavailable";
    SERVER_TIMED_OUT = 2004, "Server timed out";
    SERVER_BUSY = 2005, "Server busy";
    PARTY_RESOLUTION_FAILED = 2006, "Temporary party resolution failed, try again";
    CLIENT_ERROR = 3000, "Generic client error";
    UNACCEPTABLE_VERSION = 3001, "Unacceptable version requested";
    UNKNOWN_URI = 3002, "Unknown URI";
    ADD_PARTY = 3003, "Add Party information error";
    DELETE_PARTY = 3040, "Delete Party information error";
    GENERIC_VALIDATION = 3100, "Generic validation error";
    MALFORMED_SYNTAX = 3101, "Malformed syntax";
    MISSING_ELEMENT = 3102, "Missing mandatory element";
    TOO_MANY_ELEMENTS = 3103, "Too many elements";
    TOO_LARGE_PAYLOAD = 3104, "Too large payload";
    INVALID_SIGNATURE = 3105, "Invalid signature";
    MODIFIED_REQUEST = 3106, "Modified request";
    MISSING_EXTENSION = 3107, "Missing mandatory extension parameter";
    ID_NOT_FOUND = 3200, "Generic ID not found";
    DESTINATION_FSP = 3201, "Destination FSP Error";
    PAYER_FSP_NOT_FOUND = 3202, "Payer FSP ID not found";
    PAYEE_FSP_NOT_FOUND = 3203, "Payee FSP ID not found";
    PARTY_NOT_FOUND = 3204, "Party not found";
    QUOTE_ID_NOT_FOUND = 3205, "Quote ID not found";
    TRANSACTION_REQUEST_ID_NOT_FOUND = 3206, "Transaction request ID not found";
    TRANSACTION_ID_NOT_FOUND = 3207, "Transaction ID not found";
    TRANSFER_ID_NOT_FOUND = 3208, "Transfer ID not found";
    BULK_QUOTE_ID_NOT_FOUND = 3209, "Bulk quote ID not found";
    BULK_TRANSFER_ID_NOT_FOUND = 3210, "Bulk transfer ID not found";
    EXPIRED = 3300, "Generic expired error";
    TRANSACTION_REQUEST_EXPIRED = 3301, "Transaction request expired";
    QUOTE_EXPIRED = 3302, "Quote expired";
    TRANSFER_EXPIRED = 3303, "Transfer expired";
    PAYER_ERROR = 4000, "Generic Payer error";
    PAYER_LIQUIDITY = 4001, "Payer FSP insufficient liquidity";
    PAYER_REJECTION = 4100, "Generic Payer rejection";
    PAYER_REJECTED_TRANSACTION_REQUEST = 4101, "Payer rejected transaction request";
    PAYER_UNSUPPORTED_TRANSACTION_TYPE = 4102, "Payer FSP unsupported transaction type";
    PAYER_UNSUPPORTED_CURRENCY = 4103, "Payer unsupported currency";
    PAYER_LIMIT = 4200, "Payer limit error";
    PAYER_PERMISSION = 4300, "Payer permission error";
    PAYER_BLOCKED = 4400, "Generic Payer blocked error";
    PAYEE_ERROR = 5000, "Generic Payee error";
    PAYEE_LIQUIDITY = 5001, "Payee FSP insufficient liquidity";
    PAYEE_REJECTION = 5100, "Generic Payee rejection";
    PAYEE_REJECTED_QUOTE = 5101, "Payee rejected quote";
    PAYEE_UNSUPPORTED_TRANSACTION_TYPE = 5102, "Payee FSP unsupported transaction type";
    PAYEE_FSP_REJECTED_QUOTE = 5103, "Payee FSP rejected quote";
    PAYEE_REJECTED_TRANSACTION = 5104, "Payee rejected transaction";
    PAYEE_FSP_REJECTED_TRANSACTION = 5105, "Payee FSP rejected transaction";
    PAYEE_UNSUPPORTED_CURRENCY = 5106, "Payee unsupported currency";
    PAYEE_IDENTIFIER_INVALID = 5107, "Payee identifier no-longer valid";
    PAYEE_LIMIT = 5200, "Payee limit error";
    PAYEE_PERMISSION = 5300, "Payee permission error";
    PAYEE_BLOCKED = 5400, "Generic Payee blocked error";
    SETTLEMENT = 6000, "Generic Settlement Error";
}

impl ErrorCode {
    /// Parses exactly four digits, the first not zero (`^[1-9]\d{3}$`). The code need not be in the table.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; 4] = text.as_bytes().try_into().ok()?;
        if digits[0] == b'0' || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        Some(Self(digits.iter().fold(0, |value, digit| value * 10 + u16::from(digit - b'0'))))
    }

    pub const fn number(self) -> u16 {
        self.0
    }

    /// Whether the code has a row of its own in the table.
    pub fn is_defined(self) -> bool {
        own_name(self.0).is_some()
    }

    /// Whether the hub passes the code on when a participant sends it: it is in the table or in one of the groups
    /// `10 20 30–33 40–44 50–54 60`. Any other code is replaced, in a transfer by
    /// [`crate::FspiopError::undefined_code`].
    pub fn is_relayable(self) -> bool {
        self.is_defined() || matches!(self.0 / 100, 10 | 20 | 30..=33 | 40..=44 | 50..=54 | 60)
    }

    /// The standard name; for a code without one, the name of its group's generic code, or of the generic client error.
    pub fn name(self) -> &'static str {
        own_name(self.0).or_else(|| own_name(self.0 / 100 * 100)).unwrap_or("Generic client error")
    }

    /// Status of a synchronous answer that carries this code. (A method that is not allowed is 3000 with 405; that
    /// status belongs to the error, see [`crate::FspiopError::method_not_allowed`].)
    pub fn http_status(self) -> u16 {
        match self {
            Self::UNACCEPTABLE_VERSION => 406,
            Self::UNKNOWN_URI => 404,
            Self::NOT_IMPLEMENTED => 501,
            Self::SERVICE_UNAVAILABLE | Self::PARTY_RESOLUTION_FAILED => 503,
            Self(1000..=1999) => 503,
            Self(2000..=2999) => 500,
            Self(_) => 400,
        }
    }
}

fn own_name(code: u16) -> Option<&'static str> {
    NAMES.binary_search_by_key(&code, |row| row.0).ok().map(|index| NAMES[index].1)
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ErrorCode({} {})", self.0, self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_what_participants_rely_on() {
        let rows: Vec<String> =
            ErrorCode::ALL.iter().map(|code| format!("{code} {} {}", code.http_status(), code.name())).collect();
        insta::assert_snapshot!(rows.join("\n"));
    }

    #[test]
    fn the_table_is_sorted_so_that_it_can_be_searched() {
        assert!(ErrorCode::ALL.is_sorted());
    }

    #[test]
    fn a_code_is_four_digits_and_the_first_is_not_zero() {
        assert_eq!(ErrorCode::parse("3100"), Some(ErrorCode::GENERIC_VALIDATION));
        for text in ["0100", "310", "31000", "31O0", "", "3.00", "+310"] {
            assert_eq!(ErrorCode::parse(text), None, "{text}");
        }
    }

    #[test]
    fn scheme_codes_take_the_name_of_their_group_and_are_relayed() {
        let scheme_code = ErrorCode::parse("5140").unwrap();
        assert_eq!((scheme_code.name(), scheme_code.is_defined()), ("Generic Payee rejection", false));
        assert!(scheme_code.is_relayable());
    }

    #[test]
    fn codes_outside_the_groups_are_not_relayed() {
        for text in ["7100", "9999", "3599", "1100", "6100"] {
            assert!(!ErrorCode::parse(text).unwrap().is_relayable(), "{text}");
        }
    }
}
