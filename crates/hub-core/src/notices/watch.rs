//! Which alarms are to be told now: a function of the balances, of what was told before, and of the time.

use super::{
    NoticeContent, OperatorNotice, Policy, Said,
    alarm::{self, Next},
    notice_about,
};
use crate::{Participant, administration::Directory};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use ledger::{Account, AccountId, AccountKind, ParticipantId};
use vocabulary::{Amount, FspId, Timestamp};

/// A hundred per cent, in the units of an amount.
const WHOLE: i128 = 1_000_000;

/// What has been said of an account. A position has the alarm of its cap, a settlement account that of its liquidity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Alarm {
    pub account: AccountId,
    pub said: Said,
}

/// What becomes of an account's alarm. It is to be taken only if what was said is still `before`: then one of several
/// nodes that look at the same time tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlarmStep {
    pub account: AccountId,
    pub before: Option<Said>,
    pub after: Option<Said>,
    pub notice: Option<OperatorNotice>,
}

/// The steps that are due, in order of the accounts. Inactive accounts and participants cause no alarm.
pub fn watch(
    directory: &Directory,
    alarms: &[Alarm],
    now: Timestamp,
    policy: &Policy,
    hub_name: &FspId,
) -> Vec<AlarmStep> {
    let said: BTreeMap<AccountId, Said> = alarms.iter().map(|alarm| (alarm.account, alarm.said)).collect();
    let known = directory.participants.iter().map(|record| &record.participant);
    let active: BTreeSet<ParticipantId> =
        known.filter(|known| known.is_active).map(|Participant { id, .. }| *id).collect();
    let mut steps = Vec::new();
    for record in &directory.accounts {
        let account = &record.account;
        let is_watched = record.is_open && account.is_active && active.contains(&account.owner);
        let breach = if is_watched { breach_of(directory, account, record.liquidity_threshold) } else { None };
        let before = said.get(&account.id).copied();
        let (after, notice) = match alarm::next(before, breach.is_some(), now, policy) {
            Next::Nothing => continue,
            Next::Forget => (None, None),
            Next::Say(said) => {
                let about = (account.owner, account.currency);
                (Some(said), breach.and_then(|content| notice_about(directory, about, content, now, hub_name)))
            }
        };
        steps.push(AlarmStep { account: account.id, before, after, notice });
    }
    steps
}

/// What is to be told of an account that is near its cap, or whose liquidity is too low.
fn breach_of(directory: &Directory, account: &Account, threshold: Option<Amount>) -> Option<NoticeContent> {
    match account.kind {
        AccountKind::Position => {
            let alarm = account.cap?;
            // Looking the liquidity up takes longer than all the rest.
            let liquidity = match alarm.share {
                Some(_) => directory.liquidity(account.owner, account.currency),
                None => Amount::ZERO,
            };
            let (position, cap) = (account.value(), alarm.limit_with(liquidity));
            let is_near = is_near(position, cap, alarm.alarm_percentage);
            is_near.then(|| NoticeContent::CapThreshold {
                position,
                cap,
                remaining: remaining(position, cap),
                alarm_percentage: alarm.alarm_percentage,
            })
        }
        AccountKind::Settlement => {
            let (threshold, liquidity) = (threshold?, account.value().checked_neg()?);
            (liquidity < threshold).then_some(NoticeContent::LiquidityThreshold { liquidity, threshold })
        }
        AccountKind::HubReconciliation
        | AccountKind::HubMultilateralSettlement
        | AccountKind::InterchangeFee
        | AccountKind::InterchangeFeeSettlement
        | AccountKind::Custom(_) => None,
    }
}

/// Whether 100 − position · 100 / cap ≤ alarm, without division: an exact answer. A cap that is not above zero has no
/// percentage; a position is near it when it is above it.
fn is_near(position: Amount, cap: Amount, alarm: Amount) -> bool {
    let [position, limit, alarm] = [position, cap, alarm].map(|amount| i128::from(amount.units()));
    if cap <= Amount::ZERO { position > limit } else { position * WHOLE >= (WHOLE - alarm) * limit }
}

