//! Codes, texts, routes, endpoint types, settings and metrics of the pages exist, and none is left out.

use crate::pages::{self, Page};
use fspiop::{ErrorCode, Resource, endpoint::EndpointType};
use std::fs;

/// A shorter piece of a text may occur anywhere.
const PIECE_BYTES_MIN: usize = 12;
/// Flags of cargo and of curl, not of umoja.
const FOREIGN_FLAGS: [&str; 3] = ["--release", "--cacert", "--cert"];

#[test]
fn every_error_has_the_name_of_its_code_and_a_text_that_the_hub_says() {
    let sources = spoken(&["crates/fspiop/src", "crates/hub/src"]);
    let mut count = 0;
    for page in pages::all() {
        for row in page.errors() {
            let place = format!("{}: {} {}", page.name, row.code, row.text);
            let code = ErrorCode::parse(&row.code).unwrap();
            assert!(code.is_defined(), "{place}");
            let detail = row.text.strip_prefix(code.name()).unwrap_or_else(|| panic!("{place}: is {}", code.name()));
            count += 1;
            let Some(detail) = detail.strip_prefix(" - ") else {
                assert_eq!(detail, "", "{place}");
                continue;
            };
            for part in fixed_parts(detail) {
                assert!(is_said(&part, &sources), "{place}: nobody says '{part}'");
            }
        }
    }
    assert!(count > 60, "{count}");
}

/// What a text says between its placeholders; words short enough to occur by chance are left out.
fn fixed_parts(text: &str) -> Vec<String> {
    let named: Vec<&str> = EndpointType::ALL.iter().map(|kind| kind.as_str()).collect();
    let mut text = text.to_owned();
    for name in named {
        text = text.replace(name, "<type>");
    }
    text = text.replace("/requestBody", "<pointer>").replace("/query", "<pointer>").replace("/header", "<pointer>");
    let parts = text.split('<').flat_map(|part| part.split_once('>').map_or(part, |(_, rest)| rest).split('\''));
    parts.map(|part| part.trim().to_owned()).filter(|part| part.len() > 5).collect()
}

/// Whether the sources contain a text, in pieces where the code puts it together from several.
fn is_said(text: &str, sources: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() && !sources.contains(rest) {
        let ends = rest.char_indices().map(|(at, _)| at).rev();
        let longest = ends.take_while(|end| *end >= PIECE_BYTES_MIN).find(|end| sources.contains(&rest[..*end]));
        let Some(end) = longest else { return false };
        rest = &rest[end..];
    }
    true
}

/// The sources with the escapes of string literals undone.
fn spoken(directories: &[&str]) -> String {
    directories.iter().map(|directory| pages::sources(directory).replace("\\\"", "\"")).collect()
}

#[test]
fn every_route_is_on_the_page_of_its_resource() {
    let snapshot =
        "crates/fspiop/src/route/snapshots/fspiop__route__tests__the_routes_are_what_participants_rely_on.snap";
    let snapshot = pages::read(snapshot);
    let readme = pages::page("fspiop/README.md");
    for line in snapshot.splitn(3, "---\n").nth(2).unwrap().lines() {
        let (verbs, path) = line.rsplit_once(' ').unwrap();
        let resource: Resource = path.split('/').nth(1).unwrap().parse().unwrap();
        let Some(page) = page_of(resource) else {
            assert!(readme.text.contains(&format!("`{resource}`")), "{resource}");
            continue;
        };
        for verb in verbs.split(' ') {
            assert!(page.text.contains(&format!("`{verb} {path}`")), "{} does not mention {verb} {path}", page.name);
        }
    }
}

/// The page of a resource; none of those that are not served yet.
fn page_of(resource: Resource) -> Option<Page> {
    let name = match resource {
        Resource::Parties => "parties",
        Resource::Participants => "participants",
        Resource::Quotes => "quotes",
        Resource::Transfers => "transfers",
        Resource::TransactionRequests => "transaction-requests",
        Resource::Authorizations => "authorizations",
        Resource::FxQuotes => "fx-quotes",
        Resource::FxTransfers => "fx-transfers",
        Resource::Services => "services",
        Resource::BulkQuotes | Resource::BulkTransfers => return None,
    };
    Some(pages::page(&format!("fspiop/{name}.md")))
}

