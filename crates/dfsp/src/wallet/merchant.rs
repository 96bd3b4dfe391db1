//! Payment codes: the picture that a merchant, or anybody, shows, and the way from a code to a filled-in form.
//!
//! Invariant: a code only fills in the form; name, fees and total come from the scheme and are shown before anything is paid.

use super::Wallet;
use super::forms::{FilledFrom, Notice};
use super::handlers::{Shared, missing};
use super::pages::{self, field};
use super::{format, words};
use crate::code::Code;
use crate::config::Customer;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use qrcode::{Color, EcLevel, QrCode};
use serde::Deserialize;
use std::fmt::Write;

/// Modules of white around the picture, as readers want it.
const QUIET_ZONE: usize = 4;
const REFERENCE_CHARS_MAX: usize = 25;

/// What the code is to say, as typed; both may be empty.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct CodeForm {
    amount: String,
    reference: String,
}

/// A customer's code: with the amount of a bill, or without.
pub(super) async fn code(
    State(wallet): Shared,
    Path(customer): Path<String>,
    Query(form): Query<CodeForm>,
) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    let currency = wallet.bank.config.currency;
    let amount = match form.amount.trim() {
        "" => Ok(None),
        typed => format::read_amount(typed, currency).map(Some).ok_or("Write an amount above zero, or leave it out."),
    };
    let reference = form.reference.trim();
    let is_short = reference.chars().count() <= REFERENCE_CHARS_MAX && reference.is_ascii();
    let reference_fault = (!is_short).then_some("Write at most 25 letters and digits without accents.");
    let code = match (amount, reference_fault) {
        (Ok(amount), None) => Some(Code {
            number: customer.number.clone(),
            name: customer.name.clone(),
            currency,
            amount,
            reference: (!reference.is_empty()).then(|| reference.to_owned()),
        }),
        (Ok(_) | Err(_), _) => None,
    };
    let status = if code.is_some() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = code_page(&wallet, &customer, &form, code.as_ref(), [amount.err(), reference_fault]);
    (status, page).into_response()
}

fn code_page(
    wallet: &Wallet,
    customer: &Customer,
    form: &CodeForm,
    code: Option<&Code>,
    [amount_fault, reference_fault]: [Option<&str>; 2],
) -> Markup {
    let content = html! {
        h1 { "Be paid by code" }
        @match code {
            Some(code) => { (shown(wallet, code)) }
            None => { p.fault role="alert" { "Please check the marked fields." } }
        }
        h2 { "A code for a bill" }
        form method="get" action={ "/customers/" (customer.id) "/code" } {
            (field("amount", &format!("Amount in {} (if you like)", wallet.bank.config.currency), amount_fault, html! {
                input #amount name="amount" type="text" inputmode="decimal" autocomplete="off" value=(form.amount)
                    aria-invalid=[amount_fault.map(|_| "true")] aria-describedby=[amount_fault.map(|_| "amount-fault")];
            }))
            (field("reference", "Bill number (if you like)", reference_fault, html! {
                input #reference name="reference" type="text" autocomplete="off" value=(form.reference)
                    aria-invalid=[reference_fault.map(|_| "true")]
                    aria-describedby=[reference_fault.map(|_| "reference-fault")];
            }))
            button type="submit" { "Make the code" }
        }
    };
    pages::layout(&wallet.bank, "Be paid by code", Some(customer), content)
}

fn shown(wallet: &Wallet, code: &Code) -> Markup {
    let what = match code.amount {
        Some(amount) => format!("{} to {}", format::money(amount, code.currency), code.name),
        None => format!("{}, who says the amount", code.name),
    };
    let text = code.text();
    let drawing = text.as_deref().and_then(picture);
    let neighbours = wallet.neighbours.get().map(Vec::as_slice).unwrap_or_default();
    html! {
        @match (&text, drawing) {
            (Some(text), Some(drawing)) => {
                p { "Whoever pays reads this code: " strong { (what) } "." }
                (drawing)
                details {
                    summary { "The code as text, to copy" }
                    p.text { (text) }
                }
                @if !neighbours.is_empty() {
                    h2 { "Pay it from another wallet of this demonstration" }
                    ul.actions {
                        @for (title, address) in neighbours {
                            li { a.button.quiet href={ (address) "/pay?code=" (percent_encoded(text)) } { "Open in " (title) } }
                        }
                    }
                }
            }
            (Some(_) | None, _) => { p { "There are no codes in the currency " (code.currency) " here." } }
        }
    }
}

/// The picture as one path of an inline SVG, black on white in every colour scheme.
fn picture(text: &str) -> Option<Markup> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (index, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let (column, row) = (index % width + QUIET_ZONE, index / width + QUIET_ZONE);
            write!(path, "M{column} {row}h1v1h-1z").expect("a text takes all that is written");
        }
    }
    let side = width + 2 * QUIET_ZONE;
    Some(html! {
        svg.code viewBox={ "0 0 " (side) " " (side) } role="img" aria-label="QR code" shape-rendering="crispEdges" {
            path d=(path) fill="#000" {}
        }
    })
}

/// Every byte that is not a letter or digit, so that the text survives in a query.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a text takes all that is written");
        }
    }
    encoded
}

/// Where the text of a code is put in; reading it with a camera is the phone's affair.
pub(super) async fn scan(
    State(wallet): Shared,
    Path(customer): Path<String>,
    Query(notice): Query<Notice>,
) -> Response {
    let Some(customer) = wallet.bank.customer(&customer) else { return missing(&wallet) };
    let fault = words::notice(&notice.said);
    let content = html! {
        h1 { "Pay a code" }
        p { "Read the code with your phone and put its text in here. You see the name and the fees before anything is paid." }
        form method="get" action={ "/customers/" (customer.id) "/send" } {
            (field("code", "Text of the code", fault, html! {
                textarea #code name="code" rows="4" maxlength="512" required autocomplete="off" spellcheck="false"
                    aria-invalid=[fault.map(|_| "true")] aria-describedby=[fault.map(|_| "code-fault")] {}
            }))
            button type="submit" { "Continue" }
        }
    };
    pages::layout(&wallet.bank, "Pay a code", Some(&customer), content).into_response()
}

/// A code that was opened from elsewhere: who of our customers pays it?
pub(super) async fn who_pays(State(wallet): Shared, Query(from): Query<FilledFrom>) -> Response {
    let Some(code) = Code::parse(&from.code) else {
        let content = html! {
            h1 { "This is no code that can be paid here" }
            p { a href="/" { "Choose a customer" } }
        };
        let page = pages::layout(&wallet.bank, "Not a code", None, content);
        return (StatusCode::UNPROCESSABLE_ENTITY, page).into_response();
    };
    let content = html! {
        h1 { "Who pays?" }
        p {
            "The code asks for " strong {
                (code.amount.map_or_else(|| "an amount that you say".to_owned(), |amount| format::money(amount, code.currency)))
            }
            ", it says for " strong { (code.name) } ". The payment network will tell the real name."
        }
        ul.cards {
            @for customer in wallet.bank.customers() {
                li {
                    a.card href={ "/customers/" (customer.id) "/send?code=" (percent_encoded(&from.code)) } {
                        strong { (customer.name) }
                        span { (customer.number.identifier) }
                    }
                }
            }
        }
    };
    pages::layout(&wallet.bank, "Who pays?", None, content).into_response()
}
