//! One attempt to send one message of a notice.

use super::{mail::Mailer, message};
use crate::{
    config::Smtp,
    net::{Net, Outgoing},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use hub_core::notices::Channel;
use std::time::Duration;
use store::DueDelivery;
use vocabulary::FspId;

/// Longest attempt, by webhook or e-mail.
const ATTEMPT_MAX: Duration = Duration::from_secs(30);

/// Sends notices.
pub struct Notifier {
    net: Net,
    mailer: Option<Mailer>,
    hub_name: FspId,
}

/// What became of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Sending {
    Sent,
    /// It may succeed another time.
    Failed(String),
    /// It never will: the address is none.
    Impossible(String),
    /// This hub sends nothing by this channel.
    NotConfigured(String),
}

impl Notifier {
    /// Reads the password for the mail server, if there is one; fails with a sentence.
    pub fn open(net: Net, smtp: Option<&Smtp>, hub_name: &FspId) -> Result<Self, String> {
        let mailer = smtp.map(|smtp| Mailer::open(smtp, hub_name)).transpose()?;
        Ok(Self { net, mailer, hub_name: hub_name.clone() })
    }

    pub(super) async fn send(&self, delivery: &DueDelivery) -> Sending {
        match delivery.recipient.channel {
            Channel::Webhook => self.post(delivery).await,
            Channel::Email => self.mail(delivery).await,
        }
    }

    async fn post(&self, delivery: &DueDelivery) -> Sending {
        let address = &delivery.recipient.address;
        let uri = address.parse::<Uri>().ok().filter(|uri| uri.scheme_str() == Some("http") && uri.host().is_some());
        let Some(uri) = uri else {
            return Sending::Impossible(format!("'{address}' is no URL that begins with http://"));
        };
        let headers =
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))]);
        let body = Bytes::from(message::webhook(&delivery.notice));
        match self.net.send(Outgoing { method: Method::POST, uri, headers, body }, ATTEMPT_MAX).await {
            Ok(answer) if answer.status.is_success() => Sending::Sent,
            Ok(answer) => Sending::Failed(format!("answered {}", answer.status)),
            Err(error) => Sending::Failed(error.to_string()),
        }
    }

    async fn mail(&self, delivery: &DueDelivery) -> Sending {
        let Some(mailer) = &self.mailer else {
            return Sending::NotConfigured("this hub has no mail server; set smtp-host and smtp-from".to_owned());
        };
        let (subject, text) = message::email(&delivery.notice, &self.hub_name);
        let message = match mailer.message(delivery, subject, text) {
            Ok(message) => message,
            Err(sentence) => return Sending::Impossible(sentence),
        };
        match tokio::time::timeout(ATTEMPT_MAX, mailer.send(message)).await {
            Ok(Ok(())) => Sending::Sent,
            Ok(Err(error)) => Sending::Failed(error),
            Err(_elapsed) => Sending::Failed(format!("the mail server took more than {} s", ATTEMPT_MAX.as_secs())),
        }
    }
}
