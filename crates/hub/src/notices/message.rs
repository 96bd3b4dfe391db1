//! What is sent of a notice: JSON to a webhook, text by e-mail. Depends on the notice only, so that every attempt sends
//! the same.

use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use store::StoredNotice;
use vocabulary::FspId;

/// The values of a notice by name, as decimal texts.
pub(crate) fn values_of(notice: &StoredNotice) -> Map<String, Value> {
    notice.content.values().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

/// The body of a webhook's request.
pub(super) fn webhook(notice: &StoredNotice) -> String {
    json!({
        "id": notice.id.0,
        "kind": notice.content.kind().as_str(),
        "participant": notice.participant.as_str(),
        "currency": notice.currency.as_str(),
        "values": values_of(notice),
        "madeAt": notice.made_at.to_string(),
        "text": notice.content.sentence(&notice.participant, notice.currency),
    })
    .to_string()
}

/// Subject and text of an e-mail.
pub(super) fn email(notice: &StoredNotice, hub: &FspId) -> (String, String) {
    let (kind, participant, currency) = (notice.content.kind().as_str(), &notice.participant, notice.currency);
    let mut text = format!("{}\n\n", notice.content.sentence(participant, currency));
    for (name, value) in notice.content.values() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name}: {value}");
    }
    let _ = writeln!(text, "\nNotice {} of {hub}, made at {}.", notice.id.0, notice.made_at);
    (format!("{hub}: {kind} {participant} {currency}"), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::notices::NoticeContent;
    use store::NoticeId;
    use vocabulary::{Amount, Timestamp};

    fn notice() -> StoredNotice {
        let [previous, cap] = [10_000_000, 9_995_000].map(Amount::from_units);
        StoredNotice {
            id: NoticeId(7),
            participant: "greenbank".parse().unwrap(),
            currency: "USD".parse().unwrap(),
            content: NoticeContent::CapAdjustment { previous, cap },
            made_at: Timestamp::from_millis(1_700_000_000_000),
        }
    }

    #[test]
    fn a_webhook_gets_values_as_decimal_texts() {
        let expected = json!({
            "id": 7, "kind": "NET_DEBIT_CAP_ADJUSTMENT", "participant": "greenbank", "currency": "USD",
            "values": {"previousCap": "1000", "cap": "999.5"}, "madeAt": "2023-11-14T22:13:20.000Z",
            "text": "The net debit cap of greenbank in USD is 999.5 now; it was 1000.",
        });
        assert_eq!(serde_json::from_str::<Value>(&webhook(&notice())).unwrap(), expected);
    }

    #[test]
    fn an_e_mail_says_it_in_its_subject_and_has_every_value() {
        let (subject, text) = email(&notice(), &"Hub".parse().unwrap());
        assert_eq!(subject, "Hub: NET_DEBIT_CAP_ADJUSTMENT greenbank USD");
        assert_eq!(
            text,
            "The net debit cap of greenbank in USD is 999.5 now; it was 1000.\n\npreviousCap: 1000\ncap: 999.5\n\n\
             Notice 7 of Hub, made at 2023-11-14T22:13:20.000Z.\n"
        );
    }
}
