//! An HTTP client for the calls around a run. Convenience counts here, not speed.

use super::ProvisionError;
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(120);
const REPLY_BYTES_MAX: usize = 4 << 20;
const JSON: &str = "application/json";

/// Keeps its connections; clones share them.
#[derive(Clone)]
pub struct Client(legacy::Client<HttpConnector, Full<Bytes>>);

/// An answer, with the call that it answers.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub body: Bytes,
    call: String,
}

impl Client {
    pub fn new() -> Self {
        Self(legacy::Client::builder(TokioExecutor::new()).build_http())
    }

    pub async fn get(&self, url: &str) -> Result<Reply, ProvisionError> {
        self.send(Request::get(url), Bytes::new()).await
    }

    pub async fn post(&self, url: &str, body: &Value) -> Result<Reply, ProvisionError> {
        self.send(Request::post(url).header(header::CONTENT_TYPE, JSON), Bytes::from(body.to_string())).await
    }

    pub async fn put(&self, url: &str, body: &Value) -> Result<Reply, ProvisionError> {
        self.send(Request::put(url).header(header::CONTENT_TYPE, JSON), Bytes::from(body.to_string())).await
    }

    /// Reads an answer of any length to its end without keeping it; returns how many bytes it had. Other statuses than
    /// 200 are errors.
    pub async fn download(&self, url: &str) -> Result<u64, ProvisionError> {
        let failed = |problem: &dyn std::fmt::Display| ProvisionError::new(format_args!("GET {url}: {problem}"));
        let request = Request::get(url).body(Full::new(Bytes::new())).map_err(ProvisionError::new)?;
        let exchange = async {
            let response = self.0.request(request).await.map_err(|error| failed(&error))?;
            let (status, mut body) = (response.status(), response.into_body());
            let mut length = 0;
            while let Some(frame) = body.frame().await {
                length += frame.map_err(|error| failed(&error))?.data_ref().map_or(0, |data| data.len() as u64);
            }
            if status == StatusCode::OK { Ok(length) } else { Err(failed(&status)) }
        };
        timeout(DOWNLOAD_TIMEOUT, exchange).await.map_err(|_| failed(&"no whole answer in time"))?
    }

    /// Sends a request whose headers the caller has chosen.
    pub async fn send(&self, request: http::request::Builder, body: Bytes) -> Result<Reply, ProvisionError> {
        let request = request.body(Full::new(body)).map_err(ProvisionError::new)?;
        let (method, url) = (request.method().clone(), request.uri().clone());
        let call = call_text(&method, &url.to_string());
        let failed = |problem: &dyn std::fmt::Display| ProvisionError::new(format_args!("{call}: {problem}"));
        let exchange = async {
            let response = self.0.request(request).await.map_err(|error| failed(&error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), REPLY_BYTES_MAX).collect().await;
            Ok((status, body.map_err(|error| failed(&error))?.to_bytes()))
        };
        let (status, body) =
            timeout(REQUEST_TIMEOUT, exchange).await.map_err(|_| failed(&"no answer within 30 s"))??;
        Ok(Reply { status, body, call })
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Reply {
    /// An error unless the status is one of these.
    pub fn expect(&self, statuses: &[u16]) -> Result<(), ProvisionError> {
        if statuses.contains(&self.status.as_u16()) {
            return Ok(());
        }
        let body = String::from_utf8_lossy(&self.body);
        Err(ProvisionError::new(format_args!("{} answered {}: {body}", self.call, self.status)))
    }

    /// An error unless the status is one of these or the hub says that the thing is there already, in these words.
    pub fn expect_unless(&self, already: &str, statuses: &[u16]) -> Result<(), ProvisionError> {
        let is_there = String::from_utf8_lossy(&self.body).contains(already);
        if is_there { Ok(()) } else { self.expect(statuses) }
    }

    /// The body of a 200 as JSON.
    pub fn json(&self) -> Result<Value, ProvisionError> {
        self.expect(&[200])?;
        serde_json::from_slice(&self.body)
            .map_err(|error| ProvisionError::new(format_args!("{}: the answer is not JSON: {error}", self.call)))
    }
}

fn call_text(method: &Method, url: &str) -> String {
    format!("{method} {url}")
}
