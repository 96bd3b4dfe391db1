//! Small words about JSON values: members that may be absent, lists that FSPIOP wraps, times.

use serde_json::{Map, Value};
use std::time::Duration;
use vocabulary::Timestamp;

pub(crate) type Object = Map<String, Value>;

/// The text at a path of members.
pub(crate) fn text<'json>(value: &'json Value, path: &[&str]) -> Option<&'json str> {
    at(value, path)?.as_str()
}

/// The value at a path of members; none if it is null.
pub(crate) fn at<'json>(value: &'json Value, path: &[&str]) -> Option<&'json Value> {
    let found = path.iter().try_fold(value, |value, name| value.get(name))?;
    (!found.is_null()).then_some(found)
}

/// Sets a member unless there is nothing to set.
pub(crate) fn put(object: &mut Object, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value.into());
    }
}

/// Copies members from one object to another, those that are there, some under another name.
pub(crate) fn copy(target: &mut Object, source: &Value, names: &[(&str, &str)]) {
    for (from, to) in names {
        put(target, to, at(source, &[from]).cloned());
    }
}

/// `{"extension": […]}` of a list that has entries.
pub(crate) fn wrapped(list: Option<&Value>) -> Option<Value> {
    let list = list.filter(|list| list.as_array().is_some_and(|entries| !entries.is_empty()))?;
    Some(serde_json::json!({"extension": list}))
}

/// `{"amount", "currency"}` of two members.
pub(crate) fn money(source: &Value, amount: &str, currency: &str) -> Option<Value> {
    let (amount, currency) = (at(source, &[amount])?, at(source, &[currency])?);
    Some(serde_json::json!({"amount": amount, "currency": currency}))
}

pub(crate) fn in_future(duration: Duration) -> String {
    let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(sdk::now().millis().saturating_add(millis)).to_string()
}

/// Whether a time has passed; what is no time has not.
pub(crate) fn is_past(time: &str) -> bool {
    time.parse::<Timestamp>().is_ok_and(|time| time <= sdk::now())
}
