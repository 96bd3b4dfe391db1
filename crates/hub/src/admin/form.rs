//! The form of a request's body: reads members of a JSON object and collects everything that is wrong with them
//! (contract, administration §0.2). Numeric strings count as numbers and `"true"`/`"false"` as booleans; members that
//! nobody asked for are refused.

use super::{decimal, reply::Failure};
use fspiop::{ErrorCode, FspiopError};
use serde_json::{Map, Value};
use std::{ops::RangeInclusive, str::FromStr};
use vocabulary::{Amount, Currency, InvalidAmount};

/// A JSON object that is being read. Read every member first, then [`Form::finish`].
pub(super) struct Form<'a> {
    /// Names of the objects around this one, each followed by a dot.
    path: String,
    members: Option<&'a Map<String, Value>>,
    known: Vec<&'static str>,
    problems: Vec<String>,
}

/// What a number may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sign {
    Any,
    NotNegative,
    Positive,
}

/// Lengths of a text for which no other limit is known.
pub(super) const TEXT_CHARS: RangeInclusive<usize> = 1..=512;
/// Lengths of a participant's or model's name.
pub(super) const NAME_CHARS: RangeInclusive<usize> = 2..=30;

impl<'a> Form<'a> {
    pub fn new(body: &'a Value) -> Self {
        let mut form = Self { path: String::new(), members: body.as_object(), known: Vec::new(), problems: Vec::new() };
        if form.members.is_none() {
            form.problems.push("\"value\" must be of type object".to_owned());
        }
        form
    }

