//! What the overview shows, computed from the directory: a participant's standing in each of its currencies.

use hub_core::administration::{AccountRecord, Directory, ParticipantRecord};
use ledger::AccountKind;
use vocabulary::{Amount, Currency, FspId};

/// The overview of a moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Figures {
    /// By name, without the hub.
    pub participants: Vec<ParticipantFigures>,
    /// Currencies that the hub clears, in alphabetical order.
    pub currencies: Vec<CurrencyFigures>,
}

/// One participant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ParticipantFigures {
    pub name: FspId,
    pub is_active: bool,
    pub is_proxy: bool,
    /// In order of the accounts' creation.
    pub standings: Vec<StandingFigures>,
    /// Its open accounts for fees and of the operator's own types, in order of their creation.
    pub others: Vec<OtherFigures>,
}

/// An account that no payment is judged by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct OtherFigures {
    pub kind: AccountKind,
    pub currency: Currency,
    pub balance: Amount,
}

/// A participant in one currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct StandingFigures {
    pub currency: Currency,
    pub status: Status,
    /// What the participant owes, reserved payments included.
    pub position: Amount,
    /// What it has paid in and not taken out.
    pub liquidity: Amount,
    /// The net debit cap; none before the accounts are opened.
    pub cap: Option<Amount>,
    /// What it can still send: the smaller of liquidity and cap, less the position. Zero unless it may send.
    pub headroom: Amount,
}

/// Whether a participant's position takes new payments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    Open,
    /// The operator has switched the account off.
    Disabled,
    /// Limits were never set.
    NotOpened,
}

/// The hub's own accounts in one currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct CurrencyFigures {
    pub currency: Currency,
    /// All that participants have paid in.
    pub reconciliation: Option<Amount>,
    /// What settlement has under way.
    pub settlement: Option<Amount>,
}

impl Figures {
    pub fn of(directory: &Directory, hub: &FspId) -> Self {
        let others = directory.participants.iter().filter(|record| record.participant.name != *hub);
        let mut participants: Vec<_> = others.map(|record| participant(directory, record)).collect();
        participants.sort_by(|one, other| one.name.cmp(&other.name));
        Self { participants, currencies: currencies(directory, hub) }
    }
}

fn participant(directory: &Directory, record: &ParticipantRecord) -> ParticipantFigures {
    let known = &record.participant;
    let positions = directory.accounts_of(known.id).filter(|record| record.account.kind == AccountKind::Position);
    let standings = positions.map(|position| {
        let settlement = directory.account(known.id, position.account.currency, AccountKind::Settlement);
        standing(position, settlement)
    });
    let others = directory.accounts_of(known.id).filter(|record| record.is_open && is_other(record.account.kind));
    let others = others.map(|record| OtherFigures {
        kind: record.account.kind,
        currency: record.account.currency,
        balance: record.account.value(),
    });
    ParticipantFigures {
        name: known.name.clone(),
        is_active: known.is_active,
        is_proxy: known.is_proxy,
        standings: standings.collect(),
        others: others.collect(),
    }
}

/// Whether an account is none of those that a standing shows.
fn is_other(kind: AccountKind) -> bool {
    match kind {
        AccountKind::Position | AccountKind::Settlement => false,
        AccountKind::HubReconciliation
        | AccountKind::HubMultilateralSettlement
        | AccountKind::InterchangeFee
        | AccountKind::InterchangeFeeSettlement
        | AccountKind::Custom(_) => true,
    }
}

fn standing(position: &AccountRecord, settlement: Option<&AccountRecord>) -> StandingFigures {
    let status = match (position.is_open, position.account.is_active) {
        (false, _) => Status::NotOpened,
        (true, false) => Status::Disabled,
        (true, true) => Status::Open,
    };
    let liquidity = settlement.and_then(|record| record.account.value().checked_neg()).unwrap_or(Amount::ZERO);
    let cap = position.account.cap.map(|cap| cap.limit_with(liquidity));
    let position_value = position.account.value();
    let usable = cap.map_or(liquidity, |cap| cap.min(liquidity));
    let headroom = match status {
        Status::Open => usable.checked_sub(position_value).unwrap_or(Amount::ZERO).max(Amount::ZERO),
        Status::Disabled | Status::NotOpened => Amount::ZERO,
    };
    StandingFigures { currency: position.account.currency, status, position: position_value, liquidity, cap, headroom }
}

fn currencies(directory: &Directory, hub: &FspId) -> Vec<CurrencyFigures> {
    let Some(hub) = directory.participant(hub).map(|record| record.participant.id) else { return Vec::new() };
    let mut known: Vec<Currency> = directory.accounts_of(hub).map(|record| record.account.currency).collect();
    known.sort_unstable();
    known.dedup();
    let value = |currency, kind| directory.account(hub, currency, kind).map(|record| record.account.value());
    let figures = known.into_iter().map(|currency| CurrencyFigures {
        currency,
        reconciliation: value(currency, AccountKind::HubReconciliation),
        settlement: value(currency, AccountKind::HubMultilateralSettlement),
    });
    figures.collect()
}

