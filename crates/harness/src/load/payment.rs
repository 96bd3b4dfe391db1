//! One payment under way.

use super::state::Draft;
use crate::{
    agreement::Agreement,
    clock::Texts,
    messages::Messages,
    random::{ID_LENGTH, Id},
    scheme::{Msisdn, Name, Party, dfsp_name},
    template::{Field, Template, Values},
};

/// The message of a payment that left last. The hub carries it, or makes another of it, to the other side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// No payment.
    Free,
    Lookup,
    Party,
    Quote,
    Agreement,
    Prepare,
    Fulfil,
}

/// A place for one payment at a time.
pub struct Payment {
    /// How many payments this place has had: a late answer to an earlier one is recognised by it.
    pub turn: u32,
    pub stage: Stage,
    pub payer: u8,
    pub payee: Party,
    pub agreement: u32,
    pub quote: Id,
    pub transfer: Id,
    /// When it began or should have begun, in nanoseconds of the engine's clock.
    pub scheduled: u64,
    /// When its last message left.
    pub departed: u64,
    /// What the hub has added so far.
    pub added: u64,
    pub committed: bool,
    pub patched: bool,
    /// Its number among the payments that were signed beforehand.
    pub signed: Option<u32>,
    texts: PaymentTexts,
}

struct PaymentTexts {
    payer: Name,
    payee: Name,
    payer_party: Msisdn,
    payee_party: Msisdn,
    quote: [u8; ID_LENGTH],
    transfer: [u8; ID_LENGTH],
    time: Texts,
}

/// A new payment: what was drawn, and when it begins.
pub struct Beginning {
    pub draft: Draft,
    pub scheduled: u64,
    pub time: Texts,
}

impl Payment {
    pub fn new(turn: u32, beginning: Beginning) -> Self {
        let Beginning { draft, scheduled, time } = beginning;
        let Draft { payer, payee, agreement, quote, transfer } = draft;
        let texts = PaymentTexts {
            payer: dfsp_name(payer.dfsp),
            payee: dfsp_name(payee.dfsp),
            payer_party: payer.msisdn(),
            payee_party: payee.msisdn(),
            quote: quote.text(),
            transfer: transfer.text(),
            time,
        };
        Self {
            turn,
            stage: Stage::Lookup,
            payer: payer.dfsp,
            payee,
            agreement,
            quote,
            transfer,
            scheduled,
            departed: scheduled,
            added: 0,
            committed: false,
            patched: false,
            signed: None,
            texts,
        }
    }

    /// The DFSP from which the message of a stage leaves.
    pub fn sender(&self, stage: Stage) -> u8 {
        match stage {
            Stage::Free | Stage::Lookup | Stage::Quote | Stage::Prepare => self.payer,
            Stage::Party | Stage::Agreement | Stage::Fulfil => self.payee.dfsp,
        }
    }

    pub fn values<'a>(&'a self, agreement: &'a Agreement) -> Values<'a> {
        let texts = &self.texts;
        Values::new()
            .with(Field::Payer, &texts.payer)
            .with(Field::Payee, &texts.payee)
            .with(Field::PayerParty, &texts.payer_party)
            .with(Field::PayeeParty, &texts.payee_party)
            .with(Field::QuoteId, &texts.quote)
            .with(Field::TransferId, &texts.transfer)
            .with(Field::Amount, agreement.amount_text.as_bytes())
            .with(Field::Packet, agreement.packet.as_bytes())
            .with(Field::Condition, agreement.condition.as_bytes())
            .with(Field::Fulfilment, agreement.fulfilment.as_bytes())
            .with(Field::Date, &texts.time.date)
            .with(Field::Expiration, &texts.time.expiration)
    }
}

impl Stage {
    /// What is waited for when a payment does not go on.
    pub fn waits_for(self) -> &'static str {
        match self {
            Self::Free => "nothing",
            Self::Lookup => "GET /parties at the payee",
            Self::Party => "PUT /parties at the payer",
            Self::Quote => "POST /quotes at the payee",
            Self::Agreement => "PUT /quotes at the payer",
            Self::Prepare => "POST /transfers at the payee",
            Self::Fulfil => "PUT and PATCH /transfers",
        }
    }

    /// The request that is sent in this stage.
    pub fn request(self) -> &'static str {
        match self {
            Self::Free => "nothing",
            Self::Lookup => "GET /parties",
            Self::Party => "PUT /parties",
            Self::Quote => "POST /quotes",
            Self::Agreement => "PUT /quotes",
            Self::Prepare => "POST /transfers",
            Self::Fulfil => "PUT /transfers",
        }
    }
}

impl Messages {
    /// What leaves in a stage.
    pub fn of(&self, stage: Stage) -> Option<&Template> {
        match stage {
            Stage::Free => None,
            Stage::Lookup => Some(&self.get_parties),
            Stage::Party => Some(&self.put_parties),
            Stage::Quote => Some(&self.post_quotes),
            Stage::Agreement => Some(&self.put_quotes),
            Stage::Prepare => Some(&self.post_transfers),
            Stage::Fulfil => Some(&self.put_transfers),
        }
    }
}
