//! The example DFSP's pages in a real browser: Chromium, driven over WebDriver against `umoja demo`.
//!
//! Every page that a test opens is looked over on the way (`accessibility.js`) and its picture is left in the target
//! directory, under `tmp/browser`. Fields, buttons and links are found by the words that people and screen readers are given.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise, also in its helpers")]

mod account;
mod codes;
mod demo;
mod driver;
mod lists;
mod requests;
mod sending;
mod teller;

use demo::Demo;
use driver::{Browser, View};

/// A browser and something to look at; the demo starts when it is the browser's turn.
async fn stage(view: View, arguments: &[&str]) -> (Browser, Demo) {
    let browser = Browser::open(view).await;
    (browser, Demo::start(arguments))
}