/// Per cent of the cap that remain, rounded down to 10⁻⁴; zero where the cap is not above zero.
fn remaining(position: Amount, cap: Amount) -> Amount {
    if cap <= Amount::ZERO {
        return Amount::ZERO;
    }
    let used = i128::from(position.units()) * WHOLE;
    let units = WHOLE - used.div_euclid(cap.units().into()) - i128::from(used.rem_euclid(cap.units().into()) != 0);
    Amount::from_units(i64::try_from(units).unwrap_or(if units < 0 { i64::MIN } else { i64::MAX }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::administration::{
        AdminCommand, SetCapShare, SetLimit, SetLiquidityThreshold,
        fixture::{HUB, Scheme, amount, currency, fsp},
    };
    use ledger::Cap;

    #[test]
    fn section_4_8_what_remains_is_compared_with_the_alarm_percentage() {
        for (position, cap, alarm, is_breached, left) in [
            ("0", "1000", "10", false, "100"),
            ("899.9999", "1000", "10", false, "10"),
            ("900", "1000", "10", true, "10"),
            ("950", "1000", "10", true, "5"),
            ("1000", "1000", "0", true, "0"),
            ("999.9999", "1000", "0", false, "0"),
            ("1100", "1000", "10", true, "-10"),
            ("-1000", "1000", "10", false, "200"),
            ("100", "1000", "90", true, "90"),
            ("2", "3", "33.3333", false, "33.3333"),
            ("2", "3", "33.3334", true, "33.3333"),
            ("99999999999999.9999", "0.0001", "10", true, "-922337203685477.5808"),
            // No percentage of these.
            ("0", "0", "10", false, "0"),
            ("0.0001", "0", "10", true, "0"),
            ("-5", "-5", "10", false, "0"),
            ("-4", "-5", "10", true, "0"),
        ] {
            let place = alloc::format!("{position} of {cap} with {alarm}");
            let amounts = [position, cap, alarm].map(signed);
            assert_eq!(is_near(amounts[0], amounts[1], amounts[2]), is_breached, "{place}");
            assert_eq!(alloc::string::ToString::to_string(&remaining(amounts[0], amounts[1])), left, "{place}");
        }
    }

    fn signed(text: &str) -> Amount {
        let digits = text.strip_prefix('-');
        digits.map_or_else(|| amount(text), |digits| amount(digits).checked_neg().unwrap())
    }

    /// A scheme whose `dfsp` has this position and liquidity in USD.
    fn scheme(position: &str, liquidity: &str) -> Scheme {
        let mut scheme = Scheme::with_dfsp();
        let mut set = |kind, value: Amount| {
            let id = scheme.account("dfsp", "USD", kind).unwrap().account.id;
            let mut accounts = scheme.directory.accounts.iter_mut();
            accounts.find(|record| record.account.id == id).unwrap().account.posted = value;
        };
        set(AccountKind::Position, amount(position));
        set(AccountKind::Settlement, amount(liquidity).checked_neg().unwrap());
        scheme
    }

    fn threshold(value: Option<&str>) -> AdminCommand {
        let (participant, currency) = (fsp("dfsp"), currency("USD"));
        AdminCommand::SetLiquidityThreshold(SetLiquidityThreshold {
            participant,
            currency,
            threshold: value.map(amount),
        })
    }

    fn steps(scheme: &Scheme, alarms: &[Alarm], now: i64) -> Vec<AlarmStep> {
        watch(&scheme.directory, alarms, Timestamp::from_millis(now), &Policy::default(), &fsp(HUB))
    }

    fn contents(scheme: &Scheme) -> Vec<NoticeContent> {
        steps(scheme, &[], 0).into_iter().map(|step| step.notice.unwrap().content).collect()
    }

    #[test]
    fn holds_count_towards_the_position() {
        let mut scheme = scheme("500", "2000");
        assert_eq!(contents(&scheme), []);
        let position = scheme.account("dfsp", "USD", AccountKind::Position).unwrap().account.id;
        let mut accounts = scheme.directory.accounts.iter_mut();
        accounts.find(|record| record.account.id == position).unwrap().account.held = amount("450");
        let [NoticeContent::CapThreshold { position, cap, remaining, .. }] = contents(&scheme)[..] else { panic!() };
        assert_eq!([position, cap, remaining], ["950", "1000", "5"].map(amount));
    }

    #[test]
    fn a_cap_that_is_a_share_is_what_it_is_with_the_liquidity() {
        let mut scheme = scheme("500", "1000");
        let (share, alarm_percentage) = (amount("50"), amount("20"));
        let command = SetCapShare { participant: fsp("dfsp"), currency: currency("USD"), share, alarm_percentage };
        scheme.does(AdminCommand::SetCapShare(command));
        let [NoticeContent::CapThreshold { cap, remaining, .. }] = contents(&scheme)[..] else { panic!() };
        assert_eq!((cap, remaining), (amount("500"), Amount::ZERO));
    }

    #[test]
    fn liquidity_is_watched_where_it_has_a_threshold() {
        let mut scheme = scheme("0", "99.9999");
        assert_eq!(contents(&scheme), []);
        scheme.does(threshold(Some("100")));
        let (liquidity, limit) = (amount("99.9999"), amount("100"));
        assert_eq!(contents(&scheme), [NoticeContent::LiquidityThreshold { liquidity, threshold: limit }]);
        scheme.does(threshold(Some("99.9999")));
        assert_eq!(contents(&scheme), [], "not below");
        scheme.does(threshold(Some("100")));
        scheme.does(threshold(None));
        assert_eq!(contents(&scheme), []);
    }

    #[test]
    fn what_is_inactive_causes_no_alarm() {
        let mut participant = scheme("950", "2000");
        assert_eq!(contents(&participant).len(), 1);
        participant.directory.participants.iter_mut().for_each(|record| record.participant.is_active = false);
        assert_eq!(contents(&participant), []);
        let mut account = scheme("950", "2000");
        account.directory.accounts.iter_mut().for_each(|record| record.account.is_active = false);
        assert_eq!(contents(&account), []);
    }

    #[test]
    fn a_step_says_what_was_said_before_and_what_is_said_now() {
        let mut scheme = scheme("950", "2000");
        let account = scheme.account("dfsp", "USD", AccountKind::Position).unwrap().account.id;
        let [first] = &steps(&scheme, &[], 0)[..] else { panic!() };
        assert_eq!((first.account, first.before), (account, None));
        let said = first.after.unwrap();
        let alarms = [Alarm { account, said }];
        assert_eq!(steps(&scheme, &alarms, 179_999), []);
        let [second] = &steps(&scheme, &alarms, 180_000)[..] else { panic!() };
        assert_eq!((second.before, second.after.unwrap().count), (Some(said), 2));
        let cap = Cap { limit: amount("5000"), alarm_percentage: amount("10"), share: None };
        scheme.does(AdminCommand::SetLimit(SetLimit { participant: fsp("dfsp"), currency: currency("USD"), cap }));
        assert_eq!(steps(&scheme, &alarms, 180_000), []);
        let gone = AlarmStep { account, before: Some(said), after: None, notice: None };
        assert_eq!(steps(&scheme, &alarms, 3_600_000), [gone]);
    }
}
