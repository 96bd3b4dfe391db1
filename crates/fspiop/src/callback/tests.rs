//! Outgoing headers and bodies by example.

use super::*;
use crate::body::{FxProviders, FxTransferFulfil, PartyIdInfo, TransferState};
use crate::headers::PROXY;
use crate::{ErrorCode, FspiopError};
use vocabulary::{Fulfilment, PartyIdType};

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

/// A prepare as it arrives, with everything a client or gateway may add.
fn prepare() -> HeaderMap {
    headers(&[
        ("host", "hub:4000"),
        ("connection", "keep-alive, x-hop"),
        ("keep-alive", "timeout=5"),
        ("x-hop", "1"),
        ("content-length", "1201"),
        ("authorization", "Bearer x"),
        ("x-client-id", "payerfsp"),
        ("content-type", "application/vnd.interoperability.transfers+json;version=1.0"),
        ("accept", "application/vnd.interoperability.transfers+json;version=1"),
        ("date", "Fri, 20 Nov 2026 21:53:58 GMT"),
        ("fspiop-source", "payerfsp"),
        ("fspiop-destination", "hub"),
        ("traceparent", "00-aa-bb-01"),
        ("x-custom", "kept"),
    ])
}

fn listed(headers: &HeaderMap) -> String {
    let mut lines: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    lines.sort();
    lines.join("\n")
}

fn relay<'a>(resource: Resource, method: &'a Method, uri: &'a str, destination: &'a FspId) -> Relay<'a> {
    Relay { resource, method, uri, destination: Some(destination) }
}

#[test]
fn a_relayed_transfer_keeps_its_headers_and_gains_method_and_uri() {
    let payee: FspId = "payeefsp".parse().unwrap();
    let sent = relayed_headers(&prepare(), &relay(Resource::Transfers, &Method::POST, "/transfers", &payee)).unwrap();
    insta::assert_snapshot!(listed(&sent));
}

#[test]
fn a_relayed_put_carries_no_accept_and_parties_gain_nothing() {
    let payer: FspId = "payerfsp".parse().unwrap();
    let sent = relay(Resource::Parties, &Method::PUT, "/parties/MSISDN/1", &payer);
    let sent = relayed_headers(&prepare(), &sent).unwrap();
    assert!(!sent.contains_key("accept") && !sent.contains_key(URI) && !sent.contains_key(HTTP_METHOD));
    let patch = relay(Resource::Transfers, &Method::PATCH, "/transfers/x", &payer);
    assert!(relayed_headers(&prepare(), &patch).unwrap().contains_key("accept"));
}

#[test]
fn a_relayed_quote_carries_a_fixed_set() {
    let payee: FspId = "payeefsp".parse().unwrap();
    let mut inbound = prepare();
    inbound.insert("tracestate", HeaderValue::from_static("x=1"));
    let sent = relayed_headers(&inbound, &relay(Resource::Quotes, &Method::POST, "/quotes", &payee)).unwrap();
    let mut names: Vec<&str> = sent.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    let expected =
        ["accept", "content-type", "date", "fspiop-destination", "fspiop-source", "traceparent", "tracestate"];
    assert_eq!(names, expected);
}

#[test]
fn the_proxy_is_named_to_the_receiver_except_of_quotes() {
    let payee: FspId = "payeefsp".parse().unwrap();
    let mut inbound = prepare();
    inbound.insert(PROXY, HeaderValue::from_static("proxyA"));
    for resource in Resource::ALL {
        let is_dropped = matches!(resource, Resource::Quotes | Resource::FxQuotes | Resource::BulkQuotes);
        for method in [Method::GET, Method::POST, Method::PUT] {
            let sent = relayed_headers(&inbound, &relay(resource, &method, "/x", &payee)).unwrap();
            let proxy = sent.get(PROXY).map(|value| value.to_str().unwrap());
            assert_eq!(proxy, (!is_dropped).then_some("proxyA"), "{method} {resource}");
        }
    }
}

#[test]
fn no_message_of_the_hub_names_a_proxy() {
    let (hub, payer): (FspId, FspId) = ("Hub".parse().unwrap(), "payerfsp".parse().unwrap());
    let mut cause = prepare();
    cause.insert(PROXY, HeaderValue::from_static("proxyA"));
    for resource in Resource::ALL {
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH] {
            let message = HubMessage {
                hub: &hub,
                destination: &payer,
                resource,
                version: Version::V2_0,
                method: &method,
                uri: "/x",
                date: Timestamp::from_millis(0),
            };
            let sent = hub_headers(&message, Some(&cause)).unwrap();
            assert!(!sent.contains_key(PROXY), "{method} {resource}");
            assert_eq!(sent["traceparent"], "00-aa-bb-01", "{method} {resource}");
        }
    }
}

#[test]
fn what_the_sender_signed_is_not_touched() {
    let payee: FspId = "payeefsp".parse().unwrap();
    let mut inbound = prepare();
    inbound.remove(DESTINATION);
    for (name, value) in [(SIGNATURE, "{}"), (URI, "/gateway/transfers"), (HTTP_METHOD, "POST")] {
        inbound.insert(name, HeaderValue::from_static(value));
    }
    let target = relay(Resource::Transfers, &Method::POST, "/transfers", &payee);
    let sent = relayed_headers(&inbound, &target).unwrap();
    assert!(!sent.contains_key(DESTINATION));
    assert_eq!(sent[URI], "/gateway/transfers");
    inbound.remove(SIGNATURE);
    let sent = relayed_headers(&inbound, &target).unwrap();
    assert_eq!(sent[DESTINATION], "payeefsp");
    assert_eq!(sent[URI], "/transfers");
}

