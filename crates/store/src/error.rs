//! What can go wrong with a store, by what to do about it.

use std::{error::Error, fmt};

/// An error of a store. Nothing of the unit is durable, except as `OutcomeUnknown` says.
#[derive(Debug)]
pub enum StoreError {
    /// The database gave up in favour of another unit (serialization failure, deadlock): run the unit again.
    Conflict(String),
    /// The data of some command do not fit: halve the unit until the culprit stands alone.
    Data(String),
    /// The connection broke while committing: run the unit again, where what is durable shows as duplicates.
    OutcomeUnknown(String),
    /// The database cannot be reached or is full: nothing can be decided until it is back.
    Unavailable(String),
    /// The store cannot be opened: a newer schema, another process, no permission. Says what to do.
    Refused(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict(what) => write!(formatter, "the database preferred another unit: {what}"),
            Self::Data(what) => write!(formatter, "the database refused the data of a unit: {what}"),
            Self::OutcomeUnknown(what) => write!(formatter, "the connection broke during a commit: {what}"),
            Self::Unavailable(what) => write!(formatter, "the database is unavailable: {what}"),
            Self::Refused(what) => formatter.write_str(what),
        }
    }
}

impl Error for StoreError {}
