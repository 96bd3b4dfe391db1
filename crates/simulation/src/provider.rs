//! The foreign exchange provider's part of a conversion.

use crate::{
    dfsp::{Belief, Dfsp},
    message,
    plan::Answer,
};
use http::Method;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

pub async fn convert(dfsp: &Arc<Dfsp>, prepare: &Value) {
    let id = prepare["commitRequestId"].as_str().unwrap_or_default().to_owned();
    let initiator = prepare["initiatingFsp"].as_str().unwrap_or_default().to_owned();
    let seed = dfsp.plan.seed;
    let Some(payment) = dfsp.plan.payments.iter().find(|known| message::id(seed, known.number, 1) == id) else {
        return;
    };
    if dfsp.belief(&id).is_some() {
        return;
    }
    dfsp.believe(&id, Belief::Open);
    if let Answer::Late(millis) = payment.provider_does {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    let path = format!("/fxTransfers/{id}");
    match payment.provider_does {
        Answer::Silent => {}
        Answer::Refuses => {
            dfsp.believe(&id, Belief::Aborted);
            let error = json!({"errorInformation": {"errorCode": "5200", "errorDescription": "no such rate"}});
            dfsp.say(Method::PUT, &format!("{path}/error"), &initiator, Some(&error)).await;
        }
        Answer::Agrees | Answer::Reserves | Answer::Late(_) if dfsp.belief(&id) == Some(Belief::Aborted) => {}
        Answer::Agrees | Answer::Reserves | Answer::Late(_) => {
            dfsp.believe(&id, Belief::Reserved);
            let (fulfilment, _) = message::secret(seed, payment.number + 1_000);
            let completed = hub::clock::now().to_string();
            let body =
                json!({"fulfilment": fulfilment, "completedTimestamp": completed, "conversionState": "RESERVED"});
            dfsp.say(Method::PUT, &path, &initiator, Some(&body)).await;
        }
    }
}
