//! Paths and methods of the API, as data. A new resource adds rows here and variants to [`Operation`].

use super::operation::{Operation, PartyPath};
use crate::Resource;
use vocabulary::{CorrelationId, Currency};

/// The methods of the API.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verb {
    Post,
    Get,
    Put,
    Delete,
    Patch,
}

/// How the parameters of a path are read, and what they make.
#[derive(Clone, Copy)]
pub(super) enum Build {
    /// No parameter.
    Plain(Operation0),
    /// One parameter, any text.
    Text(fn(String) -> Operation),
    /// One parameter with the form of a `CorrelationId`.
    Id(fn(CorrelationId) -> Operation),
    /// `{Type}`, `{ID}` and perhaps `{SubId}`.
    Party(fn(PartyPath) -> Operation),
    /// `{SourceCurrency}` and `{TargetCurrency}`.
    Currencies(fn([Currency; 2]) -> Operation),
    /// One parameter, any text, and the mandatory query of `GET /authorizations/{ID}`.
    Authorization,
}

/// Makes an operation without parameters.
pub(super) type Operation0 = fn() -> Operation;

/// One path of the API and what may be done with it.
pub(super) struct Row {
    pub resource: Resource,
    /// The path as the API writes it. A segment in braces is a parameter, any other is literal.
    pub path: &'static str,
    pub calls: &'static [(Verb, Build)],
}

impl Verb {
    pub(super) const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
        }
    }
}

impl Row {
    /// Whether the undecoded path has the row's segments; a parameter is never empty.
    pub(super) fn matches(&self, path: &str) -> bool {
        let mut given = path.split('/');
        for wanted in self.path.split('/') {
            match given.next() {
                Some(segment) if wanted.starts_with('{') && !segment.is_empty() => {}
                Some(segment) if wanted == segment => {}
                Some(_) | None => return false,
            }
        }
        given.next().is_none()
    }

    /// The values of the row's parameters in a path that matches, undecoded, in order.
    pub(super) fn parameters<'path>(&self, path: &'path str) -> impl Iterator<Item = &'path str> {
        self.path.split('/').zip(path.split('/')).filter(|(wanted, _)| wanted.starts_with('{')).map(|(_, given)| given)
    }
}

const fn row(resource: Resource, path: &'static str, calls: &'static [(Verb, Build)]) -> Row {
    Row { resource, path, calls }
}

