//! The wallet's requests: reads what was asked, calls the bank, picks the page.

use super::forms::{ConfirmForm, Faults, FilledFrom, Notice, SendForm};
use super::{Wallet, pages, words};
use crate::code::Code;
use crate::config::Customer;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use std::{sync::Arc, time::Duration};
use vocabulary::CorrelationId;

/// Payments on the home page.
const HISTORY_MAX: usize = 50;
/// How long the result page waits for the end of a payment before it says that it is still on its way.
const RESULT_WAIT: Duration = Duration::from_secs(3);

pub(super) type Shared = State<Arc<Wallet>>;

pub(super) async fn customers(State(wallet): Shared) -> Markup {
    pages::customers(&wallet.bank)
}

pub(super) async fn style(State(wallet): Shared) -> impl IntoResponse {
    let hue = wallet.bank.config.hue % 360;
    let css = format!(":root{{--hue:{hue}}}\n{}", include_str!("style.css"));
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], css)
}

pub(super) async fn home(
    State(wallet): Shared,
    Path(customer): Path<String>,
    Query(notice): Query<Notice>,
) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    let history = wallet.bank.history(&customer.id, HISTORY_MAX);
    pages::home(&wallet.bank, &customer, &history, words::notice(&notice.said)).into_response()
}

/// The form, filled in if it comes from a code or a payment to give back.
pub(super) async fn send_form(
    State(wallet): Shared,
    Path(customer): Path<String>,
    Query(from): Query<FilledFrom>,
) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    let form = match (from.code.as_str(), from.refund_of.as_str()) {
        ("", "") => Some(SendForm::default()),
        ("", refund_of) => parse(refund_of).and_then(|id| wallet.bank.payment(id)).and_then(|payment| {
            let left = wallet.bank.refundable(&payment);
            (payment.customer == customer.id && !left.is_zero()).then(|| SendForm::of_refund(&payment, left))
        }),
        (code, _) => Code::parse(code).map(SendForm::of_code),
    };
    match form {
        Some(form) => page_of_form(&wallet, &customer, &form, &Faults::default()).into_response(),
        None if !from.code.is_empty() => {
            Redirect::to(&format!("/customers/{}/scan?said=unread", customer.id)).into_response()
        }
        None => missing(&wallet),
    }
}

pub(super) async fn send(State(wallet): Shared, Path(customer): Path<String>, Form(form): Form<SendForm>) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    if !wallet.knows(&form.token) {
        let faults = Faults::of_whole("This form was too old. Please check it and send it again.");
        return (StatusCode::FORBIDDEN, page_of_form(&wallet, &customer, &form, &faults)).into_response();
    }
    let wish = match form.wish(&customer.id, &wallet.bank.config.currencies()) {
        Ok(wish) => wish,
        Err(faults) => {
            return (StatusCode::UNPROCESSABLE_ENTITY, page_of_form(&wallet, &customer, &form, &faults))
                .into_response();
        }
    };
    match wallet.bank.offer(wish).await {
        Ok(offer) => Redirect::to(&format!("/customers/{}/offers/{}", customer.id, offer.id)).into_response(),
        Err(error) => {
            tracing::info!(%error, "a customer got no offer");
            let faults = Faults::of_whole(words::no_offer(&error, wallet.bank.config.currency));
            (StatusCode::UNPROCESSABLE_ENTITY, page_of_form(&wallet, &customer, &form, &faults)).into_response()
        }
    }
}

pub(super) async fn offer(State(wallet): Shared, Path((customer, offer)): Path<(String, String)>) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    let Some(id) = parse(&offer) else { return missing(&wallet) };
    if wallet.bank.payment(id).is_some_and(|payment| payment.customer == customer.id) {
        return to_payment(&customer, id);
    }
    match wallet.bank.open_offer(id).filter(|offer| offer.customer == customer.id) {
        Some(offer) => pages::offer(&wallet.bank, &customer, &offer, &wallet.token).into_response(),
        None => {
            let faults = Faults::of_whole(words::no_offer(&crate::PayError::NoOffer, wallet.bank.config.currency));
            (StatusCode::GONE, page_of_form(&wallet, &customer, &SendForm::default(), &faults)).into_response()
        }
    }
}

pub(super) async fn confirm(
    State(wallet): Shared,
    Path((customer, offer)): Path<(String, String)>,
    Form(form): Form<ConfirmForm>,
) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    let Some(id) = parse(&offer) else { return missing(&wallet) };
    if !wallet.knows(&form.token) {
        // The offer is still there; its page has a fresh form.
        return Redirect::to(&format!("/customers/{}/offers/{id}", customer.id)).into_response();
    }
    let offered = wallet.bank.open_offer(id).map(|offer| offer.customer);
    let paid = wallet.bank.payment(id).map(|payment| payment.customer);
    if offered.or(paid).as_ref().is_some_and(|owner| *owner != customer.id) {
        return missing(&wallet);
    }
    match wallet.bank.confirm(id) {
        Ok(id) => to_payment(&customer, id),
        Err(error) => {
            let faults = Faults::of_whole(words::no_offer(&error, wallet.bank.config.currency));
            let page = page_of_form(&wallet, &customer, &SendForm::default(), &faults);
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
    }
}

pub(super) async fn decline(
    State(wallet): Shared,
    Path((customer, offer)): Path<(String, String)>,
    Form(form): Form<ConfirmForm>,
) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    let Some(id) = parse(&offer) else { return missing(&wallet) };
    if !wallet.knows(&form.token) {
        return Redirect::to(&format!("/customers/{}/offers/{id}", customer.id)).into_response();
    }
    match wallet.bank.open_offer(id) {
        Some(offer) if offer.customer != customer.id => return missing(&wallet),
        Some(_) => wallet.bank.decline(id),
        // Paid or gone; its page says which.
        None => return Redirect::to(&format!("/customers/{}/offers/{id}", customer.id)).into_response(),
    }
    Redirect::to(&format!("/customers/{}?said=declined", customer.id)).into_response()
}

pub(super) async fn payment(State(wallet): Shared, Path((customer, payment)): Path<(String, String)>) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    let Some(id) = parse(&payment) else { return missing(&wallet) };
    // Most payments end within a fraction of a second; a time-out only means that this page says "on its way".
    let _ = tokio::time::timeout(RESULT_WAIT, wallet.bank.settled(id)).await;
    match wallet.bank.payment(id).filter(|payment| payment.customer == customer.id) {
        Some(payment) => pages::payment(&wallet.bank, &customer, &payment).into_response(),
        None => missing(&wallet),
    }
}

pub(super) async fn not_found(State(wallet): Shared) -> Response {
    missing(&wallet)
}

fn page_of_form(wallet: &Wallet, customer: &Customer, form: &SendForm, faults: &Faults) -> Markup {
    pages::send(&wallet.bank, customer, &SendForm { token: wallet.token.clone(), ..form.clone() }, faults)
}

fn to_payment(customer: &Customer, id: CorrelationId) -> Response {
    Redirect::to(&format!("/customers/{}/payments/{id}", customer.id)).into_response()
}

pub(super) fn missing(wallet: &Wallet) -> Response {
    (StatusCode::NOT_FOUND, pages::missing(&wallet.bank)).into_response()
}

pub(super) fn parse(id: &str) -> Option<CorrelationId> {
    id.parse().ok()
}

impl Wallet {
    pub(super) fn knows(&self, token: &str) -> bool {
        token == self.token
    }
}
