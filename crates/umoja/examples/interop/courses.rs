//! The courses of a payment, and what must be true of each: at the payer's core, at the payee's core and in the hub's ledger.

use crate::{
    admin::Admin,
    clients::{Client, Dfsp, EXPIRY},
    core::{PAYER, REFUSING, TACITURN, WELCOMING, WITHOUT_TERMS},
    scheme::{customer, kes},
};
use http::Method;
use sdk::new_id;
use serde_json::{Value, json};
use std::{fmt, time::Duration};
use tokio::time::{Instant, sleep};
use vocabulary::{Amount, Timestamp};

const AMOUNT: &str = "10";
/// Questions of a client that a request to pay may need answers to, with something to spare.
const STEPS_MAX: u32 = 4;
const LEDGER_MAX: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Course {
    Push,
    Rejection,
    Timeout,
    RequestToPay,
}

/// Who pays whom.
pub struct Pair<'a> {
    pub admin: &'a Admin,
    pub payer: &'a Dfsp,
    pub payee: &'a Dfsp,
}

impl Course {
    pub const ALL: [Self; 4] = [Self::Push, Self::Rejection, Self::Timeout, Self::RequestToPay];

    /// What was seen, or what was not as it should be.
    pub async fn run(self, pair: &Pair<'_>) -> Result<String, String> {
        match self {
            Self::Push => pair.push().await,
            Self::Rejection => pair.rejection().await,
            Self::Timeout => pair.timeout().await,
            Self::RequestToPay => pair.request_to_pay().await,
        }
    }
}

