//! Packets, conditions and fulfilments of quotes, and the check of a fulfilment (dfsp-client.md §6).

use crate::json::{Object, copy, text};
use crate::settings::IlpVersion;
use fspiop::ilp::{self, PaymentPacket, PreparePacket, Secret};
use serde_json::Value;
use vocabulary::{Amount, Condition, Currency, FspId, Fulfilment};

/// What makes a quote binding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seal {
    pub packet: String,
    pub condition: Condition,
    pub fulfilment: Fulfilment,
}

/// What a packet is made of.
struct Contents {
    account: String,
    amount: Amount,
    currency: Currency,
    transaction: String,
    expiration: String,
}

/// The seal of a quote: `request` is the scheme's `POST /quotes`, `response` the `PUT /quotes/{ID}` in the making.
///
/// Errors: a sentence that says what the packet cannot hold.
pub(crate) fn of_quote(
    version: IlpVersion,
    secret: &Secret,
    request: &Value,
    response: &Value,
) -> Result<Seal, String> {
    let mut transaction = Object::new();
    let same = |name| (name, name);
    let members = ["quoteId", "transactionId", "transactionType", "payee", "payer"].map(same);
    copy(&mut transaction, request, &members);
    copy(&mut transaction, response, &[same("expiration"), ("transferAmount", "amount")]);
    let info = &request["payee"]["partyIdInfo"];
    let part = |name: &str| text(info, &[name]).ok_or_else(|| format!("the payee has no {name}"));
    let fsp: FspId = part("fspId")?.parse().map_err(|_| "the payee's fspId is no name".to_owned())?;
    let sub_id = text(info, &["partySubIdOrType"]);
    let account = ilp::party_account(&fsp, part("partyIdType")?, part("partyIdentifier")?, sub_id);
    seal(version, secret, &contents(account, &response["transferAmount"], transaction, response)?)
}

/// The seal of a conversion: `terms` are the provider's.
pub(crate) fn of_conversion(
    version: IlpVersion,
    secret: &Secret,
    conversion_request: &str,
    terms: &Value,
) -> Result<Seal, String> {
    let mut transaction = Object::new();
    transaction.insert("conversionRequestId".into(), conversion_request.into());
    transaction.insert("conversionTerms".into(), terms.clone());
    let missing = |name: &str| format!("the conversion terms have no usable {name}");
    let counter_party = text(terms, &["counterPartyFsp"]).and_then(|name| name.parse().ok());
    let counter_party: FspId = counter_party.ok_or_else(|| missing("counterPartyFsp"))?;
    let currency = |name: &str| {
        let text = text(terms, &[name, "currency"]).and_then(|text| text.parse::<Currency>().ok());
        text.ok_or_else(|| missing(name))
    };
    let (source, target) = (currency("sourceAmount")?, currency("targetAmount")?);
    let account = ilp::conversion_account(&counter_party, source, target);
    let expiration = text(terms, &["expiration"]).unwrap_or_default().to_owned();
    let transaction = fspiop::canonical_json(&transaction.into());
    seal(version, secret, &Contents { account, amount: Amount::ZERO, currency: source, transaction, expiration })
}

fn contents(account: String, amount: &Value, transaction: Object, response: &Value) -> Result<Contents, String> {
    let currency = text(amount, &["currency"]).and_then(|text| text.parse().ok());
    let currency = currency.ok_or("transferAmountCurrency is no currency")?;
    let amount = text(amount, &["amount"]).and_then(|text| Amount::parse(text).ok());
    let amount = amount.ok_or("transferAmount is no amount")?;
    let expiration = text(response, &["expiration"]).unwrap_or_default().to_owned();
    let transaction = fspiop::canonical_json(&transaction.into());
    Ok(Contents { account, amount, currency, transaction, expiration })
}

