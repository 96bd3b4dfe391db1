//! The counter: accounts are opened, cash is brought and taken, customers are put into tiers and blocked; what is set aside
//! and what is in doubt is seen.
//!
//! Invariant: a form for cash carries the number of its slip, so that sending it twice moves cash once.

use super::Wallet;
use super::format::{self, minute, money};
use super::forms::Notice;
use super::handlers::{Shared, missing, parse};
use super::pages::{self, cash as shown_cash, field};
use super::words;
use crate::bank::{Bank, Opening, Standing};
use crate::books::Account;
use crate::config::Customer;
use crate::payment::{Direction, Payment};
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use sdk::{new_id, now};
use serde::Deserialize;
use vocabulary::{Amount, PartyId};

const NAME_CHARS_MAX: usize = 128;
/// Payments under way that the page lists.
const PAYMENTS_MAX: usize = 50;
const TOO_OLD: &str = "This form was too old. Please check it and send it again.";

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct OpenForm {
    token: String,
    name: String,
    number: String,
    tier: String,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct CashForm {
    token: String,
    /// The number of the slip.
    slip: String,
    amount: String,
    /// `in` or `out`.
    way: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct StandingForm {
    token: String,
    tier: String,
    /// Present if the box is ticked.
    blocked: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RegisterForm {
    token: String,
}

/// What is wrong with a form: with the whole, and with two of its fields.
#[derive(Default)]
struct Wrong {
    whole: Option<String>,
    fields: [Option<&'static str>; 2],
}

pub(super) async fn counter(State(wallet): Shared) -> Markup {
    counter_page(&wallet, &OpenForm::default(), &Wrong::default())
}

pub(super) async fn open(State(wallet): Shared, Form(form): Form<OpenForm>) -> Response {
    let again = |status: StatusCode, wrong: Wrong| (status, counter_page(&wallet, &form, &wrong)).into_response();
    if !wallet.knows(&form.token) {
        return again(StatusCode::FORBIDDEN, Wrong { whole: Some(TOO_OLD.into()), ..Wrong::default() });
    }
    let (name, number) = (form.name.trim(), format::read_number(&form.number));
    let is_name = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
    let fields = [
        (!is_name).then_some("Write a name of at most 128 characters."),
        number.is_none().then_some("Write a phone number of 5 to 15 digits."),
    ];
    let Some(number) = number.filter(|_| is_name) else {
        let whole = Some("Please check the marked fields.".into());
        return again(StatusCode::UNPROCESSABLE_ENTITY, Wrong { whole, fields });
    };
    match admitted(&wallet.bank, name, &number, &form.tier).await {
        Ok((id, said)) => Redirect::to(&format!("/teller/{id}?said={said}")).into_response(),
        Err(sentence) => again(StatusCode::UNPROCESSABLE_ENTITY, Wrong { whole: Some(sentence), ..Wrong::default() }),
    }
}

/// Opens the account of a number that nobody else serves, and registers it.
async fn admitted(bank: &Bank, name: &str, number: &PartyId, tier: &str) -> Result<(String, &'static str), String> {
    if let Some(known) = bank.customer_of(number) {
        return Ok((known.id.clone(), "known"));
    }
    let away = "The payment network cannot be asked about this number. Nothing was opened; please try again.";
    let server = bank.connection().server_of(number).await.map_err(|error| {
        tracing::info!(%error, "the directory could not be asked about a new customer's number");
        away.to_owned()
    })?;
    if let Some(other) = server.filter(|server| server != bank.connection().name()) {
        return Err(format!("This number belongs to a customer of {other}. Nothing was opened."));
    }
    match bank.open_customer(name, number, tier) {
        Ok(Opening::Known(id)) => Ok((id, "known")),
        Ok(Opening::Opened(id)) => {
            let said = if registered(bank, &id).await { "opened" } else { "unregistered" };
            Ok((id, said))
        }
        Err(error) => Err(words::not_booked(&error, bank.config.currency)),
    }
}

async fn registered(bank: &Bank, id: &str) -> bool {
    let Some(customer) = bank.customer(id) else { return false };
    let outcome = bank.register(&customer).await;
    outcome.inspect_err(|error| tracing::warn!(%error, "a customer's number could not be registered")).is_ok()
}

pub(super) async fn customer(State(wallet): Shared, Path(id): Path<String>, Query(notice): Query<Notice>) -> Response {
    let Some(customer) = wallet.bank.customer(&id) else { return missing(&wallet) };
    let notice = words::notice(&notice.said);
    customer_page(&wallet, &customer, notice, (&CashForm::default(), &Wrong::default())).into_response()
}

pub(super) async fn cash(State(wallet): Shared, Path(id): Path<String>, Form(form): Form<CashForm>) -> Response {
    let Some(customer) = wallet.bank.customer(&id) else { return missing(&wallet) };
    let again = |status: StatusCode, wrong: &Wrong| {
        (status, customer_page(&wallet, &customer, None, (&form, wrong))).into_response()
    };
    let Some(slip) = parse(&form.slip).filter(|_| wallet.knows(&form.token)) else {
        return again(StatusCode::FORBIDDEN, &Wrong { whole: Some(TOO_OLD.into()), ..Wrong::default() });
    };
    let currency = wallet.bank.config.currency;
    let amount = format::read_amount(&form.amount, currency);
    let signed = amount.and_then(|amount| if form.way == "out" { amount.checked_neg() } else { Some(amount) });
    let Some(signed) = signed else {
        let fields = [Some("Write an amount above zero, for example 250 or 99.50."), None];
        return again(StatusCode::UNPROCESSABLE_ENTITY, &Wrong { whole: None, fields });
    };
    match wallet.bank.move_cash(slip, &customer.id, signed) {
        Ok(_) => Redirect::to(&format!("/teller/{}?said=booked", customer.id)).into_response(),
        Err(error) => {
            let whole = Some(words::not_booked(&error, currency));
            again(StatusCode::UNPROCESSABLE_ENTITY, &Wrong { whole, ..Wrong::default() })
        }
    }
}

pub(super) async fn standing(
    State(wallet): Shared,
    Path(id): Path<String>,
    Form(form): Form<StandingForm>,
) -> Response {
    let Some(customer) = wallet.bank.customer(&id) else { return missing(&wallet) };
    let known = wallet.bank.config.tiers.iter().any(|tier| tier.name == form.tier);
    if wallet.knows(&form.token) && (known || wallet.bank.config.tiers.is_empty()) {
        let standing = Standing { tier: form.tier, is_blocked: !form.blocked.is_empty() };
        if let Err(error) = wallet.bank.change_standing(&customer.id, standing) {
            tracing::error!(%error, "a customer's standing could not be recorded");
            return (StatusCode::SERVICE_UNAVAILABLE, words::not_booked(&error, wallet.bank.config.currency))
                .into_response();
        }
        return Redirect::to(&format!("/teller/{}?said=changed", customer.id)).into_response();
    }
    Redirect::to(&format!("/teller/{}", customer.id)).into_response()
}

pub(super) async fn register(
    State(wallet): Shared,
    Path(id): Path<String>,
    Form(form): Form<RegisterForm>,
) -> Response {
    let Some(customer) = wallet.bank.customer(&id) else { return missing(&wallet) };
    if !wallet.knows(&form.token) {
        return Redirect::to(&format!("/teller/{}", customer.id)).into_response();
    }
    let said = if registered(&wallet.bank, &customer.id).await { "registered" } else { "unregistered" };
    Redirect::to(&format!("/teller/{}?said={said}", customer.id)).into_response()
}

fn counter_page(wallet: &Wallet, form: &OpenForm, wrong: &Wrong) -> Markup {
    let bank = &wallet.bank;
    let open = bank.open_payments();
    let in_vault = bank.balance_of(&Account::Cash).checked_neg().unwrap_or_default();
    let content = html! {
        h1 { "Teller" }
        dl.facts {
            dt { "Cash in the vault" } dd { (shown_cash(bank, in_vault)) }
            dt { "Set aside for payments" } dd { (shown_cash(bank, bank.held())) }
            dt { "Fees earned" } dd { (shown_cash(bank, bank.balance_of(&Account::FeeIncome))) }
        }
        h2 { "Customers" }
        ul.cards { @for customer in bank.customers() { (customer_card(bank, &customer)) } }
        h2 { "Payments on their way" }
        @if open.is_empty() { p.muted { "None." } } @else {
            ul.history { @for payment in open.iter().take(PAYMENTS_MAX) { (open_line(bank, payment)) } }
        }
        h2 { "Open an account" }
        @if let Some(whole) = &wrong.whole { p.fault role="alert" { (whole) } }
        form method="post" action="/teller" {
            input type="hidden" name="token" value=(wallet.token);
            (field("name", "Name of the customer", wrong.fields[0], html! {
                input #name name="name" type="text" maxlength="128" required autocomplete="off" value=(form.name)
                    aria-invalid=[wrong.fields[0].map(|_| "true")] aria-describedby=[wrong.fields[0].map(|_| "name-fault")];
            }))
            (field("number", "Phone number", wrong.fields[1], html! {
                input #number name="number" type="tel" inputmode="tel" required autocomplete="off" value=(form.number)
                    aria-invalid=[wrong.fields[1].map(|_| "true")]
                    aria-describedby=[wrong.fields[1].map(|_| "number-fault")];
            }))
            (tier_field(bank, &form.tier))
            button type="submit" { "Open the account" }
        }
    };
    pages::layout(bank, "Teller", None, content)
}

fn customer_card(bank: &Bank, customer: &Customer) -> Markup {
    let standing = bank.standing(&customer.id);
    html! {
        li {
            a.card href={ "/teller/" (customer.id) } {
                strong { (customer.name) }
                span { (customer.number.identifier) " · " (shown_cash(bank, bank.balance(&customer.id).0)) }
                em { (bank.tier_of(&customer.id).name) @if standing.is_blocked { ", blocked" } }
            }
        }
    }
}

/// A payment whose time is over is in doubt: the scheme has not said how it ended, and is asked until it does.
fn open_line(bank: &Bank, payment: &Payment) -> Markup {
    let in_doubt = payment.expiration < now();
    let way = match payment.direction {
        Direction::Outgoing => "to",
        Direction::Incoming => "from",
    };
    html! {
        li {
            a href={ "/customers/" (payment.customer) "/payments/" (payment.id) } {
                span.who { (payment.customer) " " (way) " " (payment.other.name) }
                span.sum { (shown_cash(bank, payment.customer_amount())) }
                span.muted { (minute(payment.opened)) }
                span class={ "state " (if in_doubt { "failed" } else { "pending" }) } {
                    (if in_doubt { "In doubt; the network is asked" } else { "On its way" })
                }
            }
        }
    }
}

fn tier_field(bank: &Bank, chosen: &str) -> Markup {
    html! {
        @if !bank.config.tiers.is_empty() {
            (field("tier", "How well the customer is known", None, html! {
                select #tier name="tier" {
                    @for tier in &bank.config.tiers {
                        option value=(tier.name) selected[tier.name == chosen] { (tier.name) }
                    }
                }
            }))
        }
    }
}

fn customer_page(
    wallet: &Wallet,
    customer: &Customer,
    notice: Option<&str>,
    (form, wrong): (&CashForm, &Wrong),
) -> Markup {
    let bank = &wallet.bank;
    let (balance, available) = bank.balance(&customer.id);
    let standing = bank.standing(&customer.id);
    let content = html! {
        h1 { (customer.name) }
        @if let Some(notice) = notice { p.notice role="status" { (notice) } }
        dl.facts {
            dt { "Phone number" } dd { (customer.number.identifier) }
            dt { "Balance" } dd { (shown_cash(bank, balance)) }
            dt { "Of it, can be spent" } dd { (shown_cash(bank, available)) }
            (limit_facts(bank, customer))
        }
        h2 { "Cash" }
        @if let Some(whole) = &wrong.whole { p.fault role="alert" { (whole) } }
        form method="post" action={ "/teller/" (customer.id) "/cash" } {
            input type="hidden" name="token" value=(wallet.token);
            input type="hidden" name="slip" value=(new_id());
            (field("amount", &format!("Amount in {}", bank.config.currency), wrong.fields[0], html! {
                input #amount name="amount" type="text" inputmode="decimal" required autocomplete="off" value=(form.amount)
                    aria-invalid=[wrong.fields[0].map(|_| "true")]
                    aria-describedby=[wrong.fields[0].map(|_| "amount-fault")];
            }))
            button type="submit" name="way" value="in" { "Take cash in" }
            button.quiet type="submit" name="way" value="out" { "Give cash out" }
        }
        h2 { "Limits" }
        form method="post" action={ "/teller/" (customer.id) "/standing" } {
            input type="hidden" name="token" value=(wallet.token);
            (tier_field(bank, &bank.tier_of(&customer.id).name))
            p { label.tick { input type="checkbox" name="blocked" value="yes" checked[standing.is_blocked]; " Blocked: neither pays nor is paid" } }
            button.quiet type="submit" { "Write down" }
        }
        h2 { "Payment network" }
        form method="post" action={ "/teller/" (customer.id) "/register" } {
            input type="hidden" name="token" value=(wallet.token);
            button.quiet type="submit" { "Register the number" }
        }
        p { a href="/teller" { "Back to the counter" } }
    };
    pages::layout(bank, &customer.name, None, content)
}

fn limit_facts(bank: &Bank, customer: &Customer) -> Markup {
    let tier = bank.tier_of(&customer.id);
    let limits = [("One payment", tier.payment_max), ("Sent in a day", tier.day_max), ("Balance", tier.balance_max)];
    html! {
        dt { "Known" } dd { (tier.name) }
        @for (what, most) in limits.into_iter().filter(|(_, most)| *most != Amount::MAX) {
            dt { (what) " at most" } dd { (money(most, bank.config.currency)) }
        }
    }
}
