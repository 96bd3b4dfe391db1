//! The DFSP's durable memory: a file of JSON lines, one event each, only ever appended to.
//!
//! Invariant: an event that [`Journal::append`] has accepted is on the disk (fsync) and is returned by the next
//! [`Journal::open`], in order. A line that a crash has cut off was never accepted and is removed; anything else that
//! cannot be read stops the start.

use crate::config::Config;
use crate::lists::List;
use crate::payment::{Payment, Reason};
use crate::requests::{Request, RequestState};
use sdk::text;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::{fmt, io};
use vocabulary::{Amount, CorrelationId, Currency, FspId, Timestamp};

const FILE_NAME: &str = "journal.jsonl";

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first event: whose books these are.
    BooksOpened {
        #[serde(with = "text")]
        fsp: FspId,
        #[serde(with = "text")]
        currency: Currency,
    },
    /// A customer begins with a deposit.
    AccountOpened {
        customer: String,
        #[serde(with = "text")]
        deposit: Amount,
        /// Absent in journals from before statements.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "text::option")]
        at: Option<Timestamp>,
    },
    /// A customer who came to the counter.
    CustomerOpened {
        id: String,
        name: String,
        /// Phone number.
        number: String,
        tier: String,
        #[serde(with = "text")]
        at: Timestamp,
    },
    /// From now on a customer is in this tier, and blocked or not.
    StandingChanged {
        customer: String,
        tier: String,
        is_blocked: bool,
        #[serde(with = "text")]
        at: Timestamp,
    },
    /// Cash was brought to the counter, or, if the amount is negative, taken from it.
    CashMoved {
        /// Of the slip.
        #[serde(with = "text")]
        id: CorrelationId,
        customer: String,
        #[serde(with = "text")]
        amount: Amount,
        #[serde(with = "text")]
        at: Timestamp,
    },
    PaymentOpened(Box<Payment>),
    /// An incoming payment that was converted: its transfer may be committed from now on.
    PaymentAccepted {
        #[serde(with = "text")]
        id: CorrelationId,
        #[serde(with = "text")]
        at: Timestamp,
    },
    PaymentCompleted {
        #[serde(with = "text")]
        id: CorrelationId,
        #[serde(with = "text")]
        at: Timestamp,
    },
    PaymentFailed {
        #[serde(with = "text")]
        id: CorrelationId,
        #[serde(with = "text")]
        at: Timestamp,
        reason: Reason,
    },
    RequestOpened(Box<Request>),
    /// The payer's DFSP has named the payment that would be made.
    RequestNamed {
        #[serde(with = "text")]
        id: CorrelationId,
        #[serde(with = "text")]
        transaction: CorrelationId,
    },
    RequestEnded {
        #[serde(with = "text")]
        id: CorrelationId,
        state: RequestState,
    },
    ListOpened(Box<List>),
    ListStarted {
        #[serde(with = "text")]
        id: CorrelationId,
    },
    /// A line, counted from zero, was not paid and will not be.
    ListLineFaulted {
        #[serde(with = "text")]
        id: CorrelationId,
        #[serde(with = "text")]
        line: usize,
        fault: String,
    },
}

/// Where events go.
pub enum Journal {
    /// Nowhere: the books live as long as the process.
    Memory,
    File(JournalFile),
}

pub struct JournalFile {
    file: File,
    path: PathBuf,
    /// After a failed write the end of the file is unknown, and nothing more is appended.
    is_broken: bool,
}

/// What is wrong with a journal: which file, and what to do.
#[derive(Debug)]
pub struct JournalError(String);

impl Journal {
    /// Opens or creates the journal in `directory` and returns the events it holds. The file is locked for this process.
    pub fn open<E: DeserializeOwned>(directory: &Path) -> Result<(Self, Vec<E>), JournalError> {
        let path = directory.join(FILE_NAME);
        let wrong = |what: &str, error: io::Error| JournalError(format!("{}: {what}: {error}", path.display()));
        std::fs::create_dir_all(directory).map_err(|error| wrong("its directory cannot be made", error))?;
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path);
        let mut file = file.map_err(|error| wrong("cannot be opened", error))?;
        if file.try_lock().is_err() {
            return Err(JournalError(format!("{}: another process uses it; stop that one first", path.display())));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| wrong("cannot be read", error))?;
        let complete = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let events = read_lines(&bytes[..complete], &path)?;
        if complete < bytes.len() {
            tracing::warn!(
                bytes = bytes.len() - complete,
                "the journal ended in the middle of an event, which is removed"
            );
            file.set_len(complete as u64).map_err(|error| wrong("cannot be shortened", error))?;
            file.seek(SeekFrom::End(0)).map_err(|error| wrong("cannot be positioned", error))?;
        }
        sync(&file, directory).map_err(|error| wrong("cannot be written to the disk", error))?;
        Ok((Self::File(JournalFile { file, path, is_broken: false }), events))
    }

    /// Makes an event durable. It waits for the disk, a fraction of a millisecond as a rule, on the caller's thread: a
    /// caller that is cancelled half-way cannot leave the file and the books at odds.
    pub fn append(&mut self, event: &impl Serialize) -> Result<(), JournalError> {
        match self {
            Self::Memory => Ok(()),
            Self::File(file) => file.append(event),
        }
    }
}

