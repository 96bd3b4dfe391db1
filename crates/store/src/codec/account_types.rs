//! Ledger account types of the operator's own as rows.

use super::{Columns, parsed_or, required, time, unreadable};
use crate::StoreError;
use hub_core::administration::AccountType;
use ledger::AccountKind;

pub(crate) const ACCOUNT_TYPE_COLUMNS: &str = "id, name, description, is_active, is_settleable, created_at";

/// Reads [`ACCOUNT_TYPE_COLUMNS`].
pub(crate) fn account_type(row: &impl Columns) -> Result<AccountType, StoreError> {
    let kind: AccountKind = parsed_or(row, 1, "name of a ledger account type")?;
    let AccountKind::Custom(name) = kind else { return Err(unreadable("name of a ledger account type", kind)) };
    Ok(AccountType {
        id: required(row.number(0)?, "id")?,
        name,
        description: required(row.text(2)?, "description")?.into(),
        is_active: row.flag(3)?,
        is_settleable: row.flag(4)?,
        created_at: time(row, 5)?,
    })
}
