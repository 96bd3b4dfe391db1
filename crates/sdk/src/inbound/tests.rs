//! Conversations over sockets. The API is the same on both sides of a hub, so a DFSP can stand in for its own hub: every
//! message that it sends comes back to it.

use super::*;
use crate::{
    AmountType, Answer, CallError, Config, Decision, HttpClient, IncomingTransfer, News, Party, Quote, QuoteOrder,
    QuoteQuestion, Terms, TransferOrder, new_id, now,
};
use http_body_util::Full;
use std::sync::Mutex;
use vocabulary::{Amount, CorrelationId, Money, PartyId, PartyIdType};

const PATIENCE: Duration = Duration::from_secs(10);

/// Knows everybody whose number begins with 1, takes a fee of 1, and does what it is told.
pub(super) struct Core {
    answer: Answer,
    records: bool,
    pub(super) news: Mutex<Vec<(CorrelationId, News)>>,
    held: Mutex<Option<crate::HeldTransfer>>,
}

impl Backend for Core {
    async fn lookup(&self, party: PartyId) -> Result<Party, FspiopError> {
        if party.identifier.starts_with('1') { Ok(ana()) } else { Err(FspiopError::new(ErrorCode::PARTY_NOT_FOUND)) }
    }

    async fn quote(&self, question: QuoteQuestion) -> Result<Terms, FspiopError> {
        let fee = Amount::parse("1").unwrap();
        let transfer = question.amount.amount;
        let received = transfer.checked_sub(fee).unwrap();
        Ok(Terms { transfer, received, fee, payee: ana(), expiration: now().plus_millis(60_000), conversion: None })
    }

    async fn prepare(&self, transfer: IncomingTransfer) -> Answer {
        assert_eq!((transfer.payee, transfer.received), (ana(), Amount::parse("24.5").unwrap()));
        *self.held.lock().unwrap() = Some(transfer.held);
        self.answer.clone()
    }

    async fn news(&self, id: CorrelationId, news: News) -> Result<(), NotRecorded> {
        if !self.records {
            return Err(NotRecorded("the disk is full".into()));
        }
        self.news.lock().unwrap().push((id, news));
        Ok(())
    }
}

pub(super) fn ana() -> Party {
    let id = PartyId::try_new(PartyIdType::Msisdn, "1234", None).unwrap();
    Party { id, fsp: "green".parse().unwrap(), name: Some("Ana Öz".into()), currencies: vec!["KES".parse().unwrap()] }
}

fn money(text: &str) -> Money {
    Money { amount: Amount::parse(text).unwrap(), currency: "KES".parse().unwrap() }
}

pub(super) fn quote_order() -> QuoteOrder {
    let (quote_id, transaction_id) = (new_id(), new_id());
    let (payer, payee, amount) = (ana(), ana(), money("25.5"));
    let (amount_type, note, refund_of, request) = (AmountType::Send, None, None, None);
    QuoteOrder { quote_id, transaction_id, payer, payee, amount_type, amount, note, refund_of, request }
}

/// A DFSP that is its own hub.
pub(super) async fn start(answer: Answer, adjust: impl FnOnce(&mut Config)) -> (Connection, Arc<Core>, Listener) {
    let core = Arc::new(Core { answer, records: true, news: Mutex::default(), held: Mutex::default() });
    let (connection, listener) = start_core(core.clone(), adjust).await;
    (connection, core, listener)
}

async fn start_core(core: Arc<Core>, adjust: impl FnOnce(&mut Config)) -> (Connection, Listener) {
    // The listener's port is known only after it listens, and the connection must know it before.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut config = Config::new("green".parse().unwrap(), format!("http://127.0.0.1:{port}"), "secret");
    adjust(&mut config);
    let connection = Connection::new(config);
    let listener = serve(connection.clone(), core, ([127, 0, 0, 1], port).into()).await.unwrap();
    (connection, listener)
}

pub(super) async fn order(connection: &Connection) -> TransferOrder {
    let quote = connection.quote(&quote_order()).await.unwrap();
    let (id, expiration) = (new_id(), now().plus_millis(5_000));
    let Quote { payee_fsp, transfer: amount, packet, condition, .. } = quote;
    TransferOrder { id, payee_fsp, amount, packet, condition, expiration }
}

#[tokio::test]
async fn a_payment_goes_through_lookup_quote_and_transfer() {
    let (connection, core, listener) = start(Answer::Commit, |_| ()).await;
    assert_eq!(connection.find(&ana().id).await.unwrap(), ana());
    let quote = connection.quote(&quote_order()).await.unwrap();
    assert_eq!((quote.transfer, quote.received, quote.fee), (money("25.5"), Some(money("24.5")), Some(money("1"))));
    let order = order(&connection).await;
    assert_eq!(connection.send(&order).await, Ok(Decision::Committed));
    assert_eq!(core.news.lock().unwrap().len(), 1, "the core heard of it before the payer");
    listener.stop().await;
}

#[tokio::test]
async fn an_unknown_party_is_an_error_callback() {
    let (connection, _, _listener) = start(Answer::Commit, |_| ()).await;
    let nobody = PartyId::try_new(PartyIdType::Msisdn, "999", None).unwrap();
    let error = connection.find(&nobody).await.unwrap_err();
    assert_eq!(error.scheme_error().map(|error| error.code), Some(ErrorCode::PARTY_NOT_FOUND));
}

