//! Clients of the token endpoint: an addition of this hub. A participant is one client, whose id is its name, with one
//! secret, or two while one replaces the other.
//!
//! Invariant: of a secret only its hash is known here. Tokens carry the generation of their client; revoking it begins
//! another, so that tokens of before are worth nothing, whatever the clocks say.

use super::{AdminRejection, Change, Directory};
use alloc::{vec, vec::Vec};
use core::fmt;
use ledger::ParticipantId;
use vocabulary::{FspId, Timestamp};

/// The SHA-256 of a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretHash(pub [u8; 32]);

/// A participant as a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Client {
    pub participant: ParticipantId,
    /// Counts from 1; another one after each revocation.
    pub generation: i64,
    /// None once it was revoked.
    pub secret: Option<ClientSecret>,
    /// What the secret replaces, and until when that is still taken.
    pub replaced: Option<(ClientSecret, Timestamp)>,
}

/// A secret, and since when it is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClientSecret {
    pub hash: SecretHash,
    pub created_at: Timestamp,
}

/// Gives a participant its first secret, or the first one after a revocation.
#[derive(Clone, Debug)]
pub struct CreateClient {
    pub participant: FspId,
    pub secret: SecretHash,
}

/// Gives a participant another secret; the one before is taken for some time still.
#[derive(Clone, Debug)]
pub struct RotateClient {
    pub participant: FspId,
    pub secret: SecretHash,
    /// Zero ends every other secret at once.
    pub overlap_ms: i64,
}

pub(super) fn create(
    directory: &Directory,
    command: &CreateClient,
    now: Timestamp,
    hub_name: &FspId,
) -> Result<Vec<Change>, AdminRejection> {
    let participant = participant(directory, &command.participant)?;
    if command.participant == *hub_name {
        return Err(AdminRejection::NoClientForTheHub);
    }
    let known = directory.client(participant);
    if known.is_some_and(|known| known.secret.is_some()) {
        return Err(AdminRejection::ClientExists);
    }
    let generation = known.map_or(1, |known| known.generation);
    let secret = Some(ClientSecret { hash: command.secret, created_at: now });
    Ok(vec![Change::SetClient(Client { participant, generation, secret, replaced: None })])
}

/// A third secret that is valid at the same time would be one that nobody remembers.
pub(super) fn rotate(
    directory: &Directory,
    command: &RotateClient,
    now: Timestamp,
) -> Result<Vec<Change>, AdminRejection> {
    let (known, secret) = active(directory, &command.participant)?;
    let has_two = known.replaced.is_some_and(|(_, until)| until > now);
    if has_two && command.overlap_ms > 0 {
        return Err(AdminRejection::ClientHasTwoSecrets);
    }
    let replaced = (command.overlap_ms > 0).then(|| (secret, now.plus_millis(command.overlap_ms)));
    let secret = Some(ClientSecret { hash: command.secret, created_at: now });
    Ok(vec![Change::SetClient(Client { secret, replaced, ..known.clone() })])
}

pub(super) fn revoke(directory: &Directory, name: &FspId) -> Result<Vec<Change>, AdminRejection> {
    let (known, _) = active(directory, name)?;
    let generation = known.generation + 1;
    Ok(vec![Change::SetClient(Client { generation, secret: None, replaced: None, ..known.clone() })])
}

fn participant(directory: &Directory, name: &FspId) -> Result<ParticipantId, AdminRejection> {
    let record = directory.participant(name).ok_or(AdminRejection::ParticipantNotFound)?;
    Ok(record.participant.id)
}

fn active<'a>(directory: &'a Directory, name: &FspId) -> Result<(&'a Client, ClientSecret), AdminRejection> {
    let known = directory.client(participant(directory, name)?).ok_or(AdminRejection::ClientNotFound)?;
    Ok((known, known.secret.ok_or(AdminRejection::ClientNotFound)?))
}

impl Directory {
    /// The client that a participant is, revoked or not.
    pub fn client(&self, participant: ParticipantId) -> Option<&Client> {
        self.clients.iter().find(|client| client.participant == participant)
    }
}

