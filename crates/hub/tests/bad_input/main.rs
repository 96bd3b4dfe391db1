//! What is wrong with a message is told in the contract's words, and no position, hold or entry changes.
//!
//! [`headers`] and [`bodies`] are refused at once; [`callbacks`] are accepted and refused by callback (contract,
//! transfers §1.2 to §1.7, §2.2 to §2.4, §3.2 to §3.4, §4.3).
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod bodies;
mod callbacks;
mod headers;
#[path = "../support/mod.rs"]
mod support;

use support::{Call, Scheme};

/// What is wrong, the call, and the answer: `<HTTP status> <code> <description>` and extensions.
struct Case(&'static str, Call, String);

fn case(what: &'static str, call: Call, answer: impl Into<String>) -> Case {
    Case(what, call, answer.into())
}

/// Sends every call to a hub, and checks that each got its answer, that no balance changed, and that nobody was told.
async fn assert_refused(cases: Vec<Case>) {
    let scheme = Scheme::start().await;
    let before = scheme.balances().await;
    let mut wrong = Vec::new();
    for Case(what, call, expected) in cases {
        let reply = scheme.send(&call).await;
        assert_eq!(reply.header("content-type"), "application/json", "{what}: {}", reply.text());
        let actual = reply.error();
        if actual != expected {
            wrong.push(format!("{what}\n  expected {expected}\n  got      {actual}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(scheme.balances().await, before);
    scheme.end().await;
}

/// The description as it is sent: at most 128 characters.
fn cut(text: &str) -> String {
    text.chars().take(128).collect()
}