#[test]
fn every_endpoint_type_that_the_hub_sends_to_is_listed_and_no_other() {
    let sent: String = spoken(&["crates/hub/src/http"]) + &pages::read("crates/hub/src/render.rs");
    let listed = pages::page("fspiop/README.md");
    for kind in EndpointType::ALL {
        let variant = format!("EndpointType::{kind:?}");
        let is_used = sent.match_indices(&variant).any(|(at, _)| {
            let next = sent[at + variant.len()..].chars().next();
            next.is_none_or(|next| !next.is_alphanumeric())
        });
        assert_eq!(listed.text.contains(&format!("| `{kind}` |")), is_used, "{kind}");
    }
    for page in pages::all() {
        for span in page.code_spans().iter().filter(|span| span.starts_with("FSPIOP_CALLBACK_URL_")) {
            assert!(span.parse::<EndpointType>().is_ok(), "{}: {span}", page.name);
        }
    }
}

#[test]
fn every_setting_is_explained_and_every_name_of_one_exists() {
    let settings = pages::read("crates/umoja/src/settings.rs");
    let command_line = spoken(&["crates/umoja/src"]);
    let operations = pages::page("operations.md");
    for variable in settings.split("env = \"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        let flag = variable.trim_start_matches("UMOJA_").to_lowercase().replace('_', "-");
        assert!(operations.text.contains(&format!("| `--{flag}` | `{variable}` |")), "{variable}");
    }
    for page in pages::all() {
        for word in page.text.split(|letter: char| letter.is_whitespace() || "`(),'\"".contains(letter)) {
            if word.starts_with("UMOJA_") {
                assert!(command_line.contains(&format!("\"{word}\"")), "{}: {word}", page.name);
            }
            let is_flag = word.len() > 2 && word.starts_with("--") && !FOREIGN_FLAGS.contains(&word);
            if is_flag && word[2..].starts_with(|letter: char| letter.is_ascii_lowercase()) {
                let field = format!("{}:", word[2..].replace('-', "_"));
                assert!(command_line.contains(&field), "{}: {word}", page.name);
            }
        }
    }
}

#[test]
fn every_call_of_the_administration_is_on_its_page() {
    let page = pages::page("administration.md");
    let words = page.text.split(|letter: char| letter.is_whitespace() || "`\"?".contains(letter));
    let named: Vec<&str> = words.filter(|word| word.starts_with('/')).collect();
    let routers = pages::read("crates/hub/src/admin/mod.rs");
    let (participant, others) = routers.split_once("let routes").unwrap();
    let paths = |text: &str, prefix: &str| -> Vec<String> {
        let paths = text.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap().trim_end_matches('/'));
        paths.map(|path| format!("{prefix}{path}")).collect()
    };
    for path in paths(participant, "/participants/{name}").into_iter().chain(paths(others, "")) {
        assert!(named.iter().any(|word| is_of(word, &path)), "administration.md does not name {path}");
    }
}

/// Whether a path is one of those that a pattern with `{…}` stands for.
fn is_of(path: &str, pattern: &str) -> bool {
    let (given, wanted): (Vec<_>, Vec<_>) = (path.split('/').collect(), pattern.split('/').collect());
    let fits = |(given, wanted): (&&str, &&str)| wanted.starts_with('{') || given == wanted;
    given.len() == wanted.len() && given.iter().zip(&wanted).all(fits)
}

#[test]
fn every_metric_that_is_named_is_counted() {
    let metrics = pages::read("crates/hub/src/metrics.rs");
    for page in pages::all() {
        for span in page.code_spans().iter().filter_map(|span| span.strip_prefix("umoja_")) {
            let names = [span, span.trim_end_matches("_total")];
            let is_known = names.iter().any(|name| metrics.contains(&format!("\"{name}\"")));
            assert!(is_known, "{}: umoja_{span}", page.name);
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    for page in pages::all() {
        let folder = page.name.rsplit_once('/').map_or("docs", |_| "docs/fspiop");
        for target in page.text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
            let path = pages::root().join(folder).join(file);
            let text = if file.is_empty() { page.text.clone() } else { fs::read_to_string(&path).unwrap_or_default() };
            assert!(!text.is_empty(), "{}: {target}", page.name);
            if let Some(anchor) = anchor {
                let mut headings = text.lines().filter(|line| line.starts_with('#')).map(slug);
                assert!(headings.any(|heading| heading == anchor), "{}: {target}", page.name);
            }
        }
    }
}

/// The name under which a heading can be linked to.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    text.chars().filter(|letter| letter.is_alphanumeric() || *letter == '-').collect()
}
