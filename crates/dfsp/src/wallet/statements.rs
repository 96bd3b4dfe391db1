//! Statements of account, for people and as CSV (RFC 4180).
//!
//! Invariant: both show the same lines, which add up to the closing balance. A text of somebody else never becomes a formula of
//! the program that opens the CSV.

use super::format::{minute, money};
use super::handlers::{Shared, missing};
use super::pages::{self, field};
use crate::bank::Bank;
use crate::config::Customer;
use crate::payment::Direction;
use crate::statement::{Line, Statement, What};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use sdk::now;
use serde::Deserialize;
use vocabulary::{Amount, Timestamp};

const DAY_MS: i64 = 86_400_000;
/// How far back a statement goes if nobody says otherwise.
const USUAL_DAYS: i64 = 30;
/// Lines on one page; the CSV has all.
const LINES_MAX: usize = 500;
const WRONG_DAYS: &str = "Write days as year-month-day, for example 2026-11-30, the first one before the last one.";

/// First and last day, as typed.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Days {
    from: String,
    to: String,
}

impl Days {
    /// Empty days are the last thirty.
    fn or_usual(self) -> Self {
        let day = |time: Timestamp| time.to_string()[..10].to_owned();
        let today = now();
        let or =
            |text: String, usual: Timestamp| if text.trim().is_empty() { day(usual) } else { text.trim().to_owned() };
        Self { from: or(self.from, today.plus_millis(-USUAL_DAYS * DAY_MS)), to: or(self.to, today) }
    }

    /// From the beginning of the first day to the end of the last one, in UTC.
    fn read(&self) -> Option<(Timestamp, Timestamp)> {
        let start = |day: &str| {
            let is_day = day.len() == 10 && day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
            is_day.then(|| format!("{day}T00:00:00.000Z").parse::<Timestamp>().ok())?
        };
        let (from, until) = (start(&self.from)?, start(&self.to)?.plus_millis(DAY_MS));
        (from < until).then_some((from, until))
    }
}

pub(super) async fn page(State(wallet): Shared, Path(customer): Path<String>, Query(days): Query<Days>) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    let days = days.or_usual();
    match days.read() {
        Some((from, until)) => {
            let statement = wallet.bank.statement(&customer.id, from, until);
            shown(&wallet.bank, &customer, &days, Some(&statement)).into_response()
        }
        None => (StatusCode::UNPROCESSABLE_ENTITY, shown(&wallet.bank, &customer, &days, None)).into_response(),
    }
}

pub(super) async fn csv(State(wallet): Shared, Path(customer): Path<String>, Query(days): Query<Days>) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    let days = days.or_usual();
    let Some((from, until)) = days.read() else {
        return (StatusCode::UNPROCESSABLE_ENTITY, WRONG_DAYS).into_response();
    };
    let text = csv_of(&wallet.bank, &wallet.bank.statement(&customer.id, from, until));
    let name = format!("attachment; filename=\"statement-{}-{}-{}.csv\"", customer.id, days.from, days.to);
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    (headers, text).into_response()
}

