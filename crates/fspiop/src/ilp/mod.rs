//! Interledger packets, fulfilments and conditions as participants make them (dfsp-client.md §6). The hub never looks
//! into a packet; it only knows that SHA-256 of the fulfilment is the condition.
//!
//! Invariant: what is encoded here decodes to the same amount and data, and equals the packets of the published vectors
//! byte for byte.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256};
use std::fmt;
use vocabulary::{Amount, Condition, Currency, FspId, Fulfilment, Timestamp};

const TYPE_PAYMENT: u8 = 0x01;
const TYPE_PREPARE: u8 = 0x0c;
const V4_DESTINATION: &[u8] = b"g.mojaloop";
/// Bytes of a packet, decoded: `IlpPacket` has at most 32,768 characters.
const PACKET_BYTES_MAX: usize = 24_576;

/// The payee FSP's secret, from which fulfilments are made.
#[derive(Clone)]
pub struct Secret(String);

/// A packet of version 1 (`IlpPayment`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaymentPacket {
    /// In minor units of the currency, see [`minor_units`].
    pub amount: u64,
    /// ILP address, see [`party_account`].
    pub account: String,
    /// The JSON text of the transaction, see [`crate::canonical_json`].
    pub transaction: Vec<u8>,
}

/// A packet of version 4 (`IlpPrepare`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PreparePacket {
    /// In minor units of the currency.
    pub amount: u64,
    pub expires: Timestamp,
    pub condition: Condition,
    /// The JSON text of the transaction.
    pub transaction: Vec<u8>,
}

/// The text is not a packet of the expected version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidPacket;

/// The amount has decimals that the currency does not have, or is negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotRepresentable;

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The fulfilment of a transfer with a packet of version 1; `packet` is the text that travels.
    pub fn fulfilment_v1(&self, packet: &str) -> Fulfilment {
        self.hmac(packet.as_bytes())
    }

    /// The fulfilment of a transfer with a packet of version 4; `transaction` is its canonical JSON text.
    pub fn fulfilment_v4(&self, transaction: &[u8]) -> Fulfilment {
        self.hmac(STANDARD.encode(transaction).as_bytes())
    }

    /// The key is the base64 text of the secret, not the secret.
    fn hmac(&self, message: &[u8]) -> Fulfilment {
        let key = STANDARD.encode(&self.0);
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(message);
        Fulfilment::new(mac.finalize().into_bytes().into())
    }
}

/// The condition that a fulfilment fulfils: its SHA-256.
pub fn condition_of(fulfilment: &Fulfilment) -> Condition {
    Condition::new(Sha256::digest(fulfilment.bytes()).into())
}

impl PaymentPacket {
    /// The text that travels in `ilpPacket`: base64url without padding.
    pub fn encode(&self) -> String {
        let mut contents = self.amount.to_be_bytes().to_vec();
        write_variable(&mut contents, self.account.as_bytes());
        write_variable(&mut contents, URL_SAFE_NO_PAD.encode(&self.transaction).as_bytes());
        contents.push(0);
        envelope(TYPE_PAYMENT, &contents)
    }

    pub fn decode(text: &str) -> Result<Self, InvalidPacket> {
        let packet = decode_base64url(text)?;
        let mut contents = open_envelope(&packet, TYPE_PAYMENT)?;
        let amount = u64::from_be_bytes(contents.take(8)?.try_into().expect("eight bytes were taken"));
        let account = String::from_utf8(contents.take_variable()?.to_vec()).map_err(|_| InvalidPacket)?;
        let transaction = decode_data(contents.take_variable()?)?;
        Ok(Self { amount, account, transaction })
    }
}

impl PreparePacket {
    /// The text that travels in `ilpPacket`: base64url without padding.
    pub fn encode(&self) -> String {
        let mut contents = self.amount.to_be_bytes().to_vec();
        contents.extend(self.expires.to_string().bytes().filter(u8::is_ascii_digit));
        contents.extend_from_slice(self.condition.bytes());
        write_variable(&mut contents, V4_DESTINATION);
        write_variable(&mut contents, URL_SAFE_NO_PAD.encode(&self.transaction).as_bytes());
        envelope(TYPE_PREPARE, &contents)
    }

    pub fn decode(text: &str) -> Result<Self, InvalidPacket> {
        let packet = decode_base64url(text)?;
        let mut contents = open_envelope(&packet, TYPE_PREPARE)?;
        let amount = u64::from_be_bytes(contents.take(8)?.try_into().expect("eight bytes were taken"));
        let expires = parse_expiry(contents.take(17)?)?;
        let condition = Condition::new(contents.take(32)?.try_into().expect("32 bytes were taken"));
        let _destination = contents.take_variable()?;
        let transaction = decode_data(contents.take_variable()?)?;
        Ok(Self { amount, expires, condition, transaction })
    }
}

/// The transaction's JSON text in a packet of either version.
pub fn transaction_of(packet: &str) -> Result<Vec<u8>, InvalidPacket> {
    let payment = PaymentPacket::decode(packet).map(|packet| packet.transaction);
    payment.or_else(|_| PreparePacket::decode(packet).map(|packet| packet.transaction))
}

