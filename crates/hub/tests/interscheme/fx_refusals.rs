//! What the hub refuses of conversions (contract, interscheme §3.3, §3.9).

use crate::{
    conversion::{Conversion, FXP, fx, pair},
    support::{BYSTANDER, Call, Inbox, PAYEE, PAYER, Payment, fresh_id, now},
    world::World,
};
use serde_json::{Value, json};

/// A conversion with its body spoiled, who sends it, and what the initiator is told.
struct Case {
    what: &'static str,
    spoil: fn(&mut Value),
    from: &'static str,
    code: &'static str,
    text: String,
}

fn case(what: &'static str, text: &str, spoil: fn(&mut Value)) -> Case {
    let text = format!("Generic validation error - {text}");
    Case { what, spoil, from: PAYER, code: "3100", text }
}

fn inbox<'a>(world: &'a World, name: &str) -> &'a Inbox {
    let all = [&world.payer, &world.payee, &world.fxp];
    all.into_iter().find(|inbox| inbox.name() == name).unwrap()
}

/// Sends a conversion and checks what its initiator is told, and that nothing is held.
async fn assert_refused(world: &World, case: &Case) {
    let (_, conversion) = pair("11", "10");
    let mut body = conversion.prepare_body();
    (case.spoil)(&mut body);
    world.accept(&conversion.prepare_with(&body).from(case.from)).await;
    let initiator = body["initiatingFsp"].as_str().unwrap();
    let told = inbox(world, initiator).next(&conversion.put_error()).await;
    told.assert_made_by_hub(initiator, "2.0").assert_error(case.code, &case.text);
    assert!(world.owed("USD").await.is_empty() && world.owed("EUR").await.is_empty(), "{}", case.what);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversion_that_cannot_be_is_refused_with_its_reason() {
    let world = World::start().await;
    for case in [
        case("not the initiator", "FSPIOP-Source header should match initiatingFsp", |body| {
            body["initiatingFsp"] = json!(PAYEE);
        }),
        case("too large", "Amount 123456789012345678 exceeds allowed precision of 18", |body| {
            body["sourceAmount"]["amount"] = json!("123456789012345678");
        }),
        case("no expiration", "Expiration is required for conditional transfer", |body| {
            body.as_object_mut().unwrap().remove("expiration");
        }),
        case("expired", "Expiration date 2026-01-01T00:00:00.000Z is already in the past", |body| {
            body["expiration"] = json!("2026-01-01T00:00:00.000Z");
        }),
        case("no transfer", "determiningTransferId is missing", |body| {
            body.as_object_mut().unwrap().remove("determiningTransferId");
        }),
        case("no account", "Participant payerfsp EUR account not found", |body| {
            body["sourceAmount"]["currency"] = json!("EUR");
        }),
        Case {
            from: PAYEE,
            ..case("a provider without the source", "Participant payerfsp EUR account not found", |body| {
                (body["initiatingFsp"], body["counterPartyFsp"]) = (json!(PAYEE), json!(PAYER));
                body["sourceAmount"]["currency"] = json!("EUR");
                body["targetAmount"]["currency"] = json!("USD");
            })
        },
        Case {
            from: PAYEE,
            ..case("a provider without the target", "Participant payerfsp EUR account not found", |body| {
                (body["initiatingFsp"], body["counterPartyFsp"]) = (json!(PAYEE), json!(PAYER));
            })
        },
        Case {
            from: FXP,
            ..case(
                "with itself",
                "Initiating FSP and Counter party FSP should be different, unless on-us transfers are allowed",
                |body| body["initiatingFsp"] = json!(FXP),
            )
        },
        Case {
            code: "4001",
            text: "Payer FSP insufficient liquidity".to_owned(),
            ..case("more than it has", "", |body| body["sourceAmount"]["amount"] = json!("1000.01"))
        },
    ] {
        assert_refused(&world, &case).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_switched_off_converts_nothing() {
    let world = World::start().await;
    for name in [PAYER, FXP] {
        let line = format!("PUT /participants/{name}");
        world.administer(&line, json!({"isActive": false})).await;
        let text = format!("Participant {name} is inactive");
        assert_refused(&world, &case("inactive", &text, |_| {})).await;
        world.administer(&line, json!({"isActive": true})).await;
    }
    let limit = json!({"type": "NET_DEBIT_CAP", "value": 5, "alarmPercentage": 10});
    let line = format!("PUT /participants/{PAYER}/limits");
    world.administer(&line, json!({"currency": "USD", "limit": limit})).await;
    let text = "Payer limit error".to_owned();
    assert_refused(&world, &Case { code: "4200", text, ..case("over its cap", "", |_| {}) }).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversion_with_who_is_unknown_takes_no_id() {
    let world = World::start().await;
    let (_, conversion) = pair("11", "10");
    let ghost = Conversion { provider: "ghostfsp", ..conversion.clone() };
    world.accept(&ghost.prepare()).await;
    let text = "Generic ID not found - Payer proxy or payee proxy not found: initiatingFsp: payerfsp counterPartyFsp: ghostfsp";
    world.payer.next(&ghost.put_error()).await.assert_made_by_hub(PAYER, "2.0").assert_error("3200", text);
    world.accept(&conversion.prepare()).await;
    world.fxp.next("POST /fxTransfers").await;
    world.assert_owed(&[(PAYER, "USD", "11")]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversion_that_was_refused_keeps_its_id_and_its_transfer_from_being_paid() {
    let world = World::start().await;
    let (payment, conversion) = pair("1000.01", "10");
    for answer in ["PUT error", "PUT"] {
        world.accept(&conversion.prepare()).await;
        if answer == "PUT" {
            assert_eq!(world.payer.next(&conversion.put()).await.json()["conversionState"], "ABORTED");
        } else {
            world.payer.next(&conversion.put_error()).await.assert_error("4001", "Payer FSP insufficient liquidity");
        }
    }
    world.accept(&payment.prepare()).await;
    let text = "Generic validation error - Related FX Transfer is not fulfilled";
    world.payer.next(&payment.put_error()).await.assert_error("3100", text);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_before_its_conversion_is_agreed_to_is_refused() {
    let world = World::start().await;
    let (payment, conversion) = pair("11", "10");
    world.accept(&conversion.prepare()).await;
    world.fxp.next("POST /fxTransfers").await;
    world.accept(&payment.prepare()).await;
    let text = "Generic validation error - Related FX Transfer is not fulfilled";
    world.payer.next(&payment.put_error()).await.assert_error("3100", text);
    // Being early costs nothing: the same transfer is taken once the provider has agreed.
    world.assert_owed(&[(PAYER, "USD", "11")]).await;
    world.accept(&conversion.agree()).await;
    world.payer.next(&conversion.put()).await;
    world.accept(&payment.prepare()).await;
    world.payee.next("POST /transfers").await;
    world.assert_owed(&[(PAYER, "USD", "11"), (FXP, "EUR", "10")]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_of_somebody_else_does_not_end_a_conversion() {
    let world = World::start().await;
    let (payment, conversion) = crate::fx::agreed(&world).await;
    let text = "Payer FSP, amount and currency should be those that the related FX Transfer yields";
    let of_another = Payment { payer: BYSTANDER, ..payment.clone() };
    world.accept(&of_another.prepare()).await;
    let told = world.bystander.next(&payment.put_error()).await;
    told.assert_error("3100", &format!("Generic validation error - {text}"));
    world.accept(&payment.prepare().from(BYSTANDER)).await;
    let text = "Generic validation error - FSPIOP-Source header should match Payer";
    world.payer.next(&payment.put_error()).await.assert_error("3100", text);
    world.accept(&payment.prepare()).await;
    world.payee.next("POST /transfers").await;
    world.accept(&payment.fulfil("COMMITTED")).await;
    world.payer.next(&payment.put()).await;
    world.fxp.next(&conversion.patch()).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversion_after_its_transfer_is_the_payees_alone() {
    let world = World::start().await;
    let payment = Payment::usd("11");
    world.reserve(&payment).await;
    let of = |initiator, source: &str| Conversion {
        initiator,
        source: (source.to_owned(), "USD"),
        target: ("10".to_owned(), "EUR"),
        ..Conversion::of(&payment, source)
    };
    let text = "Initiating FSP, source amount and currency should be those of the determining transfer's payee side";
    let text = format!("Generic validation error - {text}");
    for conversion in [of(PAYER, "11"), of(PAYEE, "10.99")] {
        world.accept(&conversion.prepare()).await;
        let told = inbox(&world, conversion.initiator).next(&conversion.put_error()).await;
        told.assert_made_by_hub(conversion.initiator, "2.0").assert_error("3100", &text);
    }
    world.assert_owed(&[(PAYER, "USD", "11")]).await;
    world.accept(&payment.fulfil("COMMITTED")).await;
    world.payer.next(&payment.put()).await;
    let late = of(PAYEE, "11");
    world.accept(&late.prepare()).await;
    let text = "Generic validation error - The determining transfer cannot be converted";
    world.payee.next(&late.put_error()).await.assert_error("3100", text);
    world.assert_owed(&[(PAYER, "USD", "11"), (PAYEE, "USD", "-11")]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_about_no_conversion_is_told_to_its_sender() {
    let world = World::start().await;
    let (payment, unknown) = pair("11", "10");
    let text = "Transfer ID not found - Provided commitRequest ID was not found on the server.";
    for call in [unknown.agree(), unknown.reject("5200", "no")] {
        world.accept(&call).await;
        world.fxp.next(&unknown.put_error()).await.assert_made_by_hub(FXP, "2.0").assert_error("3208", text);
    }
    // The answer of a conversion is none to a transfer of the same id.
    world.accept(&payment.fulfil("COMMITTED").from(BYSTANDER)).await;
    world.bystander.next(&payment.put_error()).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_malformed_is_refused_at_once() {
    let world = World::start().await;
    let (_, conversion) = pair("11", "10");
    let without = |name: &str| {
        let mut body = conversion.prepare_body();
        body.as_object_mut().unwrap().remove(name);
        conversion.prepare_with(&body)
    };
    let mut cases: Vec<(Call, String)> = Vec::new();
    for name in ["commitRequestId", "initiatingFsp", "counterPartyFsp", "sourceAmount", "targetAmount", "condition"] {
        let text = format!("400 3102 Missing mandatory element - /requestBody must have required property '{name}'");
        cases.push((without(name), text));
    }
    let patch = fx(&conversion.patch()).from(PAYER).to(FXP).body(json!({"conversionState": "COMMITTED"}).to_string());
    cases.push((patch, "501 2002 Not implemented".to_owned()));
    let future = now().plus_millis(10_000).to_string();
    let future = conversion.answer(&json!({"conversionState": "RESERVED", "completedTimestamp": future}));
    let text = "completedTimestamp fails because future timestamp was provided";
    cases.push((future, format!("400 3100 Generic validation error - {text}")));
    for (call, expected) in cases {
        assert_eq!(world.send(&call).await.error(), expected, "{call:?}");
    }
    let body = json!({"conversionRequestId": fresh_id()}).to_string();
    let quote = fx("POST /fxQuotes").from(PAYER).to(FXP).body(body);
    let text = "400 3102 Missing mandatory element - /requestBody must have required property 'conversionTerms'";
    assert_eq!(world.send(&quote).await.error(), text);
    world.assert_owed(&[]).await;
    world.end().await;
}
