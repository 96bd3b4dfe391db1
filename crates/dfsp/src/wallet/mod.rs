//! The customers' pages: server-rendered HTML, no script, fit for a phone.
//!
//! Invariant: a page changes something only by POST with the form token that this process has put into its own form, and
//! answers with a redirect. Pages are shown only under the machine's own names or an address, so that a foreign site
//! cannot read them by pointing its name here. Nothing is cached.
//!
//! The example has no sign-in: whoever reaches the page may act for every customer, and as the teller. It listens on the local machine.

mod format;
mod forms;
mod handlers;
mod lists;
mod merchant;
mod pages;
mod requests;
mod statements;
mod teller;
mod words;

pub(crate) use lists::in_words;

use crate::bank::Bank;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use axum::{Router, routing::get, routing::post};
use std::{io, net::IpAddr, net::SocketAddr, sync::Arc, sync::OnceLock, time::Duration};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const STOP_TIMEOUT: Duration = Duration::from_secs(3);
/// Bytes of a form.
const FORM_BYTES_MAX: usize = 16 * 1024;
const CONTENT_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

pub struct Running {
    address: SocketAddr,
    wallet: Arc<Wallet>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// What the handlers share.
pub(crate) struct Wallet {
    bank: Arc<Bank>,
    /// In every form of this process, known to nobody else.
    token: String,
    /// Titles and addresses of the pages of other DFSPs, once they are known.
    neighbours: OnceLock<Vec<(String, String)>>,
}

pub async fn serve(bank: Arc<Bank>, address: SocketAddr) -> io::Result<Running> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    // Answers are small and must not wait for more; a socket that refuses the option still works.
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    let (stop, mut stopped) = watch::channel(false);
    let token = uuid::Uuid::new_v4().to_string();
    let wallet = Arc::new(Wallet { bank, token, neighbours: OnceLock::new() });
    let serving = axum::serve(listener, router(wallet.clone())).with_graceful_shutdown(async move {
        // An error means that the handle is gone, which is a reason to stop as well.
        let _ = stopped.wait_for(|stop| *stop).await;
    });
    let task = tokio::spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!(%error, "the wallet's listener ended");
        }
    });
    Ok(Running { address, wallet, stop, task })
}

fn router(wallet: Arc<Wallet>) -> Router {
    let list_bytes = axum::extract::DefaultBodyLimit::max(lists::LIST_BYTES_MAX);
    Router::new()
        .route("/", get(handlers::customers))
        .route("/style.css", get(handlers::style))
        .route("/customers/{customer}", get(handlers::home))
        .route("/customers/{customer}/send", get(handlers::send_form).post(handlers::send))
        .route("/customers/{customer}/offers/{offer}", get(handlers::offer).post(handlers::confirm))
        .route("/customers/{customer}/offers/{offer}/decline", post(handlers::decline))
        .route("/customers/{customer}/payments/{payment}", get(handlers::payment))
        .route("/pay", get(merchant::who_pays))
        .route("/customers/{customer}/scan", get(merchant::scan))
        .route("/customers/{customer}/code", get(merchant::code))
        .route("/customers/{customer}/ask", get(requests::form).post(requests::ask))
        .route("/customers/{customer}/requests/{request}", get(requests::request))
        .route("/customers/{customer}/requests/{request}/approve", post(requests::approve))
        .route("/customers/{customer}/requests/{request}/refuse", post(requests::refuse))
        .route("/customers/{customer}/lists", get(lists::form).post(lists::review).layer(list_bytes))
        .route("/customers/{customer}/lists/{list}", get(lists::list).post(lists::start))
        .route("/customers/{customer}/statement", get(statements::page))
        .route("/customers/{customer}/statement.csv", get(statements::csv))
        .route("/teller", get(teller::counter).post(teller::open))
        .route("/teller/{customer}", get(teller::customer))
        .route("/teller/{customer}/cash", post(teller::cash))
        .route("/teller/{customer}/standing", post(teller::standing))
        .route("/teller/{customer}/register", post(teller::register))
        .fallback(handlers::not_found)
        .layer(axum::extract::DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(middleware::from_fn_with_state(wallet.clone(), guard))
        .with_state(wallet)
}

/// Refuses foreign names and adds the headers that every page has.
async fn guard(State(_wallet): State<Arc<Wallet>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(is_own_name) {
        let text = "Open this page by its address, for example http://127.0.0.1.";
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    let mut response = next.run(request).await;
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// `localhost` or an address, with or without a port. A name could be pointed here by a foreign site, an address not.
fn is_own_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}

impl Running {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The first word counts.
    pub fn introduce(&self, neighbours: Vec<(String, String)>) {
        let _ = self.wallet.neighbours.set(neighbours);
    }

    pub async fn stop(self) {
        self.stop.send_replace(true);
        let mut task = self.task;
        if tokio::time::timeout(STOP_TIMEOUT, &mut task).await.is_err() {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_desks;
