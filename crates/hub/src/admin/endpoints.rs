//! `/participants/{name}/endpoints` (contract, administration §1.8).

use super::{
    form::Form,
    positions::owner,
    reply::{Answer, empty, ok},
    request::{Actor, Filters, JsonBody, Segments, participant_name},
};
use crate::Hub;
use axum::{extract::State, http::StatusCode};
use fspiop::endpoint::EndpointType;
use hub_core::administration::{AdminCommand, Endpoint, SetEndpoint};
use serde::Serialize;
use std::sync::Arc;

/// Characters of a URL template or address.
const VALUE_CHARS_MAX: usize = 2_048;

#[derive(Serialize)]
struct View<'a> {
    #[serde(rename = "type")]
    endpoint_type: &'a str,
    value: &'a str,
}

/// The object of an endpoint that nobody registered.
#[derive(Serialize)]
struct Nothing {}

/// All endpoints, or with `type` one object.
pub(super) async fn list(State(hub): State<Arc<Hub>>, Segments(segment): Segments<String>, filters: Filters) -> Answer {
    let name = participant_name(&segment)?;
    let directory = hub.fresh_directory().await?;
    let owner = owner(&directory, &name)?;
    let mut own = directory.endpoints.iter().filter(|endpoint| endpoint.participant == owner.id);
    let Some(wanted) = filters.get("type") else {
        let views: Vec<_> = own.map(view).collect();
        return Ok(ok(&views));
    };
    Ok(match own.find(|endpoint| *endpoint.endpoint_type == *wanted) {
        Some(endpoint) => ok(&view(endpoint)),
        None => ok(&Nothing {}),
    })
}

/// The last value of a type wins.
pub(super) async fn set(
    State(hub): State<Arc<Hub>>,
    Actor(actor): Actor,
    Segments(segment): Segments<String>,
    body: JsonBody,
) -> Answer {
    let participant = participant_name(&segment)?;
    let mut form = Form::new(&body.value);
    let endpoint_type = form.parsed(
        "type",
        |text| text.parse::<EndpointType>().ok(),
        "must be one of the endpoint types of GET /enums",
    );
    let value = form.text("value", 1..=VALUE_CHARS_MAX);
    let command = form.finish(|| {
        Some(SetEndpoint { participant, endpoint_type: endpoint_type?.as_str().into(), value: value?.into() })
    })?;
    hub.administer(AdminCommand::SetEndpoint(command), &actor).await?;
    Ok(empty(StatusCode::CREATED))
}

fn view(endpoint: &Endpoint) -> View<'_> {
    View { endpoint_type: &endpoint.endpoint_type, value: &endpoint.value }
}
