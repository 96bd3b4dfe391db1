//! Bodies.

use super::{Case, assert_refused, case, cut};
use crate::support::{Call, PAYEE, Payment, Quote, Scheme, now};
use serde_json::{Value, json};

const AMOUNT_PATTERN: &str = "^([0]|([1-9][0-9]{0,17}))([.][0-9]{0,3}[1-9])?$";
const ID_PATTERN: &str =
    "^[0-9a-f]{8}-[0-9a-f]{4}-[1-7][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$|^[0-9A-HJKMNP-TV-Z]{26}$";
/// Bytes of the largest body that is read.
const BODY_BYTES_MAX: usize = 5_242_880;

fn invalid(detail: &str) -> String {
    format!("400 3100 {}", cut(&format!("Generic validation error - {detail}")))
}

fn missing(detail: &str) -> String {
    format!("400 3102 Missing mandatory element - {detail}")
}

fn mismatch(pointer: &str, pattern: &str) -> String {
    invalid(&format!("/requestBody{pointer} must match pattern \"{pattern}\""))
}

/// A prepare with one member replaced, by JSON pointer.
fn prepare_with(pointer: &str, value: Value) -> Call {
    let payment = Payment::usd("1");
    let mut body = payment.prepare_body();
    *body.pointer_mut(pointer).unwrap() = value;
    payment.prepare().body(body.to_string())
}

fn quote_with(pointer: &str, value: Value) -> Call {
    let quote = Quote::usd("1");
    let mut body = quote.request_body();
    *body.pointer_mut(pointer).unwrap() = value;
    quote.request().body(body.to_string())
}

