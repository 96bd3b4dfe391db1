//! Now, in the texts of messages.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use vocabulary::Timestamp;

pub const DATE_LENGTH: usize = 29;
pub const EXPIRATION_LENGTH: usize = 24;

/// What a message says about time.
#[derive(Clone, Copy)]
pub struct Texts {
    /// The `Date` header.
    pub date: [u8; DATE_LENGTH],
    /// When what begins now expires.
    pub expiration: [u8; EXPIRATION_LENGTH],
}

/// The system's clock, to the millisecond.
pub fn now() -> Timestamp {
    Timestamp::from_millis(millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()))
}

/// The texts of now, with an expiration so much later.
pub fn texts(lifetime: Duration) -> Texts {
    let now = now();
    Texts { date: fixed(&now.http().to_string()), expiration: fixed(&now.plus_millis(millis(lifetime)).to_string()) }
}

/// How long it is until an expiration; `None` if it is over or not a time.
pub fn lifetime_left(expiration: &str) -> Option<Duration> {
    let expiration: Timestamp = expiration.parse().ok()?;
    u64::try_from(expiration.millis() - now().millis()).ok().map(Duration::from_millis)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn fixed<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
    text.as_bytes().try_into().expect("dates of this century have one length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiration_is_as_far_away_as_it_was_made() {
        let texts = texts(Duration::from_secs(60));
        let left = lifetime_left(str::from_utf8(&texts.expiration).unwrap()).unwrap();
        assert!((Duration::from_secs(50)..=Duration::from_secs(60)).contains(&left), "{left:?}");
        assert_eq!(lifetime_left("2020-01-01T00:00:00.000Z"), None);
        assert_eq!(lifetime_left("tomorrow"), None);
        assert!(Timestamp::parse_http(str::from_utf8(&texts.date).unwrap()).is_ok());
    }
}
