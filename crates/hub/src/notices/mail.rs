//! E-mail through a mail server of the operator's (SMTP).
//!
//! The password stays in here: it is read from its file once and neither logged nor shown.

use crate::config::{Smtp, SmtpTls};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};
use std::{
    net::IpAddr,
    time::{Duration, UNIX_EPOCH},
};
use store::DueDelivery;
use vocabulary::FspId;

/// Addresses that one message goes to.
const ADDRESSES_MAX: usize = 50;
/// Longest wait for one answer of the mail server.
const ANSWER_MAX: Duration = Duration::from_secs(10);

pub(super) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// Fails with a sentence that says what to do.
    pub fn open(smtp: &Smtp, hub_name: &FspId) -> Result<Self, String> {
        let address =
            smtp.from.parse().map_err(|_| format!("smtp-from is '{}'; it must be an e-mail address.", smtp.from))?;
        let port = smtp.port.unwrap_or(smtp.tls.port());
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host);
        let builder = builder.port(port).timeout(Some(ANSWER_MAX)).tls(tls(smtp)?);
        let builder = match credentials(smtp)? {
            Some(credentials) => builder.credentials(credentials),
            None => builder,
        };
        Ok(Self { transport: builder.build(), from: Mailbox::new(Some(hub_name.to_string()), address) })
    }

    /// Every attempt makes the same message, which a receiver recognises by its id.
    pub fn message(&self, delivery: &DueDelivery, subject: String, text: String) -> Result<Message, String> {
        let addresses = delivery.recipient.address.split(',').map(str::trim).filter(|address| !address.is_empty());
        let addresses: Vec<&str> = addresses.collect();
        if addresses.is_empty() || addresses.len() > ADDRESSES_MAX {
            return Err(format!("1 to {ADDRESSES_MAX} e-mail addresses are needed, separated by commas"));
        }
        let made_at = u64::try_from(delivery.notice.made_at.millis()).unwrap_or_default();
        let (notice, place, domain) = (delivery.notice.id.0, delivery.id.place, self.from.email.domain());
        let mut builder = Message::builder()
            .from(self.from.clone())
            .message_id(Some(format!("<notice-{notice}-{place}-{made_at}@{domain}>")))
            .date(UNIX_EPOCH + Duration::from_millis(made_at))
            .subject(subject);
        for address in addresses {
            let mailbox = address.parse().map_err(|_| format!("'{address}' is no e-mail address"))?;
            builder = builder.to(Mailbox::new(None, mailbox));
        }
        let message = builder.header(ContentType::TEXT_PLAIN).body(text);
        message.map_err(|error| format!("the e-mail cannot be made: {error}"))
    }

    pub async fn send(&self, message: Message) -> Result<(), String> {
        self.transport.send(message).await.map(drop).map_err(|error| format!("the mail server: {error}"))
    }
}

fn tls(smtp: &Smtp) -> Result<Tls, String> {
    let parameters = || {
        let made = TlsParameters::new(smtp.host.clone());
        made.map_err(|error| format!("TLS to the mail server {} cannot be used: {error}.", smtp.host))
    };
    Ok(match smtp.tls {
        SmtpTls::None => Tls::None,
        SmtpTls::StartTls => Tls::Required(parameters()?),
        SmtpTls::Tls => Tls::Wrapper(parameters()?),
    })
}

