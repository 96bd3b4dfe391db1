//! The schemas of the bodies (FSPIOP 1.1 §6 and §7.4, 2.0 additions included), with the leniencies that
//! implementations share (contract §1.7): unknown nested members are accepted everywhere, unknown top-level members
//! are refused for quotes, transaction requests and authorizations only. Bodies of any version are read by one schema;
//! the members that 2.0 added are optional.

use super::schema::{ANY_TEXT, ArraySchema, ObjectSchema, Schema, Schema::Array, Schema::Object, Schema::Text};
use super::schema::{TextSchema, Unknown};
use super::texts::*;

type Members = &'static [(&'static str, Schema)];

const fn lenient(required: &'static [&'static str], members: Members) -> ObjectSchema {
    ObjectSchema { required, unknown: Unknown::Accepted, members }
}

const fn strict(required: &'static [&'static str], members: Members) -> ObjectSchema {
    ObjectSchema { required, unknown: Unknown::Refused, members }
}

static ANY: TextSchema = ANY_TEXT;

static MONEY: ObjectSchema =
    lenient(&["currency", "amount"], &[("currency", Text(&CURRENCY)), ("amount", Text(&AMOUNT))]);

static EXTENSION: ObjectSchema =
    lenient(&["key", "value"], &[("key", Text(&EXTENSION_KEY)), ("value", Text(&TEXT_128))]);
static EXTENSIONS: ArraySchema = ArraySchema { items: Object(&EXTENSION), items_min: 1, items_max: 16 };
static EXTENSION_LIST: ObjectSchema = lenient(&["extension"], &[("extension", Array(&EXTENSIONS))]);

static GEO_CODE: ObjectSchema =
    lenient(&["latitude", "longitude"], &[("latitude", Text(&LATITUDE)), ("longitude", Text(&LONGITUDE))]);

static PARTY_ID_INFO: ObjectSchema = lenient(
    &["partyIdType", "partyIdentifier"],
    &[
        ("partyIdType", Text(&PARTY_ID_TYPE)),
        ("partyIdentifier", Text(&TEXT_128)),
        ("partySubIdOrType", Text(&TEXT_128)),
        ("fspId", Text(&FSP_ID)),
        ("extensionList", Object(&EXTENSION_LIST)),
    ],
);
static COMPLEX_NAME: ObjectSchema = lenient(
    &[],
    &[("firstName", Text(&PERSON_NAME)), ("middleName", Text(&PERSON_NAME)), ("lastName", Text(&PERSON_NAME))],
);
static PERSONAL_INFO: ObjectSchema = lenient(
    &[],
    &[("complexName", Object(&COMPLEX_NAME)), ("dateOfBirth", Text(&DATE)), ("kycInformation", Text(&KYC))],
);
static CURRENCIES: ArraySchema = ArraySchema { items: Text(&CURRENCY), items_min: 0, items_max: 16 };
static PARTY: ObjectSchema = lenient(
    &["partyIdInfo"],
    &[
        ("partyIdInfo", Object(&PARTY_ID_INFO)),
        ("merchantClassificationCode", Text(&MERCHANT_CODE)),
        ("name", Text(&TEXT_128)),
        ("personalInfo", Object(&PERSONAL_INFO)),
        ("supportedCurrencies", Array(&CURRENCIES)),
    ],
);

static REFUND: ObjectSchema = lenient(
    &["originalTransactionId"],
    &[("originalTransactionId", Text(&CORRELATION_ID)), ("refundReason", Text(&TEXT_128))],
);
static TRANSACTION_TYPE: ObjectSchema = lenient(
    &["scenario", "initiator", "initiatorType"],
    &[
        ("scenario", Text(&SCENARIO)),
        ("subScenario", Text(&SUB_SCENARIO)),
        ("initiator", Text(&INITIATOR)),
        ("initiatorType", Text(&INITIATOR_TYPE)),
        ("refundInfo", Object(&REFUND)),
        ("balanceOfPayments", Text(&BALANCE_OF_PAYMENTS)),
    ],
);
static FX_RATE: ObjectSchema =
    lenient(&["sourceAmount", "targetAmount"], &[("sourceAmount", Object(&MONEY)), ("targetAmount", Object(&MONEY))]);

