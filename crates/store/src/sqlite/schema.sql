-- Version 1. Times are milliseconds since 1970, money is counted in 10^-4 of the major unit, hashes and ids are raw
-- bytes; codes and names are defined in codec.rs. Secondary indexes cost every payment, so there are three:
-- ids, what is due, and whose messages wait.

-- The ids that callers chose; apart from the payments, so that random ids do not scatter what is large.
CREATE TABLE ids (
    kind INTEGER NOT NULL,
    id BLOB NOT NULL,
    is_ulid INTEGER NOT NULL,
    key INTEGER NOT NULL,
    PRIMARY KEY (kind, id, is_ulid)
) STRICT, WITHOUT ROWID;

CREATE TABLE transfers (
    key INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    is_ulid INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    payer TEXT NOT NULL,
    payee TEXT NOT NULL,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    debit INTEGER,
    credit INTEGER,
    condition BLOB,
    expiration INTEGER NOT NULL,
    state INTEGER NOT NULL,
    fulfilment BLOB,
    rejection TEXT,
    changed_at INTEGER NOT NULL,
    window_id INTEGER,
    prepare_hash BLOB NOT NULL,
    fulfil_hash BLOB,
    error_hash BLOB,
    payer_dialect INTEGER NOT NULL,
    payee_dialect INTEGER NOT NULL,
    prepare_extensions TEXT,
    fulfil_extensions TEXT
) STRICT;
-- Reserved transfers, those that never expire last: what is due, and what holds add up to.
CREATE INDEX transfers_reserved ON transfers (expiration) WHERE state = 1;

CREATE TABLE quotes (
    key INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    is_ulid INTEGER NOT NULL,
    request_hash BLOB,
    response_hash BLOB,
    error_hash BLOB
) STRICT;

CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    -- The key of the transfer; null for what an administrative change posted.
    transfer INTEGER,
    kind TEXT NOT NULL,
    debit INTEGER NOT NULL,
    credit INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    window_id INTEGER,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE participants (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    is_active INTEGER NOT NULL,
    is_proxy INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    owner INTEGER NOT NULL,
    kind TEXT NOT NULL,
    currency TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    posted INTEGER NOT NULL,
    held INTEGER NOT NULL,
    cap_limit INTEGER,
    cap_alarm INTEGER,
    is_open INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    UNIQUE (owner, currency, kind)
) STRICT;

CREATE TABLE endpoints (
    id INTEGER PRIMARY KEY,
    participant INTEGER NOT NULL,
    endpoint_type TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (participant, endpoint_type)
) STRICT;

CREATE TABLE settlement_models (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    granularity TEXT NOT NULL,
    interchange TEXT NOT NULL,
    delay TEXT NOT NULL,
    currency TEXT,
    requires_liquidity_check INTEGER NOT NULL,
    ledger_account TEXT NOT NULL,
    settlement_account TEXT NOT NULL,
    resets_positions INTEGER NOT NULL
) STRICT;

CREATE TABLE oracles (
    id INTEGER PRIMARY KEY,
    id_type TEXT NOT NULL,
    currency TEXT,
    url TEXT NOT NULL,
    is_default INTEGER NOT NULL,
    is_active INTEGER NOT NULL
) STRICT;

-- The built-in party directory. An empty text stands for none in sub_id and currency.
CREATE TABLE parties (
    id_type TEXT NOT NULL,
    identifier TEXT NOT NULL,
    sub_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    fsp TEXT NOT NULL,
    PRIMARY KEY (id_type, identifier, sub_id, currency)
) STRICT, WITHOUT ROWID;

-- Settlement windows. Exactly one is open.
CREATE TABLE windows (
    id INTEGER PRIMARY KEY,
    state TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER
) STRICT;
CREATE UNIQUE INDEX windows_open ON windows (state) WHERE state = 'OPEN';

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    recipient TEXT NOT NULL,
    payment_key BLOB NOT NULL,
    retry_until INTEGER NOT NULL,
    head BLOB NOT NULL,
    body BLOB NOT NULL,
    attempts INTEGER NOT NULL,
    last_error TEXT,
    is_dead INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_waiting ON outbox (recipient) WHERE is_dead = 0;

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Who changed what, and when; only ever added to.
CREATE TABLE changes (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    change TEXT NOT NULL
) STRICT;

-- What counts up for ever: the directory's version, the time of the last unit, the id of the last message.
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    directory_version INTEGER NOT NULL,
    clock INTEGER NOT NULL,
    last_message INTEGER NOT NULL
) STRICT;
