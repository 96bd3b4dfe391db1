//! The table of interchange fee rules (contract, administration §2.8).

use super::{AdminRejection, Change, Directory};
use crate::fees::{FeeConditions, FeeDebtor, FeeFormula, FeeRule};
use alloc::{boxed::Box, vec, vec::Vec};
use vocabulary::Timestamp;

/// A rule that is asked for; active at once.
#[derive(Clone, Debug)]
pub struct NewFeeRule {
    pub name: Box<str>,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub conditions: FeeConditions,
    pub debtor: FeeDebtor,
    pub formula: FeeFormula,
}

/// Switches a rule on or off. Payments that are prepared keep their fees.
#[derive(Clone, Copy, Debug)]
pub struct SetFeeRuleActivity {
    pub id: i64,
    pub is_active: bool,
}

pub(super) fn create(directory: &Directory, command: &NewFeeRule) -> Result<Vec<Change>, AdminRejection> {
    if directory.fee_rules.iter().any(|rule| rule.name.eq_ignore_ascii_case(&command.name)) {
        return Err(AdminRejection::FeeRuleNameTaken);
    }
    Ok(vec![Change::AddFeeRule(FeeRule {
        id: directory.fee_rules.iter().map(|rule| rule.id).max().unwrap_or(0) + 1,
        name: command.name.clone(),
        is_active: true,
        from: command.from,
        until: command.until,
        conditions: command.conditions.clone(),
        debtor: command.debtor,
        formula: command.formula,
    })])
}

pub(super) fn set_activity(directory: &Directory, command: SetFeeRuleActivity) -> Result<Vec<Change>, AdminRejection> {
    let rule = directory.fee_rules.iter().find(|rule| rule.id == command.id).ok_or(AdminRejection::FeeRuleNotFound)?;
    Ok(vec![Change::SetFeeRule(FeeRule { is_active: command.is_active, ..rule.clone() })])
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Scheme, amount};
    use super::super::{AdminCommand, AdminRejection};
    use super::*;

    fn rule(name: &str) -> AdminCommand {
        AdminCommand::CreateFeeRule(Box::new(NewFeeRule {
            name: name.into(),
            from: None,
            until: None,
            conditions: FeeConditions::default(),
            debtor: FeeDebtor::Payee,
            formula: FeeFormula::Fixed(amount("1")),
        }))
    }

    #[test]
    fn rules_have_names_of_their_own_and_are_switched_by_their_ids() {
        let mut scheme = Scheme::empty();
        scheme.does(rule("one"));
        scheme.does(rule("two"));
        assert_eq!(scheme.tries(rule("ONE")), Err(AdminRejection::FeeRuleNameTaken));
        let set = |id, is_active| AdminCommand::SetFeeRuleActivity(SetFeeRuleActivity { id, is_active });
        scheme.does(set(2, false));
        assert_eq!(scheme.tries(set(3, true)), Err(AdminRejection::FeeRuleNotFound));
        let states: Vec<_> = scheme.directory.fee_rules.iter().map(|rule| (rule.id, rule.is_active)).collect();
        assert_eq!(states, [(1, true), (2, false)]);
    }
}
