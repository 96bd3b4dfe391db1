//! What the demo prints: a welcome with things to try, a table for people, lines of JSON for programs.

use crate::demo::cast::{BLUE, GREEN, LAKE, PROVIDER};
use crate::demo::script::Outcome;
use crate::demo::world::World;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// What to open and what to try.
pub fn welcome(world: &World, took: Duration, data: Option<&Path>) -> String {
    let addresses = world.hub.addresses();
    let (green, blue) = (world.green.wallet_address(), world.blue.wallet_address());
    let lake = world.lake.wallet_address();
    let keeping = match data {
        Some(directory) => format!("Everything is kept in {}.", directory.display()),
        None => "Everything is in memory and gone at the end; --data DIR keeps it.".to_owned(),
    };
    format!(
        "umoja demo: a hub, three DFSPs, twelve customers and a currency exchange, ready after {took}.

  {green_title:<14} http://{green}
  {blue_title:<14} http://{blue}
  {lake_title:<14} http://{lake}
  {portal:<14} http://{}

Try this:
  1. Open {green_title}, choose Amina, and send 250 to 9992000001 (Baraka).
     You see his name and the fees before you confirm.
  2. Open {blue_title}, choose Baraka: the money is there.
  3. Send to 9992000003, who refuses, or to 9992000004, who never answers
     (that takes {lifetime} seconds): your money comes back.
  4. As Juma Traders, send 600000: Green Bank may owe the scheme 500,000 at most.
  5. As Amina, send 250 to 9993000001 (Rehema), whose account is in Tanzanian shillings:
     choose what you send, or TZS for what she gets. {PROVIDER} converts.
  6. Send 250 KES, as what you send, to 9993000004 (Penda): {lake_title} takes it in KES
     and has it converted itself.

The DFSPs talk to the hub at http://{} (FSPIOP); its administration is at http://{}.
{keeping} Stop it with Ctrl-C.",
        addresses.portal,
        addresses.fspiop,
        addresses.administration,
        green_title = GREEN.title,
        blue_title = BLUE.title,
        lake_title = LAKE.title,
        portal = "Hub portal",
        took = seconds(took),
        lifetime = world.lifetime.as_secs(),
    )
}

/// First line of the table.
pub fn heading() -> String {
    format!(
        "umoja demo --once: twelve payments from {} to {} and {}, each seen from three sides\n\n{}",
        GREEN.title,
        BLUE.title,
        LAKE.title,
        line([" ", "payment", "payer DFSP", "hub", "payee DFSP", "agree", "took", "error"])
    )
}

pub fn table_line(number: usize, outcome: &Outcome) -> String {
    let number = number.to_string();
    let took = seconds(outcome.took);
    let agree = if outcome.problems.is_empty() { "yes" } else { "NO" };
    let error = outcome.error.as_deref().unwrap_or("");
    let sides = [outcome.payer.word(), outcome.hub.word(), outcome.payee.word()];
    let mut text = line([&number, outcome.title, sides[0], sides[1], sides[2], agree, &took, error]);
    for problem in &outcome.problems {
        text.push_str("\n     ! ");
        text.push_str(problem);
    }
    text
}

fn line(cells: [&str; 8]) -> String {
    let [number, title, payer, hub, payee, agree, took, error] = cells;
    let text = format!("{number:>2}  {title:<26} {payer:<11}  {hub:<11}  {payee:<11}  {agree:<5} {took:>7}  {error}");
    text.trim_end().to_owned()
}

pub fn json_line(outcome: &Outcome) -> String {
    json!({
        "case": outcome.title,
        "transferId": outcome.transfer.map(|id| id.to_string()),
        "payer": outcome.payer.word(),
        "hub": outcome.hub.word(),
        "payee": outcome.payee.word(),
        "error": outcome.error,
        "agree": outcome.problems.is_empty(),
        "problems": outcome.problems,
        "took_ms": millis(outcome.took),
    })
    .to_string()
}

/// The end of the script.
pub struct Summary {
    pub cases: usize,
    pub agreeing: usize,
    /// What the check of the ledger found.
    pub differences: Vec<String>,
    pub took: Duration,
}

impl Summary {
    pub fn is_good(&self) -> bool {
        self.agreeing == self.cases && self.differences.is_empty()
    }

    pub fn text(&self) -> String {
        let Self { cases, agreeing, differences, took } = self;
        let mut text = format!("\nPayer DFSP, hub and payee DFSP agree in {agreeing} of {cases} payments. ");
        if differences.is_empty() {
            text.push_str("Every balance follows from the ledger's entries");
        } else {
            text.push_str("The check of the ledger found differences");
        }
        text.push_str(&format!(" ({}).", seconds(*took)));
        for difference in differences {
            text.push_str("\n     ! ");
            text.push_str(difference);
        }
        text
    }

    pub fn json(&self) -> String {
        json!({
            "cases": self.cases,
            "agreeing": self.agreeing,
            "ledger_differences": self.differences,
            "ok": self.is_good(),
            "took_ms": millis(self.took),
        })
        .to_string()
    }
}

/// Milliseconds below one second, else seconds with two decimals.
pub fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        whole => format!("{whole}.{:02} s", duration.subsec_millis() / 10),
    }
}

pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
