//! A DFSP: pays, is paid, and converts. It remembers what it believes of every payment.

use crate::{
    message::{DESTINATION, SOURCE, header_of, json_of, message},
    network::{Handled, Request, Web},
    plan::{Answer, Plan},
};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::Notify;

/// Attempts of an answer, which is repeated until the hub takes it.
const ATTEMPTS: u32 = 400;

/// What somebody believes of a payment or a conversion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Belief {
    /// Asked, and nothing said.
    Open,
    /// Said yes, and waits for the hub's word.
    Reserved,
    Committed,
    Aborted,
}

/// What a payer hears of one of its questions: by the path that it is about.
#[derive(Clone, Debug)]
pub struct News {
    pub is_error: bool,
    pub body: Value,
}

pub struct Dfsp {
    pub name: String,
    /// The host of its hub.
    pub hub: String,
    pub web: Web,
    pub plan: Arc<Plan>,
    /// As payee and as provider: by the id of the transfer or of the conversion.
    beliefs: Mutex<BTreeMap<String, Belief>>,
    news: Mutex<BTreeMap<String, Vec<News>>>,
    heard: Notify,
}

impl Dfsp {
    pub fn new(name: String, hub: String, web: &Web, plan: &Arc<Plan>) -> Arc<Self> {
        let (web, plan) = (web.clone(), plan.clone());
        let dfsp =
            Self { name, hub, web, plan, beliefs: Mutex::default(), news: Mutex::default(), heard: Notify::new() };
        let dfsp = Arc::new(dfsp);
        let listener = dfsp.clone();
        dfsp.web.set(&dfsp.name, Some(Arc::new(move |request| take(&listener, request))));
        dfsp
    }

    pub fn belief(&self, id: &str) -> Option<Belief> {
        self.beliefs.lock().expect("beliefs are noted without panicking").get(id).copied()
    }

    /// Notes a belief; what is final stays, unless the hub reverses what this DFSP had said itself.
    pub fn believe(&self, id: &str, belief: Belief) {
        self.beliefs.lock().expect("beliefs are noted without panicking").insert(id.to_owned(), belief);
    }

    /// The next news about a path, waited for at most so long.
    pub async fn next(&self, path: &str, at_most: Duration) -> Option<News> {
        let deadline = tokio::time::Instant::now() + at_most;
        loop {
            let heard = self.heard.notified();
            {
                let mut news = self.news.lock().expect("news are noted without panicking");
                if let Some(first) = news.get_mut(path).filter(|list| !list.is_empty()).map(|list| list.remove(0)) {
                    return Some(first);
                }
            }
            if tokio::time::timeout_at(deadline, heard).await.is_err() {
                return None;
            }
        }
    }

    fn note(&self, path: &str, news: News) {
        self.news.lock().expect("news are noted without panicking").entry(path.to_owned()).or_default().push(news);
        self.heard.notify_waiters();
    }

    /// Says something to somebody until the hub takes it.
    pub async fn say(&self, method: Method, path: &str, to: &str, body: Option<&Value>) {
        let request = message(&method, path, &self.name, Some(to), body);
        self.web.insist(&self.hub, request, ATTEMPTS).await;
    }
}

/// Takes a message; what follows from it happens later.
fn take(dfsp: &Arc<Dfsp>, request: Request) -> Handled {
    let is_question = request.method == Method::POST || request.method == Method::GET;
    let status = if is_question { StatusCode::ACCEPTED } else { StatusCode::OK };
    let dfsp = dfsp.clone();
    tokio::spawn(async move { act(&dfsp, request).await });
    Box::pin(async move { (status, bytes::Bytes::new()) })
}

async fn act(dfsp: &Arc<Dfsp>, request: Request) {
    let path = request.path.split('?').next().unwrap_or_default().to_owned();
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match (&request.method, parts.as_slice()) {
        (&Method::GET, ["parties", _, number]) => {
            let information = json!({"partyIdType": "MSISDN", "partyIdentifier": number, "fspId": dfsp.name});
            let party = json!({"party": {"partyIdInfo": information}});
            let source = header_of(&request, SOURCE).to_owned();
            // A lost answer is asked for again.
            let answer = message(&Method::PUT, &path, &dfsp.name, Some(&source), Some(&party));
            dfsp.web.insist(&dfsp.hub, answer, 3).await;
        }
        (&Method::POST, ["transfers"]) => pay_out(dfsp, &json_of(&request)).await,
        (&Method::POST, ["fxTransfers"]) => crate::provider::convert(dfsp, &json_of(&request)).await,
        (&Method::PATCH, [_, id]) => outcome(dfsp, id, &json_of(&request)),
        (&Method::PUT, [resource, id]) if dfsp.belief(id).is_some() && *resource != "parties" => {
            outcome(dfsp, id, &json_of(&request));
        }
        (&Method::PUT, [_, id, "error"]) if dfsp.belief(id).is_some() => dfsp.believe(id, Belief::Aborted),
        (&Method::PUT, [.., "error"]) => tell(dfsp, path.trim_end_matches("/error"), &request, true),
        (&Method::PUT, _) => tell(dfsp, &path, &request, false),
        _ => {}
    }
}

fn tell(dfsp: &Dfsp, path: &str, request: &Request, is_error: bool) {
    debug_assert_eq!(header_of(request, DESTINATION), dfsp.name, "a message comes to whom it names");
    dfsp.note(path, News { is_error, body: json_of(request) });
}

/// The hub's word to a payee or a provider.
fn outcome(dfsp: &Dfsp, id: &str, body: &Value) {
    let state = body["transferState"].as_str().or(body["conversionState"].as_str()).unwrap_or_default();
    match state {
        "COMMITTED" => dfsp.believe(id, Belief::Committed),
        "ABORTED" => dfsp.believe(id, Belief::Aborted),
        _ => {}
    }
}

/// The payee's part of a transfer.
async fn pay_out(dfsp: &Arc<Dfsp>, prepare: &Value) {
    let id = prepare["transferId"].as_str().unwrap_or_default().to_owned();
    let payer = prepare["payerFsp"].as_str().unwrap_or_default().to_owned();
    let Some(payment) =
        dfsp.plan.payments.iter().find(|known| crate::message::id(dfsp.plan.seed, known.number, 0) == id)
    else {
        return;
    };
    if dfsp.belief(&id).is_some() {
        // It has said what it says, and says it until the hub hears it.
        return;
    }
    dfsp.believe(&id, Belief::Open);
    let path = format!("/transfers/{id}");
    if let Answer::Late(millis) = payment.payee_does {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    let state = match payment.payee_does {
        Answer::Silent => return,
        Answer::Refuses => {
            dfsp.believe(&id, Belief::Aborted);
            let error = json!({"errorInformation": {"errorCode": "5103", "errorDescription": "not today"}});
            return dfsp.say(Method::PUT, &format!("{path}/error"), &payer, Some(&error)).await;
        }
        Answer::Reserves => "RESERVED",
        Answer::Agrees | Answer::Late(_) => "COMMITTED",
    };
    if dfsp.belief(&id) == Some(Belief::Aborted) {
        return;
    }
    dfsp.believe(&id, if state == "RESERVED" { Belief::Reserved } else { Belief::Committed });
    let (fulfilment, _) = crate::message::secret(dfsp.plan.seed, payment.number);
    let completed = hub::clock::now().to_string();
    let body = json!({"fulfilment": fulfilment, "completedTimestamp": completed, "transferState": state});
    dfsp.say(Method::PUT, &path, &payer, Some(&body)).await;
}
