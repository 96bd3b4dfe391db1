//! The state machine of a transfer; a conversion is one that waits for the transfer that determines it.

/// The stages of a transfer, without their data.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    Reserved,
    Forwarded,
    Agreed,
    Committed,
    Aborted,
    Refused,
}

/// What can happen to a transfer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Event {
    /// A prepare passed every check; its amount is held.
    Prepared,
    /// The same, and its payee is behind a proxy.
    PreparedForProxy,
    /// What was to be forwarded never reached the proxy.
    NotForwarded,
    /// A prepare failed a check that takes its id.
    PrepareRefused,
    /// The provider of a conversion agreed.
    Agreed,
    /// A fulfilment that fits the condition arrived in time; for a conversion, that of its determining transfer.
    Fulfilled,
    /// The payee sent an error.
    Rejected,
    /// The payee's answer was wrong: its fulfilment or its headers.
    Invalidated,
    /// The expiration passed.
    Expired,
}

impl Stage {
    pub const ALL: [Self; 6] =
        [Self::Reserved, Self::Forwarded, Self::Agreed, Self::Committed, Self::Aborted, Self::Refused];

    /// Whether the transfer has not ended, so that what it holds is held.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Reserved | Self::Forwarded | Self::Agreed => true,
            Self::Committed | Self::Aborted | Self::Refused => false,
        }
    }

    /// Whether the payee's answer is still awaited.
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Reserved | Self::Forwarded)
    }
}

impl Event {
    pub const ALL: [Self; 9] = [
        Self::Prepared,
        Self::PreparedForProxy,
        Self::NotForwarded,
        Self::PrepareRefused,
        Self::Agreed,
        Self::Fulfilled,
        Self::Rejected,
        Self::Invalidated,
        Self::Expired,
    ];
}

/// The stage that follows, or none where the event changes nothing. `None` as a stage is an unknown id.
pub fn next(stage: Option<Stage>, event: Event) -> Option<Stage> {
    match (stage, event) {
        (None, Event::Prepared) => Some(Stage::Reserved),
        (None, Event::PreparedForProxy) => Some(Stage::Forwarded),
        (None, Event::PrepareRefused) => Some(Stage::Refused),
        // A forwarded transfer expires with the payment of which it is a part, when that has ended elsewhere.
        (Some(Stage::Forwarded), Event::NotForwarded) => Some(Stage::Reserved),
        (Some(Stage::Reserved | Stage::Forwarded), Event::Agreed) => Some(Stage::Agreed),
        (Some(Stage::Reserved | Stage::Forwarded | Stage::Agreed), Event::Fulfilled) => Some(Stage::Committed),
        (
            Some(Stage::Reserved | Stage::Forwarded | Stage::Agreed),
            Event::Rejected | Event::Invalidated | Event::Expired,
        ) => Some(Stage::Aborted),
        (
            None
            | Some(Stage::Reserved | Stage::Forwarded | Stage::Agreed)
            | Some(Stage::Committed | Stage::Aborted | Stage::Refused),
            Event::Prepared
            | Event::PreparedForProxy
            | Event::NotForwarded
            | Event::PrepareRefused
            | Event::Agreed
            | Event::Fulfilled
            | Event::Rejected
            | Event::Invalidated
            | Event::Expired,
        ) => None,
    }
}
