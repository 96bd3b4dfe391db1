//! Asking for money, and answering those who ask.
//!
//! Invariant: approving leads to the offer with its fees, like any payment; a form carries the id of its request, so that
//! sending it twice asks once.

use super::Wallet;
use super::format::{self, minute, money};
use super::forms::{ConfirmForm, NOTE_CHARS_MAX};
use super::handlers::{Shared, missing, parse};
use super::pages::{self, field};
use super::words;
use crate::bank::Bank;
use crate::config::Customer;
use crate::payment::Direction;
use crate::requests::{Ask, Request, RequestState};
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use sdk::{new_id, now};
use serde::Deserialize;

/// Requests on the home page.
const REQUESTS_MAX: usize = 10;
/// Seconds after which the page of a request that waits loads again.
const RELOAD_SECONDS: u32 = 3;
/// How long after the request it does.
const RELOAD_MS_MAX: i64 = 300_000;

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct AskForm {
    token: String,
    /// Of the request.
    id: String,
    number: String,
    amount: String,
    note: String,
}

#[derive(Default)]
struct Wrong {
    whole: Option<String>,
    number: Option<&'static str>,
    amount: Option<&'static str>,
    note: Option<&'static str>,
}

pub(super) async fn form(State(wallet): Shared, Path(customer): Path<String>) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    form_page(&wallet, &customer, &AskForm::default(), &Wrong::default()).into_response()
}

pub(super) async fn ask(State(wallet): Shared, Path(customer): Path<String>, Form(form): Form<AskForm>) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    let currency = wallet.bank.config.currency;
    let again =
        |status: StatusCode, wrong: Wrong| (status, form_page(&wallet, &customer, &form, &wrong)).into_response();
    let Some(id) = parse(&form.id).filter(|_| wallet.knows(&form.token)) else {
        let whole = Some("This form was too old. Please check it and send it again.".into());
        return again(StatusCode::FORBIDDEN, Wrong { whole, ..Wrong::default() });
    };
    let (from, amount) = (format::read_number(&form.number), format::read_amount(&form.amount, currency));
    let note = form.note.trim();
    let note_fits = note.chars().count() <= NOTE_CHARS_MAX;
    let (Some(from), Some(amount), true) = (from.clone(), amount, note_fits) else {
        let wrong = Wrong {
            whole: Some("Please check the marked fields.".into()),
            number: from.is_none().then_some("Write a phone number of 5 to 15 digits."),
            amount: amount.is_none().then_some("Write an amount above zero, for example 250 or 99.50."),
            note: (!note_fits).then_some("A note has at most 128 characters."),
        };
        return again(StatusCode::UNPROCESSABLE_ENTITY, wrong);
    };
    let note = (!note.is_empty()).then(|| note.to_owned());
    match wallet.bank.ask(Ask { id, customer: customer.id.clone(), from, amount, note }).await {
        Ok(id) => Redirect::to(&format!("/customers/{}/requests/{id}", customer.id)).into_response(),
        Err(error) => {
            tracing::info!(%error, "a customer's request was not made");
            let whole = Some(words::no_offer(&error, currency));
            again(StatusCode::UNPROCESSABLE_ENTITY, Wrong { whole, ..Wrong::default() })
        }
    }
}

fn form_page(wallet: &Wallet, customer: &Customer, form: &AskForm, wrong: &Wrong) -> Markup {
    let currency = wallet.bank.config.currency;
    let content = html! {
        h1 { "Ask for money" }
        @if let Some(whole) = &wrong.whole { p.fault role="alert" { (whole) } }
        form method="post" action={ "/customers/" (customer.id) "/ask" } {
            input type="hidden" name="token" value=(wallet.token);
            input type="hidden" name="id" value=(new_id());
            (field("number", "Phone number of the person", wrong.number, html! {
                input #number name="number" type="tel" inputmode="tel" autocomplete="off" required value=(form.number)
                    aria-invalid=[wrong.number.map(|_| "true")] aria-describedby=[wrong.number.map(|_| "number-fault")];
            }))
            (field("amount", &format!("Amount in {currency} that you get"), wrong.amount, html! {
                input #amount name="amount" type="text" inputmode="decimal" autocomplete="off" required value=(form.amount)
                    aria-invalid=[wrong.amount.map(|_| "true")] aria-describedby=[wrong.amount.map(|_| "amount-fault")];
            }))
            (field("note", "What for (if you like)", wrong.note, html! {
                input #note name="note" type="text" maxlength="128" autocomplete="off" value=(form.note)
                    aria-invalid=[wrong.note.map(|_| "true")] aria-describedby=[wrong.note.map(|_| "note-fault")];
            }))
            button type="submit" { "Ask" }
        }
        p.muted { "The person sees your name, the amount and what it is for, and pays or refuses." }
    };
    pages::layout(&wallet.bank, "Ask for money", Some(customer), content)
}

/// The customer's request with an id, if it is theirs.
fn own(wallet: &Wallet, customer: &str, id: &str) -> Option<Request> {
    wallet.bank.request(parse(id)?).filter(|request| request.customer == customer)
}