#[tokio::test]
async fn a_rejection_reaches_the_payer_with_its_code() {
    let rejection = FspiopError::new(ErrorCode::PAYEE_REJECTED_TRANSACTION);
    let (connection, _, _listener) = start(Answer::Reject(rejection.clone()), |_| ()).await;
    let order = order(&connection).await;
    assert_eq!(connection.send(&order).await, Ok(Decision::Aborted(rejection)));
}

#[tokio::test]
async fn an_answer_that_was_put_off_is_given_later() {
    let (connection, core, _listener) = start(Answer::Later, |_| ()).await;
    let held_of = async |core: &Core| loop {
        if let Some(held) = core.held.lock().unwrap().take() {
            return held;
        }
        tokio::task::yield_now().await;
    };
    let accepted = order(&connection).await;
    let (decision, ()) = tokio::join!(connection.send(&accepted), async {
        let held = held_of(&core).await;
        assert_eq!((held.id, &held.packet), (accepted.id, &accepted.packet));
        // Version 1.0 knows no reservation: who stands in for the hub here hears the end at once.
        let held = crate::HeldTransfer { version: crate::Version::V1_0, ..held };
        connection.fulfil(&held, now()).await.unwrap();
    });
    assert_eq!(decision, Ok(Decision::Committed));
    let refused = order(&connection).await;
    let error = FspiopError::new(ErrorCode::PAYEE_REJECTED_TRANSACTION);
    let (decision, ()) = tokio::join!(connection.send(&refused), async {
        connection.reject(&held_of(&core).await, &error).await.unwrap();
    });
    assert_eq!(decision, Ok(Decision::Aborted(error)));
}

#[tokio::test]
async fn a_transfer_that_differs_from_its_quote_is_rejected() {
    let (connection, _, _listener) = start(Answer::Commit, |_| ()).await;
    let mut cheaper = order(&connection).await;
    cheaper.amount = money("25");
    let mut foreign = order(&connection).await;
    foreign.condition = vocabulary::Condition::new([1; 32]);
    for order in [cheaper, foreign] {
        let Ok(Decision::Aborted(error)) = connection.send(&order).await else { panic!("must be rejected") };
        assert_eq!(error.code, ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION);
    }
}

#[tokio::test]
async fn silence_ends_the_wait_shortly_after_the_expiration() {
    let (connection, _, _listener) =
        start(Answer::Silence, |config| config.word_after_expiration = Duration::ZERO).await;
    let mut order = order(&connection).await;
    order.expiration = now().plus_millis(50);
    let error = connection.send(&order).await.unwrap_err();
    assert!(matches!(error, CallError::NoAnswer(_)) && !error.is_certain(), "{error}");
}

#[tokio::test]
async fn news_that_cannot_be_recorded_is_not_acknowledged() {
    let core =
        Arc::new(Core { answer: Answer::Silence, records: false, news: Mutex::default(), held: Mutex::default() });
    let (connection, _listener) = start_core(core, |config| config.attempts_max = 1).await;
    let operation = fspiop::Operation::PutTransfer(new_id().to_string());
    let message = crate::message::Message::new(http::Method::PUT, fspiop::Resource::Transfers, &operation)
        .body(Bytes::from_static(br#"{"transferState":"COMMITTED"}"#));
    let error = connection.deliver(&message).await.unwrap_err();
    assert_eq!(error, CallError::Uncertain("the hub answered 500 Internal Server Error".into()));
}

#[tokio::test]
async fn more_work_than_agreed_is_refused_with_503() {
    let (connection, _, _listener) = start(Answer::Commit, |config| {
        config.working_max = 0;
        config.attempts_max = 1;
    })
    .await;
    let error = connection.find(&ana().id).await.unwrap_err();
    assert_eq!(error, CallError::Uncertain("the hub answered 503 Service Unavailable".into()));
}

#[tokio::test]
async fn a_hub_that_is_away_is_a_certain_failure() {
    let (connection, _, listener) = start(Answer::Commit, |config| config.attempts_max = 1).await;
    listener.stop().await;
    let fresh = Connection::new(connection.0.config.clone());
    let error = fresh.find(&ana().id).await.unwrap_err();
    assert!(matches!(error, CallError::Unreachable(_)) && error.is_certain(), "{error}");
}

#[tokio::test]
async fn bad_requests_get_the_errors_of_the_api() {
    let (_, _, listener) = start(Answer::Commit, |_| ()).await;
    let http = HttpClient::new();
    for (method, path, status, code) in [
        ("GET", "/nothing", 404, ErrorCode::UNKNOWN_URI),
        ("DELETE", "/transfers/x", 405, ErrorCode::CLIENT_ERROR),
        ("POST", "/transfers", 400, ErrorCode::MISSING_ELEMENT),
    ] {
        let uri = format!("http://{}{path}", listener.address());
        let request = http::Request::builder().method(method).uri(uri).body(Full::default()).unwrap();
        let answer = http.send(request, PATIENCE).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(FspiopError::from_json(answer.body()).unwrap().code, code, "{path}");
        assert_eq!(answer.headers().contains_key("allow"), status == 405);
    }
}
