//! Settings from files, the environment and flags.

use super::*;
use clap::CommandFactory;

#[derive(clap::Parser)]
struct Flags {
    #[command(flatten)]
    settings: Settings,
}

#[test]
fn what_is_explained_can_be_read_back_and_means_the_same() {
    let settings = Settings { store: Some("memory".to_owned()), ..Settings::default() };
    let config = settings.to_config().unwrap();
    let text = explain(&Flags::command(), &settings, &config);
    let read: Settings = toml::from_str(&text).unwrap();
    let again = read.to_config().unwrap();
    assert_eq!(format!("{config:?}"), format!("{again:?}"));
    assert!(!text.contains("set by flag only"), "{text}");
}

#[test]
fn a_mail_server_is_read_back_as_well_and_half_of_one_is_refused() {
    let whole = || Settings {
        store: Some("memory".to_owned()),
        smtp_host: Some("mail.example".to_owned()),
        smtp_from: Some("hub@scheme.example".to_owned()),
        smtp_user: Some("ann".to_owned()),
        smtp_password_file: Some("password".into()),
        smtp_tls: Some("tls".to_owned()),
        ..Settings::default()
    };
    let config = whole().to_config().unwrap();
    let text = explain(&Flags::command(), &whole(), &config);
    assert!(text.contains("smtp-port = 465"), "{text}");
    let again = toml::from_str::<Settings>(&text).unwrap().to_config().unwrap();
    let smtp = Smtp { port: Some(465), ..config.notices.smtp.unwrap() };
    assert_eq!(again.notices.smtp, Some(smtp));
    for (settings, expected) in [
        (Settings { smtp_host: None, ..whole() }, "smtp-from is set without smtp-host; name the mail server."),
        (
            Settings { smtp_from: None, ..whole() },
            "smtp-host is set without smtp-from; name the address from which notices come.",
        ),
        (Settings { smtp_user: None, ..whole() }, "smtp-password-file is set without smtp-user; set both."),
        (Settings { smtp_password_file: None, ..whole() }, "smtp-user is set without smtp-password-file; set both."),
        (
            Settings { smtp_tls: Some("ssl".to_owned()), ..whole() },
            "smtp-tls is 'ssl'; it can be none, starttls or tls.",
        ),
        (Settings { notices_per_period: Some(0), ..whole() }, "notices-per-period is 0; it must be at least 1."),
        (Settings { notice_days: Some(0), ..whole() }, "notice-days is 0; it must be at least 1."),
    ] {
        assert_eq!(settings.to_config().err().as_deref(), Some(expected));
    }
}

#[test]
fn verification_is_read_back_as_well_and_half_of_it_is_refused() {
    let whole = |policy: &str| Settings {
        store: Some("memory".to_owned()),
        verify_signatures: Some(policy.to_owned()),
        verification_keys: Some("keys".into()),
        verify_party_answers: Some(true),
        ..Settings::default()
    };
    for policy in ["log", "enforce"] {
        let config = whole(policy).to_config().unwrap();
        let text = explain(&Flags::command(), &whole(policy), &config);
        let again = toml::from_str::<Settings>(&text).unwrap().to_config().unwrap();
        assert!(config.verification != Verification::Off && again.verification == config.verification, "{text}");
    }
    assert_eq!(whole("off").to_config().unwrap().verification, Verification::Off);
    for (settings, expected) in [
        (
            Settings { verification_keys: None, ..whole("log") },
            "verify-signatures is set without verification-keys; name the directory of keys.",
        ),
        (
            Settings { verify_signatures: None, ..whole("log") },
            "verification-keys is set without verify-signatures; set that to log or enforce.",
        ),
        (whole("on"), "verify-signatures is 'on'; it can be off, log or enforce."),
    ] {
        assert_eq!(settings.to_config().err().as_deref(), Some(expected));
    }
}

#[test]
fn keys_and_certificates_are_read_back_as_well_and_half_of_a_pair_is_refused() {
    let file = |name: &str| Some(PathBuf::from(name));
    let whole = || Settings {
        store: Some("memory".to_owned()),
        fspiop_certificate: file("hub.pem"),
        fspiop_key: file("hub-key.pem"),
        fspiop_client_ca: file("participants.pem"),
        administration_certificate: file("operators.pem"),
        administration_key: file("operators-key.pem"),
        administration_client_ca: file("operators-ca.pem"),
        outgoing_certificate: file("client.pem"),
        outgoing_key: file("client-key.pem"),
        outgoing_ca: file("servers.pem"),
        ..Settings::default()
    };
    let config = whole().to_config().unwrap();
    let text = explain(&Flags::command(), &whole(), &config);
    let again = toml::from_str::<Settings>(&text).unwrap().to_config().unwrap();
    assert_eq!(again.tls, config.tls);
    let listener = config.tls.fspiop.unwrap();
    assert_eq!((listener.pair.key, listener.client_ca), ("hub-key.pem".into(), vec!["participants.pem".into()]));
    let operators = config.tls.administration.unwrap();
    assert_eq!(
        (operators.pair.key, operators.client_ca),
        ("operators-key.pem".into(), vec!["operators-ca.pem".into()])
    );
    assert_eq!(config.tls.outgoing.pair.unwrap().certificate, PathBuf::from("client.pem"));
    assert_eq!(config.tls.outgoing.ca, [PathBuf::from("servers.pem")]);
    for (settings, expected) in [
        (Settings { fspiop_key: None, ..whole() }, "fspiop-certificate is set without fspiop-key; set both."),
        (Settings { fspiop_certificate: None, ..whole() }, "fspiop-key is set without fspiop-certificate; set both."),
        (Settings { outgoing_key: None, ..whole() }, "outgoing-certificate is set without outgoing-key; set both."),
        (
            Settings { fspiop_certificate: None, fspiop_key: None, ..whole() },
            "fspiop-client-ca is set without fspiop-certificate; TLS needs one.",
        ),
        (
            Settings { administration_certificate: None, administration_key: None, ..whole() },
            "administration-client-ca is set without administration-certificate; TLS needs one.",
        ),
        (
            Settings { administration_key: None, ..whole() },
            "administration-certificate is set without administration-key; set both.",
        ),
    ] {
        assert_eq!(settings.to_config().err().as_deref(), Some(expected));
    }
}

#[test]
fn a_misspelt_key_is_refused_with_its_name() {
    let error = toml::from_str::<Settings>("listen-fspoip = \"127.0.0.1:1\"").unwrap_err();
    assert!(error.message().contains("listen-fspoip"), "{error}");
}

#[test]
fn a_flag_wins_over_the_file_and_a_store_replaces_a_data_directory() {
    let file: Settings = toml::from_str("data = \"d\"\nname = \"A\"\n").unwrap();
    let flags = Settings { store: Some("memory".to_owned()), name: Some("B".to_owned()), ..Settings::default() };
    let merged = flags.over(file);
    assert_eq!((merged.data, merged.name.as_deref()), (None, Some("B")));
}

#[test]
fn a_password_is_not_shown() {
    assert_eq!(without_password("postgres://ann:secret@db/hub"), "postgres://ann@db/hub");
}
