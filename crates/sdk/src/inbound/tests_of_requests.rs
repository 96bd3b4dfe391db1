//! Requests to pay and refunds over sockets: a DFSP that is its own hub asks itself.

use super::tests::{ana, quote_order};
use super::*;
use crate::{
    Answer, CallError, Config, IncomingTransfer, News, Party, PaymentRequest, QuoteOrder, QuoteQuestion, RequestNews,
    RequestOrder, Terms, TransferOrder, new_id, now,
};
use std::sync::Mutex;
use vocabulary::{Amount, CorrelationId, Money, PartyId, PartyIdType};

/// Names one transaction for every request for less than 100, and keeps what it hears.
struct Till {
    transaction: CorrelationId,
    requests: Mutex<Vec<PaymentRequest>>,
    news: Mutex<Vec<(CorrelationId, RequestNews)>>,
    refunds: Mutex<Vec<Option<CorrelationId>>>,
}

impl Backend for Till {
    async fn lookup(&self, _party: PartyId) -> Result<Party, FspiopError> {
        Ok(ana())
    }

    async fn quote(&self, question: QuoteQuestion) -> Result<Terms, FspiopError> {
        self.refunds.lock().unwrap().push(question.refund_of);
        let (transfer, fee, expiration) = (question.amount.amount, Amount::ZERO, now().plus_millis(60_000));
        Ok(Terms { transfer, received: transfer, fee, payee: ana(), expiration, conversion: None })
    }

    async fn prepare(&self, transfer: IncomingTransfer) -> Answer {
        self.refunds.lock().unwrap().push(transfer.refund_of);
        Answer::Commit
    }

    async fn news(&self, _id: CorrelationId, _news: News) -> Result<(), NotRecorded> {
        Ok(())
    }

    async fn requested(&self, request: PaymentRequest) -> Result<CorrelationId, FspiopError> {
        if request.amount.amount >= Amount::parse("100").unwrap() {
            return Err(FspiopError::new(ErrorCode::PAYER_REJECTED_TRANSACTION_REQUEST));
        }
        self.requests.lock().unwrap().push(request);
        Ok(self.transaction)
    }

    async fn request_news(&self, id: CorrelationId, news: RequestNews) -> Result<(), NotRecorded> {
        self.news.lock().unwrap().push((id, news));
        Ok(())
    }
}

async fn start() -> (Connection, Arc<Till>, Listener) {
    let (requests, news, refunds) = (Mutex::default(), Mutex::default(), Mutex::default());
    let till = Arc::new(Till { transaction: new_id(), requests, news, refunds });
    // The listener's port is known only after it listens, and the connection must know it before.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = Config::new("green".parse().unwrap(), format!("http://127.0.0.1:{port}"), "secret");
    let connection = Connection::new(config);
    let listener = serve(connection.clone(), till.clone(), ([127, 0, 0, 1], port).into()).await.unwrap();
    (connection, till, listener)
}

fn asking(amount: &str) -> RequestOrder {
    let amount = Money { amount: Amount::parse(amount).unwrap(), currency: "KES".parse().unwrap() };
    let payer = Party { id: PartyId::try_new(PartyIdType::Msisdn, "1999", None).unwrap(), ..ana() };
    RequestOrder { id: new_id(), payee: ana(), payer, amount, note: Some("für Öl".into()) }
}

#[tokio::test]
async fn a_request_reaches_the_payer_and_its_transaction_comes_back() {
    let (connection, till, _listener) = start().await;
    let order = asking("12.5");
    let named = RequestNews::Waiting(Some(till.transaction));
    assert_eq!(connection.request_payment(&order).await, Ok(named.clone()));
    let asked = till.requests.lock().unwrap().pop().unwrap();
    assert_eq!((asked.id, asked.payer, asked.amount, asked.note), (order.id, order.payer.id, order.amount, order.note));
    assert_eq!((asked.payee.id, asked.payee.name), (ana().id, ana().name));
    connection.reject_request(order.id, &"green".parse().unwrap()).await.unwrap();
    assert_eq!(*till.news.lock().unwrap(), [(order.id, named), (order.id, RequestNews::Rejected)]);
}

#[tokio::test]
async fn a_request_that_nobody_takes_fails_with_the_code() {
    let (connection, till, _listener) = start().await;
    let order = asking("100");
    let failed = RequestNews::Failed(FspiopError::new(ErrorCode::PAYER_REJECTED_TRANSACTION_REQUEST));
    assert_eq!(connection.request_payment(&order).await, Ok(failed.clone()));
    assert_eq!(*till.news.lock().unwrap(), [(order.id, failed)]);
}

#[tokio::test]
async fn a_dfsp_that_takes_no_requests_says_so() {
    let (connection, _, _listener) = super::tests::start(Answer::Commit, |_| ()).await;
    let answer = connection.request_payment(&asking("5")).await;
    let Ok(RequestNews::Failed(error)) = answer else { panic!("must be refused: {answer:?}") };
    assert_eq!(error.code, ErrorCode::NOT_IMPLEMENTED);
}

#[tokio::test]
async fn a_request_without_a_readable_amount_is_refused_at_once() {
    let (connection, till, _listener) = start().await;
    let operation = fspiop::Operation::PostTransactionRequest;
    let body = br#"{"transactionRequestId":"b51ec534-ee48-4575-b6a9-ead2955b8069",
        "payee":{"partyIdInfo":{"partyIdType":"MSISDN","partyIdentifier":"1"}},
        "payer":{"partyIdType":"MSISDN","partyIdentifier":"2"},"amount":{"currency":"???","amount":"1"},
        "transactionType":{"scenario":"TRANSFER","initiator":"PAYEE","initiatorType":"CONSUMER"}}"#;
    let message = crate::Message::new(http::Method::POST, fspiop::Resource::TransactionRequests, &operation)
        .version(fspiop::Version::V1_1)
        .body(Bytes::from_static(body));
    let error = connection.deliver(&message).await.unwrap_err();
    assert!(matches!(&error, CallError::Refused(error) if error.code == ErrorCode::GENERIC_VALIDATION), "{error}");
    assert!(till.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_refund_names_its_original_in_quote_and_transfer() {
    let (connection, till, _listener) = start().await;
    let original = new_id();
    let quote = connection.quote(&QuoteOrder { refund_of: Some(original), ..quote_order() }).await.unwrap();
    let (id, expiration) = (new_id(), now().plus_millis(5_000));
    let (payee_fsp, amount, packet, condition) = (quote.payee_fsp, quote.transfer, quote.packet, quote.condition);
    let order = TransferOrder { id, payee_fsp, amount, packet, condition, expiration };
    connection.send(&order).await.unwrap();
    assert_eq!(*till.refunds.lock().unwrap(), [Some(original), Some(original)]);
}