impl Client {
    /// The hashes of the secrets that are taken at a time.
    pub fn secrets(&self, now: Timestamp) -> impl Iterator<Item = &SecretHash> {
        let replaced = self.replaced.as_ref().filter(move |(_, until)| *until > now).map(|(secret, _)| secret);
        self.secret.iter().chain(replaced).map(|secret| &secret.hash)
    }
}

impl fmt::Debug for SecretHash {
    /// Changes are recorded in readable form; a hash is nothing to read.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretHash")
    }
}

#[cfg(test)]
mod tests {
    use super::super::AdminCommand;
    use super::super::fixture::{HUB, Scheme, fsp};
    use super::*;
    use alloc::format;

    const DAY_MS: i64 = 86_400_000;

    fn hash(byte: u8) -> SecretHash {
        SecretHash([byte; 32])
    }

    fn create(name: &str, byte: u8) -> AdminCommand {
        AdminCommand::CreateClient(CreateClient { participant: fsp(name), secret: hash(byte) })
    }

    fn rotate(byte: u8, overlap_ms: i64) -> AdminCommand {
        AdminCommand::RotateClient(RotateClient { participant: fsp("dfsp"), secret: hash(byte), overlap_ms })
    }

    fn revoke() -> AdminCommand {
        AdminCommand::RevokeClient(fsp("dfsp"))
    }

    fn taken(scheme: &Scheme, after_ms: i64) -> Vec<SecretHash> {
        let client = scheme.directory.client(scheme.directory.participant(&fsp("dfsp")).unwrap().participant.id);
        client.unwrap().secrets(scheme.now.plus_millis(after_ms)).copied().collect()
    }

    #[test]
    fn two_secrets_are_taken_while_one_replaces_the_other() {
        let mut scheme = Scheme::with_dfsp();
        scheme.does(create("dfsp", 1));
        assert_eq!(taken(&scheme, 0), [hash(1)]);
        scheme.does(rotate(2, DAY_MS));
        assert_eq!(taken(&scheme, DAY_MS - 1), [hash(2), hash(1)]);
        assert_eq!(taken(&scheme, DAY_MS), [hash(2)]);
        assert_eq!(scheme.tries(rotate(3, DAY_MS)), Err(AdminRejection::ClientHasTwoSecrets));
        scheme.does(rotate(3, 0));
        assert_eq!(taken(&scheme, 0), [hash(3)]);
        scheme.does(rotate(4, 1_500));
        // The next command comes a second later, the one after it when the overlap is over.
        assert_eq!(scheme.tries(rotate(5, 1_500)), Err(AdminRejection::ClientHasTwoSecrets));
        scheme.does(rotate(5, 1_500));
        assert_eq!(taken(&scheme, 0), [hash(5), hash(4)]);
    }

    #[test]
    fn a_revoked_client_has_no_secret_and_begins_anew_in_another_generation() {
        let mut scheme = Scheme::with_dfsp();
        scheme.does(create("dfsp", 1));
        scheme.does(rotate(2, DAY_MS));
        scheme.does(revoke());
        assert_eq!(taken(&scheme, 0), []);
        for command in [revoke(), rotate(3, 0)] {
            assert_eq!(scheme.tries(command), Err(AdminRejection::ClientNotFound));
        }
        scheme.does(create("dfsp", 4));
        assert_eq!((taken(&scheme, 0), scheme.directory.clients[0].generation), (vec![hash(4)], 2));
    }

    #[test]
    fn only_participants_are_clients_each_once() {
        let mut scheme = Scheme::with_dfsp();
        assert_eq!(scheme.tries(create("nobody", 1)), Err(AdminRejection::ParticipantNotFound));
        assert_eq!(scheme.tries(create(HUB, 1)), Err(AdminRejection::NoClientForTheHub));
        for command in [revoke(), rotate(3, 0)] {
            assert_eq!(scheme.tries(command), Err(AdminRejection::ClientNotFound));
        }
        scheme.does(create("dfsp", 1));
        assert_eq!(scheme.tries(create("dfsp", 2)), Err(AdminRejection::ClientExists));
        let shown = format!("{:?}", scheme.directory.clients);
        assert!(shown.contains("SecretHash") && !shown.contains("1, 1"), "{shown}");
    }
}
