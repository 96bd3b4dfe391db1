//! `POST /transfers` and `PUT /transfers/{ID}`: a payment in up to three steps, with acceptance between them (§2.1).
//!
//! Invariant: a step is saved before the request that it sends, so that after a restart an accepted word leads on from where the
//! payment stood, and a transfer that was sent is never sent anew.

use super::Outcome;
use super::fx::{self, Need};
use super::phases::{self, Exchanged};
use crate::Core;
use crate::failure::Failure;
use crate::inbound::resume;
use crate::json::{Object, at, in_future, put, text, wrapped};
use crate::records::{Kind, Openness};
use crate::{ids, parties};
use fspiop::{Resource, Version};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const STATE_NAME: &str = "transferState";

/// Where a payment stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    Start,
    PayeeResolved,
    ServicesReceived,
    FxQuoteReceived,
    QuoteReceived,
    /// The conversion was sent and its answer is awaited.
    FxTransferSent,
    FxTransferSucceeded,
    /// The transfer was sent and its end is awaited.
    TransferSent,
    Succeeded,
    Aborted,
    Errored,
}

/// A payment and what is known of it.
pub(super) struct Payment {
    pub id: String,
    /// What the core is told, except that `currentState` is the step's own name.
    pub data: Value,
    pub step: Step,
}

/// Whether the core is asked before the payment goes on.
pub(super) enum Pause {
    Stop,
    GoOn,
}

/// What a word of the core must accept for the next step.
struct Acceptance {
    names: &'static [&'static str],
    reason: &'static str,
}

const PARTY: Acceptance = Acceptance { names: &["acceptParty"], reason: "Payee rejected by backend" };
const QUOTE: Acceptance =
    Acceptance { names: &["acceptQuote", "acceptQuoteOrConversion"], reason: "Quote rejected by backend" };
const CONVERSION: Acceptance =
    Acceptance { names: &["acceptConversion", "acceptQuoteOrConversion"], reason: "FX quote rejected by backend" };
/// What the core may change on the way.
const MERGED: [&str; 6] = ["acceptParty", "acceptConversion", "acceptQuote", "acceptQuoteOrConversion", "amount", "to"];

/// `POST /transfers`. A payment whose id is known already is not begun anew once its transfer may have been sent; while it
/// waits for the core's word, or after its end, its state is the answer.
pub(super) async fn start(core: &Arc<Core>, body: Value) -> Outcome {
    let id = text(&body, &["transferId"]).map_or_else(|| ids::new(core.settings.ulids), str::to_owned);
    let _alone = core.locks.lock(&lock_key(&id)).await;
    match Payment::load(core, &id).await {
        Ok(Some(known)) if !known.may_begin_anew() => return Outcome::Done(known.state()),
        Ok(_) => {}
        Err(failure) => return Outcome::Failed(failure.with_state(STATE_NAME, json!({"transferId": id}))),
    }
    let mut data = body;
    data["transferId"] = id.clone().into();
    data["direction"] = "OUTBOUND".into();
    data["initiatedTimestamp"] = sdk::now().to_string().into();
    data["from"]["fspId"] = core.settings.dfsp.as_str().into();
    let payment = Payment { id, data, step: Step::Start };
    payment.outcome(core, &Value::Null).await
}

