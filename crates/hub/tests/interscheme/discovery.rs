//! Look-ups across schemes (contract, interscheme §1.4, §1.5): who is asked, and what is learned from the answer.

use crate::{
    support::{BYSTANDER, Call, Inbox, Oracle, PAYEE, PAYER, Quote},
    world::{ByProxy, FAR, FARTHER, OTHER_PROXY, PROXY, World, assert_relayed, found, fresh_party, not_found},
};
use serde_json::json;

fn question(party: &str) -> Call {
    Call::new(&format!("GET /parties/{party}"))
}

/// A quote from the payer to somebody, who is also named in the body.
fn quote_to(name: &str) -> Call {
    let mut body = Quote::usd("5").request_body();
    body["payee"]["partyIdInfo"]["fspId"] = json!(name);
    Call::new("POST /quotes").to(name).body(body.to_string())
}

/// Checks where a quote for somebody goes.
async fn assert_is_behind(world: &World, name: &str, proxy: &Inbox) {
    let quote = quote_to(name);
    world.accept(&quote).await;
    let asked = proxy.next("POST /quotes").await;
    assert_eq!((&asked.body, asked.header("fspiop-destination")), (quote.bytes(), name));
}

/// Checks that the hub knows no way to somebody.
async fn assert_has_no_way(world: &World, name: &str) {
    let quote = Quote::usd("5");
    let call = quote.request().to(name);
    world.accept(&call).await;
    let text = format!("Destination FSP Error - Unsupported participant '{name}'");
    world.payer.next(&quote.put_error()).await.assert_error("3201", &text);
}

