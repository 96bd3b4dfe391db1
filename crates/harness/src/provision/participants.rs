//! One DFSP after the other, and their customers.

use super::{Client, Plan, ProvisionError};
use crate::{
    clock,
    scheme::{CURRENCY, Party, Scheme, dfsp_text},
};
use bytes::Bytes;
use fspiop::{Resource, Version, accept, content_type, endpoint::EndpointType};
use http::Request;
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};
use vocabulary::Amount;

/// Funds are recorded after the call has been answered.
const FUNDS_TIMEOUT: Duration = Duration::from_secs(10);
const FUNDS_POLL: Duration = Duration::from_millis(10);
const REGISTRARS: u32 = 32;

const ENDPOINTS: [(EndpointType, &str); 9] = [
    (EndpointType::PartiesGet, "/parties/{{partyIdType}}/{{partyIdentifier}}"),
    (EndpointType::PartiesPut, "/parties/{{partyIdType}}/{{partyIdentifier}}"),
    (EndpointType::PartiesPutError, "/parties/{{partyIdType}}/{{partyIdentifier}}/error"),
    (EndpointType::ParticipantPut, "/participants/{{partyIdType}}/{{partyIdentifier}}"),
    (EndpointType::ParticipantPutError, "/participants/{{partyIdType}}/{{partyIdentifier}}/error"),
    (EndpointType::Quotes, ""),
    (EndpointType::TransferPost, "/transfers"),
    (EndpointType::TransferPut, "/transfers/{{transferId}}"),
    (EndpointType::TransferError, "/transfers/{{transferId}}/error"),
];

/// Name of the proxy between two hubs.
pub const PROXY: &str = "neighbour";

/// Creates a DFSP with accounts, limit, endpoints and funds.
pub(super) async fn provision(client: &Client, plan: &Plan, name: &str) -> Result<(), ProvisionError> {
    let scheme = if plan.is_secured { "https" } else { "http" };
    let base = format!("{scheme}://{}/{name}", plan.callbacks);
    create(client, plan, &json!({"name": name, "currency": CURRENCY}), (name, &base)).await
}

/// Creates the proxy to another hub; its funds are what its DFSPs pay with here.
pub(super) async fn provision_proxy(client: &Client, plan: &Plan, listener: SocketAddr) -> Result<(), ProvisionError> {
    let proxy = json!({"name": PROXY, "currency": CURRENCY, "isProxy": true});
    create(client, plan, &proxy, (PROXY, &format!("http://{listener}"))).await
}

async fn create(client: &Client, plan: &Plan, body: &Value, (name, base): (&str, &str)) -> Result<(), ProvisionError> {
    let participants = format!("http://{}/participants", plan.hub.administration);
    let created = client.post(&participants, body).await?;
    created.expect_unless("already been registered", &[201])?;
    let participant = format!("{participants}/{name}");
    let limit = json!({
        "currency": CURRENCY,
        "limit": {"type": "NET_DEBIT_CAP", "value": plan.funds},
        "initialPosition": 0,
    });
    let opened = client.post(&format!("{participant}/initialPositionAndLimits"), &limit).await?;
    opened.expect_unless("already set", &[201])?;
    for (endpoint, path) in ENDPOINTS {
        let value = format!("{base}{path}");
        let registered = client
            .post(&format!("{participant}/endpoints"), &json!({"type": endpoint.as_str(), "value": value}))
            .await?;
        registered.expect(&[201])?;
    }
    fund(client, plan, &participant).await
}

/// Registers all customers. Each answer follows as a message to the DFSP, which the caller counts.
pub async fn register_parties(client: &Client, fspiop: SocketAddr, scheme: Scheme) -> Result<(), ProvisionError> {
    register_parties_of(client, fspiop, (scheme, 0..scheme.dfsps)).await
}

/// As [`register_parties`], for some of the DFSPs.
pub async fn register_parties_of(
    client: &Client,
    fspiop: SocketAddr,
    (scheme, dfsps): (Scheme, impl Iterator<Item = u8>),
) -> Result<(), ProvisionError> {
    let dfsps: Vec<u8> = dfsps.collect();
    let mut registrars = JoinSet::new();
    for first in 0..REGISTRARS {
        let (client, dfsps) = (client.clone(), dfsps.clone());
        registrars.spawn(async move {
            for number in (first..scheme.parties).step_by(REGISTRARS as usize) {
                for dfsp in dfsps.iter().copied() {
                    register(&client, fspiop, Party { dfsp, number }).await?;
                }
            }
            Ok(())
        });
    }
    while let Some(registrar) = registrars.join_next().await {
        registrar.map_err(ProvisionError::new)??;
    }
    Ok(())
}

