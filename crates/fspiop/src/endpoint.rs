//! Participants' callback endpoints: the names of their types (contract admin-settlement.md §1.8) and the URL templates
//! that are registered under them (contract transfers-quotes-parties.md §1.12).

use crate::percent;
use std::{fmt, str::FromStr};

macro_rules! endpoint_types {
    ($($variant:ident = $name:literal,)*) => {
        /// What a registered URL or address is for.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum EndpointType {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl EndpointType {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in the administration API.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

endpoint_types! {
    AlarmUrl = "ALARM_NOTIFICATION_URL",
    AlarmTopic = "ALARM_NOTIFICATION_TOPIC",
    ThresholdBreachEmail = "NET_DEBIT_CAP_THRESHOLD_BREACH_EMAIL",
    LimitAdjustmentEmail = "NET_DEBIT_CAP_ADJUSTMENT_EMAIL",
    SettlementPositionEmail = "SETTLEMENT_TRANSFER_POSITION_CHANGE_EMAIL",
    TransferPost = "FSPIOP_CALLBACK_URL_TRANSFER_POST",
    TransferPut = "FSPIOP_CALLBACK_URL_TRANSFER_PUT",
    TransferError = "FSPIOP_CALLBACK_URL_TRANSFER_ERROR",
    FxQuotes = "FSPIOP_CALLBACK_URL_FX_QUOTES",
    FxTransferPost = "FSPIOP_CALLBACK_URL_FX_TRANSFER_POST",
    FxTransferPut = "FSPIOP_CALLBACK_URL_FX_TRANSFER_PUT",
    FxTransferError = "FSPIOP_CALLBACK_URL_FX_TRANSFER_ERROR",
    BulkTransferPost = "FSPIOP_CALLBACK_URL_BULK_TRANSFER_POST",
    BulkTransferPut = "FSPIOP_CALLBACK_URL_BULK_TRANSFER_PUT",
    BulkTransferError = "FSPIOP_CALLBACK_URL_BULK_TRANSFER_ERROR",
    BulkQuotes = "FSPIOP_CALLBACK_URL_BULK_QUOTES",
    ParticipantPut = "FSPIOP_CALLBACK_URL_PARTICIPANT_PUT",
    ParticipantSubIdPut = "FSPIOP_CALLBACK_URL_PARTICIPANT_SUB_ID_PUT",
    ParticipantPutError = "FSPIOP_CALLBACK_URL_PARTICIPANT_PUT_ERROR",
    ParticipantSubIdPutError = "FSPIOP_CALLBACK_URL_PARTICIPANT_SUB_ID_PUT_ERROR",
    ParticipantDelete = "FSPIOP_CALLBACK_URL_PARTICIPANT_DELETE",
    ParticipantSubIdDelete = "FSPIOP_CALLBACK_URL_PARTICIPANT_SUB_ID_DELETE",
    ParticipantBatchPut = "FSPIOP_CALLBACK_URL_PARTICIPANT_BATCH_PUT",
    ParticipantBatchPutError = "FSPIOP_CALLBACK_URL_PARTICIPANT_BATCH_PUT_ERROR",
    PartiesGet = "FSPIOP_CALLBACK_URL_PARTIES_GET",
    PartiesSubIdGet = "FSPIOP_CALLBACK_URL_PARTIES_SUB_ID_GET",
    PartiesPut = "FSPIOP_CALLBACK_URL_PARTIES_PUT",
    PartiesSubIdPut = "FSPIOP_CALLBACK_URL_PARTIES_SUB_ID_PUT",
    PartiesPutError = "FSPIOP_CALLBACK_URL_PARTIES_PUT_ERROR",
    PartiesSubIdPutError = "FSPIOP_CALLBACK_URL_PARTIES_SUB_ID_PUT_ERROR",
    Quotes = "FSPIOP_CALLBACK_URL_QUOTES",
    Authorizations = "FSPIOP_CALLBACK_URL_AUTHORIZATIONS",
    TransactionRequests = "FSPIOP_CALLBACK_URL_TRX_REQ_SERVICE",
    ThirdPartyTransactionGet = "TP_CB_URL_TRANSACTION_REQUEST_GET",
    ThirdPartyTransactionPost = "TP_CB_URL_TRANSACTION_REQUEST_POST",
    ThirdPartyTransactionPut = "TP_CB_URL_TRANSACTION_REQUEST_PUT",
    ThirdPartyTransactionPutError = "TP_CB_URL_TRANSACTION_REQUEST_PUT_ERROR",
    ThirdPartyTransactionPatch = "TP_CB_URL_TRANSACTION_REQUEST_PATCH",
    ThirdPartyAuthPost = "TP_CB_URL_TRANSACTION_REQUEST_AUTH_POST",
    ThirdPartyAuthPut = "TP_CB_URL_TRANSACTION_REQUEST_AUTH_PUT",
    ThirdPartyAuthPutError = "TP_CB_URL_TRANSACTION_REQUEST_AUTH_PUT_ERROR",
    ThirdPartyVerifyPost = "TP_CB_URL_TRANSACTION_REQUEST_VERIFY_POST",
    ThirdPartyVerifyPut = "TP_CB_URL_TRANSACTION_REQUEST_VERIFY_PUT",
    ThirdPartyVerifyPutError = "TP_CB_URL_TRANSACTION_REQUEST_VERIFY_PUT_ERROR",
    ConsentRequestPost = "TP_CB_URL_CONSENT_REQUEST_POST",
    ConsentRequestPut = "TP_CB_URL_CONSENT_REQUEST_PUT",
    ConsentRequestPutError = "TP_CB_URL_CONSENT_REQUEST_PUT_ERROR",
    ConsentRequestPatch = "TP_CB_URL_CONSENT_REQUEST_PATCH",
    CreateCredentialPost = "TP_CB_URL_CREATE_CREDENTIAL_POST",
    ConsentPost = "TP_CB_URL_CONSENT_POST",
    ConsentGet = "TP_CB_URL_CONSENT_GET",
    ConsentPut = "TP_CB_URL_CONSENT_PUT",
    ConsentPatch = "TP_CB_URL_CONSENT_PATCH",
    ConsentPutError = "TP_CB_URL_CONSENT_PUT_ERROR",
    ConsentChallengePost = "TP_CB_URL_CONSENT_GENERATE_CHALLENGE_POST",
    ConsentChallengePutError = "TP_CB_URL_CONSENT_GENERATE_CHALLENGE_PUT_ERROR",
    AccountsGet = "TP_CB_URL_ACCOUNTS_GET",
    AccountsPut = "TP_CB_URL_ACCOUNTS_PUT",
    AccountsPutError = "TP_CB_URL_ACCOUNTS_PUT_ERROR",
    ServicesGet = "TP_CB_URL_SERVICES_GET",
    ServicesPut = "TP_CB_URL_SERVICES_PUT",
    ServicesPutError = "TP_CB_URL_SERVICES_PUT_ERROR",
}

impl EndpointType {
    /// Whether only a base URL is registered and the sender appends the canonical path; the other FSPIOP types hold a
    /// template of the whole URL.
    pub fn is_base(self) -> bool {
        let suffixes = ["_QUOTES", "_TRX_REQ_SERVICE", "_AUTHORIZATIONS"];
        suffixes.iter().any(|suffix| self.as_str().ends_with(suffix))
    }
}

/// A template cannot be rendered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TemplateError {
    /// The template names a variable that the message does not have.
    UnknownVariable(String),
    /// `{{` without `}}`.
    Unclosed,
}

/// Puts values, percent-encoded, in place of `{{name}}` (blanks inside the braces are ignored, three braces mean the
/// same). Variables: `partyIdType`, `partyIdentifier`, `partySubIdOrType`, `requestId`, `transferId`, `id`,
/// `commitRequestId`.
pub fn render(template: &str, variables: &[(&str, &str)]) -> Result<String, TemplateError> {
    let mut url = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or(TemplateError::Unclosed)?;
        let (name, after) = match name.strip_prefix('{') {
            Some(name) => (name, after.strip_prefix('}').ok_or(TemplateError::Unclosed)?),
            None => (name, after),
        };
        let name = name.trim();
        let value = variables.iter().find(|(known, _)| *known == name);
        let (_, value) = value.ok_or_else(|| TemplateError::UnknownVariable(name.to_owned()))?;
        url.push_str(before);
        url.push_str(&percent::encode(value));
        rest = after;
    }
    url.push_str(rest);
    Ok(url)
}

