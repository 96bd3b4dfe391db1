//! What there is to do: the difference between what the operator wants and what the hub has.

use super::OnboardArguments;
use crate::admin::hub::Hub;
use serde_json::{Value, json};
use tls::files;
use vocabulary::{Amount, Currency};

/// Types of endpoints, and the rest of their URLs; an empty rest is a base URL.
const ENDPOINTS: [(&str, &str); 21] = [
    ("FSPIOP_CALLBACK_URL_PARTIES_GET", "/parties/{{partyIdType}}/{{partyIdentifier}}"),
    ("FSPIOP_CALLBACK_URL_PARTIES_PUT", "/parties/{{partyIdType}}/{{partyIdentifier}}"),
    ("FSPIOP_CALLBACK_URL_PARTIES_PUT_ERROR", "/parties/{{partyIdType}}/{{partyIdentifier}}/error"),
    ("FSPIOP_CALLBACK_URL_PARTIES_SUB_ID_GET", "/parties/{{partyIdType}}/{{partyIdentifier}}/{{partySubIdOrType}}"),
    ("FSPIOP_CALLBACK_URL_PARTIES_SUB_ID_PUT", "/parties/{{partyIdType}}/{{partyIdentifier}}/{{partySubIdOrType}}"),
    (
        "FSPIOP_CALLBACK_URL_PARTIES_SUB_ID_PUT_ERROR",
        "/parties/{{partyIdType}}/{{partyIdentifier}}/{{partySubIdOrType}}/error",
    ),
    ("FSPIOP_CALLBACK_URL_PARTICIPANT_PUT", "/participants/{{partyIdType}}/{{partyIdentifier}}"),
    ("FSPIOP_CALLBACK_URL_PARTICIPANT_PUT_ERROR", "/participants/{{partyIdType}}/{{partyIdentifier}}/error"),
    (
        "FSPIOP_CALLBACK_URL_PARTICIPANT_SUB_ID_PUT",
        "/participants/{{partyIdType}}/{{partyIdentifier}}/{{partySubIdOrType}}",
    ),
    (
        "FSPIOP_CALLBACK_URL_PARTICIPANT_SUB_ID_PUT_ERROR",
        "/participants/{{partyIdType}}/{{partyIdentifier}}/{{partySubIdOrType}}/error",
    ),
    ("FSPIOP_CALLBACK_URL_PARTICIPANT_BATCH_PUT", "/participants/{{requestId}}"),
    ("FSPIOP_CALLBACK_URL_PARTICIPANT_BATCH_PUT_ERROR", "/participants/{{requestId}}/error"),
    ("FSPIOP_CALLBACK_URL_QUOTES", ""),
    ("FSPIOP_CALLBACK_URL_TRANSFER_POST", "/transfers"),
    ("FSPIOP_CALLBACK_URL_TRANSFER_PUT", "/transfers/{{transferId}}"),
    ("FSPIOP_CALLBACK_URL_TRANSFER_ERROR", "/transfers/{{transferId}}/error"),
    ("FSPIOP_CALLBACK_URL_FX_QUOTES", ""),
    ("FSPIOP_CALLBACK_URL_FX_TRANSFER_PUT", "/fxTransfers/{{commitRequestId}}"),
    ("FSPIOP_CALLBACK_URL_FX_TRANSFER_ERROR", "/fxTransfers/{{commitRequestId}}/error"),
    ("FSPIOP_CALLBACK_URL_TRX_REQ_SERVICE", ""),
    ("FSPIOP_CALLBACK_URL_AUTHORIZATIONS", ""),
];
/// Where conversions are asked for: who has it counts as one who converts.
const CONVERSIONS: (&str, &str) = ("FSPIOP_CALLBACK_URL_FX_TRANSFER_POST", "/fxTransfers");

/// One thing that is to be so.
pub struct Step {
    /// For people.
    pub what: String,
    pub action: Action,
}

