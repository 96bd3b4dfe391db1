//! The hub at the other end: requests to its administration port, and its refusals as sentences.

use clap::Args;
use http::StatusCode;
use sdk::{ClientTls, FspiopError, HttpAnswer, HttpClient, HttpError, KeyPair};
use serde_json::Value;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tls::ClientKeys;

/// A trace may have to look through millions of rows.
const TIMEOUT: Duration = Duration::from_secs(60);
/// What a failed handshake says of itself, and what it means.
const HANDSHAKES: [(&str, &str); 9] = [
    ("UnknownIssuer", "its certificate does not go back to --ca, or to whom the system trusts"),
    ("NotValidForName", "its certificate is not for the host that --hub names"),
    ("not valid for name", "its certificate is not for the host that --hub names"),
    ("invalid peer certificate: certificate expired", "its certificate has expired"),
    ("CertificateRequired", "it demands a certificate of an operator; give --certificate and --key"),
    ("HandshakeFailure", "it demands a certificate of an operator; give --certificate and --key"),
    ("CertificateExpired", "the certificate that --certificate names has expired"),
    (
        "fatal alert",
        "it refuses the certificate that --certificate names; its authority is not one of this hub's operators",
    ),
    ("InvalidContentType", "it speaks plain HTTP at this port; begin --hub with http://"),
];

pub struct Hub {
    client: HttpClient,
    base: String,
}

/// How the administration is reached over TLS.
#[derive(Args)]
pub struct TlsArguments {
    /// Authorities (PEM) that the hub's certificate may go back to; without it, those of the system.
    #[arg(long, env = "UMOJA_ADMIN_CA", value_name = "FILE", global = true)]
    ca: Option<PathBuf>,
    /// Certificate (PEM) of the operator.
    #[arg(long, env = "UMOJA_ADMIN_CERTIFICATE", value_name = "FILE", global = true)]
    certificate: Option<PathBuf>,
    /// Private key (PEM) of --certificate.
    #[arg(long, env = "UMOJA_ADMIN_KEY", value_name = "FILE", global = true)]
    key: Option<PathBuf>,
}

impl Hub {
    /// `base` is the administration's address, as in `http://127.0.0.1:3001`. The error is a sentence.
    pub fn new(base: &str, tls: TlsArguments) -> Result<Self, String> {
        let base = base.trim_end_matches('/').to_owned();
        let pair = match (tls.certificate, tls.key) {
            (Some(certificate), Some(key)) => Some(KeyPair { certificate, key }),
            (None, None) => None,
            (Some(_), None) => return Err("--certificate is given without --key; give both.".to_owned()),
            (None, Some(_)) => return Err("--key is given without --certificate; give both.".to_owned()),
        };
        if !base.starts_with("https://") {
            return Ok(Self { client: HttpClient::new(), base });
        }
        let keys = ClientKeys::of_client(ClientTls { ca: tls.ca.into_iter().collect(), pair });
        match keys.state().problem {
            Some(problem) => Err(problem),
            None => Ok(Self { client: HttpClient::over_tls(Arc::new(keys)), base }),
        }
    }

    pub async fn get(&self, path: &str) -> Result<Value, String> {
        let answer = self.client.get(&self.url(path), TIMEOUT).await;
        self.body(answer)
    }

    /// An answer that need not be JSON.
    pub async fn get_text(&self, path: &str) -> Result<String, String> {
        let answer = self.succeeded(self.client.get(&self.url(path), TIMEOUT).await)?;
        Ok(String::from_utf8_lossy(answer.body()).into_owned())
    }

    /// The same; none where there is nothing at this path.
    pub async fn find_text(&self, path: &str) -> Result<Option<String>, String> {
        let answer = self.client.get(&self.url(path), TIMEOUT).await;
        if answer.as_ref().is_ok_and(|answer| answer.status() == StatusCode::NOT_FOUND) {
            return Ok(None);
        }
        let answer = self.succeeded(answer)?;
        Ok(Some(String::from_utf8_lossy(answer.body()).into_owned()))
    }

    pub async fn put_json(&self, path: &str, body: &Value) -> Result<Value, String> {
        let answer = self.client.put_json(&self.url(path), body.to_string().into(), TIMEOUT).await;
        self.body(answer)
    }

    pub async fn post(&self, path: &str) -> Result<Value, String> {
        let answer = self.client.post_json(&self.url(path), Default::default(), TIMEOUT).await;
        self.body(answer)
    }

    pub async fn post_json(&self, path: &str, body: &Value) -> Result<Value, String> {
        let answer = self.client.post_json(&self.url(path), body.to_string().into(), TIMEOUT).await;
        self.body(answer)
    }

    pub async fn delete(&self, path: &str) -> Result<Value, String> {
        let answer = self.client.delete(&self.url(path), TIMEOUT).await;
        self.body(answer)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The body of a success, null if it is empty.
    fn body(&self, answer: Result<HttpAnswer, HttpError>) -> Result<Value, String> {
        let answer = self.succeeded(answer)?;
        if answer.body().is_empty() {
            return Ok(Value::Null);
        }
        let base = &self.base;
        serde_json::from_slice(answer.body()).map_err(|error| format!("The answer of {base} is no JSON: {error}."))
    }

    fn succeeded(&self, answer: Result<HttpAnswer, HttpError>) -> Result<HttpAnswer, String> {
        let base = &self.base;
        let answer = answer.map_err(|error| self.unanswered(&error.to_string()))?;
        if !answer.status().is_success() {
            return Err(match FspiopError::from_json(answer.body()) {
                Some(error) => format!("The hub refuses: {}.", error.description()),
                None => format!("What answers at {base} is no hub's administration: {}.", answer.status()),
            });
        }
        Ok(answer)
    }

    fn unanswered(&self, error: &str) -> String {
        let base = &self.base;
        if !base.starts_with("https://") {
            let is_maybe_tls = error.contains("the connection broke");
            let advice = if is_maybe_tls { " If it speaks TLS, begin --hub with https://." } else { "" };
            return format!("The hub at {base} does not answer: {error}. Is it running? Give its --hub URL.{advice}");
        }
        match HANDSHAKES.iter().find(|(text, _)| error.contains(text)) {
            Some((_, meaning)) => format!("The hub at {base} cannot be spoken with over TLS: {meaning} ({error})."),
            None => format!("The hub at {base} does not answer: {error}. Is it running? Give its --hub URL."),
        }
    }
}
