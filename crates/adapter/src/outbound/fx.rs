//! The conversion inside a payment: whether one is needed, its quote, its transfer (§2.1, FX).
//!
//! Invariant: the conversion names the payment as its determining transfer, so that both end together at the hub.

use super::phases;
use super::transfers::{Payment, Step};
use crate::Core;
use crate::failure::Failure;
use crate::hub::Outgoing;
use crate::json::{Object, at, put, text};
use crate::records::Openness;
use crate::{ids, settings::Settings};
use fspiop::{Operation, Resource};
use http::Method;
use serde_json::{Value, json};

/// Between which currencies a payment converts.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Need {
    None,
    Conversion { source: String, target: String },
}

/// Decided only if the payee's DFSP says which currencies it takes.
///
/// Errors: it says that it takes none.
pub(super) fn need(settings: &Settings, data: &Value) -> Result<Need, Failure> {
    let Some(payee) = at(data, &["supportedCurrencies"]).and_then(Value::as_array) else { return Ok(Need::None) };
    let payee: Vec<&str> = payee.iter().filter_map(Value::as_str).collect();
    let Some(first) = payee.first() else {
        return Err(Failure::internal("No payee supportedCurrencies received"));
    };
    let own: Vec<&str> = settings.supported_currencies.iter().map(String::as_str).collect();
    let currency = text(data, &["currency"]).unwrap_or_default();
    let is_receive = text(data, &["amountType"]) == Some("RECEIVE");
    let shared: Vec<&str> = payee.iter().copied().filter(|currency| own.contains(currency)).collect();
    if shared.contains(&currency) {
        return Ok(Need::None);
    }
    let is_foreign_here = is_receive && !own.contains(&currency);
    if shared.is_empty() && !is_foreign_here && payee.contains(&currency) {
        return Ok(Need::None);
    }
    Ok(match own.first() {
        Some(own) if is_foreign_here => Need::Conversion { source: (*own).to_owned(), target: currency.to_owned() },
        Some(_) | None => Need::Conversion { source: currency.to_owned(), target: (*first).to_owned() },
    })
}

/// Asks the first provider for its terms.
pub(super) async fn request_quote(core: &Core, payment: &mut Payment) -> Result<(), Failure> {
    let body = quote_body(core, payment);
    let id = text(&body, &["conversionRequestId"]).unwrap_or_default().to_owned();
    let provider = text(&payment.data["fxProviders"][0], &[]).map(str::to_owned);
    let mut listening = core.hub.listen(format!("fxQuotes-{id}"))?;
    let outgoing = Outgoing::new(Method::POST, Resource::FxQuotes, Operation::PostFxQuote);
    let request = core.hub.send(outgoing.to(provider.as_deref()).body(body)).await?;
    let callback = core.hub.next(&mut listening).await.ok_or_else(late)?;
    if callback.is_error {
        return Err(Failure::callback("requesting fxQuote", &callback.body));
    }
    let exchanged = phases::exchanged(request, callback);
    payment.data["fxQuoteRequest"] = exchanged.request;
    payment.data["fxQuoteResponse"] = exchanged.response;
    payment.data["fxQuoteResponseSource"] = exchanged.source.into();
    payment.reach(core, Step::FxQuoteReceived).await
}

fn quote_body(core: &Core, payment: &Payment) -> Value {
    let data = &payment.data;
    let ids = || ids::new(core.settings.ulids);
    let (source, target) = (&data["fxCurrencies"]["source"], &data["fxCurrencies"]["target"]);
    let quoted = at(data, &["quoteResponse", "body", "transferAmount"]).cloned();
    let (source_amount, target_amount) = if payment.is_receive() {
        let asked = json!({"currency": target, "amount": data["amount"]});
        (json!({"currency": source}), quoted.unwrap_or(asked))
    } else {
        (json!({"currency": source, "amount": data["amount"]}), json!({"currency": target}))
    };
    json!({
        "conversionRequestId": ids(),
        "conversionTerms": {
            "conversionId": ids(),
            "determiningTransferId": payment.id,
            "initiatingFsp": core.settings.dfsp.as_str(),
            "counterPartyFsp": data["fxProviders"][0],
            "amountType": data["amountType"],
            "sourceAmount": source_amount,
            "targetAmount": target_amount,
            "expiration": payment.expiration(core, "fxQuoteExpirySeconds"),
        },
    })
}

