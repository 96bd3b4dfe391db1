//! Conversations with signatures: a DFSP that is its own hub signs what it sends and verifies what comes back.

use super::tests::{ana, order, quote_order, start};
use super::*;
use crate::{Answer, CallError, Config, Decision, PartyAnswers, Signatures, SigningKey, new_id};
use fspiop::jws::KeyDirectory;
use http::Method;
use std::path::Path;
use tempfile::TempDir;

/// A directory of keys, and a key whose public half stands there for `green`.
fn keys() -> (TempDir, Arc<SigningKey>) {
    let directory = tempfile::tempdir().unwrap();
    let key = Arc::new(SigningKey::generate_rsa().unwrap().0);
    publish(directory.path(), &key);
    (directory, key)
}

fn publish(directory: &Path, key: &SigningKey) {
    std::fs::write(directory.join("green.pem"), key.public_pem().unwrap()).unwrap();
}

fn verifying(directory: &TempDir, key: Option<Arc<SigningKey>>, parties: PartyAnswers) -> impl FnOnce(&mut Config) {
    let keys = Some(Arc::new(KeyDirectory::open(directory.path()).unwrap()));
    move |config| config.signatures = Signatures { key, keys, parties }
}

fn refusal<T>(result: Result<T, CallError>) -> FspiopError {
    let Err(CallError::Refused(error)) = result else { panic!("must be refused") };
    assert_eq!(error.code, ErrorCode::INVALID_SIGNATURE);
    error
}

#[tokio::test]
async fn everything_of_a_payment_is_signed_and_verified() {
    let (directory, key) = keys();
    let set = verifying(&directory, Some(key), PartyAnswers::Verified);
    let (connection, core, _listener) = start(Answer::Commit, set).await;
    assert_eq!(connection.find(&ana().id).await.unwrap(), ana());
    let order = order(&connection).await;
    assert_eq!(connection.send(&order).await, Ok(Decision::Committed));
    assert_eq!(core.news.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_not_signed_is_refused_and_the_core_does_not_hear_of_it() {
    let (directory, _) = keys();
    let (connection, core, _listener) = start(Answer::Commit, verifying(&directory, None, PartyAnswers::Taken)).await;
    assert_eq!(connection.find(&ana().id).await.unwrap(), ana(), "answers to look-ups are taken unsigned");
    let error = refusal(connection.quote(&quote_order()).await);
    assert_eq!(error.description(), "Invalid signature - there is no fspiop-signature header");
    let message = crate::message::Message::new(
        Method::PUT,
        fspiop::Resource::Transfers,
        &Operation::PutTransfer(new_id().to_string()),
    );
    let body = Bytes::from_static(br#"{"transferState":"COMMITTED"}"#);
    refusal(connection.deliver(&message.body(body)).await);
    assert_eq!(core.news.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn another_key_is_refused_until_the_directory_has_the_right_one() {
    let (directory, _) = keys();
    let used = Arc::new(SigningKey::generate_rsa().unwrap().0);
    let set = verifying(&directory, Some(used.clone()), PartyAnswers::Taken);
    let (connection, _, _listener) = start(Answer::Commit, set).await;
    let error = refusal(connection.quote(&quote_order()).await);
    assert_eq!(error.description(), "Invalid signature - the signature does not fit the body and key");
    std::fs::remove_file(directory.path().join("green.pem")).unwrap();
    let error = refusal(connection.quote(&quote_order()).await);
    assert_eq!(error.description(), "Invalid signature - there is no key of green: there is no file");
    publish(directory.path(), &used);
    assert!(connection.quote(&quote_order()).await.is_ok());
}

#[tokio::test]
async fn an_unsigned_answer_to_a_look_up_is_refused_where_it_is_verified() {
    let (directory, _) = keys();
    let set = |config: &mut Config| {
        verifying(&directory, None, PartyAnswers::Verified)(config);
        config.callback_timeout = Duration::from_millis(300);
    };
    let (connection, _, _listener) = start(Answer::Commit, set).await;
    let error = connection.find(&ana().id).await.unwrap_err();
    assert!(matches!(error, CallError::NoAnswer(_)), "{error}");
}
