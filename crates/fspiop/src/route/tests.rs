//! Routes by table, and the round trip of every path.

use super::*;
use crate::FspiopError;
use proptest::prelude::*;

const QUOTE_ID: &str = "b51ec534-ee48-4575-b6a9-ead2955b8069";

fn operation(method: &str, target: &str) -> Result<Operation, FspiopError> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    route(&method.parse().unwrap(), path)?.operation(query)
}

fn refusal(method: &str, target: &str) -> (u16, String) {
    let error = operation(method, target).unwrap_err();
    (error.http_status(), error.to_string())
}

#[test]
fn the_routes_are_what_participants_rely_on() {
    let mut lines = Vec::new();
    for row in ROWS {
        let verbs: Vec<&str> = row.calls.iter().map(|(verb, _)| verb.as_str()).collect();
        lines.push(format!("{} {}", verbs.join(" "), row.path));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn paths_lead_to_operations() {
    let party = |identifier: &str, sub_id: Option<&str>| PartyPath {
        id_type: PartyIdType::Msisdn,
        identifier: identifier.to_owned(),
        sub_id: sub_id.map(str::to_owned),
    };
    for (method, path, expected) in [
        ("POST", "/transfers", Operation::PostTransfer),
        ("GET", "/transfers/not-a-uuid", Operation::GetTransfer("not-a-uuid".into())),
        ("PATCH", "/transfers/x", Operation::PatchTransfer("x".into())),
        ("PUT", "/transfers/x/error", Operation::PutTransferError("x".into())),
        ("GET", "/parties/MSISDN/%2B123", Operation::GetParty(party("+123", None))),
        ("PUT", "/parties/MSISDN/123/a%2Fb/error", Operation::PutPartyError(party("123", Some("a/b")))),
        ("PUT", "/parties/MSISDN/123/error", Operation::PutPartyError(party("123", None))),
        ("GET", "/parties/MSISDN/123/error", Operation::GetParty(party("123", Some("error")))),
        ("DELETE", "/participants/MSISDN/123", Operation::DeleteParticipant(party("123", None))),
        ("PUT", "/participants/b/error", Operation::PutParticipantsError("b".into())),
        ("GET", "/participants/MSISDN/error", Operation::GetParticipant(party("error", None))),
        ("GET", "/transfers/x?y=z", Operation::GetTransfer("x".into())),
        ("GET", "/services/FXP", Operation::GetFxProviders(None)),
        ("PUT", "/services/FXP", Operation::PutFxProviders(None)),
    ] {
        assert_eq!(operation(method, path), Ok(expected), "{method} {path}");
    }
}

#[test]
fn an_identifier_that_is_called_error_is_told_from_the_error_resource_by_its_encoding() {
    let party = |identifier: &str, sub_id: &str| PartyPath {
        id_type: PartyIdType::Msisdn,
        identifier: identifier.to_owned(),
        sub_id: Some(sub_id.to_owned()),
    };
    for (method, path, expected) in [
        ("PUT", "/parties/MSISDN/123/%65rror", Operation::PutParty(party("123", "error"))),
        ("PUT", "/participants/MSISDN/123/err%6Fr", Operation::PutParticipant(party("123", "error"))),
        ("PUT", "/parties/MSISDN/123/%65rror/error", Operation::PutPartyError(party("123", "error"))),
        ("PUT", "/transfers/%65rror", Operation::PutTransfer("error".into())),
        ("PUT", "/participants/%65rror/error", Operation::PutParticipantsError("error".into())),
    ] {
        assert_eq!(operation(method, path), Ok(expected.clone()), "{method} {path}");
        assert_eq!(expected.uri(), path.replace("err%6Fr", "%65rror"), "{path}");
    }
}

#[test]
fn a_route_says_whether_it_is_an_error_resource() {
    let is_error = |method: Method, path: &str| route(&method, path).unwrap().is_error();
    for path in ["/parties/MSISDN/123/error", "/transfers/x/error", "/participants/MSISDN/error"] {
        assert!(is_error(Method::PUT, path), "{path}");
    }
    for path in ["/parties/MSISDN/123/error", "/participants/MSISDN/error", "/transfers/error"] {
        assert!(!is_error(Method::GET, path), "{path}");
    }
    assert!(!is_error(Method::PUT, "/parties/MSISDN/123/%65rror"));
}

#[test]
fn an_unknown_path_is_3002_and_so_is_a_missing_id() {
    for (method, path) in [
        ("GET", "/foo"),
        ("PUT", "/transfers/"),
        ("PUT", "/quotes/"),
        ("GET", "/Transfers/x"),
        ("GET", ""),
        ("GET", "/"),
    ] {
        assert_eq!(refusal(method, path).0, 404, "{method} {path}");
    }
    assert_eq!(refusal("PUT", "/transfers/").1, "3002: Unknown URI - /transfers/");
    assert_eq!(refusal("GET", "/parties/MSISDN//x").0, 404);
}

#[test]
fn another_method_of_a_known_path_is_405_and_names_the_allowed_ones() {
    let error = route(&Method::DELETE, "/transfers/x").unwrap_err();
    assert_eq!(error.allow(), Some("GET, PUT, PATCH"));
    let error = FspiopError::from(error);
    assert_eq!(error.http_status(), 405);
    assert_eq!(error.to_string(), "3000: Generic client error - Method Not Allowed - DELETE /transfers/{ID}");
    let both = route(&Method::PATCH, "/participants/MSISDN/error").unwrap_err();
    assert_eq!(both.allow(), Some("GET, POST, PUT, DELETE"));
}

#[test]
fn path_parameters_have_a_schema() {
    assert_eq!(
        refusal("GET", "/parties/PHONE/1"),
        (400, "3100: Generic validation error - /path/Type must be equal to one of the allowed values".to_owned())
    );
    let (status, text) = refusal("PUT", "/quotes/x");
    assert_eq!(status, 400);
    assert!(text.starts_with("3100: Generic validation error - /path/id must match pattern \"^[0-9a-f]{8}"), "{text}");
    assert_eq!(operation("PUT", &format!("/quotes/{QUOTE_ID}")), Ok(Operation::PutQuote(QUOTE_ID.parse().unwrap())));
    assert_eq!(refusal("GET", "/transfers/%zz").1, "3101: Malformed syntax - the path is not percent-encoded UTF-8");
}

#[test]
fn a_corridor_is_a_pair_of_currencies_in_order() {
    let pair = ["USD", "EUR"].map(|currency| currency.parse().unwrap());
    for (method, wanted) in
        [("GET", Operation::GetFxProviders(Some(pair))), ("PUT", Operation::PutFxProviders(Some(pair)))]
    {
        assert_eq!(wanted.uri(), "/services/FXP/USD/EUR");
        assert_eq!(operation(method, &wanted.uri()), Ok(wanted));
    }
    for (path, name) in [
        ("/services/FXP/ZZZ/EUR", "SourceCurrency"),
        ("/services/FXP/usd/EUR", "SourceCurrency"),
        ("/services/FXP/USD/error", "TargetCurrency"),
        ("/services/FXP/ZZZ/ZZZ", "SourceCurrency"),
    ] {
        let text = format!("3100: Generic validation error - /path/{name} must be equal to one of the allowed values");
        assert_eq!(refusal("GET", path), (400, text), "{path}");
    }
    for path in ["/services", "/services/fxp", "/services/FXP/USD", "/services/FXP/USD/", "/services/FXP/USD/EUR/x"] {
        assert_eq!(refusal("GET", path).0, 404, "{path}");
    }
    assert_eq!(route(&Method::POST, "/services/FXP").unwrap_err().allow(), Some("GET, PUT"));
    assert_eq!(Operation::GetFxProviders(None).uri(), "/services/FXP");
}

#[test]
fn the_query_of_an_authorization_is_mandatory() {
    let query = |text: &str| operation("GET", &format!("/authorizations/x?{text}"));
    let complete = "authenticationType=OTP&retriesLeft=2&amount=102&currency=USD";
    assert!(matches!(query(complete), Ok(Operation::GetAuthorization(id, _)) if id == "x"));
    for (from, to, code) in [
        ("currency=USD", "", ErrorCode::MISSING_ELEMENT),
        ("retriesLeft=2&", "", ErrorCode::MISSING_ELEMENT),
        ("retriesLeft=2", "retriesLeft=two", ErrorCode::MALFORMED_SYNTAX),
        ("authenticationType=OTP", "authenticationType=U2F", ErrorCode::GENERIC_VALIDATION),
        ("amount=102", "amount=102.0", ErrorCode::GENERIC_VALIDATION),
        ("currency=USD", "currency=ZZZ", ErrorCode::GENERIC_VALIDATION),
    ] {
        assert_eq!(query(&complete.replace(from, to)).unwrap_err().code, code, "{from} -> {to}");
    }
}

#[test]
fn requests_are_answered_202_and_callbacks_200() {
    for (method, path, status) in [
        ("POST", "/transfers", 202),
        ("GET", "/transfers/x", 202),
        ("DELETE", "/participants/MSISDN/1", 202),
        ("PUT", "/transfers/x", 200),
        ("PATCH", "/transfers/x", 200),
        ("POST", "/participants", 200),
        ("POST", "/participants/MSISDN/1", 202),
        ("GET", "/services/FXP/USD/EUR", 202),
        ("PUT", "/services/FXP", 200),
    ] {
        assert_eq!(route(&method.parse().unwrap(), path).unwrap().success_status(), status, "{method} {path}");
    }
}

proptest! {
    #[test]
    fn the_uri_of_a_party_leads_back_to_it(identifier in ".{1,20}", sub_id in proptest::option::of(".{1,20}")) {
        let party = PartyPath { id_type: PartyIdType::Alias, identifier, sub_id };
        for (method, wanted) in [
            ("GET", Operation::GetParty(party.clone())),
            ("DELETE", Operation::DeleteParticipant(party.clone())),
            ("PUT", Operation::PutParty(party.clone())),
            ("PUT", Operation::PutPartyError(party.clone())),
        ] {
            prop_assert_eq!(operation(method, &wanted.uri()), Ok(wanted));
        }
    }

    #[test]
    fn the_uri_of_an_item_leads_back_to_it(id in ".{1,40}") {
        for (method, wanted) in [
            ("GET", Operation::GetTransfer(id.clone())),
            ("PUT", Operation::PutTransferError(id.clone())),
            ("PUT", Operation::PutTransactionRequest(id.clone())),
        ] {
            prop_assert_eq!(operation(method, &wanted.uri()), Ok(wanted));
        }
    }

    #[test]
    fn no_path_is_a_surprise(path in "/[a-zA-Z/%{}]{0,40}") {
        for method in [Method::GET, Method::PUT, Method::POST, Method::HEAD] {
            if let Ok(found) = route(&method, &path) {
                let _ = found.operation(None);
            }
        }
    }
}
