//! The calls of the outbound API and the form of their bodies.
//!
//! Invariant: of a [`Call`], the path belongs to the API and the body has its mandatory members, each of the right form.

use crate::json::text;
use crate::parties;
use fspiop::PartyPath;
use http::Method;
use serde_json::{Value, json};
use vocabulary::{Currency, PartyIdType};

pub(super) enum Call {
    PostTransfer(Value),
    PutTransfer(String, Value),
    GetTransfer(String),
    GetParty(PartyPath),
    PostQuote(Value),
    PostSimpleTransfer(Value),
    PostAccounts(Value),
    DeleteAccount(PartyPath),
    PostRequestToPay(Value),
    PutRequestToPay(String, Value),
    PostRequestToPayTransfer(Value),
    PutRequestToPayTransfer(String, Value),
}

/// What a member must be.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Party,
    Currency,
    Amount,
    OneOf(&'static [&'static str]),
    Object,
}

type Members = &'static [(&'static str, Form)];

const AMOUNT_TYPE: Form = Form::OneOf(&["SEND", "RECEIVE"]);
const SCENARIOS: Form = Form::OneOf(&["DEPOSIT", "WITHDRAWAL", "TRANSFER", "PAYMENT", "REFUND"]);
const INITIATORS: Form = Form::OneOf(&["PAYER", "PAYEE"]);
const INITIATOR_TYPES: Form = Form::OneOf(&["CONSUMER", "AGENT", "BUSINESS", "DEVICE"]);

const TRANSFER: Members = &[
    ("homeTransactionId", Form::Text),
    ("from", Form::Party),
    ("to", Form::Party),
    ("amountType", AMOUNT_TYPE),
    ("currency", Form::Currency),
    ("amount", Form::Amount),
    ("transactionType", Form::OneOf(&["TRANSFER"])),
];
const QUOTE: Members = &[("fspId", Form::Text), ("quotesPostRequest", Form::Object)];
const SIMPLE_TRANSFER: Members = &[("fspId", Form::Text), ("transfersPostRequest", Form::Object)];
const REQUEST_TO_PAY: Members = &[
    ("homeR2PTransactionId", Form::Text),
    ("from", Form::Party),
    ("to", Form::Party),
    ("amountType", AMOUNT_TYPE),
    ("currency", Form::Currency),
    ("amount", Form::Amount),
    ("transactionType", SCENARIOS),
];
const REQUEST_TO_PAY_TRANSFER: Members = &[
    ("homeR2PTransactionId", Form::Text),
    ("transactionRequestId", Form::Text),
    ("from", Form::Party),
    ("to", Form::Party),
    ("amountType", AMOUNT_TYPE),
    ("currency", Form::Currency),
    ("amount", Form::Amount),
    ("scenario", SCENARIOS),
    ("initiator", INITIATORS),
    ("initiatorType", INITIATOR_TYPES),
];

impl Call {
    /// `None` for a path of the API that nothing answers. Errors: a sentence, for a 400.
    pub fn parse(method: &Method, path: &str, body: &[u8]) -> Result<Option<Self>, String> {
        let segments: Vec<String> = path
            .trim_start_matches('/')
            .split('/')
            .map(decoded)
            .collect::<Option<_>>()
            .ok_or("The path is not percent-encoded UTF-8.")?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let object = |members| read(body, members);
        let call = match (method.as_str(), segments.as_slice()) {
            ("POST", ["transfers"]) => Self::PostTransfer(transfer(body)?),
            ("PUT", ["transfers", id]) => Self::PutTransfer((*id).to_owned(), continuation(body)?),
            ("GET", ["transfers", id]) => Self::GetTransfer((*id).to_owned()),
            ("GET", ["parties", party @ ..]) => Self::GetParty(party_path(party)?),
            ("POST", ["quotes"]) => Self::PostQuote(object(QUOTE)?),
            ("POST", ["simpleTransfers"]) => Self::PostSimpleTransfer(object(SIMPLE_TRANSFER)?),
            ("POST", ["accounts"]) => Self::PostAccounts(accounts(body)?),
            ("DELETE", ["accounts", party @ ..]) => Self::DeleteAccount(party_path(party)?),
            ("POST", ["requestToPay"]) => Self::PostRequestToPay(object(REQUEST_TO_PAY)?),
            ("PUT", ["requestToPay", id]) => Self::PutRequestToPay((*id).to_owned(), object(&[])?),
            ("POST", ["requestToPayTransfer"]) => Self::PostRequestToPayTransfer(object(REQUEST_TO_PAY_TRANSFER)?),
            ("PUT", ["requestToPayTransfer", id]) => Self::PutRequestToPayTransfer((*id).to_owned(), object(&[])?),
            ("GET", ["services", "FXP"] | ["services", "FXP", _, _]) | ("POST", ["fxQuotes" | "fxTransfers"]) => {
                return Ok(None);
            }
            (method, _) => return Err(format!("The API has no {method} {}.", pattern(&segments))),
        };
        Ok(Some(call))
    }
}

