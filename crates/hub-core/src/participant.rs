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