async fn assert_asked(world: &World, party: &str, call: &Call) {
    for proxy in [&world.proxy, &world.other_proxy] {
        let asked = proxy.next(&format!("GET /parties/{party}")).await;
        assert_relayed(&asked, call);
        assert!(!asked.headers.contains_key("fspiop-destination"), "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_proxy_is_asked_and_the_first_who_knows_the_party_is_remembered() {
    let world = World::start().await;
    let party = fresh_party();
    let call = question(&party).with("fspiop-signature", "{}").with("traceparent", "00-1-2-03");
    world.accept(&call).await;
    assert_asked(&world, &party, &call).await;
    assert_has_no_way(&world, FAR).await;
    let answer = found(&party, FAR, PAYER).by(PROXY).with("fspiop-signature", "{\"its\": \"own\"}");
    world.accept(&answer).await;
    let told = world.payer.next(&format!("PUT /parties/{party}")).await;
    assert_relayed(&told, &answer);
    assert_eq!((told.header("fspiop-proxy"), told.header("fspiop-destination")), (PROXY, PAYER));
    // The failure of the other changes nothing, and nobody hears of it.
    world.accept(&not_found(&party, "nobodyfsp", PAYER).by(OTHER_PROXY)).await;
    // Route and party are known now: neither a quote nor another look-up asks around.
    assert_is_behind(&world, FAR, &world.proxy).await;
    world.accept(&question(&party)).await;
    let asked = world.proxy.next(&format!("GET /parties/{party}")).await;
    assert_eq!(asked.header("fspiop-destination"), FAR);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sub_id_is_asked_for_and_registered_with_it() {
    let world = World::start().await;
    let party = format!("{}/till-4", fresh_party());
    let call = question(&party);
    world.accept(&call).await;
    assert_asked(&world, &party, &call).await;
    let answer = found(&party, FAR, PAYER).by(PROXY);
    world.accept(&answer).await;
    assert_relayed(&world.payer.next(&format!("PUT /parties/{party}")).await, &answer);
    world.accept(&call).await;
    let asked = world.proxy.next(&format!("GET /parties/{party}")).await;
    assert_eq!(asked.header("fspiop-destination"), FAR);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_is_found_elsewhere_is_registered_with_the_oracle_of_its_type() {
    let world = World::start().await;
    let oracle = Oracle::answering(200, json!({"partyList": []})).await;
    world.register_oracle("EMAIL", &oracle.url, None).await;
    let party = "EMAIL/ana@example.org";
    world.accept(&question(party)).await;
    for proxy in [&world.proxy, &world.other_proxy] {
        proxy.next(&format!("GET /parties/{party}")).await;
    }
    world.accept(&found(party, FAR, PAYER).by(PROXY)).await;
    world.payer.next(&format!("PUT /parties/{party}")).await;
    let path = format!("/participants/{party}");
    assert_eq!(oracle.asked(), [format!("GET {path}"), format!(r#"PUT {path} {{"fspId":"{FAR}"}}"#)]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oracle_that_does_not_know_the_party_yet_is_sent_it_as_a_new_one() {
    let world = World::start().await;
    let oracle = Oracle::answering_in_turn(&[200, 404, 201]).await;
    world.register_oracle("EMAIL", &oracle.url, None).await;
    let party = "EMAIL/ana@example.org";
    world.accept(&question(party)).await;
    for proxy in [&world.proxy, &world.other_proxy] {
        proxy.next(&format!("GET /parties/{party}")).await;
    }
    world.accept(&found(party, FAR, PAYER).by(PROXY)).await;
    world.payer.next(&format!("PUT /parties/{party}")).await;
    let path = format!("/participants/{party}");
    assert_eq!(oracle.asked(), [format!("GET {path}"), format!("PUT {path}"), format!("POST {path}")]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_answers_of_a_party_that_two_schemes_know_reach_the_source() {
    let world = World::start().await;
    let party = fresh_party();
    world.accept(&question(&party)).await;
    assert_asked(&world, &party, &question(&party)).await;
    for (name, proxy) in [(FAR, PROXY), (FARTHER, OTHER_PROXY)] {
        let answer = found(&party, name, PAYER).by(proxy);
        world.accept(&answer).await;
        assert_relayed(&world.payer.next(&format!("PUT /parties/{party}")).await, &answer);
    }
    assert_is_behind(&world, FAR, &world.proxy).await;
    assert_is_behind(&world, FARTHER, &world.other_proxy).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_swallowed_but_the_last() {
    let world = World::start().await;
    let party = fresh_party();
    world.accept(&question(&party)).await;
    assert_asked(&world, &party, &question(&party)).await;
    let errors = [("nobodyfsp", PROXY), ("nooneeither", OTHER_PROXY)];
    let errors = errors.map(|(name, proxy)| not_found(&party, name, PAYER).by(proxy));
    for error in &errors {
        world.accept(error).await;
    }
    // Which of the two is the last is decided side by side.
    let told = world.payer.next(&format!("PUT /parties/{party}/error")).await;
    let last = errors.iter().find(|error| error.header("fspiop-proxy") == told.header("fspiop-proxy")).unwrap();
    assert_relayed(&told, last);
    // Nothing is left of it: the next look-up asks again.
    world.accept(&question(&party)).await;
    assert_asked(&world, &party, &question(&party)).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_waits_for_teaches_nothing() {
    let world = World::start().await;
    let party = fresh_party();
    // Without a route to who answers, whoever asked could do nothing with the answer.
    world.accept(&found(&party, FAR, PAYER).by(PROXY)).await;
    let error = not_found(&party, FAR, PAYER).by(PROXY);
    world.accept(&error).await;
    assert_relayed(&world.payer.next(&format!("PUT /parties/{party}/error")).await, &error);
    assert_has_no_way(&world, FAR).await;
    // Nor does an answer that names a proxy that was not asked.
    world.accept(&question(&party)).await;
    assert_asked(&world, &party, &question(&party)).await;
    world.accept(&found(&party, FAR, PAYER).by(BYSTANDER)).await;
    assert_has_no_way(&world, FAR).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_participant_never_gets_a_route() {
    let world = World::start().await;
    let party = fresh_party();
    world.accept(&question(&party)).await;
    assert_asked(&world, &party, &question(&party)).await;
    world.accept(&found(&party, PAYEE, PAYER).by(PROXY)).await;
    world.payer.next(&format!("PUT /parties/{party}")).await;
    let quote = Quote::usd("5");
    world.accept(&quote.request()).await;
    world.payee.next("POST /quotes").await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_from_elsewhere_is_answered_through_its_proxy_and_only_then_reachable() {
    let world = World::start().await;
    let party = fresh_party();
    world.register_party(&world.payee, &party).await;
    let call = question(&party).from(FAR).by(PROXY);
    world.accept(&call).await;
    let asked = world.payee.next(&format!("GET /parties/{party}")).await;
    assert_relayed(&asked, &call);
    assert_eq!((asked.header("fspiop-destination"), asked.header("fspiop-proxy")), (PAYEE, PROXY));
    assert_has_no_way(&world, FAR).await;
    let answer = found(&party, PAYEE, FAR);
    world.accept(&answer).await;
    let told = world.proxy.next(&format!("PUT /parties/{party}")).await;
    assert_relayed(&told, &answer);
    assert_eq!((told.header("fspiop-destination"), told.header("fspiop-source")), (FAR, PAYEE));
    assert_is_behind(&world, FAR, &world.proxy).await;
    // An error goes back the same way.
    let error = not_found(&party, PAYEE, FAR);
    world.accept(&error).await;
    assert_relayed(&world.proxy.next(&format!("PUT /parties/{party}/error")).await, &error);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_of_a_third_scheme_is_found_through_two_hubs_and_not_registered_between_them() {
    let world = World::start().await;
    let party = fresh_party();
    let call = question(&party).from(FAR).by(PROXY);
    world.accept(&call).await;
    // Not the one that asks.
    let asked = world.other_proxy.next(&format!("GET /parties/{party}")).await;
    assert_relayed(&asked, &call);
    let answer = found(&party, FARTHER, FAR).by(OTHER_PROXY);
    world.accept(&answer).await;
    let told = world.proxy.next(&format!("PUT /parties/{party}")).await;
    assert_relayed(&told, &answer);
    assert_is_behind(&world, FARTHER, &world.other_proxy).await;
    assert_is_behind(&world, FAR, &world.proxy).await;
    // Who is between two schemes keeps no parties of either: a customer of its own asks around.
    let own = question(&party);
    world.accept(&own).await;
    assert_asked(&world, &party, &own).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_header_is_followed_to_whoever_it_names() {
    let world = World::start().await;
    world.meet(FAR, &world.proxy).await;
    let party = fresh_party();
    // To a participant, whoever the directory names.
    world.accept(&question(&party).to(BYSTANDER)).await;
    world.bystander.next(&format!("GET /parties/{party}")).await;
    // To an external DFSP, from one of ours and from one of a third scheme.
    let call = question(&party).to(FAR);
    world.accept(&call).await;
    let asked = world.proxy.next(&format!("GET /parties/{party}")).await;
    assert_relayed(&asked, &call);
    assert_eq!(asked.header("fspiop-destination"), FAR);
    world.accept(&question(&party).from(FARTHER).to(FAR).by(OTHER_PROXY)).await;
    let asked = world.proxy.next(&format!("GET /parties/{party}")).await;
    assert_eq!((asked.header("fspiop-source"), asked.header("fspiop-proxy")), (FARTHER, OTHER_PROXY));
    // To nobody that is known: everybody is asked, without the header.
    let call = question(&party).to("ghostfsp");
    world.accept(&call).await;
    assert_asked(&world, &party, &call).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_whose_dfsp_nobody_can_reach_is_forgotten_and_everybody_is_asked() {
    let world = World::start().await;
    for destination in [None, Some("lostfsp")] {
        let oracle = Oracle::answering(200, json!({"partyList": [{"fspId": "lostfsp"}]})).await;
        let id_type = if destination.is_some() { "ALIAS" } else { "BUSINESS" };
        world.register_oracle(id_type, &oracle.url, None).await;
        let party = format!("{id_type}/ana");
        let call = question(&party);
        let call = destination.map_or(call.clone(), |name| call.to(name));
        world.accept(&call).await;
        assert_asked(&world, &party, &call).await;
        assert_eq!(oracle.asked(), ["GET", "DELETE"].map(|method| format!("{method} /participants/{party}")));
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_about_a_party_that_has_moved_is_passed_on_and_its_entry_removed() {
    let world = World::start().await;
    let party = fresh_party();
    let call = question(&party);
    world.accept(&call).await;
    assert_asked(&world, &party, &call).await;
    world.accept(&found(&party, FAR, PAYER).by(PROXY)).await;
    world.payer.next(&format!("PUT /parties/{party}")).await;
    world.accept(&not_found(&party, "nobodyfsp", PAYER).by(OTHER_PROXY)).await;

    world.accept(&call).await;
    world.proxy.next(&format!("GET /parties/{party}")).await;
    let error = not_found(&party, FAR, PAYER).by(PROXY);
    world.accept(&error).await;
    assert_relayed(&world.payer.next(&format!("PUT /parties/{party}/error")).await, &error);
    world.accept(&call).await;
    assert_asked(&world, &party, &call).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_about_a_party_of_our_own_removes_nothing() {
    let world = World::start().await;
    let party = fresh_party();
    world.register_party(&world.payee, &party).await;
    let error = not_found(&party, FAR, PAYER).by(PROXY);
    world.accept(&error).await;
    world.payer.next(&format!("PUT /parties/{party}/error")).await;
    world.accept(&question(&party)).await;
    world.payee.next(&format!("GET /parties/{party}")).await;
    world.end().await;
}
