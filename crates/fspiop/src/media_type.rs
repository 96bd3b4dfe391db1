//! Grammar of `Content-Type` and `Accept` as implementations read them (contract §1.3): stricter than RFC 7231, and
//! participants' tests rely on the strictness.
//!
//! Invariant: nothing is guessed. A value has the exact form or is refused; case matters.

use crate::{Resource, Version};

/// A `Content-Type` of the right form and resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ContentType {
    Supported(Version),
    Unsupported,
}

/// An `Accept` of the right form and resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Accept {
    Acceptable,
    Unacceptable,
}

/// Reads `application/vnd.interoperability.<resource>+json;version=<major>.<minor>`, at most one blank on each side of
/// the semicolon. `None` if the form or the resource is another.
pub(crate) fn parse_content_type(text: &str, resource: Resource) -> Option<ContentType> {
    let version = version_parameter(after_media_type(text, resource)?)?;
    let (major, minor) = version.split_once('.')?;
    if !is_number(major) || !is_number(minor) {
        return None;
    }
    let supported = resource.content_versions().iter().find(|known| known.as_str() == version);
    Some(supported.map_or(ContentType::Unsupported, |version| ContentType::Supported(*version)))
}

/// Reads one or more entries joined by a bare comma; the version of an entry may be absent or lack its minor number.
/// `None` if any entry has another form or resource. An entry without a version asks for no supported version
/// (implementations answer 406, although the specification reads it as "latest").
pub(crate) fn parse_accept(text: &str, resource: Resource) -> Option<Accept> {
    let mut answer = Accept::Unacceptable;
    for entry in text.split(',') {
        let parameter = after_media_type(entry, resource)?;
        if parameter.is_empty() {
            continue;
        }
        let version = version_parameter(parameter)?;
        let (major, minor) = version.split_once('.').map_or((version, None), |(major, minor)| (major, Some(minor)));
        if !is_number(major) || !minor.is_none_or(is_number) {
            return None;
        }
        if is_listed(resource, version) {
            answer = Accept::Acceptable;
        }
    }
    Some(answer)
}

/// Whether the media type is JSON at all, whatever its resource: what a server that parses bodies by media type
/// accepts.
pub(crate) fn is_json(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn after_media_type(text: &str, resource: Resource) -> Option<&str> {
    text.strip_prefix("application/vnd.interoperability.")?.strip_prefix(resource.as_str())?.strip_prefix("+json")
}

fn version_parameter(text: &str) -> Option<&str> {
    let text = strip_one_blank(text).strip_prefix(';')?;
    strip_one_blank(text).strip_prefix("version=")
}

fn strip_one_blank(text: &str) -> &str {
    text.strip_prefix([' ', '\t']).unwrap_or(text)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Membership by text, not by number: `1` and `1.0` are two entries of the list.
fn is_listed(resource: Resource, version: &str) -> bool {
    resource.content_versions().iter().any(|known| known.as_str() == version || known.parts().0 == version)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRANSFERS: Resource = Resource::Transfers;

    fn content(suffix: &str) -> Option<ContentType> {
        parse_content_type(&format!("application/vnd.interoperability.{suffix}"), TRANSFERS)
    }

    #[test]
    fn a_content_type_has_both_numbers_and_nothing_after_them() {
        for (suffix, expected) in [
            ("transfers+json;version=1.0", Some(ContentType::Supported(Version::V1_0))),
            ("transfers+json;version=1.1", Some(ContentType::Supported(Version::V1_1))),
            ("transfers+json;version=2.0", Some(ContentType::Supported(Version::V2_0))),
            ("transfers+json ; version=1.0", Some(ContentType::Supported(Version::V1_0))),
            ("transfers+json;version=1.2", Some(ContentType::Unsupported)),
            ("transfers+json;version=10.0", Some(ContentType::Unsupported)),
            ("transfers+json;version=01.0", Some(ContentType::Unsupported)),
            ("transfers+json;version=1", None),
            ("transfers+json;version=1.", None),
            ("transfers+json;version=1.0 ", None),
            ("transfers+json;version=1.0;charset=utf-8", None),
            ("transfers+json  ;version=1.0", None),
            ("transfers+json", None),
            ("transfers+xml;version=1.0", None),
            ("Transfers+json;version=1.0", None),
            ("quotes+json;version=1.0", None),
            ("fxTransfers+json;version=2.0", None),
        ] {
            assert_eq!(content(suffix), expected, "{suffix}");
        }
    }

    #[test]
    fn one_acceptable_entry_of_a_list_is_enough_and_blanks_after_commas_are_not_tolerated() {
        let base = "application/vnd.interoperability.transfers+json";
        for (text, expected) in [
            (format!("{base};version=1"), Some(Accept::Acceptable)),
            (format!("{base};version=1.1"), Some(Accept::Acceptable)),
            (format!("{base};version=2"), Some(Accept::Acceptable)),
            (format!("{base};version=3,{base};version=2.0"), Some(Accept::Acceptable)),
            (format!("{base};version=3, {base};version=2.0"), None),
            (format!("{base};version=1.9"), Some(Accept::Unacceptable)),
            (base.to_owned(), Some(Accept::Unacceptable)),
            (format!("{base},{base};version=1"), Some(Accept::Acceptable)),
            (format!("{base};version="), None),
            (format!("{base};version=1."), None),
            (String::new(), None),
            ("*/*".to_owned(), None),
        ] {
            assert_eq!(parse_accept(&text, TRANSFERS), expected, "{text}");
        }
    }

    #[test]
    fn transaction_requests_do_not_accept_version_two() {
        let text = "application/vnd.interoperability.transactionRequests+json;version=2";
        assert_eq!(parse_accept(text, Resource::TransactionRequests), Some(Accept::Unacceptable));
    }

    #[test]
    fn json_is_recognised_by_its_suffix() {
        assert!(is_json("application/vnd.interoperability.quotes+json;version=1.0"));
        assert!(is_json("application/json; charset=utf-8"));
        assert!(!is_json("application/vnd.interoperability.transactionRequests+xml;version=1.1"));
    }
}
