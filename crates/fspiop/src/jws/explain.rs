//! What is wrong with a signature, in sentences, for whoever looks for the fault.
//!
//! Invariant: [`Explanation::is_valid`] is what [`verify`] says, and of the request itself what [`KeyDirectory::verify`]
//! says; the findings are all that could be found, not the first alone. They quote headers and bodies: they are for a person
//! who has the message, not for logs and answers.
//!
//! [`KeyDirectory::verify`]: super::KeyDirectory::verify

use super::directory::check_request;
use super::{Protected, Received, Signature, VerificationKey, signing_input, text_of, verify};
use crate::canonical_json;
use crate::headers::{DESTINATION, HTTP_METHOD, SIGNATURE, SOURCE, URI};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderMap;

/// Bytes of a body that are shown on each side of a difference.
const CONTEXT_BYTES: usize = 16;

/// What could be found out about a signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    pub is_valid: bool,
    /// Whose signature the headers say it is.
    pub source: Option<String>,
    /// In the protected header.
    pub algorithm: Option<String>,
    pub findings: Vec<Finding>,
}

/// One thing that is not as it was signed, or that a reader should know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The name of a header, `body`, `key` or `request`.
    pub about: &'static str,
    pub sentence: String,
    pub signed: Option<String>,
    pub received: Option<String>,
    /// Where the two begin to differ, counted from 0.
    pub byte: Option<usize>,
}