/// The URL of a [base type](EndpointType::is_base): the registered base and the canonical path (from
/// [`crate::Operation::uri`]), with one slash between them.
pub fn join(base: &str, uri: &str) -> String {
    format!("{}{uri}", base.trim_end_matches('/'))
}

/// The text is not the name of an endpoint type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownEndpointType;

impl FromStr for EndpointType {
    type Err = UnknownEndpointType;

    fn from_str(text: &str) -> Result<Self, UnknownEndpointType> {
        Self::ALL.iter().copied().find(|known| known.as_str() == text).ok_or(UnknownEndpointType)
    }
}

impl fmt::Display for EndpointType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for UnknownEndpointType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not an endpoint type of the administration API")
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownVariable(name) => {
                write!(formatter, "the endpoint's template names {{{{{name}}}}}, which this message does not have")
            }
            Self::Unclosed => formatter.write_str("the endpoint's template has {{ without }}"),
        }
    }
}

impl std::error::Error for UnknownEndpointType {}
impl std::error::Error for TemplateError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_what_provisioning_relies_on() {
        let names: Vec<String> = EndpointType::ALL
            .iter()
            .map(|kind| format!("{kind}{}", if kind.is_base() { " [base]" } else { "" }))
            .collect();
        insta::assert_snapshot!(names.join("\n"));
    }

    #[test]
    fn names_survive_the_round_trip() {
        for kind in EndpointType::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        assert_eq!("FSPIOP_CALLBACK_URL".parse::<EndpointType>(), Err(UnknownEndpointType));
    }

    #[test]
    fn values_are_percent_encoded_into_the_template() {
        let template = "http://sim/parties/{{partyIdType}}/{{ partyIdentifier }}/{{{partySubIdOrType}}}/error";
        let variables = [("partyIdType", "MSISDN"), ("partyIdentifier", "+27/1"), ("partySubIdOrType", "a b")];
        assert_eq!(render(template, &variables).unwrap(), "http://sim/parties/MSISDN/+27%2F1/a%20b/error");
        assert_eq!(render("http://sim/transfers", &[]).unwrap(), "http://sim/transfers");
    }

    #[test]
    fn a_template_that_cannot_be_filled_is_an_error_and_not_a_wrong_address() {
        assert_eq!(render("http://sim/{{x}}", &[]), Err(TemplateError::UnknownVariable("x".to_owned())));
        assert_eq!(render("http://sim/{{x", &[("x", "1")]), Err(TemplateError::Unclosed));
        assert_eq!(render("http://sim/{{{x}}", &[("x", "1")]), Err(TemplateError::Unclosed));
    }

    #[test]
    fn a_base_and_a_path_have_one_slash_between_them() {
        assert_eq!(join("http://sim/", "/quotes/x"), "http://sim/quotes/x");
        assert_eq!(join("http://sim/fsp", "/quotes"), "http://sim/fsp/quotes");
    }
}
