-- The journal, and the times by which a trace finds its place in it.

-- Times in microseconds; codes are the hub's. Appended to, never searched by anything but its key.
CREATE TABLE journal (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              BIGINT   NOT NULL,
    subject         UUID,
    related         UUID,
    trace           UUID,
    party           BIGINT,
    method          SMALLINT NOT NULL,
    resource        SMALLINT NOT NULL,
    status          SMALLINT,
    error           SMALLINT,
    attempt         SMALLINT NOT NULL,
    is_out          BOOLEAN  NOT NULL,
    is_ulid         BOOLEAN  NOT NULL,
    is_related_ulid BOOLEAN  NOT NULL,
    participant     TEXT     COLLATE "C"
);

-- Null in rows that are older than these columns.
ALTER TABLE transfers ADD COLUMN created_at BIGINT;
ALTER TABLE quotes ADD COLUMN created_at BIGINT;

-- What was given up: few rows, and no row of the usual traffic.
CREATE INDEX outbox_dead ON outbox (recipient, id) WHERE is_dead;

CREATE TABLE secrets (
    name  TEXT  PRIMARY KEY,
    value BYTEA NOT NULL
);
-- Two random UUIDs have 244 random bits.
INSERT INTO secrets (name, value) VALUES
    ('journal', decode(replace(gen_random_uuid()::TEXT || gen_random_uuid()::TEXT, '-', ''), 'hex'));
