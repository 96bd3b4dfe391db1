//! Questions to the payee's DFSP: lookup, quote, transfer. Each is answered by a callback.
//!
//! Invariant: an ILP packet of this DFSP is only accepted back if its condition follows from this DFSP's secret, so its
//! terms are the ones that were quoted; the fulfilment leaves only for a transfer of exactly those terms, unexpired.

use super::{Inbound, Server};
use crate::backend::{Answer, HeldTransfer, IncomingTransfer, QuoteQuestion, Terms};
use crate::call_error::CallError;
use crate::config::now;
use crate::connection::Connection;
use crate::fx::sealed;
use crate::message::Message;
use crate::{Backend, Exchange, Party, wire};
use fspiop::body::{QuoteRequest, TransferPrepare, TransferState};
use fspiop::ilp::{self, PaymentPacket};
use fspiop::{Envelope, ErrorCode, FspiopError, Operation, PartyPath, Resource, Version, canonical_json};
use http::Method;
use std::sync::Arc;
use vocabulary::{CorrelationId, Fulfilment, PartyId, Timestamp};

/// A quote as it was asked, with what its ILP packet will repeat.
pub(super) struct Asked {
    question: QuoteQuestion,
    transaction_type: wire::TransactionType,
}

/// Reads `POST /quotes`. Errors: 3100 and its kind, answered at once.
pub(super) fn quote(message: &Inbound) -> Result<Asked, FspiopError> {
    let checked = QuoteRequest::parse(&message.body)?;
    let body: wire::QuotePost = serde_json::from_slice(&message.body).map_err(|_| {
        FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, "/requestBody has an amount beyond what can be held")
    })?;
    let invalid = |side: &str| {
        let detail = format!("/requestBody/{side}/partyIdInfo does not fit its type");
        FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, detail)
    };
    let source = &message.envelope.source;
    let payer = Party::of_wire(body.payer, source).ok_or_else(|| invalid("payer"))?;
    let payee = Party::of_wire(body.payee, source).ok_or_else(|| invalid("payee"))?.id;
    let question = QuoteQuestion {
        quote_id: checked.quote_id,
        transaction_id: checked.transaction_id,
        payer,
        payee,
        amount_type: checked.amount_type,
        amount: body.amount.money(),
        note: body.note,
        refund_of: body.transaction_type.refund_of(),
    };
    Ok(Asked { question, transaction_type: body.transaction_type })
}

impl<B: Backend, X: Exchange> Server<B, X> {
    pub(super) async fn answer_lookup(self: Arc<Self>, backend: Arc<B>, path: PartyPath, message: Inbound) {
        let message_of = |operation| Message::new(Method::PUT, Resource::Parties, &operation);
        let answer = match find(&*backend, &path).await {
            Ok(party) => {
                let party = party.to_wire_in(message.envelope.version);
                message_of(Operation::PutParty(path)).body(wire::bytes(&wire::PartyPut { party }))
            }
            Err(error) => message_of(Operation::PutPartyError(path)).body(error.to_json().into()),
        };
        self.reply(answer, &message.envelope).await;
    }

    pub(super) async fn answer_quote(self: Arc<Self>, backend: Arc<B>, asked: Asked, envelope: Envelope) {
        let id = asked.question.quote_id;
        let message_of = |operation| Message::new(Method::PUT, Resource::Quotes, &operation);
        let terms = backend.quote(asked.question.clone()).await;
        let answer = match terms.and_then(|terms| self.seal(&asked, terms)) {
            Ok(body) => message_of(Operation::PutQuote(id)).body(wire::bytes(&body)),
            Err(error) => message_of(Operation::PutQuoteError(id)).body(error.to_json().into()),
        };
        self.reply(answer, &envelope).await;
    }