pub(super) async fn request(State(wallet): Shared, Path((customer, id)): Path<(String, String)>) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    match own(&wallet, &customer.id, &id) {
        Some(request) => request_page(&wallet, &customer, &request, None).into_response(),
        None => missing(&wallet),
    }
}

pub(super) async fn approve(
    State(wallet): Shared,
    Path((customer, id)): Path<(String, String)>,
    Form(form): Form<ConfirmForm>,
) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    let Some(request) = own(&wallet, &customer.id, &id) else { return missing(&wallet) };
    let page = format!("/customers/{}/requests/{}", customer.id, request.id);
    if !wallet.knows(&form.token) || !wallet.bank.can_be_paid(&request) {
        return Redirect::to(&page).into_response();
    }
    match wallet.bank.approve(request.id).await {
        Ok(offer) => Redirect::to(&format!("/customers/{}/offers/{}", customer.id, offer.id)).into_response(),
        Err(error) => {
            let fault = words::no_offer(&error, wallet.bank.config.currency);
            let page = request_page(&wallet, &customer, &request, Some(&fault));
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
    }
}

pub(super) async fn refuse(
    State(wallet): Shared,
    Path((customer, id)): Path<(String, String)>,
    Form(form): Form<ConfirmForm>,
) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    let Some(request) = own(&wallet, &customer.id, &id) else { return missing(&wallet) };
    let page = format!("/customers/{}/requests/{}", customer.id, request.id);
    if !wallet.knows(&form.token) || !wallet.bank.can_be_paid(&request) {
        return Redirect::to(&page).into_response();
    }
    match wallet.bank.refuse_request(request.id).await {
        Ok(()) => Redirect::to(&page).into_response(),
        Err(error) => {
            tracing::warn!(%error, "a refusal could not be told");
            let fault = "The refusal could not be sent. Please try again.";
            let page = request_page(&wallet, &customer, &request, Some(fault));
            (StatusCode::SERVICE_UNAVAILABLE, page).into_response()
        }
    }
}

fn request_page(wallet: &Wallet, customer: &Customer, request: &Request, fault: Option<&str>) -> Markup {
    let bank = &wallet.bank;
    let payment = bank.payment_of_request(request);
    let title = match request.direction {
        Direction::Incoming => "You ask for money",
        Direction::Outgoing => "You are asked for money",
    };
    let answer = format!("/customers/{}/requests/{}", customer.id, request.id);
    let content = html! {
        h1 { (title) }
        @if let Some(fault) = fault { p.fault role="alert" { (fault) } }
        p.notice role="status" { (request.word(payment.as_ref())) }
        @if let RequestState::Failed(reason) = &request.state { p.muted { "Code " (reason.code) ": " (reason.description) } }
        dl.facts {
            dt { (if request.direction == Direction::Incoming { "From" } else { "To" }) }
            dd { strong { (request.other.name) } br; (request.other.number) " at " (request.other.fsp) }
            dt.total { (if request.direction == Direction::Incoming { "You get" } else { "They get" }) }
            dd.total { (money(request.amount, bank.config.currency)) }
            @if let Some(note) = &request.note { dt { "What for" } dd { (note) } }
            dt { "Time" } dd { (minute(request.opened)) }
        }
        @if bank.can_be_paid(request) {
            form method="post" action={ (answer) "/approve" } {
                input type="hidden" name="token" value=(wallet.token);
                button type="submit" { "See the fees and pay" }
            }
            form method="post" action={ (answer) "/refuse" } {
                input type="hidden" name="token" value=(wallet.token);
                button.quiet type="submit" { "Refuse" }
            }
        }
        @if let Some(payment) = &payment {
            p { a.button.quiet href={ "/customers/" (customer.id) "/payments/" (payment.id) } { "See the payment" } }
        }
        p { a href={ "/customers/" (customer.id) } { "Back to the account" } }
    };
    let is_new = now().millis() - request.opened.millis() < RELOAD_MS_MAX;
    let waits = request.direction == Direction::Incoming
        && is_new
        && payment.as_ref().map_or(request.state == RequestState::Waiting, crate::payment::Payment::is_pending);
    pages::document(bank, title, Some(customer), content, waits.then_some(RELOAD_SECONDS))
}

/// The customer's last requests, for the home page.
pub(super) fn list(bank: &Bank, customer: &Customer) -> Markup {
    let requests = bank.requests_of(&customer.id, REQUESTS_MAX);
    html! {
        @if !requests.is_empty() {
            h2 { "Requests" }
            ul.history {
                @for request in &requests {
                    @let word = request.word(bank.payment_of_request(request).as_ref());
                    li {
                        a href={ "/customers/" (customer.id) "/requests/" (request.id) } {
                            span.who {
                                @match request.direction {
                                    Direction::Incoming => { "You ask " (request.other.name) }
                                    Direction::Outgoing => { (request.other.name) " asks you" }
                                }
                            }
                            span.sum { (money(request.amount, bank.config.currency)) }
                            span.muted { (minute(request.opened)) }
                            span.state { (word) }
                        }
                    }
                }
            }
        }
    }
}
