//! The listener for the hub's messages (FSPIOP 1.1; contract dfsp-client.md §3).
//!
//! Invariant: questions (GET, POST) are answered 202 at once and worked on by a bounded number of tasks; news and answers
//! (PUT, PATCH) are answered 200 after they have been recorded, so that the hub repeats what was lost. Every body has a
//! greatest length, and a 2xx has no body.

mod answers;
mod conversions;
mod questions;

use crate::connection::Connection;
use crate::links::Links;
use crate::requests;
use crate::{Backend, Exchange, backend::NotRecorded};
use axum::{Router, body::Body, extract::State, response::Response};
use bytes::Bytes;
use fspiop::body::FxTransferPrepare;
use fspiop::jws::Received;
use fspiop::{Envelope, ErrorCode, FspiopError, Operation, RouteError, check_headers, headers, route};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper_util::service::TowerToHyperService;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

/// After a stop is asked for, how long requests in work may take.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);
/// Connections that are open at a time.
const CONNECTIONS_MAX: u32 = 10_000;
/// Bytes of a request's head (FSPIOP 1.1 §3.1.1 allows 64 KiB of headers).
const HEAD_BYTES_MAX: usize = 72 * 1024;
/// A connection on which no request's head arrives for this long is closed.
const IDLE_MAX: Duration = Duration::from_secs(120);

/// A running listener.
pub struct Listener {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    /// Looks at the files of keys.
    following: JoinHandle<()>,
    /// Keeps the access token fresh that is shown to the hub.
    keeper: Option<AbortHandle>,
}

/// What the handlers share.
pub(crate) struct Server<B, X> {
    connection: Connection,
    /// None at a provider that has no customers.
    pub(crate) backend: Option<Arc<B>>,
    /// None at a DFSP that does not convert.
    exchange: Option<Arc<X>>,
}

/// A checked message with its operation taken out.
pub(crate) struct Inbound {
    pub(crate) envelope: Envelope,
    pub(crate) body: Bytes,
}

/// How a handler failed; success is the status that belongs to the method.
enum Failure {
    Error(FspiopError),
    /// Of a method that the path does not have: the value of `Allow`.
    Allow(FspiopError, String),
}

/// Listens for the hub's messages and asks `backend`. Errors: the address cannot be bound.
pub async fn serve<B: Backend>(connection: Connection, backend: Arc<B>, address: SocketAddr) -> io::Result<Listener> {
    listen(Server::<B, conversions::Nobody> { connection, backend: Some(backend), exchange: None }, address).await
}

/// The same for a foreign exchange provider without customers.
pub async fn serve_exchange<X: Exchange>(
    connection: Connection,
    exchange: Arc<X>,
    address: SocketAddr,
) -> io::Result<Listener> {
    listen(Server::<conversions::Nobody, X> { connection, backend: None, exchange: Some(exchange) }, address).await
}

/// The same for a DFSP that also converts for others.
pub async fn serve_both<B: Backend, X: Exchange>(
    connection: Connection,
    (backend, exchange): (Arc<B>, Arc<X>),
    address: SocketAddr,
) -> io::Result<Listener> {
    listen(Server { connection, backend: Some(backend), exchange: Some(exchange) }, address).await
}

async fn listen<B: Backend, X: Exchange>(server: Server<B, X>, address: SocketAddr) -> io::Result<Listener> {
    let config = &server.connection.0.config;
    let (links, tokens) = (config.links.clone(), config.tokens.clone());
    let router = Router::new().fallback(handle::<B, X>).with_state(Arc::new(server));
    let mut listener = Listener::start_over(address, router, &links).await?;
    listener.keeper = Some(tokio::spawn(async move { tokens.keep().await }).abort_handle());
    Ok(listener)
}

impl Listener {
    /// Serves whatever `router` answers, over plain HTTP. Errors: the address cannot be bound.
    pub async fn start(address: SocketAddr, router: Router) -> io::Result<Self> {
        Self::start_over(address, router, &Links::default()).await
    }

