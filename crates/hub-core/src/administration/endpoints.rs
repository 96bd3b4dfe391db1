//! Where participants want their messages (contract, administration §1.8).

use super::{AdminRejection, Change, Directory, Endpoint};
use alloc::{boxed::Box, vec, vec::Vec};
use vocabulary::FspId;

/// Adds or replaces a participant's endpoint of a type. The hub has endpoints too: its e-mail addresses.
#[derive(Clone, Debug)]
pub struct SetEndpoint {
    pub participant: FspId,
    /// The name of the endpoint type; checked where it enters.
    pub endpoint_type: Box<str>,
    pub value: Box<str>,
}

pub(super) fn set(directory: &Directory, command: &SetEndpoint) -> Result<Vec<Change>, AdminRejection> {
    let owner = directory.participant(&command.participant).ok_or(AdminRejection::ParticipantNotFound)?;
    Ok(vec![Change::SetEndpoint(Endpoint {
        participant: owner.participant.id,
        endpoint_type: command.endpoint_type.clone(),
        value: command.value.clone(),
    })])
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{HUB, Scheme, fsp};
    use super::super::{AdminCommand, AdminRejection};
    use super::*;

    #[test]
    fn participants_and_the_hub_have_endpoints_and_nobody_else() {
        let mut scheme = Scheme::with_dfsp();
        for (name, expected) in [("dfsp", Ok(())), (HUB, Ok(())), ("nobody", Err(AdminRejection::ParticipantNotFound))]
        {
            let (endpoint_type, value) = ("FSPIOP_CALLBACK_URL_QUOTES".into(), "http://127.0.0.1:1".into());
            let command = SetEndpoint { participant: fsp(name), endpoint_type, value };
            assert_eq!(scheme.tries(AdminCommand::SetEndpoint(command)), expected, "{name}");
        }
    }
}
