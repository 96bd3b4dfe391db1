-- In which roles a participant takes new transfers, and caps in 10^-4 per cent of the liquidity.
ALTER TABLE participants ADD COLUMN flow TEXT NOT NULL DEFAULT 'BOTH';
ALTER TABLE accounts ADD COLUMN cap_share BIGINT;
