//! One history from its plan to its verdict.

use crate::{
    check::{World, check},
    dfsp::Dfsp,
    message::{PROXY, message},
    network::{Request, Response, Web},
    payer::{Parties, pay},
    plan::{Crash, Crashed, Payment, Plan, Quirk, Stray},
    scheme::{Member, Scheme},
    tree,
};
use http::{HeaderValue, Method, StatusCode};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::task::LocalSet;
use vocabulary::Timestamp;

const CURRENCIES: [&str; 3] = ["XTS", "KES", "ZMW"];
/// Faults end then.
const STORM: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_secs(15);
/// What is not quiet by then never will be.
const LOOKS: u32 = 240;
/// No DFSP has the customer of this number.
const NOBODY: u64 = 9;
const BEGIN: i64 = 1_800_000_000_000;

/// What a history came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    pub seed: u64,
    pub payments: usize,
    pub committed: usize,
    /// Simulated.
    pub seconds: u64,
    /// Of all messages in their order.
    pub digest: [u8; 32],
    /// Empty if everything holds.
    pub problems: Vec<String>,
}

/// Plays a history, on a thread and a clock of its own.
pub fn run(plan: Plan) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime needs nothing");
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        hub::clock::simulate(Timestamp::from_millis(BEGIN));
        play(Arc::new(plan)).await
    })
}

async fn play(plan: Arc<Plan>) -> Verdict {
    let begun = tokio::time::Instant::now();
    let web = Web::new(&plan);
    let mut world = set_up(&plan, &web).await;
    let mut payers = Vec::new();
    for payment in &plan.payments {
        let (place, of) = payment.payee;
        let dfsp = |(place, of): (usize, u64)| world.dfsps[&format!("dfsp-{place}-{of}")].clone();
        let parties = Parties {
            payee: format!("dfsp-{place}-{of}"),
            payee_number: payee_number(payment),
            provider: payment.conversion.map(|(place, _)| format!("fxp-{place}")),
            payer_currency: plan.schemes[payment.payer.0].currency,
            payee_currency: plan.schemes[place].currency,
            moves: payment.former_payee(plan.schemes.len()).map(|from| [dfsp(from), dfsp(payment.payee)]),
        };
        let payer = dfsp(payment.payer);
        let payment = payment.clone();
        payers.push(tokio::spawn(async move { pay(&payer, &payment, &parties).await }));
    }
    for stray in plan.strays.clone() {
        tokio::spawn(go_astray(web.clone(), stray));
    }
    storm(&mut world, &web).await;
    web.calm();
    let mut problems = Vec::new();
    for _ in 0..LOOKS {
        tokio::time::sleep(LOOK).await;
        for (payer, outcome) in payers.iter_mut().zip(&mut world.outcomes) {
            if outcome.is_none() && payer.is_finished() {
                *outcome = Some(payer.await.expect("a payer does not panic"));
            }
        }
        problems = check(&world).await;
        if problems.is_empty() {
            break;
        }
    }
    let committed = world.outcomes.iter().filter(|outcome| **outcome == Some(crate::payer::Outcome::Committed)).count();
    let (seed, payments, seconds) = (plan.seed, plan.payments.len(), begun.elapsed().as_secs());
    web.close();
    Verdict { seed, payments, committed, seconds, digest: web.digest(), problems }
}

/// Crashes hubs and proxies, and starts them again; after it everybody runs.
async fn storm(world: &mut World, web: &Web) {
    let begun = tokio::time::Instant::now();
    let plan = world.plan.clone();
    let mut steps: Vec<(u64, bool, Crash)> = Vec::new();
    for crash in &plan.crashes {
        steps.push((crash.at_ms, true, *crash));
        steps.push((crash.at_ms + crash.for_ms, false, *crash));
    }
    steps.sort_by_key(|(at, is_begin, _)| (*at, *is_begin));
    for (at, is_begin, crash) in steps {
        tokio::time::sleep_until(begun + Duration::from_millis(at)).await;
        match (crash.what, is_begin) {
            (Crashed::Hub(hub), true) => world.schemes[hub].crash(),
            (Crashed::Hub(hub), false) => world.schemes[hub].restart().await,
            (Crashed::Proxy(edge), true) => set_proxy(web, &plan, edge, false),
            (Crashed::Proxy(edge), false) => set_proxy(web, &plan, edge, true),
        }
    }
    tokio::time::sleep_until(begun + STORM).await;
    for scheme in &mut world.schemes {
        scheme.restart().await;
    }
}

