-- Certificates that were issued to participants, and which of them are not heard any more.
CREATE TABLE certificates (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- SHA-256 of the DER form, in hexadecimal.
    fingerprint   TEXT NOT NULL UNIQUE,
    serial_number TEXT NOT NULL,
    participant   TEXT NOT NULL,
    not_after     BIGINT NOT NULL,
    recorded_at   BIGINT NOT NULL,
    recorded_by   TEXT NOT NULL,
    revoked_at    BIGINT,
    revoked_by    TEXT,
    reason        TEXT
);
CREATE INDEX certificates_revoked ON certificates (not_after) WHERE revoked_at IS NOT NULL;
