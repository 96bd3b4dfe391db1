//! What an authority issues, and what it refuses.

use super::*;
use rcgen::{KeyPair as Pair, PKCS_RSA_SHA256, RsaKeySize, SanType};
use tempfile::TempDir;

fn authority() -> (TempDir, Authority) {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::init(directory.path(), "Scheme", 3650).unwrap();
    (directory, authority)
}

fn wanted(name: &str) -> Wanted {
    Wanted { name: name.to_owned(), hosts: Vec::new(), days: 90 }
}

fn der(issued: &Issued) -> Vec<u8> {
    CertificateDer::from_pem_slice(issued.pem.as_bytes()).unwrap().to_vec()
}

#[test]
fn a_certificate_says_what_the_operator_says_whatever_the_request_asks() {
    let (_directory, authority) = authority();
    let key = Pair::generate().unwrap();
    let mut asked = CertificateParams::new(vec!["bluebank".to_owned()]).unwrap();
    asked.distinguished_name = subject("bluebank");
    asked.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    asked.subject_alt_names.push(SanType::IpAddress([10, 0, 0, 1].into()));
    asked.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    let request = asked.serialize_request(&key).unwrap().pem().unwrap();
    let issued = der(&authority.issue(&request, &wanted("greenbank")).unwrap());
    assert_eq!(x509::names(&issued), ["greenbank"]);
    assert_eq!(x509::hosts(&issued), [""; 0]);
    assert_eq!(x509::public_key(&issued), Some(&key.subject_public_key_info()[..]));
    let days = crate::days_left(x509::not_after(&issued).unwrap(), now());
    assert!((89..=90).contains(&days), "{days}");
    let hosts = vec!["pay.greenbank.example".to_owned(), "10.1.2.3".to_owned()];
    let serving = der(&authority.issue(&request, &Wanted { hosts, ..wanted("greenbank") }).unwrap());
    assert_eq!(x509::hosts(&serving), ["pay.greenbank.example", "10.1.2.3"]);
    assert_ne!(x509::serial_number(&issued), x509::serial_number(&serving));
}

#[test]
fn asking_again_gives_the_same_certificate_until_it_is_to_be_renewed() {
    let (directory, authority) = authority();
    let request = request::make("greenbank").unwrap().request;
    let first = authority.issue(&request, &wanted("greenbank")).unwrap();
    let again = Authority::open(directory.path()).unwrap().issue(&request, &wanted("greenbank")).unwrap();
    assert_eq!((again.is_known, &again.pem), (true, &first.pem));
    // Of 3 days two thirds are over by the measure of 90.
    let short = authority.issue(&request, &Wanted { days: 3, ..wanted("bluebank") }).unwrap();
    let longer = authority.issue(&request, &wanted("bluebank")).unwrap();
    assert!(!longer.is_known && longer.pem != short.pem);
    let of_hosts = |hosts: [&str; 2]| Wanted { hosts: hosts.map(str::to_owned).to_vec(), ..wanted("greenbank") };
    let serving = authority.issue(&request, &of_hosts(["::1", "a.example"])).unwrap();
    let again = authority.issue(&request, &of_hosts(["a.example", "0:0:0:0:0:0:0:1"])).unwrap();
    assert_eq!((serving.is_known, again.is_known, again.pem), (false, true, serving.pem));
    assert!(!authority.issue(&request::make("greenbank").unwrap().request, &wanted("greenbank")).unwrap().is_known);
}

