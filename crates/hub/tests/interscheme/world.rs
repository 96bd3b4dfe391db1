//! A scheme with a provider of foreign exchange and two proxies to other schemes, and what the tests send in it.

use crate::{
    conversion::FXP,
    support::{Call, ENDPOINTS, Inbox, PAYEE, PAYER, Payment, Received, Scheme, party_body},
};
use fspiop::endpoint::EndpointType;
use hub::Config;
use serde_json::{Value, json};
use std::{
    ops::Deref,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

/// A proxy with accounts in both currencies.
pub const PROXY: &str = "proxyone";
/// A proxy with accounts in USD alone.
pub const OTHER_PROXY: &str = "proxytwo";
/// A DFSP of another scheme; behind which proxy is for the test to teach the hub.
pub const FAR: &str = "farfsp";
/// A DFSP of a third scheme, or a second one of the same.
pub const FARTHER: &str = "fartherfsp";

const FX_ENDPOINTS: [(EndpointType, &str); 4] = [
    (EndpointType::FxQuotes, ""),
    (EndpointType::FxTransferPost, "/fxTransfers"),
    (EndpointType::FxTransferPut, "/fxTransfers/{{commitRequestId}}"),
    (EndpointType::FxTransferError, "/fxTransfers/{{commitRequestId}}/error"),
];

/// The scheme with its neighbours. The payee has EUR too.
pub struct World {
    scheme: Scheme,
    pub fxp: Inbox,
    pub proxy: Inbox,
    pub other_proxy: Inbox,
}

impl Deref for World {
    type Target = Scheme;

    fn deref(&self) -> &Scheme {
        &self.scheme
    }
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(set: impl FnOnce(&mut Config)) -> Self {
        let world = Self::start_without_proxies_listening(set).await;
        world.proxy.listen();
        world.other_proxy.listen();
        world
    }

    pub async fn start_without_proxies_listening(set: impl FnOnce(&mut Config)) -> Self {
        let scheme = Scheme::start_with(set).await;
        let [fxp, proxy, other_proxy] = [FXP, PROXY, OTHER_PROXY].map(Inbox::new);
        let world = Self { scheme, fxp, proxy, other_proxy };
        world.add(PAYEE, "EUR").await;
        // Who converts for nobody takes no fxTransfers of others.
        let asked_for = |endpoint: EndpointType| endpoint == EndpointType::FxTransferPost;
        let answered: Vec<_> = FX_ENDPOINTS.into_iter().filter(|(endpoint, _)| !asked_for(*endpoint)).collect();
        for inbox in [&world.payer, &world.payee] {
            world.register_endpoints(inbox, &answered).await;
        }
        // The bystander takes no fxQuotes either.
        world.register_endpoints(&world.bystander, &FX_ENDPOINTS[2..]).await;
        for (inbox, is_proxy, currencies) in [
            (&world.fxp, json!(false), &["USD", "EUR"][..]),
            // The collections send a text.
            (&world.proxy, json!("true"), &["USD", "EUR"][..]),
            (&world.other_proxy, json!(true), &["USD"][..]),
        ] {
            for currency in currencies {
                let body = json!({"name": inbox.name(), "currency": currency, "isProxy": is_proxy});
                world.administer("POST /participants", body).await;
                world.fund(inbox.name(), currency).await;
            }
            world.register_endpoints(inbox, &ENDPOINTS).await;
            world.register_endpoints(inbox, &FX_ENDPOINTS).await;
        }
        world.fxp.listen();
        world
    }

    /// As [`Scheme::crash`].
    pub async fn crash(self, file: &Path) -> Self {
        let Self { scheme, fxp, proxy, other_proxy } = self;
        Self { scheme: scheme.crash(file).await, fxp, proxy, other_proxy }
    }

    /// As [`Scheme::end`], with the provider and the proxies.
    pub async fn end(self) {
        let Self { scheme, fxp, proxy, other_proxy } = self;
        scheme.end().await;
        for inbox in [&fxp, &proxy, &other_proxy] {
            assert_eq!(inbox.unread(), Vec::<String>::new(), "{} was sent what nobody expected", inbox.name());
        }
    }

    /// As [`World::end`], where the hub may have asked a proxy once more what it had been told meanwhile.
    pub async fn end_whatever_was_asked(self) {
        for proxy in [&self.proxy, &self.other_proxy] {
            proxy.forget_all("GET /");
        }
        self.end().await;
    }

    /// As [`Scheme::end_whatever_was_sent`].
    pub async fn end_whatever_was_sent(self) {
        self.scheme.end_whatever_was_sent().await;
    }

    /// Lets the payer find a customer of an external DFSP behind a proxy, so that the hub knows the way to it.
    pub async fn meet(&self, external: &str, proxy: &Inbox) {
        let party = fresh_party();
        self.accept(&Call::new(&format!("GET /parties/{party}"))).await;
        for asked in [&self.proxy, &self.other_proxy] {
            asked.next(&format!("GET /parties/{party}")).await;
        }
        let other = if proxy.name() == PROXY { OTHER_PROXY } else { PROXY };
        self.accept(&found(&party, external, PAYER).by(proxy.name())).await;
        self.payer.next(&format!("PUT /parties/{party}")).await;
        self.accept(&not_found(&party, "nobodyfsp", PAYER).by(other)).await;
    }

    /// Lets an external DFSP behind a proxy find a customer of the payee, so that the hub knows the way to it.
    pub async fn be_met(&self, external: &str, proxy: &Inbox) {
        let party = fresh_party();
        self.register_party(&self.payee, &party).await;
        self.accept(&Call::new(&format!("GET /parties/{party}")).from(external).by(proxy.name())).await;
        self.payee.next(&format!("GET /parties/{party}")).await;
        self.accept(&found(&party, PAYEE, external)).await;
        proxy.next(&format!("PUT /parties/{party}")).await;
    }

    /// Names and positions of everybody who has one in a currency.
    pub async fn owed(&self, currency: &str) -> Vec<(&'static str, String)> {
        let all = [PAYER, PAYEE, FXP, PROXY, OTHER_PROXY];
        let mut owed = Vec::new();
        for name in all {
            let line = format!("GET /participants/{name}/positions");
            let positions = self.administer(&line, Value::Null).await;
            let found = positions.as_array().unwrap().iter().find(|position| position["currency"] == currency);
            let value = found.map(|position| position["value"].to_string());
            owed.extend(value.filter(|value| value != "0").map(|value| (name, value)));
        }
        owed
    }

    /// Checks the positions that are not zero, in both currencies: `payerfsp USD 5`.
    pub async fn assert_owed(&self, expected: &[(&str, &str, &str)]) {
        let mut owed = Vec::new();
        for currency in ["USD", "EUR"] {
            owed.extend(self.owed(currency).await.into_iter().map(|(name, value)| (name, currency, value)));
        }
        let owed: Vec<_> = owed.iter().map(|(name, currency, value)| (*name, *currency, value.as_str())).collect();
        assert_eq!(owed, expected);
    }
}

/// What is particular to a message that comes by a proxy.
pub trait ByProxy {
    fn by(self, proxy: &str) -> Self;
}

impl ByProxy for Call {
    fn by(self, proxy: &str) -> Self {
        self.with("fspiop-proxy", proxy)
    }
}

/// A party that nobody has asked for.
pub fn fresh_party() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("MSISDN/2799{:07}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// `PUT /parties/{party}`, in bytes that only a relay keeps.
pub fn found(party: &str, from: &str, to: &str) -> Call {
    let (id_type, identifier) = party.split_once('/').unwrap();
    let identifier = identifier.split('/').next().unwrap();
    Call::new(&format!("PUT /parties/{party}"))
        .from(from)
        .to(to)
        .body(format!("\n{} ", party_body(id_type, identifier)))
}

/// `PUT /parties/{party}/error`, in bytes that only a relay keeps.
pub fn not_found(party: &str, from: &str, to: &str) -> Call {
    let body = format!(r#"{{"errorInformation":{{"errorCode":"3204","errorDescription":"not with {from}"}} }}"#);
    Call::new(&format!("PUT /parties/{party}/error")).from(from).to(to).body(body)
}

/// A payment between two DFSPs of the test's choice.
pub fn payment(amount: &str, payer: &'static str, payee: &'static str) -> Payment {
    Payment { payer, payee, ..Payment::usd(amount) }
}

/// Checks that a message passed through with its bytes and the sender's headers, that of its proxy included.
pub fn assert_relayed(received: &Received, sent: &Call) {
    assert_eq!(received.body, sent.bytes(), "{}", received.line());
    for name in ["content-type", "date", "fspiop-source", "fspiop-signature", "fspiop-proxy", "traceparent"] {
        assert_eq!(received.header(name), sent.header(name), "{name} of {}", received.line());
    }
}
