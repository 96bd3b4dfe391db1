//! `/umoja/v1/participants/{name}/verification-key`: the public key with which a participant's signatures are verified. Our own
//! addition.
//!
//! It is a file in the directory of keys of the node that is asked; nodes share that directory, or each is told.

use super::{
    form::{Form, malformed},
    positions::owner,
    reply::{Answer, Failure, ok},
    request::{JsonBody, Segments, participant_name},
};
use crate::Hub;
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::IntoResponse,
};
use fspiop::{ErrorCode, FspiopError, jws::VerificationKey};
use serde::Serialize;
use std::{path::PathBuf, sync::Arc};
use tls::files::{self, Readers};
use tokio::task::spawn_blocking;
use vocabulary::FspId;

const PEM_CHARS_MAX: usize = 16_384;

#[derive(Serialize)]
struct View {
    key: String,
}

/// The key as it stands in its file; 404 with 3002 where there is none.
pub(super) async fn get(State(hub): State<Arc<Hub>>, Segments(segment): Segments<String>) -> Answer {
    let name = participant_name(&segment)?;
    let file = file(&hub, &name)?;
    let none = || Failure(FspiopError::with_detail(ErrorCode::UNKNOWN_URI, format_args!("{name} has no key here")));
    let pem = blocking(move || Ok(std::fs::read_to_string(file).ok())).await?.ok_or_else(none)?;
    let media_type = HeaderValue::from_static("application/x-pem-file");
    Ok(([(header::CONTENT_TYPE, media_type)], pem).into_response())
}

/// A key in the place of whatever was there.
pub(super) async fn put(State(hub): State<Arc<Hub>>, Segments(segment): Segments<String>, body: JsonBody) -> Answer {
    let name = participant_name(&segment)?;
    let mut form = Form::new(&body.value);
    let pem = form.text("key", 1..=PEM_CHARS_MAX);
    let pem = form.finish(|| pem)?.to_owned();
    VerificationKey::from_pem(&pem).map_err(|error| malformed(format_args!("\"key\" is no public key: {error}")))?;
    let directory = hub.fresh_directory().await?;
    owner(&directory, &name)?;
    let (file, key) = (file(&hub, &name)?, pem.clone());
    blocking(move || files::replace(&file, &pem, Readers::Everybody)).await?;
    tracing::warn!(participant = %name, "the key that verifies a participant's signatures was set");
    Ok(ok(&View { key }))
}

/// Where the key of a participant is. Errors: this hub has no directory, or no file can have the name.
fn file(hub: &Hub, name: &FspId) -> Result<PathBuf, Failure> {
    let directory = hub.verification_keys().ok_or_else(|| {
        malformed("this hub verifies no signatures; start it with --verify-signatures and --verification-keys")
    })?;
    if name.as_str().contains(['/', '\0']) {
        return Err(malformed(format_args!("no file can have the name {name}")));
    }
    Ok(directory.join(format!("{name}.pem")))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, Failure> {
    let failed = |what: String| Failure(FspiopError::with_detail(ErrorCode::INTERNAL, what));
    spawn_blocking(work).await.map_err(|error| failed(error.to_string()))?.map_err(failed)
}