pub(super) static TRANSFER_POST: ObjectSchema = lenient(
    &["transferId", "payeeFsp", "payerFsp", "amount", "ilpPacket", "condition", "expiration"],
    &[
        ("transferId", Text(&CORRELATION_ID)),
        ("payeeFsp", Text(&FSP_ID)),
        ("payerFsp", Text(&FSP_ID)),
        ("amount", Object(&MONEY)),
        ("ilpPacket", Text(&ILP_PACKET)),
        ("condition", Text(&CONDITION)),
        ("expiration", Text(&DATE_TIME)),
        ("extensionList", Object(&EXTENSION_LIST)),
    ],
);
/// PATCH has the members of PUT but `fulfilment`, and its time is mandatory.
pub(super) static TRANSFER_PUT: ObjectSchema = lenient(
    &["transferState"],
    &[
        ("fulfilment", Text(&CONDITION)),
        ("completedTimestamp", Text(&DATE_TIME)),
        ("transferState", Text(&TRANSFER_STATE)),
        ("extensionList", Object(&EXTENSION_LIST)),
    ],
);
pub(super) static TRANSFER_PATCH: ObjectSchema = lenient(
    &["completedTimestamp", "transferState"],
    &[
        ("completedTimestamp", Text(&DATE_TIME)),
        ("transferState", Text(&TRANSFER_STATE)),
        ("extensionList", Object(&EXTENSION_LIST)),
    ],
);

pub(super) static QUOTE_POST: ObjectSchema = strict(
    &["quoteId", "transactionId", "payee", "payer", "amountType", "amount", "transactionType"],
    &[
        ("quoteId", Text(&CORRELATION_ID)),
        ("transactionId", Text(&CORRELATION_ID)),
        ("transactionRequestId", Text(&CORRELATION_ID)),
        ("payee", Object(&PARTY)),
        ("payer", Object(&PARTY)),
        ("amountType", Text(&AMOUNT_TYPE)),
        ("amount", Object(&MONEY)),
        ("fees", Object(&MONEY)),
        ("transactionType", Object(&TRANSACTION_TYPE)),
        // 2.0. The reference refuses these two although it speaks 2.0; no client relies on the refusal.
        ("converter", Text(&CONVERTER)),
        ("currencyConversion", Object(&FX_RATE)),
        ("geoCode", Object(&GEO_CODE)),
        ("note", Text(&TEXT_128)),
        ("expiration", Text(&DATE_TIME)),
        ("extensionList", Object(&EXTENSION_LIST)),
    ],
);
pub(super) static QUOTE_PUT: ObjectSchema = strict(
    &["transferAmount", "expiration", "ilpPacket", "condition"],
    &[
        ("transferAmount", Object(&MONEY)),
        ("payeeReceiveAmount", Object(&MONEY)),
        ("payeeFspFee", Object(&MONEY)),
        ("payeeFspCommission", Object(&MONEY)),
        ("expiration", Text(&DATE_TIME)),
        ("geoCode", Object(&GEO_CODE)),
        ("ilpPacket", Text(&ILP_PACKET)),
        ("condition", Text(&CONDITION)),
        ("extensionList", Object(&EXTENSION_LIST)),
    ],
);

