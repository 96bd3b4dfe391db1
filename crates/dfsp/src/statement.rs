//! What has moved on a customer's account: the lines of the account, and the statement of some days of it.
//!
//! Invariant: a line is made by the entry that it tells of; opening balance and lines add up to the closing balance, and the
//! closing balance of one day is the opening balance of the next.

use vocabulary::{Amount, CorrelationId, Timestamp};

/// One entry on a customer's account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// Never before that of an earlier line, whatever the clock did.
    pub at: Timestamp,
    pub what: What,
    /// Positive if the balance rose.
    pub amount: Amount,
    /// After the entry.
    pub balance: Amount,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// With which the account was opened.
    Deposit,
    Payment(CorrelationId),
    /// At the counter, under the id of the slip.
    Cash(CorrelationId),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    pub opening: Amount,
    pub lines: Vec<Line>,
    pub closing: Amount,
}

/// The lines of one account.
#[derive(Default)]
pub struct Lines(Vec<Line>);

impl Lines {
    pub fn add(&mut self, at: Timestamp, what: What, amount: Amount) {
        let (balance, not_before) = self.0.last().map_or((Amount::ZERO, at), |last| (last.balance, last.at));
        let balance = balance.checked_add(amount).expect("the books have made the same sum");
        self.0.push(Line { at: at.max(not_before), what, amount, balance });
    }

    /// From `from` on, before `until`.
    pub fn between(&self, from: Timestamp, until: Timestamp) -> Statement {
        let start = self.0.partition_point(|line| line.at < from);
        let end = self.0.partition_point(|line| line.at < until).max(start);
        let balance_before = |index: usize| index.checked_sub(1).map_or(Amount::ZERO, |last| self.0[last].balance);
        Statement { opening: balance_before(start), lines: self.0[start..end].to_vec(), closing: balance_before(end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn sum(statement: &Statement) -> i64 {
        statement.lines.iter().map(|line| line.amount.units()).sum()
    }

    #[test]
    fn a_statement_begins_with_its_first_moment_and_ends_before_its_last() {
        let mut lines = Lines::default();
        for (millis, units) in [(10, 500), (20, -200), (20, 30), (30, -1)] {
            lines.add(at(millis), What::Deposit, Amount::from_units(units));
        }
        let statement = lines.between(at(20), at(30));
        assert_eq!((statement.opening.units(), statement.lines.len(), statement.closing.units()), (500, 2, 330));
        let nothing = lines.between(at(31), at(40));
        assert_eq!((nothing.opening, nothing.lines.len(), nothing.closing), (nothing.closing, 0, nothing.opening));
        assert_eq!(lines.between(at(0), at(10)).closing, Amount::ZERO);
    }

    proptest! {
        #[test]
        fn statements_add_up_and_follow_each_other_even_if_the_clock_jumps(
            entries in prop::collection::vec((0_i64..1_000, -5_000_i64..5_000), 0..80),
            mut cuts in prop::collection::vec(0_i64..1_000, 1..6),
        ) {
            let mut lines = Lines::default();
            for (millis, units) in &entries {
                lines.add(at(*millis), What::Deposit, Amount::from_units(*units));
            }
            cuts.extend([0, 1_000]);
            cuts.sort_unstable();
            let parts: Vec<Statement> = cuts.windows(2).map(|cut| lines.between(at(cut[0]), at(cut[1]))).collect();
            for part in &parts {
                prop_assert_eq!(part.opening.units() + sum(part), part.closing.units());
            }
            for pair in parts.windows(2) {
                prop_assert_eq!(pair[0].closing, pair[1].opening);
            }
            let total: i64 = entries.iter().map(|(_, units)| units).sum();
            prop_assert_eq!(parts.iter().map(sum).sum::<i64>(), total);
        }
    }
}
