//! Conversations about conversions over sockets: a provider stands in for its own hub, as in the tests of payments.

use super::conversions::Nobody;
use super::*;
use crate::{
    AmountType, CallError, Config, Decision, FxAnswer, FxDecision, FxNews, FxQuestion, FxReservation, FxTerms,
    FxTransferOrder, FxWish, IncomingConversion, new_id, now,
};
use fspiop::body::TransferState;
use std::sync::Mutex;
use vocabulary::{Amount, CorrelationId, FspId, Money};

/// Gives one dollar for a hundred shillings and keeps five of them; does what it is told.
struct Treasury {
    answer: FxAnswer,
    quoted: Mutex<Vec<(FxQuestion, FxTerms)>>,
    reserved: Mutex<Vec<IncomingConversion>>,
    news: Mutex<Vec<FxNews>>,
}

impl Exchange for Treasury {
    async fn quote(&self, question: FxQuestion) -> Result<FxTerms, FspiopError> {
        if question.amount.amount > Amount::parse("1000").unwrap() {
            return Err(FspiopError::new(ErrorCode::PAYEE_LIMIT));
        }
        let charge = crate::FxCharge { kind: "Fee".into(), source: Some(shillings("5")), target: None };
        let (source, target) = (shillings("105"), dollars("1"));
        let terms = FxTerms { source, target, charges: vec![charge], expiration: now().plus_millis(60_000) };
        self.quoted.lock().unwrap().push((question, terms.clone()));
        Ok(terms)
    }

    async fn quoted(&self, request_id: CorrelationId) -> Result<(FxQuestion, FxTerms), FspiopError> {
        let quoted = self.quoted.lock().unwrap();
        let found = quoted.iter().find(|(question, _)| question.request_id == request_id);
        found.cloned().ok_or_else(|| FspiopError::new(ErrorCode::QUOTE_ID_NOT_FOUND))
    }

    async fn prepare(&self, conversion: IncomingConversion) -> FxAnswer {
        self.reserved.lock().unwrap().push(conversion);
        self.answer.clone()
    }

    async fn reservation(&self, id: CorrelationId) -> Result<FxReservation, FspiopError> {
        let reserved = self.reserved.lock().unwrap();
        let found = reserved.iter().find(|conversion| conversion.id == id).cloned();
        let found = found.ok_or_else(|| FspiopError::new(ErrorCode::TRANSFER_ID_NOT_FOUND))?;
        Ok(FxReservation { conversion: found, state: TransferState::Reserved })
    }

    async fn news(&self, _id: CorrelationId, news: FxNews) -> Result<(), NotRecorded> {
        self.news.lock().unwrap().push(news);
        Ok(())
    }
}

fn shillings(text: &str) -> Money {
    Money { amount: Amount::parse(text).unwrap(), currency: "KES".parse().unwrap() }
}

fn dollars(text: &str) -> Money {
    Money { amount: Amount::parse(text).unwrap(), currency: "USD".parse().unwrap() }
}

fn provider() -> FspId {
    "fxp".parse().unwrap()
}

fn wish(amount: &str) -> FxWish {
    FxWish {
        transfer_id: new_id(),
        amount_type: AmountType::Send,
        amount: shillings(amount),
        other: dollars("0").currency,
        expiration: now().plus_millis(60_000),
    }
}

async fn start(answer: FxAnswer) -> (Connection, Arc<Treasury>, Listener) {
    let (quoted, reserved, news) = (Mutex::default(), Mutex::default(), Mutex::default());
    let treasury = Arc::new(Treasury { answer, quoted, reserved, news });
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut config = Config::new(provider(), format!("http://127.0.0.1:{port}"), "secret");
    config.attempts_max = 1;
    config.word_after_expiration = Duration::ZERO;
    let connection = Connection::new(config);
    let address = ([127, 0, 0, 1], port).into();
    let listener = serve_exchange(connection.clone(), treasury.clone(), address).await.unwrap();
    (connection, treasury, listener)
}

async fn order(connection: &Connection) -> FxTransferOrder {
    let quote = connection.best_fx_quote(&wish("105"), &[provider()]).await.unwrap();
    FxTransferOrder::of(&quote, now().plus_millis(5_000))
}

/// Sends a message as the hub would and returns when it has been taken.
async fn say(connection: &Connection, operation: Operation, body: &'static str) {
    let method =
        if matches!(operation, Operation::PatchFxTransfer(_)) { http::Method::PATCH } else { http::Method::PUT };
    let message = crate::message::Message::new(method, fspiop::Resource::FxTransfers, &operation);
    connection.deliver(&message.body(Bytes::from_static(body.as_bytes()))).await.unwrap();
}

