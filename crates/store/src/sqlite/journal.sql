-- Version 2: the journal, and the times by which a trace finds its place in it.

-- Times in microseconds; codes are the hub's. Appended to, never searched by anything but its key.
CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    is_out INTEGER NOT NULL,
    participant TEXT,
    method INTEGER NOT NULL,
    resource INTEGER NOT NULL,
    status INTEGER,
    error INTEGER,
    attempt INTEGER NOT NULL,
    is_ulid INTEGER NOT NULL,
    subject BLOB,
    is_related_ulid INTEGER NOT NULL,
    related BLOB,
    trace BLOB,
    party INTEGER
) STRICT;

-- Null in rows that are older than these columns.
ALTER TABLE transfers ADD COLUMN created_at INTEGER;
ALTER TABLE quotes ADD COLUMN created_at INTEGER;

-- What was given up: few rows, and no row of the usual traffic.
CREATE INDEX outbox_dead ON outbox (recipient) WHERE is_dead = 1;

CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO secrets (name, value) VALUES ('journal', randomblob(32));
