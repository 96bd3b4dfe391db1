//! A party in the core's words and in the scheme's (dfsp-client.md §4, mapping).

use crate::json::{Object, at, copy, put, text, wrapped};
use fspiop::PartyPath;
use serde_json::Value;

const INFO: [(&str, &str); 3] =
    [("idType", "partyIdType"), ("idValue", "partyIdentifier"), ("idSubValue", "partySubIdOrType")];
const NAMES: [(&str, &str); 3] = [("firstName", "firstName"), ("middleName", "middleName"), ("lastName", "lastName")];

/// The core's party as the scheme writes it. `currencies` are those of the DFSP, for a party that names none.
pub(crate) fn to_scheme(party: &Value, fsp: Option<&str>, currencies: &[String]) -> Value {
    let mut info = Object::new();
    copy(&mut info, party, &INFO);
    put(&mut info, "fspId", fsp.or_else(|| text(party, &["fspId"])));
    put(&mut info, "extensionList", wrapped(at(party, &["extensionList"])));
    let (mut name, mut personal, mut whole) = (Object::new(), Object::new(), Object::new());
    copy(&mut name, party, &NAMES);
    put(&mut personal, "complexName", (!name.is_empty()).then_some(name));
    copy(&mut personal, party, &[("dateOfBirth", "dateOfBirth"), ("kycInformation", "kycInformation")]);
    whole.insert("partyIdInfo".into(), info.into());
    put(&mut whole, "personalInfo", (!personal.is_empty()).then_some(personal));
    let same = ("merchantClassificationCode", "merchantClassificationCode");
    copy(&mut whole, party, &[same, ("displayName", "name"), ("supportedCurrencies", "supportedCurrencies")]);
    if !whole.contains_key("supportedCurrencies") && !currencies.is_empty() {
        whole.insert("supportedCurrencies".into(), currencies.to_vec().into());
    }
    whole.into()
}

/// The scheme's party as the core reads it.
pub(crate) fn to_core(party: &Value) -> Value {
    let mut internal = Object::new();
    let info = &party["partyIdInfo"];
    copy(&mut internal, info, &INFO.map(|(core, scheme)| (scheme, core)));
    copy(&mut internal, info, &[("fspId", "fspId")]);
    put(&mut internal, "extensionList", at(info, &["extensionList", "extension"]).cloned());
    copy(&mut internal, party, &[("name", "displayName")]);
    copy(&mut internal, &party["personalInfo"]["complexName"], &NAMES);
    copy(&mut internal, &party["personalInfo"], &[("dateOfBirth", "dateOfBirth")]);
    internal.into()
}

/// What a lookup has found takes the place of what the core had said; the name for display stays the core's.
pub(crate) fn resolve(to: &mut Object, found: &Value) {
    let found = to_core(found);
    for (name, value) in found.as_object().into_iter().flatten().filter(|(name, _)| *name != "displayName") {
        to.insert(name.clone(), value.clone());
    }
}

/// The path of a core's party. `None` if the scheme does not know its type of identifier, or the identifier is empty.
pub(crate) fn path(party: &Value) -> Option<PartyPath> {
    let id_type = text(party, &["idType"])?.parse().ok()?;
    let identifier = text(party, &["idValue"]).filter(|identifier| !identifier.is_empty())?.to_owned();
    let sub_id = text(party, &["idSubValue"]).filter(|sub_id| !sub_id.is_empty()).map(str::to_owned);
    Some(PartyPath { id_type, identifier, sub_id })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_party_survives_the_way_there_and_back() {
        let core = json!({"idType": "MSISDN", "idValue": "1", "idSubValue": "x", "fspId": "blue", "displayName": "Ana",
            "firstName": "Ana", "middleName": "B", "lastName": "Diaz", "dateOfBirth": "1990-01-02",
            "extensionList": [{"key": "a", "value": "b"}]});
        let scheme = to_scheme(&core, None, &[]);
        assert_eq!(scheme["partyIdInfo"]["extensionList"], json!({"extension": [{"key": "a", "value": "b"}]}));
        assert_eq!(to_core(&scheme), core);
    }

    #[test]
    fn what_the_core_does_not_say_does_not_appear() {
        let scheme = to_scheme(&json!({"idType": "MSISDN", "idValue": "1", "extensionList": []}), Some("blue"), &[]);
        assert_eq!(scheme, json!({"partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": "1", "fspId": "blue"}}));
        let kes = ["KES".to_owned()];
        assert_eq!(to_scheme(&json!({}), None, &kes)["supportedCurrencies"], json!(["KES"]));
        let own = json!({"supportedCurrencies": ["TZS"]});
        assert_eq!(to_scheme(&own, None, &kes)["supportedCurrencies"], json!(["TZS"]));
    }
}