impl Call {
    /// For metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PostTransfer(_) => "POST /transfers",
            Self::PutTransfer(..) => "PUT /transfers",
            Self::GetTransfer(_) => "GET /transfers",
            Self::GetParty(_) => "GET /parties",
            Self::PostQuote(_) => "POST /quotes",
            Self::PostSimpleTransfer(_) => "POST /simpleTransfers",
            Self::PostAccounts(_) => "POST /accounts",
            Self::DeleteAccount(_) => "DELETE /accounts",
            Self::PostRequestToPay(_) => "POST /requestToPay",
            Self::PutRequestToPay(..) => "PUT /requestToPay",
            Self::PostRequestToPayTransfer(_) => "POST /requestToPayTransfer",
            Self::PutRequestToPayTransfer(..) => "PUT /requestToPayTransfer",
        }
    }
}

/// The path without what may name a person.
fn pattern(segments: &[&str]) -> String {
    let rest = if segments.len() > 1 { "/…" } else { "" };
    format!("/{}{rest}", segments.first().unwrap_or(&""))
}

fn decoded(segment: &str) -> Option<String> {
    fspiop::percent_decode(segment)
}

fn party_path(segments: &[&str]) -> Result<PartyPath, String> {
    let party = match segments {
        [id_type, identifier] => json!({"idType": id_type, "idValue": identifier}),
        [id_type, identifier, sub_id] => json!({"idType": id_type, "idValue": identifier, "idSubValue": sub_id}),
        _ => return Err("The path must be {Type}/{ID} or {Type}/{ID}/{SubId}.".into()),
    };
    parties::path(&party).ok_or_else(|| "The type in the path must be one of the scheme's types of identifiers.".into())
}

fn transfer(body: &[u8]) -> Result<Value, String> {
    let body = read(body, TRANSFER)?;
    for name in ["prepareExpirySeconds", "fxPrepareExpirySeconds", "quoteExpirySeconds", "fxQuoteExpirySeconds"] {
        if body.get(name).is_some_and(|value| value.as_u64().is_none_or(|seconds| seconds == 0)) {
            return Err(format!("/requestBody/{name} must be an integer of at least 1"));
        }
    }
    if body.get("note").is_some_and(|note| !note.as_str().is_some_and(|note| (1..=128).contains(&note.chars().count())))
    {
        return Err("/requestBody/note must have 1 to 128 characters".into());
    }
    if body.get("transferId").is_some_and(|id| !id.as_str().is_some_and(is_id)) {
        return Err("/requestBody/transferId must be a UUID in lower case or a ULID".into());
    }
    for name in ["quoteRequestExtensions", "transferRequestExtensions"] {
        let is_list = |list: &Value| list.as_array().is_some_and(|list| list.len() <= 16);
        if body.get(name).is_some_and(|list| !is_list(list)) {
            return Err(format!("/requestBody/{name} must be an array of at most 16 entries"));
        }
    }
    if body.get("skipPartyLookup").is_some_and(|skip| !skip.is_boolean()) {
        return Err("/requestBody/skipPartyLookup must be boolean".into());
    }
    Ok(body)
}

/// One word of acceptance at least, and a payee or amount only in their form.
fn continuation(body: &[u8]) -> Result<Value, String> {
    const WORDS: [&str; 4] = ["acceptParty", "acceptQuote", "acceptConversion", "acceptQuoteOrConversion"];
    let body = read(body, &[])?;
    if let Some(name) = WORDS.iter().find(|name| body.get(**name).is_some_and(|word| !word.is_boolean())) {
        return Err(format!("/requestBody/{name} must be boolean"));
    }
    if !WORDS.iter().any(|name| body.get(*name).is_some()) {
        return Err(format!("/requestBody must have one of {}", WORDS.join(", ")));
    }
    if let Some(party) = body.get("to") {
        check_party(party, "/requestBody/to")?;
    }
    if let Some(amount) = body.get("amount") {
        check(amount, Form::Amount, "/requestBody/amount")?;
    }
    Ok(body)
}

fn is_id(text: &str) -> bool {
    text.parse::<vocabulary::CorrelationId>().is_ok()
}

fn accounts(body: &[u8]) -> Result<Value, String> {
    let body: Value = serde_json::from_slice(body).map_err(|_| "/requestBody must be JSON")?;
    let list = body.as_array().ok_or("/requestBody must be array")?;
    for (index, account) in list.iter().enumerate() {
        check_party(account, &format!("/requestBody/{index}"))?;
        if let Some(currency) = account.get("currency") {
            check(currency, Form::Currency, &format!("/requestBody/{index}/currency"))?;
        }
    }
    Ok(body)
}

