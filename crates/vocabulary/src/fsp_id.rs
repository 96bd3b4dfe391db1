//! Names of participants.

use alloc::sync::Arc;
use core::{fmt, str::FromStr};

/// `FspId` (FSPIOP 1.1 §7.3.16): 1 to 32 characters. Cloning is cheap. Equality is exact;
/// where the contract compares without case, use [`FspId::same_as`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FspId(Arc<str>);

/// The text is empty or longer than 32 characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidFspId;

impl FspId {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Equality without regard to case, as the fulfil rules compare header values.
    pub fn same_as(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

impl FromStr for FspId {
    type Err = InvalidFspId;

    fn from_str(text: &str) -> Result<Self, InvalidFspId> {
        let length = text.chars().take(33).count();
        if length == 0 || length > 32 { Err(InvalidFspId) } else { Ok(Self(Arc::from(text))) }
    }
}

impl fmt::Display for FspId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for FspId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FspId({})", self.0)
    }
}

impl fmt::Display for InvalidFspId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an FSP id has 1 to 32 characters")
    }
}

impl core::error::Error for InvalidFspId {}
