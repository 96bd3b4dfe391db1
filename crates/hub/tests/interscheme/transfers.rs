//! Transfers from and to other schemes (contract, interscheme §1.7, §1.8): who owes whom, and whose messages go where.

use crate::{
    support::{PAYEE, PAYER, Payment},
    world::{ByProxy, FAR, FARTHER, OTHER_PROXY, PROXY, World, assert_relayed, payment},
};
use serde_json::{Value, json};

/// The states that an operator sees of a transfer.
async fn states(world: &World, id: &str) -> Vec<String> {
    let trace = world.administer(&format!("GET /umoja/v1/trace/{id}"), Value::Null).await;
    let states = trace["states"].as_array().unwrap().iter();
    states.map(|state| state["state"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_of_ours_pays_to_another_scheme_its_proxy_is_owed() {
    let world = World::start().await;
    world.meet(FAR, &world.proxy).await;
    let payment = payment("10", PAYER, FAR);
    let prepare = payment.prepare().with("fspiop-signature", "{}");
    world.accept(&prepare).await;
    let forwarded = world.proxy.next("POST /transfers").await;
    assert_relayed(&forwarded, &prepare);
    assert_eq!(forwarded.header("fspiop-destination"), FAR);
    world.assert_owed(&[(PAYER, "USD", "10")]).await;
    assert_eq!(states(&world, &payment.id).await, ["RESERVED_FORWARDED"]);
    world.accept(&payment.question(PAYER)).await;
    let told = world.payer.next(&payment.put()).await;
    assert_eq!(told.assert_made_by_hub(PAYER, "1.1").json()["transferState"], "RESERVED");

    let fulfil = payment.fulfil("COMMITTED").by(PROXY);
    world.accept(&fulfil).await;
    assert_relayed(&world.payer.next(&payment.put()).await, &fulfil);
    world.assert_owed(&[(PAYER, "USD", "10"), (PROXY, "USD", "-10")]).await;
    assert_eq!(states(&world, &payment.id).await, ["RESERVED_FORWARDED", "COMMITTED"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_scheme_pays_to_one_of_ours_its_proxy_owes() {
    let world = World::start().await;
    world.be_met(FAR, &world.proxy).await;
    let payment = payment("10", FAR, PAYEE);
    let prepare = payment.prepare().by(PROXY);
    world.accept(&prepare).await;
    assert_relayed(&world.payee.next("POST /transfers").await, &prepare);
    world.assert_owed(&[(PROXY, "USD", "10")]).await;
    assert_eq!(states(&world, &payment.id).await, ["RESERVED"]);
    let fulfil = payment.fulfil("COMMITTED");
    world.accept(&fulfil).await;
    let told = world.proxy.next(&payment.put()).await;
    assert_relayed(&told, &fulfil);
    assert_eq!(told.header("fspiop-destination"), FAR);
    world.assert_owed(&[(PAYEE, "USD", "-10"), (PROXY, "USD", "10")]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_through_is_owed_from_proxy_to_proxy() {
    let world = World::start().await;
    world.meet(FARTHER, &world.other_proxy).await;
    world.be_met(FAR, &world.proxy).await;
    let payment = payment("10", FAR, FARTHER);
    let prepare = payment.prepare().by(PROXY);
    world.accept(&prepare).await;
    assert_relayed(&world.other_proxy.next("POST /transfers").await, &prepare);
    world.assert_owed(&[(PROXY, "USD", "10")]).await;
    let fulfil = payment.fulfil("COMMITTED").by(OTHER_PROXY);
    world.accept(&fulfil).await;
    assert_relayed(&world.proxy.next(&payment.put()).await, &fulfil);
    world.assert_owed(&[(PROXY, "USD", "10"), (OTHER_PROXY, "USD", "-10")]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn between_two_dfsps_of_one_proxy_nothing_is_owed() {
    let world = World::start().await;
    world.meet(FARTHER, &world.other_proxy).await;
    world.be_met(FAR, &world.other_proxy).await;
    // Not even an account is needed: the proxy has none in EUR.
    let payment = Payment { currency: "EUR", ..payment("10", FAR, FARTHER) };
    let prepare = payment.prepare().by(OTHER_PROXY);
    world.accept(&prepare).await;
    assert_relayed(&world.other_proxy.next("POST /transfers").await, &prepare);
    world.assert_owed(&[]).await;
    world.accept(&payment.fulfil("COMMITTED").by(OTHER_PROXY)).await;
    world.other_proxy.next(&payment.put()).await;
    world.assert_owed(&[]).await;
    assert_eq!(states(&world, &payment.id).await, ["RESERVED_FORWARDED", "COMMITTED"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_from_another_scheme_frees_the_money() {
    let world = World::start().await;
    world.meet(FAR, &world.proxy).await;
    world.be_met(FARTHER, &world.other_proxy).await;
    let sent = payment("10", PAYER, FAR);
    world.accept(&sent.prepare()).await;
    world.proxy.next("POST /transfers").await;
    let error = sent.reject("5104", "Payee FSP rejected transaction").by(PROXY);
    world.accept(&error).await;
    assert_relayed(&world.payer.next(&sent.put_error()).await, &error);
    world.assert_owed(&[]).await;
    assert_eq!(states(&world, &sent.id).await, ["RESERVED_FORWARDED", "ABORTED"]);
    // From ours to another scheme it goes through the proxy.
    let received = payment("10", FARTHER, PAYEE);
    world.accept(&received.prepare().by(OTHER_PROXY)).await;
    world.payee.next("POST /transfers").await;
    let error = received.reject("5104", "Payee FSP rejected transaction");
    world.accept(&error).await;
    assert_relayed(&world.other_proxy.next(&received.put_error()).await, &error);
    world.assert_owed(&[]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_fulfilment_from_another_scheme_frees_the_money() {
    let world = World::start().await;
    world.meet(FAR, &world.proxy).await;
    let payment = payment("10", PAYER, FAR);
    world.accept(&payment.prepare()).await;
    world.proxy.next("POST /transfers").await;
    let other = Payment::usd("10").fulfilment.to_string();
    world.accept(&payment.answer(json!({"transferState": "COMMITTED", "fulfilment": other})).by(PROXY)).await;
    let told = world.payer.next(&payment.put_error()).await;
    told.assert_made_by_hub(PAYER, "1.1").assert_error("3100", "Generic validation error - invalid fulfilment");
    world.assert_owed(&[]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_tells_another_scheme_of_a_commit_that_its_own_payee_left_to_it() {
    let world = World::start().await;
    world.be_met(FAR, &world.proxy).await;
    let payment = payment("10", FAR, PAYEE);
    world.accept(&payment.prepare().by(PROXY)).await;
    world.payee.next("POST /transfers").await;
    world.accept(&payment.fulfil("RESERVED")).await;
    let told = world.proxy.next(&payment.put()).await;
    assert_eq!(told.assert_made_by_hub(FAR, "1.1").json()["transferState"], "COMMITTED");
    assert_eq!(told.json()["fulfilment"], payment.fulfilment.to_string());
    assert_eq!(world.payee.next(&payment.patch()).await.json()["transferState"], "COMMITTED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_of_the_payee_may_answer_for_it() {
    let world = World::start().await;
    world.meet(FAR, &world.proxy).await;
    let payment = payment("10", PAYER, FAR);
    world.accept(&payment.prepare()).await;
    world.proxy.next("POST /transfers").await;
    let fulfil = payment.fulfil("COMMITTED").from("farhub").by(PROXY);
    world.accept(&fulfil).await;
    assert_relayed(&world.payer.next(&payment.put()).await, &fulfil);
    // Its payee too, in other bytes; that is no other outcome.
    let mut body = payment.fulfil_body("COMMITTED");
    body["completedTimestamp"] = json!("2026-01-01T00:00:00.000Z");
    world.accept(&payment.answer(body).by(PROXY)).await;
    // An older time than ours is for our own DFSPs alone to explain.
    world.assert_owed(&[(PAYER, "USD", "10"), (PROXY, "USD", "-10")]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_participant_cannot_answer_for_a_payee_of_another_scheme() {
    let world = World::start().await;
    world.meet(FAR, &world.proxy).await;
    let payment = payment("10", PAYER, FAR);
    world.accept(&payment.prepare()).await;
    world.proxy.next("POST /transfers").await;
    world.accept(&payment.fulfil("COMMITTED").from(crate::support::BYSTANDER)).await;
    world.accept(&payment.reject("5104", "no").from(crate::support::BYSTANDER)).await;
    world.assert_owed(&[(PAYER, "USD", "10")]).await;
    assert_eq!(states(&world, &payment.id).await, ["RESERVED_FORWARDED"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_for_a_proxy_and_are_told_through_it() {
    let world = World::start().await;
    world.be_met(FAR, &world.proxy).await;
    let call = |payment: &Payment| payment.prepare().by(PROXY);
    let too_much = payment("1000.01", FAR, PAYEE);
    world.accept(&call(&too_much)).await;
    let told = world.proxy.next(&too_much.put_error()).await;
    told.assert_made_by_hub(FAR, "1.1").assert_error("4001", "Payer FSP insufficient liquidity");
    world
        .administer(
            &format!("PUT /participants/{PROXY}/limits"),
            json!({
                "currency": "USD", "limit": {"type": "NET_DEBIT_CAP", "value": 5, "alarmPercentage": 10},
            }),
        )
        .await;
    let over_cap = payment("6", FAR, PAYEE);
    world.accept(&call(&over_cap)).await;
    world.proxy.next(&over_cap.put_error()).await.assert_error("4200", "Payer limit error");
    world.assert_owed(&[]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_without_an_account_in_the_currency_stands_for_nobody_in_it() {
    let world = World::start().await;
    world.meet(FAR, &world.other_proxy).await;
    world.be_met(FARTHER, &world.other_proxy).await;
    let text = format!("Generic validation error - Participant {OTHER_PROXY} EUR account not found");
    // The bystander has EUR.
    let sent = Payment { currency: "EUR", ..payment("1", crate::support::BYSTANDER, FAR) };
    world.accept(&sent.prepare()).await;
    world.bystander.next(&sent.put_error()).await.assert_error("3100", &text);
    let received = Payment { currency: "EUR", ..payment("1", FARTHER, PAYEE) };
    world.accept(&received.prepare().by(OTHER_PROXY)).await;
    world.other_proxy.next(&received.put_error()).await.assert_error("3100", &text);
    world.assert_owed(&[]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_to_who_is_neither_here_nor_behind_a_proxy_takes_no_id() {
    let world = World::start().await;
    let sent = payment("10", PAYER, FAR);
    let text = format!(
        "Generic ID not found - Payer proxy or payee proxy not found: initiatingFsp: {PAYER} counterPartyFsp: {FAR}"
    );
    world.accept(&sent.prepare()).await;
    world.payer.next(&sent.put_error()).await.assert_error("3200", &text);
    world.meet(FAR, &world.proxy).await;
    world.accept(&sent.prepare()).await;
    world.proxy.next("POST /transfers").await;
    world.assert_owed(&[(PAYER, "USD", "10")]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_behind_another_proxy_than_is_known_reserves_nothing_and_ends_nothing() {
    let world = World::start().await;
    world.be_met(FAR, &world.proxy).await;
    world.meet(FARTHER, &world.proxy).await;
    let received = payment("10", FAR, PAYEE);
    let sent = payment("10", PAYER, FARTHER);
    let refused = "400 3100 Generic validation error - Invalid fspiop-proxy header";
    assert_eq!(world.send(&received.prepare().by(OTHER_PROXY)).await.error(), refused);
    world.assert_owed(&[]).await;
    world.accept(&sent.prepare()).await;
    world.proxy.next("POST /transfers").await;
    for call in [
        sent.fulfil("COMMITTED"),
        sent.reject("5104", "no"),
        sent.question(FARTHER),
        sent.fulfil("COMMITTED").from(OTHER_PROXY),
    ] {
        assert_eq!(world.send(&call.by(OTHER_PROXY)).await.error(), refused);
    }
    world.assert_owed(&[(PAYER, "USD", "10")]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_prepare_from_another_scheme_is_told_the_state_through_its_proxy() {
    let world = World::start().await;
    world.be_met(FAR, &world.proxy).await;
    let received = payment("10", FAR, PAYEE);
    let prepare = received.prepare().by(PROXY);
    world.accept(&prepare).await;
    world.payee.next("POST /transfers").await;
    // An adapter delivers what it could not see acknowledged again.
    world.accept(&prepare).await;
    assert_eq!(world.proxy.next(&received.put()).await.json()["transferState"], "RESERVED");
    world.assert_owed(&[(PROXY, "USD", "10")]).await;
    world.accept(&received.fulfil("COMMITTED")).await;
    world.proxy.next(&received.put()).await;
    world.accept(&prepare).await;
    let told = world.proxy.next(&received.put()).await;
    assert_eq!(told.assert_made_by_hub(FAR, "1.1").json()["transferState"], "COMMITTED");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_about_a_transfer_goes_to_the_scheme_that_it_names() {
    let world = World::start().await;
    world.meet(FAR, &world.proxy).await;
    let sent = payment("10", PAYER, FAR);
    world.accept(&sent.prepare()).await;
    world.proxy.next("POST /transfers").await;
    let question = sent.question(PAYER).to(FAR);
    world.accept(&question).await;
    let asked = world.proxy.next(&format!("GET {}", sent.path())).await;
    assert_relayed(&asked, &question);
    assert_eq!(asked.header("fspiop-destination"), FAR);
    let answer = sent.fulfil("COMMITTED").by(PROXY);
    world.accept(&answer).await;
    assert_relayed(&world.payer.next(&sent.put()).await, &answer);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_from_another_scheme_is_answered_through_its_proxy() {
    let world = World::start().await;
    world.be_met(FAR, &world.proxy).await;
    world.be_met(FARTHER, &world.proxy).await;
    let received = payment("10", FAR, PAYEE);
    let question = received.question(FAR).by(PROXY);
    world.accept(&question).await;
    let unknown = "Transfer ID not found - Provided Transfer ID was not found on the server.";
    world.proxy.next(&received.put_error()).await.assert_error("3208", unknown);
    world.accept(&received.prepare().by(PROXY)).await;
    world.payee.next("POST /transfers").await;
    world.accept(&question).await;
    let told = world.proxy.next(&received.put()).await;
    assert_eq!(told.assert_made_by_hub(FAR, "1.1").json()["transferState"], "RESERVED");
    world.accept(&received.question(FARTHER).by(PROXY)).await;
    world.proxy.next(&received.put_error()).await.assert_error("3000", "Generic client error");
    // What has failed is told as the error that it was.
    world.accept(&received.reject("5104", "Payee FSP rejected transaction")).await;
    world.proxy.next(&received.put_error()).await;
    world.accept(&question).await;
    let told = world.proxy.next(&received.put_error()).await;
    told.assert_made_by_hub(FAR, "1.1").assert_error("5104", "Payee FSP rejected transaction");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_from_another_scheme_expires_here_and_is_told_through_its_proxy() {
    let world = World::start().await;
    world.be_met(FAR, &world.proxy).await;
    let received = payment("10", FAR, PAYEE).expiring_in_millis(400);
    world.accept(&received.prepare().by(PROXY)).await;
    world.payee.next("POST /transfers").await;
    for (inbox, to) in [(&world.proxy, FAR), (&world.payee, PAYEE)] {
        let told = inbox.next(&received.put_error()).await;
        told.assert_made_by_hub(to, "1.1").assert_error("3303", "Transfer expired");
    }
    world.assert_owed(&[]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_answers_from_another_scheme_end_a_payment_once() {
    let world = World::start().await;
    world.meet(FAR, &world.proxy).await;
    let mut committed = 0;
    for _ in 0..10 {
        let payment = payment("1", PAYER, FAR);
        let prepare = payment.prepare();
        tokio::join!(world.accept(&prepare), world.accept(&prepare));
        world.proxy.next("POST /transfers").await;
        assert_eq!(world.payer.next(&payment.put()).await.json()["transferState"], "RESERVED");
        let (fulfil, error) = (payment.fulfil("COMMITTED").by(PROXY), payment.reject("5104", "no").by(PROXY));
        tokio::join!(world.accept(&fulfil), world.accept(&error));
        if states(&world, &payment.id).await.last().unwrap() == "COMMITTED" {
            assert_relayed(&world.payer.next(&payment.put()).await, &fulfil);
            committed += 1;
        } else {
            // An answer that comes too late is told so; an error of another scheme is never answered.
            let text = "Generic validation error - non-RESERVED transfer state";
            world.proxy.next(&payment.put_error()).await.assert_made_by_hub(FAR, "1.1").assert_error("3100", text);
            assert_relayed(&world.payer.next(&payment.put_error()).await, &error);
        }
    }
    let (paid, received) = (committed.to_string(), (-committed).to_string());
    let owed = [(PAYER, "USD", paid.as_str()), (PROXY, "USD", received.as_str())];
    world.assert_owed(if committed == 0 { &[] } else { &owed }).await;
    world.end().await;
}
