//! Why a token is not accepted.

use std::fmt;

/// One reason; nothing in it comes from the token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// There is no `Authorization` header with a bearer token.
    Missing,
    /// There are several.
    Repeated,
    TooLong,
    /// It is no JWT, or a claim is no value of its kind.
    Malformed,
    /// The algorithm is none of those that are allowed.
    Algorithm,
    /// Nobody who is trusted has made it.
    Issuer,
    /// The issuer has no such key.
    UnknownKey,
    Signature,
    /// It is for somebody else.
    Audience,
    Expired,
    NotYetValid,
    /// It names nobody who takes part in the scheme.
    Participant,
    /// The participant is switched off.
    Inactive,
    /// The client was revoked after it got the token.
    Revoked,
}

impl Refusal {
    /// In one word, for those who count.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Repeated => "repeated",
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::Issuer => "issuer",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::Audience => "audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Participant => "participant",
            Self::Inactive => "inactive",
            Self::Revoked => "revoked",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Missing => "there is no access token",
            Self::Repeated => "there are several Authorization headers",
            Self::TooLong => "the access token is too long",
            Self::Malformed => "the access token is malformed",
            Self::Algorithm => "the algorithm of the access token is not allowed",
            Self::Issuer => "the issuer of the access token is not trusted",
            Self::UnknownKey => "the key of the access token is not known",
            Self::Signature => "the signature of the access token is wrong",
            Self::Audience => "the access token is for another audience",
            Self::Expired => "the access token has expired",
            Self::NotYetValid => "the access token is not valid yet",
            Self::Participant => "the access token names no participant",
            Self::Inactive => "the participant of the access token is not active",
            Self::Revoked => "the client of the access token was revoked",
        })
    }
}

impl std::error::Error for Refusal {}
