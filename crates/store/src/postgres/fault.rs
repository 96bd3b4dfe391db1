//! PostgreSQL's errors, by what to do about them.

use crate::StoreError;
use tokio_postgres::{
    Error,
    error::{Severity, SqlState},
};

/// The class of an error outside of a commit. Details of the server are left out: they quote rows.
pub(super) fn of(error: &Error) -> StoreError {
    let Some(database) = error.as_db_error() else { return StoreError::Unavailable(error.to_string()) };
    let what = format!("{} ({})", database.message(), database.code().code());
    match Class::of(database.code()) {
        Class::Conflict => StoreError::Conflict(what),
        Class::Data => StoreError::Data(what),
        Class::Permission => StoreError::Refused(format!(
            "The database user may not do what the hub needs: {what}. Make it the owner of its database."
        )),
        Class::Other => StoreError::Unavailable(what),
    }
}

/// Whether the connection went with the error: it broke, or the server said why it ends it.
pub(super) fn is_loss(error: &Error) -> bool {
    error
        .as_db_error()
        .is_none_or(|database| matches!(database.parsed_severity(), Some(Severity::Fatal | Severity::Panic)))
}

/// The class of an error while committing. `is_last` says that COMMIT itself failed, not a statement before it.
pub(super) fn of_commit(error: &Error, is_last: bool) -> StoreError {
    let is_certain = error.as_db_error().is_some_and(|database| match Class::of(database.code()) {
        Class::Conflict | Class::Data | Class::Permission => true,
        // A statement that failed before COMMIT was reached left nothing; COMMIT itself may have been on its way.
        Class::Other => !is_last,
    });
    if is_certain { of(error) } else { StoreError::OutcomeUnknown(error.to_string()) }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    Conflict,
    Data,
    Permission,
    Other,
}

impl Class {
    fn of(code: &SqlState) -> Self {
        if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::LOCK_NOT_AVAILABLE]
            .contains(code)
        {
            return Self::Conflict;
        }
        if *code == SqlState::INSUFFICIENT_PRIVILEGE {
            return Self::Permission;
        }
        match &code.code()[..2] {
            // Values out of range, broken constraints, rows too large for an index.
            "22" | "23" | "54" => Self::Data,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_asks_for_what_helps() {
        for (code, class) in [
            ("40001", Class::Conflict),
            ("40P01", Class::Conflict),
            ("40003", Class::Other),
            ("22003", Class::Data),
            ("22021", Class::Data),
            ("23505", Class::Data),
            ("54000", Class::Data),
            ("42501", Class::Permission),
            ("57P01", Class::Other),
            ("53100", Class::Other),
            ("25006", Class::Other),
        ] {
            assert_eq!(Class::of(&SqlState::from_code(code)), class, "{code}");
        }
    }
}
