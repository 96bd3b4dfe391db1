//! The wallet's pages as HTML.
//!
//! Invariant: every text from outside goes through maud's escaping; every field has a label, every fault is told in words
//! next to its field and announced, and no state is shown by colour alone.

use super::format::{minute, money};
use super::forms::{Faults, SendForm};
use super::{requests, words};
use crate::bank::Bank;
use crate::config::{Customer, Temper};
use crate::payer::Offer;
use crate::payment::{Conversion, Direction, Payment, State};
use maud::{DOCTYPE, Markup, html};
use vocabulary::{Amount, Money, SCALE};

/// Seconds after which the page of a payment on its way loads again.
const RELOAD_SECONDS: u32 = 3;

pub(super) fn customers(bank: &Bank) -> Markup {
    let content = html! {
        h1 { "Whose wallet is this?" }
        p { "A demonstration with invented people and money. Choose one; there is no password." }
        ul.cards {
            @for customer in bank.customers() {
                li {
                    a.card href={ "/customers/" (customer.id) } {
                        strong { (customer.name) }
                        span { (customer.number.identifier) }
                        @if let Some(hint) = hint(customer.temper) { em { (hint) } }
                    }
                }
            }
        }
        p { "Or work at the counter: " a href="/teller" { "Teller" } "." }
    };
    layout(bank, "Choose a customer", None, content)
}

pub(super) fn home(bank: &Bank, customer: &Customer, history: &[Payment], notice: Option<&str>) -> Markup {
    let (balance, available) = bank.balance(&customer.id);
    let content = html! {
        h1 { (customer.name) }
        @if let Some(notice) = notice { p.notice role="status" { (notice) } }
        p.muted { "Phone number " (customer.number.identifier) }
        @if bank.standing(&customer.id).is_blocked {
            p.fault { "This account is blocked. Please talk to us at the counter." }
        }
        section.balance aria-label="Balance" {
            p { "Balance" }
            p.amount { (cash(bank, balance)) }
            @if available != balance {
                p { (cash(bank, available)) " can be spent; the rest is set aside for payments on their way." }
            }
        }
        p { a.button href={ "/customers/" (customer.id) "/send" } { "Send money" } }
        ul.actions {
            li { a.button.quiet href={ "/customers/" (customer.id) "/ask" } { "Ask for money" } }
            li { a.button.quiet href={ "/customers/" (customer.id) "/lists" } { "Pay a list" } }
            li { a.button.quiet href={ "/customers/" (customer.id) "/scan" } { "Pay a code" } }
            li { a.button.quiet href={ "/customers/" (customer.id) "/code" } { "Show my code" } }
            li { a.button.quiet href={ "/customers/" (customer.id) "/statement" } { "Statement" } }
        }
        (requests::list(bank, customer))
        h2 { "History" }
        @if history.is_empty() {
            p.muted { "No payments yet." }
        } @else {
            ul.history { @for payment in history { (history_line(bank, payment)) } }
        }
    };
    layout(bank, &customer.name, Some(customer), content)
}

fn history_line(bank: &Bank, payment: &Payment) -> Markup {
    let (preposition, sign) = match (payment.direction, &payment.state) {
        // Nothing moved.
        (Direction::Outgoing, State::Failed { .. }) => ("To", ""),
        (Direction::Incoming, State::Failed { .. }) => ("From", ""),
        (Direction::Outgoing, State::Pending | State::Completed { .. }) => ("To", "−"),
        (Direction::Incoming, State::Pending | State::Completed { .. }) => ("From", "+"),
    };
    html! {
        li {
            a href={ "/customers/" (payment.customer) "/payments/" (payment.id) } {
                span.who { (preposition) " " (payment.other.name) }
                span.sum { (sign) (cash(bank, payment.customer_amount())) }
                span.muted { (minute(payment.opened)) }
                span class={ "state " (state_class(payment)) } { (state_word(payment)) }
                @if let Some(other) = other_amount(bank, payment) { span.muted { (other) } }
            }
        }
    }
}

/// The amount on the other side, if it is in another currency.
fn other_amount(bank: &Bank, payment: &Payment) -> Option<String> {
    let own = bank.config.currency;
    let (what, amount, currency) = match payment.direction {
        Direction::Outgoing => ("They get", payment.received, payment.received_in(own)),
        Direction::Incoming => ("They sent", payment.transfer, payment.sent_in(own)),
    };
    (currency != own).then(|| format!("{what} {}", money(amount, currency)))
}

