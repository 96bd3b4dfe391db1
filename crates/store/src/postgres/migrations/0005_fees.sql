-- Interchange fee rules, the fees of a transfer, and the transactions of transfers for as long as the journal
-- is kept. The rule that comes with it is the one that the reference ships; it needs INTERCHANGE_FEE accounts to apply.
CREATE TABLE fee_rules (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    is_active BOOLEAN NOT NULL,
    valid_from BIGINT,
    valid_until BIGINT,
    currency TEXT,
    payer TEXT,
    payee TEXT,
    amount_from BIGINT,
    amount_to BIGINT,
    scenario TEXT,
    sub_scenario TEXT,
    initiator TEXT,
    initiator_type TEXT,
    payer_key TEXT,
    payer_value TEXT,
    payee_key TEXT,
    payee_value TEXT,
    debtor TEXT NOT NULL,
    fixed BIGINT,
    percent BIGINT,
    decimals BIGINT
);
INSERT INTO fee_rules (id, name, is_active, scenario, initiator, initiator_type, payer_key, payer_value, payee_key,
    payee_value, debtor, percent, decimals)
VALUES (1, 'wallet to wallet', TRUE, 'TRANSFER', 'PAYER', 'CONSUMER', 'accountType', 'Wallet', 'accountType', 'Wallet',
    'PAYER', 6000, 2);
ALTER TABLE transfers ADD COLUMN fees TEXT;
CREATE TABLE transactions (
    transfer BIGINT PRIMARY KEY,
    body BYTEA NOT NULL,
    at BIGINT NOT NULL
);
