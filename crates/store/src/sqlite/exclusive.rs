//! One process per database file.
//!
//! SQLite itself would let a second hub in, and the two would take turns. But a message of the outbox belongs to the
//! process that runs, so a second one must not start.

use crate::StoreError;
use std::{
    fs::{self, File, TryLockError},
    path::Path,
};

/// Holds the lock until it is dropped. Whoever has a connection to the file holds a share of this.
#[derive(Debug)]
pub(super) struct Exclusive {
    _locked: File,
}

impl Exclusive {
    /// Locks `PATH.lock`, a file that stays behind; the lock itself ends with the process.
    pub(super) fn acquire(database: &Path) -> Result<Self, StoreError> {
        let refused = |what: String| StoreError::Refused(format!("The database {} {what}", database.display()));
        if let Some(directory) = database.parent().filter(|path| !path.as_os_str().is_empty()) {
            fs::create_dir_all(directory)
                .map_err(|error| refused(format!("needs its directory, which cannot be created: {error}.")))?;
        }
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        let file = private_file(Path::new(&name)).map_err(|error| {
            refused(format!("needs a lock file beside it, which cannot be opened: {error}. Check who may write there."))
        })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _locked: file }),
            Err(TryLockError::WouldBlock) => Err(refused(
                "is in use by another process. Stop that one, or give this one a database of its own.".into(),
            )),
            Err(TryLockError::Error(error)) => {
                Err(refused(format!("cannot be locked: {error}. Put it on a file system that has locks.")))
            }
        }
    }
}

/// Opens a file for writing. One that is new is its owner's alone: what payments are about is nobody else's business.
pub(super) fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
