//! What the demo of several schemes prints: a welcome, a table for people, lines of JSON for programs.

use super::script::Outcome;
use super::world::World;
use crate::demo::cast::PROVIDER;
use crate::demo::report::{millis, seconds};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::Duration;

/// What to open and what to try.
pub fn welcome(world: &World, took: Duration, data: Option<&Path>) -> String {
    let mut text = format!(
        "umoja demo: {} schemes with a hub each, connected by {}, ready after {}.\n",
        world.schemes.len(),
        if world.links.len() == 1 { "a proxy" } else { "proxies" },
        seconds(took)
    );
    for scheme in &world.schemes {
        let addresses = scheme.hub.addresses();
        text.push_str(&format!("\n  {} ({})\n", scheme.play.hub, scheme.play.currency));
        for banker in &scheme.banks {
            let (title, currency) = (banker.part.title, banker.part.currency);
            text.push_str(&format!(
                "    {title:<14} http://{}  accounts in {currency}\n",
                banker.running.wallet_address()
            ));
        }
        text.push_str(&format!("    {:<14} http://{}\n", "Hub portal", addresses.portal));
        text.push_str(&format!("    {:<14} http://{}\n", "administration", addresses.administration));
    }
    let keeping = match data {
        Some(directory) => format!("Everything is kept in {}.", directory.display()),
        None => "Everything is in memory and gone at the end; --data DIR keeps it.".to_owned(),
    };
    text.push_str(&format!(
        "
Try this:
  1. Open Green Bank, choose Amina, and send 250 to 9994000001 (Lulu, at Border Bank in hub-b).
     Hub-a does not know her: it asks the other schemes through the proxy.
  2. Open Border Bank, choose Lulu: the money is there. Send some back to 9991000001.
  3. As Amina, send 500 to 9993000001 (Rehema), whose account is in Tanzanian shillings: you see
     the rate, all fees and both amounts before you confirm. {PROVIDER} converts.
  4. Send to 9994000002, who refuses, or to 9994000003, who never answers
     (that takes {} seconds): your money comes back.

{keeping} Stop it with Ctrl-C.",
        world.lifetime.as_secs()
    ));
    text
}

/// First line of the table.
pub fn heading(hubs: &[&str]) -> String {
    let title = format!("umoja demo --schemes {} --once: payments, each seen from every side\n\n", hubs.len());
    let sides: Vec<&str> = ["payer DFSP"].into_iter().chain(hubs.iter().copied()).chain(["payee DFSP"]).collect();
    title + &line((" ", "payment"), &sides, ("agree", "took", ""))
}

pub fn table_line(number: usize, outcome: &Outcome) -> String {
    let hubs = outcome.hubs.iter().copied();
    let sides: Vec<&str> =
        [outcome.payer].into_iter().chain(hubs).chain([outcome.payee]).map(|seen| seen.word()).collect();
    let agree = if outcome.problems.is_empty() { "yes" } else { "NO" };
    let remarks: Vec<&str> = outcome.converted.iter().chain(&outcome.error).map(String::as_str).collect();
    let mut text =
        line((&number.to_string(), outcome.title), &sides, (agree, &seconds(outcome.took), &remarks.join("; ")));
    for problem in &outcome.problems {
        text.push_str("\n     ! ");
        text.push_str(problem);
    }
    text
}

fn line((number, title): (&str, &str), sides: &[&str], (agree, took, remark): (&str, &str, &str)) -> String {
    let sides: String = sides.iter().map(|side| format!("{side:<11}  ")).collect();
    let text = format!("{number:>2}  {title:<28} {sides}{agree:<5} {took:>7}  {remark}");
    text.trim_end().to_owned()
}

pub fn json_line(hubs: &[&str], outcome: &Outcome) -> String {
    let seen = hubs.iter().zip(&outcome.hubs).map(|(hub, seen)| ((*hub).to_owned(), Value::from(seen.word())));
    json!({
        "step": outcome.title,
        "transferId": outcome.transfer.map(|id| id.to_string()),
        "payer": outcome.payer.word(),
        "hubs": seen.collect::<Map<_, _>>(),
        "payee": outcome.payee.word(),
        "error": outcome.error,
        "converted": outcome.converted,
        "agree": outcome.problems.is_empty(),
        "problems": outcome.problems,
        "took_ms": millis(outcome.took),
    })
    .to_string()
}

/// The end of the script.
pub struct Summary {
    pub steps: usize,
    pub agreeing: usize,
    pub took: Duration,
}

impl Summary {
    pub fn is_good(&self) -> bool {
        self.agreeing == self.steps
    }

    pub fn text(&self, hubs: usize) -> String {
        let Self { steps, agreeing, took } = self;
        let meaning = if self.is_good() {
            "After each, every hub's ledger was recomputed, positions summed to zero, and each proxy owed on one side what \
             it was owed on the other"
        } else {
            "Where they do not, the lines with ! say what differs"
        };
        format!("\nAll {hubs} hubs and the DFSPs agree in {agreeing} of {steps} steps. {meaning} ({}).", seconds(*took))
    }

    pub fn json(&self) -> String {
        let Self { steps, agreeing, took } = self;
        json!({"steps": steps, "agreeing": agreeing, "ok": self.is_good(), "took_ms": millis(*took)}).to_string()
    }
}