static FX_MONEY: ObjectSchema = lenient(&["currency"], &[("currency", Text(&CURRENCY)), ("amount", Text(&AMOUNT))]);
static FX_CHARGE: ObjectSchema = lenient(
    &["chargeType"],
    &[("chargeType", Text(&CHARGE_TYPE)), ("sourceAmount", Object(&MONEY)), ("targetAmount", Object(&MONEY))],
);
static FX_CHARGES: ArraySchema = ArraySchema { items: Object(&FX_CHARGE), items_min: 0, items_max: 16 };
static FX_CONVERSION: ObjectSchema = lenient(
    &["conversionId", "initiatingFsp", "counterPartyFsp", "amountType", "sourceAmount", "targetAmount", "expiration"],
    &[
        ("conversionId", Text(&CORRELATION_ID)),
        ("determiningTransferId", Text(&CORRELATION_ID)),
        ("initiatingFsp", Text(&FSP_ID)),
        ("counterPartyFsp", Text(&FSP_ID)),
        ("amountType", Text(&AMOUNT_TYPE)),
        ("sourceAmount", Object(&FX_MONEY)),
        ("targetAmount", Object(&FX_MONEY)),
        ("expiration", Text(&DATE_TIME)),
        ("charges", Array(&FX_CHARGES)),
        ("extensionList", Object(&EXTENSION_LIST)),
    ],
);
pub(super) static FX_QUOTE_POST: ObjectSchema = lenient(
    &["conversionRequestId", "conversionTerms"],
    &[("conversionRequestId", Text(&CORRELATION_ID)), ("conversionTerms", Object(&FX_CONVERSION))],
);
pub(super) static FX_QUOTE_PUT: ObjectSchema =
    lenient(&["conversionTerms"], &[("condition", Text(&CONDITION)), ("conversionTerms", Object(&FX_CONVERSION))]);
pub(super) static FX_TRANSFER_POST: ObjectSchema = lenient(
    &["commitRequestId", "initiatingFsp", "counterPartyFsp", "sourceAmount", "targetAmount", "condition"],
    &[
        ("commitRequestId", Text(&CORRELATION_ID)),
        ("determiningTransferId", Text(&CORRELATION_ID)),
        ("initiatingFsp", Text(&FSP_ID)),
        ("counterPartyFsp", Text(&FSP_ID)),
        ("sourceAmount", Object(&MONEY)),
        ("targetAmount", Object(&MONEY)),
        ("condition", Text(&CONDITION)),
        ("expiration", Text(&DATE_TIME)),
    ],
);
/// PATCH has the members of PUT but `fulfilment`.
pub(super) static FX_TRANSFER_PUT: ObjectSchema = lenient(
    &["conversionState"],
    &[
        ("fulfilment", Text(&CONDITION)),
        ("completedTimestamp", Text(&DATE_TIME)),
        ("conversionState", Text(&TRANSFER_STATE)),
        ("extensionList", Object(&EXTENSION_LIST)),
    ],
);
/// Names in a list of those who convert.
pub(crate) const FX_PROVIDERS_MAX: usize = 16;
static FX_PROVIDERS: ArraySchema = ArraySchema { items: Text(&FSP_ID), items_min: 0, items_max: FX_PROVIDERS_MAX };
pub(super) static FX_PROVIDERS_PUT: ObjectSchema = lenient(&["providers"], &[("providers", Array(&FX_PROVIDERS))]);

pub(super) static PARTY_PUT: ObjectSchema = lenient(&["party"], &[("party", Object(&PARTY))]);

pub(super) static PARTICIPANT_POST: ObjectSchema = lenient(&["fspId"], PARTICIPANT_MEMBERS);
pub(super) static PARTICIPANT_PUT: ObjectSchema = lenient(&[], PARTICIPANT_MEMBERS);
const PARTICIPANT_MEMBERS: Members =
    &[("fspId", Text(&FSP_ID)), ("currency", Text(&CURRENCY)), ("extensionList", Object(&EXTENSION_LIST))];
static PARTY_LIST: ArraySchema = ArraySchema { items: Object(&PARTY_ID_INFO), items_min: 1, items_max: 10_000 };
pub(super) static PARTICIPANTS_POST: ObjectSchema = lenient(
    &["requestId", "partyList"],
    &[("requestId", Text(&CORRELATION_ID)), ("partyList", Array(&PARTY_LIST)), ("currency", Text(&CURRENCY))],
);

