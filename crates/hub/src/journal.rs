//! The journal: what came, what left, when, and how it was answered (DESIGN, "Journal").
//!
//! Rows are collected in memory and written with the next unit; a crash loses the last second of them, and an overflow is
//! counted. Invariant: no body and no identifier of a party goes in. A party is a hash with the store's own key, by which
//! look-ups can be told apart and joined to quotes, and by which nobody can be found who is not known already.

use crate::{metrics::Metrics, outbound::Delivery};
use fspiop::{FspiopError, Resource, headers::TRACEPARENT};
use http::{HeaderMap, Method};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use store::{Direction, JournalRow, Micros};
use vocabulary::{CorrelationId, PartyId};

/// Rows that may wait for a unit; more than a busy second has.
const ROWS_MAX: usize = 65_536;
/// Rows of one unit, so that a unit after a stall is not slow itself.
const TAKEN_MAX: usize = 4096;

/// Codes in the store: they never change their meaning. The last bit of a resource's code says that it is the `/error`.
const METHODS: [(u8, Method); 5] =
    [(1, Method::GET), (2, Method::POST), (3, Method::PUT), (4, Method::PATCH), (5, Method::DELETE)];
const IS_ERROR: u8 = 0x80;

/// Collects rows until a unit takes them.
pub struct Journal {
    rows: Mutex<Vec<JournalRow>>,
    hash: PartyHash,
    retention: Retention,
    metrics: Arc<Metrics>,
}

/// How long rows are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retention {
    /// No row is written.
    Nothing,
    Days(u32),
}

/// What a request says of itself. Its resource fills in what stands in the body.
#[derive(Default)]
pub struct Mentioned(OnceLock<Mention>);

/// Ids that a body names, and the party that it is about.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Mention {
    pub subject: Option<CorrelationId>,
    pub related: Option<CorrelationId>,
    pub party: Option<[u8; 8]>,
}

/// A request to an oracle, which is no participant: its row has no name.
pub struct Asked<'request> {
    pub at: Micros,
    pub method: Method,
    pub party: &'request PartyId,
    /// Of the request that made the hub ask.
    pub headers: &'request HeaderMap,
}

/// What the codes of a row stand for; none where the API has no such thing.
pub struct Line {
    pub method: Option<Method>,
    pub resource: Option<Resource>,
    /// Whether it is the resource's `/error`.
    pub is_error: bool,
}

/// HMAC-SHA-256 with a key that has been taken in already, cut to eight bytes.
pub struct PartyHash {
    inner: Sha256,
    outer: Sha256,
}

impl Journal {
    pub fn new(key: &[u8; 32], retention: Retention, metrics: Arc<Metrics>) -> Self {
        Self { rows: Mutex::default(), hash: PartyHash::new(key), retention, metrics }
    }

    pub fn note(&self, row: JournalRow) {
        let mut rows = self.lock();
        if self.retention == Retention::Nothing {
            return;
        }
        if rows.len() < ROWS_MAX {
            rows.push(row);
        } else {
            self.metrics.journal_rows_lost.inc();
        }
    }

    /// Rows for a unit, oldest first.
    pub fn take(&self) -> Vec<JournalRow> {
        let mut rows = self.lock();
        if rows.len() <= TAKEN_MAX {
            return std::mem::take(&mut *rows);
        }
        let rest = rows.split_off(TAKEN_MAX);
        std::mem::replace(&mut *rows, rest)
    }

    /// Takes rows back from a unit that failed.
    pub fn put_back(&self, mut taken: Vec<JournalRow>) {
        let mut rows = self.lock();
        taken.append(&mut rows);
        let lost = taken.len().saturating_sub(ROWS_MAX);
        taken.truncate(ROWS_MAX);
        self.metrics.journal_rows_lost.inc_by(lost as u64);
        *rows = taken;
    }

    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// The hash of a party's type and identifier.
    pub fn party(&self, id_type: &str, identifier: &str) -> [u8; 8] {
        self.hash.of(&[id_type, "/", identifier])
    }