/// All paths. Where two match, the one with the literal segment comes first: `PUT /participants/X/error` is the answer
/// to a batch, not a registration of the identifier `error`.
#[rustfmt::skip]
pub(super) static ROWS: &[Row] = {
    use Build::{Authorization, Currencies, Id, Party, Plain, Text};
    use Operation as O;
    use Resource::{
        Authorizations, BulkQuotes, BulkTransfers, FxQuotes, FxTransfers, Participants, Parties, Quotes,
        Services, TransactionRequests, Transfers,
    };
    use Verb::{Get, Patch, Post, Put};
    &[
        row(Transfers, "/transfers", &[(Post, Plain(|| O::PostTransfer))]),
        row(Transfers, "/transfers/{ID}", &[
            (Get, Text(O::GetTransfer)), (Put, Text(O::PutTransfer)), (Patch, Text(O::PatchTransfer)),
        ]),
        row(Transfers, "/transfers/{ID}/error", &[(Put, Text(O::PutTransferError))]),
        row(Quotes, "/quotes", &[(Post, Plain(|| O::PostQuote))]),
        row(Quotes, "/quotes/{id}", &[(Get, Id(O::GetQuote)), (Put, Id(O::PutQuote))]),
        row(Quotes, "/quotes/{id}/error", &[(Put, Id(O::PutQuoteError))]),
        row(Parties, "/parties/{Type}/{ID}/error", &[(Put, Party(O::PutPartyError))]),
        row(Parties, "/parties/{Type}/{ID}/{SubId}/error", &[(Put, Party(O::PutPartyError))]),
        row(Parties, "/parties/{Type}/{ID}", &[(Get, Party(O::GetParty)), (Put, Party(O::PutParty))]),
        row(Parties, "/parties/{Type}/{ID}/{SubId}", &[(Get, Party(O::GetParty)), (Put, Party(O::PutParty))]),
        row(Participants, "/participants", &[(Post, Plain(|| O::PostParticipants))]),
        row(Participants, "/participants/{ID}", &[(Put, Text(O::PutParticipants))]),
        row(Participants, "/participants/{ID}/error", &[(Put, Text(O::PutParticipantsError))]),
        row(Participants, "/participants/{Type}/{ID}/error", &[(Put, Party(O::PutParticipantError))]),
        row(Participants, "/participants/{Type}/{ID}/{SubId}/error", &[(Put, Party(O::PutParticipantError))]),
        row(Participants, "/participants/{Type}/{ID}", PARTICIPANT),
        row(Participants, "/participants/{Type}/{ID}/{SubId}", PARTICIPANT),
        row(TransactionRequests, "/transactionRequests", &[(Post, Plain(|| O::PostTransactionRequest))]),
        row(TransactionRequests, "/transactionRequests/{ID}", &[
            (Get, Text(O::GetTransactionRequest)), (Put, Text(O::PutTransactionRequest)),
        ]),
        row(TransactionRequests, "/transactionRequests/{ID}/error", &[(Put, Text(O::PutTransactionRequestError))]),
        row(Authorizations, "/authorizations/{ID}", &[(Get, Authorization), (Put, Text(O::PutAuthorization))]),
        row(Authorizations, "/authorizations/{ID}/error", &[(Put, Text(O::PutAuthorizationError))]),
        row(FxQuotes, "/fxQuotes", &[(Post, Plain(|| O::PostFxQuote))]),
        row(FxQuotes, "/fxQuotes/{id}", &[(Get, Id(O::GetFxQuote)), (Put, Id(O::PutFxQuote))]),
        row(FxQuotes, "/fxQuotes/{id}/error", &[(Put, Id(O::PutFxQuoteError))]),
        row(FxTransfers, "/fxTransfers", &[(Post, Plain(|| O::PostFxTransfer))]),
        row(FxTransfers, "/fxTransfers/{ID}", &[
            (Get, Text(O::GetFxTransfer)), (Put, Text(O::PutFxTransfer)), (Patch, Text(O::PatchFxTransfer)),
        ]),
        row(FxTransfers, "/fxTransfers/{ID}/error", &[(Put, Text(O::PutFxTransferError))]),
        row(BulkQuotes, "/bulkQuotes", &[(Post, Plain(|| O::PostBulkQuote))]),
        row(BulkQuotes, "/bulkQuotes/{id}", &[(Get, Id(O::GetBulkQuote)), (Put, Id(O::PutBulkQuote))]),
        row(BulkQuotes, "/bulkQuotes/{id}/error", &[(Put, Id(O::PutBulkQuoteError))]),
        row(BulkTransfers, "/bulkTransfers", &[(Post, Plain(|| O::PostBulkTransfer))]),
        row(BulkTransfers, "/bulkTransfers/{id}", &[(Get, Text(O::GetBulkTransfer)), (Put, Text(O::PutBulkTransfer))]),
        row(BulkTransfers, "/bulkTransfers/{id}/error", &[(Put, Text(O::PutBulkTransferError))]),
        row(Services, "/services/FXP", &[
            (Get, Plain(|| O::GetFxProviders(None))), (Put, Plain(|| O::PutFxProviders(None))),
        ]),
        row(Services, "/services/FXP/{SourceCurrency}/{TargetCurrency}", &[
            (Get, Currencies(|pair| O::GetFxProviders(Some(pair)))),
            (Put, Currencies(|pair| O::PutFxProviders(Some(pair)))),
        ]),
    ]
};

const PARTICIPANT: &[(Verb, Build)] = &[
    (Verb::Get, Build::Party(Operation::GetParticipant)),
    (Verb::Post, Build::Party(Operation::PostParticipant)),
    (Verb::Put, Build::Party(Operation::PutParticipant)),
    (Verb::Delete, Build::Party(Operation::DeleteParticipant)),
];
