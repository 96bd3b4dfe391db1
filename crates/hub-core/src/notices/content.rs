//! What a notice says, by kind.

use crate::settlement::SettlementId;
use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use vocabulary::{Amount, Currency, FspId};

/// What a notice is about. The names are those of Mojaloop's endpoint types where it has one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NoticeKind {
    CapThreshold,
    /// An addition of this hub.
    LiquidityThreshold,
    CapAdjustment,
    SettlementPosition,
}

/// What a notice says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoticeContent {
    CapThreshold {
        position: Amount,
        cap: Amount,
        /// Per cent of the cap; zero where the cap is not above zero.
        remaining: Amount,
        alarm_percentage: Amount,
    },
    LiquidityThreshold {
        liquidity: Amount,
        threshold: Amount,
    },
    CapAdjustment {
        previous: Amount,
        cap: Amount,
    },
    SettlementPosition {
        /// After the change.
        position: Amount,
        settlement: SettlementId,
    },
}

impl NoticeKind {
    pub const ALL: [Self; 4] =
        [Self::CapThreshold, Self::LiquidityThreshold, Self::CapAdjustment, Self::SettlementPosition];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CapThreshold => "NET_DEBIT_CAP_THRESHOLD_BREACH",
            Self::LiquidityThreshold => "LIQUIDITY_THRESHOLD_BREACH",
            Self::CapAdjustment => "NET_DEBIT_CAP_ADJUSTMENT",
            Self::SettlementPosition => "SETTLEMENT_TRANSFER_POSITION_CHANGE",
        }
    }

    /// Parses the name that [`Self::as_str`] prints.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }

    /// The endpoint type of its e-mail addresses. Liquidity has none of its own in Mojaloop; who watches the cap
    /// watches the liquidity.
    pub const fn email_endpoint(self) -> &'static str {
        match self {
            Self::CapThreshold | Self::LiquidityThreshold => "NET_DEBIT_CAP_THRESHOLD_BREACH_EMAIL",
            Self::CapAdjustment => "NET_DEBIT_CAP_ADJUSTMENT_EMAIL",
            Self::SettlementPosition => "SETTLEMENT_TRANSFER_POSITION_CHANGE_EMAIL",
        }
    }
}

impl NoticeContent {
    pub const fn kind(&self) -> NoticeKind {
        match self {
            Self::CapThreshold { .. } => NoticeKind::CapThreshold,
            Self::LiquidityThreshold { .. } => NoticeKind::LiquidityThreshold,
            Self::CapAdjustment { .. } => NoticeKind::CapAdjustment,
            Self::SettlementPosition { .. } => NoticeKind::SettlementPosition,
        }
    }