#[test]
fn a_message_of_the_hub_inherits_nothing_but_the_trace() {
    let (hub, payer): (FspId, FspId) = ("Hub".parse().unwrap(), "payerfsp".parse().unwrap());
    let mut cause = prepare();
    cause.insert(SIGNATURE, HeaderValue::from_static("{}"));
    cause.insert(PROXY, HeaderValue::from_static("proxyA"));
    let message = HubMessage {
        hub: &hub,
        destination: &payer,
        resource: Resource::Transfers,
        version: Version::V1_1,
        method: &Method::PUT,
        uri: "/transfers/x/error",
        date: Timestamp::from_millis(1_795_211_638_000),
    };
    insta::assert_snapshot!(listed(&hub_headers(&message, Some(&cause)).unwrap()));
    let post = HubMessage { method: &Method::POST, ..message };
    assert!(hub_headers(&post, None).unwrap().contains_key("accept"));
}

fn outcome(extension_list: Option<&'static str>) -> TransferOutcome<'static> {
    TransferOutcome {
        state: TransferState::Aborted,
        completed: Timestamp::from_millis(0),
        fulfilment: None,
        extension_list,
        cause: Some("3303: Transfer expired"),
    }
}

fn text(body: Vec<u8>) -> String {
    String::from_utf8(body).unwrap()
}

#[test]
fn the_outcome_of_a_transfer_has_sorted_keys_and_ends_its_extensions_with_the_cause() {
    assert_eq!(
        text(transfer_body(&outcome(Some(r#"{ "extension": [{"value":"v","key":"k"}] }"#)))),
        concat!(
            r#"{"completedTimestamp":"1970-01-01T00:00:00.000Z","extensionList":{"extension":[{"key":"k","value":"v"},"#,
            r#"{"key":"cause","value":"3303: Transfer expired"}]},"transferState":"ABORTED"}"#
        )
    );
    let fulfilment = Fulfilment::new([7; 32]);
    let committed = TransferOutcome {
        state: TransferState::Committed,
        fulfilment: Some(&fulfilment),
        cause: None,
        ..outcome(None)
    };
    assert_eq!(
        text(transfer_body(&committed)),
        format!(
            r#"{{"completedTimestamp":"1970-01-01T00:00:00.000Z","fulfilment":"{fulfilment}","transferState":"COMMITTED"}}"#
        )
    );
}

#[test]
fn the_outcome_of_a_conversion_has_sorted_keys_and_no_extensions() {
    let fulfilment = Fulfilment::new([7; 32]);
    let outcome = |state, fulfilment| ConversionOutcome { state, completed: Timestamp::from_millis(0), fulfilment };
    let bodies = [
        conversion_body(&outcome(TransferState::Reserved, Some(&fulfilment))),
        conversion_body(&outcome(TransferState::Committed, None)),
        conversion_body(&outcome(TransferState::Aborted, None)),
    ];
    for body in &bodies {
        assert!(FxTransferFulfil::parse(body).is_ok());
    }
    insta::assert_snapshot!(bodies.map(text).join("\n"));
}

#[test]
fn the_list_of_those_who_convert_has_at_most_sixteen_names() {
    let names: Vec<FspId> = (0..17).map(|number| format!("fxp{number}").parse().unwrap()).collect();
    assert_eq!(text(fx_providers_body(&[])), r#"{"providers":[]}"#);
    assert_eq!(text(fx_providers_body(&names[..2])), r#"{"providers":["fxp0","fxp1"]}"#);
    assert_eq!(FxProviders::parse(&fx_providers_body(&names)).unwrap().providers, names[..16]);
}

#[test]
fn a_full_extension_list_gives_its_last_place_to_the_cause() {
    let entries = r#"{"key":"k","value":"v"},"#.repeat(16);
    let list = format!(r#"{{"extension":[{}]}}"#, entries.trim_end_matches(','));
    let body = text(transfer_body(&outcome(Some(list.leak()))));
    assert_eq!(body.matches(r#""key":"#).count(), 16);
    assert!(body.contains(r#"{"key":"cause","value":"3303: Transfer expired"}]"#));
}

#[test]
fn answers_about_participants_have_the_shape_of_the_contract() {
    let party = |sub_id: Option<&str>| PartyIdInfo {
        id_type: PartyIdType::Msisdn,
        identifier: "1".into(),
        sub_id: sub_id.map(str::to_owned),
        fsp_id: Some("payeefsp".parse().unwrap()),
    };
    assert_eq!(text(participant_body(&"payeefsp".parse().unwrap())), r#"{"fspId":"payeefsp"}"#);
    assert_eq!(
        text(party_list_body(&[party(Some("x"))], Some("USD".parse().unwrap()))),
        concat!(
            r#"{"currency":"USD","partyList":[{"fspId":"payeefsp","partyIdType":"MSISDN","partyIdentifier":"1","#,
            r#""partySubIdOrType":"x"}]}"#
        )
    );
    let failed = PartyResult {
        party: party(None),
        error: Some(FspiopError::new(ErrorCode::ADD_PARTY).extension("MSISDN", "1")),
    };
    assert_eq!(
        text(batch_body(&[PartyResult { party: party(None), error: None }, failed], None)),
        concat!(
            r#"{"partyList":[{"partyId":{"fspId":"payeefsp","partyIdType":"MSISDN","partyIdentifier":"1"}},"#,
            r#"{"errorInformation":{"errorCode":"3003","errorDescription":"Add Party information error","#,
            r#""extensionList":{"extension":[{"key":"MSISDN","value":"1"}]}},"#,
            r#""partyId":{"fspId":"payeefsp","partyIdType":"MSISDN","partyIdentifier":"1"}}]}"#
        )
    );
}