#[test]
fn bad_requests_are_refused_with_a_sentence() {
    let (directory, authority) = authority();
    let refusal = |request: &str| authority.issue(request, &wanted("greenbank")).unwrap_err();
    let good = request::make("greenbank").unwrap().request;
    for text in ["", "hello", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"] {
        assert!(refusal(text).contains("no request for a certificate"), "{text}");
    }
    assert!(refusal(&"A".repeat(100_000)).contains("too long"));
    // The last byte before the end belongs to the signature.
    let lines: Vec<&str> = good.lines().collect();
    let body: String = lines[1..lines.len() - 1].concat();
    let at = body.trim_end_matches('=').len() - 6;
    let other = if &body[at..=at] == "A" { "B" } else { "A" };
    let changed = format!("{}{other}{}", &body[..at], &body[at + 1..]);
    let changed = format!("-----BEGIN CERTIFICATE REQUEST-----\n{changed}\n-----END CERTIFICATE REQUEST-----\n");
    assert!(refusal(&changed).contains("does not verify"), "{}", refusal(&changed));
    assert!(!directory.path().join(ISSUED).exists(), "nothing was issued");
    authority.issue(&good, &wanted("greenbank")).unwrap();
}

/// A key of 1024 bits, which the libraries of today do not make any more: `openssl req -newkey rsa:1024`.
const WEAK: &str = include_str!("weak-request.pem");

#[test]
fn weak_keys_are_refused_and_strong_ones_are_not() {
    let (_directory, authority) = authority();
    let refusal = authority.issue(WEAK, &wanted("greenbank")).unwrap_err();
    assert!(refusal.contains("RSA of 2048"), "{refusal}");
    let rsa = Pair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    for key in [rsa, Pair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap(), Pair::generate().unwrap()] {
        let request = request::of_private_key(&key.serialize_pem(), "greenbank").unwrap();
        let issued = authority.issue(&request, &wanted("greenbank")).unwrap();
        assert_eq!(x509::public_key(&der(&issued)), Some(&key.subject_public_key_info()[..]));
    }
}

#[test]
fn odd_names_are_kept_to_the_letter_and_impossible_ones_refused() {
    let (directory, authority) = authority();
    for name in ["Crédit Ünion", "../../etc/passwd", "a\"b,CN=bluebank", "银行", "*"] {
        let request = request::make(name).unwrap().request;
        let issued = authority.issue(&request, &wanted(name)).unwrap();
        assert_eq!(x509::names(&der(&issued)), [name]);
    }
    let issued = std::fs::read_dir(directory.path().join(ISSUED)).unwrap().count();
    assert_eq!(issued, 5, "each in the directory");
    let request = request::make("x").unwrap().request;
    for name in [String::new(), "a\0b".to_owned(), "a\nb".to_owned(), "x".repeat(65)] {
        assert!(authority.issue(&request, &wanted(&name)).unwrap_err().contains("cannot be in a certificate"));
    }
    for days in [0, DAYS_MAX + 1] {
        assert!(authority.issue(&request, &Wanted { days, ..wanted("x") }).unwrap_err().contains("1 to 825"));
    }
    let hosts = vec!["é.example".to_owned()];
    assert!(authority.issue(&request, &Wanted { hosts, ..wanted("x") }).unwrap_err().contains("é.example"));
}

#[test]
fn an_authority_is_never_replaced_and_its_key_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (directory, authority) = authority();
    let again = Authority::init(directory.path(), "Other", 10).err().unwrap();
    assert!(again.contains("already"), "{again}");
    assert_eq!(Authority::open(directory.path()).unwrap().pem(), authority.pem());
    let key = directory.path().join(KEY);
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(Authority::open(directory.path()).err().unwrap().contains("can be read by others (mode 640)"));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    // Begun and cut: the key is there, the certificate is not.
    std::fs::remove_file(directory.path().join(CERTIFICATE)).unwrap();
    assert!(Authority::open(directory.path()).err().unwrap().contains("umoja admin ca init"));
    let before = std::fs::read(&key).unwrap();
    Authority::init(directory.path(), "Scheme", 30).unwrap();
    assert_eq!(std::fs::read(&key).unwrap(), before);
    let late = Authority::open(directory.path()).unwrap();
    let request = request::make("x").unwrap().request;
    assert!(late.issue(&request, &wanted("x")).unwrap_err().contains("before the certificate would"));
    std::fs::write(&key, Pair::generate().unwrap().serialize_pem()).unwrap();
    assert!(Authority::open(directory.path()).err().unwrap().contains("another certificate"));
}
