//! Variables of the reference implementation that have no setting here.
//!
//! Invariant: none of them is passed over in silence. One that asks for what this adapter cannot do stops the start, beside
//! those of the parent module; one that has nothing to change here is named in a warning.

/// What they switch on is missing.
const REFUSED: [(&str, &str); 5] = [
    ("BULK_QUOTES_ENDPOINT", "it has no bulk"),
    ("BULK_TRANSFERS_ENDPOINT", "it has no bulk"),
    ("ENABLE_BACKEND_EVENT_HANDLER", "it has no bulk transactions"),
    ("ENABLE_FSPIOP_EVENT_HANDLER", "it has no bulk transactions"),
    ("ENABLE_OAUTH_TOKEN_ENDPOINT", "it gives no tokens; a test needs another token server"),
];
/// They change nothing, and why.
const UNUSED: [(&str, &str); 15] = [
    ("CACHE_URL", "there is no Redis; payments are recorded in the file of --data"),
    ("REDIS_CACHE_TTL", "there is no Redis; --keep-days says how long records are kept"),
    ("UNSUBSCRIBE_TIMEOUT_MS", "there is no Redis"),
    ("LOG_LEVEL", "--log says what is logged"),
    ("LOG_INDENT", "logs are lines"),
    ("TRACE_FLAGS", "no traces are begun"),
    ("MGMT_API_WS_URL", "there is no control channel"),
    ("MGMT_API_WS_PORT", "there is no control channel"),
    ("AUTO_ACCEPT_R2P_DEVICE_QUOTES", "only those of businesses are accepted without the core"),
    ("JWS_SIGN_PUT_PARTIES", "answers to look-ups are signed whenever messages are"),
    ("GET_TRANSFER_REQUEST_RETRY_ENABLED", ASKED_ON),
    ("GET_TRANSFER_REQUEST_RETRY_MAX_RETRIES", ASKED_ON),
    ("GET_TRANSFER_REQUEST_RETRY_DELAY_MS", ASKED_ON),
    ("GET_TRANSFER_REQUEST_RETRY_MAX_DELAY_MS", ASKED_ON),
    ("GET_TRANSFER_REQUEST_RETRY_BACKOFF_FACTOR", ASKED_ON),
];
const ASKED_ON: &str = "the hub is asked about a transfer at growing distances until it has decided";

/// Errors: a sentence about a variable that asks for what is missing.
pub(super) fn refuse_missing(
    missing: &[(&str, &str)],
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<(), String> {
    for (name, what) in missing.iter().chain(&REFUSED) {
        let value = variable(name).unwrap_or_default();
        if !matches!(value.to_ascii_lowercase().as_str(), "" | "false" | "0") {
            return Err(format!(
                "{name} is set, but this adapter cannot do that: {what}. Unset it, or set it to false."
            ));
        }
    }
    match variable("API_TYPE").as_deref() {
        None | Some("" | "fspiop") => Ok(()),
        Some(other) => Err(format!("API_TYPE is {other}; this adapter speaks fspiop only.")),
    }
}

/// Sentences about variables that are set and change nothing.
pub fn unused(variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let set = UNUSED.into_iter().filter(|(name, _)| is_set(name));
    set.map(|(name, why)| format!("{name} changes nothing here: {why}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_passed_over_in_silence() {
        let with =
            |name: &'static str, value: &'static str| move |asked: &str| (asked == name).then(|| value.to_owned());
        assert!(refuse_missing(&[], &with("BULK_QUOTES_ENDPOINT", "hub")).unwrap_err().contains("bulk"));
        assert_eq!(refuse_missing(&[], &with("ENABLE_BACKEND_EVENT_HANDLER", "false")), Ok(()));
        assert_eq!(unused(with("CACHE_URL", "")), Vec::<String>::new());
        let said = unused(with("CACHE_URL", "redis://redis:6379"));
        assert_eq!(
            said,
            ["CACHE_URL changes nothing here: there is no Redis; payments are recorded in the file of --data"]
        );
    }
}
