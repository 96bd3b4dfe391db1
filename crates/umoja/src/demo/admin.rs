//! Onboarding of participants over the hub's administration API, as an operator's script does it.
//!
//! Invariant: repeating it changes nothing, so that a demo with a data directory can be started again. What an answer
//! must say to count as "already done" is written next to each call.

use sdk::HttpClient;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use vocabulary::{Amount, Currency};

const TIMEOUT: Duration = Duration::from_secs(10);
/// Whole units of each currency that a participant has deposited at the hub.
const DEPOSIT: u32 = 2_000_000;
/// Whole units that a participant may owe.
const NET_DEBIT_CAP: u32 = 500_000;
/// Callbacks that a participant gets, and the rest of their URLs; an empty rest is a base URL.
const ENDPOINTS: [(&str, &str); 14] = [
    ("FSPIOP_CALLBACK_URL_PARTIES_GET", "/parties/{{partyIdType}}/{{partyIdentifier}}"),
    ("FSPIOP_CALLBACK_URL_PARTIES_PUT", "/parties/{{partyIdType}}/{{partyIdentifier}}"),
    ("FSPIOP_CALLBACK_URL_PARTIES_PUT_ERROR", "/parties/{{partyIdType}}/{{partyIdentifier}}/error"),
    ("FSPIOP_CALLBACK_URL_PARTICIPANT_PUT", "/participants/{{partyIdType}}/{{partyIdentifier}}"),
    ("FSPIOP_CALLBACK_URL_PARTICIPANT_PUT_ERROR", "/participants/{{partyIdType}}/{{partyIdentifier}}/error"),
    ("FSPIOP_CALLBACK_URL_QUOTES", ""),
    ("FSPIOP_CALLBACK_URL_TRX_REQ_SERVICE", ""),
    ("FSPIOP_CALLBACK_URL_TRANSFER_POST", "/transfers"),
    ("FSPIOP_CALLBACK_URL_TRANSFER_PUT", "/transfers/{{transferId}}"),
    ("FSPIOP_CALLBACK_URL_TRANSFER_ERROR", "/transfers/{{transferId}}/error"),
    ("FSPIOP_CALLBACK_URL_FX_QUOTES", ""),
    (CONVERSIONS, "/fxTransfers"),
    ("FSPIOP_CALLBACK_URL_FX_TRANSFER_PUT", "/fxTransfers/{{commitRequestId}}"),
    ("FSPIOP_CALLBACK_URL_FX_TRANSFER_ERROR", "/fxTransfers/{{commitRequestId}}/error"),
];

/// Where conversions are asked for.
const CONVERSIONS: &str = "FSPIOP_CALLBACK_URL_FX_TRANSFER_POST";

/// A participant as it is registered.
pub struct Member<'a> {
    pub name: &'a str,
    pub role: Role,
    /// What it has accounts in, with the id of each deposit: a hub ignores one that it knows.
    pub accounts: &'a [(Currency, String)],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Dfsp,
    /// Converts for others. A DFSP with accounts in several currencies would be named as one, too, if it had an address for
    /// conversions that are asked for.
    Provider,
    /// Stands for another scheme.
    Proxy,
}

pub struct Admin {
    http: HttpClient,
    base: String,
    /// The hub's own name as a participant.
    hub: String,
}

impl Admin {
    /// `address` is the hub's administration listener.
    pub fn new(address: SocketAddr, hub: &str) -> Self {
        Self { http: HttpClient::new(), base: format!("http://{address}"), hub: hub.to_owned() }
    }

    /// The hub's own accounts and the settlement models of its currencies.
    pub async fn prepare_scheme(&self, currencies: &[Currency]) -> Result<(), String> {
        for currency in currencies {
            for account in ["HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"] {
                let body = json!({"type": account, "currency": currency.as_str()});
                let path = format!("/participants/{}/accounts", self.hub);
                self.ensure(&path, body, "already been registered").await?;
            }
            let model = json!({
                "name": format!("DEFERREDNET{currency}"),
                "settlementGranularity": "NET",
                "settlementInterchange": "MULTILATERAL",
                "settlementDelay": "DEFERRED",
                "currency": currency.as_str(),
                "requireLiquidityCheck": true,
                "ledgerAccountType": "POSITION",
                "autoPositionReset": true,
                "settlementAccountType": "SETTLEMENT",
            });
            self.ensure("/settlementModels", model, "already exists").await?;
        }
        Ok(())
    }

