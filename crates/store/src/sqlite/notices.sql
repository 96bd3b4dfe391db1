-- Version 6. Notices to operators, what is to be sent of each and what became of it; what alarms have said; the
-- liquidity below which operators are told. Ids are never used again, since receivers know notices by them.
CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    participant TEXT NOT NULL,
    currency TEXT NOT NULL,
    -- The values of the kind, as a JSON object of decimal texts.
    details TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;
CREATE TABLE notice_deliveries (
    notice INTEGER NOT NULL,
    -- Counts the recipients of a notice from 1.
    place INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    state TEXT NOT NULL,
    -- When it is tried next.
    due INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    last_error TEXT,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (notice, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_deliveries_due ON notice_deliveries (due) WHERE state = 'pending';
CREATE TABLE alarms (
    account INTEGER PRIMARY KEY,
    since INTEGER NOT NULL,
    last INTEGER NOT NULL,
    count INTEGER NOT NULL
) STRICT;
ALTER TABLE accounts ADD COLUMN liquidity_threshold INTEGER;
