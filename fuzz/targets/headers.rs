//! `check_headers` of any headers on any route: it refuses with an error that can be answered, or what it returns is
//! what the headers say.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((route, rest)) = fuzz::known_route(bytes) else { return };
    let headers = fuzz::headers(rest);
    match fspiop::check_headers(&route, &headers) {
        Ok(envelope) => {
            assert_eq!(headers[fspiop::headers::SOURCE].as_bytes(), envelope.source.as_str().as_bytes());
            assert_eq!(headers.get_all("content-type").iter().count(), 1);
            assert!(route.resource().supports(envelope.version));
        }
        Err(error) => {
            assert!([400, 406].contains(&error.http_status()), "{error}");
            assert!(fspiop::FspiopError::from_json(&error.to_json()).is_some());
        }
    }
});
