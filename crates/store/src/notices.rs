//! Notices to operators as they are stored: a list of what was told, and the queue of what is still to be sent.
//!
//! A delivery is claimed for a time, in which nobody else takes it; what a node that ended has claimed is tried again
//! after that. So each is sent once by whichever number of nodes, and twice only where one ended between sending and
//! saying so.

use hub_core::notices::{NoticeContent, NoticeKind, Recipient};
use vocabulary::{Currency, FspId, Timestamp};

/// Grows with time; never used again. Receivers recognise a notice that comes twice by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NoticeId(pub i64);

/// What was told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredNotice {
    pub id: NoticeId,
    pub participant: FspId,
    pub currency: Currency,
    pub content: NoticeContent,
    pub made_at: Timestamp,
}

/// A notice as operators see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoticeRow {
    pub notice: StoredNotice,
    pub deliveries: Vec<DeliveryRow>,
}

/// What became of one message of a notice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryRow {
    pub recipient: Recipient,
    pub state: DeliveryState,
    /// When it is tried next, while it is pending.
    pub due: Timestamp,
    pub attempts: u32,
    /// What went wrong last, or why it is skipped.
    pub last_error: Option<Box<str>>,
    /// When an attempt last ended; when the notice was made if there was none.
    pub changed_at: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeliveryState {
    /// Still tried.
    Pending,
    Sent,
    /// Given up.
    Failed,
    /// Not tried, because this hub cannot send such messages.
    Skipped,
}

/// Which notices are listed, the newest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoticeQuery {
    pub participant: Option<FspId>,
    pub kind: Option<NoticeKind>,
    /// Only those older than this one.
    pub before: Option<NoticeId>,
    pub limit: usize,
}

/// Which deliveries a node takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claim {
    /// What is due at this time.
    pub now: Timestamp,
    /// Nobody else takes them before this one.
    pub until: Timestamp,
    pub limit: usize,
}

/// A message that is to be sent now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DueDelivery {
    pub id: DeliveryId,
    pub notice: StoredNotice,
    pub recipient: Recipient,
}

/// One claim of one delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeliveryId {
    pub notice: NoticeId,
    pub place: i64,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// How an attempt ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeliveryEnd {
    Sent,
    /// It failed, and is tried again at a time.
    Retry {
        due: Timestamp,
        error: String,
    },
    Failed(String),
    /// Says why.
    Skipped(String),
}

impl DeliveryState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// Parses the name that [`Self::as_str`] prints.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Sent, Self::Failed, Self::Skipped].into_iter().find(|known| known.as_str() == text)
    }
}

impl DeliveryEnd {
    pub(crate) fn state(&self) -> DeliveryState {
        match self {
            Self::Sent => DeliveryState::Sent,
            Self::Retry { .. } => DeliveryState::Pending,
            Self::Failed(_) => DeliveryState::Failed,
            Self::Skipped(_) => DeliveryState::Skipped,
        }
    }

    /// When it is tried again.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Retry { due, .. } => Some(*due),
            Self::Sent | Self::Failed(_) | Self::Skipped(_) => None,
        }
    }

    pub(crate) fn error(&self) -> Option<&str> {
        match self {
            Self::Sent => None,
            Self::Retry { error, .. } | Self::Failed(error) | Self::Skipped(error) => Some(error),
        }
    }
}
