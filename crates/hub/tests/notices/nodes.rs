//! Several nodes on one database: each looks and sends, and operators are told once.

use super::*;
use axum::Router;
use hub::Listeners;
use std::net::SocketAddr;
use support::PAYER;

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_tell_everything_once() {
    let store = store::postgres::scratch::database().await.unwrap();
    let scheme = start_with(|config| config.store = store.clone()).await;
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listeners = Listeners { fspiop: any, administration: any, settlement: any, oracles: any, portal: any };
    let mut config = Config { listeners, store, ..Config::default() };
    look_often(&mut config);
    let second = hub::start(config, |_| Router::new()).await.unwrap();

    let hub = operator(&scheme).await;
    for cap in [999, 998, 997, 996, 1000] {
        set_cap(&scheme, PAYER, cap, 10).await;
    }
    pay(&scheme, "950").await;
    look_at_everything(&scheme).await;
    let notices = listed(&scheme, "participant=payerfsp").await;
    assert_eq!(notices.len(), 6, "{notices:#?}");
    let is_sent = |notice: &Value| notice["deliveries"].as_array().unwrap().iter().all(|one| one["state"] == "sent");
    for notice in &notices {
        let older = notice["id"].as_i64().unwrap() + 1;
        let sent = until(&scheme, &format!("participant=payerfsp&after={older}"), is_sent).await;
        assert_eq!(sent["id"], notice["id"]);
        assert!(sent["deliveries"].as_array().unwrap().iter().all(|one| one["attempts"] == 1), "{sent:#?}");
    }
    for inbox in [&scheme.payer, &hub] {
        let mut ids: Vec<_> =
            inbox.take_all(WEBHOOK).iter().map(|notice| notice.json()["id"].as_i64().unwrap()).collect();
        ids.sort_unstable();
        let of_payer = notices.iter().rev().map(|notice| notice["id"].as_i64().unwrap());
        ids.retain(|id| of_payer.clone().any(|known| known == *id));
        assert_eq!(ids, of_payer.clone().collect::<Vec<_>>(), "{}", inbox.name());
    }
    second.stop().await;
    scheme.end_whatever_was_sent().await;
}