/// Sends the conversion and waits until the provider has reserved it.
pub(super) async fn execute(core: &Core, payment: &mut Payment) -> Result<(), Failure> {
    let body = transfer_body(core, payment)?;
    let id = text(&body, &["commitRequestId"]).unwrap_or_default().to_owned();
    let provider = text(&payment.data, &["fxQuoteResponseSource"]).map(str::to_owned);
    let mut listening = core.hub.listen(format!("fxTransfers-{id}"))?;
    payment.data["fxTransferRequest"] = json!({"body": body});
    payment.step = Step::FxTransferSent;
    payment.save(core, Openness::Settled).await?;
    let outgoing = Outgoing::new(Method::POST, Resource::FxTransfers, Operation::PostFxTransfer);
    payment.data["fxTransferRequest"] = core.hub.send(outgoing.to(provider.as_deref()).body(body.clone())).await?;
    let callback = core.hub.next(&mut listening).await.ok_or_else(late)?;
    if callback.is_error {
        return Err(Failure::callback("executing fxTransfer", &callback.body));
    }
    phases::check_fulfilment(core, &callback.body, &body)?;
    payment.data["fxTransferResponse"] = phases::whole(&callback);
    payment.reach(core, Step::FxTransferSucceeded).await
}

fn transfer_body(core: &Core, payment: &Payment) -> Result<Value, Failure> {
    let quote = &payment.data["fxQuoteResponse"]["body"];
    let terms =
        at(quote, &["conversionTerms"]).ok_or_else(|| Failure::internal("The fxQuote has no conversionTerms."))?;
    let mut body = Object::new();
    put(&mut body, "commitRequestId", at(terms, &["conversionId"]).cloned());
    body.insert("determiningTransferId".into(), payment.id.clone().into());
    for name in ["initiatingFsp", "counterPartyFsp", "sourceAmount", "targetAmount"] {
        put(&mut body, name, at(terms, &[name]).cloned());
    }
    put(&mut body, "condition", at(quote, &["condition"]).cloned());
    body.insert("expiration".into(), payment.expiration(core, "fxPrepareExpirySeconds").into());
    Ok(body.into())
}

/// Phases of conversions answer 500 where others answer 504 (§10).
fn late() -> Failure {
    Failure::internal("Timeout error in subscribeToOneMessageWithTimer")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(own: &[&str], payee: &[&str], (currency, amount_type): (&str, &str)) -> Need {
        let mut settings = Settings::new("green".parse().unwrap(), "", "");
        settings.supported_currencies = own.iter().map(|currency| (*currency).to_owned()).collect();
        let data = json!({"supportedCurrencies": payee, "currency": currency, "amountType": amount_type});
        need(&settings, &data).unwrap()
    }

    #[test]
    fn a_conversion_is_needed_where_payer_and_payee_do_not_share_the_currency() {
        let conversion = |source: &str, target: &str| Need::Conversion { source: source.into(), target: target.into() };
        assert_eq!(needs(&["KES"], &["KES", "TZS"], ("KES", "SEND")), Need::None);
        assert_eq!(needs(&["KES", "TZS"], &["TZS"], ("KES", "SEND")), conversion("KES", "TZS"));
        assert_eq!(needs(&["KES"], &["TZS"], ("TZS", "RECEIVE")), conversion("KES", "TZS"));
        assert_eq!(needs(&["KES"], &["TZS"], ("KES", "SEND")), conversion("KES", "TZS"));
        assert_eq!(needs(&[], &["TZS"], ("TZS", "SEND")), Need::None);
    }

    #[test]
    fn a_payee_that_takes_no_currency_cannot_be_paid() {
        let settings = Settings::new("green".parse().unwrap(), "", "");
        assert!(need(&settings, &json!({"supportedCurrencies": [], "currency": "KES"})).is_err());
        assert_eq!(need(&settings, &json!({"currency": "KES"})).unwrap(), Need::None);
    }
}
