//! The pages under `docs/` say what is true: their messages pass the hub's own checks, the names in them exist, and their
//! commands work.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod commands;
mod messages;
mod names;
mod pages;
#[allow(unused_imports, reason = "each test binary uses its own part of this module")]
#[path = "../support/mod.rs"]
mod support;
