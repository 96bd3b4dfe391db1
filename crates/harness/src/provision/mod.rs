//! Makes a scheme on a hub that may be fresh: accounts, a settlement model, DFSPs, limits, endpoints, funds, parties.
//!
//! Invariant: the same calls that an operator's tools make, in their order (contract admin-settlement.md §9), and each
//! answer is looked at. What is there already is left as it is.

mod client;
mod participants;

pub use client::{Client, Reply};
pub use participants::{PROXY, position, position_accounts, positions, register_parties, register_parties_of};

use crate::{
    process::Addresses,
    scheme::{CURRENCY, Scheme, dfsp_text},
};
use serde_json::json;
use std::{fmt, net::SocketAddr};

/// The name of a hub that was not given another one.
const HUB: &str = "Hub";
const HUB_ACCOUNTS: [&str; 2] = ["HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"];

/// What stopped the provisioning: the call and its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProvisionError(String);

/// Where the DFSPs listen, and what they may owe.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub scheme: Scheme,
    pub hub: Addresses,
    /// All DFSPs share one listener; their names are the first segment of their paths.
    pub callbacks: SocketAddr,
    /// Whether that listener speaks TLS.
    pub is_secured: bool,
    /// Funds of each DFSP, and its net debit cap, in units of the currency.
    pub funds: u64,
}

/// Everything but the parties, see [`register_parties`].
pub async fn provision(client: &Client, plan: &Plan) -> Result<(), ProvisionError> {
    hub_accounts(client, plan, HUB).await?;
    settlement_model(client, plan).await?;
    for dfsp in 0..plan.scheme.dfsps {
        participants::provision(client, plan, &dfsp_text(dfsp)).await?;
    }
    Ok(())
}

/// One hub of several, and where it finds the proxy to another one.
#[derive(Clone, Copy, Debug)]
pub struct Neighbour<'a> {
    /// Which DFSPs are its own, see [`Scheme::dfsps_of`].
    pub hub: usize,
    pub name: &'a str,
    pub proxy: SocketAddr,
}

/// As [`provision`], for one hub of several: its own DFSPs, and the proxy.
pub async fn provision_neighbour(client: &Client, plan: &Plan, own: Neighbour<'_>) -> Result<(), ProvisionError> {
    hub_accounts(client, plan, own.name).await?;
    settlement_model(client, plan).await?;
    for dfsp in plan.scheme.dfsps_of(own.hub) {
        participants::provision(client, plan, &dfsp_text(dfsp)).await?;
    }
    participants::provision_proxy(client, plan, own.proxy).await
}

async fn hub_accounts(client: &Client, plan: &Plan, name: &str) -> Result<(), ProvisionError> {
    let url = format!("http://{}/participants/{name}/accounts", plan.hub.administration);
    for account in HUB_ACCOUNTS {
        let reply = client.post(&url, &json!({"type": account, "currency": CURRENCY})).await?;
        reply.expect_unless("already been registered", &[201])?;
    }
    Ok(())
}

async fn settlement_model(client: &Client, plan: &Plan) -> Result<(), ProvisionError> {
    let model = json!({
        "name": format!("DEFERREDNET{CURRENCY}"),
        "settlementGranularity": "NET",
        "settlementInterchange": "MULTILATERAL",
        "settlementDelay": "DEFERRED",
        "requireLiquidityCheck": true,
        "ledgerAccountType": "POSITION",
        "autoPositionReset": true,
        "currency": CURRENCY,
        "settlementAccountType": "SETTLEMENT",
    });
    let reply = client.post(&format!("http://{}/settlementModels", plan.hub.administration), &model).await?;
    reply.expect_unless("already exists", &[201])
}

impl ProvisionError {
    pub fn new(text: impl fmt::Display) -> Self {
        Self(text.to_string())
    }
}

impl fmt::Display for ProvisionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for ProvisionError {}
