//! The token endpoint and what describes it (RFC 6749 §4.4, RFC 8414, OpenID Connect Discovery 1.0).
//!
//! Invariant: who does not know a secret learns nothing, neither which names exist nor by how long an answer takes. Right
//! secrets are answered however many wrong ones come, which wait.

use super::{DISCOVERY, JWKS, TOKEN, Tokens};
use crate::{Hub, callbacks::now, http::Caller, metrics::ReasonLabels};
use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, Uri, header, request::Parts};
use http_body_util::{BodyExt, Limited};
use hub_core::administration::SecretHash;
use oauth::{FORM_BYTES_MAX, RequestError, TokenRequest};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{sync::Arc, time::Duration};
use vocabulary::FspId;

/// Before a wrong secret is answered.
const WRONG_PAUSE: Duration = Duration::from_millis(500);

/// Whether a path is one of those that are served here.
pub fn is_here(path: &str) -> bool {
    path == TOKEN || path == JWKS || DISCOVERY.contains(&path)
}

/// Answers a request to one of these paths.
pub async fn serve(hub: &Arc<Hub>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let (wanted, is_token) = if path == TOKEN { (Method::POST, true) } else { (Method::GET, false) };
    if parts.method != wanted {
        let allow = HeaderValue::from_str(wanted.as_str()).expect("methods are text");
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, allow)]).into_response();
    }
    if is_token {
        return grant(hub, &parts, body).await;
    }
    let document = if path == JWKS { hub.tokens.issuer.jwks() } else { description(hub, &parts) };
    json_response(StatusCode::OK, &document)
}

async fn grant(hub: &Arc<Hub>, parts: &Parts, body: Body) -> Response {
    let metrics = hub.metrics();
    match issue(hub, parts, body).await {
        Ok(token) => {
            metrics.tokens_issued.inc();
            let lifetime = hub.tokens.issuer.lifetime().as_secs();
            let body = json!({"access_token": token, "token_type": "Bearer", "expires_in": lifetime});
            unstored(json_response(StatusCode::OK, &body))
        }
        Err(Failure::Refused(error)) => {
            metrics.token_requests_refused.get_or_create(&ReasonLabels { reason: error.code() }).inc();
            refused(error)
        }
        Err(Failure::Broken(problem)) => {
            tracing::error!(%problem, "a token could not be issued");
            unstored(json_response(StatusCode::INTERNAL_SERVER_ERROR, &json!({"error": "server_error"})))
        }
    }
}

enum Failure {
    Refused(RequestError),
    /// A sentence.
    Broken(String),
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        Self::Refused(error)
    }
}

async fn issue(hub: &Arc<Hub>, parts: &Parts, body: Body) -> Result<String, Failure> {
    let request = TokenRequest::parse(&parts.headers, &read(body).await?)?;
    let Some((client, generation)) = find(hub, &request, parts.extensions.get()) else {
        return Err(hub.tokens.wait_after_wrong().await.into());
    };
    let is_active = hub.view().participant(&client).is_some_and(|known| known.participant.is_active);
    if !is_active {
        return Err(RequestError::Unauthorized.into());
    }
    // An RSA signature takes a millisecond, in which this thread serves others.
    let (signing, now) = (hub.clone(), now());
    let issued = tokio::task::spawn_blocking(move || signing.tokens.issuer.issue(&client, generation, now)).await;
    issued.unwrap_or_else(|error| Err(format!("Signing ended by panic: {error}."))).map_err(Failure::Broken)
}

/// The participant whose secret this is, and the life of its client. Where a certificate was shown, it must name it too.
fn find(hub: &Hub, request: &TokenRequest, certificate: Option<&Caller>) -> Option<(FspId, i64)> {
    let (view, now) = (hub.view(), now());
    let hash = SecretHash(Sha256::digest(&request.secret).into());
    let nobody = SecretHash([0; 32]);
    let mut found = None;
    for name in request.names().filter_map(|name| name.parse::<FspId>().ok()) {
        let participant = view.participant(&name).map(|known| known.participant.id);
        let client = participant.and_then(|id| view.client(id));
        let mut is_right = false;
        for known in client.into_iter().flat_map(|client| client.secrets(now)).chain([&nobody]) {
            is_right |= is_same(known, &hash);
        }
        let is_named = certificate.is_none_or(|shown| shown.is(&name) && shown.check_certificate(hub, now).is_ok());
        if let Some(client) = client.filter(|_| is_right && is_named) {
            found = Some((name, client.generation));
        }
    }
    found
}

/// Takes as long whatever differs.
fn is_same(one: &SecretHash, other: &SecretHash) -> bool {
    one.0.iter().zip(&other.0).fold(0, |differences, (one, other)| differences | (one ^ other)) == 0
}

impl Tokens {
    /// Lets who came with a wrong secret wait; only so many may at a time.
    async fn wait_after_wrong(&self) -> RequestError {
        let Ok(_place) = self.wrong.try_acquire() else { return RequestError::Busy };
        tokio::time::sleep(WRONG_PAUSE).await;
        RequestError::Client
    }
}

async fn read(body: Body) -> Result<Bytes, RequestError> {
    match Limited::new(body, FORM_BYTES_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(_) => Err(RequestError::Invalid("the body is too long or ends early")),
    }
}

/// Addresses are those by which the client came.
fn description(hub: &Hub, parts: &Parts) -> Value {
    let issuer = hub.tokens.issuer.name();
    let is_url = issuer.starts_with("http://") || issuer.starts_with("https://");
    let base = if is_url { issuer.trim_end_matches('/').to_owned() } else { origin(hub, parts) };
    json!({
        "issuer": issuer,
        "token_endpoint": format!("{base}{TOKEN}"),
        "jwks_uri": format!("{base}{JWKS}"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "id_token_signing_alg_values_supported": ["ES256", "RS256"],
    })
}

fn origin(hub: &Hub, parts: &Parts) -> String {
    let scheme = if hub.config.tls.fspiop.is_some() { "https" } else { "http" };
    let host = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let host = host.filter(|host| format!("{scheme}://{host}/").parse::<Uri>().is_ok());
    format!("{scheme}://{}", host.map_or_else(|| hub.config.listeners.fspiop.to_string(), str::to_owned))
}

fn refused(error: RequestError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let body = json!({"error": error.code(), "error_description": error.to_string()});
    let mut response = unstored(json_response(status, &body));
    match error {
        RequestError::Client => {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"umoja\", charset=\"UTF-8\""));
        }
        RequestError::Busy => {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        RequestError::Invalid(_) | RequestError::UnsupportedGrantType | RequestError::Unauthorized => {}
    }
    response
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn unstored(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
