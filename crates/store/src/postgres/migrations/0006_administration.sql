-- Ledger account types of the operator's own; their ids follow those of the types that are built in.
CREATE TABLE account_types (
    id            BIGINT  PRIMARY KEY,
    name          TEXT    NOT NULL COLLATE "C",
    description   TEXT    NOT NULL,
    is_active     BOOLEAN NOT NULL,
    is_settleable BOOLEAN NOT NULL,
    created_at    BIGINT  NOT NULL
);
CREATE UNIQUE INDEX account_types_name ON account_types (lower(name));

-- Funds movements for their report; payments, whose kind is 1, are not in it.
CREATE INDEX transfers_funds ON transfers (key) WHERE kind <> 1;
