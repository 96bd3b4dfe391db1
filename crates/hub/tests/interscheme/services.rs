//! `/services/FXP`: who converts (contract, interscheme §3.1).

use crate::{
    conversion::{FXP, fx},
    support::{BYSTANDER, PAYER},
    world::{ByProxy, FAR, PROXY, World},
};
use fspiop::endpoint::EndpointType;
use serde_json::{Value, json};

async fn providers(world: &World, path: &str) -> Value {
    world.accept(&fx(&format!("GET {path}")).from(PAYER)).await;
    world.payer.next(&format!("PUT {path}")).await.assert_made_by_hub(PAYER, "2.0").json()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_names_who_converts_between_two_currencies() {
    let world = World::start().await;
    for path in ["/services/FXP", "/services/FXP/USD/EUR", "/services/FXP/EUR/USD"] {
        assert_eq!(providers(&world, path).await, json!({"providers": [FXP]}), "{path}");
    }
    assert_eq!(providers(&world, "/services/FXP/USD/XOF").await, json!({"providers": []}));
    // Nobody is told of itself, nor of who is switched off or takes no fxTransfers.
    world.accept(&fx("GET /services/FXP").from(FXP)).await;
    assert_eq!(world.fxp.next("PUT /services/FXP").await.json(), json!({"providers": []}));
    world.administer(&format!("PUT /participants/{FXP}"), json!({"isActive": false})).await;
    assert_eq!(providers(&world, "/services/FXP").await, json!({"providers": []}));
    let bystander = [(EndpointType::FxQuotes, ""), (EndpointType::FxTransferPost, "/fxTransfers")];
    world.register_endpoints(&world.bystander, &bystander).await;
    assert_eq!(providers(&world, "/services/FXP/EUR/USD").await, json!({"providers": [BYSTANDER]}));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dfsp_of_another_scheme_is_answered_through_its_proxy() {
    let world = World::start().await;
    world.be_met(FAR, &world.proxy).await;
    world.accept(&fx("GET /services/FXP/USD/EUR").from(FAR).by(PROXY)).await;
    let told = world.proxy.next("PUT /services/FXP/USD/EUR").await;
    assert_eq!(told.assert_made_by_hub(FAR, "2.0").json(), json!({"providers": [FXP]}));
    // Of a stranger there is nobody to tell.
    world.accept(&fx("GET /services/FXP").from("strangerfsp")).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_pair_of_currencies_is_refused_at_once() {
    let world = World::start().await;
    for path in ["/services/FXP/USD", "/services/FXP/usd/EUR", "/services/OTHER"] {
        let reply = world.send(&fx(&format!("GET {path}")).from(PAYER)).await;
        assert!((400..500).contains(&reply.status), "{path}: {} {}", reply.status, reply.text());
    }
    let put = fx("PUT /services/FXP").from(FXP).to(PAYER).body(json!({"providers": [FXP]}).to_string());
    assert_eq!(world.send(&put).await.error(), "501 2002 Not implemented");
    world.end().await;
}
