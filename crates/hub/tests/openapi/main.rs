//! What the hub itself makes, held against the published definitions of the API: callbacks and answers of real
//! conversations, in every version. Where the contract demands something else than the definitions say,
//! `contract-deviations.toml` lists it, and nothing else may differ.
//!
//! The definitions are read from `../shared/specs` beside the checkout; without them these tests say that they are
//! skipped and succeed.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod answers;
mod definitions;
mod deviations;
mod errors;
mod outcomes;
mod participants;
#[path = "../support/mod.rs"]
mod support;

use definitions::Definitions;
use deviations::Deviations;
use std::{cell::RefCell, collections::BTreeSet};
use support::Received;

const VERSIONS: [&str; 3] = ["1.0", "1.1", "2.0"];

/// The definitions of every version, and what has been held against them.
struct Book {
    files: [Definitions; 3],
    deviations: Deviations,
    seen: RefCell<BTreeSet<String>>,
}

impl Book {
    /// `None`, and a word about it, if the definitions are not there.
    fn open() -> Option<Self> {
        let [first, second, third] = VERSIONS.map(|version| Definitions::load(&format!("fspiop-v{version}.yaml")));
        let files = [first?, second?, third?];
        Some(Self { files, deviations: Deviations::load(), seen: RefCell::default() })
    }

    fn file(&self, version: &str) -> &Definitions {
        let place = VERSIONS.iter().position(|known| *known == version).expect("a version of the API");
        &self.files[place]
    }

    /// Holds a message of the hub against the definition of its own version.
    fn check(&self, received: &Received) {
        assert_eq!(received.header("fspiop-source"), "Hub", "{received:?}");
        let (_, version) = received.header("content-type").split_once("version=").expect("a media type with a version");
        let file = self.file(version);
        let (template, result) = file.check_message(received);
        if let Err(problem) = result {
            let undeclared = self.deviations.members(received.method.as_str(), &template);
            let without = undeclared.map(|members| file.check_without(received, &members));
            let because = format!("{} ({version}): {problem}\n{}", received.line(), received.text());
            assert_eq!(without, Some(Ok(())), "{because}");
        }
        self.seen.borrow_mut().insert(format!("{} {template} {version}", received.method));
    }

    /// Fails unless messages of exactly these lines were checked, in each version that has them.
    fn assert_seen(&self, lines: &[&str]) {
        let all = lines.iter().flat_map(|line| VERSIONS.map(|version| (*line, version)));
        // PATCH came with 1.1; requests to pay are spoken in 1.0 and 1.1.
        let exists = |(line, version): &(&str, &str)| match *version {
            "1.0" => !line.starts_with("PATCH"),
            "2.0" => !line.contains("/transactionRequests") && !line.contains("/authorizations"),
            _ => true,
        };
        let wanted: BTreeSet<String> = all.filter(exists).map(|(line, version)| format!("{line} {version}")).collect();
        assert_eq!(*self.seen.borrow(), wanted);
    }
}