#[tokio::test]
async fn a_conversion_goes_through_quote_and_reservation_and_its_provider_hears_the_outcome() {
    let (connection, treasury, _listener) = start(FxAnswer::Reserve).await;
    let quote = connection.best_fx_quote(&wish("105"), &[provider()]).await.unwrap();
    assert_eq!((quote.source, quote.target), (shillings("105"), dollars("1")));
    assert_eq!(quote.charges[0].source, Some(shillings("5")));
    let order = FxTransferOrder::of(&quote, now().plus_millis(5_000));
    assert_eq!(connection.fx_send(&order).await, Ok(FxDecision::Agreed));
    assert_eq!(treasury.reserved.lock().unwrap()[0].transfer_id, Some(quote.transfer_id));
    say(&connection, Operation::PatchFxTransfer(order.id.to_string()), r#"{"conversionState":"COMMITTED"}"#).await;
    let news = treasury.news.lock().unwrap().pop().unwrap();
    assert_eq!(news.for_provider(), Some(Decision::Committed));
}

#[tokio::test]
async fn a_rejection_and_silence_are_told_apart() {
    let rejection = FspiopError::new(ErrorCode::PAYEE_LIQUIDITY);
    let (connection, _, _listener) = start(FxAnswer::Reject(rejection.clone())).await;
    let rejected = order(&connection).await;
    assert_eq!(connection.fx_send(&rejected).await, Ok(FxDecision::Aborted(rejection)));
    let (connection, _, _listener) = start(FxAnswer::Silence).await;
    let mut order = order(&connection).await;
    order.expiration = now().plus_millis(50);
    let error = connection.fx_send(&order).await.unwrap_err();
    assert!(matches!(error, CallError::NoAnswer(_)) && !error.is_certain(), "{error}");
}

#[tokio::test]
async fn a_conversion_of_other_amounts_or_for_another_transfer_is_refused() {
    let (connection, treasury, _listener) = start(FxAnswer::Reserve).await;
    let mut dearer = order(&connection).await;
    dearer.target = dollars("1.01");
    let mut other = order(&connection).await;
    other.transfer_id = new_id();
    for order in [dearer, other] {
        let Ok(FxDecision::Aborted(error)) = connection.fx_send(&order).await else { panic!("must be refused") };
        assert_eq!(error.code, ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION);
    }
    assert_eq!(treasury.reserved.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_provider_that_fails_leaves_the_choice_to_the_others_and_alone_it_is_the_error() {
    let (connection, _, _listener) = start(FxAnswer::Reserve).await;
    let away: FspId = "away".parse().unwrap();
    let best = connection.best_fx_quote(&wish("105"), &[away.clone(), provider()]).await.unwrap();
    assert_eq!(best.provider, provider());
    let error = connection.best_fx_quote(&wish("2000"), &[provider()]).await.unwrap_err();
    assert_eq!(error.scheme_error().map(|error| error.code), Some(ErrorCode::PAYEE_LIMIT));
    let error = connection.best_fx_quote(&wish("104"), &[provider()]).await.unwrap_err();
    assert_eq!(error, CallError::Unusable("the terms are for another amount".into()));
    assert_eq!(connection.best_fx_quote(&wish("105"), &[]).await, Err(CallError::NoProvider));
}

#[tokio::test]
async fn who_asks_again_gets_the_same_terms_and_the_state_of_the_conversion() {
    let (connection, _, _listener) = start(FxAnswer::Reserve).await;
    let order = order(&connection).await;
    let unknown = connection.fx_status(order.id).await.unwrap_err();
    assert_eq!(unknown.scheme_error().map(|error| error.code), Some(ErrorCode::TRANSFER_ID_NOT_FOUND));
    connection.fx_send(&order).await.unwrap();
    let status = connection.fx_status(order.id).await.unwrap();
    assert_eq!(FxNews::Status(status).for_initiator(&provider(), order.condition), Some(FxDecision::Agreed));
}

#[tokio::test]
async fn a_provider_without_customers_does_not_answer_for_a_dfsp() {
    let (connection, _, _listener) = start(FxAnswer::Reserve).await;
    let party = vocabulary::PartyId::try_new(vocabulary::PartyIdType::Msisdn, "1", None).unwrap();
    let error = connection.find(&party).await.unwrap_err();
    assert!(matches!(error, CallError::Uncertain(_) | CallError::Refused(_)), "{error}");
    assert_eq!(size_of::<Nobody>(), 0);
}
