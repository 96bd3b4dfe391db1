//! Signatures from end to end: three schemes in a row, each hub with a name and a key of its own, two proxies between them,
//! a payer's DFSP in the first scheme and a payee's in the last. Both sign what they send and verify what they receive, and
//! not one byte of a body or of a signed header changes on the way.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

#[path = "../../src/demo/admin.rs"]
#[expect(dead_code, reason = "hubs learn the ways by themselves here")]
mod admin;
mod banks;
mod tap;
mod tills;
mod world;

use fspiop::jws::{Received, verify};
use http::Method;
use tap::{Message, Tap};
use world::End;

/// Everything that a signature covers, the signature, and how the body is to be read.
const SIGNED: [&str; 7] = [
    "fspiop-source",
    "fspiop-destination",
    "fspiop-uri",
    "fspiop-http-method",
    "date",
    "fspiop-signature",
    "content-type",
];

/// Checks that a message passed these taps with the same body and the same signed headers, byte for byte; returns it as it
/// passed the last one.
fn assert_untouched(line: &str, taps: &[&Tap]) -> Message {
    let first = taps[0].get(line);
    for (number, tap) in taps.iter().enumerate() {
        let passed = tap.get(line);
        assert_eq!(passed.body, first.body, "the body of {line} at tap {number}");
        for name in SIGNED {
            assert_eq!(passed.header(name), first.header(name), "{name} of {line} at tap {number}");
            assert_eq!(passed.headers.get_all(name).iter().count(), first.headers.get_all(name).iter().count());
        }
    }
    taps[taps.len() - 1].get(line)
}

/// Checks that a message verifies with the key that `end` has of `signer`, and with no other that it has.
fn assert_signed_by(message: &Message, signer: &str, end: &End) {
    assert_eq!(message.header("fspiop-source"), Some(signer.as_bytes()), "{}", message.line);
    let keys = end.keys();
    for name in keys.names().unwrap() {
        let verified = verify(&keys.key(&name).unwrap(), &message.headers, &message.body);
        assert_eq!(verified.is_ok(), name == signer, "{} with the key of {name}: {verified:?}", message.line);
    }
    let (method, path) = message.line.split_once(' ').unwrap();
    let method: Method = method.parse().unwrap();
    let received = Received { method: &method, path, headers: &message.headers, body: &message.body };
    assert_eq!(keys.verify(&received), Ok(()), "{}", message.line);
}
