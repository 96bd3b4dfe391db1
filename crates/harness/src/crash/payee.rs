//! A payee that answers whatever comes, as often as it comes, in the same way.
//!
//! Invariant: the answer depends on the message alone: amount and condition choose the agreement, the transfer's id
//! decides whether the payee stays silent. So a transfer that comes again is fulfilled with the same body.

use super::world::World;
use crate::{
    agreement::Agreement,
    clock::{lifetime_left, texts},
    random::Id,
    scheme::{Party, dfsp_name},
    template::{Field, Template, Values},
};
use serde_json::Value;
use std::{rc::Rc, time::Duration};
use tokio::time::Instant;

/// One transfer in eight is never answered, so that some expire.
const SILENT_ENDINGS: [u8; 2] = [b'0', b'8'];
/// What is not acknowledged in this time has expired.
const PATIENCE: Duration = Duration::from_secs(40);
/// Acknowledged so long before the expiry, a fulfilment must be committed, whatever the clocks say.
const MARGIN: Duration = Duration::from_secs(1);

/// Who asks, and who answers.
#[derive(Clone, Copy)]
pub struct Correspondents {
    pub payer: u8,
    pub payee: u8,
}

/// `GET /parties`: the party is known.
pub async fn answer_lookup(world: Rc<World>, correspondents: Correspondents, party: Party) {
    let msisdn = party.msisdn();
    let values = Values::new().with(Field::PayeeParty, &msisdn);
    send(&world, &world.messages.put_parties, correspondents, values).await;
}

/// `POST /quotes`: the agreement is the first with the amount that is asked for.
pub async fn answer_quote(world: Rc<World>, correspondents: Correspondents, body: Value) {
    let amount = body["amount"]["amount"].as_str().unwrap_or_default();
    let agreement = world.agreements.iter().find(|agreement| agreement.amount_text == amount);
    let (Some(agreement), Some(quote)) = (agreement, body["quoteId"].as_str()) else {
        return world.breach(format!("a payee was asked for a quote that no payer sent: {body}"));
    };
    let values = with_agreement(agreement).with(Field::QuoteId, quote.as_bytes());
    send(&world, &world.messages.put_quotes, correspondents, values).await;
}

/// `POST /transfers`: fulfilled with RESERVED, or left alone.
pub async fn answer_transfer(world: Rc<World>, correspondents: Correspondents, body: Value) {
    let condition = body["condition"].as_str().unwrap_or_default();
    let agreement = world.agreements.iter().find(|agreement| agreement.condition == condition);
    let id = body["transferId"].as_str().and_then(|text| Id::parse(text.as_bytes()));
    let (Some(agreement), Some(id)) = (agreement, id) else {
        return world.breach(format!("a payee was sent a transfer that no payer sent: {body}"));
    };
    if world.payees.borrow().contains_key(&id) {
        world.count_repeated();
    }
    world.payees.borrow_mut().entry(id).or_default();
    let transfer = id.text();
    if SILENT_ENDINGS.contains(&transfer[transfer.len() - 1]) {
        return;
    }
    let values = with_agreement(agreement).with(Field::TransferId, &transfer);
    let is_acknowledged = send(&world, &world.messages.put_transfers, correspondents, values).await;
    let expiration = body["expiration"].as_str().unwrap_or_default();
    let in_time = is_acknowledged && lifetime_left(expiration).is_some_and(|left| left > MARGIN);
    if let Some(view) = world.payees.borrow_mut().get_mut(&id) {
        view.fulfilled_in_time |= in_time;
    }
    world.change();
}

async fn send<'a>(world: &'a World, template: &Template, correspondents: Correspondents, values: Values<'a>) -> bool {
    let (payer, payee) = (dfsp_name(correspondents.payer), dfsp_name(correspondents.payee));
    let time = texts(super::payer::TRANSFER_LIFETIME);
    let mut request = Vec::new();
    let values = values
        .with(Field::Payer, &payer)
        .with(Field::Payee, &payee)
        .with(Field::Date, &time.date)
        .with(Field::Expiration, &time.expiration);
    template.render(&values, &mut request);
    world.send_until_acknowledged(&request, Instant::now() + PATIENCE).await
}

fn with_agreement(agreement: &Agreement) -> Values<'_> {
    Values::new()
        .with(Field::Amount, agreement.amount_text.as_bytes())
        .with(Field::Packet, agreement.packet.as_bytes())
        .with(Field::Condition, agreement.condition.as_bytes())
        .with(Field::Fulfilment, agreement.fulfilment.as_bytes())
}