impl Pair<'_> {
    async fn push(&self) -> Result<String, String> {
        let before = self.positions().await?;
        let (status, state) = self.payer.call(Method::POST, "/transfers", &self.payment(WELCOMING)).await?;
        ensure(status == 200 && state["currentState"] == "COMPLETED", "the payer's core", (status, &state))?;
        let transfer = text(&state, "transferId")?;
        self.told_committed(&transfer).await?;
        self.settles_at(moved(before, amount())?).await?;
        Ok(format!("payer COMPLETED, payee COMMITTED, {AMOUNT} moved"))
    }

    /// The payee's core refuses terms to one customer's payer, and the money of another one.
    async fn rejection(&self) -> Result<String, String> {
        let before = self.positions().await?;
        for (payee, code) in [(WITHOUT_TERMS, "5103"), (REFUSING, "5105")] {
            let (status, failure) = self.payer.call(Method::POST, "/transfers", &self.payment(payee)).await?;
            let state = &failure["transferState"];
            let is_told = status == 500 && failure["statusCode"] == code && state["currentState"] == "ERROR_OCCURRED";
            ensure(is_told, "the payer's core", (status, &failure))?;
            self.never_committed(&text(state, "transferId")?)?;
        }
        self.settles_at(before).await?;
        Ok("payer 5103 for terms, 5105 for the transfer; nothing moved".to_owned())
    }

    /// The payee's core has nothing to say, and the hub ends the transfer at its expiration.
    async fn timeout(&self) -> Result<String, String> {
        let before = self.positions().await?;
        let (body, began) = (self.payment(TACITURN), Instant::now());
        let calling = self.payer.call(Method::POST, "/transfers", &body);
        let holding = async {
            let [held, _] = moved(before, amount())?;
            self.settles_at([held, before[1]]).await
        };
        let (answer, held) = tokio::join!(calling, holding);
        held.map_err(|problem| format!("while the payee thinks, {problem}"))?;
        let (status, failure) = answer?;
        ensure(status == 500 && failure["statusCode"] == "3303", "the payer's core", (status, &failure))?;
        if began.elapsed() < EXPIRY {
            return Err(format!("the transfer ended after {:?}, before its expiration", began.elapsed()));
        }
        let transfer = text(&failure["transferState"], "transferId")?;
        self.settles_at(before).await?;
        self.never_committed(&transfer)?;
        Ok(format!("{AMOUNT} held until the expiration, then payer 3303; nothing moved"))
    }

    /// The payee asks, and the payer pays what it was asked for.
    async fn request_to_pay(&self) -> Result<String, String> {
        let before = self.positions().await?;
        let request = self.ask().await?;
        let transfer = match self.payer.client {
            Client::Sdk => self.pay_in_single_calls(&request).await?,
            Client::Umoja => self.pay_requested(&request).await?,
        };
        let quoted = self.payee.question("/quoterequests", |body| body["transactionId"] == transfer.as_str()).await?;
        let is_about_it = match self.payee.client {
            // Of the request, its core is told no more than who has begun.
            Client::Sdk => quoted["initiator"] == "PAYEE",
            Client::Umoja => quoted["transactionRequestId"] == request.as_str(),
        };
        ensure(is_about_it, "the payee's core, when it was asked for terms,", (0, &quoted))?;
        self.told_committed(&transfer).await?;
        self.settles_at(moved(before, amount())?).await?;
        let asked = match self.payee.client {
            Client::Sdk => "asked outside the scheme",
            Client::Umoja => "asked, payer's core told",
        };
        let paid = match self.payer.client {
            Client::Sdk => "paid by quote and transfer",
            Client::Umoja => "paid with the payee's password",
        };
        Ok(format!("{asked}; {paid}; payee COMMITTED, {AMOUNT} moved"))
    }

    /// The request's id.
    async fn ask(&self) -> Result<String, String> {
        let (status, state) = self.payee.call(Method::POST, "/requestToPay", &self.request()).await?;
        match self.payee.client {
            // It wants an object where the scheme has the scenario's name, so that nothing which it takes can be sent.
            Client::Sdk => {
                ensure(status == 400, "the payee's core, with the scheme's form of a request,", (status, &state))?;
                return Ok(new_id().to_string());
            }
            Client::Umoja => {
                ensure(status == 200 && state["currentState"] == "COMPLETED", "the payee's core", (status, &state))?;
            }
        }
        let request = text(&state, "transactionRequestId")?;
        let is_it = |body: &Value| body["transactionRequestId"] == request.as_str();
        let asked = self.payer.question("/transactionrequests", is_it).await?;
        ensure(asked["amount"] == AMOUNT, "the payer's core, when it was asked,", (0, &asked))?;
        Ok(request)
    }

    /// 18.0.2 takes no scenario's name here either; its calls for a single quote and a single transfer pay as well.
    async fn pay_in_single_calls(&self, request: &str) -> Result<String, String> {
        let body = self.requested_payment(request);
        let (status, refused) = self.payer.call(Method::POST, "/requestToPayTransfer", &body).await?;
        ensure(status == 400, "the payer's core, with the scheme's form of a payment,", (status, &refused))?;
        let (payer, payee, transfer) = (self.payer.name, self.payee.name, new_id().to_string());
        let party = |fsp: &str, id: String| json!({"partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": id, "fspId": fsp}});
        let quote = json!({"fspId": payee, "quotesPostRequest": {
            "quoteId": new_id().to_string(), "transactionId": transfer, "transactionRequestId": request,
            "payer": party(payer, self.payers_customer()),
            "payee": party(payee, customer(self.payee.client, WELCOMING)),
            "amountType": "RECEIVE", "amount": {"amount": AMOUNT, "currency": "KES"},
            "transactionType": {"scenario": "TRANSFER", "initiator": "PAYEE", "initiatorType": "CONSUMER"},
        }});
        let (status, quoted) = self.payer.call(Method::POST, "/quotes", &quote).await?;
        let terms = &quoted["quotes"]["body"];
        ensure(status == 200 && terms["condition"].is_string(), "the payer's core", (status, &quoted))?;
        let expiration = Timestamp::from_millis(sdk::now().millis() + EXPIRY.as_millis() as i64);
        let prepare = json!({"fspId": payee, "transfersPostRequest": {
            "transferId": transfer, "payerFsp": payer, "payeeFsp": payee, "amount": terms["transferAmount"],
            "ilpPacket": terms["ilpPacket"], "condition": terms["condition"], "expiration": expiration.to_string(),
        }});
        let (status, done) = self.payer.call(Method::POST, "/simpleTransfers", &prepare).await?;
        let is_done = status == 200 && done["transfer"]["body"]["transferState"] == "COMMITTED";
        ensure(is_done, "the payer's core", (status, &done))?;
        Ok(transfer)
    }

    /// Says yes to each question of the payer's client; the transfer's id.
    async fn pay_requested(&self, request: &str) -> Result<String, String> {
        let body = self.requested_payment(request);
        let (mut status, mut state) = self.payer.call(Method::POST, "/requestToPayTransfer", &body).await?;
        let path = format!("/requestToPayTransfer/{request}");
        for _ in 0..STEPS_MAX {
            let word = match state["currentState"].as_str() {
                Some("WAITING_FOR_QUOTE_ACCEPTANCE") => json!({"acceptQuote": true}),
                Some("WAITING_FOR_AUTH_ACCEPTANCE" | "WAITING_FOR_OTP_ACCEPTANCE") => json!({"acceptOTP": true}),
                Some(_) | None => break,
            };
            (status, state) = self.payer.call(Method::PUT, &path, &word).await?;
        }
        ensure(status == 200 && state["currentState"] == "COMPLETED", "the payer's core", (status, &state))?;
        text(&state, "transferId")
    }

    fn payment(&self, payee: &str) -> Value {
        json!({
            "homeTransactionId": "home-of-the-payer",
            "from": {"idType": "MSISDN", "idValue": self.payers_customer(), "displayName": "Bob"},
            "to": {"idType": "MSISDN", "idValue": customer(self.payee.client, payee)},
            "amountType": "SEND", "currency": "KES", "amount": AMOUNT, "transactionType": "TRANSFER", "note": "rent",
        })
    }

    /// The two generations name some members differently.
    fn request(&self) -> Value {
        let mut body = json!({
            "from": {"idType": "MSISDN", "idValue": customer(self.payee.client, WELCOMING), "displayName": "Ana"},
            "to": {"idType": "MSISDN", "idValue": self.payers_customer()},
            "amountType": "RECEIVE", "currency": "KES", "amount": AMOUNT,
        });
        let own = match self.payee.client {
            Client::Sdk => json!({
                "homeTransactionId": "home-of-the-request", "scenario": "TRANSFER", "initiator": "PAYEE",
                "initiatorType": "CONSUMER",
            }),
            Client::Umoja => json!({
                "homeR2PTransactionId": "home-of-the-request", "transactionType": "TRANSFER",
                "authenticationType": "OTP",
            }),
        };
        join(&mut body, own);
        body
    }

    fn requested_payment(&self, request: &str) -> Value {
        let mut body = json!({
            "from": {"idType": "MSISDN", "idValue": self.payers_customer(), "fspId": self.payer.name},
            "to": {
                "idType": "MSISDN", "idValue": customer(self.payee.client, WELCOMING), "fspId": self.payee.name,
            },
            "amountType": "RECEIVE", "currency": "KES", "amount": AMOUNT, "scenario": "TRANSFER",
            "initiator": "PAYEE", "initiatorType": "CONSUMER",
        });
        let own = match self.payer.client {
            Client::Sdk => json!({"requestToPayTransactionId": request}),
            Client::Umoja => json!({
                "homeR2PTransactionId": "home-of-the-payment", "transactionRequestId": request,
                "authenticationType": "OTP",
            }),
        };
        join(&mut body, own);
        body
    }

    fn payers_customer(&self) -> String {
        customer(self.payer.client, PAYER)
    }

    async fn told_committed(&self, transfer: &str) -> Result<(), String> {
        match self.payee.last_word(transfer).await.as_deref() {
            Some("COMMITTED") => Ok(()),
            Some(other) => Err(format!("the payee's core was told {other} about {transfer}")),
            None => Err(format!("the payee's core was told nothing about {transfer}")),
        }
    }

    fn never_committed(&self, transfer: &str) -> Result<(), String> {
        let told = self.payee.last_words(transfer);
        if told.iter().any(|word| word == "COMMITTED") {
            return Err(format!("the payee's core was told {told:?} about {transfer}"));
        }
        Ok(())
    }

    /// What both owe by the hub's ledger, with what is held.
    async fn positions(&self) -> Result<[Amount; 2], String> {
        let position = async |dfsp: &Dfsp| self.admin.position(dfsp.name, kes()).await;
        Ok([position(self.payer).await?, position(self.payee).await?])
    }

    /// Waits until the positions are these.
    async fn settles_at(&self, expected: [Amount; 2]) -> Result<(), String> {
        let deadline = Instant::now() + LEDGER_MAX;
        loop {
            let positions = self.positions().await?;
            if positions == expected {
                return Ok(());
            }
            if Instant::now() > deadline {
                let [payer, payee] = positions;
                let [expected_payer, expected_payee] = expected;
                return Err(format!(
                    "the positions are {payer} and {payee} instead of {expected_payer} and {expected_payee}"
                ));
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

impl fmt::Display for Course {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Push => "push payment",
            Self::Rejection => "payee rejection",
            Self::Timeout => "timeout",
            Self::RequestToPay => "request to pay",
        })
    }
}

fn ensure(holds: bool, who: &str, (status, answer): (u16, &Value)) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{who} got {status} {answer}")) }
}

fn moved([payer, payee]: [Amount; 2], amount: Amount) -> Result<[Amount; 2], String> {
    let sum = |one: Amount, other: Option<Amount>| {
        other.and_then(|other| one.checked_add(other)).ok_or_else(|| "a position is too large".to_owned())
    };
    Ok([sum(payer, Some(amount))?, sum(payee, amount.checked_neg())?])
}

fn amount() -> Amount {
    AMOUNT.parse().expect("it is an amount")
}

fn text(state: &Value, member: &str) -> Result<String, String> {
    state[member].as_str().map(str::to_owned).ok_or_else(|| format!("there is no {member} in {state}"))
}

fn join(body: &mut Value, more: Value) {
    if let (Value::Object(body), Value::Object(more)) = (body, more) {
        body.extend(more);
    }
}
