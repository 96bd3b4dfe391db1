//! The texts of now: one rendering a second instead of one per message.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use vocabulary::Timestamp;

pub const DATE_LENGTH: usize = 29;
pub const EXPIRATION_LENGTH: usize = 24;

/// What a message says about time.
#[derive(Clone, Copy)]
pub struct Texts {
    /// The `Date` header.
    pub date: [u8; DATE_LENGTH],
    /// When a payment that begins now expires.
    pub expiration: [u8; EXPIRATION_LENGTH],
}

/// The texts of now, with an expiration so much later.
pub fn texts(lifetime: Duration) -> Texts {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    let now = Timestamp::from_millis(millis(since_epoch));
    Texts { date: fixed(&now.http().to_string()), expiration: fixed(&now.plus_millis(millis(lifetime)).to_string()) }
}

fn fixed<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
    text.as_bytes().try_into().expect("dates of this century have one length")
}