    /// Its values by name, as decimal texts.
    pub fn values(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::CapThreshold { position, cap, remaining, alarm_percentage } => vec![
                ("position", position.to_string()),
                ("cap", cap.to_string()),
                ("remainingPercentage", remaining.to_string()),
                ("alarmPercentage", alarm_percentage.to_string()),
            ],
            Self::LiquidityThreshold { liquidity, threshold } => {
                vec![("liquidity", liquidity.to_string()), ("threshold", threshold.to_string())]
            }
            Self::CapAdjustment { previous, cap } => {
                vec![("previousCap", previous.to_string()), ("cap", cap.to_string())]
            }
            Self::SettlementPosition { position, settlement } => {
                vec![("position", position.to_string()), ("settlementId", settlement.0.to_string())]
            }
        }
    }

    /// Reads back what [`Self::values`] wrote for a kind; none where a value is missing or no number.
    pub fn from_values<'a>(kind: NoticeKind, value: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        // An amount that was computed may have more digits than one that may be sent.
        let amount = |name| value(name).and_then(amount_of);
        Some(match kind {
            NoticeKind::CapThreshold => Self::CapThreshold {
                position: amount("position")?,
                cap: amount("cap")?,
                remaining: amount("remainingPercentage")?,
                alarm_percentage: amount("alarmPercentage")?,
            },
            NoticeKind::LiquidityThreshold => {
                Self::LiquidityThreshold { liquidity: amount("liquidity")?, threshold: amount("threshold")? }
            }
            NoticeKind::CapAdjustment => Self::CapAdjustment { previous: amount("previousCap")?, cap: amount("cap")? },
            NoticeKind::SettlementPosition => Self::SettlementPosition {
                position: amount("position")?,
                settlement: SettlementId(value("settlementId")?.parse().ok()?),
            },
        })
    }

    /// The sentence that people read.
    pub fn sentence(&self, participant: &FspId, currency: Currency) -> String {
        match self {
            Self::CapThreshold { position, cap, remaining, alarm_percentage } => format!(
                "The position of {participant} in {currency} is {position} and its net debit cap {cap}: \
                 {remaining} per cent of the cap remain, and the alarm is set at {alarm_percentage}."
            ),
            Self::LiquidityThreshold { liquidity, threshold } => format!(
                "The liquidity of {participant} in {currency} is {liquidity}, below the {threshold} that were set as \
                 its threshold."
            ),
            Self::CapAdjustment { previous, cap } => {
                format!("The net debit cap of {participant} in {currency} is {cap} now; it was {previous}.")
            }
            Self::SettlementPosition { position, settlement } => {
                format!(
                    "Settlement {} has changed the position of {participant} in {currency} to {position}.",
                    settlement.0
                )
            }
        }
    }
}

/// An amount in the form that [`Amount`] prints, in its whole range.
fn amount_of(text: &str) -> Option<Amount> {
    let (digits, is_negative) = text.strip_prefix('-').map_or((text, false), |digits| (digits, true));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_plain(whole) || !is_plain(fraction) || fraction.len() > 4 {
        return None;
    }
    let units: i128 = format!("{whole}{fraction:0<4}").parse().ok()?;
    i64::try_from(if is_negative { -units } else { units }).ok().map(Amount::from_units)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts() -> [Amount; 6] {
        [0, 1, -1, 9_500_000, i64::MAX, i64::MIN].map(Amount::from_units)
    }

    #[test]
    fn what_a_notice_says_is_read_back_from_its_values() {
        for first in amounts() {
            for second in amounts() {
                let contents = [
                    NoticeContent::CapThreshold {
                        position: first,
                        cap: second,
                        remaining: second,
                        alarm_percentage: first,
                    },
                    NoticeContent::LiquidityThreshold { liquidity: first, threshold: second },
                    NoticeContent::CapAdjustment { previous: first, cap: second },
                    NoticeContent::SettlementPosition { position: first, settlement: SettlementId(7) },
                ];
                for content in contents {
                    let values = content.values();
                    let value = |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value);
                    assert_eq!(NoticeContent::from_values(content.kind(), value), Some(content));
                }
            }
        }
    }

    #[test]
    fn what_is_missing_or_no_number_is_not_read() {
        for text in ["", "-", "x", "1.23456", "99999999999999999999", ".5", "1e3", "+1"] {
            assert_eq!(NoticeContent::from_values(NoticeKind::CapAdjustment, |_| Some(text)), None, "{text}");
        }
        let read = NoticeContent::from_values(NoticeKind::CapAdjustment, |name| (name == "cap").then_some("1"));
        assert_eq!(read, None);
    }

    #[test]
    fn names_are_read_back() {
        for kind in NoticeKind::ALL {
            assert_eq!(NoticeKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(NoticeKind::parse("SOMETHING"), None);
    }

    #[test]
    fn the_sentence_has_every_value() {
        let content = NoticeContent::LiquidityThreshold {
            liquidity: Amount::from_units(95_000),
            threshold: Amount::from_units(100_000),
        };
        assert_eq!(
            content.sentence(&"dfsp".parse().unwrap(), "USD".parse().unwrap()),
            "The liquidity of dfsp in USD is 9.5, below the 10 that were set as its threshold."
        );
    }
}
