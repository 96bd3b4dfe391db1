//! Points in time, to the millisecond, and their two texts: ISO 8601 in bodies, RFC 7231 in the `Date` header.

use core::{fmt, str::FromStr};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text is not a date of the expected form, or no such day or time exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidTimestamp;

const DAY_MS: i64 = 86_400_000;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// 1970-01-01 was a Thursday.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Parses `ddd, DD MMM YYYY HH:mm:ss GMT` (RFC 7231 IMF-fixdate), strictly, weekday included.
    pub fn parse_http(text: &str) -> Result<Self, InvalidTimestamp> {
        let bytes = text.as_bytes();
        if bytes.len() != 29 || &bytes[3..5] != b", " || &bytes[25..] != b" GMT" || !text.is_ascii() {
            return Err(InvalidTimestamp);
        }
        let separators = [(7, b' '), (11, b' '), (16, b' '), (19, b':'), (22, b':')];
        if separators.iter().any(|(position, separator)| bytes[*position] != *separator) {
            return Err(InvalidTimestamp);
        }
        let month = MONTHS.iter().position(|name| *name == &text[8..11]).ok_or(InvalidTimestamp)? as u32 + 1;
        let date = days_of(digits(&bytes[12..16])?, month, digits(&bytes[5..7])?)?;
        let time = time_of_day(&bytes[17..25])?;
        if WEEKDAYS[date.rem_euclid(7) as usize] != &text[..3] {
            return Err(InvalidTimestamp);
        }
        Ok(Self(date * DAY_MS + time))
    }

    /// The `Date` header's text, 29 characters.
    pub fn http(self) -> impl fmt::Display {
        struct Http(Timestamp);
        impl fmt::Display for Http {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                let parts = Parts::of(self.0);
                write!(
                    formatter,
                    "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                    WEEKDAYS[self.0.0.div_euclid(DAY_MS).rem_euclid(7) as usize],
                    parts.day,
                    MONTHS[parts.month as usize - 1],
                    parts.year,
                    parts.hour,
                    parts.minute,
                    parts.second
                )
            }
        }
        Http(self)
    }
}

struct Parts {
    year: i64,
    month: u32,
    day: u32,
    hour: i64,
    minute: i64,
    second: i64,
    millisecond: i64,
}

impl Parts {
    /// Days to civil date by the method of H. Hinnant: years begin in March, eras last 400 years.
    fn of(timestamp: Timestamp) -> Self {
        let (days, within) = (timestamp.0.div_euclid(DAY_MS), timestamp.0.rem_euclid(DAY_MS));
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 } as u32;
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day,
            hour: within / 3_600_000,
            minute: within / 60_000 % 60,
            second: within / 1000 % 60,
            millisecond: within % 1000,
        }
    }
}

fn days_of(year: i64, month: u32, day: i64) -> Result<i64, InvalidTimestamp> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return Err(InvalidTimestamp),
    };
    if day < 1 || day > length {
        return Err(InvalidTimestamp);
    }
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (shifted_year.div_euclid(400), shifted_year.rem_euclid(400));
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Ok(era * 146_097 + day_of_era - 719_468)
}

fn digits(text: &[u8]) -> Result<i64, InvalidTimestamp> {
    let mut value = 0;
    for character in text {
        if !character.is_ascii_digit() {
            return Err(InvalidTimestamp);
        }
        value = value * 10 + i64::from(character - b'0');
    }
    Ok(value)
}

/// `HH:mm:ss` to milliseconds; the caller has checked the colons.
fn time_of_day(text: &[u8]) -> Result<i64, InvalidTimestamp> {
    let (hour, minute, second) = (digits(&text[..2])?, digits(&text[3..5])?, digits(&text[6..8])?);
    if hour > 23 || minute > 59 || second > 59 {
        return Err(InvalidTimestamp);
    }
    Ok(((hour * 60 + minute) * 60 + second) * 1000)
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    /// Parses `DateTime` (FSPIOP 1.1 §7.2.9): `YYYY-MM-DDTHH:mm:ss.SSS` and `Z` or `±hh:mm`; milliseconds are mandatory.
    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let bytes = text.as_bytes();
        if bytes.len() != 24 && bytes.len() != 29 {
            return Err(InvalidTimestamp);
        }
        let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.')];
        if separators.iter().any(|(position, separator)| bytes[*position] != *separator) {
            return Err(InvalidTimestamp);
        }
        let date = days_of(digits(&bytes[..4])?, digits(&bytes[5..7])? as u32, digits(&bytes[8..10])?)?;
        let time = time_of_day(&bytes[11..19])? + digits(&bytes[20..23])?;
        let offset_minutes = match (bytes[23], bytes.len()) {
            (b'Z', 24) => 0,
            (sign @ (b'+' | b'-'), 29) if bytes[26] == b':' => {
                let (hours, minutes) = (digits(&bytes[24..26])?, digits(&bytes[27..29])?);
                if hours > 23 || minutes > 59 {
                    return Err(InvalidTimestamp);
                }
                let offset = hours * 60 + minutes;
                if sign == b'+' { offset } else { -offset }
            }
            _ => return Err(InvalidTimestamp),
        };
        Ok(Self(date * DAY_MS + time - offset_minutes * 60_000))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { year, month, day, hour, minute, second, millisecond } = Parts::of(*self);
        write!(formatter, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Timestamp({self})")
    }
}

impl fmt::Display for InvalidTimestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not a date and time of the expected form")
    }
}

impl core::error::Error for InvalidTimestamp {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn both_texts_of_one_instant_agree() {
        let instant: Timestamp = "2026-11-20T21:53:58.000Z".parse().unwrap();
        assert_eq!(instant.http().to_string(), "Fri, 20 Nov 2026 21:53:58 GMT");
        assert_eq!(Timestamp::parse_http("Fri, 20 Nov 2026 21:53:58 GMT").unwrap(), instant);
    }

    #[test]
    fn offsets_and_leap_days_count() {
        let utc: Timestamp = "2024-02-29T23:30:00.123Z".parse().unwrap();
        assert_eq!("2024-03-01T01:00:00.123+01:30".parse::<Timestamp>().unwrap(), utc);
        assert_eq!(utc.to_string(), "2024-02-29T23:30:00.123Z");
        assert_eq!(Timestamp::from_millis(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(-1).to_string(), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn every_day_of_four_centuries_survives_the_round_trip() {
        let (mut instant, end) = (-62_135_596_800_000, 12_622_780_800_000);
        while instant < end {
            let timestamp = Timestamp::from_millis(instant);
            assert_eq!(timestamp.to_string().parse::<Timestamp>(), Ok(timestamp));
            instant += 37 * DAY_MS + 12_345;
        }
    }

    #[test]
    fn other_forms_and_days_that_do_not_exist_are_refused() {
        for text in [
            "2026-11-20T21:53:58Z",
            "2026-11-20 21:53:58.000Z",
            "2026-02-29T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-01-01T24:00:00.000Z",
            "2026-01-01T00:00:00.000+0100",
            "2026-01-01T00:00:00.000",
            "",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(InvalidTimestamp), "{text}");
        }
        for text in ["Thu, 20 Nov 2026 21:53:58 GMT", "Fri, 20 Nov 2026 21:53:58", "2026-11-20T21:53:58.000Z"] {
            assert_eq!(Timestamp::parse_http(text), Err(InvalidTimestamp), "{text}");
        }
    }
}
