-- Settlement. Entries get no index: a window remembers between which of them its own lie.

ALTER TABLE entries ADD COLUMN settlement BIGINT;

ALTER TABLE windows ADD COLUMN reason TEXT NOT NULL DEFAULT 'initial window';
ALTER TABLE windows ADD COLUMN changed_at BIGINT NOT NULL DEFAULT 0;
-- The last entry before the window was opened.
ALTER TABLE windows ADD COLUMN entries_after BIGINT NOT NULL DEFAULT 0;
-- The last entry when it was closed; null while it is open.
ALTER TABLE windows ADD COLUMN last_entry BIGINT;
UPDATE windows SET changed_at = coalesce(closed_at, opened_at);
-- A window that was closed before has no contents yet: its totals are still to be taken.
UPDATE windows SET state = 'PROCESSING', last_entry = (SELECT coalesce(max(id), 0) FROM entries)
    WHERE state = 'CLOSED';

-- What a window holds of one ledger account type in one currency.
CREATE TABLE window_contents (
    id             BIGINT PRIMARY KEY,
    window_id      BIGINT NOT NULL REFERENCES windows (id),
    ledger_account TEXT   NOT NULL COLLATE "C",
    currency       TEXT   NOT NULL COLLATE "C",
    state          TEXT   NOT NULL,
    settlement     BIGINT,
    created_at     BIGINT NOT NULL,
    changed_at     BIGINT NOT NULL,
    UNIQUE (window_id, ledger_account, currency)
);

-- What payments have moved on each account of a content; never changes.
CREATE TABLE window_totals (
    content BIGINT NOT NULL,
    account BIGINT NOT NULL,
    debits  BIGINT NOT NULL,
    credits BIGINT NOT NULL,
    PRIMARY KEY (content, account)
);

CREATE TABLE settlements (
    id         BIGINT PRIMARY KEY,
    model      BIGINT NOT NULL,
    state      TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE TABLE settlement_windows (
    settlement BIGINT NOT NULL,
    window_id  BIGINT NOT NULL,
    PRIMARY KEY (settlement, window_id)
);

CREATE TABLE settlement_accounts (
    settlement         BIGINT NOT NULL,
    account            BIGINT NOT NULL,
    net                BIGINT NOT NULL,
    state              TEXT   NOT NULL,
    reason             TEXT   NOT NULL,
    external_reference TEXT,
    created_at         BIGINT NOT NULL,
    changed_at         BIGINT NOT NULL,
    PRIMARY KEY (settlement, account)
);