pub enum Action {
    /// It is so.
    Nothing,
    Post {
        path: String,
        body: Value,
    },
    /// Takes the place of something else.
    Put {
        path: String,
        body: Value,
    },
    /// As [`Action::Put`], where a POST replaces.
    PostOver {
        path: String,
        body: Value,
    },
    Deposit {
        participant: String,
        currency: Currency,
        amount: Amount,
        id: String,
    },
}

/// Plans every step. The error is a sentence for each conflict.
pub async fn make(hub: &Hub, arguments: &OnboardArguments) -> Result<Vec<Step>, String> {
    let name = arguments.name.as_str();
    let mut plan = Plan { base: format!("/participants/{}", fspiop::percent_encode(name)), ..Plan::default() };
    let participants = hub.get("/participants").await?;
    let known = participants.as_array().into_iter().flatten().find(|known| known["name"] == name);
    let is_known = known.is_some();
    if let Some(known) = known {
        plan.compare_participant(known, arguments);
    }
    let (limits, endpoints) = if is_known {
        (hub.get(&format!("{}/limits", plan.base)).await?, hub.get(&format!("{}/endpoints", plan.base)).await?)
    } else {
        (Value::Null, Value::Null)
    };
    for (place, currency) in arguments.currency.iter().enumerate() {
        plan.participant(known, (name, *currency), arguments.proxy);
        plan.limit(&limits, *currency, arguments.limit[place]);
        if let Some(amount) = arguments.initial_liquidity.get(place) {
            plan.deposit(hub, (name, *currency), *amount).await?;
        }
    }
    let converts = arguments.fx_provider || arguments.proxy;
    for (endpoint, rest) in ENDPOINTS.into_iter().chain(converts.then_some(CONVERSIONS)) {
        plan.endpoint(&endpoints, endpoint, format!("{}{rest}", arguments.callback()));
    }
    if let Some(file) = &arguments.verification_key {
        plan.verification_key(hub, name, &files::read(file)?).await?;
    }
    plan.checked(arguments.update)
}

#[derive(Default)]
struct Plan {
    /// The path of the participant.
    base: String,
    steps: Vec<Step>,
    /// What differs, and would be overwritten.
    conflicts: Vec<String>,
    /// What differs and is never overwritten.
    refusals: Vec<String>,
}

impl Plan {
    fn checked(self, update: bool) -> Result<Vec<Step>, String> {
        if !self.refusals.is_empty() {
            return Err(format!("Nothing was changed. {}", self.refusals.join(" ")));
        }
        if !self.conflicts.is_empty() && !update {
            return Err(format!("Nothing was changed. {} To overwrite, give --update.", self.conflicts.join(" ")));
        }
        Ok(self.steps)
    }

    fn compare_participant(&mut self, known: &Value, arguments: &OnboardArguments) {
        let name = &arguments.name;
        if known["isActive"] != 1 {
            self.refusals.push(format!("{name} is a participant that was deactivated; activate it first."));
        }
        if (known["isProxy"] == 1) != arguments.proxy {
            let is = if arguments.proxy { "a participant that is no proxy" } else { "a proxy" };
            self.refusals.push(format!("{name} is {is}, which cannot be changed."));
        }
    }

    fn participant(&mut self, known: Option<&Value>, (name, currency): (&str, Currency), is_proxy: bool) {
        let accounts = known.and_then(|known| known["accounts"].as_array());
        let has_accounts = accounts.into_iter().flatten().any(|account| account["currency"] == currency.as_str());
        let body = json!({"name": name, "currency": currency.as_str(), "isProxy": is_proxy});
        let action =
            if has_accounts { Action::Nothing } else { Action::Post { path: "/participants".to_owned(), body } };
        self.steps.push(Step { what: format!("accounts in {currency}"), action });
    }