    /// Builds the result, unless something is wrong. `build` may use `?` on what was read: a required member that is
    /// missing or malformed was noted and prevents that it is called.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, Failure> {
        let problems = self.into_problems();
        if problems.is_empty() {
            return Ok(build().expect("a form without problems has its required members"));
        }
        Err(malformed(problems.join(". ")))
    }

    pub fn text(&mut self, name: &'static str, chars: RangeInclusive<usize>) -> Option<&'a str> {
        let value = self.required(name)?;
        let Value::String(text) = value else { return self.reject(name, "must be a string") };
        let length = text.chars().take(chars.end() + 1).count();
        if length == 0 {
            self.reject(name, "is not allowed to be empty")
        } else if length < *chars.start() {
            self.reject(name, &format!("length must be at least {} characters long", chars.start()))
        } else if length > *chars.end() {
            self.reject(name, &format!("length must be less than or equal to {} characters long", chars.end()))
        } else {
            Some(text)
        }
    }

    /// A text that `parse` understands; `otherwise` completes the sentence that begins with the member's name.
    pub fn parsed<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
        otherwise: &str,
    ) -> Option<T> {
        let text = self.text(name, TEXT_CHARS)?;
        parse(text).or_else(|| self.reject(name, otherwise))
    }

    /// As [`Form::parsed`], for a member that may be absent.
    pub fn optionally_parsed<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
        otherwise: &str,
    ) -> Option<T> {
        if self.has(name) { self.parsed(name, parse, otherwise) } else { None }
    }

    pub fn currency(&mut self, name: &'static str) -> Option<Currency> {
        self.parsed(name, |text| Currency::from_str(text).ok(), NOT_A_CURRENCY)
    }

    pub fn optional_currency(&mut self, name: &'static str) -> Option<Currency> {
        self.optionally_parsed(name, |text| Currency::from_str(text).ok(), NOT_A_CURRENCY)
    }

    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.required(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if text == "true" => Some(true),
            Value::String(text) if text == "false" => Some(false),
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                self.reject(name, "must be a boolean")
            }
        }
    }

    /// A flag with the many spellings that `isProxy` has; absent, empty and null are false.
    pub fn lenient_flag(&mut self, name: &'static str) -> bool {
        let Some(value) = self.optional(name) else { return false };
        let text = match value {
            Value::Null => return false,
            Value::Bool(flag) => return *flag,
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            Value::Array(_) | Value::Object(_) => "neither".to_owned(),
        };
        parse_lenient_flag(&text).or_else(|| self.reject(name, "must be a boolean")).unwrap_or(false)
    }

    pub fn number(&mut self, name: &'static str, sign: Sign) -> Option<Amount> {
        let text = match self.required(name)? {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                return self.reject(name, "must be a number");
            }
        };
        match decimal::parse(&text) {
            Ok(number) if sign == Sign::Positive && number <= Amount::ZERO => {
                self.reject(name, "must be a positive number")
            }
            Ok(number) if sign == Sign::NotNegative && number.is_negative() => {
                self.reject(name, "must be greater than or equal to 0")
            }
            Ok(number) => Some(number),
            Err(InvalidAmount::TooLarge) => self.reject(name, "must have at most 14 integer digits"),
            Err(InvalidAmount::Malformed | InvalidAmount::TooManyDecimals) => self.reject(name, "must be a number"),
        }
    }

    /// A number, or null for none.
    pub fn number_or_null(&mut self, name: &'static str, sign: Sign) -> Option<Option<Amount>> {
        if self.members.and_then(|members| members.get(name)).is_some_and(Value::is_null) {
            self.skip(name);
            return Some(None);
        }
        self.number(name, sign).map(Some)
    }

    /// A positive whole number.
    pub fn id(&mut self, name: &'static str) -> Option<i64> {
        let id = match self.required(name)? {
            Value::Number(number) => number.to_string().parse().ok(),
            Value::String(text) => text.parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        id.filter(|id| *id > 0).or_else(|| self.reject(name, "must be a positive integer"))
    }

    pub fn optional_text(&mut self, name: &'static str, chars: RangeInclusive<usize>) -> Option<&'a str> {
        if self.has(name) { self.text(name, chars) } else { None }
    }

    pub fn optional_number(&mut self, name: &'static str, sign: Sign) -> Option<Amount> {
        if self.has(name) { self.number(name, sign) } else { None }
    }

    /// An object inside this one.
    pub fn object<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Form<'a>) -> Option<T>) -> Option<T> {
        let value = self.required(name)?;
        let result = self.read_object(&format!("{name}."), value, read);
        if value.is_object() { result } else { self.reject(name, "must be of type object") }
    }

    /// A list of objects inside this one, with one entry at least and at most `entries_max`.
    pub fn objects<T>(
        &mut self,
        name: &'static str,
        entries_max: usize,
        read: impl Fn(&mut Form<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Value::Array(entries) = self.required(name)? else { return self.reject(name, "must be an array") };
        if entries.is_empty() || entries.len() > entries_max {
            return self.reject(name, &format!("must contain 1 to {entries_max} items"));
        }
        let mut results = Vec::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            if !entry.is_object() {
                return self.reject(name, &format!("item {at} must be of type object"));
            }
            results.push(self.read_object(&format!("{name}[{at}]."), entry, &read)?);
        }
        Some(results)
    }

    /// Lets a member pass that is read elsewhere.
    pub fn skip(&mut self, name: &'static str) {
        self.known.push(name);
    }

    /// Whether the member is there.
    pub fn has(&self, name: &str) -> bool {
        self.members.is_some_and(|members| members.contains_key(name))
    }

    /// Notes what is wrong with a member.
    pub fn reject<T>(&mut self, name: &str, problem: &str) -> Option<T> {
        self.problems.push(format!("\"{}{name}\" {problem}", self.path));
        None
    }

    fn read_object<T>(
        &mut self,
        step: &str,
        value: &'a Value,
        read: impl FnOnce(&mut Form<'a>) -> Option<T>,
    ) -> Option<T> {
        let path = format!("{}{step}", self.path);
        let mut inner = Form { path, members: value.as_object(), known: Vec::new(), problems: Vec::new() };
        let result = read(&mut inner);
        self.problems.extend(inner.into_problems());
        result
    }

    fn required(&mut self, name: &'static str) -> Option<&'a Value> {
        let value = self.optional(name);
        if value.is_none() && self.members.is_some() { self.reject(name, "is required") } else { value }
    }

    fn optional(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.members?.get(name)
    }

    fn into_problems(self) -> Vec<String> {
        let is_unknown = |name: &&String| !self.known.contains(&name.as_str());
        let unknown = self.members.into_iter().flat_map(Map::keys).filter(is_unknown);
        let unknown: Vec<_> = unknown.map(|name| format!("\"{}{name}\" is not allowed", self.path)).collect();
        [self.problems, unknown].concat()
    }
}

/// The rest of the sentence about a text that should be a currency.
pub(super) const NOT_A_CURRENCY: &str = "must be one of the currency codes of ISO 4217";

/// Reads `true`, `1`, `false`, `0` and nothing; `None` for anything else.
pub(super) fn parse_lenient_flag(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" | "" => Some(false),
        _ => None,
    }
}

/// 400/3101 with what is wrong.
pub(super) fn malformed(detail: impl std::fmt::Display) -> Failure {
    Failure(FspiopError::with_detail(ErrorCode::MALFORMED_SYNTAX, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(body: &str, read: impl FnOnce(&mut Form<'_>)) -> String {
        let body: Value = serde_json::from_str(body).unwrap();
        let mut form = Form::new(&body);
        read(&mut form);
        form.finish(|| Some(())).map_or_else(|failure| failure.0.description().to_owned(), |()| String::new())
    }

    #[test]
    fn all_that_is_wrong_is_reported_at_once() {
        let found = problems(r#"{"a": 5, "c": {"d": -1, "e": 0}, "x": 1}"#, |form| {
            form.text("a", NAME_CHARS);
            form.flag("b");
            form.object("c", |form| form.number("d", Sign::NotNegative));
        });
        assert_eq!(
            found,
            "Malformed syntax - \"a\" must be a string. \"b\" is required. \"c.d\" must be greater than or equal to 0. \
             \"c.e\" is not allowed. \"x\" is"
        );
    }

    #[test]
    fn a_body_that_is_no_object_has_one_problem() {
        for body in ["null", "[]", "5", "\"x\""] {
            let found = problems(body, |form| {
                form.text("a", NAME_CHARS);
                form.optional_currency("b");
            });
            assert_eq!(found, "Malformed syntax - \"value\" must be of type object", "{body}");
        }
    }

    #[test]
    fn numbers_and_flags_may_come_as_texts() {
        let body = serde_json::json!({"n": "1000.5", "m": 7, "t": "true", "f": false});
        let mut form = Form::new(&body);
        let numbers = [form.number("n", Sign::Positive), form.number("m", Sign::Any)];
        assert_eq!(numbers.map(|number| number.unwrap().to_string()), ["1000.5", "7"]);
        assert_eq!([form.flag("t"), form.flag("f")], [Some(true), Some(false)]);
        assert!(form.finish(|| Some(())).is_ok());
    }

    #[test]
    fn each_kind_of_member_says_what_it_must_be() {
        for (member, expected) in [
            (r#"{"m": null}"#, "must be a number"),
            (r#"{"m": true}"#, "must be a number"),
            (r#"{"m": "ten"}"#, "must be a number"),
            (r#"{"m": ""}"#, "must be a number"),
            (r#"{"m": 0.00004}"#, "must be a positive number"),
            (r#"{"m": -3}"#, "must be a positive number"),
            (r#"{"m": 1e15}"#, "must have at most 14 integer digits"),
        ] {
            let found = problems(member, |form| {
                form.number("m", Sign::Positive);
            });
            assert_eq!(found, format!("Malformed syntax - \"m\" {expected}"), "{member}");
        }
        for (member, expected) in [
            (r#"{"m": ""}"#, "is not allowed to be empty"),
            (r#"{"m": "a"}"#, "length must be at least 2 characters long"),
            (r#"{"m": "abcdefghijabcdefghijabcdefghijk"}"#, "length must be less than or equal to 30 characters long"),
        ] {
            let found = problems(member, |form| {
                form.text("m", NAME_CHARS);
            });
            assert_eq!(found, format!("Malformed syntax - \"m\" {expected}"), "{member}");
        }
    }

    #[test]
    fn a_list_of_objects_names_the_entry_that_is_wrong() {
        let found = problems(r#"{"l": [{"k": "a"}, {"k": 1}]}"#, |form| {
            form.objects("l", 2, |form| form.text("k", TEXT_CHARS));
        });
        assert_eq!(found, "Malformed syntax - \"l[1].k\" must be a string");
        for list in ["[]", "[{},{},{}]"] {
            let found = problems(&format!(r#"{{"l": {list}}}"#), |form| {
                let _: Option<Vec<()>> = form.objects("l", 2, |_| Some(()));
            });
            assert_eq!(found, "Malformed syntax - \"l\" must contain 1 to 2 items", "{list}");
        }
    }

    #[test]
    fn is_proxy_has_many_spellings() {
        for (body, expected) in [
            ("{}", false),
            (r#"{"isProxy": null}"#, false),
            (r#"{"isProxy": ""}"#, false),
            (r#"{"isProxy": 0}"#, false),
            (r#"{"isProxy": "0"}"#, false),
            (r#"{"isProxy": "false"}"#, false),
            (r#"{"isProxy": true}"#, true),
            (r#"{"isProxy": 1}"#, true),
            (r#"{"isProxy": "1"}"#, true),
            (r#"{"isProxy": "true"}"#, true),
        ] {
            let body: Value = serde_json::from_str(body).unwrap();
            let mut form = Form::new(&body);
            assert_eq!(form.lenient_flag("isProxy"), expected, "{body}");
            assert!(form.finish(|| Some(())).is_ok(), "{body}");
        }
        let found = problems(r#"{"isProxy": "yes"}"#, |form| {
            form.lenient_flag("isProxy");
        });
        assert_eq!(found, "Malformed syntax - \"isProxy\" must be a boolean");
    }
}