async fn set_up(plan: &Arc<Plan>, web: &Web) -> World {
    let mut schemes = Vec::new();
    let mut dfsps = BTreeMap::new();
    for (place, scheme) in plan.schemes.iter().enumerate() {
        let hub = Scheme::start(format!("hub-{place}"), web).await;
        let own = [scheme.currency];
        let banks = (0..2).map(|of| (format!("dfsp-{place}-{of}"), &own[..]));
        let provider = scheme.has_provider.then(|| (format!("fxp-{place}"), &CURRENCIES[..]));
        let mut members = Vec::new();
        for (name, currencies) in banks.chain(provider) {
            dfsps.insert(name.clone(), Dfsp::new(name.clone(), hub.name.clone(), web, plan));
            members.push(Member { host: name.clone(), name, is_proxy: false, currencies });
        }
        for (edge, ends) in plan.edges.iter().enumerate().filter(|(_, ends)| ends.0 == place || ends.1 == place) {
            let host = listener(edge, place);
            debug_assert!(ends.0 != ends.1, "a proxy connects two schemes");
            members.push(Member { name: format!("proxy-{edge}"), host, is_proxy: true, currencies: &CURRENCIES });
        }
        hub.set_up(&CURRENCIES, &members).await;
        schemes.push(hub);
    }
    for edge in 0..plan.edges.len() {
        set_proxy(web, plan, edge, true);
    }
    let outcomes = vec![None; plan.payments.len()];
    let world = World { plan: plan.clone(), schemes, dfsps, outcomes };
    register(&world, web).await;
    world
}

/// Customers at their banks, and the providers of other schemes, which no look-up finds.
async fn register(world: &World, web: &Web) {
    let plan = &world.plan;
    for (place, scheme) in world.schemes.iter().enumerate() {
        for of in 0..2 {
            register_number(web, (place, of), &number(place, of)).await;
        }
        for other in (0..plan.schemes.len()).filter(|other| *other != place && plan.schemes[*other].has_provider) {
            let edge = tree::towards(&plan.edges, place, other).expect("a tree connects all");
            scheme.seed_route(&format!("fxp-{other}"), &format!("proxy-{edge}")).await;
        }
    }
    for payment in &plan.payments {
        if let Some(from) = payment.former_payee(plan.schemes.len()) {
            register_number(web, from, &payee_number(payment)).await;
        }
    }
}

async fn register_number(web: &Web, (place, of): (usize, u64), number: &str) {
    let (name, path) = (format!("dfsp-{place}-{of}"), format!("/participants/MSISDN/{number}"));
    let request = message(&Method::POST, &path, &name, None, Some(&json!({"fspId": name})));
    let answer = web.insist(&format!("hub-{place}"), request, 50).await;
    assert!(answer.is_some_and(|(status, _)| status.is_success()), "a customer was not registered");
}

/// A number that moves is nobody else's.
fn payee_number(payment: &Payment) -> String {
    let (place, of) = payment.payee;
    match payment.quirk {
        Quirk::UnknownPayee => number(place, NOBODY),
        Quirk::PayeeMoves => number(place, 100 + payment.number as u64),
        Quirk::None | Quirk::OtherContent | Quirk::AsksPayee => number(place, of),
    }
}

/// A look-up that nobody answers, through the wrong proxy.
async fn go_astray(web: Web, stray: Stray) {
    tokio::time::sleep(Duration::from_millis(stray.at_ms)).await;
    let path = format!("/parties/MSISDN/{}", number(stray.place, NOBODY));
    let mut question = message(&Method::GET, &path, &stray.source, None, None);
    let proxy = format!("proxy-{}", stray.edge);
    question.headers.insert(PROXY, HeaderValue::from_str(&proxy).expect("names of proxies are plain"));
    web.insist(&format!("hub-{}", stray.place), question, 1).await;
}

fn number(place: usize, of: u64) -> String {
    format!("2771{place:03}{of:03}")
}

/// The host at which a proxy listens in a scheme.
fn listener(edge: usize, place: usize) -> String {
    format!("proxy-{edge}-in-{place}")
}

/// Puts both sides of a proxy up or down.
fn set_proxy(web: &Web, plan: &Plan, edge: usize, is_up: bool) {
    let (one, other) = plan.edges[edge];
    for (here, there) in [(one, other), (other, one)] {
        let (network, name, target) = (web.clone(), format!("proxy-{edge}"), format!("hub-{there}"));
        let handler: crate::network::Handler =
            Arc::new(move |request| Box::pin(relay(network.clone(), name.clone(), target.clone(), request)));
        web.set(&listener(edge, here), is_up.then_some(handler));
    }
}

/// What the proxy adapter does: sets its name and passes on, with three more attempts.
async fn relay(web: Web, name: String, target: String, mut request: Request) -> Response {
    request.headers.insert(PROXY, HeaderValue::from_str(&name).expect("names of proxies are plain"));
    for _ in 0..4 {
        match web.carry(&target, request.clone()).await {
            Ok((status, body)) if !matches!(status.as_u16(), 502..=504) => return (status, body),
            Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    (StatusCode::SERVICE_UNAVAILABLE, bytes::Bytes::new())
}