/// `PUT /transfers/{ID}`.
pub(super) async fn go_on(core: &Arc<Core>, id: &str, word: &Value) -> Outcome {
    let _alone = core.locks.lock(&lock_key(id)).await;
    let unknown = || Failure::internal(format!("No cached data found for transferId: {id}"));
    let mut payment = match Payment::load(core, id).await.and_then(|found| found.ok_or_else(unknown)) {
        Ok(payment) => payment,
        Err(failure) => return Outcome::Failed(failure.with_state(STATE_NAME, json!({}))),
    };
    match payment.step {
        Step::Succeeded | Step::Aborted => return Outcome::Done(payment.state()),
        Step::Errored => return Outcome::NoContent,
        // The answer was lost with the process that awaited it.
        Step::TransferSent | Step::FxTransferSent => return super::status::ask_of(core, payment).await,
        Step::Start
        | Step::PayeeResolved
        | Step::ServicesReceived
        | Step::FxQuoteReceived
        | Step::QuoteReceived
        | Step::FxTransferSucceeded => {}
    }
    let had_choice = payment.data["to"].is_array();
    for name in MERGED {
        if let Some(value) = at(word, &[name]) {
            payment.data[name] = value.clone();
        }
    }
    if payment.data["to"].is_array() && at(word, &["acceptParty"]) == Some(&Value::Bool(true)) {
        let failure = Failure::internal("Several payees were found; send the one to be paid as `to`.");
        return Outcome::Failed(failure.with_state(STATE_NAME, payment.state()));
    }
    if had_choice && let Some(currencies) = at(word, &["to", "supportedCurrencies"]) {
        payment.data["supportedCurrencies"] = currencies.clone();
    }
    payment.outcome(core, word).await
}

/// One payment at a time, also for the hub's late news of it.
pub(super) fn lock_key(id: &str) -> String {
    format!("outgoing-{id}")
}

impl Payment {
    pub async fn load(core: &Core, id: &str) -> Result<Option<Self>, Failure> {
        let Some(data) = core.records.load(Kind::Outgoing, id).await? else { return Ok(None) };
        let step = text(&data, &["currentState"]).and_then(Step::parse);
        let step =
            step.ok_or_else(|| Failure::internal(format!("The record of transfer {id} names no known state.")))?;
        Ok(Some(Self { id: id.to_owned(), data, step }))
    }

    pub async fn save(&mut self, core: &Core, openness: Openness) -> Result<(), Failure> {
        self.data["currentState"] = self.step.as_str().into();
        Ok(core.records.save(Kind::Outgoing, &self.id, &self.data, openness).await?)
    }

    /// What the core is told.
    pub fn state(&self) -> Value {
        let mut state = self.data.clone();
        state["currentState"] = self.step.public().into();
        state
    }

    /// Nothing has been sent that could move money.
    fn may_begin_anew(&self) -> bool {
        matches!(self.step, Step::Start | Step::Errored | Step::Aborted)
            && at(&self.data, &["prepare"]).is_none()
            && at(&self.data, &["fxTransferRequest"]).is_none()
    }

    async fn outcome(mut self, core: &Arc<Core>, word: &Value) -> Outcome {
        match self.run(core, word).await {
            Ok(()) => Outcome::Done(self.state()),
            Err(failure) => self.fail(core, failure).await,
        }
    }

    /// The payment ends with an error; it stays open if the hub may know another end.
    pub async fn fail(mut self, core: &Arc<Core>, failure: Failure) -> Outcome {
        let was_sent = self.step == Step::TransferSent;
        let openness = if was_sent && !failure.is_final { Openness::Open } else { Openness::Settled };
        self.step = Step::Errored;
        self.data["lastError"] = failure.last_error();
        if let Err(unsaved) = self.save(core, openness).await {
            tracing::error!(transfer = self.id, reason = unsaved.message, "the error of a transfer was not saved");
        }
        tracing::info!(transfer = self.id, reason = failure.message, "a transfer failed");
        if openness == Openness::Open {
            tokio::spawn(resume::watch_outgoing(core.clone(), self.id.clone(), core.settings.patch_grace));
        }
        let state = self.state();
        Outcome::Failed(failure.with_state(STATE_NAME, state))
    }

