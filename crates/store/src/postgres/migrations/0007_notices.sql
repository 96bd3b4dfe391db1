-- Notices to operators, what is to be sent of each and what became of it; what alarms have said; the liquidity below
-- which operators are told. Receivers know notices by their ids.
CREATE TABLE notices (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        TEXT NOT NULL,
    participant TEXT NOT NULL,
    currency    TEXT NOT NULL,
    -- The values of the kind, as a JSON object of decimal texts.
    details     TEXT NOT NULL,
    made_at     BIGINT NOT NULL
);
CREATE TABLE notice_deliveries (
    notice     BIGINT NOT NULL,
    -- Counts the recipients of a notice from 1.
    place      BIGINT NOT NULL,
    recipient  TEXT NOT NULL,
    channel    TEXT NOT NULL,
    address    TEXT NOT NULL,
    state      TEXT NOT NULL,
    -- When it is tried next.
    due        BIGINT NOT NULL,
    attempts   BIGINT NOT NULL,
    last_error TEXT,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (notice, place)
);
CREATE INDEX notice_deliveries_due ON notice_deliveries (due) WHERE state = 'pending';
CREATE TABLE alarms (
    account BIGINT PRIMARY KEY,
    since   BIGINT NOT NULL,
    last    BIGINT NOT NULL,
    count   BIGINT NOT NULL
);
ALTER TABLE accounts ADD COLUMN liquidity_threshold BIGINT;
