//! `/umoja/v1/certificates`: what was issued to participants, and what is not heard any more. Our own addition. Issuing is
//! not here: no API reaches the key of an authority.

use super::{
    form::{Form, NAME_CHARS, TEXT_CHARS, malformed},
    outbox,
    positions::owner,
    reply::{Answer, Failure, json, ok},
    request::{Actor, Filters, JsonBody, Segments, participant_name, positive},
};
use crate::Hub;
use axum::{extract::State, http::StatusCode};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde::Serialize;
use std::sync::Arc;
use store::{CertificateQuery, CertificateRow, NewCertificate};
use tls::x509;
use vocabulary::FspId;

/// Characters of a certificate in PEM; one of the largest keys has some three thousand.
const PEM_CHARS_MAX: usize = 16_384;

#[derive(Serialize)]
struct Page {
    certificates: Vec<View>,
    /// `after` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    fingerprint: String,
    serial_number: String,
    participant: String,
    not_after: String,
    recorded_at: String,
    recorded_by: String,
    revocation: Option<RevocationView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RevocationView {
    at: String,
    by: String,
    reason: String,
}

/// `?participant=FSP&limit=…&after=…`, the newest first.
pub(super) async fn list(State(hub): State<Arc<Hub>>, filters: Filters) -> Answer {
    let participant = filters.get("participant").map(participant_name).transpose()?;
    let limit = filters.limit()?;
    let before = filters.get("after").map(|text| positive(text, "after")).transpose()?;
    let rows = hub.certificates(CertificateQuery { participant, fingerprint: None, before, limit }).await?;
    let next = rows.last().filter(|_| rows.len() == limit).map(|row| row.id);
    Ok(ok(&Page { certificates: rows.into_iter().map(view).collect(), next }))
}

/// Notes a certificate that was issued: 201, or 200 where it is known.
pub(super) async fn record(State(hub): State<Arc<Hub>>, Actor(actor): Actor, body: JsonBody) -> Answer {
    let mut form = Form::new(&body.value);
    let participant = form.text("participant", NAME_CHARS);
    let pem = form.text("certificate", 1..=PEM_CHARS_MAX);
    let (participant, pem) = form.finish(|| Some((participant?, pem?)))?;
    let participant = participant_name(participant)?;
    let der = CertificateDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| malformed("\"certificate\" must be a certificate in PEM form"))?;
    let (Some(serial_number), Some(not_after)) = (x509::serial_number(&der), x509::not_after(&der)) else {
        return Err(malformed("\"certificate\" must be a certificate with a serial number and an end"));
    };
    check_names(&hub, &participant, &x509::names(&der)).await?;
    let fingerprint = x509::fingerprint(&der);
    let new = NewCertificate { fingerprint: fingerprint.clone(), serial_number, participant, not_after };
    let is_new = hub.record_certificate(new, &actor).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(json(status, &view(one(&hub, &fingerprint).await?)))
}

/// For good; once more changes nothing.
pub(super) async fn revoke(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments(fingerprint): Segments<String>,
    body: JsonBody,
) -> Answer {
    let reason = if body.value.is_null() {
        ""
    } else {
        let mut form = Form::new(&body.value);
        let reason = form.optional_text("reason", TEXT_CHARS);
        form.finish(|| Some(reason.unwrap_or_default()))?
    };
    let fingerprint = fingerprint.to_ascii_lowercase();
    let row = hub.revoke_certificate(&fingerprint, reason, &actor).await?.ok_or_else(unknown)?;
    tracing::warn!(participant = %row.participant, fingerprint, "a certificate was revoked");
    Ok(ok(&view(row)))
}

/// A certificate speaks for every name in it.
async fn check_names(hub: &Hub, participant: &FspId, names: &[String]) -> Result<(), Failure> {
    let directory = hub.fresh_directory().await?;
    owner(&directory, participant)?;
    if !names.iter().any(|name| name == participant.as_str()) {
        return Err(malformed(format_args!("\"certificate\" does not name {participant}")));
    }
    let other = directory
        .participants
        .iter()
        .map(|record| &record.participant.name)
        .find(|known| *known != participant && names.iter().any(|name| name == known.as_str()));
    match other {
        Some(other) => Err(malformed(format_args!("\"certificate\" names {other}, another participant, as well"))),
        None => Ok(()),
    }
}

async fn one(hub: &Hub, fingerprint: &str) -> Result<CertificateRow, Failure> {
    let fingerprint = Some(fingerprint.to_owned());
    let query = CertificateQuery { participant: None, fingerprint, before: None, limit: 1 };
    hub.certificates(query).await?.pop().ok_or_else(unknown)
}

fn unknown() -> Failure {
    outbox::unknown("no certificate of this fingerprint is recorded")
}

fn view(row: CertificateRow) -> View {
    View {
        fingerprint: row.fingerprint,
        serial_number: row.serial_number,
        participant: row.participant.to_string(),
        not_after: row.not_after.to_string(),
        recorded_at: row.recorded_at.to_string(),
        recorded_by: row.recorded_by,
        revocation: row.revocation.map(|revocation| RevocationView {
            at: revocation.at.to_string(),
            by: revocation.by,
            reason: revocation.reason,
        }),
    }
}
