-- Money is BIGINT in 10⁻⁴ of the major unit, time BIGINT in milliseconds since 1970; codes and names as in codec.rs.
-- Names are compared byte by byte.

-- Every id that a caller chose, for ever. The key is the payment's place in the order of its creation.
CREATE SEQUENCE payment_keys AS BIGINT CACHE 64;
CREATE TABLE ids (
    id      UUID     NOT NULL,
    kind    SMALLINT NOT NULL,
    is_ulid BOOLEAN  NOT NULL,
    key     BIGINT   NOT NULL DEFAULT nextval('payment_keys'),
    PRIMARY KEY (id, kind, is_ulid)
);

CREATE TABLE transfers (
    key                BIGINT   PRIMARY KEY,
    id                 UUID     NOT NULL,
    is_ulid            BOOLEAN  NOT NULL,
    kind               SMALLINT NOT NULL,
    payer              TEXT     NOT NULL COLLATE "C",
    payee              TEXT     NOT NULL COLLATE "C",
    amount             BIGINT   NOT NULL,
    currency           TEXT     NOT NULL COLLATE "C",
    debit              BIGINT,
    credit             BIGINT,
    condition          BYTEA,
    expiration         BIGINT   NOT NULL,
    state              SMALLINT NOT NULL,
    fulfilment         BYTEA,
    rejection          TEXT,
    changed_at         BIGINT   NOT NULL,
    window_id          BIGINT,
    prepare_hash       BYTEA    NOT NULL,
    fulfil_hash        BYTEA,
    error_hash         BYTEA,
    payer_dialect      SMALLINT NOT NULL,
    payee_dialect      SMALLINT NOT NULL,
    prepare_extensions TEXT,
    fulfil_extensions  TEXT
);
-- What is reserved: few rows at any time, in the order in which they fall due.
CREATE INDEX transfers_reserved ON transfers (expiration) WHERE state = 1;

CREATE TABLE quotes (
    key           BIGINT  PRIMARY KEY,
    id            UUID    NOT NULL,
    is_ulid       BOOLEAN NOT NULL,
    request_hash  BYTEA,
    response_hash BYTEA,
    error_hash    BYTEA
);

CREATE TABLE entries (
    id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transfer  BIGINT,
    kind      TEXT   NOT NULL COLLATE "C",
    debit     BIGINT NOT NULL,
    credit    BIGINT NOT NULL,
    amount    BIGINT NOT NULL,
    window_id BIGINT,
    at        BIGINT NOT NULL
);

CREATE TABLE participants (
    id         BIGINT  PRIMARY KEY,
    name       TEXT    NOT NULL COLLATE "C" UNIQUE,
    is_active  BOOLEAN NOT NULL,
    is_proxy   BOOLEAN NOT NULL,
    created_at BIGINT  NOT NULL
);

-- Half of each page stays free, so that a balance that changes often changes in place.
CREATE TABLE accounts (
    id         BIGINT  PRIMARY KEY,
    owner      BIGINT  NOT NULL REFERENCES participants (id),
    kind       TEXT    NOT NULL COLLATE "C",
    currency   TEXT    NOT NULL COLLATE "C",
    is_active  BOOLEAN NOT NULL,
    posted     BIGINT  NOT NULL,
    held       BIGINT  NOT NULL CHECK (held >= 0),
    cap_limit  BIGINT,
    cap_alarm  BIGINT,
    is_open    BOOLEAN NOT NULL,
    created_at BIGINT  NOT NULL,
    changed_at BIGINT  NOT NULL,
    UNIQUE (owner, currency, kind)
) WITH (fillfactor = 50);

CREATE TABLE endpoints (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    participant   BIGINT NOT NULL REFERENCES participants (id),
    endpoint_type TEXT   NOT NULL COLLATE "C",
    value         TEXT   NOT NULL,
    UNIQUE (participant, endpoint_type)
);

CREATE TABLE settlement_models (
    id                       BIGINT  PRIMARY KEY,
    name                     TEXT    NOT NULL,
    is_active                BOOLEAN NOT NULL,
    granularity              TEXT    NOT NULL,
    interchange              TEXT    NOT NULL,
    delay                    TEXT    NOT NULL,
    currency                 TEXT,
    requires_liquidity_check BOOLEAN NOT NULL,
    ledger_account           TEXT    NOT NULL,
    settlement_account       TEXT    NOT NULL,
    resets_positions         BOOLEAN NOT NULL
);

CREATE TABLE oracles (
    id         BIGINT  PRIMARY KEY,
    id_type    TEXT    NOT NULL,
    currency   TEXT,
    url        TEXT    NOT NULL,
    is_default BOOLEAN NOT NULL,
    is_active  BOOLEAN NOT NULL
);

-- The built-in party directory; empty sub_id or currency stands for none.
CREATE TABLE parties (
    identifier TEXT NOT NULL COLLATE "C",
    id_type    TEXT NOT NULL COLLATE "C",
    sub_id     TEXT NOT NULL COLLATE "C",
    currency   TEXT NOT NULL COLLATE "C",
    fsp        TEXT NOT NULL COLLATE "C",
    PRIMARY KEY (identifier, id_type, sub_id, currency)
);

CREATE TABLE windows (
    id        BIGINT PRIMARY KEY,
    state     TEXT   NOT NULL,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT
);
-- One row: the settlement window that commits join. Read under the gate shared, moved under the gate exclusive.
CREATE TABLE open_window (
    is_only_row BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (is_only_row),
    id          BIGINT  NOT NULL
);

-- One row for each start of a hub process; the lease is renewed while the process lives.
CREATE TABLE nodes (
    incarnation BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lease_until TIMESTAMPTZ NOT NULL
);

-- The batch is the unit or the claim by which the message came to its node: a node that lost the reply finds by it what
-- it has not heard of. Bodies are kept as they are, because compressing them costs more than it saves.
CREATE TABLE outbox (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node        BIGINT  NOT NULL,
    batch       BIGINT  NOT NULL,
    recipient   TEXT    NOT NULL COLLATE "C",
    payment_key UUID    NOT NULL,
    retry_until BIGINT  NOT NULL,
    head        BYTEA   NOT NULL,
    body        BYTEA   NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    is_dead     BOOLEAN NOT NULL DEFAULT FALSE,
    last_error  TEXT
) WITH (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX outbox_waiting ON outbox (node, recipient, id) WHERE NOT is_dead;

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- What operators changed, with who and when.
CREATE TABLE changes (
    id     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     BIGINT NOT NULL,
    actor  TEXT   NOT NULL,
    kind   TEXT   NOT NULL,
    change TEXT   NOT NULL
);

CREATE TABLE meta (
    is_only_row       BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (is_only_row),
    directory_version BIGINT  NOT NULL
);
INSERT INTO meta (directory_version) VALUES (0);
