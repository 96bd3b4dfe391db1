//! Bugs that a test plants, to show that the histories of the simulation find them. Compiled with the feature
//! `planted-bugs` only, which no product build has.
//!
//! Invariant: nothing is planted until a test says so; what it says is true for the whole process.

use core::sync::atomic::{AtomicU8, Ordering};

/// A rule that is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bug {
    /// What was forwarded to another scheme expires here at its expiration.
    ExpireForwarded = 1,
    /// An entry is made although both sides are behind one proxy.
    PostWithinOneProxy = 2,
    /// A route is learned from a look-up that nobody has answered.
    LearnFromQuestion = 3,
}

const NONE: u8 = 0;

static PLANTED: AtomicU8 = AtomicU8::new(NONE);

/// Plants a bug in place of an earlier one, or takes it out.
pub fn plant(bug: Option<Bug>) {
    PLANTED.store(bug.map_or(NONE, |bug| bug as u8), Ordering::SeqCst);
}

pub fn has(bug: Bug) -> bool {
    PLANTED.load(Ordering::SeqCst) == bug as u8
}
