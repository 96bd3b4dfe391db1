//! A client with an endpoint that answers what it is told.

use super::*;
use std::sync::{Arc, Mutex as Slot};

#[derive(Default)]
struct Endpoint {
    asked: Slot<Vec<String>>,
    answers: Slot<Vec<(u16, String)>>,
}

struct Shared(Arc<Endpoint>);

impl TokenEndpoint for Shared {
    fn post(&self, headers: HeaderMap, form: Bytes) -> Answered<'_> {
        Box::pin(async move {
            assert_eq!(form, FORM);
            self.0.asked.lock().unwrap().push(headers[AUTHORIZATION].to_str().unwrap().to_owned());
            // Others may ask meanwhile.
            sleep(Duration::from_millis(10)).await;
            let (status, body) = self.0.answers.lock().unwrap().pop().ok_or("nobody is there")?;
            Ok(answer(status, &body))
        })
    }

    fn shown(&self) -> String {
        "https://tokens".to_owned()
    }
}

fn answer(status: u16, body: &str) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap()
}

fn granted(token: &str, lifetime: u64) -> (u16, String) {
    (200, format!(r#"{{"access_token":"{token}","expires_in":{lifetime}}}"#))
}

fn source(answers: Vec<(u16, String)>, after_failure: AfterFailure) -> (Arc<Endpoint>, TokenSource) {
    let endpoint =
        Arc::new(Endpoint { answers: Slot::new(answers.into_iter().rev().collect()), ..Endpoint::default() });
    let credentials = Credentials { client_id: "greenbank".into(), secret: Secret::Value(" hush\n".into()) };
    let seconds = Duration::from_secs;
    let rhythm = Rhythm { refresh: seconds(60), retry: seconds(10), timeout: seconds(5) };
    (endpoint.clone(), TokenSource::new(Box::new(Shared(endpoint)), credentials, rhythm, after_failure))
}

fn held(source: &TokenSource) -> Option<String> {
    source.authorization().map(|value| value.to_str().unwrap().to_owned())
}

#[test]
fn a_token_needs_a_text_and_a_lifetime() {
    let (value, lifetime) = read(&answer(200, r#"{"access_token":"abc","expires_in":300,"token_type":"x"}"#)).unwrap();
    assert_eq!((value.as_bytes(), lifetime), (&b"Bearer abc"[..], Duration::from_secs(300)));
    assert!(value.is_sensitive(), "it must not be shown in a log");
    for wrong in [
        r#"{"access_token":"secret-abc"}"#,
        r#"{"expires_in":300}"#,
        r#"{"access_token":"","expires_in":300}"#,
        r#"{"access_token":"secret-a\nb","expires_in":300}"#,
        r#"{"access_token":"secret-abc","expires_in":-1}"#,
        "secret-abc",
        "",
    ] {
        let problem = read(&answer(200, wrong)).unwrap_err();
        assert!(!problem.contains("secret"), "{problem}");
    }
    assert_eq!(read(&answer(401, "{}")).unwrap_err(), "the answer is 401 Unauthorized");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_fetched_again_before_it_ends_and_at_the_latest_when_it_is_told() {
    let answers = vec![granted("one", 40), granted("two", 3600), granted("three", 0), granted("four", 2)];
    let (endpoint, source) = source(answers, AfterFailure::Keep);
    let count = || endpoint.asked.lock().unwrap().len();
    let steps = async {
        for (seconds, expected) in [(1, 1), (18, 1), (2, 2), (58, 2), (2, 3), (1, 4)] {
            sleep(Duration::from_secs(seconds)).await;
            assert_eq!(count(), expected, "after {seconds} more seconds");
        }
    };
    tokio::select! { () = source.keep() => {}, () = steps => {} }
    assert_eq!(endpoint.asked.lock().unwrap()[0], "Basic Z3JlZW5iYW5rOmh1c2g=");
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_a_token_without_a_successor_is_a_choice() {
    for (after_failure, expected) in [(AfterFailure::Keep, Some("Bearer one".to_owned())), (AfterFailure::Forget, None)]
    {
        let (_, source) = source(vec![granted("one", 60), (503, "{}".into()), granted("two", 60)], after_failure);
        source.fetch().await;
        assert_eq!((held(&source).as_deref(), source.problem()), (Some("Bearer one"), None));
        assert_eq!(source.fetch().await, Duration::from_secs(10));
        assert_eq!(held(&source), expected);
        let problem = source.problem().unwrap();
        assert_eq!(problem, "No access token from https://tokens: the answer is 503 Service Unavailable.");
        source.fetch().await;
        assert_eq!((held(&source).as_deref(), source.problem()), (Some("Bearer two"), None));
        let shown = format!("{source:?}");
        assert!(!shown.contains("two") && !shown.contains("hush"), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn however_many_are_refused_one_request_is_made() {
    let (endpoint, source) = source(vec![granted("one", 60), granted("two", 60)], AfterFailure::Keep);
    let (first, second) = tokio::join!(source.ready(), source.ready());
    assert_eq!((&first, &second), (&source.authorization(), &source.authorization()));
    let old = first.unwrap();
    assert_eq!(source.renew(&old).await, None, "a second has not passed");
    sleep(PAUSE_MIN).await;
    let (first, second, third) = tokio::join!(source.renew(&old), source.renew(&old), source.renew(&old));
    assert!(first.is_some() && first == second && second == third);
    assert_eq!(endpoint.asked.lock().unwrap().len(), 2);
    assert_eq!(held(&source).as_deref(), Some("Bearer two"));
    sleep(PAUSE_MIN).await;
    assert_eq!(source.renew(&first.unwrap()).await, None, "the endpoint is gone");
    assert_eq!(held(&source).as_deref(), Some("Bearer two"));
}

#[tokio::test]
async fn a_file_of_the_secret_is_read_for_each_use_and_named_when_it_is_missing() {
    let credentials = Credentials { client_id: "a".into(), secret: Secret::File("/nowhere/secret".into()) };
    let (_, other) = source(vec![], AfterFailure::Keep);
    let source = TokenSource { credentials, ..other };
    assert_eq!(source.ready().await, None);
    assert!(source.problem().unwrap().contains("/nowhere/secret"));
    assert_eq!(format!("{:?}", Secret::Value("hush".into())), "Secret");
}
