-- Clients of the token endpoint, by their participant's id; of secrets only the SHA-256.
CREATE TABLE clients (
    id                 BIGINT PRIMARY KEY,
    generation         BIGINT NOT NULL,
    secret             BYTEA,
    secret_at          BIGINT,
    replaced_secret    BYTEA,
    replaced_secret_at BIGINT,
    replaced_until     BIGINT
);
