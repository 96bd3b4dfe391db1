//! A payer that asks until it is answered, and sends its transfer until that is acknowledged.
//!
//! Invariant: what is sent again is sent with the same bytes.

use super::world::{Expected, NewPayment, PayerView, World};
use crate::{
    clock,
    scheme::dfsp_name,
    template::{Field, Template, Values},
};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long a transfer may be under way. Long enough to survive a kill, short enough to wait for the end.
pub const TRANSFER_LIFETIME: Duration = Duration::from_secs(8);
/// A payer that has no answer asks again.
const ANSWER_PATIENCE: Duration = Duration::from_millis(800);
/// A payer gives up before it has sent a transfer: no money is involved yet.
const AGREEMENT_PATIENCE: Duration = Duration::from_secs(20);
/// A transfer that was sent is sent until it is acknowledged; nobody waits longer than that for a hub to come back.
const ACKNOWLEDGEMENT_PATIENCE: Duration = Duration::from_secs(40);

/// One payment, from the lookup until the transfer is acknowledged. Its end comes later, as a message to the payer.
pub async fn pay(world: &World, payment: NewPayment, begun: Instant) {
    let patience = begun + AGREEMENT_PATIENCE;
    let lookup = render(world, &payment, &world.messages.get_parties);
    let party = Expected::Party { payer: payment.payer.dfsp, msisdn: payment.payee.msisdn() };
    if !ask(world, &lookup, party, patience).await {
        return;
    }
    let quote = render(world, &payment, &world.messages.post_quotes);
    if !ask(world, &quote, Expected::Agreement(payment.quote), patience).await {
        return;
    }
    let prepare = render(world, &payment, &world.messages.post_transfers);
    let view = PayerView {
        payer: payment.payer.dfsp,
        payee: payment.payee.dfsp,
        amount: world.agreements[payment.agreement].amount,
        acknowledged: false,
        outcome: None,
    };
    world.payers.borrow_mut().insert(payment.transfer, view);
    let is_acknowledged = world.send_until_acknowledged(&prepare, Instant::now() + ACKNOWLEDGEMENT_PATIENCE).await;
    if let Some(view) = world.payers.borrow_mut().get_mut(&payment.transfer) {
        view.acknowledged = is_acknowledged;
    }
}

/// Asks, with the same bytes, until the answer has come. `false` if it has not come by the deadline.
async fn ask(world: &World, request: &[u8], answer: Expected, deadline: Instant) -> bool {
    world.expect(answer);
    while Instant::now() < deadline {
        if !world.send_until_acknowledged(request, deadline).await {
            return false;
        }
        let answered = world.wait_until(|world| world.has_arrived(answer));
        if timeout(ANSWER_PATIENCE, answered).await.is_ok() {
            return true;
        }
    }
    false
}

fn render(world: &World, payment: &NewPayment, template: &Template) -> Vec<u8> {
    let agreement = &world.agreements[payment.agreement];
    let time = clock::texts(TRANSFER_LIFETIME);
    let (payer, payee) = (dfsp_name(payment.payer.dfsp), dfsp_name(payment.payee.dfsp));
    let (payer_party, payee_party) = (payment.payer.msisdn(), payment.payee.msisdn());
    let (quote, transfer) = (payment.quote.text(), payment.transfer.text());
    let values = Values::new()
        .with(Field::Payer, &payer)
        .with(Field::Payee, &payee)
        .with(Field::PayerParty, &payer_party)
        .with(Field::PayeeParty, &payee_party)
        .with(Field::QuoteId, &quote)
        .with(Field::TransferId, &transfer)
        .with(Field::Amount, agreement.amount_text.as_bytes())
        .with(Field::Packet, agreement.packet.as_bytes())
        .with(Field::Condition, agreement.condition.as_bytes())
        .with(Field::Date, &time.date)
        .with(Field::Expiration, &time.expiration);
    let mut request = Vec::new();
    template.render(&values, &mut request);
    request
}
