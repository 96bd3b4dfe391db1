//! Paths and queries: what has a route has a canonical path, which means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((method, rest)) = fuzz::method(bytes) else { return };
    let Ok(target) = std::str::from_utf8(rest) else { return };
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let operation = match fspiop::route(&method, path) {
        Ok(route) => route.operation(query),
        Err(error) => Err(error.into()),
    };
    match operation {
        // A parameter `error` cannot be told from the path of an error; the API has no way to write it.
        Ok(operation) if !path_holds_error(path) => {
            let uri = operation.uri();
            assert!(uri.parse::<http::Uri>().is_ok(), "{uri}");
            let again = fspiop::route(&method, &uri).expect("a canonical path has a route");
            assert_eq!(again.operation(query), Ok(operation), "{uri}");
        }
        Ok(_) => {}
        Err(error) => assert!((400..=405).contains(&error.http_status()), "{error}"),
    }
});

/// Whether a segment says `error` once it is decoded but not before.
fn path_holds_error(path: &str) -> bool {
    path.split('/')
        .any(|segment| segment.contains('%') && segment.len() >= "error".len() && decoded(segment) == b"error")
}

fn decoded(segment: &str) -> Vec<u8> {
    let mut bytes = segment.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16)).unwrap_or(0);
        decoded.push(if byte == b'%' { (digit() * 16 + digit()) as u8 } else { byte });
    }
    decoded
}