/// `g.<fsp>.<type>.<identifier>[.<sub-id>]`, all but the FSP's name in lower case.
pub fn party_account(fsp: &FspId, id_type: &str, identifier: &str, sub_id: Option<&str>) -> String {
    let mut account = format!("g.{fsp}.{}.{}", id_type.to_lowercase(), identifier.to_lowercase());
    if let Some(sub_id) = sub_id {
        account.push('.');
        account.push_str(&sub_id.to_lowercase());
    }
    account
}

/// `g.<counterparty>.<source currency>.<target currency>` in lower case: the account of a conversion, whose amount is 0.
pub fn conversion_account(counter_party: &FspId, source: Currency, target: Currency) -> String {
    format!("g.{counter_party}.{source}.{target}").to_lowercase()
}

/// An amount in minor units of its currency. Version 4 refuses more decimals than the currency has; version 1 cuts them
/// off, see [`minor_units_cut`].
pub fn minor_units(amount: Amount, currency: Currency) -> Result<u64, NotRepresentable> {
    let cut = minor_units_cut(amount, currency)?;
    let units = u64::try_from(amount.units()).map_err(|_| NotRepresentable)?;
    if cut * divisor(currency) == units { Ok(cut) } else { Err(NotRepresentable) }
}

/// An amount in minor units of its currency, further decimals cut off. Errors: a negative amount.
pub fn minor_units_cut(amount: Amount, currency: Currency) -> Result<u64, NotRepresentable> {
    let units = u64::try_from(amount.units()).map_err(|_| NotRepresentable)?;
    Ok(units / divisor(currency))
}

/// Units of 10⁻⁴ in one minor unit.
fn divisor(currency: Currency) -> u64 {
    10u64.pow(vocabulary::SCALE - exponent(currency))
}

/// Decimals of a currency as participants' packets count them, 0 to 4.
pub fn exponent(currency: Currency) -> u32 {
    match currency.as_str() {
        "XXX" | "XTS" | "CLF" | "UYW" => 4,
        "IQD" | "KWD" | "BHD" | "JOD" | "LYD" | "OMR" | "TND" => 3,
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        _ => 2,
    }
}

fn envelope(packet_type: u8, contents: &[u8]) -> String {
    let mut packet = vec![packet_type];
    write_variable(&mut packet, contents);
    URL_SAFE_NO_PAD.encode(packet)
}

/// Length-prefixed bytes: one byte up to 127, else `0x80 | k` and the length in `k` bytes, big-endian, as few as
/// possible.
fn write_variable(target: &mut Vec<u8>, bytes: &[u8]) {
    let length = bytes.len();
    if length <= 127 {
        target.push(length as u8);
    } else {
        let big_endian = length.to_be_bytes();
        let skipped = big_endian.iter().take_while(|byte| **byte == 0).count();
        target.push(0x80 | (big_endian.len() - skipped) as u8);
        target.extend_from_slice(&big_endian[skipped..]);
    }
    target.extend_from_slice(bytes);
}

fn open_envelope(packet: &[u8], packet_type: u8) -> Result<Reader<'_>, InvalidPacket> {
    let mut reader = Reader(packet);
    if reader.take(1)? != [packet_type] {
        return Err(InvalidPacket);
    }
    let contents = reader.take_variable()?;
    if reader.0.is_empty() { Ok(Reader(contents)) } else { Err(InvalidPacket) }
}

fn decode_base64url(text: &str) -> Result<Vec<u8>, InvalidPacket> {
    if text.len() > PACKET_BYTES_MAX / 3 * 4 {
        return Err(InvalidPacket);
    }
    URL_SAFE_NO_PAD.decode(text).or_else(|_| URL_SAFE.decode(text)).map_err(|_| InvalidPacket)
}

fn decode_data(data: &[u8]) -> Result<Vec<u8>, InvalidPacket> {
    URL_SAFE_NO_PAD.decode(data).map_err(|_| InvalidPacket)
}

/// `YYYYMMDDHHMMSSmmm`, UTC.
fn parse_expiry(text: &[u8]) -> Result<Timestamp, InvalidPacket> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.is_ascii()).ok_or(InvalidPacket)?;
    let (date, time) = text.split_at(8);
    let iso = format!(
        "{}-{}-{}T{}:{}:{}.{}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &time[..2],
        &time[2..4],
        &time[4..6],
        &time[6..]
    );
    iso.parse().map_err(|_| InvalidPacket)
}

struct Reader<'packet>(&'packet [u8]);

impl<'packet> Reader<'packet> {
    fn take(&mut self, count: usize) -> Result<&'packet [u8], InvalidPacket> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(InvalidPacket)?;
        self.0 = rest;
        Ok(taken)
    }

    fn take_variable(&mut self) -> Result<&'packet [u8], InvalidPacket> {
        let first = self.take(1)?[0];
        if first <= 127 {
            return self.take(usize::from(first));
        }
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return Err(InvalidPacket);
        }
        let length = self.take(count)?.iter().fold(0usize, |length, byte| length << 8 | usize::from(*byte));
        self.take(length)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

impl fmt::Display for InvalidPacket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not an ILP packet of the expected version")
    }
}

impl fmt::Display for NotRepresentable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the amount is negative or has more decimals than its currency")
    }
}

impl std::error::Error for InvalidPacket {}
impl std::error::Error for NotRepresentable {}

#[cfg(test)]
mod tests;