    /// Goes on until the core must be asked or the payment has ended.
    async fn run(&mut self, core: &Core, word: &Value) -> Result<(), Failure> {
        let settings = &core.settings;
        loop {
            let pause = match self.step {
                Step::Start if self.skips_lookup() => self.request_quote(core).await?,
                Step::Start => self.resolve_payee(core).await?,
                Step::PayeeResolved => match self.accepted(core, word, (&PARTY, settings.auto_accept_party)).await? {
                    Pause::GoOn => self.after_lookup(core).await?,
                    Pause::Stop => Pause::Stop,
                },
                Step::ServicesReceived if self.is_receive() => self.request_quote(core).await?,
                Step::ServicesReceived => fx::request_quote(core, self).await.map(|()| Pause::Stop)?,
                Step::FxQuoteReceived => match self.accepted(core, word, (&CONVERSION, false)).await? {
                    Pause::GoOn if self.is_receive() => fx::execute(core, self).await.map(|()| Pause::GoOn)?,
                    Pause::GoOn => self.request_quote(core).await?,
                    Pause::Stop => Pause::Stop,
                },
                Step::QuoteReceived => match self.accepted(core, word, (&QUOTE, settings.auto_accept_quotes)).await? {
                    Pause::GoOn => self.after_quote(core).await?,
                    Pause::Stop => Pause::Stop,
                },
                Step::FxTransferSucceeded => self.execute(core).await?,
                Step::TransferSent | Step::FxTransferSent | Step::Succeeded | Step::Aborted | Step::Errored => {
                    return Ok(());
                }
            };
            match pause {
                Pause::Stop => return Ok(()),
                Pause::GoOn => {}
            }
        }
    }

    /// Without the acceptance the payment is aborted.
    async fn accepted(
        &mut self,
        core: &Core,
        word: &Value,
        (wanted, is_automatic): (&Acceptance, bool),
    ) -> Result<Pause, Failure> {
        let accepts = |name: &&str| word.get(*name) == Some(&Value::Bool(true));
        if is_automatic || wanted.names.iter().any(accepts) {
            return Ok(Pause::GoOn);
        }
        self.step = Step::Aborted;
        self.data["abortedReason"] = wanted.reason.into();
        self.save(core, Openness::Settled).await?;
        Ok(Pause::Stop)
    }

    async fn resolve_payee(&mut self, core: &Core) -> Result<Pause, Failure> {
        if let Some(wait) = core.settings.several_payees {
            return self.resolve_payees(core, wait).await;
        }
        let (found, exchanged) = phases::find(core, &self.data["to"], &self.id).await?;
        let to = self.data["to"].as_object_mut().ok_or_else(|| Failure::internal("The payee is no object."))?;
        parties::resolve(to, &found);
        if let Some(currencies) = at(&found, &["supportedCurrencies"]) {
            self.data["supportedCurrencies"] = currencies.clone();
        }
        self.data["getPartiesRequest"] = exchanged.request;
        self.data["getPartiesResponse"] = exchanged.response;
        self.reach(core, Step::PayeeResolved).await?;
        Ok(if core.settings.auto_accept_party { Pause::GoOn } else { Pause::Stop })
    }

    /// The core chooses: `to` becomes an array, and one of it comes back with the acceptance.
    async fn resolve_payees(&mut self, core: &Core, wait: Duration) -> Result<Pause, Failure> {
        let (found, exchanged) = phases::find_all(core, (&self.data["to"], &self.id), wait).await?;
        let payee = |found: &Value| {
            let mut to = self.data["to"].as_object().cloned().unwrap_or_default();
            parties::resolve(&mut to, found);
            put(&mut to, "supportedCurrencies", at(found, &["supportedCurrencies"]).cloned());
            Value::from(to)
        };
        self.data["to"] = found.iter().map(payee).collect();
        self.data["getPartiesRequest"] = exchanged.request;
        self.data["getPartiesResponse"] = exchanged.response;
        self.reach(core, Step::PayeeResolved).await?;
        Ok(Pause::Stop)
    }

