//! URL templates that operators register, with values that participants send.
#![no_main]

use fspiop::endpoint::{join, render};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (value, template) = text.split_once('\n').unwrap_or(("", text));
    if let Ok(url) = render(template, &[("transferId", value), ("partyIdentifier", value)]) {
        let _ = url.parse::<http::Uri>();
    }
    // Whatever a participant sends stays inside its path segment.
    let url = render("http://payee/transfers/{{transferId}}", &[("transferId", value)]).expect("the variable is known");
    let uri: http::Uri = url.parse().expect("an encoded value makes a URL");
    assert_eq!((uri.host(), uri.query()), (Some("payee"), None));
    assert_eq!(uri.path().matches('/').count(), 2, "{url}");
    let _ = join(template, "/quotes").parse::<http::Uri>();
});
