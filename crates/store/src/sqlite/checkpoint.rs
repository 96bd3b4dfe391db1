//! Checkpoints: moving pages from the write-ahead log into the database file, off the writer.
//!
//! A passive checkpoint on a connection of its own copies pages while units go on. It never catches up with a busy
//! writer, and the log only starts anew when everything in it has been copied. So when the log has become long, the
//! writer is asked to copy the rest, which is short by then, before its next unit. So the log stays within about twice
//! `checkpoint_pages`; if the disk cannot keep up, the writer waits before the log exceeds eight times that. Only
//! somebody else who keeps a read transaction open can make it longer.

use super::{SqliteOptions, connection, exclusive::Exclusive};
use crate::StoreError;
use rusqlite::Connection;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::{self, JoinHandle, Thread},
};

/// Rounds beside the writer before it is asked for the rest; each leaves less to copy.
const PASSIVE_ROUNDS: usize = 3;
/// So little left to copy that the writer may do it.
const REST_PAGES: i64 = 256;

/// Commits without a look at the log after which the writer looks itself: the thread may be far behind.
const RINGS_MAX: u32 = 256;
/// So many times its usual length makes the writer wait for a checkpoint. A disk that slow holds up payments either way.
const LENGTH_FACTOR_MAX: i64 = 8;

/// Runs checkpoints on a thread of its own until it is dropped.
pub(super) struct Checkpointer {
    bell: Bell,
    thread: Option<JoinHandle<()>>,
}

/// How the writer and the thread of the checkpoints talk.
#[derive(Clone)]
pub(super) struct Bell {
    signals: Arc<Signals>,
    thread: Thread,
    pages_max: i64,
}

#[derive(Default)]
struct Signals {
    must_stop: AtomicBool,
    /// Commits since the thread last began to look.
    rings: AtomicU32,
    /// The writer shall copy the rest of the log.
    rest_is_due: AtomicBool,
}

/// What the log holds, in pages.
struct Log {
    pages: i64,
    copied: i64,
}

impl Checkpointer {
    pub(super) fn start(path: &Path, options: &SqliteOptions, exclusive: Arc<Exclusive>) -> Result<Self, StoreError> {
        let own = connection::open_file(path, options, connection::Role::Checkpointer)?;
        let pages_max = i64::from(options.checkpoint_pages);
        let signals = Arc::new(Signals::default());
        let theirs = Arc::clone(&signals);
        let run = move || {
            let _until_the_end = exclusive;
            Rounds { own, pages_max, pages_due: pages_max }.run(&theirs);
        };
        let thread = thread::Builder::new()
            .name("checkpoints".into())
            .spawn(run)
            .map_err(|error| StoreError::Refused(format!("No thread for checkpoints can be started: {error}.")))?;
        Ok(Self { bell: Bell { signals, thread: thread.thread().clone(), pages_max }, thread: Some(thread) })
    }

    pub(super) fn bell(&self) -> Bell {
        self.bell.clone()
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.bell.signals.must_stop.store(true, Ordering::SeqCst);
        self.bell.ring();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the checkpoints has panicked");
        }
    }
}

impl Bell {
    /// Has the length of the log looked at; called after a commit. Never waits.
    pub(super) fn ring(&self) {
        self.signals.rings.fetch_add(1, Ordering::SeqCst);
        self.thread.unpark();
    }

    /// Copies what is left, if that is due; called by the writer between units. A failure leaves the log as it is.
    pub(super) fn copy_rest(&self, writer: &Connection) {
        let rest_is_due = self.signals.rest_is_due.swap(false, Ordering::SeqCst);
        let copied = if self.signals.rings.load(Ordering::SeqCst) > RINGS_MAX {
            self.catch_up(writer)
        } else if rest_is_due {
            checkpoint(writer, "PASSIVE").map(drop)
        } else {
            return;
        };
        if let Err(error) = copied {
            tracing::warn!(%error, "the rest of the write-ahead log could not be copied");
        }
    }

    fn catch_up(&self, writer: &Connection) -> Result<(), StoreError> {
        self.signals.rings.store(0, Ordering::SeqCst);
        let pages = checkpoint(writer, "NOOP")?.pages;
        if pages > self.pages_max * LENGTH_FACTOR_MAX {
            tracing::warn!(pages, "the disk is too slow for this load: the write-ahead log has to be copied first");
            // Waits for the checkpoint that may be running.
            checkpoint(writer, "FULL")?;
        }
        Ok(())
    }
}

struct Rounds {
    own: Connection,
    pages_max: i64,
    /// The length of the log at which the next round begins. Grows while the log cannot start anew.
    pages_due: i64,
}

impl Rounds {
    fn run(mut self, signals: &Signals) {
        while !signals.must_stop.load(Ordering::SeqCst) {
            signals.rings.store(0, Ordering::SeqCst);
            match self.keep_short() {
                Ok(false) => {}
                Ok(true) => signals.rest_is_due.store(true, Ordering::SeqCst),
                Err(error) => {
                    tracing::warn!(%error, "a checkpoint failed; the write-ahead log grows until one succeeds")
                }
            }
            thread::park();
        }
    }

    /// Whether something was copied, so that the rest is due.
    fn keep_short(&mut self) -> Result<bool, StoreError> {
        let pages = checkpoint(&self.own, "NOOP")?.pages;
        if pages < self.pages_max {
            self.pages_due = self.pages_max;
        }
        if pages < self.pages_due {
            return Ok(false);
        }
        self.pages_due = pages + self.pages_max / 4;
        for _ in 0..PASSIVE_ROUNDS {
            let log = checkpoint(&self.own, "PASSIVE")?;
            if log.pages - log.copied <= REST_PAGES {
                break;
            }
        }
        Ok(true)
    }
}

fn checkpoint(connection: &Connection, mode: &str) -> Result<Log, StoreError> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    let read = |row: &rusqlite::Row<'_>| Ok(Log { pages: row.get(1)?, copied: row.get(2)? });
    let mut statement = connection.prepare_cached(&sql).map_err(connection::failure)?;
    statement.query_row([], read).map_err(connection::failure)
}