fn seal(version: IlpVersion, secret: &Secret, contents: &Contents) -> Result<Seal, String> {
    let transaction = contents.transaction.clone().into_bytes();
    match version {
        IlpVersion::V1 => {
            let amount = ilp::minor_units_cut(contents.amount, contents.currency).map_err(|error| error.to_string())?;
            let packet = PaymentPacket { amount, account: contents.account.clone(), transaction }.encode();
            let fulfilment = secret.fulfilment_v1(&packet);
            Ok(Seal { packet, condition: ilp::condition_of(&fulfilment), fulfilment })
        }
        IlpVersion::V4 => {
            let amount = ilp::minor_units(contents.amount, contents.currency).map_err(|error| error.to_string())?;
            let expires = contents.expiration.parse().map_err(|_| "expiration is no time".to_owned())?;
            let fulfilment = secret.fulfilment_v4(&transaction);
            let condition = ilp::condition_of(&fulfilment);
            let packet = PreparePacket { amount, expires, condition, transaction }.encode();
            Ok(Seal { packet, condition, fulfilment })
        }
    }
}

/// The fulfilment of a packet that this DFSP has made; of whichever version.
pub(crate) fn fulfilment_of(secret: &Secret, packet: &str) -> Option<Fulfilment> {
    if PaymentPacket::decode(packet).is_ok() {
        return Some(secret.fulfilment_v1(packet));
    }
    PreparePacket::decode(packet).ok().map(|packet| secret.fulfilment_v4(&packet.transaction))
}

/// The transaction in a packet.
pub(crate) fn transaction_of(packet: &str) -> Option<Value> {
    serde_json::from_slice(&ilp::transaction_of(packet).ok()?).ok()
}

/// Whether a fulfilment, as text, fulfils a condition, as text.
pub(crate) fn fulfils(fulfilment: &str, condition: &str) -> bool {
    Fulfilment::parse(fulfilment).is_some_and(|fulfilment| ilp::condition_of(&fulfilment).to_string() == condition)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published vectors lie beside the repository, or where `UMOJA_CONTRACT` says; without them the test says so.
    fn vectors() -> Option<Value> {
        let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/contract");
        let directory = std::env::var("UMOJA_CONTRACT").unwrap_or_else(|_| beside.into());
        let text = std::fs::read_to_string(format!("{directory}/vectors.json")).ok();
        if text.is_none() {
            println!("skipped: vectors.json is absent");
        }
        text.map(|text| serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn seals_equal_the_published_vectors_byte_for_byte() {
        let Some(vectors) = vectors() else { return };
        let secret = Secret::new(text(&vectors, &["secret"]).unwrap());
        let (request, response) = (&vectors["quoteRequest"], &vectors["quoteResponse"]);
        let conversion = text(&vectors, &["fxReq", "conversionRequestId"]).unwrap();
        let terms = &vectors["fxRes"]["conversionTerms"];
        for (version, name) in [(IlpVersion::V1, "ssc19_v1"), (IlpVersion::V4, "ssc19_v4")] {
            let quote = of_quote(version, &secret, request, response).unwrap();
            let fx = of_conversion(version, &secret, conversion, terms).unwrap();
            for (seal, vector) in [(quote, &vectors[name]), (fx, &vectors[format!("{name}_fx")])] {
                assert_eq!(seal.packet, vector["ilpPacket"], "{name}");
                assert_eq!(seal.condition.to_string(), vector["condition"], "{name}");
                assert_eq!(seal.fulfilment.to_string(), vector["fulfilment"], "{name}");
                assert_eq!(fulfilment_of(&secret, &seal.packet), Some(seal.fulfilment), "recomputed from the packet");
                assert!(fulfils(&seal.fulfilment.to_string(), &seal.condition.to_string()));
            }
        }
    }

    #[test]
    fn a_condition_in_another_writing_is_not_fulfilled() {
        let fulfilment = Fulfilment::new([7; 32]);
        let condition = ilp::condition_of(&fulfilment).to_string();
        assert!(fulfils(&fulfilment.to_string(), &condition));
        assert!(!fulfils(&fulfilment.to_string(), &format!("{condition}=")));
        assert!(!fulfils("", &condition));
        assert!(!fulfils(&Fulfilment::new([8; 32]).to_string(), &condition));
    }
}
