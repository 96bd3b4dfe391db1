//! Participants of the scheme, and the scheme's rules.

use ledger::ParticipantId;
use vocabulary::FspId;

/// A participant as decisions see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Participant {
    pub id: ParticipantId,
    pub name: FspId,
    pub is_active: bool,
    /// A proxy stands for the participants of another scheme.
    pub is_proxy: bool,
    pub flow: Flow,
}

/// In which roles a participant takes new transfers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Flow {
    #[default]
    Both,
    SendOnly,
    ReceiveOnly,
    Paused,
}

impl Flow {
    pub const ALL: [Self; 4] = [Self::Both, Self::SendOnly, Self::ReceiveOnly, Self::Paused];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Both => "BOTH",
            Self::SendOnly => "SEND_ONLY",
            Self::ReceiveOnly => "RECEIVE_ONLY",
            Self::Paused => "PAUSED",
        }
    }

    /// Parses the name that [`Self::as_str`] prints.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }

    /// Whether the participant may be the payer of a new transfer.
    pub const fn sends(self) -> bool {
        matches!(self, Self::Both | Self::SendOnly)
    }

    /// Whether it may be the payee.
    pub const fn receives(self) -> bool {
        matches!(self, Self::Both | Self::ReceiveOnly)
    }
}

/// Whether a transfer between two accounts of one participant is cleared by the hub (contract §6.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnUs {
    #[default]
    Refused,
    Allowed,
}

/// Scheme settings that decisions depend on; one value for all nodes of a hub.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rules {
    /// The hub's own name as a participant.
    pub hub_name: FspId,
    pub on_us: OnUs,
    /// Whether a payee that answered COMMITTED is sent a confirmation (contract §4.8).
    pub confirms_to_payee: bool,
}
