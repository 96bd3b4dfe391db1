-- Version 9. Certificates that were issued to participants, and which of them are not heard any more.
CREATE TABLE certificates (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- SHA-256 of the DER form, in hexadecimal.
    fingerprint TEXT NOT NULL UNIQUE,
    serial_number TEXT NOT NULL,
    participant TEXT NOT NULL,
    not_after INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    recorded_by TEXT NOT NULL,
    revoked_at INTEGER,
    revoked_by TEXT,
    reason TEXT
) STRICT;
CREATE INDEX certificates_revoked ON certificates (not_after) WHERE revoked_at IS NOT NULL;
