//! Conversions: fxTransfers between who needs another currency and a foreign exchange provider (contract, interscheme §3).
//!
//! Invariant: a conversion moves nothing by itself. What it holds is posted in the unit that commits its determining
//! transfer, and dropped in the unit that ends that transfer otherwise.

mod conclude;
mod fulfil;
mod prepare;
mod reject;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_histories;
#[cfg(test)]
mod tests_of_payments;

pub use conclude::{Conclude, conclude};
pub use fulfil::{Agree, agree};
pub use prepare::{AskedAmount, PrepareConversion, prepare};
pub use reject::{RejectConversion, reject};

use crate::{Subject, SubjectKind};
use vocabulary::CorrelationId;

fn subject(id: CorrelationId) -> Subject {
    Subject { kind: SubjectKind::Conversion, id }
}