    async fn after_lookup(&mut self, core: &Core) -> Result<Pause, Failure> {
        match fx::need(&core.settings, &self.data)? {
            Need::None => self.request_quote(core).await,
            Need::Conversion { source, target } => {
                let providers = &core.settings.fx_providers;
                if providers.is_empty() {
                    return Err(Failure::internal("No FX provider detected"));
                }
                self.data["needFx"] = true.into();
                self.data["fxProviders"] = providers.clone().into();
                self.data["fxCurrencies"] = json!({"source": source, "target": target});
                self.reach(core, Step::ServicesReceived).await?;
                Ok(Pause::GoOn)
            }
        }
    }

    async fn request_quote(&mut self, core: &Core) -> Result<Pause, Failure> {
        let body = self.quote_body(core);
        let destination = text(&self.data, &["to", "fspId"]).map(str::to_owned);
        self.data["quoteId"] = body["quoteId"].clone();
        let Exchanged { request, response, source } = phases::quote(core, body, destination.as_deref()).await?;
        self.data["quoteRequest"] = request;
        self.data["quoteResponse"] = response;
        self.data["quoteResponseSource"] = source.into();
        self.reach(core, Step::QuoteReceived).await?;
        let is_before_conversion = self.needs_fx() && self.is_receive();
        Ok(if core.settings.auto_accept_quotes && !is_before_conversion { Pause::GoOn } else { Pause::Stop })
    }

    fn quote_body(&self, core: &Core) -> Value {
        let data = &self.data;
        let settings = &core.settings;
        let is_new = settings.version(Resource::Quotes) == Version::V2_0;
        let currencies = if is_new { settings.supported_currencies.as_slice() } else { &[] };
        let target =
            at(data, &["fxQuoteResponse", "body", "conversionTerms", "targetAmount"]).filter(|_| !self.is_receive());
        let amount = target.cloned().unwrap_or_else(|| json!({"currency": data["currency"], "amount": data["amount"]}));
        let mut kind = Object::new();
        put(&mut kind, "scenario", at(data, &["transactionType"]).cloned());
        put(&mut kind, "subScenario", at(data, &["subScenario"]).cloned());
        kind.insert("initiator".into(), "PAYER".into());
        kind.insert("initiatorType".into(), text(data, &["from", "type"]).unwrap_or("CONSUMER").into());
        let mut body = Object::new();
        body.insert("quoteId".into(), ids::new(settings.ulids).into());
        body.insert("transactionId".into(), self.id.clone().into());
        body.insert("amountType".into(), data["amountType"].clone());
        body.insert("amount".into(), amount);
        body.insert("expiration".into(), self.expiration(core, "quoteExpirySeconds").into());
        body.insert("payer".into(), parties::to_scheme(&data["from"], Some(settings.dfsp.as_str()), currencies));
        body.insert("payee".into(), parties::to_scheme(&data["to"], None, &[]));
        body.insert("transactionType".into(), kind.into());
        put(&mut body, "note", at(data, &["note"]).cloned());
        put(&mut body, "extensionList", wrapped(at(data, &["quoteRequestExtensions"])));
        body.into()
    }

    async fn after_quote(&mut self, core: &Core) -> Result<Pause, Failure> {
        if !self.needs_fx() {
            return self.execute(core).await;
        }
        if self.is_receive() && at(&self.data, &["fxQuoteResponse"]).is_none() {
            return fx::request_quote(core, self).await.map(|()| Pause::Stop);
        }
        fx::execute(core, self).await.map(|()| Pause::GoOn)
    }

    /// Sends the transfer and waits for its end.
    pub async fn execute(&mut self, core: &Core) -> Result<Pause, Failure> {
        let body = self.prepare_body(core)?;
        let destination = text(&self.data, &["quoteResponseSource"]).map(str::to_owned);
        let mut listening = core.hub.listen(format!("transfers-{}", self.id))?;
        self.step = Step::TransferSent;
        self.data["prepare"] = json!({"body": body});
        self.save(core, Openness::Open).await?;
        self.data["prepare"] = phases::prepare(core, &body, destination.as_deref()).await?;
        let callback = phases::fulfil(core, &mut listening, &body).await?;
        self.data["fulfil"] = phases::whole(&callback);
        self.step = Step::Succeeded;
        self.save(core, Openness::Settled).await?;
        Ok(Pause::Stop)
    }

