-- Clients of the token endpoint, by their participant's id; of secrets only the SHA-256.
CREATE TABLE clients (
    id INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    secret BLOB,
    secret_at INTEGER,
    replaced_secret BLOB,
    replaced_secret_at INTEGER,
    replaced_until INTEGER
) STRICT;