/// An amount with its integer digits in groups of three, for people.
pub(crate) fn readable(amount: Amount) -> String {
    let text = amount.to_string();
    let unsigned = text.strip_prefix('-');
    let (whole, fraction) = match unsigned.unwrap_or(&text).split_once('.') {
        Some((whole, fraction)) => (whole.to_owned(), format!(".{fraction}")),
        None => (unsigned.unwrap_or(&text).to_owned(), String::new()),
    };
    let digits = whole.len();
    let mut grouped = String::from(if unsigned.is_some() { "\u{2212}" } else { "" });
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (digits - at).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped + &fraction
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::Participant;
    use ledger::{Account, AccountId, Cap, ParticipantId};
    use vocabulary::Timestamp;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    fn member(id: i64, name: &str) -> ParticipantRecord {
        let name = name.parse().unwrap();
        let participant =
            Participant { id: ParticipantId(id), name, is_active: true, is_proxy: false, flow: hub_core::Flow::Both };
        ParticipantRecord { participant, created_at: Timestamp::from_millis(0) }
    }

    fn account(id: i64, owner: i64, kind: AccountKind, posted: &str) -> AccountRecord {
        let account = Account {
            id: AccountId(id),
            owner: ParticipantId(owner),
            kind,
            currency: "USD".parse().unwrap(),
            is_active: true,
            posted: amount(posted),
            held: Amount::ZERO,
            cap: None,
        };
        let at = Timestamp::from_millis(0);
        AccountRecord { account, is_open: true, created_at: at, changed_at: at, liquidity_threshold: None }
    }

    /// A hub, and one participant with a position of 30, liquidity of 100 and a cap.
    fn directory(cap: &str) -> Directory {
        let mut position = account(3, 2, AccountKind::Position, "20");
        position.account.held = amount("10");
        position.account.cap = Some(Cap { limit: amount(cap), alarm_percentage: amount("10"), share: None });
        Directory {
            participants: vec![member(1, "Hub"), member(2, "dfsp")],
            accounts: vec![
                account(1, 1, AccountKind::HubReconciliation, "100"),
                position,
                account(4, 2, AccountKind::Settlement, "-100"),
            ],
            ..Directory::default()
        }
    }

    #[test]
    fn headroom_is_the_smaller_of_liquidity_and_cap_less_the_position() {
        for (cap, headroom) in [("1000", "70"), ("50", "20"), ("30", "0"), ("10", "0"), ("-5", "0")] {
            let figures = Figures::of(&directory(cap), &"Hub".parse().unwrap());
            let standing = figures.participants[0].standings[0];
            assert_eq!((standing.position, standing.liquidity), (amount("30"), amount("100")));
            assert_eq!((standing.cap, standing.headroom), (Some(amount(cap)), amount(headroom)), "{cap}");
        }
    }

    #[test]
    fn who_may_not_send_has_no_headroom() {
        let mut disabled = directory("1000");
        disabled.accounts[1].account.is_active = false;
        let mut closed = directory("1000");
        closed.accounts[1].is_open = false;
        for (directory, status) in [(disabled, Status::Disabled), (closed, Status::NotOpened)] {
            let figures = Figures::of(&directory, &"Hub".parse().unwrap());
            let standing = figures.participants[0].standings[0];
            assert_eq!((standing.status, standing.headroom), (status, Amount::ZERO));
        }
    }

    #[test]
    fn open_accounts_of_other_types_are_shown_with_their_balances() {
        let mut directory = directory("1000");
        let levy = "LEVY".parse().unwrap();
        directory.accounts.extend([
            account(5, 2, AccountKind::InterchangeFee, "-0.6"),
            account(6, 2, levy, "7"),
            AccountRecord { is_open: false, ..account(7, 2, AccountKind::InterchangeFeeSettlement, "0") },
        ]);
        let figures = Figures::of(&directory, &"Hub".parse().unwrap());
        let others: Vec<_> = figures.participants[0].others.iter().map(|other| (other.kind, other.balance)).collect();
        assert_eq!(others, [(AccountKind::InterchangeFee, amount("-0.6")), (levy, amount("7"))]);
    }

    #[test]
    fn the_hub_is_shown_by_currency_and_not_as_a_participant() {
        let figures = Figures::of(&directory("1"), &"Hub".parse().unwrap());
        assert_eq!(figures.participants.len(), 1);
        assert_eq!(figures.currencies.len(), 1);
        assert_eq!(figures.currencies[0].reconciliation, Some(amount("100")));
        assert_eq!(figures.currencies[0].settlement, None);
    }

    #[test]
    fn digits_are_grouped_by_three() {
        for (plain, expected) in [
            ("0", "0"),
            ("999", "999"),
            ("1000", "1\u{202f}000"),
            ("-1234567.5", "\u{2212}1\u{202f}234\u{202f}567.5"),
            ("100000", "100\u{202f}000"),
        ] {
            assert_eq!(readable(amount(plain)), expected);
        }
    }
}
