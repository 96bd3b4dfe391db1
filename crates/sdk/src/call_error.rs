//! Why the scheme did not do what was asked, and whether it may still do it.

use crate::http_client::HttpError;
use fspiop::FspiopError;
use std::{fmt, time::Duration};

/// A call to the hub that did not succeed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CallError {
    /// The hub could not be reached; nothing was sent.
    Unreachable(String),
    /// The message may have arrived, its acceptance is unknown.
    Uncertain(String),
    /// The hub refused the message; nothing came of it.
    Refused(FspiopError),
    /// The hub or the other DFSP answered with an error callback.
    Answered(FspiopError),
    /// The message was accepted, the callback did not come.
    NoAnswer(Duration),
    /// The answer does not fit the question.
    Unusable(String),
    /// Nobody in the scheme converts between the two currencies.
    NoProvider,
    /// Too many requests wait for answers; nothing was sent.
    Busy,
}

impl CallError {
    /// The error of the scheme, if it gave one.
    pub fn scheme_error(&self) -> Option<&FspiopError> {
        match self {
            Self::Refused(error) | Self::Answered(error) => Some(error),
            Self::Unreachable(_) | Self::Uncertain(_) | Self::NoAnswer(_) | Self::Unusable(_) => None,
            Self::NoProvider | Self::Busy => None,
        }
    }

    /// Whether the hub certainly does not act on the message.
    pub fn is_certain(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Refused(_) | Self::NoProvider | Self::Busy => true,
            Self::Uncertain(_) | Self::Answered(_) | Self::NoAnswer(_) | Self::Unusable(_) => false,
        }
    }
}

impl From<HttpError> for CallError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Unreachable(_) => Self::Unreachable(error.to_string()),
            HttpError::Broken(_) | HttpError::TimedOut(_) => Self::Uncertain(error.to_string()),
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(cause) => write!(formatter, "the hub cannot be reached: {cause}"),
            Self::Uncertain(cause) => write!(formatter, "it is not known whether the hub took the message: {cause}"),
            Self::Refused(error) => write!(formatter, "the hub refused the message: {error}"),
            Self::Answered(error) => write!(formatter, "the answer is an error: {error}"),
            Self::NoAnswer(timeout) => write!(formatter, "no answer within {} s", timeout.as_secs()),
            Self::Unusable(cause) => write!(formatter, "the answer is unusable: {cause}"),
            Self::NoProvider => formatter.write_str("nobody converts between these currencies"),
            Self::Busy => formatter.write_str("too many requests wait for answers; try again in a moment"),
        }
    }
}

impl std::error::Error for CallError {}
