//! `/umoja/v1/clients`: who may ask the hub's token endpoint, and their secrets. An addition of this hub.
//!
//! Invariant: a secret is in the answer that makes it and nowhere else; the hub keeps its hash.

use super::{
    form::malformed,
    reply::{Answer, Failure, empty, json, ok},
    request::{Actor, JsonBody, Segments, participant_name},
};
use crate::{Hub, callbacks::now};
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use fspiop::{ErrorCode, FspiopError};
use hub_core::administration::{AdminCommand, Client, CreateClient, RotateClient, SecretHash};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use vocabulary::{FspId, Timestamp};

/// How long a secret that is replaced is taken if nothing else is said: a day.
const OVERLAP_SECONDS_DEFAULT: i64 = 86_400;
/// A month.
const OVERLAP_SECONDS_MAX: i64 = 31 * 86_400;

#[derive(Serialize)]
struct List {
    clients: Vec<View>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    client_id: String,
    /// Whether it has a secret; false once it was revoked.
    is_active: bool,
    /// Those that are taken now, the newest first.
    secrets: Vec<SecretView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SecretView {
    created_at: String,
    /// Of one that was replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    client_id: String,
    client_secret: String,
    /// When the one before ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_ends_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewClient {
    participant: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Rotation {
    overlap_seconds: Option<i64>,
}

pub(super) async fn list(State(hub): State<Arc<Hub>>) -> Answer {
    let (directory, now) = (hub.fresh_directory().await?, now());
    let name = |client: &Client| {
        let owner = directory.participants.iter().find(|known| known.participant.id == client.participant);
        owner.map(|known| known.participant.name.to_string()).unwrap_or_default()
    };
    Ok(ok(&List { clients: directory.clients.iter().map(|client| view(name(client), client, now)).collect() }))
}

pub(super) async fn create(State(hub): State<Arc<Hub>>, Actor(actor): Actor, body: JsonBody) -> Answer {
    let body: NewClient = serde_json::from_value(body.value).map_err(malformed)?;
    let participant = participant_name(&body.participant)?;
    let (text, secret) = new_secret()?;
    let command = CreateClient { participant: participant.clone(), secret };
    hub.administer(AdminCommand::CreateClient(command), &actor).await?;
    Ok(made(StatusCode::CREATED, &participant, text, None))
}

/// The secret before is taken for `overlapSeconds` still.
pub(super) async fn rotate(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments(segment): Segments<String>,
    body: JsonBody,
) -> Answer {
    let participant = participant_name(&segment)?;
    let body: Option<Rotation> = serde_json::from_value(body.value).map_err(malformed)?;
    let seconds = body.unwrap_or_default().overlap_seconds.unwrap_or(OVERLAP_SECONDS_DEFAULT);
    if !(0..=OVERLAP_SECONDS_MAX).contains(&seconds) {
        return Err(malformed(format_args!("\"overlapSeconds\" must be a number from 0 to {OVERLAP_SECONDS_MAX}")));
    }
    let (text, secret) = new_secret()?;
    let command = RotateClient { participant: participant.clone(), secret, overlap_ms: seconds * 1000 };
    hub.administer(AdminCommand::RotateClient(command), &actor).await?;
    let view = hub.view();
    let known = view.participant(&participant).and_then(|known| view.client(known.participant.id));
    let ends_at = known.and_then(|client| client.replaced).map(|(_, until)| until.to_string());
    Ok(made(StatusCode::OK, &participant, text, ends_at))
}

/// Ends every secret, and every token that was issued for one.
pub(super) async fn revoke(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments(segment): Segments<String>,
) -> Answer {
    hub.administer(AdminCommand::RevokeClient(participant_name(&segment)?), &actor).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

fn view(client_id: String, client: &Client, now: Timestamp) -> View {
    let newest = client.secret.iter().map(|secret| (secret, None));
    let replaced = client.replaced.iter().filter(|(_, until)| *until > now);
    let replaced = replaced.map(|(secret, until)| (secret, Some(until.to_string())));
    let secrets = newest.chain(replaced);
    View {
        client_id,
        is_active: client.secret.is_some(),
        secrets: secrets
            .map(|(secret, ends_at)| SecretView { created_at: secret.created_at.to_string(), ends_at })
            .collect(),
    }
}

fn new_secret() -> Result<(String, SecretHash), Failure> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| {
        tracing::error!(%error, "the system gives no random numbers");
        Failure(FspiopError::new(ErrorCode::INTERNAL))
    })?;
    let text = oauth::random_text(&random);
    let hash = SecretHash(Sha256::digest(&text).into());
    Ok((text, hash))
}

fn made(status: StatusCode, client: &FspId, client_secret: String, previous_ends_at: Option<String>) -> Response {
    let mut response = json(status, &Made { client_id: client.to_string(), client_secret, previous_ends_at });
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
