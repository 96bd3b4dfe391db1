//! Look-ups across schemes that fail (contract, interscheme §1.10).

use crate::{
    support::{BYSTANDER, Call, Inbox, Oracle, PAYEE, PAYER},
    world::{ByProxy, FAR, OTHER_PROXY, PROXY, World, assert_relayed, found, fresh_party, not_found},
};
use serde_json::{Value, json};
use std::time::Duration;

const NOT_FOUND: (&str, &str) = ("3204", "Party not found");

fn question(party: &str) -> Call {
    Call::new(&format!("GET /parties/{party}"))
}

/// Checks that the hub tells somebody an error about a party, at an inbox.
async fn assert_told(inbox: &Inbox, to: &str, party: &str, (code, text): (&str, &str)) {
    let told = inbox.next(&format!("PUT /parties/{party}/error")).await;
    told.assert_made_by_hub(to, "1.1").assert_error(code, text);
    assert!(!told.headers.contains_key("fspiop-proxy"), "{told:?}");
}

async fn until_asked(world: &World, party: &str) {
    for proxy in [&world.proxy, &world.other_proxy] {
        proxy.next(&format!("GET /parties/{party}")).await;
    }
}

async fn set_activity(world: &World, name: &str, is_active: bool) {
    world.administer(&format!("PUT /participants/{name}"), json!({"isActive": is_active})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_whose_sender_cannot_be_answered_is_refused_at_once() {
    let world = World::start().await;
    let call = question(&fresh_party());
    for (call, error) in [
        (
            call.clone().without("fspiop-source"),
            "400 3102 Missing mandatory element - /header must have required property 'fspiop-source'",
        ),
        (call.clone().from(FAR), "400 3101 Malformed syntax - invalid fspiop-source header"),
        (call.clone().from(PROXY).by(PROXY), "400 3100 Generic validation error - Invalid fspiop-proxy header"),
        (
            call.clone().from(FAR).by(PROXY).with("x-client-id", OTHER_PROXY),
            "400 3100 Generic validation error - Invalid fspiop-proxy header",
        ),
        (call.clone().from("ProxyOne").by(PROXY), "400 3100 Generic validation error - Invalid fspiop-proxy header"),
    ] {
        assert_eq!(world.send(&call).await.error(), error);
    }
    let party = fresh_party();
    world.accept(&question(&party).from(FAR).by(PROXY).with("x-client-id", PROXY)).await;
    world.other_proxy.next(&format!("GET /parties/{party}")).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_names_no_proxy_of_ours_goes_nowhere() {
    let world = World::start().await;
    let party = fresh_party();
    world.register_party(&world.payee, &party).await;
    // Of a stranger nobody can be told.
    for proxy in ["ghostproxy", BYSTANDER] {
        world.accept(&question(&party).from(FAR).by(proxy)).await;
    }
    world.be_met(FAR, &world.proxy).await;
    for proxy in ["ghostproxy", BYSTANDER] {
        world.accept(&question(&party).from(FAR).by(proxy)).await;
        assert_told(&world.proxy, FAR, &party, ("3200", "Generic ID not found - Proxy not found")).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_proxy_to_ask_the_party_is_not_found() {
    let world = World::start().await;
    let party = fresh_party();
    set_activity(&world, OTHER_PROXY, false).await;
    world.accept(&question(&party).from(FAR).by(PROXY)).await;
    assert_told(&world.proxy, FAR, &party, NOT_FOUND).await;
    let call = question(&party);
    world.accept(&call).await;
    assert_relayed(&world.proxy.next(&format!("GET /parties/{party}")).await, &call);
    set_activity(&world, PROXY, false).await;
    let party = fresh_party();
    world.accept(&question(&party)).await;
    assert_told(&world.payer, PAYER, &party, NOT_FOUND).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_question_is_not_asked_twice_at_a_time() {
    let world = World::start().await;
    let party = fresh_party();
    world.accept(&question(&party)).await;
    until_asked(&world, &party).await;
    world.accept(&question(&party)).await;
    let text = "Generic ID not found - Failed to cache sendToProxiesList";
    assert_told(&world.payer, PAYER, &party, ("3200", text)).await;
    // Somebody else may ask, and the same one for another sub-id.
    world.accept(&question(&party).from(PAYEE)).await;
    until_asked(&world, &party).await;
    let till = format!("{party}/till-4");
    world.accept(&question(&till)).await;
    until_asked(&world, &till).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_that_cannot_be_reached_have_not_found_the_party() {
    let world = World::start_without_proxies_listening(|_| {}).await;
    let party = fresh_party();
    let text = "Generic ID not found - No successful proxy discovery responses";
    world.accept(&question(&party)).await;
    assert_told(&world.payer, PAYER, &party, ("3200", text)).await;
    // One of them can be reached and knows nothing.
    world.proxy.listen();
    world.accept(&question(&party)).await;
    world.proxy.next(&format!("GET /parties/{party}")).await;
    world.accept(&not_found(&party, "nobodyfsp", PAYER).by(PROXY)).await;
    assert_told(&world.payer, PAYER, &party, ("3200", text)).await;
    // It knows the party: the other does not matter.
    world.accept(&question(&party)).await;
    world.proxy.next(&format!("GET /parties/{party}")).await;
    world.accept(&found(&party, FAR, PAYER).by(PROXY)).await;
    world.payer.next(&format!("PUT /parties/{party}")).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_that_refuse_a_question_have_not_found_the_party() {
    let world = World::start().await;
    world.proxy.answer_with(503);
    world.other_proxy.answer_with(400);
    let party = fresh_party();
    world.accept(&question(&party)).await;
    let text = "Generic ID not found - No successful proxy discovery responses";
    assert_told(&world.payer, PAYER, &party, ("3200", text)).await;
    assert!(world.proxy.forget() > 0 && world.other_proxy.forget() > 0, "both were asked");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_told_when_the_time_is_up() {
    let time = Duration::from_millis(300);
    let world = World::start_with(|config| config.discovery_time = time).await;
    let expired = ("3300", "Generic expired error");
    // Found by one in time: the silence of the other is nobody's business.
    let answered = fresh_party();
    world.accept(&question(&answered)).await;
    until_asked(&world, &answered).await;
    world.accept(&found(&answered, FAR, PAYER).by(PROXY)).await;
    world.payer.next(&format!("PUT /parties/{answered}")).await;

    let party = format!("{}/till-4", fresh_party());
    world.accept(&question(&party)).await;
    until_asked(&world, &party).await;
    assert_told(&world.payer, PAYER, &party, expired).await;
    // It may be asked again, and its error comes too late for the first time and in time for the second.
    world.accept(&question(&party)).await;
    until_asked(&world, &party).await;
    assert_told(&world.payer, PAYER, &party, expired).await;
    let late = not_found(&party, FAR, PAYER).by(PROXY);
    world.accept(&late).await;
    assert_relayed(&world.payer.next(&format!("PUT /parties/{party}/error")).await, &late);

    // Who asked from elsewhere is told through its proxy.
    let party = fresh_party();
    world.accept(&question(&party).from("thirdfsp").by(PROXY)).await;
    world.other_proxy.next(&format!("GET /parties/{party}")).await;
    assert_told(&world.proxy, "thirdfsp", &party, expired).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_for_nobody_we_know_goes_back_to_its_sender() {
    let world = World::start().await;
    let party = fresh_party();
    let unknown = ("3201", "Destination FSP Error - Destination FSP not found");
    for call in [found(&party, PAYEE, "ghostfsp"), not_found(&party, PAYEE, "ghostfsp")] {
        world.accept(&call).await;
        assert_told(&world.payee, PAYEE, &party, unknown).await;
    }
    world.be_met(FAR, &world.proxy).await;
    for call in [found(&party, FAR, "ghostfsp"), not_found(&party, FAR, "ghostfsp")] {
        world.accept(&call.by(PROXY)).await;
        assert_told(&world.proxy, FAR, &party, unknown).await;
    }
    // An external DFSP says through which proxy it answers.
    world.accept(&found(&party, FAR, PAYER)).await;
    assert_told(&world.proxy, FAR, &party, ("3200", "Generic ID not found - Requester FSP not found")).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dfsp_from_elsewhere_may_name_only_who_serves_the_party() {
    let world = World::start().await;
    let party = fresh_party();
    let text = "Temporary party resolution failed, try again - External party resolution error";
    let call = question(&party).from(FAR).by(PROXY);
    world.accept(&call.clone().to(PAYEE)).await;
    assert_told(&world.proxy, FAR, &party, ("2006", text)).await;
    world.register_party(&world.payee, &party).await;
    world.accept(&call.clone().to(BYSTANDER)).await;
    assert_told(&world.proxy, FAR, &party, ("2006", text)).await;
    world.accept(&call.clone().to(PAYEE)).await;
    world.payee.next(&format!("GET /parties/{party}")).await;
    world.accept(&found(&party, PAYEE, FAR)).await;
    world.proxy.next(&format!("PUT /parties/{party}")).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_after_an_oracle_has_failed() {
    let world = World::start().await;
    for (id_type, status, error) in [
        ("BUSINESS", 400, ("3000", "Generic client error - The peer answered 400")),
        ("ALIAS", 404, ("3200", "Generic ID not found - The peer answered 404")),
    ] {
        let oracle = Oracle::answering(status, Value::Null).await;
        world.register_oracle(id_type, &oracle.url, None).await;
        let party = format!("{id_type}/ana");
        world.accept(&question(&party)).await;
        assert_told(&world.payer, PAYER, &party, error).await;
        world.accept(&question(&party).from(FAR).by(PROXY)).await;
        assert_told(&world.proxy, FAR, &party, error).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_of_a_proxy_in_the_name_of_the_source_itself_is_a_failure() {
    let world = World::start().await;
    let party = fresh_party();
    world.accept(&question(&party)).await;
    until_asked(&world, &party).await;
    for _ in 0..2 {
        world.accept(&found(&party, PAYER, PAYER)).await;
    }
    assert_told(&world.payer, PAYER, &party, NOT_FOUND).await;
    // Where nothing is asked, it is what it says.
    let own = found(&party, PAYER, PAYER);
    world.accept(&own).await;
    assert_relayed(&world.payer.next(&format!("PUT /parties/{party}")).await, &own);
    // With the name of a proxy it is an answer.
    world.accept(&question(&party)).await;
    until_asked(&world, &party).await;
    let answer = found(&party, PAYER, PAYER).by(PROXY);
    world.accept(&answer).await;
    assert_relayed(&world.payer.next(&format!("PUT /parties/{party}")).await, &answer);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_failure_of_a_question_from_elsewhere_goes_back_through_its_proxy() {
    let world = World::start().await;
    let party = fresh_party();
    world.accept(&question(&party).from(FAR).by(PROXY)).await;
    world.other_proxy.next(&format!("GET /parties/{party}")).await;
    let error = not_found(&party, "nobodyfsp", FAR).by(OTHER_PROXY);
    world.accept(&error).await;
    assert_relayed(&world.proxy.next(&format!("PUT /parties/{party}/error")).await, &error);
    world.end().await;
}