/// The position of each DFSP. Positive: it owes.
pub async fn positions(
    client: &Client,
    administration: SocketAddr,
    scheme: Scheme,
) -> Result<Vec<Amount>, ProvisionError> {
    let mut positions = Vec::new();
    for dfsp in 0..scheme.dfsps {
        positions.push(position(client, administration, &dfsp_text(dfsp)).await?);
    }
    Ok(positions)
}

/// The position of one participant.
pub async fn position(client: &Client, administration: SocketAddr, name: &str) -> Result<Amount, ProvisionError> {
    let url = format!("http://{administration}/participants/{name}/positions?currency={CURRENCY}");
    let position = amount_of(&client.get(&url).await?.json()?);
    position.ok_or_else(|| ProvisionError::new(format_args!("GET {url} names no value")))
}

/// The account of each DFSP's position.
pub async fn position_accounts(
    client: &Client,
    administration: SocketAddr,
    scheme: Scheme,
) -> Result<Vec<u64>, ProvisionError> {
    let mut ids = Vec::new();
    for dfsp in 0..scheme.dfsps {
        let participant = format!("http://{administration}/participants/{}", dfsp_text(dfsp));
        ids.push(account(client, &participant, "POSITION").await?.0);
    }
    Ok(ids)
}

async fn fund(client: &Client, plan: &Plan, participant: &str) -> Result<(), ProvisionError> {
    let (account_id, before) = account(client, participant, "SETTLEMENT").await?;
    let funds = json!({
        "transferId": uuid::Uuid::new_v4().to_string(),
        "externalReference": "harness",
        "action": "recordFundsIn",
        "reason": "funds for the run",
        "amount": {"amount": plan.funds, "currency": CURRENCY},
    });
    client.post(&format!("{participant}/accounts/{account_id}"), &funds).await?.expect(&[202])?;
    let deadline = Instant::now() + FUNDS_TIMEOUT;
    while account(client, participant, "SETTLEMENT").await?.1 == before {
        if Instant::now() > deadline {
            let seconds = FUNDS_TIMEOUT.as_secs();
            return Err(ProvisionError::new(format_args!(
                "{participant}: no funds within {seconds} s of recordFundsIn"
            )));
        }
        sleep(FUNDS_POLL).await;
    }
    Ok(())
}

/// Number and balance of a DFSP's account of a type.
async fn account(client: &Client, participant: &str, kind: &str) -> Result<(u64, Amount), ProvisionError> {
    let url = format!("{participant}/accounts");
    let accounts = client.get(&url).await?.json()?;
    let is_wanted = |account: &&Value| account["ledgerAccountType"] == kind && account["currency"] == CURRENCY;
    let account = accounts.as_array().and_then(|accounts| accounts.iter().find(is_wanted));
    account
        .and_then(|account| Some((account["id"].as_u64()?, amount_of(account)?)))
        .ok_or_else(|| ProvisionError::new(format_args!("GET {url} names no {kind} account in {CURRENCY}")))
}

/// The digits of `value` as they were written: no number is read as a float.
fn amount_of(account: &Value) -> Option<Amount> {
    Amount::parse(&account.get("value")?.as_number()?.to_string()).ok()
}

async fn register(client: &Client, fspiop: SocketAddr, party: Party) -> Result<(), ProvisionError> {
    let (name, msisdn) = (dfsp_text(party.dfsp), party.msisdn());
    let url = format!("http://{fspiop}/participants/MSISDN/{}", String::from_utf8_lossy(&msisdn));
    let request = Request::post(url)
        .header("content-type", content_type(Resource::Participants, Version::V1_1))
        .header("accept", accept(Resource::Participants, Version::V1_1))
        .header("date", clock::now().http().to_string())
        .header("fspiop-source", &name);
    let body = Bytes::from(json!({"fspId": name, "currency": CURRENCY}).to_string());
    client.send(request, body).await?.expect(&[202])
}
