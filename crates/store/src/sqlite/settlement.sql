-- Version 3: settlement. Entries get no index: a window remembers between which of them its own lie.

ALTER TABLE entries ADD COLUMN settlement INTEGER;

ALTER TABLE windows ADD COLUMN reason TEXT NOT NULL DEFAULT 'initial window';
ALTER TABLE windows ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
-- The last entry before the window was opened.
ALTER TABLE windows ADD COLUMN entries_after INTEGER NOT NULL DEFAULT 0;
-- The last entry when it was closed; null while it is open.
ALTER TABLE windows ADD COLUMN last_entry INTEGER;
UPDATE windows SET changed_at = coalesce(closed_at, opened_at);
-- A window that was closed before has no contents yet: its totals are still to be taken.
UPDATE windows SET state = 'PROCESSING', last_entry = (SELECT coalesce(max(id), 0) FROM entries)
    WHERE state = 'CLOSED';

-- What a window holds of one ledger account type in one currency.
CREATE TABLE window_contents (
    id INTEGER PRIMARY KEY,
    window_id INTEGER NOT NULL,
    ledger_account TEXT NOT NULL,
    currency TEXT NOT NULL,
    state TEXT NOT NULL,
    settlement INTEGER,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    UNIQUE (window_id, ledger_account, currency)
) STRICT;

-- What payments have moved on each account of a content; never changes.
CREATE TABLE window_totals (
    content INTEGER NOT NULL,
    account INTEGER NOT NULL,
    debits INTEGER NOT NULL,
    credits INTEGER NOT NULL,
    PRIMARY KEY (content, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE settlements (
    id INTEGER PRIMARY KEY,
    model INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE settlement_windows (
    settlement INTEGER NOT NULL,
    window_id INTEGER NOT NULL,
    PRIMARY KEY (settlement, window_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE settlement_accounts (
    settlement INTEGER NOT NULL,
    account INTEGER NOT NULL,
    net INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    external_reference TEXT,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (settlement, account)
) STRICT, WITHOUT ROWID;