    /// Writes the terms into an ILP packet and makes its condition.
    fn seal(&self, asked: &Asked, terms: Terms) -> Result<wire::QuotePut, FspiopError> {
        let question = &asked.question;
        let cash = |amount| wire::Cash { amount, currency: question.amount.currency };
        let converted = terms.conversion.as_ref().map_or(question.amount.currency, |quote| quote.target.currency);
        let arriving = |amount| wire::Cash { amount, currency: converted };
        let mut extensions = wire::ExtensionList::of_received(terms.received);
        extensions.extension.extend(terms.conversion.iter().flat_map(sealed::write));
        let transaction = wire::Transaction {
            transaction_id: question.transaction_id,
            quote_id: question.quote_id,
            payee: terms.payee.to_wire(),
            payer: question.payer.to_wire(),
            amount: cash(terms.transfer),
            transaction_type: asked.transaction_type.clone(),
            note: question.note.clone(),
            expiration: Some(terms.expiration),
            extension_list: Some(extensions),
        };
        let transaction = serde_json::to_value(&transaction).expect("texts and objects always serialise");
        let not_payable =
            |error| FspiopError::with_detail(ErrorCode::PAYEE_FSP_REJECTED_QUOTE, format_args!("{error}"));
        let payee = &terms.payee.id;
        let packet = PaymentPacket {
            amount: ilp::minor_units(terms.transfer, question.amount.currency).map_err(not_payable)?,
            account: ilp::party_account(
                self.connection.name(),
                payee.id_type.as_str(),
                &payee.identifier,
                payee.sub_id.as_deref(),
            ),
            transaction: canonical_json(&transaction).into_bytes(),
        }
        .encode();
        let fulfilment = self.connection.0.secret.fulfilment_v1(&packet);
        Ok(wire::QuotePut {
            transfer_amount: cash(terms.transfer),
            payee_receive_amount: Some(arriving(terms.received)),
            payee_fsp_fee: Some(arriving(terms.fee)),
            expiration: terms.expiration,
            ilp_packet: packet,
            condition: ilp::condition_of(&fulfilment).to_string(),
        })
    }

    pub(super) async fn answer_transfer(
        self: Arc<Self>,
        backend: Arc<B>,
        prepare: TransferPrepare,
        envelope: Envelope,
    ) {
        let id = prepare.transfer_id;
        let answer = match self.open(&prepare, &envelope) {
            Ok((transfer, fulfilment)) => (backend.prepare(transfer).await, Some(fulfilment)),
            Err(error) => (Answer::Reject(error), None),
        };
        let message = match answer {
            (Answer::Silence | Answer::Later, _) => return,
            (Answer::Reject(error), _) => rejected(id, &error),
            (accepted, Some(fulfilment)) => {
                // Version 1.0 has no notice to the payee: there a reservation would never end.
                let reserves = accepted == Answer::Reserve && envelope.version != Version::V1_0;
                let state = if reserves { TransferState::Reserved } else { TransferState::Committed };
                fulfilled(id, state, fulfilment, now())
            }
            (Answer::Reserve | Answer::Commit, None) => unreachable!("what was not opened is rejected"),
        };
        self.reply(message, &envelope).await;
    }

