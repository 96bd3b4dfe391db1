//! Payments whose messages are signed before the clock starts.
//!
//! Signing with RSA costs a DFSP more than a whole payment costs the hub. What is measured is the hub, so the payments of a
//! run are drawn beforehand and their four signed messages are made as they will leave, up to the signature.
//!
//! Invariant: a message that is rendered from a payment has the bytes that were signed: date and expiration are those of
//! the drawing, and the run ends before they do.

use super::{
    payment::{Beginning, Payment, Stage},
    state::{Draft, State},
};
use crate::{
    agreement::{Agreement, agreements},
    clock::{Texts, texts},
    credentials::Credentials,
    messages::Messages,
    random::Random,
    scheme::Scheme,
};
use fspiop::{
    headers::{DESTINATION, HTTP_METHOD, SOURCE, URI},
    jws,
};
use http::{HeaderMap, HeaderValue, header::DATE};
use std::{num::NonZero, thread, time::Duration};

/// Longer than any run.
const LIFETIME: Duration = Duration::from_secs(3 * 3600);
/// Two DFSPs sign two messages each.
const SIGNED: [Stage; 4] = [Stage::Quote, Stage::Agreement, Stage::Prepare, Stage::Fulfil];

/// The payments of a run, in their order, and what they agree on.
pub struct SignedPayments {
    pub(super) agreements: Vec<Agreement>,
    pub(super) payments: Vec<SignedPayment>,
    pub(super) time: Texts,
}

/// A payment that has not begun, with the values of its four `FSPIOP-Signature` headers.
pub struct SignedPayment {
    pub(super) draft: Draft,
    signatures: [Box<str>; SIGNED.len()],
}

impl SignedPayments {
    /// Draws so many payments and signs them on all cores. The error is a sentence.
    pub fn make(count: u32, seed: u64, (scheme, credentials): (Scheme, &Credentials)) -> Result<Self, String> {
        let mut random = Random::seeded(seed);
        let agreements = agreements(super::engine::AGREEMENTS as usize, &mut random);
        let time = texts(LIFETIME);
        let mut state = State::new(scheme, super::engine::AGREEMENTS, random, time);
        let drafts: Vec<Draft> = (0..count).filter_map(|_| state.draw()).collect();
        let (messages, agreements) = (Messages::signed(""), agreements);
        let signer = Signer { messages: &messages, agreements: &agreements, credentials, time };
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let shares = drafts.chunks(drafts.len().div_ceil(threads).max(1));
        let payments: Result<Vec<Vec<SignedPayment>>, String> = thread::scope(|scope| {
            let signing: Vec<_> = shares.map(|share| scope.spawn(|| signer.all(share))).collect();
            let ended = |thread: thread::ScopedJoinHandle<_>| {
                thread.join().unwrap_or_else(|_| Err("A thread that signs ended by a mistake of its own.".to_owned()))
            };
            signing.into_iter().map(ended).collect()
        });
        let payments = payments?.into_iter().flatten().collect();
        Ok(Self { agreements, payments, time })
    }
}

impl SignedPayment {
    /// The signature of the message of a stage, if that is signed.
    pub(super) fn signature(&self, stage: Stage) -> Option<&[u8]> {
        let place = SIGNED.iter().position(|signed| *signed == stage)?;
        Some(self.signatures[place].as_bytes())
    }
}

struct Signer<'a> {
    messages: &'a Messages,
    agreements: &'a [Agreement],
    credentials: &'a Credentials,
    time: Texts,
}

impl Signer<'_> {
    fn all(&self, drafts: &[Draft]) -> Result<Vec<SignedPayment>, String> {
        let failed = |error: jws::KeyError| format!("A message cannot be signed: {error}.");
        drafts.iter().map(|draft| self.sign(*draft).map_err(failed)).collect()
    }

    fn sign(&self, draft: Draft) -> Result<SignedPayment, jws::KeyError> {
        let payment = Payment::new(0, Beginning { draft, scheduled: 0, time: self.time });
        let values = payment.values(&self.agreements[draft.agreement as usize]);
        let mut signatures = SIGNED.map(|_| Box::<str>::default());
        let (mut head, mut body) = (Vec::new(), Vec::new());
        for (signature, stage) in signatures.iter_mut().zip(SIGNED) {
            head.clear();
            body.clear();
            let message = self.messages.of(stage).expect("only stages with messages are signed");
            message.render_parts(&values, &mut head, &mut body);
            *signature = jws::sign(self.credentials.signing(payment.sender(stage)), &headers(&head), &body)?.into();
        }
        Ok(SignedPayment { draft, signatures })
    }
}

/// The headers that a signature covers, of a head as it will leave.
fn headers(head: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in String::from_utf8_lossy(head).lines().skip(1) {
        let Some((name, value)) = line.split_once(": ") else { continue };
        let name = [URI, HTTP_METHOD, SOURCE, DESTINATION, DATE.as_str()].into_iter().find(|known| *known == name);
        if let (Some(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    headers
}
