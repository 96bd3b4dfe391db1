//! Ledger account types of the operator's own (contract, administration §1.14). They are what settlement models and accounts
//! may be of; nothing posts to them by itself.

use super::{AdminRejection, Change, Directory};
use alloc::{boxed::Box, vec, vec::Vec};
use ledger::{AccountKind, AccountTypeName};
use vocabulary::Timestamp;

/// A type that an operator has added. It is never changed or removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountType {
    /// Assigned in creation order, after those of the built-in types.
    pub id: i64,
    pub name: AccountTypeName,
    pub description: Box<str>,
    /// New accounts and settlement models may be of an active type only.
    pub is_active: bool,
    pub is_settleable: bool,
    pub created_at: Timestamp,
}

/// A type that is asked for.
#[derive(Clone, Debug)]
pub struct NewAccountType {
    /// A built-in one is refused as any other that exists.
    pub kind: AccountKind,
    pub description: Box<str>,
    pub is_active: bool,
    pub is_settleable: bool,
}

/// Whether the balances of a kind of account are settled. A model of any other kind would give participants accounts
/// that are the hub's, or settle what settles.
pub fn is_settleable(types: &[AccountType], kind: AccountKind) -> bool {
    match kind {
        AccountKind::Position | AccountKind::InterchangeFee => true,
        AccountKind::Settlement
        | AccountKind::HubReconciliation
        | AccountKind::HubMultilateralSettlement
        | AccountKind::InterchangeFeeSettlement => false,
        AccountKind::Custom(name) => types.iter().any(|known| known.name == name && known.is_settleable),
    }
}

/// Names are unique without regard to case: two that differ in it only could not be told apart by people.
pub(super) fn create(
    directory: &Directory,
    command: &NewAccountType,
    now: Timestamp,
) -> Result<Vec<Change>, AdminRejection> {
    let AccountKind::Custom(name) = command.kind else { return Err(AdminRejection::AccountTypeExists) };
    let is_same = |known: &str| known.eq_ignore_ascii_case(name.as_str());
    let is_built_in = AccountKind::BUILT_IN.iter().any(|kind| is_same(kind.as_str()));
    if is_built_in || directory.account_types.iter().any(|known| is_same(known.name.as_str())) {
        return Err(AdminRejection::AccountTypeExists);
    }
    let built_in = AccountKind::BUILT_IN.iter().zip(1..).map(|(_, id)| id);
    let last = built_in.chain(directory.account_types.iter().map(|known| known.id)).max().unwrap_or(0);
    Ok(vec![Change::AddAccountType(AccountType {
        id: last + 1,
        name,
        description: command.description.clone(),
        is_active: command.is_active,
        is_settleable: command.is_settleable,
        created_at: now,
    })])
}

impl Directory {
    /// Whether a kind is built in or one of the operator's own, active or not.
    pub fn knows(&self, kind: AccountKind) -> bool {
        self.has(kind, |_| true)
    }

    /// Whether new accounts may be of a kind: it is built in, or an active one of the operator's own.
    pub(super) fn offers(&self, kind: AccountKind) -> bool {
        self.has(kind, |own| own.is_active)
    }

    fn has(&self, kind: AccountKind, fits: impl Fn(&AccountType) -> bool) -> bool {
        let mut own = self.account_types.iter().filter(|known| fits(known));
        AccountKind::BUILT_IN.contains(&kind) || own.any(|known| AccountKind::Custom(known.name) == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Scheme, account_type};
    use super::*;

    #[test]
    fn a_name_is_given_once_whatever_its_case() {
        let mut scheme = Scheme::empty();
        scheme.does(account_type("TAX", true));
        for name in ["TAX", "tax", "POSITION", "Position", "hub_reconciliation"] {
            assert_eq!(scheme.tries(account_type(name, true)), Err(AdminRejection::AccountTypeExists), "{name}");
        }
        scheme.does(account_type("TAX_SETTLEMENT", false));
        let ids: Vec<_> = scheme.directory.account_types.iter().map(|known| (known.id, known.name.as_str())).collect();
        assert_eq!(ids, [(7, "TAX"), (8, "TAX_SETTLEMENT")]);
    }

    #[test]
    fn a_custom_type_settles_if_it_was_made_so() {
        let mut scheme = Scheme::empty();
        scheme.does(account_type("TAX", true));
        scheme.does(account_type("ESCROW", false));
        for (name, expected) in
            [("TAX", true), ("ESCROW", false), ("NONE", false), ("POSITION", true), ("SETTLEMENT", false)]
        {
            let kind = name.parse().unwrap();
            assert_eq!(is_settleable(&scheme.directory.account_types, kind), expected, "{name}");
        }
    }
}
