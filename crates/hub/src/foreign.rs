//! Parsers of foreign bytes that are the hub's own business: exported for the fuzz targets and for nobody else.

pub use crate::outbound::Head;

use vocabulary::{Amount, FspId, InvalidAmount};

/// A number of the administration API.
pub fn decimal(text: &str) -> Result<Amount, InvalidAmount> {
    crate::admin::decimal::parse(text)
}

/// The DFSPs that an oracle's answer names.
pub fn oracle_answer(body: &[u8]) -> Vec<FspId> {
    crate::lookup::entries_of(body).into_iter().map(|found| found.fsp).collect()
}
