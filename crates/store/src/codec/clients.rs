//! Clients of the token endpoint as rows.

use super::{Columns, hash, required, time};
use crate::StoreError;
use hub_core::administration::{Client, ClientSecret, SecretHash};
use ledger::ParticipantId;
use vocabulary::Timestamp;

pub(crate) const CLIENT_COLUMNS: &str =
    "id, generation, secret, secret_at, replaced_secret, replaced_secret_at, replaced_until";

/// What is written of a client, in the order of [`CLIENT_COLUMNS`].
pub(crate) struct ClientRow<'a> {
    pub id: i64,
    pub generation: i64,
    pub secret: Option<&'a [u8]>,
    pub secret_at: Option<i64>,
    pub replaced_secret: Option<&'a [u8]>,
    pub replaced_secret_at: Option<i64>,
    pub replaced_until: Option<i64>,
}

impl<'a> ClientRow<'a> {
    pub fn of(client: &'a Client) -> Self {
        let secret = client.secret.as_ref();
        let (replaced, until) = client.replaced.as_ref().map(|(secret, until)| (secret, until.millis())).unzip();
        let hash = |secret: &'a ClientSecret| &secret.hash.0[..];
        let at = |secret: &ClientSecret| secret.created_at.millis();
        Self {
            id: client.participant.0,
            generation: client.generation,
            secret: secret.map(hash),
            secret_at: secret.map(at),
            replaced_secret: replaced.map(hash),
            replaced_secret_at: replaced.map(at),
            replaced_until: until,
        }
    }
}

/// Reads [`CLIENT_COLUMNS`].
pub(crate) fn client(row: &impl Columns) -> Result<Client, StoreError> {
    let until = row.number(6)?.map(Timestamp::from_millis);
    Ok(Client {
        participant: ParticipantId(required(row.number(0)?, "id")?),
        generation: required(row.number(1)?, "generation")?,
        secret: secret(row, 2)?,
        replaced: secret(row, 4)?.zip(until),
    })
}

fn secret(row: &impl Columns, column: usize) -> Result<Option<ClientSecret>, StoreError> {
    let Some(hash) = hash(row, column)? else { return Ok(None) };
    Ok(Some(ClientSecret { hash: SecretHash(hash), created_at: time(row, column + 1)? }))
}
