//! A published definition: which operation a message belongs to, and whether it has the form that is defined.
//!
//! Stricter than the definition in one point: a member that a schema does not list is a fault, although the definitions
//! leave room for it. The hub writes what is listed.

use crate::support::Received;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use yaml_rust2::{Yaml, YamlLoader};

/// An OpenAPI 3 or Swagger 2 document.
pub struct Definitions {
    document: Value,
}

impl Definitions {
    pub fn load(file: &str) -> Option<Self> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs").join(file);
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!("skipped: {file} is not in shared/specs beside the checkout");
            return None;
        };
        let mut document = match &YamlLoader::load_from_str(&text).unwrap()[..] {
            [document] => json_of(document),
            several => panic!("{file} holds {} documents", several.len()),
        };
        close_objects(&mut document);
        Some(Self { document })
    }

    /// The path as the definitions write it, and whether the message is one that may be sent there.
    pub fn check_message(&self, received: &Received) -> (String, Result<(), String>) {
        let Some(template) = self.template(&received.path) else {
            return (received.path.clone(), Err("there is no such path".to_owned()));
        };
        let result = self.check_operation(&template, received);
        (template, result)
    }

    /// The same, with some members of the body left out.
    pub fn check_without(&self, received: &Received, members: &[String]) -> Result<(), String> {
        let mut body = received.json();
        for member in members {
            body.as_object_mut().unwrap().remove(member);
        }
        self.check_message(&Received { body: body.to_string().into(), ..received.clone() }).1
    }

    /// Whether an answer is one that the operation may give. An operation that is not defined may answer as any other.
    pub fn check_answer(&self, line: &str, status: u16, body: &[u8]) -> Result<(), String> {
        let response = match self.operation(line) {
            Some(operation) => &operation["responses"][status.to_string()],
            None => &self.document["components"]["responses"][status.to_string()],
        };
        if response.is_null() {
            return Err(format!("{status} is not among the answers"));
        }
        match self.resolve(response).pointer("/content/application~1json/schema") {
            None if body.is_empty() => Ok(()),
            None => Err("the answer has no body".to_owned()),
            Some(schema) => self.check_body(schema, body),
        }
    }

    /// Whether the operation lists a status; a default answer stands for all but failures of the server.
    pub fn declares(&self, line: &str, status: u16) -> bool {
        let operation = self.operation(line).unwrap_or_else(|| panic!("{line} is not defined"));
        let responses = &operation["responses"];
        !responses[status.to_string()].is_null() || (status < 500 && !responses["default"].is_null())
    }

    fn check_operation(&self, template: &str, received: &Received) -> Result<(), String> {
        let path = &self.document["paths"][template];
        let operation = &path[received.method.as_str().to_ascii_lowercase()];
        if operation.is_null() {
            return Err(format!("there is no {} of {template}", received.method));
        }
        for parameters in [&path["parameters"], &operation["parameters"]] {
            for parameter in parameters.as_array().into_iter().flatten() {
                self.check_header(self.resolve(parameter), &received.headers)?;
            }
        }
        match operation.pointer("/requestBody/content/application~1json/schema") {
            Some(schema) => self.check_body(schema, &received.body),
            None => Err("the message has no body".to_owned()),
        }
    }

    fn check_header(&self, parameter: &Value, headers: &HeaderMap) -> Result<(), String> {
        let name = parameter["name"].as_str().unwrap();
        if parameter["in"] != "header" {
            return Ok(());
        }
        let Some(value) = headers.get(name) else {
            let is_required = parameter["required"] == true;
            return if is_required { Err(format!("the header {name} is missing")) } else { Ok(()) };
        };
        let text = value.to_str().map_err(|_| format!("the header {name} is no text"))?;
        let is_number = self.resolve(&parameter["schema"])["type"] == "integer";
        let value = if is_number { text.parse::<u64>().map(Value::from).unwrap_or(json!(text)) } else { json!(text) };
        self.check_value(&parameter["schema"], &value).map_err(|problem| format!("{name}: {problem}"))
    }

    fn check_body(&self, schema: &Value, body: &[u8]) -> Result<(), String> {
        let body: Value = serde_json::from_slice(body).map_err(|error| format!("the body is no JSON: {error}"))?;
        self.check_value(schema, &body)
    }

    fn check_value(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let schema = json!({"allOf": [schema], "components": self.document["components"]});
        // The schemas of OpenAPI 3.0 are those of draft 4, as far as these definitions use them.
        let validator = jsonschema::options().with_draft(jsonschema::Draft::Draft4).build(&schema).unwrap();
        let problems: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
    }

    /// The operation of a line such as `GET /transfers/1`.
    fn operation(&self, line: &str) -> Option<&Value> {
        let (method, path) = line.split_once(' ').unwrap();
        self.document["paths"][self.template(path)?].get(method.to_ascii_lowercase())
    }

    /// The defined path that a path belongs to: of several, the one with the most literal segments.
    fn template(&self, path: &str) -> Option<String> {
        let path = path.split('?').next().unwrap();
        let literals = |template: &str| template.split('/').filter(|segment| !segment.starts_with('{')).count();
        let fits = |template: &&String| {
            let (wanted, given) = (template.split('/'), path.split('/'));
            wanted.clone().count() == given.clone().count()
                && wanted.zip(given).all(|(wanted, given)| wanted == given || wanted.starts_with('{'))
        };
        let paths = self.document["paths"].as_object().unwrap();
        paths.keys().filter(fits).max_by_key(|template| literals(template)).cloned()
    }

    /// What a reference points to; anything else is itself.
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let Some(reference) = value["$ref"].as_str() else { return value };
        let pointer = reference.strip_prefix('#').expect("references stay in their file");
        self.resolve(self.document.pointer(pointer).unwrap_or_else(|| panic!("{reference} points nowhere")))
    }
}

/// Makes every schema with a list of members refuse others.
fn close_objects(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.get("type") == Some(&json!("object")) && members.get("properties").is_some_and(Value::is_object)
            {
                members.entry("additionalProperties").or_insert(json!(false));
            }
            members.values_mut().for_each(close_objects);
        }
        Value::Array(items) => items.iter_mut().for_each(close_objects),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn json_of(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Real(text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        Yaml::Integer(number) => json!(number),
        Yaml::String(text) => json!(text),
        Yaml::Boolean(value) => json!(value),
        Yaml::Array(items) => items.iter().map(json_of).collect(),
        Yaml::Hash(members) => {
            let member = |(name, value): (&Yaml, &Yaml)| (name_of(name), json_of(value));
            Value::Object(members.iter().map(member).collect::<Map<_, _>>())
        }
        Yaml::Null => Value::Null,
        Yaml::Alias(_) | Yaml::BadValue => panic!("the definitions have no such value: {yaml:?}"),
    }
}

/// Statuses are written as numbers or as texts.
fn name_of(yaml: &Yaml) -> String {
    let name = json_of(yaml);
    name.as_str().map_or_else(|| name.to_string(), str::to_owned)
}