impl JournalFile {
    fn append(&mut self, event: &impl Serialize) -> Result<(), JournalError> {
        if self.is_broken {
            let path = self.path.display();
            return Err(JournalError(format!("{path}: an earlier write failed; free space if needed and restart")));
        }
        let mut line = serde_json::to_vec(event).expect("texts and objects always serialise");
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        written.map_err(|error| {
            self.is_broken = true;
            JournalError(format!("{}: cannot be written: {error}", self.path.display()))
        })
    }
}

impl JournalError {
    /// The journal was written by a provider of another name.
    pub(crate) fn of_others(directory: Option<&Path>, fsp: &FspId) -> Self {
        let path = directory.unwrap_or(Path::new("")).join(FILE_NAME);
        Self(format!("{}: these are not the conversions of {fsp}; use another directory", path.display()))
    }

    /// The journal was written by a DFSP of another name or currency.
    pub(crate) fn of_other_books(config: &Config) -> Self {
        let directory = config.data.as_deref().unwrap_or(Path::new(""));
        let (fsp, currency) = (&config.connection.name, config.currency);
        let path = directory.join(FILE_NAME);
        Self(format!("{}: these are not the books of {fsp} in {currency}; use another directory", path.display()))
    }
}

fn read_lines<E: DeserializeOwned>(bytes: &[u8], path: &Path) -> Result<Vec<E>, JournalError> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let event = |(number, line): (usize, &[u8])| {
        serde_json::from_slice(line).map_err(|error| {
            let place = format!("{}:{}", path.display(), number + 1);
            JournalError(format!("{place}: not an event ({error}); restore the file from a backup"))
        })
    };
    lines.enumerate().map(event).collect()
}

/// The file's content, and its name in the directory.
fn sync(file: &File, directory: &Path) -> io::Result<()> {
    file.sync_all()?;
    File::open(directory)?.sync_all()
}

impl fmt::Display for JournalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for JournalError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn deposit(customer: &str) -> Event {
        Event::AccountOpened { customer: customer.into(), deposit: Amount::parse("12.5").unwrap(), at: None }
    }

    fn append_bytes(directory: &Path, bytes: &[u8]) {
        let file = OpenOptions::new().append(true).open(directory.join(FILE_NAME));
        file.unwrap().write_all(bytes).unwrap();
    }

    #[test]
    fn what_was_accepted_is_there_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, events) = Journal::open::<Event>(directory.path()).unwrap();
        assert_eq!(events, []);
        journal.append(&deposit("ana")).unwrap();
        journal.append(&deposit("ben")).unwrap();
        drop(journal);
        assert_eq!(Journal::open::<Event>(directory.path()).unwrap().1, [deposit("ana"), deposit("ben")]);
    }

    #[test]
    fn an_event_that_a_crash_cut_off_is_removed_and_the_next_one_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open::<Event>(directory.path()).unwrap();
        journal.append(&deposit("ana")).unwrap();
        drop(journal);
        append_bytes(directory.path(), br#"{"event":"account_op"#);
        let (mut journal, events) = Journal::open::<Event>(directory.path()).unwrap();
        assert_eq!(events, [deposit("ana")]);
        journal.append(&deposit("ben")).unwrap();
        drop(journal);
        assert_eq!(Journal::open::<Event>(directory.path()).unwrap().1, [deposit("ana"), deposit("ben")]);
    }

    #[test]
    fn a_damaged_event_stops_the_start_and_is_named() {
        let directory = tempfile::tempdir().unwrap();
        drop(Journal::open::<Event>(directory.path()).unwrap());
        append_bytes(directory.path(), b"{\"event\":\"nonsense\"}\n");
        let error = Journal::open::<Event>(directory.path()).err().unwrap().to_string();
        assert!(error.contains("journal.jsonl:1: not an event"), "{error}");
    }

    #[test]
    fn two_processes_cannot_write_one_journal() {
        let directory = tempfile::tempdir().unwrap();
        let _first = Journal::open::<Event>(directory.path()).unwrap();
        let error = Journal::open::<Event>(directory.path()).err().unwrap().to_string();
        assert!(error.contains("another process uses it"), "{error}");
    }
}
