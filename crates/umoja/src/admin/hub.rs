//! The hub at the other end: requests to its administration port, and its refusals as sentences.

use sdk::{FspiopError, HttpAnswer, HttpClient, HttpError};
use serde_json::Value;
use std::time::Duration;

/// A trace may have to look through millions of rows.
const TIMEOUT: Duration = Duration::from_secs(60);

pub struct Hub {
    client: HttpClient,
    base: String,
}

impl Hub {
    /// `base` is the administration's address, as in `http://127.0.0.1:3001`.
    pub fn new(base: &str) -> Self {
        Self { client: HttpClient::new(), base: base.trim_end_matches('/').to_owned() }
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
        let answer = answer.map_err(|error| {
            format!("The hub at {base} does not answer: {error}. Is it running? Give its --hub URL.")
        })?;
        if !answer.status().is_success() {
            return Err(match FspiopError::from_json(answer.body()) {
                Some(error) => format!("The hub refuses: {}.", error.description()),
                None => format!("What answers at {base} is no hub's administration: {}.", answer.status()),
            });
        }
        Ok(answer)
    }
}
