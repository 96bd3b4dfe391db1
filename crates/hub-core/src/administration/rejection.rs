//! Why an operator's change is refused: one closed list, in words of the domain.

/// A reason for refusing an administrative command; nothing has changed.
/// What it is called on the wire is decided in one place outside this crate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AdminRejection {
    ParticipantNotFound,
    ParticipantInactive,

    /// A participant takes part in a currency only after the hub does.
    NoHubReconciliationAccount,
    NoHubSettlementAccount,
    CurrencyAlreadyRegistered,
    /// Another participant has this name in other letters' case; such a pair could not be told apart in transfers.
    NameDiffersInCaseOnly,
    NoSettlementModel,

    AccountTypeExists,

    HubAccountOwnerNotFound,
    HubAccountTypeNotFound,
    HubAccountAlreadyRegistered,
    NotTheHub,
    HubAccountTypeNotAllowed,

    AccountNotFound,
    AccountOfAnotherParticipant,
    NotAPositionAccount,
    /// An account is activated by opening it first: one without a limit would take money that nobody sees.
    AccountNotOpen,
    /// The account of a funds movement is not the participant's, or not in the currency.
    AccountDoesNotMatch,
    AccountInactive,
    NotASettlementAccount,

    AlreadyOpen,
    LimitNotFound,
    /// A balance would leave the range of the ledger.
    Overflow,

    UnsupportedSettlementModel,
    ModelLedgerAccountTypeNotFound,
    ModelSettlementAccountTypeNotFound,
    SettlementModelNameTaken,
    /// A currency has at most one model for each ledger account type.
    SettlementModelForAccountTypeExists,
    SettlementModelNotFound,

    FeeRuleNotFound,
    FeeRuleNameTaken,
    OracleExists,
    OracleNotFound,

    ClientExists,
    ClientNotFound,
    ClientHasTwoSecrets,
    NoClientForTheHub,
}