fn read(body: &[u8], members: Members) -> Result<Value, String> {
    let body: Value = serde_json::from_slice(body).map_err(|_| "/requestBody must be JSON")?;
    if !body.is_object() {
        return Err("/requestBody must be object".into());
    }
    for (name, form) in members {
        let member = body.get(name).ok_or_else(|| format!("/requestBody must have required property '{name}'"))?;
        check(member, *form, &format!("/requestBody/{name}"))?;
    }
    Ok(body)
}

fn check(value: &Value, form: Form, place: &str) -> Result<(), String> {
    let text = value.as_str();
    match form {
        Form::Text if text.is_some() => Ok(()),
        Form::Text => Err(format!("{place} must be string")),
        Form::Object if value.is_object() => Ok(()),
        Form::Object => Err(format!("{place} must be object")),
        Form::Currency if text.is_some_and(|text| text.parse::<Currency>().is_ok()) => Ok(()),
        Form::Currency => Err(format!("{place} must be a currency code of three capital letters")),
        Form::Amount if text.is_some_and(fspiop::body::is_amount) => Ok(()),
        Form::Amount => Err(format!("{place} must be an amount such as \"10.5\", without trailing zeros")),
        Form::OneOf(allowed) if text.is_some_and(|text| allowed.contains(&text)) => Ok(()),
        Form::OneOf(allowed) => Err(format!("{place} must be one of {}", allowed.join(", "))),
        Form::Party => check_party(value, place),
    }
}

fn check_party(party: &Value, place: &str) -> Result<(), String> {
    if !party.is_object() {
        return Err(format!("{place} must be object"));
    }
    for name in ["idType", "idValue"] {
        let member = party.get(name).ok_or_else(|| format!("{place} must have required property '{name}'"))?;
        check(member, Form::Text, &format!("{place}/{name}"))?;
    }
    if text(party, &["idType"]).is_none_or(|text| text.parse::<PartyIdType>().is_err()) {
        return Err(format!("{place}/idType must be one of the scheme's types of identifiers"));
    }
    if text(party, &["idValue"]).is_none_or(str::is_empty) {
        return Err(format!("{place}/idValue must NOT have fewer than 1 characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer_with(name: &str, value: Value) -> String {
        let mut body = json!({"homeTransactionId": "h", "from": {"idType": "MSISDN", "idValue": "1"},
            "to": {"idType": "MSISDN", "idValue": "2"}, "amountType": "SEND", "currency": "KES", "amount": "10",
            "transactionType": "TRANSFER"});
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(name)),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                body[name] = value;
            }
        }
        let parsed = Call::parse(&Method::POST, "/transfers", body.to_string().as_bytes());
        parsed.err().unwrap_or_default()
    }

    #[test]
    fn each_member_of_a_transfer_is_looked_at() {
        assert_eq!(transfer_with("note", "hi".into()), "");
        for (name, value, fault) in [
            ("from", Value::Null, "/requestBody must have required property 'from'"),
            ("homeTransactionId", 1.into(), "/requestBody/homeTransactionId must be string"),
            ("to", json!({"idType": "MSISDN"}), "/requestBody/to must have required property 'idValue'"),
            ("to", json!({"idType": "X", "idValue": "1"}), "/requestBody/to/idType must be one of the scheme's types"),
            ("amountType", "BOTH".into(), "/requestBody/amountType must be one of SEND, RECEIVE"),
            ("currency", "kes".into(), "/requestBody/currency must be a currency code"),
            ("amount", "10.50".into(), "/requestBody/amount must be an amount"),
            ("transactionType", "DEPOSIT".into(), "/requestBody/transactionType must be one of TRANSFER"),
            ("note", "".into(), "/requestBody/note must have 1 to 128 characters"),
            ("transferId", "x".into(), "/requestBody/transferId must be a UUID"),
            ("quoteExpirySeconds", 0.into(), "/requestBody/quoteExpirySeconds must be an integer"),
            ("skipPartyLookup", "yes".into(), "/requestBody/skipPartyLookup must be boolean"),
            ("quoteRequestExtensions", json!({}), "/requestBody/quoteRequestExtensions must be an array"),
        ] {
            let found = transfer_with(name, value);
            assert!(found.starts_with(fault), "{name}: {found}");
        }
    }

    #[test]
    fn a_path_or_method_that_the_api_does_not_have_is_a_fault() {
        for (method, path) in
            [(Method::PATCH, "/transfers/1"), (Method::GET, "/nothing"), (Method::GET, "/parties/MSISDN")]
        {
            assert!(Call::parse(&method, path, b"").is_err(), "{method} {path}");
        }
        for (method, path) in [(Method::POST, "/fxQuotes"), (Method::GET, "/services/FXP/KES/TZS")] {
            assert!(matches!(Call::parse(&method, path, b"{}"), Ok(None)), "{method} {path}");
        }
    }
}
