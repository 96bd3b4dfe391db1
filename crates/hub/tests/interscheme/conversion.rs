//! The messages of conversions, correct and complete.

use crate::support::{Call, PAYER, Payment, fresh_id, now};
use fspiop::ilp::{Secret, condition_of};
use serde_json::{Value, json};
use vocabulary::{Fulfilment, Timestamp};

pub const FXP: &str = "fxprovider";

/// A conversion that the payer asks the provider for, as the two write it.
#[derive(Clone, Debug)]
pub struct Conversion {
    pub id: String,
    pub determining: String,
    pub source: (String, &'static str),
    pub target: (String, &'static str),
    pub initiator: &'static str,
    pub provider: &'static str,
    pub expiration: Timestamp,
    pub fulfilment: Fulfilment,
}

impl Conversion {
    /// From USD into EUR, for a payment in EUR.
    pub fn of(payment: &Payment, source: &str) -> Self {
        let id = fresh_id();
        let fulfilment = Secret::new(id.as_str()).fulfilment_v1("conversion");
        Self {
            id,
            determining: payment.id.clone(),
            source: (source.to_owned(), "USD"),
            target: (payment.amount.clone(), payment.currency),
            initiator: payment.payer,
            provider: FXP,
            expiration: payment.expiration,
            fulfilment,
        }
    }

    pub fn path(&self) -> String {
        format!("/fxTransfers/{}", self.id)
    }

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
        let money = |(amount, currency): &(String, &str)| json!({"amount": amount, "currency": currency});
        json!({
            "commitRequestId": self.id,
            "determiningTransferId": self.determining,
            "initiatingFsp": self.initiator,
            "counterPartyFsp": self.provider,
            "sourceAmount": money(&self.source),
            "targetAmount": money(&self.target),
            "condition": condition_of(&self.fulfilment).to_string(),
            "expiration": self.expiration.to_string(),
            // Beyond the API, and common.
            "amountType": "SEND",
        })
    }

    pub fn prepare(&self) -> Call {
        self.prepare_with(&self.prepare_body())
    }

    /// `POST /fxTransfers` with any body; without a destination, which the body names.
    pub fn prepare_with(&self, body: &Value) -> Call {
        fx("POST /fxTransfers").from(self.initiator).body(body.to_string())
    }

    pub fn agree(&self) -> Call {
        self.answer(&json!({"conversionState": "RESERVED", "fulfilment": self.fulfilment.to_string()}))
    }

    pub fn answer(&self, body: &Value) -> Call {
        fx(&self.put()).from(self.provider).to(self.initiator).body(body.to_string())
    }

    /// What the hub of the initiator says of a conversion at the end.
    pub fn conclude(&self, state: &str) -> Call {
        let completed = now().to_string();
        let body = json!({"conversionState": state, "completedTimestamp": completed});
        fx(&self.patch()).to(self.provider).body(body.to_string())
    }

    pub fn reject(&self, code: &str, description: &str) -> Call {
        let body = json!({"errorInformation": {"errorCode": code, "errorDescription": description}});
        fx(&self.put_error()).from(self.provider).to(self.initiator).body(body.to_string())
    }

    pub fn question(&self, from: &str) -> Call {
        fx(&format!("GET {}", self.path())).from(from)
    }
}

/// A payment in EUR to the payee, and the conversion that pays for it.
pub fn pair(source: &str, target: &str) -> (Payment, Conversion) {
    let payment = Payment { currency: "EUR", ..Payment::usd(target) };
    let conversion = Conversion::of(&payment, source);
    (payment, conversion)
}

/// A call of a resource that came with 2.0.
pub fn fx(line: &str) -> Call {
    Call::new(line).version("2.0")
}

/// `POST /fxQuotes` from the payer, and its id.
pub fn fx_quote(provider: &str) -> (String, Call) {
    let id = fresh_id();
    let body = json!({"conversionRequestId": id, "conversionTerms": terms(provider)}).to_string();
    (id, fx("POST /fxQuotes").from(PAYER).to(provider).body(format!(" {body}\n")))
}

/// `PUT /fxQuotes/{id}` from the provider.
pub fn fx_quote_answer(id: &str, provider: &str) -> Call {
    let body = json!({"conversionTerms": terms(provider), "condition": "A".repeat(43)}).to_string();
    fx(&format!("PUT /fxQuotes/{id}")).from(provider).to(PAYER).body(format!(" {body}\n"))
}

fn terms(provider: &str) -> Value {
    json!({
        "conversionId": fresh_id(),
        "determiningTransferId": fresh_id(),
        "initiatingFsp": PAYER,
        "counterPartyFsp": provider,
        "amountType": "SEND",
        "sourceAmount": {"amount": "11", "currency": "USD"},
        "targetAmount": {"currency": "EUR"},
        "expiration": now().plus_millis(60_000).to_string(),
    })
}
