//! A person or business as the scheme knows it.
//!
//! Invariant: the identifier fits its type. Identifiers and names are personal data: `Debug` prints neither.

use crate::wire;
use fspiop::Version;
use std::fmt;
use vocabulary::{Currency, FspId, PartyId};

/// Who pays or is paid, and where their account is.
#[derive(Clone, PartialEq, Eq)]
pub struct Party {
    pub id: PartyId,
    /// The DFSP that holds the account.
    pub fsp: FspId,
    /// For people to read; 1 to 128 characters.
    pub name: Option<String>,
    /// In which the party can be paid (FSPIOP 2.0); empty if that was not said.
    pub currencies: Vec<Currency>,
}

impl Party {
    pub(crate) fn to_wire(&self) -> wire::Party {
        wire::Party {
            party_id_info: wire::PartyIdInfo {
                party_id_type: self.id.id_type,
                party_identifier: self.id.identifier.to_string(),
                party_sub_id_or_type: self.id.sub_id.as_deref().map(str::to_owned),
                fsp_id: Some(self.fsp.clone()),
            },
            name: self.name.clone(),
            supported_currencies: self.currencies.iter().map(Currency::to_string).collect(),
            personal_info: None,
        }
    }

    /// The same, with the members that a version has.
    pub(crate) fn to_wire_in(&self, version: Version) -> wire::Party {
        let mut party = self.to_wire();
        if version != Version::V2_0 {
            party.supported_currencies.clear();
        }
        party
    }

    /// The party of a message; `fsp` is where it is if the message does not say. `None` if the identifier does not fit
    /// its type.
    pub(crate) fn of_wire(party: wire::Party, fsp: &FspId) -> Option<Self> {
        let name = party.name.or_else(|| full_name(party.personal_info?));
        let currencies = party.supported_currencies.iter().filter_map(|currency| currency.parse().ok()).collect();
        let info = party.party_id_info;
        let sub_id = info.party_sub_id_or_type.as_deref();
        let id = PartyId::try_new(info.party_id_type, &info.party_identifier, sub_id).ok()?;
        Some(Self { id, fsp: info.fsp_id.unwrap_or_else(|| fsp.clone()), name, currencies })
    }
}

fn full_name(personal: wire::PersonalInfo) -> Option<String> {
    let name = personal.complex_name?;
    let parts: Vec<String> = [name.first_name, name.last_name].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

impl fmt::Debug for Party {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Party({:?} at {})", self.id, self.fsp)
    }
}