    /// The same over TLS, if the links have it; the files of their keys are followed for as long as this listens.
    pub async fn start_over(address: SocketAddr, router: Router, links: &Links) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let listener = tls::Listener {
            name: "inbound",
            keys: links.inbound.clone(),
            connections_max: CONNECTIONS_MAX,
            head_bytes_max: HEAD_BYTES_MAX,
            idle_max: IDLE_MAX,
            dates_answers: true,
        };
        let serving = tls::serve(socket, listener, stopped, move |_| TowerToHyperService::new(router.clone()));
        Ok(Self { address, stop, task: tokio::spawn(serving), following: tokio::spawn(links.keep()), keeper: None })
    }

    /// The address that is really listened on, also when port 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening and lets requests in work end, for three seconds at most.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(STOP_TIMEOUT, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.following.abort();
        if let Some(keeper) = &self.keeper {
            keeper.abort();
        }
    }
}

async fn handle<B: Backend, X: Exchange>(State(server): State<Arc<Server<B, X>>>, request: Request<Body>) -> Response {
    if matches!(request.uri().path(), "/" | "/health") {
        return empty(StatusCode::OK);
    }
    match server.take(request).await {
        Ok(status) => empty(status),
        Err(failure) => failure.into_response(),
    }
}

impl<B: Backend, X: Exchange> Server<B, X> {
    /// The order of the checks is the one that hubs and participants agree on (contract §1.2).
    async fn take(self: Arc<Self>, request: Request<Body>) -> Result<StatusCode, Failure> {
        let (head, body) = request.into_parts();
        let route = route(&head.method, head.uri.path())?;
        let body = read(body).await?;
        let envelope = check_headers(&route, &head.headers)?;
        let status = StatusCode::from_u16(route.success_status()).expect("200 or 202");
        let received = Received { method: &head.method, path: head.uri.path(), headers: &head.headers, body: &body };
        self.connection.0.config.signatures.check(route.resource(), &received)?;
        let operation = route.operation(head.uri.query())?;
        self.check_destination(&envelope)?;
        self.dispatch(operation, Inbound { envelope, body }).await?;
        Ok(status)
    }

