//! The advisory locks, and the order in which they and the rows are locked.
//!
//! A unit locks ids, payments, accounts, the gate, and parties last; an administrative change takes the directory
//! before accounts. Who closes a window takes the directory and then the gate, without accounts: it waits for units in
//! the gate, and these for nothing that it holds. Whoever waits for a lock holds only locks that come before it, so that
//! nobody waits in a circle.

/// Taken by a process that creates or changes tables.
pub(super) const MIGRATIONS: i64 = 0x756d_6f6a_6101;
/// Taken by administrative changes, one at a time. Payments do not take it: they meet a change at the accounts.
pub(super) const DIRECTORY: i64 = 0x756d_6f6a_6102;
/// The gate of the settlement window: shared by committing units, exclusive for who closes a window. PostgreSQL grants
/// it in the order of asking, so that neither side starves.
pub(super) const WINDOW_GATE: i64 = 0x756d_6f6a_6103;
/// Taken by who seeds the settings.
pub(super) const SETTINGS: i64 = 0x756d_6f6a_6104;
/// First part of the locks of parties; the second is one of 1024 hashes of the party, in ascending order.
pub(super) const PARTIES: i32 = 0x756d;

pub(super) const TAKE: &str = "SELECT pg_advisory_xact_lock($1)";
pub(super) const TAKE_SHARED: &str = "SELECT pg_advisory_xact_lock_shared($1)";
