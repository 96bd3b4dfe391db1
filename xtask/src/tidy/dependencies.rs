//! Which crate may know which, and how many crates of others the product rests on.
//!
//! Invariant: an edge between our crates that [`ALLOWED`] does not list is a finding, dev-dependencies included. A new
//! crate needs its line here, which is the moment to ask what it may know.

use super::{Finding, files::File};
use std::collections::BTreeSet;
use toml::{Table, Value};

/// vocabulary ← ledger ← hub-core ← store ← hub ← portal; vocabulary ← fspiop ← oauth ← {hub, sdk, proxy}; tls ← {hub,
/// sdk, proxy}; sdk ← {dfsp, adapter}.
///
/// hub-core does not know fspiop (one decision serves every dialect of the wire) nor store (no async in a rule). portal
/// talks to the hub's services, not to SQL. sdk does not know hub-core: a participant cannot lean on the hub's rules.
const ALLOWED: [(&str, &[&str]); 18] = [
    ("vocabulary", &[]),
    ("ledger", &["vocabulary"]),
    ("hub-core", &["vocabulary", "ledger"]),
    ("store", &["vocabulary", "ledger", "hub-core"]),
    ("fspiop", &["vocabulary"]),
    ("tls", &["vocabulary"]),
    ("oauth", &["vocabulary", "fspiop"]),
    ("hub", &["vocabulary", "ledger", "hub-core", "store", "fspiop", "tls", "oauth"]),
    ("portal", &["vocabulary", "ledger", "hub-core", "hub"]),
    ("sdk", &["vocabulary", "fspiop", "oauth", "tls"]),
    ("dfsp", &["vocabulary", "sdk"]),
    ("adapter", &["vocabulary", "fspiop", "sdk"]),
    ("proxy", &["vocabulary", "fspiop", "tls", "oauth"]),
    ("harness", &["vocabulary", "ledger", "hub-core", "store", "fspiop", "tls", "hub", "portal", "sdk", "dfsp"]),
    (
        "umoja",
        &[
            "vocabulary",
            "ledger",
            "hub-core",
            "store",
            "fspiop",
            "tls",
            "hub",
            "portal",
            "sdk",
            "dfsp",
            "adapter",
            "proxy",
            "harness",
        ],
    ),
    ("simulation", &["vocabulary", "ledger", "hub-core", "store", "hub", "harness"]),
    ("xtask", &[]),
    ("fuzz", &["vocabulary", "fspiop", "oauth", "hub"]),
];
const EXTERNAL_MAX: usize = 40;

struct Manifest<'a> {
    path: &'a str,
    package: String,
    /// Names of packages, also where the manifest renames them.
    product: BTreeSet<String>,
    tests_only: BTreeSet<String>,
}

pub fn check(files: &[File]) -> Result<Vec<Finding>, String> {
    let manifests: Vec<Manifest> = files
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"))
        .map(|file| Manifest::parse(&file.path, &file.text))
        .collect::<Result<_, _>>()?;
    let ours: BTreeSet<&str> = manifests.iter().map(|manifest| manifest.package.as_str()).collect();
    let mut findings: Vec<Finding> = manifests.iter().flat_map(|manifest| forbidden_edges(manifest, &ours)).collect();
    let external: BTreeSet<&str> = manifests
        .iter()
        .filter(|manifest| manifest.path.starts_with("crates/"))
        .flat_map(|manifest| manifest.product.iter().map(String::as_str))
        .filter(|name| !ours.contains(name))
        .collect();
    println!("{} direct external dependencies in the product (budget {EXTERNAL_MAX})", external.len());
    if external.len() > EXTERNAL_MAX {
        let problem =
            format!("the product has {} direct external dependencies, at most {EXTERNAL_MAX}", external.len());
        findings.push(Finding::new("Cargo.toml", problem));
    }
    Ok(findings)
}

