-- Conversions and other schemes: what only conversions and payments through proxies have, routes to external DFSPs, and the
-- lookups that wait for answers of other schemes.
CREATE TABLE transfer_terms (
    transfer INTEGER PRIMARY KEY,
    payer_proxy TEXT,
    payee_proxy TEXT,
    side INTEGER,
    determining BLOB,
    is_determining_ulid INTEGER,
    other_amount INTEGER,
    other_currency TEXT
) STRICT;
CREATE INDEX transfer_terms_determining ON transfer_terms (determining) WHERE determining IS NOT NULL;
-- What waits for another scheme or for its determining transfer, and holds money meanwhile.
CREATE INDEX transfers_elsewhere ON transfers (expiration) WHERE state > 4;
ALTER TABLE quotes ADD COLUMN kind INTEGER NOT NULL DEFAULT 2;
CREATE TABLE routes (
    fsp TEXT PRIMARY KEY,
    proxy TEXT NOT NULL,
    learned_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE discoveries (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    id_type TEXT NOT NULL,
    identifier TEXT NOT NULL,
    sub_id TEXT NOT NULL,
    via TEXT,
    dialect INTEGER NOT NULL,
    pending TEXT NOT NULL,
    has_success INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (source, id_type, identifier, sub_id)
) STRICT;
