//! How DFSPs of other schemes are reached: through the proxy that each is behind (contract, interscheme §1.6).

use crate::{Hub, sequencer::Unavailable};
use fspiop::{Envelope, ErrorCode, FspiopError, endpoint::EndpointType};
use hub_core::transfers::SenderStanding;
use store::StoreError;
use vocabulary::{Currency, FspId};

/// How the scheme settings begin that name the currencies of a provider in another scheme.
const PROVIDER: &str = "fx_provider/";
/// Who reads settings, were there any to fill in.
const ACTOR: &str = "routes";

/// The external DFSPs that a message names, each with its proxy.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Ways(Vec<(FspId, FspId)>);

impl Ways {
    /// The proxy through which an external DFSP is reached; none for a participant, and for nobody we know.
    pub fn to(&self, name: &FspId) -> Option<&FspId> {
        self.0.iter().find(|(external, _)| external == name).map(|(_, proxy)| proxy)
    }

    /// Whom to send to what is for somebody: its proxy, or itself.
    pub fn hop<'a>(&'a self, name: &'a FspId) -> &'a FspId {
        self.to(name).unwrap_or(name)
    }

    pub fn add(&mut self, name: &FspId, proxy: FspId) {
        self.0.retain(|(external, _)| external != name);
        self.0.push((name.clone(), proxy));
    }
}

impl Hub {
    /// The ways to the source and the destination of a message. A source whose proxy is not known yet is reached through
    /// the one that its message came by.
    pub(crate) async fn ways(&self, envelope: &Envelope) -> Result<Ways, StoreError> {
        let mut ways = Ways::default();
        if let Some(destination) = &envelope.destination
            && let Some(proxy) = self.way(destination).await?
        {
            ways.add(destination, proxy);
        }
        if self.is_external(&envelope.source) {
            let came_by = envelope.proxy.clone().filter(|name| self.is_proxy(name));
            if let Some(proxy) = self.way(&envelope.source).await?.or(came_by) {
                ways.add(&envelope.source, proxy);
            }
        }
        Ok(ways)
    }

    /// The proxy behind which somebody is known to be; none for a participant.
    pub(crate) async fn way(&self, name: &FspId) -> Result<Option<FspId>, StoreError> {
        if self.is_external(name) { self.store().route(name).await } else { Ok(None) }
    }

    /// Providers of currency conversion in other schemes, and between which currencies each converts.
    pub(crate) async fn providers_abroad(&self) -> Result<Vec<(FspId, Vec<Currency>)>, StoreError> {
        let settings = self.store().settings(&[], ACTOR).await?;
        let provider = |(name, value): (String, String)| {
            let name: FspId = name.strip_prefix(PROVIDER)?.parse().ok()?;
            let currencies: Vec<Currency> = value.split(',').filter_map(|code| code.parse().ok()).collect();
            (!currencies.is_empty() && self.is_external(&name)).then_some((name, currencies))
        };
        Ok(settings.into_iter().filter_map(provider).collect())
    }

    pub(crate) async fn set_provider_abroad(
        &self,
        name: &FspId,
        currencies: &[Currency],
        actor: &str,
    ) -> Result<(), StoreError> {
        let codes: Vec<&str> = currencies.iter().map(Currency::as_str).collect();
        self.store().set_setting(&format!("{PROVIDER}{name}"), &codes.join(","), actor).await
    }

    pub(crate) fn is_external(&self, name: &FspId) -> bool {
        self.view().participant(name).is_none()
    }

    pub(crate) fn is_proxy(&self, name: &FspId) -> bool {
        self.view().participant(name).is_some_and(|known| known.participant.is_proxy)
    }

    /// Whether the sender of an answer is one of us.
    pub(crate) fn standing_of(&self, source: &FspId) -> SenderStanding {
        if self.is_external(source) { SenderStanding::External } else { SenderStanding::Participant }
    }

    /// Whether nobody knows how to reach somebody: neither a participant, nor found behind a proxy.
    pub(crate) async fn is_stranger(&self, name: &FspId) -> Result<bool, Unavailable> {
        let unread = |error: StoreError| Unavailable::Store(error.to_string());
        Ok(self.is_external(name) && self.way(name).await.map_err(unread)?.is_none())
    }

    /// An answer is for somebody who can be reached; for a stranger it has as little an address as for a participant that
    /// has registered none.
    pub(crate) fn check_reach(&self, name: &FspId, ways: &Ways, endpoint: EndpointType) -> Result<(), FspiopError> {
        if self.is_external(name) && ways.to(name).is_none() {
            let text = format_args!("no {} endpoint for DFSP {name}", endpoint.as_str());
            return Err(FspiopError::with_detail(ErrorCode::DESTINATION_FSP, text));
        }
        Ok(())
    }

    /// A message with `FSPIOP-Proxy` came by a proxy of this scheme, which is not its own source, and from whom it is known
    /// to stand for.
    pub(crate) fn check_proxy(&self, envelope: &Envelope, ways: &Ways) -> Result<(), FspiopError> {
        let Some(proxy) = &envelope.proxy else { return Ok(()) };
        let is_source = proxy.same_as(envelope.source.as_str());
        let is_another = ways.to(&envelope.source).is_some_and(|known| known != proxy);
        if is_source || is_another || !self.is_proxy(proxy) {
            return Err(FspiopError::with_detail(ErrorCode::GENERIC_VALIDATION, "Invalid fspiop-proxy header"));
        }
        Ok(())
    }
}
