//! Notices that follow from a change: told once, in the commit that makes it, so that none is lost or told twice.

use super::{NoticeContent, notice_about};
use crate::administration::{Change, Directory};
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use ledger::{Account, AccountId, AccountKind, Entry};
use vocabulary::{Amount, FspId, Timestamp};

/// The notices that changes of a directory cause: a net debit cap that is another than before, and each position that a
/// settlement moved. Opening accounts sets a first cap and adjusts none; an abort moves positions as well.
pub(crate) fn following(directory: &Directory, changes: &[Change], now: Timestamp, hub_name: &FspId) -> Vec<Change> {
    let mut positions = BTreeMap::new();
    let mut notices = Vec::new();
    let mut tell = |account: &Account, content| {
        let notice = notice_about(directory, (account.owner, account.currency), content, now, hub_name);
        notices.extend(notice.map(Box::new).map(Change::AddNotice));
    };
    for change in changes {
        if let Change::SetAccount(record) = change
            && let Some(content) = adjustment(directory, &record.account)
        {
            tell(&record.account, content);
        }
        if let Change::Post { entry, settlement: Some(settlement) } = change {
            for (account, position) in moved(directory, entry, &mut positions) {
                tell(account, NoticeContent::SettlementPosition { position, settlement: *settlement });
            }
        }
    }
    notices
}

/// Caps are compared as the limits that they are with the participant's liquidity.
fn adjustment(directory: &Directory, after: &Account) -> Option<NoticeContent> {
    let before = &directory.account_by_id(after.id)?.account;
    let liquidity = directory.liquidity(after.owner, after.currency);
    let (previous, cap) = (before.cap?.limit_with(liquidity), after.cap?.limit_with(liquidity));
    (previous != cap).then_some(NoticeContent::CapAdjustment { previous, cap })
}

/// The positions that an entry moves, with what they are then. `known` has those that entries before it have moved.
fn moved<'a>(
    directory: &'a Directory,
    entry: &Entry,
    known: &mut BTreeMap<AccountId, Amount>,
) -> Vec<(&'a Account, Amount)> {
    let lowered = entry.amount.checked_neg().expect("an amount that was posted can be negated");
    let sides = [(entry.debit, entry.amount), (entry.credit, lowered)];
    let sides = sides.into_iter().filter_map(|(id, by)| {
        let account = &directory.account_by_id(id)?.account;
        if account.kind != AccountKind::Position {
            return None;
        }
        let position = known.entry(id).or_insert_with(|| account.value());
        *position = position.checked_add(by).expect("the book has posted the entry");
        Some((account, *position))
    });
    sides.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        administration::{
            AdminCommand, SetAccountActivity, SetCapShare, SetEndpoint, SetLimit,
            fixture::{HUB, Scheme, amount, create, currency, fsp, open},
        },
        notices::{Channel, NoticeKind, OperatorNotice, Recipient},
    };
    use alloc::vec;
    use ledger::Cap;

    fn limit(value: &str) -> AdminCommand {
        let cap = Cap { limit: amount(value), alarm_percentage: amount("10"), share: None };
        AdminCommand::SetLimit(SetLimit { participant: fsp("dfsp"), currency: currency("USD"), cap })
    }

    fn endpoint(name: &str, endpoint_type: &str, value: &str) -> AdminCommand {
        let (endpoint_type, value) = (endpoint_type.into(), value.into());
        AdminCommand::SetEndpoint(SetEndpoint { participant: fsp(name), endpoint_type, value })
    }

    fn adjusted(previous: &str, cap: &str) -> NoticeContent {
        NoticeContent::CapAdjustment { previous: amount(previous), cap: amount(cap) }
    }

    #[test]
    fn a_cap_is_told_when_its_value_is_another_and_only_then() {
        let mut scheme = Scheme::with_dfsp();
        assert_eq!(scheme.notices, [], "opening sets a first cap");
        scheme.does(limit("1000"));
        let account = scheme.account("dfsp", "USD", AccountKind::Position).unwrap().account.id;
        let participant = fsp("dfsp");
        scheme.does(AdminCommand::SetAccountActivity(SetAccountActivity { participant, account, is_active: false }));
        assert_eq!(scheme.notices, [], "nothing of the cap has changed");
        scheme.does(limit("999.5"));
        scheme.does(limit("999.5"));
        let share = SetCapShare {
            participant: fsp("dfsp"),
            currency: currency("USD"),
            share: amount("80"),
            alarm_percentage: amount("10"),
        };
        scheme.does(AdminCommand::SetCapShare(share));
        scheme.does(limit("0"));
        let contents: Vec<_> = scheme.notices.iter().map(|notice| notice.content).collect();
        assert_eq!(contents, [adjusted("1000", "999.5"), adjusted("999.5", "0")], "a share of nothing is zero");
    }

    #[test]
    fn the_participant_and_the_hub_are_told_at_their_endpoints_of_the_kind() {
        let mut scheme = Scheme::with_dfsp();
        scheme.does(create("other", "USD"));
        scheme.does(open("other", "USD", "1", "0"));
        for (name, endpoint_type, value) in [
            ("dfsp", "ALARM_NOTIFICATION_URL", "http://dfsp/alarms"),
            ("dfsp", "NET_DEBIT_CAP_THRESHOLD_BREACH_EMAIL", "breach@dfsp"),
            ("dfsp", "NET_DEBIT_CAP_ADJUSTMENT_EMAIL", "limits@dfsp,risk@dfsp"),
            (HUB, "NET_DEBIT_CAP_ADJUSTMENT_EMAIL", "limits@hub"),
            ("other", "ALARM_NOTIFICATION_URL", "http://other/alarms"),
        ] {
            scheme.does(endpoint(name, endpoint_type, value));
        }
        scheme.does(limit("5"));
        let recipient = |name, channel, address: &str| Recipient { name: fsp(name), channel, address: address.into() };
        let expected = OperatorNotice {
            participant: fsp("dfsp"),
            currency: currency("USD"),
            content: adjusted("1000", "5"),
            made_at: scheme.now,
            recipients: vec![
                recipient("dfsp", Channel::Webhook, "http://dfsp/alarms"),
                recipient("dfsp", Channel::Email, "limits@dfsp,risk@dfsp"),
                recipient(HUB, Channel::Email, "limits@hub"),
            ],
        };
        assert_eq!(scheme.notices, [expected]);
        assert_eq!(scheme.notices[0].content.kind(), NoticeKind::CapAdjustment);
    }
}
