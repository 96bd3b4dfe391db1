//! The operator's side of settlement while payments go on: closes the open window, settles it, and takes the time.
//!
//! Invariant: the calls and their order are those of the settlement API (contract admin-settlement.md §2); each answer is
//! looked at. A window without payments is left open.

use crate::{
    process::Addresses,
    provision::{Client, ProvisionError},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval};
use vocabulary::Amount;

/// The states through which accounts are settled, in their order.
const STEPS: [&str; 4] = ["PS_TRANSFERS_RECORDED", "PS_TRANSFERS_RESERVED", "PS_TRANSFERS_COMMITTED", "SETTLED"];

/// One window from open to settled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Closing {
    pub window: i64,
    /// What each account owes by the settlement; below zero is what it is owed.
    pub nets: Vec<(u64, Amount)>,
    /// How long the hub took to close the window and take its totals.
    pub close: Duration,
    /// How long it took to create the settlement.
    pub create: Duration,
    /// How long all accounts took through all states.
    pub settle: Duration,
}

/// Closes and settles windows with one model.
pub struct Closer {
    client: Client,
    /// Calls go to the hub's nodes in turn.
    nodes: Vec<Addresses>,
    model: String,
    calls: usize,
}

impl Closer {
    pub fn new(client: Client, nodes: Vec<Addresses>, model: &str) -> Self {
        Self { client, nodes, model: model.to_owned(), calls: 0 }
    }

    /// Closes and settles the open window; none if it has no payments.
    pub async fn close_and_settle(&mut self) -> Result<Option<Closing>, ProvisionError> {
        let Some((window, close)) = self.close().await? else { return Ok(None) };
        let (settlement, create) = self.create(&[window]).await?;
        let settle = self.settle(&settlement).await?;
        Ok(Some(Closing { window, nets: nets(&settlement)?, close, create, settle }))
    }

    /// Closes the open window; returns its id. None if it has no payments.
    pub async fn close(&mut self) -> Result<Option<(i64, Duration)>, ProvisionError> {
        let url = self.url("settlementWindows?state=OPEN");
        let windows = self.client.get(&url).await?.json()?;
        let window = number(&windows[0]["settlementWindowId"])?;
        let url = self.url(&format!("settlementWindows/{window}"));
        let begun = Instant::now();
        let reply = self.client.post(&url, &json!({"state": "CLOSED", "reason": "closed by the benchmark"})).await?;
        let took = begun.elapsed();
        if reply.status == 400 && String::from_utf8_lossy(&reply.body).contains("is empty") {
            return Ok(None);
        }
        reply.expect(&[200])?;
        Ok(Some((window, took)))
    }

    /// Creates a settlement over windows; returns it as the hub shows it.
    pub async fn create(&mut self, windows: &[i64]) -> Result<(Value, Duration), ProvisionError> {
        let windows: Vec<_> = windows.iter().map(|window| json!({"id": window})).collect();
        let body = json!({"settlementModel": self.model, "reason": "benchmark", "settlementWindows": windows});
        let url = self.url("settlements");
        let begun = Instant::now();
        let settlement = self.client.post(&url, &body).await?.json()?;
        Ok((settlement, begun.elapsed()))
    }

    /// Takes all accounts of a settlement through all states.
    pub async fn settle(&mut self, settlement: &Value) -> Result<Duration, ProvisionError> {
        let id = number(&settlement["id"])?;
        let begun = Instant::now();
        let mut state = Value::Null;
        for step in STEPS {
            let url = self.url(&format!("settlements/{id}"));
            let body = json!({"participants": participants(settlement, step)});
            state = self.client.put(&url, &body).await?.json()?["state"].clone();
        }
        if state != "SETTLED" {
            return Err(ProvisionError::new(format_args!("settlement {id} is {state} after all steps, not SETTLED")));
        }
        Ok(begun.elapsed())
    }

    fn url(&mut self, path: &str) -> String {
        self.calls += 1;
        let node = &self.nodes[self.calls % self.nodes.len()];
        format!("http://{}/v2/{path}", node.settlement)
    }
}

/// Closes and settles a window at each interval, until `stop` ends. The last one is finished.
pub async fn close_every(
    closer: &mut Closer,
    every: Duration,
    stop: impl Future<Output = ()>,
) -> Result<Vec<Closing>, ProvisionError> {
    let mut closings = Vec::new();
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return Ok(closings),
            _ = ticks.tick() => {}
        }
        closings.extend(closer.close_and_settle().await?);
    }
}

/// What each account owes by a settlement as the hub shows it.
pub fn nets(settlement: &Value) -> Result<Vec<(u64, Amount)>, ProvisionError> {
    let participants = settlement["participants"].as_array().into_iter().flatten();
    let accounts = participants.flat_map(|participant| participant["accounts"].as_array().into_iter().flatten());
    let net = |account: &Value| {
        let text = account["netSettlementAmount"]["amount"].to_string();
        let net = Amount::parse(&text)
            .map_err(|_| ProvisionError::new(format_args!("a net amount of {text} cannot be read")))?;
        let id = account["id"].as_u64();
        let id = id.ok_or_else(|| ProvisionError::new(format_args!("{account} has no id")))?;
        Ok((id, net))
    };
    accounts.map(net).collect()
}

/// Every account of a settlement, asked to enter a state.
fn participants(settlement: &Value, state: &str) -> Vec<Value> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let account = |account: &Value| json!({"id": account["id"], "state": state, "reason": "benchmark"});
    let participant = |one: &Value| {
        let accounts: Vec<_> = list(&one["accounts"]).iter().map(account).collect();
        json!({"id": one["id"], "accounts": accounts})
    };
    list(&settlement["participants"]).iter().map(participant).collect()
}

fn number(value: &Value) -> Result<i64, ProvisionError> {
    value
        .as_i64()
        .ok_or_else(|| ProvisionError::new(format_args!("the hub's answer has {value} where an id should be")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn net_amounts_keep_their_sign_and_their_digits() {
        let account = |id: u64, amount: &str| {
            let amount: serde_json::Number = amount.parse().unwrap();
            json!({"id": id, "netSettlementAmount": {"amount": amount, "currency": "USD"}})
        };
        let accounts = [account(3, "12.3401"), account(5, "-12.3401"), account(6, "0")];
        let settlement = json!({"participants": [{"id": 2, "accounts": accounts}]});
        let units = |id, units| (id, Amount::from_units(units));
        assert_eq!(nets(&settlement).unwrap(), [units(3, 123_401), units(5, -123_401), units(6, 0)]);
    }

    #[test]
    fn every_account_of_every_participant_is_asked() {
        let settlement = json!({"id": 1, "participants": [
            {"id": 2, "accounts": [{"id": 3, "state": "PENDING_SETTLEMENT"}, {"id": 5}]},
            {"id": 4, "accounts": [{"id": 7}]},
        ]});
        let asked = |id: i64| json!({"id": id, "state": "SETTLED", "reason": "benchmark"});
        assert_eq!(
            participants(&settlement, "SETTLED"),
            [json!({"id": 2, "accounts": [asked(3), asked(5)]}), json!({"id": 4, "accounts": [asked(7)]})]
        );
    }
}