/// A case for each of these members, with the call that lacks it.
fn without_each(members: &[&'static str], body: &Value, call: &Call) -> Vec<Case> {
    let lacking = |member: &&'static str| {
        let mut body = body.clone();
        body.as_object_mut().unwrap().remove(*member).unwrap();
        let answer = missing(&format!("/requestBody must have required property '{member}'"));
        case(member, call.clone().body(body.to_string()), answer)
    };
    members.iter().map(lacking).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_json_lacks_its_first_member_and_no_body_is_missing() {
    let (payment, quote) = (Payment::usd("1"), Quote::usd("1"));
    let calls = [
        (payment.prepare(), "transferId"),
        (payment.fulfil("COMMITTED"), "transferState"),
        (payment.reject("5100", "no"), "errorInformation"),
        (quote.request(), "quoteId"),
        (quote.response(), "transferAmount"),
        (Call::new("PUT /parties/MSISDN/1").to(PAYEE), "party"),
        (Call::new("POST /participants/MSISDN/1"), "fspId"),
        (Call::new("POST /participants"), "requestId"),
    ];
    let mut cases = Vec::new();
    for (call, member) in calls {
        let answer = missing(&format!("/requestBody must have required property '{member}'"));
        let whole = String::from_utf8(call.bytes().to_vec()).unwrap();
        let broken = whole.get(..whole.len().saturating_sub(1)).unwrap_or_default().to_owned();
        for body in ["{", "{'a':1}", "nonsense", "{}", "{\"a\":1}}", &broken] {
            if !body.is_empty() {
                cases.push(case(member, call.clone().body(body.to_owned()), answer.clone()));
            }
        }
        cases.push(case("bytes that are no text", call.clone().body(&b"{\"a\":\"\xff\"}"[..]), answer));
        cases.push(case(
            "an array",
            call.clone().body("[]"),
            "400 3101 Malformed syntax - /requestBody must be object",
        ));
        let nothing = missing("must have required property 'requestBody'");
        cases.push(case("no body", call.body(""), nothing));
    }
    // Nothing is mandatory here, so that there is nothing to lack.
    let update = Call::new("PUT /participants/MSISDN/1").body("{");
    cases.push(case("an update", update, "400 3101 Malformed syntax - /requestBody must be JSON"));
    assert_refused(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mandatory_member_that_is_missing_is_named() {
    let (payment, quote) = (Payment::usd("1"), Quote::usd("1"));
    let members = ["transferId", "payeeFsp", "payerFsp", "amount", "ilpPacket", "condition", "expiration"];
    let mut cases = without_each(&members, &payment.prepare_body(), &payment.prepare());
    let members = ["quoteId", "transactionId", "payee", "payer", "amountType", "amount", "transactionType"];
    cases.extend(without_each(&members, &quote.request_body(), &quote.request()));
    let members = ["transferAmount", "expiration", "ilpPacket", "condition"];
    cases.extend(without_each(&members, &quote.response_body(), &quote.response()));
    cases.extend(without_each(&["transferState"], &payment.fulfil_body("COMMITTED"), &payment.fulfil("COMMITTED")));
    for (pointer, value, inside, member) in [
        ("/amount", json!({"amount": "1"}), "/amount", "currency"),
        ("/amount", json!({"currency": "USD"}), "/amount", "amount"),
    ] {
        let answer = missing(&format!("/requestBody{inside} must have required property '{member}'"));
        cases.push(case("nested", prepare_with(pointer, value.clone()), answer.clone()));
        cases.push(case("nested", quote_with(pointer, value), answer));
    }
    let answer = missing("/requestBody/payer must have required property 'partyIdInfo'");
    cases.push(case("a party", quote_with("/payer", json!({})), answer));
    assert_refused(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_outside_the_grammar_is_refused_before_anything_else_is_looked_at() {
    let mut cases = Vec::new();
    for text in [
        "1.00001",
        "0.12345",
        "1234567890123456789",
        "1000000000000000000",
        "5.50",
        "5.0",
        "2.00",
        "01",
        "00",
        "-1",
        "+1",
        "1.",
        ".5",
        "1,5",
        "1e3",
        " 1",
        "1 ",
        "",
        "one",
    ] {
        cases.push(case(text, prepare_with("/amount/amount", json!(text)), mismatch("/amount/amount", AMOUNT_PATTERN)));
        cases.push(case(text, quote_with("/amount/amount", json!(text)), mismatch("/amount/amount", AMOUNT_PATTERN)));
    }
    let quote = Quote::usd("1.00001");
    cases.push(case("an answer", quote.response(), mismatch("/transferAmount/amount", AMOUNT_PATTERN)));
    let object = "400 3101 Malformed syntax - /requestBody/amount must be object";
    cases.push(case("a text", prepare_with("/amount", json!("1")), object));
    cases.push(case("a list", quote_with("/amount", json!([])), object));
    let text = "400 3101 Malformed syntax - /requestBody/amount/amount must be string";
    cases.push(case("an object", prepare_with("/amount/amount", json!({})), text));
    assert_refused(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_currency_is_refused() {
    let unknown = invalid("/requestBody/amount/currency must be equal to one of the allowed values");
    let short = invalid("/requestBody/amount/currency must NOT have fewer than 3 characters");
    let long = invalid("/requestBody/amount/currency must NOT have more than 3 characters");
    let mut cases = Vec::new();
    for (text, answer) in [("ZZZ", &unknown), ("usd", &unknown), ("US", &short), ("USDT", &long), ("", &short)] {
        cases.push(case(text, prepare_with("/amount/currency", json!(text)), answer.as_str()));
        cases.push(case(text, quote_with("/amount/currency", json!(text)), answer.as_str()));
    }
    let registration = Call::new("POST /participants/MSISDN/1").body(r#"{"fspId":"payerfsp","currency":"ZZZ"}"#);
    let answer = invalid("/requestBody/currency must be equal to one of the allowed values");
    cases.push(case("a registration", registration, answer));
    assert_refused(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_neither_uuid_nor_ulid_is_refused() {
    let mut cases = Vec::new();
    for text in [
        "",
        "1",
        "B51EC534-EE48-4575-B6A9-EAD2955B8069",
        "b51ec534-ee48-0575-b6a9-ead2955b8069",
        "b51ec534-ee48-8575-b6a9-ead2955b8069",
        "b51ec534-ee48-4575-c6a9-ead2955b8069",
        "b51ec534ee484575b6a9ead2955b8069",
        "{b51ec534-ee48-4575-b6a9-ead2955b8069}",
        "b51ec534-ee48-4575-b6a9-ead2955b80690",
        "01arz3ndektsv4rrffq69g5fav",
        "01ARZ3NDEKTSV4RRFFQ69G5FAU",
        "01ARZ3NDEKTSV4RRFFQ69G5FA",
    ] {
        cases.push(case(text, prepare_with("/transferId", json!(text)), mismatch("/transferId", ID_PATTERN)));
        cases.push(case(text, quote_with("/quoteId", json!(text)), mismatch("/quoteId", ID_PATTERN)));
        cases.push(case(text, quote_with("/transactionId", json!(text)), mismatch("/transactionId", ID_PATTERN)));
    }
    assert_refused(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_with_a_wrong_form_is_refused_with_its_place() {
    let payment = Payment::usd("1");
    let enumerated =
        |pointer: &str| invalid(&format!("/requestBody{pointer} must be equal to one of the allowed values"));
    let mut cases = vec![
        case("an empty name", prepare_with("/payeeFsp", json!("")), {
            invalid("/requestBody/payeeFsp must NOT have fewer than 1 characters")
        }),
        case("a long name", prepare_with("/payerFsp", json!("x".repeat(33))), {
            invalid("/requestBody/payerFsp must NOT have more than 32 characters")
        }),
        case("a short condition", prepare_with("/condition", json!("A".repeat(42))), {
            mismatch("/condition", "^[A-Za-z0-9-_]{43}$")
        }),
        case("a packet with blanks", prepare_with("/ilpPacket", json!("not a packet")), {
            mismatch("/ilpPacket", "^[A-Za-z0-9-_]+[=]{0,2}$")
        }),
        case("a state", payment.fulfil("SETTLED"), enumerated("/transferState")),
        case("an amount type", quote_with("/amountType", json!("BOTH")), enumerated("/amountType")),
        case(
            "a scenario",
            quote_with("/transactionType/scenario", json!("GIFT")),
            enumerated("/transactionType/scenario"),
        ),
        case("an id type", quote_with("/payee/partyIdInfo/partyIdType", json!("PHONE")), {
            enumerated("/payee/partyIdInfo/partyIdType")
        }),
        case("an error code", payment.reject("0100", "no"), {
            mismatch("/errorInformation/errorCode", "^[1-9]\\d{3}$")
        }),
        case("a long description", payment.reject("5100", &"x".repeat(129)), {
            invalid("/requestBody/errorInformation/errorDescription must NOT have more than 128 characters")
        }),
    ];
    for text in ["2026-11-21T00:00:00Z", "2026-11-21", "21/11/2026", "2026-13-01T00:00:00.000Z"] {
        let call = prepare_with("/expiration", json!(text));
        // Longer than a description can show.
        cases.push(case(
            text,
            call,
            mismatch(
                "/expiration",
                "^(?:[1-9]\\d{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\\d|2[0-8])|\
            (?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)",
            ),
        ));
    }
    assert_refused(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_the_api_does_not_know_are_refused_for_quotes_and_seventeen_extensions_everywhere() {
    let extensions = |count: usize| {
        let all: Vec<Value> = (0..count).map(|number| json!({"key": number.to_string(), "value": "x"})).collect();
        json!({"extension": all})
    };
    let with = |mut body: Value, name: &str, value: Value| {
        body[name] = value;
        body.to_string()
    };
    let (payment, quote) = (Payment::usd("1"), Quote::usd("1"));
    let additional = "400 3103 Too many elements - /requestBody must NOT have additional properties";
    let too_many = invalid("/requestBody/extensionList/extension must NOT have more than 16 items");
    let none = invalid("/requestBody/extensionList/extension must NOT have fewer than 1 items");
    assert_refused(vec![
        case("a quote", quote.request().body(with(quote.request_body(), "color", json!("red"))), additional),
        case("its answer", quote.response().body(with(quote.response_body(), "color", json!("red"))), additional),
        case(
            "17",
            payment.prepare().body(with(payment.prepare_body(), "extensionList", extensions(17))),
            too_many.clone(),
        ),
        case("17", quote.request().body(with(quote.request_body(), "extensionList", extensions(17))), too_many),
        case("0", payment.prepare().body(with(payment.prepare_body(), "extensionList", extensions(0))), none),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_refused_however_it_is_sent() {
    let payment = Payment::usd("1");
    let mut body = payment.prepare_body().to_string().into_bytes();
    body.resize(BODY_BYTES_MAX + 1, b' ');
    let chunked = payment.prepare().body(body.clone()).chunked();
    assert_refused(vec![
        case("with its length", payment.prepare().body(body), "400 3104 Too large payload"),
        case("in pieces", chunked, "400 3104 Too large payload - a body has at most 5242880 bytes"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_as_large_as_the_limit_is_taken_and_relayed_whole() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("1");
    let mut body = payment.prepare_body().to_string().into_bytes();
    body.resize(BODY_BYTES_MAX, b' ');
    scheme.accept(&payment.prepare().body(body)).await;
    assert_eq!(scheme.payee.next("POST /transfers").await.body.len(), BODY_BYTES_MAX);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completed_timestamp_outside_its_window_is_refused_and_the_transfer_stays_reserved() {
    let scheme = Scheme::start().await;
    let payment = Payment::usd("5");
    scheme.reserve(&payment).await;
    let completed = |millis: i64| {
        let mut body = payment.fulfil_body("COMMITTED");
        body["completedTimestamp"] = json!(now().plus_millis(millis).to_string());
        payment.answer(body)
    };
    for (millis, reason) in [
        (5_000, "future timestamp was provided"),
        (-301_000, "provided timestamp exceeded the maximum timeout duration"),
    ] {
        let expected = invalid(&format!("completedTimestamp fails because {reason}"));
        assert_eq!(scheme.send(&completed(millis)).await.error(), expected);
    }
    assert_eq!(scheme.positions().await, ["5", "0"]);
    // None of them took the place of the answer.
    scheme.accept(&completed(-250_000)).await;
    scheme.payer.next(&payment.put()).await;
    assert_eq!(scheme.positions().await, ["5", "-5"]);
    scheme.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_up_by_a_stranger_is_refused_at_once() {
    let answer = "400 3101 Malformed syntax - invalid fspiop-source header";
    let call = |name: &str| Call::new("GET /parties/MSISDN/27710000002").from(name);
    assert_refused(vec![
        case("a stranger", call("ghostfsp"), answer),
        case("a name in other letters", call("PAYERFSP"), answer),
        case("with a sub-id", Call::new("GET /parties/MSISDN/27710000002/home").from("ghostfsp"), answer),
    ])
    .await;
}
