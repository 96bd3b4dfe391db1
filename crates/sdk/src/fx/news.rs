//! What the scheme says about a conversion, and when that decides it for either side.
//!
//! Invariant: the payer's DFSP sends the dependent transfer only after the provider's word, and the provider's money
//! follows only the hub's. A message that does not decide leaves the conversion open; asking the hub settles it.

use crate::news::{Decision, ends_for_payer};
use fspiop::body::{FxTransferFulfil, TransferState};
use fspiop::{ErrorCode, FspiopError, ilp};
use vocabulary::{Condition, FspId, Fulfilment, Timestamp};

/// A message about a conversion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FxNews {
    /// `PUT` or `PATCH /fxTransfers/{ID}`.
    Status(FxStatus),
    /// `PUT /fxTransfers/{ID}/error`.
    Error(FspiopError),
}

/// The state of a conversion as the hub or the provider reports it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FxStatus {
    pub state: TransferState,
    pub fulfilment: Option<Fulfilment>,
    pub completed: Option<Timestamp>,
    /// Who says so: the provider gives its word, the hub tells what it knows.
    pub reporter: FspId,
}

/// What becomes of a conversion before its transfer is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FxDecision {
    /// The provider will convert if the transfer is committed: now the transfer may be sent.
    Agreed,
    Aborted(FspiopError),
}

impl FxNews {
    /// What the message decides for the DFSP that asked `provider` to convert; `None` if it leaves the conversion open. A
    /// reservation that the hub reports without a fulfilment may still be unanswered by the provider.
    pub fn for_initiator(&self, provider: &FspId, condition: Condition) -> Option<FxDecision> {
        let status = match self {
            Self::Error(error) => {
                return ends_for_payer(error.code).then(|| FxDecision::Aborted(error.clone()));
            }
            Self::Status(status) => status,
        };
        let is_fulfilled = status.fulfilment.map(|fulfilment| ilp::condition_of(&fulfilment) == condition);
        let agreed = match (status.state, is_fulfilled) {
            (TransferState::Received, _) | (_, Some(false)) => return None,
            (TransferState::Aborted, _) => return Some(FxDecision::Aborted(unexplained())),
            (TransferState::Reserved, None) => provider.same_as(status.reporter.as_str()),
            (TransferState::Reserved | TransferState::Committed, _) => true,
        };
        agreed.then_some(FxDecision::Agreed)
    }

    /// What the message decides for the provider.
    pub fn for_provider(&self) -> Option<Decision> {
        match self {
            Self::Error(error) if error.code == ErrorCode::TRANSFER_EXPIRED => Some(Decision::Aborted(error.clone())),
            Self::Error(_) => None,
            Self::Status(status) => match status.state {
                TransferState::Received | TransferState::Reserved => None,
                TransferState::Committed => Some(Decision::Committed),
                TransferState::Aborted => Some(Decision::Aborted(unexplained())),
            },
        }
    }
}

impl FxStatus {
    pub(crate) fn new(body: &FxTransferFulfil, reporter: FspId) -> Self {
        Self { state: body.state, fulfilment: body.fulfilment, completed: body.completed, reporter }
    }
}

/// Messages about conversions carry no reason.
fn unexplained() -> FspiopError {
    FspiopError::relayed(ErrorCode::SERVER_ERROR, "The payment of the conversion was aborted")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULFILMENT: Fulfilment = Fulfilment::new([7; 32]);

    fn provider() -> FspId {
        "fxp".parse().unwrap()
    }

    fn status(state: TransferState, fulfilment: Option<Fulfilment>, reporter: &str) -> FxNews {
        FxNews::Status(FxStatus { state, fulfilment, completed: None, reporter: reporter.parse().unwrap() })
    }

    fn for_initiator(news: &FxNews) -> Option<FxDecision> {
        news.for_initiator(&provider(), ilp::condition_of(&FULFILMENT))
    }

    #[test]
    fn the_providers_word_or_its_fulfilment_is_an_agreement_and_nothing_else() {
        use TransferState::{Aborted, Committed, Received, Reserved};
        let wrong = Fulfilment::new([8; 32]);
        for (state, fulfilment, reporter, agreed) in [
            (Reserved, Some(FULFILMENT), "fxp", true),
            (Reserved, Some(FULFILMENT), "Hub", true),
            (Reserved, None, "fxp", true),
            (Reserved, None, "Hub", false),
            (Reserved, Some(wrong), "fxp", false),
            (Committed, None, "Hub", true),
            (Committed, Some(wrong), "Hub", false),
            (Received, None, "fxp", false),
        ] {
            let decision = for_initiator(&status(state, fulfilment, reporter));
            assert_eq!(decision == Some(FxDecision::Agreed), agreed, "{state:?} of {reporter}");
        }
        assert!(matches!(for_initiator(&status(Aborted, None, "Hub")), Some(FxDecision::Aborted(_))));
    }

    #[test]
    fn an_error_ends_a_conversion_unless_it_is_about_a_message() {
        let error = |code| FxNews::Error(FspiopError::new(code));
        assert!(for_initiator(&error(ErrorCode::PAYER_LIQUIDITY)).is_some());
        assert_eq!(for_initiator(&error(ErrorCode::MODIFIED_REQUEST)), None);
        assert!(error(ErrorCode::TRANSFER_EXPIRED).for_provider().is_some());
        assert_eq!(error(ErrorCode::GENERIC_VALIDATION).for_provider(), None);
    }

    #[test]
    fn the_provider_is_paid_by_the_word_committed_alone() {
        let news = |state| status(state, None, "Hub").for_provider();
        assert_eq!(news(TransferState::Committed), Some(Decision::Committed));
        assert_eq!(news(TransferState::Reserved), None);
        assert!(matches!(news(TransferState::Aborted), Some(Decision::Aborted(_))));
    }
}
