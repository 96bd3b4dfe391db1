//! `umoja verify-jws`: says of a stored message whether its signature fits, and if not, which header or byte differs.

use crate::fail;
use clap::Args;
use fspiop::jws::{Explanation, Finding, Received, VerificationKey, explain};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Arguments of `umoja verify-jws`.
#[derive(Args)]
pub struct VerifyJwsArguments {
    /// Public key (PEM) of the FSP or hub that the message names as its source.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The message: an HTTP request, or a line of JSON with headers and body as a recording has them.
    #[arg(long, value_name = "FILE", required_unless_present = "headers", conflicts_with_all = ["headers", "body"])]
    message: Option<PathBuf>,
    /// The message's headers, a line for each, with or without the request line before them.
    #[arg(long, value_name = "FILE", requires = "body")]
    headers: Option<PathBuf>,
    /// The message's body, byte for byte.
    #[arg(long, value_name = "FILE", requires = "headers")]
    body: Option<PathBuf>,
    /// The body as it was sent, where that is known: then the byte that differs can be named.
    #[arg(long, value_name = "FILE")]
    sent: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// A message as the files have it.
struct Stored {
    /// Without a query.
    line: Option<(Method, String)>,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// Exits 0 if the signature fits; else prints a sentence for each thing that does not, and exits 1.
pub fn run(arguments: &VerifyJwsArguments) -> ExitCode {
    let explanation = match explained(arguments) {
        Ok(explanation) => explanation,
        Err(sentence) => return fail(&sentence),
    };
    if arguments.json {
        println!("{}", to_json(&explanation));
    } else {
        print!("{}", to_text(&explanation));
    }
    if explanation.is_valid { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn explained(arguments: &VerifyJwsArguments) -> Result<Explanation, String> {
    let shown = arguments.key.display();
    let pem = String::from_utf8(read(&arguments.key)?).map_err(|_| format!("The key {shown} is no text."))?;
    let key = VerificationKey::from_pem(&pem)
        .map_err(|error| format!("The key {shown} cannot be used: {error}. Give a public key in PEM form."))?;
    let stored = match (&arguments.message, &arguments.headers, &arguments.body) {
        (Some(message), _, _) => Stored::of_message(&read(message)?),
        (None, Some(headers), Some(body)) => Stored::of_head(&read(headers)?, read(body)?),
        (None, _, _) => return Err("Say which message: --message FILE, or --headers FILE and --body FILE.".to_owned()),
    };
    let stored = stored.map_err(|what| format!("The message cannot be read: {what}."))?;
    let sent = arguments.sent.as_deref().map(read).transpose()?;
    let Stored { line, headers, body } = &stored;
    let received = line.as_ref().map(|(method, path)| Received { method, path, headers, body });
    Ok(explain(&key, headers, body, (received, sent.as_deref())))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{} cannot be read: {error}.", path.display()))
}

impl Stored {
    /// A line of JSON, or an HTTP request: perhaps a request line, headers, an empty line, the body.
    fn of_message(bytes: &[u8]) -> Result<Self, String> {
        if let Ok(Value::Object(line)) = serde_json::from_slice(bytes) {
            return Self::of_json(&line);
        }
        let end_of = |mark: &[u8]| bytes.windows(mark.len()).position(|part| part == mark).map(|at| (at, mark.len()));
        let ends = [end_of(b"\r\n\r\n"), end_of(b"\n\n")];
        let (end, gap) = ends.into_iter().flatten().min().ok_or("there is no empty line between headers and body")?;
        Self::of_head(&bytes[..end], bytes[end + gap..].to_vec())
    }

    fn of_head(head: &[u8], body: Vec<u8>) -> Result<Self, String> {
        let head = std::str::from_utf8(head).map_err(|_| "the headers are no text")?;
        let mut lines = head.lines().map(str::trim_end).filter(|line| !line.is_empty()).peekable();
        // A header's name ends in a colon; a request line begins with a method and a blank.
        let line = lines.next_if(|line| line.split_once(' ').is_some_and(|(word, _)| !word.contains(':')));
        let line = line.map(request_line).transpose()?;
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(':').ok_or_else(|| format!("'{line}' is no header"))?;
            add(&mut headers, name, value)?;
        }
        Ok(Self { line, headers, body })
    }

    /// Members `headers`, `body`, `method` and `path`, or by their first letters, with `u` for the path.
    fn of_json(line: &Map<String, Value>) -> Result<Self, String> {
        let member = |names: [&str; 2]| names.into_iter().find_map(|name| line.get(name));
        let headers = member(["headers", "h"]).and_then(Value::as_object).ok_or("the line has no object headers")?;
        let body = member(["body", "b"]).and_then(Value::as_str).ok_or("the line has no text body")?;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            add(&mut map, name, value.as_str().ok_or_else(|| format!("the header {name} is no text"))?)?;
        }
        let text = |names| member(names).and_then(Value::as_str);
        let line = match (text(["method", "m"]), text(["path", "u"])) {
            (Some(method), Some(path)) => Some(request_line(&format!("{method} {path}"))?),
            (_, _) => None,
        };
        Ok(Self { line, headers: map, body: body.as_bytes().to_vec() })
    }
}

fn request_line(line: &str) -> Result<(Method, String), String> {
    let mut words = line.split(' ');
    let method = words.next().unwrap_or_default();
    let method = method.parse().map_err(|_| format!("'{method}' is no method"))?;
    let path = words.next().unwrap_or_default().split('?').next().unwrap_or_default();
    Ok((method, path.to_owned()))
}

fn add(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), String> {
    let parsed = name.trim().parse::<HeaderName>().map_err(|_| format!("'{name}' is no name of a header"))?;
    let value = HeaderValue::from_bytes(value.trim().as_bytes());
    headers.append(parsed, value.map_err(|_| format!("the header {name} has a value that no header has"))?);
    Ok(())
}

fn to_text(explanation: &Explanation) -> String {
    let Explanation { is_valid, source, algorithm, findings } = explanation;
    let source = source.as_deref().unwrap_or("nobody");
    let algorithm = algorithm.as_deref().unwrap_or("no known algorithm");
    let verdict = if *is_valid { "fits" } else { "does not fit" };
    let mut text = format!("The signature of {source} ({algorithm}) {verdict} the message and the key.\n");
    findings.iter().for_each(|finding| text.push_str(&format!("{}\n", finding.sentence)));
    text
}

fn to_json(explanation: &Explanation) -> Value {
    let finding = |finding: &Finding| {
        let Finding { about, sentence, signed, received, byte } = finding;
        json!({"about": about, "sentence": sentence, "signed": signed, "received": received, "byte": byte})
    };
    json!({
        "valid": explanation.is_valid,
        "source": explanation.source,
        "algorithm": explanation.algorithm,
        "findings": explanation.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}
