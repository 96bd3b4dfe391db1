//! The messages of a payment as a DFSP writes them (FSPIOP 1.1; traced in the contract, transfers §4.0).
//!
//! Invariant: the id of a message that is forwarded stands first in its body, where [`id_in_body`] finds it without
//! parsing. The transaction id is the transfer's id, as the common client does it.

use crate::template::Template;
use fspiop::{Resource, Version, accept, content_type};

/// The version that is spoken: the first with PATCH.
const VERSION: Version = Version::V1_1;

/// One template for each message that a DFSP sends.
#[derive(Clone, Debug)]
pub struct Messages {
    pub get_parties: Template,
    pub put_parties: Template,
    pub post_quotes: Template,
    pub put_quotes: Template,
    pub post_transfers: Template,
    pub put_transfers: Template,
    pub get_transfers: Template,
}

/// Who sends to whom.
#[derive(Clone, Copy)]
enum Direction {
    PayerToPayee,
    /// Discovery, and questions to the hub itself: nobody is addressed.
    PayerToHub,
    PayeeToPayer,
}

impl Messages {
    /// Messages to the hub at this authority, such as `127.0.0.1:4000`.
    pub fn new(hub: &str) -> Self {
        Self::with(hub, "")
    }

    /// As [`Messages::new`], with the headers of a signature on those that clients sign: neither questions, which have no
    /// body, nor answers to look-ups.
    pub fn signed(hub: &str) -> Self {
        Self::with(hub, "fspiop-signature: {signature}\r\n")
    }

    fn with(hub: &str, signature: &str) -> Self {
        use Direction::{PayeeToPayer, PayerToHub, PayerToPayee};
        let request = |line: &str, direction, body: &str| {
            let mut head = head(line, hub, direction);
            if !signature.is_empty() && !line.contains("/parties/") && !body.is_empty() {
                let (method, path) = line.split_once(' ').expect("a request line has a method and a path");
                head += &format!("fspiop-uri: {path}\r\nfspiop-http-method: {method}\r\n{signature}");
            }
            Template::new(&head, body)
        };
        Self {
            get_parties: request("GET /parties/MSISDN/{payeeParty}", PayerToHub, ""),
            put_parties: request("PUT /parties/MSISDN/{payeeParty}", PayeeToPayer, PARTY),
            post_quotes: request("POST /quotes", PayerToPayee, QUOTE),
            put_quotes: request("PUT /quotes/{quoteId}", PayeeToPayer, AGREEMENT),
            post_transfers: request("POST /transfers", PayerToPayee, PREPARE),
            put_transfers: request("PUT /transfers/{transferId}", PayeeToPayer, FULFIL),
            get_transfers: request("GET /transfers/{transferId}", PayerToHub, ""),
        }
    }
}

const PARTY: &str = concat!(
    r#"{"party":{"partyIdInfo":{"partyIdType":"MSISDN","partyIdentifier":"{payeeParty}","fspId":"{payee}"},"#,
    r#""personalInfo":{"complexName":{"firstName":"Ana","lastName":"Diaz"}},"name":"Ana Diaz"}}"#
);

const QUOTE: &str = concat!(
    r#"{"quoteId":"{quoteId}","transactionId":"{transferId}","amountType":"SEND","#,
    r#""amount":{"currency":"USD","amount":"{amount}"},"expiration":"{expiration}","#,
    r#""payer":{"partyIdInfo":{"partyIdType":"MSISDN","partyIdentifier":"{payerParty}","fspId":"{payer}"},"#,
    r#""name":"Bob Mosi"},"#,
    r#""payee":{"partyIdInfo":{"partyIdType":"MSISDN","partyIdentifier":"{payeeParty}","fspId":"{payee}"},"#,
    r#""personalInfo":{"complexName":{"firstName":"Ana","lastName":"Diaz"}}},"#,
    r#""transactionType":{"scenario":"TRANSFER","initiator":"PAYER","initiatorType":"CONSUMER"},"note":"rent"}"#
);

