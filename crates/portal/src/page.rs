//! The pages: plain HTML that reads well on a phone, with a screen reader, and without its style sheet.

use crate::figures::{CurrencyFigures, Figures, ParticipantFigures, StandingFigures, Status, readable};
use hub::Health;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use vocabulary::{Amount, FspId};

const STYLE: &str = include_str!("style.css");

/// Participants, currencies and health.
pub(crate) fn overview(hub: &FspId, health: &Health, figures: &Figures) -> Markup {
    let content = html! {
        (status_line(health))
        section aria-labelledby="participants" {
            h2 id="participants" { "Participants" }
            @if figures.participants.is_empty() {
                p class="empty" { "Nobody takes part yet. Participants are created through the administration API." }
            }
            @for participant in &figures.participants { (participant_card(participant)) }
        }
        section aria-labelledby="currencies" {
            h2 id="currencies" { "Currencies" }
            @if figures.currencies.is_empty() {
                p class="empty" { "The hub has no accounts yet. Each currency needs two of its own." }
            } @else { (currency_table(&figures.currencies)) }
        }
        (services(health))
    };
    document(hub, "Overview", &content)
}

/// The overview while the database does not answer.
pub(crate) fn unavailable(hub: &FspId, health: &Health, reason: &str) -> Markup {
    let content = html! {
        (status_line(health))
        p class="alert" role="alert" { "Participants cannot be shown: " (reason) "." }
        (services(health))
    };
    document(hub, "Unavailable", &content)
}

pub(crate) fn not_found(hub: &FspId) -> Markup {
    document(hub, "Not found", &html! { p { "There is no such page. " a href="/" { "Overview" } } })
}

fn document(hub: &FspId, title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · " (hub) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a class="skip" href="#content" { "Skip to content" }
                header {
                    p class="brand" { "umoja" }
                    h1 { (hub) }
                }
                main id="content" { (content) }
                footer {
                    a href="/" { "Refresh" } " · " a href="/health" { "Health" } " · " a href="/metrics" { "Metrics" }
                }
            }
        }
    }
}

fn status_line(health: &Health) -> Markup {
    html! {
        p class="status" {
            @if health.is_up { (good("Up")) } @else { (bad("Down")) }
            " for " (duration(health.uptime_seconds)) " · version " (health.version)
        }
    }
}

fn participant_card(participant: &ParticipantFigures) -> Markup {
    html! {
        article {
            h3 {
                (participant.name)
                @if participant.is_proxy { " " span class="badge" { "Proxy" } }
                @if !participant.is_active { " " (bad("Inactive")) }
            }
            @if participant.standings.is_empty() { p class="empty" { "No positions." } }
            @for standing in &participant.standings { (standing_list(participant, standing)) }
            @if !participant.others.is_empty() { (others_list(participant)) }
        }
    }
}

/// One currency of a participant, as terms and figures: a table of four columns would not fit on a phone.
fn standing_list(participant: &ParticipantFigures, standing: &StandingFigures) -> Markup {
    let state = match standing.status {
        Status::Open => None,
        Status::Disabled => Some("Disabled"),
        Status::NotOpened => Some("Not opened"),
    };
    html! {
        dl aria-label={ (participant.name) " in " (standing.currency) } {
            div class="currency" {
                dt { "Currency" }
                dd { (standing.currency) @if let Some(state) = state { " " (bad(state)) } }
            }
            (figure("Position", Some(standing.position)))
            (figure("Liquidity", Some(standing.liquidity)))
            (figure("Net debit cap", standing.cap))
            (figure("Can still send", Some(standing.headroom)))
        }
    }
}

/// Accounts that no payment is judged by.
fn others_list(participant: &ParticipantFigures) -> Markup {
    html! {
        dl aria-label={ "Other accounts of " (participant.name) } {
            @for other in &participant.others {
                (figure(&format!("{} {}", other.kind, other.currency), Some(other.balance)))
            }
        }
    }
}

fn figure(term: &str, amount: Option<Amount>) -> Markup {
    html! { div { dt { (term) } dd class="figure" { (amount.map_or_else(|| "none".to_owned(), readable)) } } }
}

fn currency_table(currencies: &[CurrencyFigures]) -> Markup {
    let cell = |amount: Option<Amount>| amount.map_or_else(|| "missing".to_owned(), readable);
    html! {
        table {
            thead { tr { th scope="col" { "Currency" } th scope="col" { "Paid in" } th scope="col" { "In settlement" } } }
            tbody {
                @for row in currencies {
                    tr {
                        th scope="row" { (row.currency) }
                        td class="figure" { (cell(row.reconciliation)) }
                        td class="figure" { (cell(row.settlement)) }
                    }
                }
            }
        }
    }
}

fn services(health: &Health) -> Markup {
    html! {
        section aria-labelledby="services" {
            h2 id="services" { "Services" }
            ul class="services" {
                @for (name, is_up) in &health.services {
                    li { @if *is_up { (good("OK")) } @else { (bad("Down")) } " " (name) }
                }
            }
        }
    }
}

fn good(word: &str) -> Markup {
    html! { span class="badge good" { (word) } }
}

fn bad(word: &str) -> Markup {
    html! { span class="badge bad" { (word) } }
}

/// Seconds in the two largest units that matter.
fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    if days > 0 {
        format!("{days} d {hours} h")
    } else if hours > 0 {
        format!("{hours} h {minutes} min")
    } else if minutes > 0 {
        format!("{minutes} min {} s", seconds % 60)
    } else {
        format!("{seconds} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::OtherFigures;
    use vocabulary::Timestamp;

    fn health() -> Health {
        let started_at = Timestamp::from_millis(0);
        Health { is_up: true, uptime_seconds: 90, started_at, version: "0.1.0", services: vec![("datastore", false)] }
    }

    fn standing(status: Status) -> StandingFigures {
        let (position, liquidity, headroom) = (Amount::ZERO, "1000.5".parse().unwrap(), Amount::ZERO);
        StandingFigures { currency: "USD".parse().unwrap(), status, position, liquidity, cap: None, headroom }
    }

    #[test]
    fn names_are_escaped() {
        let name: FspId = "<b>&\"".parse().unwrap();
        let (kind, currency) = ("LEVY".parse().unwrap(), "USD".parse().unwrap());
        let other = OtherFigures { kind, currency, balance: "-7.25".parse().unwrap() };
        let participant = ParticipantFigures {
            name: name.clone(),
            is_active: false,
            is_proxy: true,
            standings: vec![standing(Status::NotOpened)],
            others: vec![other],
        };
        let figures = Figures { participants: vec![participant], currencies: Vec::new() };
        let page = overview(&name, &health(), &figures).into_string();
        assert!(!page.contains("<b>"));
        for expected in
            ["&lt;b&gt;", "Inactive", "Proxy", "Not opened", "1\u{202f}000.5", "none", "1 min 30 s", "LEVY USD"]
        {
            assert!(page.contains(expected), "{expected}");
        }
    }

    #[test]
    fn an_empty_hub_says_what_to_do() {
        let figures = Figures { participants: Vec::new(), currencies: Vec::new() };
        let page = overview(&"Hub".parse().unwrap(), &health(), &figures).into_string();
        assert!(page.contains("Nobody takes part yet") && page.contains("The hub has no accounts yet"));
    }

    #[test]
    fn durations_show_two_units() {
        for (seconds, expected) in [(5, "5 s"), (65, "1 min 5 s"), (3_700, "1 h 1 min"), (90_000, "1 d 1 h")] {
            assert_eq!(duration(seconds), expected);
        }
    }
}
