//! An oracle over HTTP: a directory of parties that is not the hub's own.

use axum::{Json, Router, extract::Request, extract::State, http::StatusCode, response::IntoResponse};
use http_body_util::BodyExt;
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// Answers everything with the same status and body, and keeps what it was asked.
pub struct Oracle {
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Oracle {
    pub async fn answering(status: u16, body: Value) -> Self {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let handler = async move |State(asked): State<Arc<Mutex<Vec<String>>>>, request: Request| {
            let (parts, sent) = request.into_parts();
            let sent = sent.collect().await.unwrap().to_bytes();
            let line = format!("{} {} {}", parts.method, parts.uri, String::from_utf8_lossy(&sent));
            asked.lock().unwrap().push(line.trim_end().to_owned());
            let status = StatusCode::from_u16(status).unwrap();
            if body.is_null() { status.into_response() } else { (status, Json(body)).into_response() }
        };
        let router = Router::new().fallback(handler).with_state(asked.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, asked }
    }

    /// Gives these statuses one after the other, the last one ever after; zero stands for no answer at all.
    pub async fn answering_in_turn(statuses: &'static [u16]) -> Self {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let handler = async move |State(asked): State<Arc<Mutex<Vec<String>>>>, request: Request| {
            let line = format!("{} {}", request.method(), request.uri());
            let place = {
                let mut asked = asked.lock().unwrap();
                asked.push(line);
                asked.len() - 1
            };
            match statuses[place.min(statuses.len() - 1)] {
                0 => std::future::pending().await,
                status => StatusCode::from_u16(status).unwrap(),
            }
        };
        let router = Router::new().fallback(handler).with_state(asked.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, asked }
    }

    /// `METHOD PATH BODY` of every request so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}
