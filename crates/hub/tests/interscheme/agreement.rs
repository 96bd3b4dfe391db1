//! Quotes and fxQuotes to and from other schemes (contract, interscheme §1.6, §3.2).

use crate::{
    conversion::{FXP, fx, fx_quote, fx_quote_answer},
    support::{Call, Inbox, PAYEE, PAYER, Quote, Received},
    world::{ByProxy, FAR, OTHER_PROXY, PROXY, World},
};
use serde_json::json;

const FAR_FXP: &str = "farprovider";

/// A quote request between two DFSPs that the body names too, in bytes that only a relay keeps.
fn request(quote: &Quote, from: &str, to: &str) -> Call {
    let mut body = quote.request_body();
    body["payer"]["partyIdInfo"]["fspId"] = json!(from);
    body["payee"]["partyIdInfo"]["fspId"] = json!(to);
    Call::new("POST /quotes").from(from).to(to).body(format!(" {body}\n"))
}

/// Checks that a quote or fxQuote passed through: it is told without the proxy by which it came.
fn assert_passed_on(received: &Received, sent: &Call) {
    assert_eq!(received.body, sent.bytes(), "{}", received.line());
    for name in ["content-type", "date", "fspiop-source", "fspiop-destination", "fspiop-signature"] {
        assert_eq!(received.header(name), sent.header(name), "{name} of {}", received.line());
    }
    assert!(!received.headers.contains_key("fspiop-proxy"), "{received:?}");
}