pub(super) fn send(bank: &Bank, customer: &Customer, form: &SendForm, faults: &Faults) -> Markup {
    let has_choice = !bank.config.foreign.is_empty();
    let amount_label = if has_choice { "Amount".to_owned() } else { format!("Amount in {}", bank.config.currency) };
    let is_refund = !form.refund_of.is_empty();
    let title = if is_refund { "Give money back" } else { "Send money" };
    let is_faulty =
        faults.whole.is_some() || faults.number.is_some() || faults.amount.is_some() || faults.note.is_some();
    let content = html! {
        h1 { (title) }
        @if is_refund { p { "It goes back to where it came from. You can give back a part." } }
        p.muted { (cash(bank, bank.balance(&customer.id).1)) " can be spent." }
        @if is_faulty {
            p.fault role="alert" { (faults.whole.as_deref().unwrap_or("Please check the marked fields.")) }
        }
        form method="post" action={ "/customers/" (customer.id) "/send" } {
            input type="hidden" name="token" value=(form.token);
            input type="hidden" name="refund_of" value=(form.refund_of);
            (field("number", "Phone number of the person", faults.number, html! {
                input #number name="number" type="tel" inputmode="tel" autocomplete="off" required
                    value=(form.number) aria-invalid=[faults.number.map(|_| "true")]
                    aria-describedby=[faults.number.map(|_| "number-fault")];
            }))
            (field("amount", &amount_label, faults.amount, html! {
                input #amount name="amount" type="text" inputmode="decimal" autocomplete="off" required
                    value=(form.amount) aria-invalid=[faults.amount.map(|_| "true")]
                    aria-describedby=[faults.amount.map(|_| "amount-fault")];
            }))
            @if !bank.config.foreign.is_empty() {
                (field("currency", "Currency of the amount", None, html! {
                    select #currency name="currency" {
                        @for currency in bank.config.currencies() {
                            option value=(currency) selected[currency.as_str() == form.currency] { (currency) }
                        }
                    }
                }))
            }
            fieldset {
                legend { "This amount is" }
                label { input type="radio" name="mode" value="receive" checked[!form.sends_exactly()]; " what they get" }
                label { input type="radio" name="mode" value="send" checked[form.sends_exactly()]; " what I send; their provider's fee comes out of it" }
            }
            (field("note", "Message (if you like)", faults.note, html! {
                input #note name="note" type="text" maxlength="128" autocomplete="off" value=(form.note)
                    aria-invalid=[faults.note.map(|_| "true")] aria-describedby=[faults.note.map(|_| "note-fault")];
            }))
            button type="submit" { "Continue" }
        }
        p.muted { "You see the name and the fee before anything is paid." }
        @if !bank.config.suggestions.is_empty() {
            details {
                summary { "Numbers to try" }
                ul { @for (number, who) in &bank.config.suggestions { li { (number) " – " (who) } } }
            }
        }
    };
    layout(bank, title, Some(customer), content)
}

pub(super) fn field(id: &str, label: &str, fault: Option<&str>, input: Markup) -> Markup {
    html! {
        div.field {
            label for=(id) { (label) }
            (input)
            @if let Some(fault) = fault { p.fault id={ (id) "-fault" } { (fault) } }
        }
    }
}

pub(super) fn offer(bank: &Bank, customer: &Customer, offer: &Offer, token: &str) -> Markup {
    let name = offer.payee.name.as_deref().unwrap_or("Name not given");
    let converted = offer.conversion.as_ref().map(|conversion| conversion.currency);
    let arriving = offer.arrival.as_ref().map(|arrival| arrival.currency);
    let theirs = arriving.or(converted).unwrap_or(bank.config.currency);
    let content = html! {
        h1 { "Is this right?" }
        @if offer.refund.is_some() { p { "This gives money back that you have received." } }
        dl.facts {
            dt { "To" } dd { strong { (name) } br; (offer.payee.id.identifier) " at " (offer.payee.fsp) }
            dt { "They get" } dd { (money(offer.received, theirs)) }
            dt { "Fee of " (offer.payee.fsp) } dd { (money(offer.payee_fee, theirs)) }
            @if let Some(conversion) = &offer.conversion {
                (conversion_facts("Their provider gets", conversion, sent(bank, offer.transfer)))
            }
            @if offer.arrival.is_some() && offer.conversion.is_none() {
                dt { "Converted by " (offer.payee.fsp) } dd { (cash(bank, offer.transfer)) }
            }
            dt { "Our fee" } dd { (cash(bank, offer.fee)) }
            dt.total { "You pay in total" } dd.total { (cash(bank, offer.total)) }
            @if let Some(note) = &offer.note { dt { "Message" } dd { (note) } }
        }
        form method="post" action={ "/customers/" (customer.id) "/offers/" (offer.id) } {
            input type="hidden" name="token" value=(token);
            button type="submit" { "Pay " (cash(bank, offer.total)) }
        }
        form method="post" action={ "/customers/" (customer.id) "/offers/" (offer.id) "/decline" } {
            input type="hidden" name="token" value=(token);
            button.quiet type="submit" { "Do not pay" }
        }
        p.muted { "This offer holds until " (minute(offer.expiration)) "." }
    };
    layout(bank, "Confirm", Some(customer), content)
}

