//! `/umoja/v1/in-doubt`: payments that another scheme decides and has not, and what an operator says of them. Our own
//! addition. Such a payment is asked about for ever; an operator ends it only after the other scheme's operator has said
//! how it stands there.

use super::{
    form::{Form, TEXT_CHARS, malformed},
    funds::{add_reason, text_of},
    outbox::unknown,
    reply::{Answer, ok},
    request::{Actor, Filters, JsonBody, Segments},
    trace,
};
use crate::Hub;
use axum::extract::State;
use hub_core::{
    Command, Subject, SubjectKind,
    transfers::{Resolve, Transfer},
};
use serde::Serialize;
use std::sync::Arc;
use vocabulary::CorrelationId;

const LIMIT_MAX: usize = 1000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    /// `transfers` or `fxTransfers`.
    resource: &'static str,
    state: &'static str,
    #[serde(flatten)]
    transfer: trace::TransferView,
    /// The transfer that a conversion is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    determining_transfer_id: Option<String>,
}

impl View {
    fn of(known: &Transfer) -> Self {
        let determining = known.terms().map(|_| known.payment().to_string());
        Self {
            resource: if determining.is_some() { "fxTransfers" } else { "transfers" },
            state: trace::name_of(known.stage()),
            transfer: trace::transfer_view(known),
            determining_transfer_id: determining,
        }
    }
}

/// Those whose expiration has passed, oldest first, at most a thousand.
pub(super) async fn list(State(hub): State<Arc<Hub>>, _filters: Filters) -> Answer {
    let undecided = hub.store().undecided(LIMIT_MAX).await?;
    Ok(ok(&undecided.iter().map(View::of).collect::<Vec<_>>()))
}

/// `{outcome: COMMITTED | ABORTED, reason}`; answers with the payment as it stands then.
pub(super) async fn resolve(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments((resource, id)): Segments<(String, String)>,
    body: JsonBody,
) -> Answer {
    let kind = match resource.as_str() {
        "transfers" => SubjectKind::Transfer,
        "fxTransfers" => SubjectKind::Conversion,
        _ => return Err(unknown("payments in doubt are transfers or fxTransfers")),
    };
    let not_found = || unknown("no payment in doubt has this id");
    let subject = Subject { kind, id: id.parse::<CorrelationId>().map_err(|_| not_found())? };
    let mut form = Form::new(&body.value);
    let outcome = form.parsed("outcome", parse_outcome, "must be one of [COMMITTED, ABORTED]");
    let reason = form.text("reason", TEXT_CHARS);
    let (is_committed, reason) = form.finish(|| Some((outcome?, reason?)))?;
    let known = hub.store().transfer(subject).await?.filter(Transfer::is_undecided).ok_or_else(not_found)?;
    let mut extensions = Vec::new();
    add_reason(&mut extensions, reason, &actor);
    let (payment, extensions) = (known.payment(), text_of(extensions));
    let command = Resolve { subject, payment, is_committed, reason: reason.into(), extensions };
    hub.sequencer().decide(Command::Resolve(Box::new(command)), None).await?;
    let known = hub.store().transfer(subject).await?.ok_or_else(not_found)?;
    if known.is_undecided() {
        return Err(malformed(
            "the payment is not in doubt: its expiration has not passed, or its transfer is here and decides",
        ));
    }
    tracing::info!(%actor, id = %known.id, is_committed, reason, "a payment in doubt was ended");
    Ok(ok(&View::of(&known)))
}

fn parse_outcome(text: &str) -> Option<bool> {
    match text {
        "COMMITTED" => Some(true),
        "ABORTED" => Some(false),
        _ => None,
    }
}