    fn check_destination(&self, envelope: &Envelope) -> Result<(), FspiopError> {
        let own = self.connection.name();
        match &envelope.destination {
            Some(destination) if !own.same_as(destination.as_str()) => {
                Err(FspiopError::with_detail(ErrorCode::DESTINATION_FSP, format_args!("this is {own}")))
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn dispatch(self: Arc<Self>, operation: Operation, message: Inbound) -> Result<(), FspiopError> {
        use Operation as O;
        match operation {
            O::GetParty(party) => self.ask_backend(|server, backend| server.answer_lookup(backend, party, message)),
            O::PostQuote => {
                let question = questions::quote(&message)?;
                self.ask_backend(|server, backend| server.answer_quote(backend, question, message.envelope))
            }
            O::PostTransfer => {
                let prepare = fspiop::body::TransferPrepare::parse(&message.body)?;
                self.ask_backend(|server, backend| server.answer_transfer(backend, prepare, message.envelope))
            }
            O::PostFxQuote => {
                let question = conversions::question(&message)?;
                self.ask_exchange(|server, exchange| server.answer_fx_quote(exchange, question, message.envelope))
            }
            O::GetFxQuote(id) => {
                self.ask_exchange(|server, exchange| server.repeat_fx_quote(exchange, id, message.envelope))
            }
            O::PostFxTransfer => {
                let prepare = FxTransferPrepare::parse(&message.body)?;
                self.ask_exchange(|server, exchange| server.answer_fx_transfer(exchange, prepare, message.envelope))
            }
            O::GetFxTransfer(id) => {
                self.ask_exchange(|server, exchange| server.report_fx_transfer(exchange, id, message.envelope))
            }
            O::PutFxTransfer(id) | O::PatchFxTransfer(id) => self.fx_transfer_status(&id, &message).await,
            O::PutFxTransferError(id) => self.fx_transfer_error(&id, &message).await,
            O::PutFxQuote(id) => self.fx_quote(id, &message),
            O::PutFxQuoteError(id) => self.fx_quote_error(id, &message),
            O::PutFxProviders(pair) => self.fx_providers(pair, &message),
            O::PostTransactionRequest => {
                let asked = requests::request(&message)?;
                self.ask_backend(|server, backend| server.answer_request(backend, asked, message.envelope))
            }
            O::PutTransactionRequest(id) => self.request_answer(&id, &message).await,
            O::PutTransactionRequestError(id) => self.request_error(&id, &message).await,
            O::PutTransfer(id) => self.transfer_status(&id, &message).await,
            O::PatchTransfer(id) => self.transfer_notice(&id, &message).await,
            O::PutTransferError(id) => self.transfer_error(&id, &message).await,
            O::PutParty(party) => self.party(party, &message),
            O::PutPartyError(party) => self.party_error(party, &message),
            O::PutParticipant(party) => self.participant(party, &message),
            O::PutParticipantError(party) => self.participant_error(party, &message),
            O::PutQuote(id) => self.quote(id, &message),
            O::PutQuoteError(id) => self.quote_error(id, &message),
            // Not part of sending and receiving single payments.
            O::GetParticipant(_)
            | O::PostParticipant(_)
            | O::DeleteParticipant(_)
            | O::PostParticipants
            | O::PutParticipants(_)
            | O::PutParticipantsError(_)
            | O::GetQuote(_)
            | O::GetTransfer(_)
            | O::GetTransactionRequest(_)
            | O::GetAuthorization(..)
            | O::PutAuthorization(_)
            | O::PutAuthorizationError(_)
            | O::PostBulkQuote
            | O::GetBulkQuote(_)
            | O::PutBulkQuote(_)
            | O::PutBulkQuoteError(_)
            | O::PostBulkTransfer
            | O::GetBulkTransfer(_)
            | O::PutBulkTransfer(_)
            | O::PutBulkTransferError(_)
            | O::GetFxProviders(_) => Err(FspiopError::new(ErrorCode::NOT_IMPLEMENTED)),
        }
    }

    /// Answers a question to the DFSP, if this is one.
    fn ask_backend<F>(self: Arc<Self>, start: impl FnOnce(Arc<Self>, Arc<B>) -> F) -> Result<(), FspiopError>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let backend = self.backend.clone().ok_or_else(|| FspiopError::new(ErrorCode::NOT_IMPLEMENTED))?;
        self.work(|server| start(server, backend))
    }

    /// Answers a question to the foreign exchange provider, if this is one.
    fn ask_exchange<F>(self: Arc<Self>, start: impl FnOnce(Arc<Self>, Arc<X>) -> F) -> Result<(), FspiopError>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let exchange = self.exchange.clone().ok_or_else(|| FspiopError::new(ErrorCode::NOT_IMPLEMENTED))?;
        self.work(|server| start(server, exchange))
    }

    /// Answers a question in the background if there is room.
    fn work<F>(self: Arc<Self>, start: impl FnOnce(Arc<Self>) -> F) -> Result<(), FspiopError>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let permit = self.connection.0.working.clone().try_acquire_owned();
        let permit = permit.map_err(|_| FspiopError::new(ErrorCode::SERVICE_UNAVAILABLE))?;
        let work = start(self);
        tokio::spawn(async move {
            work.await;
            drop(permit);
        });
        Ok(())
    }
}

async fn read(body: Body) -> Result<Bytes, FspiopError> {
    let bytes_max = usize::try_from(headers::BODY_BYTES_MAX).expect("5 MB fit into memory");
    match Limited::new(body, bytes_max).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(FspiopError::new(ErrorCode::TOO_LARGE_PAYLOAD))
        }
        Err(_) => Err(FspiopError::with_detail(ErrorCode::MALFORMED_SYNTAX, "the body ended early")),
    }
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

impl Failure {
    fn into_response(self) -> Response {
        let (error, allow) = match self {
            Self::Error(error) => (error, None),
            Self::Allow(error, allow) => (error, Some(allow)),
        };
        let mut response =
            Response::builder().status(error.http_status()).header(header::CONTENT_TYPE, "application/json");
        if let Some(allow) = allow {
            response = response.header(header::ALLOW, allow);
        }
        response.body(Body::from(error.to_json())).expect("status and headers are ours")
    }
}

impl From<FspiopError> for Failure {
    fn from(error: FspiopError) -> Self {
        Self::Error(error)
    }
}

impl From<RouteError> for Failure {
    fn from(error: RouteError) -> Self {
        match error.allow().map(str::to_owned) {
            Some(allow) => Self::Allow(error.into(), allow),
            None => Self::Error(error.into()),
        }
    }
}

impl From<NotRecorded> for FspiopError {
    fn from(error: NotRecorded) -> Self {
        tracing::error!(error = error.0, "news of a transfer could not be recorded");
        Self::new(ErrorCode::INTERNAL)
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_conversions;
#[cfg(test)]
mod tests_of_requests;
#[cfg(test)]
mod tests_of_signatures;