    /// A participant with accounts, limits, money and callback addresses.
    pub async fn onboard(&self, member: &Member<'_>, fspiop: SocketAddr) -> Result<(), String> {
        let name = member.name;
        for (currency, deposit_id) in member.accounts {
            let is_proxy = member.role == Role::Proxy;
            let participant = json!({"name": name, "currency": currency.as_str(), "isProxy": is_proxy});
            self.ensure("/participants", participant, "already been registered").await?;
            let limit = json!({
                "currency": currency.as_str(),
                "limit": {"type": "NET_DEBIT_CAP", "value": NET_DEBIT_CAP},
                "initialPosition": 0,
            });
            let path = format!("/participants/{name}/initialPositionAndLimits");
            self.ensure(&path, limit, "already set").await?;
            self.deposit(name, *currency, deposit_id).await?;
        }
        let converts = match member.role {
            Role::Dfsp => false,
            Role::Provider | Role::Proxy => true,
        };
        for (endpoint, rest) in ENDPOINTS.into_iter().filter(|(name, _)| converts || *name != CONVERSIONS) {
            let body = json!({"type": endpoint, "value": format!("http://{fspiop}{rest}")});
            self.post(&format!("/participants/{name}/endpoints"), &body).await?;
        }
        Ok(())
    }

    /// The hub ignores a deposit whose id it knows.
    async fn deposit(&self, name: &str, currency: Currency, deposit_id: &str) -> Result<(), String> {
        let accounts = self.get(&format!("/participants/{name}/accounts")).await?;
        let is_settlement =
            |account: &&Value| account["ledgerAccountType"] == "SETTLEMENT" && account["currency"] == currency.as_str();
        let account = accounts.as_array().into_iter().flatten().find(is_settlement);
        let id = account.map(|account| &account["id"]).ok_or_else(|| format!("{name} has no settlement account"))?;
        let body = json!({
            "transferId": deposit_id,
            "externalReference": "demo",
            "action": "recordFundsIn",
            "reason": "the demo's deposit",
            "amount": {"amount": DEPOSIT, "currency": currency.as_str()},
            "extensionList": {"extension": [{"key": "demo", "value": "true"}]},
        });
        self.post(&format!("/participants/{name}/accounts/{id}"), &body).await
    }

    /// Behind which proxy a provider of currency conversion in another scheme is, and between what it converts.
    pub async fn set_route(&self, fsp: &str, proxy: &str, currencies: &[Currency]) -> Result<(), String> {
        let path = format!("/umoja/v1/routes/{fsp}");
        let codes: Vec<&str> = currencies.iter().map(Currency::as_str).collect();
        let (url, body) = (format!("{}{path}", self.base), json!({"proxy": proxy, "currencies": codes}).to_string());
        check(&path, self.http.put_json(&url, body.into(), TIMEOUT).await).map(drop)
    }

    /// What a participant owes by the hub's ledger: its POSITION account.
    pub async fn position(&self, name: &str, currency: Currency) -> Result<Amount, String> {
        let position = self.get(&format!("/participants/{name}/positions?currency={currency}")).await?;
        let text = position["value"].to_string();
        Amount::parse(&text).map_err(|error| format!("the hub gives {text} as the position of {name}: {error}"))
    }

    async fn ensure(&self, path: &str, body: Value, done_already: &str) -> Result<(), String> {
        match self.post(path, &body).await {
            Err(sentence) if !sentence.contains(done_already) => Err(sentence),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Result<(), String> {
        let url = format!("{}{path}", self.base);
        let answer = self.http.post_json(&url, body.to_string().into(), TIMEOUT).await;
        check(path, answer).map(drop)
    }

    async fn get(&self, path: &str) -> Result<Value, String> {
        let answer = self.http.get(&format!("{}{path}", self.base), TIMEOUT).await;
        let body = check(path, answer)?;
        serde_json::from_slice(&body).map_err(|error| format!("the hub's answer to GET {path} is no JSON: {error}"))
    }
}

/// The body of a success, or a sentence with the hub's error.
fn check(path: &str, answer: Result<sdk::HttpAnswer, sdk::HttpError>) -> Result<Vec<u8>, String> {
    let answer = answer.map_err(|error| format!("the hub's administration does not answer at {path}: {error}"))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer.into_body().to_vec());
    }
    let error = sdk::FspiopError::from_json(answer.body()).map_or_else(String::new, |error| error.to_string());
    Err(format!("the hub refuses {path}: {status} {error}"))
}