    /// Takes the terms out of the packet and compares them with the transfer.
    fn open(
        &self,
        prepare: &TransferPrepare,
        envelope: &Envelope,
    ) -> Result<(IncomingTransfer, Fulfilment), FspiopError> {
        let refused = |detail: &str| FspiopError::with_detail(ErrorCode::PAYEE_FSP_REJECTED_TRANSACTION, detail);
        let fulfilment = self.connection.0.secret.fulfilment_v1(&prepare.ilp_packet);
        if ilp::condition_of(&fulfilment) != prepare.condition {
            return Err(refused("the packet and condition are not of a quote from here"));
        }
        let transaction = ilp::transaction_of(&prepare.ilp_packet).ok();
        let transaction: Option<wire::Transaction> = transaction.and_then(|text| serde_json::from_slice(&text).ok());
        let transaction = transaction.ok_or_else(|| refused("the packet cannot be read"))?;
        let amount = transaction.amount.money();
        if prepare.amount != Ok(amount.amount) || prepare.currency != amount.currency {
            return Err(refused("the amount is not the quoted one"));
        }
        let now = now();
        if prepare.expiration <= now {
            return Err(FspiopError::new(ErrorCode::TRANSFER_EXPIRED));
        }
        if transaction.expiration.is_some_and(|expiration| expiration <= now) {
            return Err(FspiopError::new(ErrorCode::QUOTE_EXPIRED));
        }
        let own = self.connection.name();
        if !own.same_as(prepare.payee_fsp.as_str()) {
            return Err(refused("the transfer is for another FSP"));
        }
        let unreadable = || refused("the packet names nobody");
        let extensions = transaction.extension_list.unwrap_or_default();
        let transfer = IncomingTransfer {
            id: prepare.transfer_id,
            quote_id: transaction.quote_id,
            transaction_id: transaction.transaction_id,
            payer_fsp: prepare.payer_fsp.clone(),
            payer: Party::of_wire(transaction.payer, &envelope.source).ok_or_else(unreadable)?,
            payee: Party::of_wire(transaction.payee, own).ok_or_else(unreadable)?,
            amount,
            received: extensions.received().unwrap_or(amount.amount),
            conversion: sealed::read(&extensions.extension, transaction.transaction_id, amount),
            note: transaction.note,
            refund_of: transaction.transaction_type.refund_of(),
            expiration: prepare.expiration,
            held: HeldTransfer {
                id: prepare.transfer_id,
                source: envelope.source.clone(),
                version: envelope.version,
                packet: prepare.ilp_packet.to_string(),
            },
        };
        Ok((transfer, fulfilment))
    }

    /// Sends a callback to whoever asked, in the version of the question.
    pub(crate) async fn reply(&self, message: Message, question: &Envelope) {
        let message = message.to(&question.source).version(question.version);
        let title = message.title();
        if let Err(error) = self.connection.deliver(&message).await {
            tracing::warn!(message = title, %error, "an answer was not delivered");
        }
    }
}

async fn find(backend: &impl Backend, path: &PartyPath) -> Result<Party, FspiopError> {
    let party = PartyId::try_new(path.id_type, &path.identifier, path.sub_id.as_deref());
    let party = party.map_err(|error| FspiopError::with_detail(ErrorCode::MALFORMED_SYNTAX, error))?;
    backend.lookup(party).await
}

fn rejected(id: CorrelationId, error: &FspiopError) -> Message {
    let operation = Operation::PutTransferError(id.to_string());
    Message::new(Method::PUT, Resource::Transfers, &operation).body(error.to_json().into())
}

fn fulfilled(
    id: CorrelationId,
    transfer_state: TransferState,
    fulfilment: Fulfilment,
    completed_timestamp: Timestamp,
) -> Message {
    let body = wire::TransferPut { completed_timestamp, transfer_state, fulfilment };
    let operation = Operation::PutTransfer(id.to_string());
    Message::new(Method::PUT, Resource::Transfers, &operation).body(wire::bytes(&body))
}

/// The answer to a transfer for which [`Answer::Later`] was given.
impl Connection {
    /// Accepts the transfer: the money is credited when the hub says so. The same `completed` makes the same bytes, so that
    /// saying it again is safe.
    pub async fn fulfil(&self, held: &HeldTransfer, completed: Timestamp) -> Result<(), CallError> {
        let fulfilment = self.0.secret.fulfilment_v1(&held.packet);
        let state = match held.version {
            Version::V1_0 => TransferState::Committed,
            Version::V1_1 | Version::V2_0 => TransferState::Reserved,
        };
        let message = fulfilled(held.id, state, fulfilment, completed);
        self.deliver(&message.to(&held.source).version(held.version)).await
    }

    /// Refuses the transfer, which has not been accepted before.
    pub async fn reject(&self, held: &HeldTransfer, error: &FspiopError) -> Result<(), CallError> {
        self.deliver(&rejected(held.id, error).to(&held.source).version(held.version)).await
    }
}
