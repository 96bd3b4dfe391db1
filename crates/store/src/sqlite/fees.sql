-- Version 5. Interchange fee rules, the fees of a transfer, and the transactions of transfers for as long as the journal
-- is kept. The rule that comes with it is the one that the reference ships; it needs INTERCHANGE_FEE accounts to apply.
CREATE TABLE fee_rules (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    valid_from INTEGER,
    valid_until INTEGER,
    currency TEXT,
    payer TEXT,
    payee TEXT,
    amount_from INTEGER,
    amount_to INTEGER,
    scenario TEXT,
    sub_scenario TEXT,
    initiator TEXT,
    initiator_type TEXT,
    payer_key TEXT,
    payer_value TEXT,
    payee_key TEXT,
    payee_value TEXT,
    debtor TEXT NOT NULL,
    fixed INTEGER,
    percent INTEGER,
    decimals INTEGER
) STRICT;
INSERT INTO fee_rules (id, name, is_active, scenario, initiator, initiator_type, payer_key, payer_value, payee_key,
    payee_value, debtor, percent, decimals)
VALUES (1, 'wallet to wallet', 1, 'TRANSFER', 'PAYER', 'CONSUMER', 'accountType', 'Wallet', 'accountType', 'Wallet',
    'PAYER', 6000, 2);
ALTER TABLE transfers ADD COLUMN fees TEXT;
CREATE TABLE transactions (
    transfer INTEGER PRIMARY KEY,
    body BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT;
