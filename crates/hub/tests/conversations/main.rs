//! Conversations between two DFSPs and the hub over HTTP, as the participants see them (contract, transfers §2 to §5).
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod authorizations;
mod crashes;
mod delivery;
mod duplicates;
mod limits;
mod outcomes;
mod participants;
mod parties;
mod payment;
mod questions;
mod quotes;
mod signatures;
#[path = "../support/mod.rs"]
mod support;
mod transaction_requests;
mod verification;

use support::{Call, Received};

/// Checks that a message arrived as it was sent: its bytes, and the headers that are the sender's own.
fn assert_relayed(received: &Received, sent: &Call) {
    assert_eq!(received.text(), String::from_utf8_lossy(sent.bytes()), "{}", received.line());
    assert_eq!(received.body, sent.bytes(), "{}", received.line());
    for name in ["content-type", "date", "fspiop-source", "fspiop-signature", "traceparent"] {
        assert_eq!(received.header(name), sent.header(name), "{name} of {}", received.line());
    }
    let accept = if sent.is_callback() { "" } else { sent.header("accept") };
    assert_eq!(received.header("accept"), accept, "{}", received.line());
}
