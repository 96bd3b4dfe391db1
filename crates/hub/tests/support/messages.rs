//! The messages of payments and quotes, correct and complete.

use super::{Call, PAYEE, PAYER};
use fspiop::ilp::{Secret, condition_of};
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};
use vocabulary::{Fulfilment, Timestamp};

/// What the packets of all payments contain; the hub does not look.
pub const PACKET: &str =
    "AYIBgQAAAAAAAASwNGxldmVsb25lLmRmc3AxLm1lci45T2RTOF81MDdqUUZERmZlakgyOVc4bXFmNEpLMHlGTFGCAUBQU0svMS4w";

/// A transfer from the payer to the payee, as its two DFSPs write it.
#[derive(Clone, Debug)]
pub struct Payment {
    pub id: String,
    pub amount: String,
    pub currency: &'static str,
    pub payer: &'static str,
    pub payee: &'static str,
    pub expiration: Timestamp,
    pub fulfilment: Fulfilment,
}

/// A quote that the payer asks the payee for.
#[derive(Clone, Debug)]
pub struct Quote {
    pub id: String,
    pub amount: String,
}

/// An id that no other call of this process gets.
pub fn fresh_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("{:08x}-5eed-4000-8000-0123456789ab", NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}

/// What the payee answers to a look-up of one of its customers.
pub fn party_body(id_type: &str, identifier: &str) -> String {
    json!({"party": {
        "partyIdInfo": {"partyIdType": id_type, "partyIdentifier": identifier, "fspId": PAYEE},
        "name": "Ana Diaz",
    }})
    .to_string()
}

impl Payment {
    /// A payment in USD that has a minute.
    pub fn usd(amount: &str) -> Self {
        let id = fresh_id();
        let fulfilment = Secret::new(id.as_str()).fulfilment_v1(PACKET);
        let expiration = now().plus_millis(60_000);
        let amount = amount.to_owned();
        Self { id, amount, currency: "USD", payer: PAYER, payee: PAYEE, expiration, fulfilment }
    }

    /// The same with other time to live.
    pub fn expiring_in_millis(self, millis: i64) -> Self {
        Self { expiration: now().plus_millis(millis), ..self }
    }

    pub fn path(&self) -> String {
        format!("/transfers/{}", self.id)
    }

    /// `PUT /transfers/{id}`, `PUT /transfers/{id}/error`, `PATCH /transfers/{id}`: what a participant is sent.
    pub fn put(&self) -> String {
        format!("PUT {}", self.path())
    }

    pub fn put_error(&self) -> String {
        format!("PUT {}/error", self.path())
    }

    pub fn patch(&self) -> String {
        format!("PATCH {}", self.path())
    }

    pub fn prepare_body(&self) -> Value {
        json!({
            "transferId": self.id,
            "payerFsp": self.payer,
            "payeeFsp": self.payee,
            "amount": {"amount": self.amount, "currency": self.currency},
            "ilpPacket": PACKET,
            "condition": condition_of(&self.fulfilment).to_string(),
            "expiration": self.expiration.to_string(),
        })
    }

    pub fn prepare(&self) -> Call {
        Call::new("POST /transfers").from(self.payer).to(self.payee).body(self.prepare_body().to_string())
    }

    pub fn fulfil_body(&self, state: &str) -> Value {
        json!({"transferState": state, "fulfilment": self.fulfilment.to_string()})
    }

    pub fn fulfil(&self, state: &str) -> Call {
        self.answer(self.fulfil_body(state))
    }

    /// `PUT /transfers/{id}` from the payee with any body.
    pub fn answer(&self, body: Value) -> Call {
        Call::new(&self.put()).from(self.payee).to(self.payer).body(body.to_string())
    }

    /// `PUT /transfers/{id}/error` from the payee.
    pub fn reject(&self, code: &str, description: &str) -> Call {
        let body = super::call::error_body(code, description);
        Call::new(&self.put_error()).from(self.payee).to(self.payer).body(body)
    }

    /// `GET /transfers/{id}`.
    pub fn question(&self, from: &str) -> Call {
        Call::new(&format!("GET {}", self.path())).from(from)
    }
}

impl Quote {
    pub fn usd(amount: &str) -> Self {
        Self { id: fresh_id(), amount: amount.to_owned() }
    }

    pub fn path(&self) -> String {
        format!("/quotes/{}", self.id)
    }

    pub fn put(&self) -> String {
        format!("PUT {}", self.path())
    }

    pub fn put_error(&self) -> String {
        format!("PUT {}/error", self.path())
    }

    pub fn request_body(&self) -> Value {
        let party = |identifier: &str, fsp: &str| json!({"partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": identifier, "fspId": fsp}});
        json!({
            "quoteId": self.id,
            "transactionId": fresh_id(),
            "payer": party("27710000001", PAYER),
            "payee": party("27710000002", PAYEE),
            "amountType": "SEND",
            "amount": {"amount": self.amount, "currency": "USD"},
            "transactionType": {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "CONSUMER"},
        })
    }

    pub fn request(&self) -> Call {
        Call::new("POST /quotes").body(self.request_body().to_string())
    }

    pub fn response_body(&self) -> Value {
        json!({
            "transferAmount": {"amount": self.amount, "currency": "USD"},
            "payeeReceiveAmount": {"amount": self.amount, "currency": "USD"},
            "expiration": now().plus_millis(60_000).to_string(),
            "ilpPacket": PACKET,
            "condition": "A".repeat(43),
        })
    }

    pub fn response(&self) -> Call {
        Call::new(&self.put()).from(PAYEE).to(PAYER).body(self.response_body().to_string())
    }
}
