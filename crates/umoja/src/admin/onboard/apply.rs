//! Doing one step, and telling of it.

use super::plan::{Action, Step};
use crate::admin::hub::Hub;
use serde_json::{Value, json};
use vocabulary::{Amount, Currency};

/// What became of a step.
pub struct Done {
    pub what: String,
    pub outcome: Outcome,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Done,
    /// It was so.
    Already,
}

impl Done {
    pub fn line(&self) -> String {
        let outcome = match self.outcome {
            Outcome::Done => "done",
            Outcome::Already => "is so",
        };
        format!("  {outcome:<6} {}\n", self.what)
    }

    pub fn to_json(&self) -> Value {
        let outcome = match self.outcome {
            Outcome::Done => "done",
            Outcome::Already => "already",
        };
        json!({"step": self.what, "outcome": outcome})
    }
}

pub async fn step(hub: &Hub, step: Step) -> Result<Outcome, String> {
    match step.action {
        Action::Nothing => return Ok(Outcome::Already),
        Action::Post { path, body } | Action::PostOver { path, body } => hub.post_json(&path, &body).await?,
        Action::Put { path, body } => hub.put_json(&path, &body).await?,
        Action::Deposit { participant, currency, amount, id } => {
            deposit(hub, &participant, (currency, amount), &id).await?
        }
    };
    Ok(Outcome::Done)
}

async fn deposit(
    hub: &Hub,
    participant: &str,
    (currency, amount): (Currency, Amount),
    id: &str,
) -> Result<Value, String> {
    let accounts = hub.get(&format!("{participant}/accounts")).await?;
    let is_settlement =
        |account: &&Value| account["ledgerAccountType"] == "SETTLEMENT" && account["currency"] == currency.as_str();
    let account = accounts.as_array().into_iter().flatten().find(is_settlement);
    let account = account.ok_or_else(|| format!("There is no settlement account in {currency}."))?["id"].to_string();
    let body = json!({
        "transferId": id,
        "externalReference": "initial liquidity",
        "action": "recordFundsIn",
        "reason": "onboarding",
        "amount": {"amount": amount.to_string(), "currency": currency.as_str()},
    });
    hub.post_json(&format!("{participant}/accounts/{account}"), &body).await
}
