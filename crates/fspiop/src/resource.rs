//! Resources and versions of the API, and the media types that name both (FSPIOP 1.1 §3.3.4).

use std::{fmt, str::FromStr};

/// A resource: the first segment of its paths, and its name in media types.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Resource {
    Parties,
    Participants,
    Quotes,
    Transfers,
    TransactionRequests,
    Authorizations,
    FxQuotes,
    FxTransfers,
    BulkQuotes,
    BulkTransfers,
    Services,
}

/// A version of the API that umoja speaks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Version {
    V1_0,
    V1_1,
    V2_0,
}

impl Resource {
    /// A place in this list is the resource's number in the hub's journal: new ones go to the end.
    pub const ALL: [Self; 11] = [
        Self::Parties,
        Self::Participants,
        Self::Quotes,
        Self::Transfers,
        Self::TransactionRequests,
        Self::Authorizations,
        Self::FxQuotes,
        Self::FxTransfers,
        Self::BulkQuotes,
        Self::BulkTransfers,
        Self::Services,
    ];

    /// First path segment and media-type name, for example `transfers`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parties => "parties",
            Self::Participants => "participants",
            Self::Quotes => "quotes",
            Self::Transfers => "transfers",
            Self::TransactionRequests => "transactionRequests",
            Self::Authorizations => "authorizations",
            Self::FxQuotes => "fxQuotes",
            Self::FxTransfers => "fxTransfers",
            Self::BulkQuotes => "bulkQuotes",
            Self::BulkTransfers => "bulkTransfers",
            Self::Services => "services",
        }
    }

    /// Versions that are understood for the resource, in the order in which a 406 for a wrong `Content-Type` lists
    /// them. Transaction requests and authorizations exist in 1.x only.
    pub(crate) const fn content_versions(self) -> &'static [Version] {
        match self {
            Self::TransactionRequests | Self::Authorizations => &[Version::V1_1, Version::V1_0],
            Self::Parties
            | Self::Participants
            | Self::Quotes
            | Self::Transfers
            | Self::FxQuotes
            | Self::FxTransfers
            | Self::BulkQuotes
            | Self::BulkTransfers
            | Self::Services => &[Version::V1_1, Version::V1_0, Version::V2_0],
        }
    }

    pub const fn supports(self, version: Version) -> bool {
        match version {
            Version::V1_0 | Version::V1_1 => true,
            Version::V2_0 => self.content_versions().len() == 3,
        }
    }
}

impl Version {
    pub const ALL: [Self; 3] = [Self::V1_0, Self::V1_1, Self::V2_0];

    /// `major.minor`, as `Content-Type` writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V2_0 => "2.0",
        }
    }

    /// The two numbers as text: what a 406 lists.
    pub(crate) const fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::V1_0 => ("1", "0"),
            Self::V1_1 => ("1", "1"),
            Self::V2_0 => ("2", "0"),
        }
    }
}

/// `application/vnd.interoperability.<resource>+json;version=<major>.<minor>`.
pub fn content_type(resource: impl fmt::Display, version: Version) -> String {
    format!("application/vnd.interoperability.{resource}+json;version={version}")
}

/// The `Accept` value that asks for `version`: the same text as [`content_type`], one entry, minor version included.
pub fn accept(resource: Resource, version: Version) -> String {
    content_type(resource, version)
}

/// The text is not a resource of the API.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownResource;

/// The text is not a supported version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownVersion;

impl FromStr for Resource {
    type Err = UnknownResource;

    fn from_str(text: &str) -> Result<Self, UnknownResource> {
        Self::ALL.into_iter().find(|resource| resource.as_str() == text).ok_or(UnknownResource)
    }
}

impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        Self::ALL.into_iter().find(|version| version.as_str() == text).ok_or(UnknownVersion)
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for UnknownResource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not a resource of the FSPIOP API")
    }
}

impl fmt::Display for UnknownVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not a supported version of the FSPIOP API (1.0, 1.1, 2.0)")
    }
}

impl std::error::Error for UnknownResource {}
impl std::error::Error for UnknownVersion {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_name_resource_and_version() {
        assert_eq!(
            content_type(Resource::TransactionRequests, Version::V1_1),
            "application/vnd.interoperability.transactionRequests+json;version=1.1"
        );
    }

    #[test]
    fn names_of_resources_and_versions_survive_the_round_trip() {
        for resource in Resource::ALL {
            assert_eq!(resource.as_str().parse(), Ok(resource));
        }
        for version in Version::ALL {
            assert_eq!(version.as_str().parse(), Ok(version));
        }
        assert_eq!("Transfers".parse::<Resource>(), Err(UnknownResource));
    }

    #[test]
    fn transaction_requests_exist_in_1_x_only() {
        assert!(!Resource::TransactionRequests.supports(Version::V2_0));
        assert!(Resource::Transfers.supports(Version::V2_0));
    }
}