/// Explains the signature of a message. With the body that was `sent`, the bytes that changed on the way can be named.
/// Without a request line the request is not compared with the headers.
pub fn explain(
    key: &VerificationKey,
    headers: &HeaderMap,
    body: &[u8],
    (request, sent): (Option<Received<'_>>, Option<&[u8]>),
) -> Explanation {
    let verified = verify(key, headers, body);
    let of_request = request.map_or(Ok(()), |received| check_request(&received));
    let is_valid = verified.is_ok() && of_request.is_ok();
    let source = text_of(headers, SOURCE).ok().flatten().map(str::to_owned);
    let mut findings = Vec::new();
    let signature = match Opened::read(headers) {
        Ok(signature) => Some(signature),
        Err(finding) => {
            findings.push(finding);
            None
        }
    };
    if let Some(signature) = &signature {
        findings.extend(of_headers(&signature.protected, headers));
        findings.extend(of_body(key, signature, body));
    }
    if let (Err(error), Some(received)) = (of_request, request) {
        let sentence = format!("The request is {} {}, and {error}.", received.method, received.path);
        findings.push(Finding::of("request", sentence));
    }
    if let Some(difference) = sent.and_then(|sent| Finding::between(("body", "The body"), sent, body)) {
        findings.push(difference);
    }
    if let (Err(error), true) = (verified, findings.is_empty()) {
        findings.push(Finding::of(SIGNATURE, format!("The signature is refused: {error}.")));
    }
    Explanation { is_valid, source, algorithm: signature.map(|signature| signature.protected.alg), findings }
}

/// A signature header, decoded.
struct Opened {
    protected_header: String,
    protected: Protected,
    signature: Vec<u8>,
}

impl Opened {
    fn read(headers: &HeaderMap) -> Result<Self, Finding> {
        let failed = |what: &str| Finding::of(SIGNATURE, what.to_owned());
        let value = text_of(headers, SIGNATURE).map_err(|error| failed(&format!("{error}.")))?;
        let value = value.ok_or_else(|| failed("There is no fspiop-signature header: the message is not signed."))?;
        let not_json = "The fspiop-signature header is no JSON object with protectedHeader and signature.";
        let Signature { protected_header, signature } = serde_json::from_str(value).map_err(|_| failed(not_json))?;
        let decode = |text: &str, name: &str| {
            let why = format!("The {name} in the fspiop-signature header is not base64url without padding.");
            URL_SAFE_NO_PAD.decode(text).map_err(|_| failed(&why))
        };
        let decoded = decode(&protected_header, "protectedHeader")?;
        let signature = decode(&signature, "signature")?;
        let protected = serde_json::from_slice(&decoded).map_err(|error| {
            failed(&format!("The protected header is no JSON object with the members of the API: {error}."))
        })?;
        Ok(Self { protected_header, protected, signature })
    }

    fn fits(&self, key: &VerificationKey, body: &[u8]) -> bool {
        let input = signing_input(&self.protected_header, body);
        key.accepts(&self.protected.alg, input.as_bytes(), &self.signature)
    }
}

fn of_headers(protected: &Protected, headers: &HeaderMap) -> Vec<Finding> {
    let rows = [
        (URI, &protected.uri),
        (HTTP_METHOD, &protected.method),
        (SOURCE, &protected.source),
        (DESTINATION, &protected.destination),
        ("date", &protected.date),
    ];
    rows.into_iter().filter_map(|(name, signed)| of_header(name, signed.as_deref(), headers)).collect()
}

fn of_header(name: &'static str, signed: Option<&str>, headers: &HeaderMap) -> Option<Finding> {
    let received = match text_of(headers, name) {
        Ok(received) => received,
        Err(error) => return Some(Finding::of(name, format!("Of the signed headers, {error}."))),
    };
    let finding = |sentence| Finding {
        signed: signed.map(str::to_owned),
        received: received.map(str::to_owned),
        ..Finding::of(name, sentence)
    };
    match (signed, received) {
        (Some(signed), Some(received)) if name == HTTP_METHOD && signed.eq_ignore_ascii_case(received) => None,
        (Some(signed), Some(received)) => {
            Finding::between((name, &format!("The header {name}")), signed.as_bytes(), received.as_bytes())
        }
        (Some(signed), None) => {
            Some(finding(format!("The header {name} was signed as \"{signed}\", and the message has none.")))
        }
        // A date need not be signed, and a destination only if there is one.
        (None, None) if name == DESTINATION => None,
        (None, _) if name == "date" => None,
        (None, Some(received)) => {
            Some(finding(format!("The header {name} is \"{received}\", and the signature does not cover it.")))
        }
        (None, None) => Some(finding(format!("The header {name} is missing, and the signature does not cover it."))),
    }
}

/// In which form the body fits the signature, if that is not the one that came.
fn of_body(key: &VerificationKey, signature: &Opened, body: &[u8]) -> Vec<Finding> {
    let algorithm = &signature.protected.alg;
    if body.is_empty() {
        return vec![Finding::of("body", "The body is empty, and a message without a body cannot be signed.".into())];
    }
    if !key.knows(algorithm) {
        let known = key.names().join(", ");
        let sentence = format!("The signature says that it is {algorithm}; the key verifies {known}.");
        return vec![Finding::of("key", sentence)];
    }
    if signature.fits(key, body) {
        return Vec::new();
    }
    let sorted = serde_json::from_slice(body).ok().map(|value| canonical_json(&value).into_bytes());
    let forms = [
        (sorted, "with its members sorted and no white space", "It is accepted all the same."),
        (Some(without_white_space(body)), "without the white space in it", "It is not accepted so."),
    ];
    for (form, how, end) in forms {
        let Some(form) = form.filter(|form| signature.fits(key, form)) else { continue };
        let difference = Finding::between(("body", "The body"), &form, body);
        let place = difference.as_ref().map_or(String::new(), |difference| format!(" {}", difference.sentence));
        let sentence =
            format!("The signature fits the body {how}: somebody has written it anew on its way. {end}{place}");
        return vec![Finding { sentence, ..difference.unwrap_or_else(|| Finding::of("body", String::new())) }];
    }
    let sentence = "The signature fits the body in no form: either the key is not that of the signer, or the body or \
                    protected header is not what was signed. A signature cannot tell which byte; compare with the body \
                    that was sent.";
    vec![Finding::of("body", sentence.to_owned())]
}

/// The text of a JSON document without what stands between its tokens.
fn without_white_space(body: &[u8]) -> Vec<u8> {
    let (mut is_text, mut is_escaped) = (false, false);
    let mut kept = Vec::with_capacity(body.len());
    for byte in body {
        let is_quote = *byte == b'"' && !is_escaped;
        if is_text || !byte.is_ascii_whitespace() {
            kept.push(*byte);
        }
        is_escaped = is_text && *byte == b'\\' && !is_escaped;
        is_text ^= is_quote;
    }
    kept
}

impl Finding {
    fn of(about: &'static str, sentence: String) -> Self {
        Self { about, sentence, signed: None, received: None, byte: None }
    }

    /// The first byte in which two texts differ; none if they are the same.
    fn between((about, subject): (&'static str, &str), signed: &[u8], received: &[u8]) -> Option<Self> {
        if signed == received {
            return None;
        }
        let same = signed.iter().zip(received).take_while(|(signed, received)| signed == received).count();
        let around = |text: &[u8]| {
            let end = text.len().min(same + CONTEXT_BYTES);
            String::from_utf8_lossy(&text[same.saturating_sub(CONTEXT_BYTES)..end]).into_owned()
        };
        let (signed_text, received_text) = (around(signed), around(received));
        let what = |text: &[u8]| text.get(same).map_or("nothing more".to_owned(), |byte| format!("0x{byte:02x}"));
        let sentence = format!(
            "{subject} differs from byte {same} on: {} was signed, {} received (\"{signed_text}\" and \
             \"{received_text}\").",
            what(signed),
            what(received),
        );
        Some(Self { about, sentence, signed: Some(signed_text), received: Some(received_text), byte: Some(same) })
    }
}

#[cfg(test)]
mod tests;