pub(super) fn payment(bank: &Bank, customer: &Customer, payment: &Payment) -> Markup {
    let title = result_title(payment);
    let theirs = payment.received_in(bank.config.currency);
    let from = Money { amount: payment.transfer, currency: payment.sent_in(bank.config.currency) };
    let content = html! {
        h1 class={ "result " (state_class(payment)) } role="status" { (title) }
        (explanation(payment))
        dl.facts {
            dt { (match payment.direction { Direction::Outgoing => "To", Direction::Incoming => "From" }) }
            dd { strong { (payment.other.name) } br; (payment.other.number) " at " (payment.other.fsp) }
            @match payment.direction {
                Direction::Outgoing => {
                    dt { "They get" } dd { (money(payment.received, theirs)) }
                    dt { "Fee of " (payment.other.fsp) } dd { (money(payment.other_fee(), theirs)) }
                    @if let Some(conversion) = &payment.conversion {
                        (conversion_facts("Their provider gets", conversion, from))
                    }
                    @if payment.arrival.is_some() && payment.conversion.is_none() {
                        dt { "Converted by " (payment.other.fsp) } dd { (cash(bank, payment.transfer)) }
                    }
                    dt { "Our fee" } dd { (cash(bank, payment.fee)) }
                    dt.total { "In total" } dd.total { (cash(bank, payment.customer_amount())) }
                }
                Direction::Incoming => {
                    dt { "Sent" } dd { (money(from.amount, from.currency)) }
                    @if let Some(conversion) = &payment.conversion {
                        (conversion_facts("Converted into", conversion, from))
                    }
                    dt { "Our fee" } dd { (cash(bank, payment.fee)) }
                    dt.total { "You get" } dd.total { (cash(bank, payment.received)) }
                }
            }
            @if let Some(note) = &payment.note { dt { "Message" } dd { (note) } }
            dt { "Time" } dd { (minute(payment.opened)) }
            dt { "Reference" } dd.reference { (payment.id) }
        }
        (refund_facts(bank, customer, payment))
        p { a.button href={ "/customers/" (customer.id) } { "Back to the account" } }
    };
    let reload = payment.is_pending().then_some(RELOAD_SECONDS);
    document(bank, title, Some(customer), content, reload)
}

/// What a payment gives back of another one, and what can be given back of it.
fn refund_facts(bank: &Bank, customer: &Customer, payment: &Payment) -> Markup {
    let original = payment.refund.as_ref().map(|refund| refund.of);
    let known = original.and_then(|id| bank.payment_of_transaction(id)).filter(|known| known.customer == customer.id);
    let left = bank.refundable(payment);
    html! {
        @if original.is_some() {
            p {
                "This gives money back"
                @if let Some(known) = known {
                    " of " a href={ "/customers/" (customer.id) "/payments/" (known.id) } { "an earlier payment" }
                }
                "."
            }
        }
        @if !left.is_zero() {
            p {
                a.button.quiet href={ "/customers/" (customer.id) "/send?refund_of=" (payment.id) } { "Give money back" }
            }
            @if left != payment.received { p.muted { (cash(bank, left)) " of it can still be given back." } }
        }
    }
}

fn sent(bank: &Bank, amount: Amount) -> Money {
    Money { amount, currency: bank.config.currency }
}

