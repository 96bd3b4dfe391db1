//! Paying many people from one list: the text is read line by line, names are looked up, and after a look at all of it the
//! payments are sent one after the other.

use super::Wallet;
use super::format::{self, money};
use super::forms::{ConfirmForm, NOTE_CHARS_MAX};
use super::handlers::{Shared, missing, parse};
use super::pages::{self, cash, field};
use super::words;
use crate::bank::Bank;
use crate::config::Customer;
use crate::lists::{Draft, LINES_MAX, Line, List, Outcome};
use crate::payer::PayError;
use crate::payment::State as PaymentState;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use vocabulary::Currency;

/// Bytes of a list.
pub(super) const LIST_BYTES_MAX: usize = 64 * 1024;
/// Seconds after which the page of a list that is being paid loads again.
const RELOAD_SECONDS: u32 = 3;

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListForm {
    token: String,
    text: String,
}

pub(super) async fn form(State(wallet): Shared, Path(customer): Path<String>) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    form_page(&wallet, &customer, &ListForm::default(), &[]).into_response()
}

pub(super) async fn review(
    State(wallet): Shared,
    Path(customer): Path<String>,
    Form(form): Form<ListForm>,
) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    let again =
        |status: StatusCode, faults: &[String]| (status, form_page(&wallet, &customer, &form, faults)).into_response();
    if !wallet.knows(&form.token) {
        return again(StatusCode::FORBIDDEN, &["This form was too old. Please check it and send it again.".to_owned()]);
    }
    let drafts = match read(&form.text, wallet.bank.config.currency) {
        Ok(drafts) => drafts,
        Err(faults) => return again(StatusCode::UNPROCESSABLE_ENTITY, &faults),
    };
    match wallet.bank.review(&customer.id, drafts, in_words).await {
        Ok(list) => Redirect::to(&format!("/customers/{}/lists/{}", customer.id, list.id)).into_response(),
        Err(error) => {
            let fault = words::not_booked(&error, wallet.bank.config.currency);
            again(StatusCode::UNPROCESSABLE_ENTITY, &[fault])
        }
    }
}

pub(crate) fn in_words(error: &PayError, bank: &Bank) -> String {
    words::no_offer(error, bank.config.currency)
}

/// Reads lines of number, amount and note with commas, semicolons or tabs between them. Errors: a sentence for each wrong line.
fn read(text: &str, currency: Currency) -> Result<Vec<Draft>, Vec<String>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    // A first line without a digit names the columns.
    let lines = lines.filter(|(index, line)| *index > 0 || line.contains(|character: char| character.is_ascii_digit()));
    let (mut drafts, mut faults) = (Vec::new(), Vec::new());
    for (index, line) in lines {
        match read_line(line, currency) {
            Ok(draft) => drafts.push(draft),
            Err(fault) => faults.push(format!("Line {}: {fault}", index + 1)),
        }
    }
    if drafts.len() + faults.len() > LINES_MAX {
        return Err(vec![format!("A list has at most {LINES_MAX} lines. Split it.")]);
    }
    if drafts.is_empty() && faults.is_empty() {
        return Err(vec!["Write at least one line.".to_owned()]);
    }
    if faults.is_empty() { Ok(drafts) } else { Err(faults) }
}

fn read_line(line: &str, currency: Currency) -> Result<Draft, &'static str> {
    let separator = [';', '\t', ','].into_iter().find(|separator| line.contains(*separator)).unwrap_or(',');
    let mut cells = line.splitn(3, separator).map(|cell| cell.trim().trim_matches('"').trim());
    let number = cells.next().and_then(format::read_number).ok_or("write a phone number of 5 to 15 digits first.")?;
    let amount = cells.next().and_then(|cell| format::read_amount(cell, currency));
    let amount = amount.ok_or("write an amount above zero after the number, without commas in it.")?;
    let note = cells.next().unwrap_or_default();
    // `1,250` would be one shilling and a note.
    let looks_like_thousands = note.len() >= 3 && note.bytes().take(3).all(|byte| byte.is_ascii_digit());
    if separator == ',' && looks_like_thousands {
        return Err("write the amount without commas in it, and begin the note with a word.");
    }
    if note.chars().count() > NOTE_CHARS_MAX {
        return Err("a note has at most 128 characters.");
    }
    Ok(Draft { number, amount, note: (!note.is_empty()).then(|| note.to_owned()) })
}

fn form_page(wallet: &Wallet, customer: &Customer, form: &ListForm, faults: &[String]) -> Markup {
    let is_faulty = !faults.is_empty();
    let content = html! {
        h1 { "Pay a list" }
        p { "One line for each person: phone number, amount, and a note if you like, with commas between them. At most " (LINES_MAX) " lines." }
        @if is_faulty {
            div #text-faults role="alert" { @for fault in faults { p.fault { (fault) } } }
        }
        form method="post" action={ "/customers/" (customer.id) "/lists" } {
            input type="hidden" name="token" value=(wallet.token);
            (field("text", &format!("List, amounts in {}", wallet.bank.config.currency), None, html! {
                textarea #text name="text" rows="8" required autocomplete="off" spellcheck="false"
                    aria-invalid=[is_faulty.then_some("true")] aria-describedby=[is_faulty.then_some("text-faults")] {
                    (form.text)
                }
            }))
            button type="submit" { "Look up the names" }
        }
        p.muted { "Nothing is paid before you have seen the names." }
    };
    pages::layout(&wallet.bank, "Pay a list", Some(customer), content)
}

fn own(wallet: &Wallet, customer: &str, id: &str) -> Option<List> {
    wallet.bank.list(parse(id)?).filter(|list| list.customer == customer)
}