fn shown(bank: &Bank, customer: &Customer, days: &Days, statement: Option<&Statement>) -> Markup {
    let currency = bank.config.currency;
    let fault = statement.is_none().then_some(WRONG_DAYS);
    let day = |id: &str, label: &str, value: &str| {
        field(
            id,
            label,
            None,
            html! {
                input id=(id) name=(id) type="date" value=(value) required aria-invalid=[fault.map(|_| "true")]
                    aria-describedby=[fault.map(|_| "days-fault")];
            },
        )
    };
    let content = html! {
        h1 { "Statement" }
        p.muted { (customer.name) ", " (customer.number.identifier) }
        form method="get" action={ "/customers/" (customer.id) "/statement" } {
            div.pair { (day("from", "First day", &days.from)) (day("to", "Last day", &days.to)) }
            @if let Some(fault) = fault { p.fault #days-fault role="alert" { (fault) } }
            button.quiet type="submit" { "Show" }
        }
        @if let Some(statement) = statement {
            table {
                caption { "Amounts in " (currency) ", days in UTC" }
                thead { tr { th scope="col" { "Entry" } th.number scope="col" { "Amount" } th.number scope="col" { "Balance" } } }
                tbody {
                    tr { td { "Opening balance" } td {} td.number { (plain(bank, statement.opening)) } }
                    @for line in statement.lines.iter().take(LINES_MAX) { (row(bank, line)) }
                    @if statement.lines.len() > LINES_MAX {
                        tr { td { (statement.lines.len() - LINES_MAX) " more entries are in the file" } td {} td {} }
                    }
                    tr { td { strong { "Closing balance" } } td {} td.number { strong { (plain(bank, statement.closing)) } } }
                }
            }
            p { a href={ "/customers/" (customer.id) "/statement.csv?from=" (days.from) "&to=" (days.to) } { "The same as a file (CSV)" } }
        }
    };
    pages::layout(bank, "Statement", Some(customer), content)
}

fn row(bank: &Bank, line: &Line) -> Markup {
    let sign = if line.amount.is_negative() { "" } else { "+" };
    html! {
        tr {
            td { (text(bank, line).0) br; span.muted { (minute(line.at)) } }
            td.number { (sign) (plain(bank, line.amount)) }
            td.number { (plain(bank, line.balance)) }
        }
    }
}

/// What an entry was, and the message of its payment.
fn text(bank: &Bank, line: &Line) -> (String, String) {
    match line.what {
        What::Deposit => ("Deposit at the opening".to_owned(), String::new()),
        What::Cash(_) if line.amount.is_negative() => ("Cash taken".to_owned(), String::new()),
        What::Cash(_) => ("Cash brought".to_owned(), String::new()),
        What::Payment(id) => {
            let payment = bank.payment(id).expect("what has moved money is in the books");
            let preposition = match payment.direction {
                Direction::Outgoing => "To",
                Direction::Incoming => "From",
            };
            let refund = if payment.refund.is_some() { "Refund: " } else { "" };
            (format!("{refund}{preposition} {}", payment.other.name), payment.note.unwrap_or_default())
        }
    }
}

/// `1,250.00`, without the currency.
fn plain(bank: &Bank, amount: Amount) -> String {
    let shown = money(amount, bank.config.currency);
    shown.split_once(' ').map_or(shown.clone(), |(_, number)| number.to_owned())
}

fn csv_of(bank: &Bank, statement: &Statement) -> String {
    let currency = bank.config.currency.to_string();
    let mut lines = vec![["time", "reference", "entry", "message", "amount", "balance", "currency"].map(str::to_owned)];
    let total = |name: &str, balance: Amount| {
        let empty = String::new;
        [empty(), empty(), name.to_owned(), empty(), empty(), balance.to_string(), currency.clone()]
    };
    lines.push(total("Opening balance", statement.opening));
    for line in &statement.lines {
        let (entry, message) = text(bank, line);
        let reference = match line.what {
            What::Deposit => String::new(),
            What::Payment(id) | What::Cash(id) => id.to_string(),
        };
        let (amount, balance) = (line.amount.to_string(), line.balance.to_string());
        lines.push([
            line.at.to_string(),
            reference,
            harmless(&entry),
            harmless(&message),
            amount,
            balance,
            currency.clone(),
        ]);
    }
    lines.push(total("Closing balance", statement.closing));
    let line = |cells: [String; 7]| cells.map(|cell| quoted(&cell)).join(",") + "\r\n";
    lines.into_iter().map(line).collect()
}

/// Spreadsheets take what begins so for a formula.
fn harmless(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\r', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bank::tests::{amount, bank, payment};
    use sdk::{Decision, new_id};

    fn days(from: &str, to: &str) -> Option<(Timestamp, Timestamp)> {
        Days { from: from.into(), to: to.into() }.read()
    }

    #[test]
    fn a_statement_goes_from_the_beginning_of_its_first_day_to_the_end_of_its_last() {
        let (from, until) = days("2026-11-21", "2026-11-21").unwrap();
        assert_eq!((from.to_string().as_str(), until.millis() - from.millis()), ("2026-11-21T00:00:00.000Z", DAY_MS));
        for (from, to) in [("2026-11-22", "2026-11-21"), ("", "2026-11-21"), ("2026-13-01", "2026-11-21"), ("1", "2")] {
            assert_eq!(days(from, to), None, "{from} {to}");
        }
        assert!(Days::default().or_usual().read().is_some());
    }

    #[test]
    fn the_file_has_every_entry_adds_up_and_holds_no_formula() {
        let bank = bank(None);
        let mut received = payment(Direction::Incoming, "250.5");
        received.other.name = "=HYPERLINK(\"evil\"), Ltd".into();
        received.note = Some("-1+1".into());
        bank.open_payment(received.clone()).unwrap();
        bank.settle(received.id, &Decision::Committed).unwrap();
        bank.move_cash(new_id(), "ana", amount("-50")).unwrap();
        let statement = bank.statement("ana", Timestamp::from_millis(0), now().plus_millis(DAY_MS));
        assert_eq!(statement.closing, bank.balance("ana").0);
        let text = csv_of(&bank, &statement);
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines.len(), 7, "{text}");
        assert!(lines[1].ends_with("Opening balance,,,0,KES"), "{text}");
        assert!(lines[3].contains(",\"From =HYPERLINK(\"\"evil\"\"), Ltd\",'-1+1,250.5,350.5,KES"), "{text}");
        assert!(lines[4].ends_with("Cash taken,,-50,300.5,KES"), "{text}");
        assert!(lines[5].ends_with("Closing balance,,,300.5,KES"), "{text}");
        assert_eq!(harmless("=1"), "'=1");
    }
}