    fn prepare_body(&self, core: &Core) -> Result<Value, Failure> {
        let data = &self.data;
        let quote = &data["quoteResponse"]["body"];
        let member = |name: &str| {
            at(quote, &[name]).cloned().ok_or_else(|| Failure::internal(format!("The quote has no {name}.")))
        };
        let payee = match core.settings.use_quote_source_as_payee {
            true => text(data, &["quoteResponseSource"]),
            false => text(data, &["to", "fspId"]),
        };
        let mut body = Object::new();
        body.insert("transferId".into(), self.id.clone().into());
        body.insert("payeeFsp".into(), payee.ok_or_else(|| Failure::internal("The payee has no fspId."))?.into());
        body.insert("payerFsp".into(), core.settings.dfsp.as_str().into());
        body.insert("amount".into(), member("transferAmount")?);
        body.insert("ilpPacket".into(), member("ilpPacket")?);
        body.insert("condition".into(), member("condition")?);
        body.insert("expiration".into(), self.expiration(core, "prepareExpirySeconds").into());
        put(&mut body, "extensionList", wrapped(at(data, &["transferRequestExtensions"])));
        Ok(body.into())
    }

    /// Now and the seconds that the core asked for, or the usual ones.
    pub fn expiration(&self, core: &Core, name: &str) -> String {
        let seconds = at(&self.data, &[name]).and_then(Value::as_u64);
        in_future(seconds.map_or(core.settings.expiry, Duration::from_secs))
    }

    pub async fn reach(&mut self, core: &Core, step: Step) -> Result<(), Failure> {
        self.step = step;
        self.save(core, Openness::Settled).await
    }

    pub fn is_receive(&self) -> bool {
        text(&self.data, &["amountType"]) == Some("RECEIVE")
    }

    fn needs_fx(&self) -> bool {
        at(&self.data, &["needFx"]) == Some(&Value::Bool(true))
    }

    fn skips_lookup(&self) -> bool {
        at(&self.data, &["skipPartyLookup"]) == Some(&Value::Bool(true)) && text(&self.data, &["to", "fspId"]).is_some()
    }
}

impl Step {
    const ALL: [Self; 11] = [
        Self::Start,
        Self::PayeeResolved,
        Self::ServicesReceived,
        Self::FxQuoteReceived,
        Self::QuoteReceived,
        Self::FxTransferSent,
        Self::FxTransferSucceeded,
        Self::TransferSent,
        Self::Succeeded,
        Self::Aborted,
        Self::Errored,
    ];

    /// The name in the records.
    fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::PayeeResolved => "payeeResolved",
            Self::ServicesReceived => "servicesFxpReceived",
            Self::FxQuoteReceived => "fxQuoteReceived",
            Self::QuoteReceived => "quoteReceived",
            Self::FxTransferSent => "fxTransferSent",
            Self::FxTransferSucceeded => "fxTransferSucceeded",
            Self::TransferSent => "transferSent",
            Self::Succeeded => "succeeded",
            Self::Aborted => "aborted",
            Self::Errored => "errored",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == text)
    }

    /// The name that the core is told.
    fn public(self) -> &'static str {
        match self {
            Self::PayeeResolved => "WAITING_FOR_PARTY_ACCEPTANCE",
            Self::FxQuoteReceived => "WAITING_FOR_CONVERSION_ACCEPTANCE",
            Self::QuoteReceived => "WAITING_FOR_QUOTE_ACCEPTANCE",
            Self::Succeeded => "COMPLETED",
            Self::Aborted => "ABORTED",
            Self::Start
            | Self::ServicesReceived
            | Self::FxTransferSent
            | Self::FxTransferSucceeded
            | Self::TransferSent
            | Self::Errored => "ERROR_OCCURRED",
        }
    }
}