const ERROR_MEMBERS: &[&str] = &["errorCode", "errorDescription"];
static ERROR_INFORMATION: ObjectSchema = lenient(
    ERROR_MEMBERS,
    &[
        ("errorCode", Text(&ERROR_CODE)),
        ("errorDescription", Text(&TEXT_128)),
        ("extensionList", Object(&EXTENSION_LIST)),
    ],
);
static QUOTE_ERROR_INFORMATION: ObjectSchema = lenient(
    ERROR_MEMBERS,
    &[
        ("errorCode", Text(&QUOTE_ERROR_CODE)),
        ("errorDescription", Text(&TEXT_128)),
        ("extensionList", Object(&EXTENSION_LIST)),
    ],
);
pub(super) static ERROR_PUT: ObjectSchema =
    lenient(&["errorInformation"], &[("errorInformation", Object(&ERROR_INFORMATION))]);
pub(super) static QUOTE_ERROR_PUT: ObjectSchema =
    lenient(&["errorInformation"], &[("errorInformation", Object(&QUOTE_ERROR_INFORMATION))]);

// Transaction requests and authorizations check the form of ids, amounts and times, but read every enumeration as plain
// text (contract §5).
static PLAIN_MONEY: ObjectSchema =
    lenient(&["currency", "amount"], &[("currency", Text(&ANY)), ("amount", Text(&AMOUNT))]);
static PLAIN_PARTY_ID_INFO: ObjectSchema = lenient(
    &["partyIdType", "partyIdentifier"],
    &[
        ("partyIdType", Text(&ANY)),
        ("partyIdentifier", Text(&TEXT_128)),
        ("partySubIdOrType", Text(&TEXT_128)),
        ("fspId", Text(&FSP_ID)),
        ("extensionList", Object(&EXTENSION_LIST)),
    ],
);
static PLAIN_PARTY: ObjectSchema = lenient(
    &["partyIdInfo"],
    &[
        ("partyIdInfo", Object(&PLAIN_PARTY_ID_INFO)),
        ("merchantClassificationCode", Text(&MERCHANT_CODE)),
        ("name", Text(&TEXT_128)),
        ("personalInfo", Object(&PERSONAL_INFO)),
    ],
);
static PLAIN_TRANSACTION_TYPE: ObjectSchema = lenient(
    &["scenario", "initiator", "initiatorType"],
    &[
        ("scenario", Text(&ANY)),
        ("subScenario", Text(&ANY)),
        ("initiator", Text(&ANY)),
        ("initiatorType", Text(&ANY)),
        ("refundInfo", Object(&REFUND)),
        ("balanceOfPayments", Text(&BALANCE_OF_PAYMENTS)),
    ],
);
pub(super) static TRANSACTION_REQUEST_POST: ObjectSchema = strict(
    &["transactionRequestId", "payee", "payer", "amount", "transactionType"],
    &[
        ("transactionRequestId", Text(&CORRELATION_ID)),
        ("payee", Object(&PLAIN_PARTY)),
        ("payer", Object(&PLAIN_PARTY_ID_INFO)),
        ("amount", Object(&PLAIN_MONEY)),
        ("transactionType", Object(&PLAIN_TRANSACTION_TYPE)),
        ("note", Text(&TEXT_128)),
        ("geoCode", Object(&GEO_CODE)),
        ("authenticationType", Text(&ANY)),
        ("expiration", Text(&DATE_TIME)),
        ("extensionList", Object(&EXTENSION_LIST)),
    ],
);
pub(super) static TRANSACTION_REQUEST_PUT: ObjectSchema = strict(
    &["transactionRequestState"],
    &[
        ("transactionId", Text(&CORRELATION_ID)),
        ("transactionRequestState", Text(&ANY)),
        ("extensionList", Object(&EXTENSION_LIST)),
    ],
);
/// The value of an OTP or QR code is text; the value for `U2F` is an object, which is not supported.
static AUTHENTICATION_INFO: ObjectSchema = lenient(
    &["authentication", "authenticationValue"],
    &[("authentication", Text(&ANY)), ("authenticationValue", Text(&ANY))],
);
pub(super) static AUTHORIZATION_PUT: ObjectSchema =
    strict(&["responseType"], &[("authenticationInfo", Object(&AUTHENTICATION_INFO)), ("responseType", Text(&ANY))]);