impl<'a> Manifest<'a> {
    fn parse(path: &'a str, text: &str) -> Result<Self, String> {
        let table: Table = text.parse().map_err(|error| format!("{path} is no TOML: {error}"))?;
        let package = table.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
        let package = package.ok_or_else(|| format!("{path} names no package"))?.to_owned();
        let platforms = table.get("target").and_then(Value::as_table).into_iter().flatten();
        let mut product = BTreeSet::new();
        let mut tests_only = BTreeSet::new();
        for section in std::iter::once(&table).chain(platforms.filter_map(|(_, platform)| platform.as_table())) {
            product.extend(packages(section, "dependencies"));
            product.extend(packages(section, "build-dependencies"));
            tests_only.extend(packages(section, "dev-dependencies"));
        }
        Ok(Self { path, package, product, tests_only })
    }
}

fn packages(section: &Table, kind: &str) -> Vec<String> {
    let dependencies = section.get(kind).and_then(Value::as_table).into_iter().flatten();
    let package =
        |(name, value): (&String, &Value)| value.get("package").and_then(Value::as_str).unwrap_or(name).to_owned();
    dependencies.map(package).collect()
}

fn forbidden_edges(manifest: &Manifest, ours: &BTreeSet<&str>) -> Vec<Finding> {
    let Some((_, allowed)) = ALLOWED.iter().find(|(package, _)| *package == manifest.package) else {
        let problem = format!("{} is not in tidy's table of allowed dependencies: add it there", manifest.package);
        return vec![Finding::new(manifest.path, problem)];
    };
    let known = manifest.product.union(&manifest.tests_only);
    // A package may name itself among its dev-dependencies, to switch on a feature for its own tests.
    let others = known.filter(|name| **name != manifest.package);
    let forbidden = others.filter(|name| ours.contains(name.as_str()) && !allowed.contains(&name.as_str()));
    forbidden
        .map(|name| Finding::new(manifest.path, format_args!("{} must not know {name}", manifest.package)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(manifests: &[(&str, &str)]) -> Vec<String> {
        let file = |(package, rest): &(&str, &str)| File {
            path: format!("crates/{package}/Cargo.toml"),
            text: format!("[package]\nname = \"{package}\"\n{rest}"),
        };
        let files: Vec<File> = manifests.iter().map(file).collect();
        check(&files).unwrap().iter().map(Finding::to_string).collect()
    }

    #[test]
    fn the_arrows_point_one_way() {
        let vocabulary = ("vocabulary", "");
        assert_eq!(findings(&[vocabulary, ("ledger", "[dependencies]\nvocabulary.workspace = true")]), [""; 0]);
        assert_eq!(
            findings(&[("vocabulary", "[dependencies]\nledger.workspace = true"), ("ledger", "")]),
            ["crates/vocabulary/Cargo.toml: vocabulary must not know ledger"]
        );
    }

    #[test]
    fn tests_platforms_and_new_names_are_no_way_around() {
        let hub_core = ("hub-core", "");
        for dependency in [
            "[dev-dependencies]\nhub-core.workspace = true",
            "[build-dependencies]\nhub-core = { path = \"../hub-core\" }",
            "[target.'cfg(unix)'.dependencies]\nhub-core.workspace = true",
            "[dependencies]\nrules = { path = \"../hub-core\", package = \"hub-core\" }",
        ] {
            assert_eq!(
                findings(&[hub_core, ("sdk", dependency)]),
                ["crates/sdk/Cargo.toml: sdk must not know hub-core"],
                "{dependency}"
            );
        }
    }

    #[test]
    fn a_crate_that_the_table_does_not_know_is_a_finding() {
        assert!(findings(&[("stranger", "")])[0].contains("add it there"));
    }

    #[test]
    fn the_product_rests_on_at_most_forty_crates_of_others() {
        let section = |kind: &str, count: usize| {
            (0..count).fold(format!("[{kind}]\n"), |text, number| text + &format!("other-{number} = \"1\"\n"))
        };
        assert_eq!(findings(&[("hub", &section("dependencies", 40))]), [""; 0]);
        assert_eq!(findings(&[("hub", &section("dependencies", 41))]).len(), 1);
        assert_eq!(findings(&[("hub", &section("dev-dependencies", 41))]), [""; 0]);
    }

    #[test]
    fn the_table_itself_has_no_cycle() {
        for (position, (package, allowed)) in ALLOWED.iter().enumerate() {
            for known in *allowed {
                let earlier = ALLOWED[..position].iter().any(|(name, _)| name == known);
                assert!(earlier, "{package} may know {known}, which stands later in the table");
            }
        }
    }
}