    fn limit(&mut self, limits: &Value, currency: Currency, limit: Amount) {
        let known = limits.as_array().into_iter().flatten().find(|known| known["currency"] == currency.as_str());
        let what = format!("net debit cap {limit} {currency}");
        let Some(known) = known else {
            let value = number(limit);
            let body = json!({
                "currency": currency.as_str(),
                "limit": {"type": "NET_DEBIT_CAP", "value": value},
                "initialPosition": 0,
            });
            let path = format!("{}/initialPositionAndLimits", self.base);
            return self.steps.push(Step { what, action: Action::Post { path, body } });
        };
        let present = known["limit"]["value"].to_string();
        if Amount::parse(&present).ok() == Some(limit) {
            return self.steps.push(Step { what, action: Action::Nothing });
        }
        self.conflicts.push(format!("The net debit cap in {currency} is {present}, not {limit}."));
        let alarm = known["limit"]["alarmPercentage"].clone();
        let body = json!({
            "currency": currency.as_str(),
            "limit": {"type": "NET_DEBIT_CAP", "value": number(limit), "alarmPercentage": alarm},
        });
        self.steps.push(Step { what, action: Action::Put { path: format!("{}/limits", self.base), body } });
    }

    /// The id follows from participant and currency, so that the hub knows the deposit of an earlier run.
    async fn deposit(&mut self, hub: &Hub, (name, currency): (&str, Currency), amount: Amount) -> Result<(), String> {
        let id = deposit_id(name, currency);
        let what = format!("initial liquidity {amount} {currency}");
        let known = hub.find_text(&format!("/umoja/v1/trace/{id}")).await?;
        let Some(known) = known else {
            let action = Action::Deposit { participant: self.base.clone(), currency, amount, id };
            self.steps.push(Step { what, action });
            return Ok(());
        };
        let known: Value =
            serde_json::from_str(&known).map_err(|error| format!("The trace of {id} is no JSON: {error}."))?;
        let present = known["transfer"]["amount"].to_string();
        if Amount::parse(&present).ok() != Some(amount) {
            self.refusals.push(format!(
                "The initial liquidity in {currency} was recorded as {present}, not {amount}; record what came since as \
                 funds of its own."
            ));
        }
        self.steps.push(Step { what, action: Action::Nothing });
        Ok(())
    }

    fn endpoint(&mut self, endpoints: &Value, endpoint: &str, value: String) {
        let known = endpoints.as_array().into_iter().flatten().find(|known| known["type"] == endpoint);
        let present = known.and_then(|known| known["value"].as_str());
        let path = format!("{}/endpoints", self.base);
        let body = json!({"type": endpoint, "value": value});
        let action = match present {
            None => Action::Post { path, body },
            Some(present) if present == value => Action::Nothing,
            Some(present) => {
                self.conflicts.push(format!("{endpoint} is {present}, not {value}."));
                Action::PostOver { path, body }
            }
        };
        self.steps.push(Step { what: endpoint.to_owned(), action });
    }

    async fn verification_key(&mut self, hub: &Hub, name: &str, key: &str) -> Result<(), String> {
        let path = format!("/umoja/v1{}/verification-key", self.base);
        let present = hub.find_text(&path).await?;
        let body = json!({"key": key});
        let action = match present {
            None => Action::Put { path, body },
            Some(present) if present.trim() == key.trim() => Action::Nothing,
            Some(_) => {
                self.conflicts.push(format!("The hub verifies {name} with another key."));
                Action::Put { path, body }
            }
        };
        self.steps.push(Step { what: "verification key".to_owned(), action });
        Ok(())
    }
}

/// A UUID.
fn deposit_id(name: &str, currency: Currency) -> String {
    let hash = tls::x509::fingerprint(format!("initial liquidity of {name} in {currency}").as_bytes());
    format!("{}-{}-4{}-a{}-{}", &hash[..8], &hash[8..12], &hash[12..15], &hash[15..18], &hash[18..30])
}

fn number(amount: Amount) -> serde_json::Number {
    amount.to_string().parse().expect("an amount prints as a JSON number")
}