const AGREEMENT: &str = concat!(
    r#"{"transferAmount":{"amount":"{amount}","currency":"USD"},"expiration":"{expiration}","#,
    r#""ilpPacket":"{packet}","condition":"{condition}","payeeFspFee":{"amount":"0","currency":"USD"}}"#
);

const PREPARE: &str = concat!(
    r#"{"transferId":"{transferId}","payeeFsp":"{payee}","payerFsp":"{payer}","#,
    r#""amount":{"currency":"USD","amount":"{amount}"},"#,
    r#""ilpPacket":"{packet}","condition":"{condition}","expiration":"{expiration}"}"#
);

const FULFIL: &str = r#"{"fulfilment":"{fulfilment}","transferState":"RESERVED"}"#;

/// The id with which a forwarded POST begins; `None` if the body is not one of ours.
pub fn id_in_body(body: &[u8]) -> Option<&[u8]> {
    let rest = body.strip_prefix(br#"{"quoteId":""#).or_else(|| body.strip_prefix(br#"{"transferId":""#))?;
    rest.get(..crate::random::ID_LENGTH)
}

fn head(line: &str, hub: &str, direction: Direction) -> String {
    let (method, path) = line.split_once(' ').expect("a request line has a method and a path");
    let resource = match path.split('/').nth(1) {
        Some("parties") => Resource::Parties,
        Some("quotes") => Resource::Quotes,
        _ => Resource::Transfers,
    };
    let content_type = content_type(resource, VERSION);
    let mut head = format!("{line} HTTP/1.1\r\nhost: {hub}\r\ncontent-type: {content_type}\r\ndate: {{date}}\r\n");
    if method != "PUT" {
        head += &format!("accept: {}\r\n", accept(resource, VERSION));
    }
    head += match direction {
        Direction::PayerToPayee => "fspiop-source: {payer}\r\nfspiop-destination: {payee}\r\n",
        Direction::PayerToHub => "fspiop-source: {payer}\r\n",
        Direction::PayeeToPayer => "fspiop-source: {payee}\r\nfspiop-destination: {payer}\r\n",
    };
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        random::Random,
        template::{Field, Values},
    };

    #[test]
    fn every_body_is_json_once_its_fields_are_patched_in() {
        let id = Random::seeded(1).uuid().text();
        let values = Values::new().with(Field::QuoteId, &id).with(Field::TransferId, &id);
        let messages = Messages::new("127.0.0.1:4000");
        for (template, begins_with_id) in [
            (&messages.put_parties, false),
            (&messages.post_quotes, true),
            (&messages.put_quotes, false),
            (&messages.post_transfers, true),
            (&messages.put_transfers, false),
        ] {
            let mut request = Vec::new();
            template.render(&values, &mut request);
            let text = String::from_utf8(request).unwrap();
            let (_, body) = text.split_once("\r\n\r\n").unwrap();
            serde_json::from_str::<serde_json::Value>(body).unwrap();
            assert_eq!(id_in_body(body.as_bytes()), begins_with_id.then_some(&id[..]), "{body}");
        }
    }

    #[test]
    fn discovery_addresses_nobody_and_answers_are_not_negotiated() {
        let messages = Messages::new("127.0.0.1:4000");
        let mut lookup = Vec::new();
        messages.get_parties.render(&Values::new(), &mut lookup);
        let lookup = String::from_utf8(lookup).unwrap();
        assert!(lookup.starts_with("GET /parties/MSISDN/ HTTP/1.1\r\nhost: 127.0.0.1:4000\r\n"), "{lookup}");
        assert!(lookup.contains("accept: application/vnd.interoperability.parties+json;version=1"), "{lookup}");
        assert!(!lookup.contains("fspiop-destination") && !lookup.contains("content-length"), "{lookup}");
        let mut answer = Vec::new();
        messages.put_quotes.render(&Values::new(), &mut answer);
        assert!(!String::from_utf8(answer).unwrap().contains("accept:"));
    }
}
