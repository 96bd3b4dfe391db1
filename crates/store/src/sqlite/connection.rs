//! Connections: how a database file is opened, what SQLite's errors mean to a unit, and rows as [`Columns`].

use super::{SqliteOptions, exclusive::private_file};
use crate::{StoreError, codec::Columns};
use rusqlite::{Connection, ErrorCode, OpenFlags, Row, config::DbConfig, types::FromSqlError};
use std::{fmt::Display, path::Path};

/// What a connection is for: it decides the size of its page cache, the larger part of the store's memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Writer,
    Reader,
    Checkpointer,
}

impl Role {
    const fn cache_kib(self) -> u32 {
        match self {
            Self::Writer => 32 * 1024,
            Self::Reader => 2 * 1024,
            Self::Checkpointer => 64,
        }
    }
}

/// Prepared statements that a connection keeps; more than there are.
const STATEMENTS_MAX: usize = 100;
/// How long a connection waits for another process, which can only be an operator's tool.
const BUSY_TIMEOUT_MS: u32 = 5000;
/// The write-ahead log is cut back to this size when it starts anew.
const WAL_SIZE_KEPT: u32 = 64 * 1024 * 1024;

/// Opens a connection to a file. The writer comes first: it makes the file and chooses the journal mode.
pub(super) fn open_file(path: &Path, options: &SqliteOptions, role: Role) -> Result<Connection, StoreError> {
    let create = if role == Role::Writer { OpenFlags::SQLITE_OPEN_CREATE } else { OpenFlags::empty() };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | create;
    if options.vfs.is_none() && role == Role::Writer {
        // SQLite gives the log the permissions of the database. An empty file is an empty database to it.
        private_file(path).map_err(|error| cannot_open(path, error))?;
    }
    let opened = match &options.vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs.as_str()),
        None => Connection::open_with_flags(path, flags),
    };
    let connection = opened.map_err(|error| cannot_open(path, error))?;
    configure(&connection, role).map_err(|error| cannot_open(path, error))?;
    Ok(connection)
}

/// Opens a database that lives as long as this connection.
pub(super) fn open_memory() -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_in_memory_with_flags(flags).map_err(failure)?;
    configure(&connection, Role::Writer).map_err(failure)?;
    Ok(connection)
}

/// Checkpoints are left to their own thread, so the writer's are off. Memory maps are off because a failing disk would
/// then be a signal instead of an error.
fn configure(connection: &Connection, role: Role) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // Without it SQLite parses most statements anew for each value that is bound, to see whether it knows a better plan.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(&format!(
        "PRAGMA busy_timeout = {BUSY_TIMEOUT_MS};
         PRAGMA page_size = 4096;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = {WAL_SIZE_KEPT};
         PRAGMA mmap_size = 0;
         PRAGMA foreign_keys = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -{};
         PRAGMA query_only = {};",
        role.cache_kib(),
        if role == Role::Reader { "ON" } else { "OFF" },
    ))
}

/// Whether a commit on this connection returns only after the write-ahead log has been synced, as SQLite itself says.
pub(super) fn syncs_commits(connection: &Connection) -> Result<bool, StoreError> {
    let journal: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).map_err(failure)?;
    let synchronous: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).map_err(failure)?;
    const FULL: i64 = 2;
    Ok(journal == "wal" && synchronous >= FULL)
}

fn cannot_open(path: &Path, error: impl Display) -> StoreError {
    StoreError::Refused(format!(
        "The database {} cannot be opened: {error}. Check that the path is right, that this user may write the file and \
         its directory, and that the file is a database.",
        path.display()
    ))
}

/// What an error means to the unit that met it.
pub(super) fn failure(error: rusqlite::Error) -> StoreError {
    let is_of_the_data = matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig)
    );
    let is_of_a_lock = matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked));
    if is_of_a_lock {
        return StoreError::Conflict(format!("another process holds the database file: {error}"));
    }
    if is_of_the_data || error.sqlite_error_code().is_none() {
        data(error)
    } else {
        StoreError::Unavailable(error.to_string())
    }
}

fn data(error: impl Display) -> StoreError {
    StoreError::Data(error.to_string())
}

impl Columns for Row<'_> {
    fn number(&self, column: usize) -> Result<Option<i64>, StoreError> {
        self.get_ref(column).map_err(failure)?.as_i64_or_null().map_err(|error| mismatch(column, &error))
    }

    fn flag(&self, column: usize) -> Result<bool, StoreError> {
        Ok(self.number(column)?.is_some_and(|number| number != 0))
    }

    fn text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        self.get_ref(column).map_err(failure)?.as_str_or_null().map_err(|error| mismatch(column, &error))
    }

    fn bytes(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
        self.get_ref(column).map_err(failure)?.as_blob_or_null().map_err(|error| mismatch(column, &error))
    }
}

fn mismatch(column: usize, error: &FromSqlError) -> StoreError {
    StoreError::Data(format!("column {column} of a row cannot be read: {error}"))
}

/// Every row of a query, read by one of the functions of [`crate::codec`].
pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let mut rows = statement.query(parameters).map_err(failure)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failure)? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// The first row of a query, if there is one.
pub(super) fn first<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let mut rows = statement.query(parameters).map_err(failure)?;
    rows.next().map_err(failure)?.map(read).transpose()
}

/// Runs a statement of which there is always a prepared copy; returns how many rows it changed.
pub(super) fn run(connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Result<usize, StoreError> {
    connection.prepare_cached(sql).map_err(failure)?.execute(parameters).map_err(failure)
}