pub(super) async fn list(State(wallet): Shared, Path((customer, id)): Path<(String, String)>) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    match own(&wallet, &customer.id, &id) {
        Some(list) => list_page(&wallet, &customer, &list).into_response(),
        None => missing(&wallet),
    }
}

pub(super) async fn start(
    State(wallet): Shared,
    Path((customer, id)): Path<(String, String)>,
    Form(form): Form<ConfirmForm>,
) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    let Some(list) = own(&wallet, &customer.id, &id) else { return missing(&wallet) };
    if wallet.knows(&form.token)
        && let Err(error) = wallet.bank.start_list(list.id, in_words)
    {
        tracing::error!(%error, "a list could not be started");
        let sentence = words::not_booked(&error, wallet.bank.config.currency);
        return (StatusCode::SERVICE_UNAVAILABLE, sentence).into_response();
    }
    Redirect::to(&format!("/customers/{}/lists/{}", customer.id, list.id)).into_response()
}

fn list_page(wallet: &Wallet, customer: &Customer, list: &List) -> Markup {
    let bank = &wallet.bank;
    let outcomes: Vec<Outcome> = list.lines.iter().map(|line| bank.outcome(line)).collect();
    let ended = outcomes.iter().filter(|outcome| outcome.has_ended()).count();
    let (count, sum) = list.payable();
    let is_under_way = list.is_started && ended < list.lines.len();
    let title = match (list.is_started, is_under_way) {
        (false, _) => "Are these the right people?",
        (true, true) => "The list is being paid",
        (true, false) => "The list is done",
    };
    let content = html! {
        h1 { (title) }
        @if list.is_started { p.notice role="status" { (ended) " of " (list.lines.len()) " lines are done." } }
        table {
            caption { "What each person gets, in " (bank.config.currency) }
            thead { tr { th scope="col" { "Person" } th.number scope="col" { "Amount" } } }
            tbody { @for (line, outcome) in list.lines.iter().zip(&outcomes) { (row(bank, list, (line, outcome))) } }
        }
        @if !list.is_started && count > 0 {
            p { "Together " strong { (cash(bank, sum)) } ", and for each payment the fees that a single one has." }
            form method="post" action={ "/customers/" (customer.id) "/lists/" (list.id) } {
                input type="hidden" name="token" value=(wallet.token);
                button type="submit" { "Pay " (count) @if count == 1 { " person" } @else { " people" } }
            }
        }
        p { a href={ "/customers/" (customer.id) } { "Back to the account" } }
    };
    pages::document(bank, title, Some(customer), content, is_under_way.then_some(RELOAD_SECONDS))
}

fn row(bank: &Bank, list: &List, (line, outcome): (&Line, &Outcome)) -> Markup {
    let name = line.name.as_deref().unwrap_or("Nobody");
    let amount = money(line.amount, bank.config.currency);
    let amount = amount.split_once(' ').map_or(amount.as_str(), |(_, number)| number);
    html! {
        tr {
            td {
                strong { (name) } br;
                span.muted { (line.number) @if let Some(note) = &line.note { " · " (note) } } br;
                (outcome_words(list, outcome))
            }
            td.number { (amount) }
        }
    }
}

fn outcome_words(list: &List, outcome: &Outcome) -> Markup {
    html! {
        @match outcome {
            Outcome::Waiting => { (if list.is_started { "Waiting" } else { "Ready" }) }
            Outcome::Fault(fault) => { span.failed { (fault) } }
            Outcome::Payment(payment) => {
                a href={ "/customers/" (list.customer) "/payments/" (payment.id) } {
                    @match payment.state {
                        PaymentState::Pending => "On its way",
                        PaymentState::Completed { .. } => "Paid",
                        PaymentState::Failed { .. } => "Not paid",
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kes() -> Currency {
        "KES".parse().unwrap()
    }

    #[test]
    fn lines_are_read_with_any_of_the_usual_separators_and_a_heading() {
        let text =
            "number,amount,note\r\n9992000001,100\n\n+999 200 0002; 99.50; wages, May\n9992000003\t7\t\"rent\"\n";
        let drafts = read(text, kes()).unwrap();
        let shown: Vec<_> = drafts.iter().map(|draft| (&*draft.number.identifier, draft.amount.to_string())).collect();
        let wanted = [("9992000001", "100"), ("9992000002", "99.5"), ("9992000003", "7")];
        assert_eq!(shown, wanted.map(|(number, amount)| (number, amount.to_owned())));
        let notes: Vec<_> = drafts.iter().map(|draft| draft.note.as_deref()).collect();
        assert_eq!(notes, [None, Some("wages, May"), Some("rent")]);
    }

    #[test]
    fn every_wrong_line_is_named_and_nothing_is_read_halfway() {
        let long = "x".repeat(129);
        let text = format!("12,5\n9992000001,1.005\n9992000001\n9992000001,5,{long}\n9992000001,5\n9992000001,1,250\n");
        let faults = read(&text, kes()).unwrap_err();
        let places: Vec<&str> = faults.iter().map(|fault| fault.split(':').next().unwrap()).collect();
        assert_eq!(places, ["Line 1", "Line 2", "Line 3", "Line 4", "Line 6"]);
    }

    #[test]
    fn a_list_has_lines_but_not_too_many() {
        assert_eq!(read(" \n", kes()).unwrap_err(), ["Write at least one line."]);
        assert!(read(&"9992000001,5\n".repeat(LINES_MAX), kes()).is_ok());
        assert_eq!(read(&"9992000001,5\n".repeat(LINES_MAX + 1), kes()).unwrap_err().len(), 1);
    }
}
