//! The state machine of a transfer.

/// The stages of a transfer, without their data.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    Reserved,
    Committed,
    Aborted,
    Refused,
}

/// What can happen to a transfer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Event {
    /// A prepare passed every check; its amount is held.
    Prepared,
    /// A prepare failed a check that takes its id.
    PrepareRefused,
    /// A fulfilment that fits the condition arrived in time.
    Fulfilled,
    /// The payee sent an error.
    Rejected,
    /// The payee's answer was wrong: its fulfilment or its headers.
    Invalidated,
    /// The expiration passed.
    Expired,
}

impl Stage {
    pub const ALL: [Self; 4] = [Self::Reserved, Self::Committed, Self::Aborted, Self::Refused];
}

impl Event {
    pub const ALL: [Self; 6] =
        [Self::Prepared, Self::PrepareRefused, Self::Fulfilled, Self::Rejected, Self::Invalidated, Self::Expired];
}

/// The stage that follows, or none where the event changes nothing. `None` as a stage is an unknown id.
pub fn next(stage: Option<Stage>, event: Event) -> Option<Stage> {
    match stage {
        None => match event {
            Event::Prepared => Some(Stage::Reserved),
            Event::PrepareRefused => Some(Stage::Refused),
            Event::Fulfilled | Event::Rejected | Event::Invalidated | Event::Expired => None,
        },
        Some(Stage::Reserved) => match event {
            Event::Fulfilled => Some(Stage::Committed),
            Event::Rejected | Event::Invalidated | Event::Expired => Some(Stage::Aborted),
            Event::Prepared | Event::PrepareRefused => None,
        },
        Some(Stage::Committed | Stage::Aborted | Stage::Refused) => match event {
            Event::Prepared
            | Event::PrepareRefused
            | Event::Fulfilled
            | Event::Rejected
            | Event::Invalidated
            | Event::Expired => None,
        },
    }
}
