-- Version 6. Ledger account types of the operator's own; their ids follow those of the types that are built in.
CREATE TABLE account_types (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    description TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    is_settleable INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Funds movements for their report; payments, whose kind is 1, are not in it.
CREATE INDEX transfers_funds ON transfers (key) WHERE kind <> 1;