async fn assert_told(inbox: &Inbox, line: &str, (to, version): (&str, &str), (code, text): (&str, &str)) {
    inbox.next(line).await.assert_made_by_hub(to, version).assert_error(code, text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_to_an_external_dfsp_goes_to_its_proxy_and_its_answer_comes_back() {
    let world = World::start().await;
    world.meet(FAR, &world.proxy).await;
    // With the name of the proxy, and without, which the collections leave out.
    for is_named in [true, false] {
        let by = |call: Call| if is_named { call.by(PROXY) } else { call };
        let quote = Quote::usd("5");
        let asked = request(&quote, PAYER, FAR).with("fspiop-signature", "{}");
        world.accept(&asked).await;
        assert_passed_on(&world.proxy.next("POST /quotes").await, &asked);
        let answer = Call::new(&quote.put()).from(FAR).to(PAYER).body(format!("\n{} ", quote.response_body()));
        world.accept(&by(answer.clone())).await;
        assert_passed_on(&world.payer.next(&quote.put()).await, &answer);

        let quote = Quote::usd("6");
        world.accept(&request(&quote, PAYER, FAR)).await;
        world.proxy.next("POST /quotes").await;
        let body = r#"{"errorInformation":{"errorCode":"5103","errorDescription":"no"} }"#;
        let error = Call::new(&quote.put_error()).from(FAR).to(PAYER).body(body);
        world.accept(&by(error.clone())).await;
        assert_passed_on(&world.payer.next(&quote.put_error()).await, &error);
        world.accept(&Call::new(&format!("GET {}", quote.path())).to(FAR)).await;
        world.proxy.next(&format!("GET {}", quote.path())).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_from_an_external_dfsp_is_asked_and_answered_whatever_it_holds_here() {
    let world = World::start().await;
    world.be_met(FAR, &world.other_proxy).await;
    for is_named in [true, false] {
        let quote = Quote::usd("5");
        let asked = request(&quote, FAR, PAYEE);
        world.accept(&if is_named { asked.clone().by(OTHER_PROXY) } else { asked.clone() }).await;
        assert_passed_on(&world.payee.next("POST /quotes").await, &asked);
        let answer = quote.response().to(FAR);
        world.accept(&answer).await;
        assert_passed_on(&world.other_proxy.next(&quote.put()).await, &answer);
        // A participant that has no account in the currency is still told so.
        let mut body = quote.response_body();
        for name in ["transferAmount", "payeeReceiveAmount"] {
            body[name]["currency"] = json!("XOF");
        }
        world.accept(&answer.body(body.to_string())).await;
        let text = format!("Destination FSP Error - Unsupported participant '{PAYEE}'");
        assert_told(&world.payee, &quote.put_error(), (PAYEE, "1.1"), ("3201", &text)).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_fails_is_told_to_its_sender_wherever_it_is() {
    let world = World::start().await;
    world.be_met(FAR, &world.proxy).await;
    let quote = Quote::usd("5");
    world.accept(&request(&quote, PAYER, "ghostfsp")).await;
    let unsupported = "Destination FSP Error - Unsupported participant 'ghostfsp'";
    assert_told(&world.payer, &quote.put_error(), (PAYER, "1.1"), ("3201", unsupported)).await;
    let quote = Quote::usd("5");
    world.accept(&request(&quote, FAR, "ghostfsp").by(PROXY)).await;
    assert_told(&world.proxy, &quote.put_error(), (FAR, "1.1"), ("3201", unsupported)).await;
    // Its proxy is asked and refuses.
    world.proxy.answer_with(503);
    let quote = Quote::usd("5");
    world.accept(&request(&quote, PAYER, FAR)).await;
    let failed = "Destination communication error - Failed to send HTTP request to host";
    assert_told(&world.payer, &quote.put_error(), (PAYER, "1.1"), ("1001", failed)).await;
    assert!(world.proxy.forget() > 0);
    // A stranger's quote reaches nobody; if it names its proxy, that is told.
    world.accept(&request(&Quote::usd("5"), "strangerfsp", PAYEE)).await;
    world.proxy.fail(0, 202);
    let quote = Quote::usd("5");
    world.accept(&request(&quote, "strangerfsp", PAYEE).by(PROXY)).await;
    let unsupported = "Payer FSP ID not found - Unsupported participant 'strangerfsp'";
    assert_told(&world.proxy, &quote.put_error(), ("strangerfsp", "1.1"), ("3202", unsupported)).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_for_who_cannot_be_reached_are_told_to_their_sender() {
    let world = World::start().await;
    let quote = Quote::usd("5");
    let text = "Destination FSP Error - no FSPIOP_CALLBACK_URL_QUOTES endpoint for DFSP ghostfsp";
    let refusal = Call::new(&quote.put_error()).from(PAYEE).to("ghostfsp");
    let refusal = refusal.body(r#"{"errorInformation":{"errorCode":"5103","errorDescription":"no"}}"#);
    for call in [quote.response().to("ghostfsp"), refusal] {
        world.accept(&call).await;
        assert_told(&world.payee, &quote.put_error(), (PAYEE, "1.1"), ("3201", text)).await;
    }
    let (id, asked) = fx_quote(FXP);
    world.accept(&asked).await;
    world.fxp.next("POST /fxQuotes").await;
    world.accept(&fx_quote_answer(&id, FXP).to("ghostfsp")).await;
    let text = text.replace("URL_QUOTES", "URL_FX_QUOTES");
    assert_told(&world.fxp, &format!("PUT /fxQuotes/{id}/error"), (FXP, "2.0"), ("3201", &text)).await;
    // It was no answer: the right one is passed on.
    world.accept(&fx_quote_answer(&id, FXP)).await;
    world.payer.next(&format!("PUT /fxQuotes/{id}")).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dfsp_that_comes_by_another_proxy_than_is_known_is_refused_at_once() {
    let world = World::start().await;
    world.be_met(FAR, &world.proxy).await;
    let refused = "400 3100 Generic validation error - Invalid fspiop-proxy header";
    let quote = Quote::usd("5");
    let (_, fx_quote) = fx_quote(FXP);
    for proxy in [OTHER_PROXY, "ghostproxy", PAYEE] {
        let answer = quote.response().from(FAR).to(PAYER);
        for call in [request(&quote, FAR, PAYEE), answer, fx_quote.clone().from(FAR)] {
            assert_eq!(world.send(&call.by(proxy)).await.error(), refused, "{proxy}");
        }
    }
    let call = request(&quote, PROXY, PAYEE).by(PROXY);
    assert_eq!(world.send(&call).await.error(), refused);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_fx_quote_reaches_its_provider_and_its_terms_come_back() {
    let world = World::start().await;
    let (id, asked) = fx_quote(FXP);
    world.accept(&asked).await;
    assert_passed_on(&world.fxp.next("POST /fxQuotes").await, &asked);
    let answer = fx_quote_answer(&id, FXP).with("fspiop-signature", "{}");
    world.accept(&answer).await;
    assert_passed_on(&world.payer.next(&format!("PUT /fxQuotes/{id}")).await, &answer);
    world.accept(&fx(&format!("GET /fxQuotes/{id}")).to(FXP)).await;
    world.fxp.next(&format!("GET /fxQuotes/{id}")).await;

    let (id, asked) = fx_quote(FXP);
    world.accept(&asked).await;
    world.fxp.next("POST /fxQuotes").await;
    let path = format!("PUT /fxQuotes/{id}/error");
    let error = fx(&path).from(FXP).to(PAYER);
    let error = error.body(r#"{"errorInformation":{"errorCode":"5200","errorDescription":"no"} }"#);
    world.accept(&error).await;
    assert_passed_on(&world.payer.next(&path).await, &error);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_fx_quote_is_repeated_and_never_changed() {
    let world = World::start().await;
    let (id, asked) = fx_quote(FXP);
    for _ in 0..2 {
        world.accept(&asked).await;
        world.fxp.next("POST /fxQuotes").await;
    }
    let changed = fx_quote(FXP).1;
    let changed = String::from_utf8(changed.bytes().to_vec()).unwrap();
    let mut changed: serde_json::Value = serde_json::from_str(&changed).unwrap();
    changed["conversionRequestId"] = json!(id);
    world.accept(&asked.clone().body(changed.to_string())).await;
    let text = format!("Modified request - FxQuote {id} is a duplicate but hashes dont match");
    let line = format!("PUT /fxQuotes/{id}/error");
    assert_told(&world.payer, &line, (PAYER, "2.0"), ("3106", &text)).await;
    let answer = fx_quote_answer(&id, FXP);
    world.accept(&answer).await;
    world.payer.next(&format!("PUT /fxQuotes/{id}")).await;
    world.accept(&fx_quote_answer(&id, FXP)).await;
    let text = format!("Modified request - Update for fxQuote {id} is a duplicate but hashes dont match");
    assert_told(&world.fxp, &line, (FXP, "2.0"), ("3106", &text)).await;
    world.accept(&answer.with("accept", "application/vnd.interoperability.fxQuotes+json;version=2.0")).await;
    let text = "Generic validation error - \"accept\" header should not be sent in callbacks.";
    assert_told(&world.fxp, &line, (FXP, "2.0"), ("3100", text)).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_fx_quote_goes_only_to_who_holds_both_currencies() {
    let world = World::start().await;
    for (from, provider) in [(PAYER, "ghostfsp"), (PAYEE, PAYER)] {
        let (id, asked) = fx_quote(provider);
        world.accept(&asked.from(from)).await;
        let inbox = if from == PAYER { &world.payer } else { &world.payee };
        let text = format!("Generic validation error - Unsupported participant '{provider}'");
        assert_told(inbox, &format!("PUT /fxQuotes/{id}/error"), (from, "2.0"), ("3100", &text)).await;
    }
    // An address is missing.
    let (id, asked) = fx_quote(crate::support::BYSTANDER);
    world.accept(&asked).await;
    let text = "Destination FSP Error - no FSPIOP_CALLBACK_URL_FX_QUOTES endpoint for DFSP otherfsp";
    assert_told(&world.payer, &format!("PUT /fxQuotes/{id}/error"), (PAYER, "2.0"), ("3201", text)).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_of_another_scheme_is_asked_through_its_proxy() {
    let world = World::start().await;
    world.meet(FAR_FXP, &world.other_proxy).await;
    for is_named in [true, false] {
        let (id, asked) = fx_quote(FAR_FXP);
        world.accept(&asked).await;
        assert_passed_on(&world.other_proxy.next("POST /fxQuotes").await, &asked);
        let answer = fx_quote_answer(&id, FAR_FXP);
        world.accept(&if is_named { answer.clone().by(OTHER_PROXY) } else { answer.clone() }).await;
        assert_passed_on(&world.payer.next(&format!("PUT /fxQuotes/{id}")).await, &answer);
    }
    // The other way round: a DFSP from elsewhere asks our provider.
    let (id, asked) = fx_quote(FXP);
    let asked = asked.from(FAR_FXP);
    world.accept(&asked.clone().by(OTHER_PROXY)).await;
    assert_passed_on(&world.fxp.next("POST /fxQuotes").await, &asked);
    let answer = fx_quote_answer(&id, FXP).to(FAR_FXP);
    world.accept(&answer).await;
    assert_passed_on(&world.other_proxy.next(&format!("PUT /fxQuotes/{id}")).await, &answer);
    world.end().await;
}
