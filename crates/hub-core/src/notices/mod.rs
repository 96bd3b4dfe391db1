//! Notices to operators: what participants and the hub's operator are told by webhook or e-mail
//! (contract, administration §4.8).
//!
//! An *alarm* is about a state that lasts, a position near its cap or liquidity below an amount: [`watch`] looks at the
//! balances and says what is to be told now. A *change* is told once, in the commit that makes it: [`following`] finds
//! adjustments of caps and positions that a settlement moved among the changes of a decision.
//!
//! Invariant: of one account there are at most [`Policy::per_period_max`] alarms in a period, and never two within
//! [`Policy::spacing_ms`], whatever its balance does. These notices have nothing to do with [`crate::Notice`], which is a
//! message of FSPIOP.

mod alarm;
mod content;
mod following;
mod watch;

use crate::administration::Directory;
use alloc::{boxed::Box, vec::Vec};
use ledger::ParticipantId;
use vocabulary::{Currency, FspId, Timestamp};

pub use alarm::{Policy, Said};
pub use content::{NoticeContent, NoticeKind};
pub(crate) use following::following;
pub use watch::{Alarm, AlarmStep, watch};

/// The endpoint type under which a participant wants notices of every kind as JSON.
pub const WEBHOOK_ENDPOINT: &str = "ALARM_NOTIFICATION_URL";

/// What is told, about whom, and to whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OperatorNotice {
    pub participant: FspId,
    pub currency: Currency,
    pub content: NoticeContent,
    pub made_at: Timestamp,
    /// Where it goes; none where nobody has registered an address.
    pub recipients: Vec<Recipient>,
}

/// One message that is to be sent: an endpoint as it was when the notice was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipient {
    /// Whose endpoint it is: the participant's or the hub's.
    pub name: FspId,
    pub channel: Channel,
    /// A URL, or e-mail addresses separated by commas.
    pub address: Box<str>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Channel {
    Webhook,
    Email,
}

impl Channel {
    pub const ALL: [Self; 2] = [Self::Webhook, Self::Email];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Email => "email",
        }
    }

    /// Parses the name that [`Self::as_str`] prints.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }
}

/// A notice about a participant, to what it and the hub have registered now.
fn notice_about(
    directory: &Directory,
    (owner, currency): (ParticipantId, Currency),
    content: NoticeContent,
    now: Timestamp,
    hub_name: &FspId,
) -> Option<OperatorNotice> {
    let known = directory.participants.iter().map(|record| &record.participant);
    let owner = known.clone().find(|participant| participant.id == owner)?;
    let hub = known.clone().find(|participant| participant.name == *hub_name && participant.id != owner.id);
    let channels = [(Channel::Webhook, WEBHOOK_ENDPOINT), (Channel::Email, content.kind().email_endpoint())];
    let mut recipients = Vec::new();
    for to in [Some(owner), hub].into_iter().flatten() {
        for (channel, endpoint_type) in channels {
            let mut endpoints = directory.endpoints.iter();
            let of_type = endpoints.find(|known| known.participant == to.id && *known.endpoint_type == *endpoint_type);
            let recipient = |value: &str| Recipient { name: to.name.clone(), channel, address: value.into() };
            recipients.extend(of_type.map(|endpoint| recipient(&endpoint.value)));
        }
    }
    Some(OperatorNotice { participant: owner.name.clone(), currency, content, made_at: now, recipients })
}