/// A password leaves the machine through TLS only.
fn credentials(smtp: &Smtp) -> Result<Option<Credentials>, String> {
    let Some((user, file)) = &smtp.user else { return Ok(None) };
    let is_near = smtp.host == "localhost" || smtp.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if smtp.tls == SmtpTls::None && !is_near {
        return Err(format!("The password for {} would leave this machine unencrypted: set smtp-tls.", smtp.host));
    }
    let shown = file.display();
    let password = std::fs::read_to_string(file)
        .map_err(|error| format!("The smtp-password-file {shown} cannot be read: {error}."))?;
    let password = password.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(format!("The smtp-password-file {shown} is empty."));
    }
    Ok(Some(Credentials::new(user.clone(), password.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_core::notices::{Channel, NoticeContent, Recipient};
    use std::path::PathBuf;
    use store::{DeliveryId, NoticeId, StoredNotice};
    use vocabulary::{Amount, Timestamp};

    fn smtp() -> Smtp {
        Smtp {
            host: "mail.example".into(),
            port: None,
            from: "hub@scheme.example".into(),
            user: None,
            tls: SmtpTls::StartTls,
        }
    }

    fn opened(smtp: &Smtp) -> Result<Mailer, String> {
        Mailer::open(smtp, &"Hub".parse().unwrap())
    }

    fn delivery(address: &str) -> DueDelivery {
        let notice = StoredNotice {
            id: NoticeId(7),
            participant: "greenbank".parse().unwrap(),
            currency: "USD".parse().unwrap(),
            content: NoticeContent::CapAdjustment { previous: Amount::ZERO, cap: Amount::MAX },
            made_at: Timestamp::from_millis(1_700_000_000_000),
        };
        let recipient = Recipient { name: "Hub".parse().unwrap(), channel: Channel::Email, address: address.into() };
        DueDelivery { id: DeliveryId { notice: notice.id, place: 2, attempt: 1 }, notice, recipient }
    }

    fn made(address: &str) -> Result<String, String> {
        let message = opened(&smtp())?.message(&delivery(address), "Subject".into(), "Text".into())?;
        Ok(String::from_utf8(message.formatted()).unwrap())
    }

    #[test]
    fn every_attempt_makes_the_same_message_to_every_address() {
        let text = made("ann@bank.example, bob@bank.example").unwrap();
        assert_eq!(made("ann@bank.example, bob@bank.example").unwrap(), text);
        for line in [
            "From: Hub <hub@scheme.example>",
            "To: ann@bank.example, bob@bank.example",
            "Message-ID: <notice-7-2-1700000000000@scheme.example>",
            "Date: Tue, 14 Nov 2023 22:13:20 +0000",
            "Subject: Subject",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
    }

    #[test]
    fn what_is_no_list_of_addresses_is_refused() {
        for (address, expected) in [
            ("", "1 to 50 e-mail addresses are needed, separated by commas"),
            (" , ", "1 to 50 e-mail addresses are needed, separated by commas"),
            ("ann@bank.example, bob", "'bob' is no e-mail address"),
            (
                "ann@bank.example\r\nBcc: eve@evil.example",
                "'ann@bank.example\r\nBcc: eve@evil.example' is no e-mail address",
            ),
        ] {
            assert_eq!(made(address), Err(expected.to_owned()));
        }
        let many = vec!["ann@bank.example"; ADDRESSES_MAX + 1].join(",");
        assert!(made(&many).is_err());
    }

    #[test]
    fn a_mail_server_that_cannot_be_used_is_refused_with_what_to_do() {
        let refused = |with: &dyn Fn(&mut Smtp)| {
            let mut smtp = smtp();
            with(&mut smtp);
            opened(&smtp).err().unwrap()
        };
        let missing = || PathBuf::from("no-such-directory/password");
        assert_eq!(
            refused(&|smtp| smtp.from = "nobody".into()),
            "smtp-from is 'nobody'; it must be an e-mail address."
        );
        let text = refused(&|smtp| smtp.user = Some(("ann".into(), missing())));
        assert!(text.starts_with("The smtp-password-file no-such-directory/password cannot be read: "), "{text}");
        let text = refused(&|smtp| (smtp.user, smtp.tls) = (Some(("ann".into(), missing())), SmtpTls::None));
        assert_eq!(text, "The password for mail.example would leave this machine unencrypted: set smtp-tls.");
    }

    #[test]
    fn the_password_is_the_first_line_of_its_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let with = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            let user = Some(("ann".into(), file.path().to_owned()));
            credentials(&Smtp { user, ..smtp() })
        };
        let expected = Credentials::new("ann".into(), "secret word".into());
        assert_eq!(with("secret word\r\n").unwrap(), Some(expected));
        assert!(with("\n").unwrap_err().ends_with(" is empty."));
    }
}