    /// The row of an attempt to send a message, which began at `at`.
    pub fn note_sent(&self, at: Micros, delivery: &Delivery, (status, error): (Option<u16>, Option<u16>)) {
        let head = &delivery.head;
        let path = head.path.split('?').next().unwrap_or_default();
        let value = |name: &str| head.variables.iter().find(|(known, _)| &**known == name).map(|(_, value)| &**value);
        let party = value("partyIdType").zip(value("partyIdentifier"));
        let trace = head.headers.iter().find(|(name, _)| &**name == TRACEPARENT).and_then(|(_, value)| trace_of(value));
        let is_error = path.ends_with("/error");
        self.note(JournalRow {
            at,
            direction: Direction::Out,
            participant: Some(delivery.to.clone()),
            method: method_code(&head.method),
            resource: resource_code(path),
            subject: subject_of_delivery(delivery),
            related: None,
            status,
            error: if is_error { code_of(&delivery.body).or(error) } else { error },
            attempt: u16::try_from(delivery.attempts.saturating_add(1)).unwrap_or(u16::MAX),
            trace,
            party: party.map(|(id_type, identifier)| self.party(id_type, identifier)),
        });
    }

    /// The row of a request to an oracle.
    pub fn note_asked(&self, asked: &Asked<'_>, (status, error): (Option<u16>, Option<u16>)) {
        self.note(JournalRow {
            at: asked.at,
            direction: Direction::Out,
            participant: None,
            method: method_code(asked.method.as_str()),
            resource: code_of_resource(Some(Resource::Participants), false),
            subject: None,
            related: None,
            status,
            error,
            attempt: 1,
            trace: trace_of_headers(asked.headers),
            party: Some(self.party(asked.party.id_type.as_str(), &asked.party.identifier)),
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<JournalRow>> {
        self.rows.lock().expect("rows are pushed without panicking")
    }
}

impl Mentioned {
    /// The first word counts.
    pub fn say(&self, mention: Mention) {
        let _ = self.0.set(mention);
    }

    pub fn get(&self) -> Mention {
        self.0.get().copied().unwrap_or_default()
    }
}

impl PartyHash {
    pub fn new(key: &[u8; 32]) -> Self {
        let padded = |pad: u8| {
            let mut block = [pad; 64];
            block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
            Sha256::new_with_prefix(block)
        };
        Self { inner: padded(0x36), outer: padded(0x5c) }
    }

    pub fn of(&self, parts: &[&str]) -> [u8; 8] {
        let mut inner = self.inner.clone();
        parts.iter().for_each(|part| inner.update(part.as_bytes()));
        let digest = self.outer.clone().chain_update(inner.finalize()).finalize();
        digest[..8].try_into().expect("a digest has 32 bytes")
    }
}

pub use crate::clock::now_micros as now;

/// The code of a method; 0 for one that the API does not have.
pub fn method_code(name: &str) -> u8 {
    METHODS.iter().find(|(_, method)| method.as_str() == name).map_or(0, |(code, _)| *code)
}

/// The code of a canonical path's resource; 0 for one that the API does not have. In a canonical path no identifier is
/// written like `error`.
pub fn resource_code(path: &str) -> u8 {
    let first = path.split('/').nth(1).unwrap_or_default();
    let known = Resource::ALL.iter().find(|known| known.as_str() == first);
    code_of_resource(known.copied(), path.ends_with("/error"))
}

/// The code of a resource or of its `/error`; 0 for none.
pub fn code_of_resource(resource: Option<Resource>, is_error: bool) -> u8 {
    let place = resource.and_then(|resource| Resource::ALL.iter().position(|known| *known == resource));
    let code = place.map_or(0, |place| u8::try_from(place + 1).expect("there are few resources"));
    if is_error { code | IS_ERROR } else { code }
}

impl Line {
    pub fn of(row: &JournalRow) -> Self {
        let place = usize::from(row.resource & !IS_ERROR).checked_sub(1);
        Self {
            method: METHODS.into_iter().find(|(code, _)| *code == row.method).map(|(_, method)| method),
            resource: place.and_then(|place| Resource::ALL.get(place)).copied(),
            is_error: row.resource & IS_ERROR != 0,
        }
    }
}

/// The id in a canonical path such as `/transfers/{ID}/error`.
pub fn subject_of(path: &str) -> Option<CorrelationId> {
    path.split('/').nth(2)?.parse().ok()
}

/// The trace id of a request's `traceparent` (W3C Trace Context).
pub fn trace_of_headers(headers: &HeaderMap) -> Option<[u8; 16]> {
    trace_of(headers.get(TRACEPARENT)?.to_str().ok()?)
}

/// The FSPIOP error code that a body tells, if it is an error.
pub fn code_of(body: &[u8]) -> Option<u16> {
    Some(FspiopError::from_json(body)?.code.number())
}

fn trace_of(value: &str) -> Option<[u8; 16]> {
    let text = value.split('-').nth(1).filter(|text| text.len() == 32)?;
    let mut bytes = [0; 16];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    (bytes != [0; 16]).then_some(bytes)
}

/// The payment of a message: by its path, by the path on which its sender would hear of a failure, or, for a transfer's
/// prepare, by the key of its order, which is the transfer's id.
pub fn subject_of_delivery(delivery: &Delivery) -> Option<CorrelationId> {
    let path = delivery.head.path.split('?').next().unwrap_or_default();
    let complaint = delivery.head.on_failure.as_ref();
    subject_of(path).or_else(|| subject_of(&complaint?.path)).or_else(|| {
        // A UUID says of itself what it is; other bytes can only come from a ULID.
        let uuid = CorrelationId::from_parts(delivery.payment_key, false);
        let is_uuid = uuid.to_string().parse() == Ok(uuid);
        matches!(path, "/transfers" | "/fxTransfers").then(|| CorrelationId::from_parts(delivery.payment_key, !is_uuid))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_is_hashed_as_rfc_2104_says() {
        // Computed by another implementation: HMAC-SHA-256 with the key 00 01 … 1f.
        let key = std::array::from_fn(|place| u8::try_from(place).unwrap());
        let hash = PartyHash::new(&key);
        assert_eq!(hash.of(&["MSISDN", "/", "27710000001"]), hash.of(&["MSISDN/27710000001"]));
        const EXPECTED: [u8; 8] = [0xdb, 0x41, 0xba, 0x5d, 0xd5, 0x97, 0x35, 0x07];
        assert_eq!(hash.of(&["MSISDN/27710000001"]), EXPECTED);
        assert_ne!(PartyHash::new(&[0; 32]).of(&["MSISDN/27710000001"]), EXPECTED);
    }

    #[test]
    fn codes_are_read_back_as_what_they_stand_for_and_stay_what_they_are() {
        assert_eq!(METHODS.map(|(_, method)| method_code(method.as_str())), [1, 2, 3, 4, 5]);
        let paths = ["/parties/MSISDN/1", "/participants", "/quotes/x/error", "/transfers", "/authorizations/x"];
        assert_eq!(paths.map(resource_code), [1, 2, 0x83, 4, 6]);
        assert_eq!((method_code("TRACE"), resource_code("/unknown")), (0, 0));
    }

    #[test]
    fn a_trace_id_is_read_from_a_traceparent_that_has_one() {
        let bytes = [0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c];
        assert_eq!(trace_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), Some(bytes));
        for none in
            ["", "00", "00-0af7-b7ad-01", "00-zzf7651916cd43dd8448eb211c80319c-b7-01", &format!("00-{:032}-1-0", 0)]
        {
            assert_eq!(trace_of(none), None, "{none}");
        }
    }

    #[test]
    fn rows_that_find_no_room_are_counted_and_those_of_a_failed_unit_come_first_again() {
        let metrics = Arc::new(Metrics::new());
        let journal = Journal::new(&[0; 32], Retention::Days(1), metrics.clone());
        let row = |at| JournalRow {
            at: Micros(at),
            direction: Direction::In,
            participant: None,
            method: 1,
            resource: 1,
            subject: None,
            related: None,
            status: None,
            error: None,
            attempt: 0,
            trace: None,
            party: None,
        };
        (0..=ROWS_MAX as i64).for_each(|at| journal.note(row(at)));
        assert_eq!(metrics.journal_rows_lost.get(), 1);
        let taken = journal.take();
        assert_eq!((taken.len(), taken[0].at), (TAKEN_MAX, Micros(0)));
        journal.put_back(taken);
        assert_eq!((journal.take()[0].at, journal.take()[0].at), (Micros(0), Micros(TAKEN_MAX as i64)));
        let off = Journal::new(&[0; 32], Retention::Nothing, metrics);
        off.note(row(1));
        assert!(off.is_empty());
    }
}
