//! `GET /parties` and `GET /participants`: who has an identifier, as the core says.

use super::Inbound;
use crate::Core;
use crate::backend::Answer;
use crate::parties;
use fspiop::{Operation, PartyPath, Resource, Version, percent_encode};
use serde_json::json;

pub(super) async fn party(core: &Core, path: PartyPath, message: &Inbound) {
    let reply = match core.backend.get(&core_path(&path)).await {
        Answer::Nothing => return,
        Answer::Data(party) => {
            let version = core.hub.callback_version(Resource::Parties, message.envelope.version);
            let is_new = version == Version::V2_0;
            let currencies = if is_new { core.settings.supported_currencies.as_slice() } else { &[] };
            let party = parties::to_scheme(&party, Some(core.settings.dfsp.as_str()), currencies);
            message.reply(Resource::Parties, Operation::PutParty(path), json!({"party": party}))
        }
        Answer::Refusal(refusal) => message.reply(Resource::Parties, Operation::PutPartyError(path), refusal.body),
    };
    drop(core.hub.answer(reply).await);
}

/// The core is asked for the party, as participants do it.
pub(super) async fn participant(core: &Core, path: PartyPath, message: &Inbound) {
    let reply = match core.backend.get(&core_path(&path)).await {
        Answer::Nothing => return,
        Answer::Data(_) => {
            let body = json!({"fspId": core.settings.dfsp.as_str()});
            message.reply(Resource::Participants, Operation::PutParticipant(path), body)
        }
        Answer::Refusal(refusal) => {
            message.reply(Resource::Participants, Operation::PutParticipantError(path), refusal.body)
        }
    };
    drop(core.hub.answer(reply).await);
}

fn core_path(path: &PartyPath) -> String {
    let sub_id = path.sub_id.as_deref().map(|sub_id| format!("/{}", percent_encode(sub_id)));
    format!("/parties/{}/{}{}", path.id_type, percent_encode(&path.identifier), sub_id.unwrap_or_default())
}