/// What a conversion takes and gives, at which rate.
fn conversion_facts(gives: &str, conversion: &Conversion, given: Money) -> Markup {
    html! {
        dt { (gives) } dd { (money(conversion.amount, conversion.currency)) }
        dt { "Converted by " (conversion.provider) } dd {
            (money(given.amount, given.currency))
            @if let Some(rate) = rate(given, conversion) { br; (rate) }
        }
        dt { "Of it, fee of " (conversion.provider) } dd { (money(conversion.charge, given.currency)) }
    }
}

/// `1 USD = KES 130.4512` after the fee, the dearer currency first.
fn rate(given: Money, conversion: &Conversion) -> Option<String> {
    let converted = given.amount.checked_sub(conversion.charge)?;
    let (own, theirs) = (given.currency, conversion.currency);
    let (one, other, for_one) = if converted >= conversion.amount {
        (theirs, own, unit_price(converted, conversion.amount)?)
    } else {
        (own, theirs, unit_price(conversion.amount, converted)?)
    };
    Some(format!("1 {one} = {}", money(for_one, other)))
}

/// What one whole unit costs, rounded to the nearest ten-thousandth.
fn unit_price(paid: Amount, bought: Amount) -> Option<Amount> {
    let (paid, bought) = (i128::from(paid.units()), i128::from(bought.units()));
    let scale = 10_i128.pow(SCALE);
    let units = (paid * scale * 2 + bought).checked_div(bought * 2)?;
    i64::try_from(units).ok().map(Amount::from_units)
}

fn explanation(payment: &Payment) -> Markup {
    html! {
        @match &payment.state {
            State::Pending => { p { "We wait for the answer of the payment network. The money is set aside; this page looks again by itself." } }
            State::Completed { .. } => {}
            State::Failed { reason, .. } => {
                p { (words::failure(reason)) @if payment.direction == Direction::Outgoing { " Nothing was taken from your account." } }
                p.muted { "Code " (reason.code) ": " (reason.description) }
            }
        }
    }
}

pub(super) fn missing(bank: &Bank) -> Markup {
    let content = html! {
        h1 { "There is nothing here" }
        p { a href="/" { "Choose a customer" } }
    };
    layout(bank, "Not found", None, content)
}

pub(super) fn layout(bank: &Bank, title: &str, customer: Option<&Customer>, content: Markup) -> Markup {
    document(bank, title, customer, content, None)
}

pub(super) fn document(
    bank: &Bank,
    title: &str,
    customer: Option<&Customer>,
    content: Markup,
    reload: Option<u32>,
) -> Markup {
    let provider = &bank.config.title;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if let Some(seconds) = reload { meta http-equiv="refresh" content=(seconds); }
                title { (title) " · " (provider) }
                link rel="stylesheet" href="/style.css";
                link rel="icon" href="data:,";
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header {
                    a.brand href="/" { (provider) }
                    @if let Some(customer) = customer {
                        nav aria-label="Account" {
                            a href={ "/customers/" (customer.id) } { (customer.name) }
                            a href="/" { "Switch" }
                        }
                    }
                }
                main #content tabindex="-1" { (content) }
                footer { "Demonstration: invented people, no real money." }
            }
        }
    }
}

pub(super) fn cash(bank: &Bank, amount: Amount) -> String {
    money(amount, bank.config.currency)
}

fn hint(temper: Temper) -> Option<&'static str> {
    match temper {
        Temper::Welcoming => None,
        Temper::Refusing => Some("refuses every payment, to try that out"),
        Temper::Silent => Some("never answers, to try that out"),
    }
}

fn state_word(payment: &Payment) -> &'static str {
    match (&payment.state, payment.direction) {
        (State::Pending, _) => "On its way",
        (State::Completed { .. }, Direction::Outgoing) => "Paid",
        (State::Completed { .. }, Direction::Incoming) => "Received",
        (State::Failed { .. }, _) => "Not paid",
    }
}

fn result_title(payment: &Payment) -> &'static str {
    match (&payment.state, payment.direction) {
        (State::Pending, _) => "The payment is on its way",
        (State::Completed { .. }, Direction::Outgoing) => "Paid",
        (State::Completed { .. }, Direction::Incoming) => "You received money",
        (State::Failed { .. }, _) => "The payment was not made",
    }
}

fn state_class(payment: &Payment) -> &'static str {
    match payment.state {
        State::Pending => "pending",
        State::Completed { .. } => "completed",
        State::Failed { .. } => "failed",
    }
}
