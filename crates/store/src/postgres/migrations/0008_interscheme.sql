-- Conversions and other schemes: what only conversions and payments through proxies have, routes to external DFSPs, and the
-- lookups that wait for answers of other schemes.
CREATE TABLE transfer_terms (
    transfer            BIGINT PRIMARY KEY,
    payer_proxy         TEXT COLLATE "C",
    payee_proxy         TEXT COLLATE "C",
    side                SMALLINT,
    determining         UUID,
    is_determining_ulid BOOLEAN,
    other_amount        BIGINT,
    other_currency      TEXT COLLATE "C"
);
CREATE INDEX transfer_terms_determining ON transfer_terms (determining) WHERE determining IS NOT NULL;
-- What waits for another scheme or for its determining transfer, and holds money meanwhile.
CREATE INDEX transfers_elsewhere ON transfers (expiration) WHERE state > 4;
ALTER TABLE quotes ADD COLUMN kind SMALLINT NOT NULL DEFAULT 2;
CREATE TABLE routes (
    fsp        TEXT   PRIMARY KEY COLLATE "C",
    proxy      TEXT   NOT NULL COLLATE "C",
    learned_at BIGINT NOT NULL
);
CREATE TABLE discoveries (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      TEXT     NOT NULL COLLATE "C",
    id_type     TEXT     NOT NULL COLLATE "C",
    identifier  TEXT     NOT NULL COLLATE "C",
    sub_id      TEXT     NOT NULL COLLATE "C",
    via         TEXT     COLLATE "C",
    dialect     SMALLINT NOT NULL,
    pending     TEXT     NOT NULL,
    has_success BOOLEAN  NOT NULL,
    expires_at  BIGINT   NOT NULL,
    UNIQUE (source, id_type, identifier, sub_id)
);
