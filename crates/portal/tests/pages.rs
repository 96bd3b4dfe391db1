//! The pages over HTTP, against a hub that runs with the memory store.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hub::{Config, Hub, Listeners, Running};
use hub_core::administration::{
    AdminCommand, CreateHubAccount, CreateParticipant, Delay, Granularity, Interchange, NewSettlementModel,
    OpenAccounts,
};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use ledger::AccountKind;
use std::net::SocketAddr;
use vocabulary::Amount;

async fn start() -> Running {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listeners = Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any };
    hub::start(Config { listeners, ..Config::default() }, portal::router).await.unwrap()
}

/// Gives the hub a participant `green` with open accounts and an initial position.
async fn provision(hub: &Hub) {
    let currency = "USD".parse().unwrap();
    let name = "green".parse::<vocabulary::FspId>().unwrap();
    let account = |kind| CreateHubAccount { owner: hub.name().clone(), currency, kind: Some(kind) };
    for command in [
        AdminCommand::CreateHubAccount(account(AccountKind::HubReconciliation)),
        AdminCommand::CreateHubAccount(account(AccountKind::HubMultilateralSettlement)),
        AdminCommand::CreateSettlementModel(NewSettlementModel {
            name: "NET".into(),
            granularity: Granularity::Net,
            interchange: Interchange::Multilateral,
            delay: Delay::Deferred,
            currency: None,
            requires_liquidity_check: false,
            ledger_account: Some(AccountKind::Position),
            settlement_account: AccountKind::Settlement,
            resets_positions: true,
        }),
        AdminCommand::CreateParticipant(CreateParticipant { name: name.clone(), currency, is_proxy: false }),
        AdminCommand::OpenAccounts(OpenAccounts {
            participant: name,
            currency,
            limit: "1000000".parse::<Amount>().unwrap(),
            initial_position: "-1234.5".parse::<Amount>().unwrap(),
        }),
    ] {
        hub.administer(command, "test").await.unwrap();
    }
}

async fn get(running: &Running, path: &str) -> (u16, String, String) {
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let address = format!("http://{}{path}", running.addresses().portal);
    let (parts, body) = client.get(address.parse().unwrap()).await.unwrap().into_parts();
    let header = |name| parts.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let headers = format!("{} | {}", header("content-type"), header("content-security-policy"));
    (parts.status.as_u16(), headers, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_shows_where_participants_stand() {
    let running = start().await;
    let (status, headers, page) = get(&running, "/").await;
    assert_eq!(status, 200);
    assert!(headers.starts_with("text/html; charset=utf-8 | default-src 'none'"), "{headers}");
    assert!(page.contains("Nobody takes part yet"));

    provision(running.hub()).await;
    let (_, _, page) = get(&running, "/").await;
    for expected in ["green in USD", "\u{2212}1\u{202f}234.5", "1\u{202f}000\u{202f}000", "1\u{202f}234.5", "datastore"]
    {
        assert!(page.contains(expected), "{expected}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_metrics_and_unknown_pages_answer() {
    let running = start().await;
    let (status, headers, body) = get(&running, "/health").await;
    assert_eq!(status, 200);
    assert!(headers.starts_with("application/json") && body.starts_with(r#"{"status":"OK","uptime":"#), "{body}");
    let (status, headers, body) = get(&running, "/metrics").await;
    assert_eq!(status, 200);
    assert!(headers.starts_with("text/plain") && body.contains("umoja_"), "{body}");
    let (status, _, body) = get(&running, "/none").await;
    assert_eq!(status, 404);
    assert!(body.contains("There is no such page"));
    running.stop().await;
}
