//! Which headers of a request travel on, and which of an answer travel back (contract, interscheme §2.2).
//!
//! Invariant: a header is removed whole or left alone. Values are bytes that nobody here looks at, so that whatever a
//! sender signed arrives as it was signed.

use http::{
    HeaderMap, HeaderName,
    header::{CONNECTION, CONTENT_LENGTH},
};

/// Removes what belongs to the first of two journeys: credentials, what names or describes this hop, what gateways
/// added, and what the operator named.
pub fn strip_request(headers: &mut HeaderMap, also: &[HeaderName]) {
    remove(headers, |name| is_hop_by_hop(name) || is_private(name), also);
}

/// Removes what belongs to the connection to the upstream.
pub fn strip_answer(headers: &mut HeaderMap) {
    remove(headers, is_hop_by_hop, &[]);
}

fn remove(headers: &mut HeaderMap, is_doomed: impl Fn(&str) -> bool, also: &[HeaderName]) {
    let named = connection_options(headers);
    let doomed: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_doomed(name.as_str()) || also.contains(name) || named.contains(name))
        .cloned()
        .collect();
    for name in &doomed {
        headers.remove(name);
    }
}

/// What the `Connection` header says to be of this connection only (RFC 9110 §7.6.1). The length of the body is not: it
/// is how HTTP/1.1 finds the end of the message, and it is rewritten where that is needed.
fn connection_options(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(CONNECTION).into_iter().filter_map(|value| value.to_str().ok());
    let names = values.flat_map(|value| value.split(',')).filter_map(|option| option.trim().parse().ok());
    names.filter(|name| name != CONTENT_LENGTH).collect()
}

fn is_hop_by_hop(name: &str) -> bool {
    let is_named = matches!(name, "connection" | "keep-alive" | "te" | "trailer" | "transfer-encoding" | "upgrade");
    is_named || name.starts_with("proxy-")
}

fn is_private(name: &str) -> bool {
    let is_named = matches!(
        name,
        "authorization"
            | "cookie"
            | "set-cookie"
            | "host"
            | "content-length"
            | "accept-encoding"
            | "user-agent"
            | "x-request-id"
    );
    is_named || ["x-forwarded-", "x-envoy-", "x-b3-"].iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&str, &str)]) -> HeaderMap {
        let pairs = list.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()));
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value);
        }
        headers
    }

    fn left(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn each_header_of_the_first_journey_ends_with_it() {
        for name in [
            "Authorization",
            "Cookie",
            "Set-Cookie",
            "Host",
            "Content-Length",
            "Accept-Encoding",
            "User-Agent",
            "Connection",
            "Keep-Alive",
            "Proxy-Authorization",
            "Proxy-Authenticate",
            "Proxy-Connection",
            "TE",
            "Trailer",
            "Transfer-Encoding",
            "Upgrade",
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "X-Request-Id",
            "X-Envoy-Attempt-Count",
            "X-B3-TraceId",
        ] {
            let mut map = headers(&[(name, "1"), (name, "2")]);
            strip_request(&mut map, &[]);
            assert_eq!(left(&map), [""; 0], "{name}");
        }
    }

    #[test]
    fn everything_else_travels_with_its_bytes() {
        let list = [
            ("FSPIOP-Source", "dfsp  a"),
            ("fspiop-destination", "dfspb"),
            ("FSPIOP-Signature", "{\"signature\":\"x\",\"protectedHeader\":\"y\"}"),
            ("FSPIOP-URI", "/transfers"),
            ("Date", "Fri, 20 Nov 2026 21:53:58 GMT"),
            ("Content-Type", "application/vnd.interoperability.transfers+json;version=1.1"),
            ("Accept", "application/vnd.interoperability.transfers+json;version=1"),
            ("traceparent", "00-1"),
            ("x-client-id", "a"),
            ("forwarded", "for=a"),
            ("expect", "100-continue"),
        ];
        let mut map = headers(&list);
        let before = map.clone();
        strip_request(&mut map, &[]);
        assert_eq!(map, before);
    }

    #[test]
    fn what_the_connection_header_names_is_of_that_connection() {
        let mut map = headers(&[
            ("connection", "close, X-Local"),
            ("connection", "x-other"),
            ("x-local", "1"),
            ("x-other", "2"),
            ("x-third", "3"),
        ]);
        strip_request(&mut map, &[]);
        assert_eq!(left(&map), ["x-third"]);
    }

    #[test]
    fn the_operator_may_name_more() {
        let mut map = headers(&[("X-Internal", "1"), ("x-public", "2")]);
        strip_request(&mut map, &["x-internal".parse().unwrap()]);
        assert_eq!(left(&map), ["x-public"]);
    }

    #[test]
    fn an_answer_keeps_what_is_not_of_the_connection() {
        let mut map = headers(&[
            ("connection", "keep-alive, content-length"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("content-length", "2"),
            ("set-cookie", "a=b"),
            ("x-request-id", "7"),
        ]);
        strip_answer(&mut map);
        assert_eq!(left(&map), ["content-length", "set-cookie", "x-request-id"]);
    }
}
