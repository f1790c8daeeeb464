-- Who may come in, how they proved it, and who did what. Of passwords and failures only what still counts is kept.

CREATE TABLE account_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    name VARCHAR NOT NULL,
    uid VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE VIEW account AS
SELECT * FROM account_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE TABLE password_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    uid VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE VIEW password AS
SELECT * FROM password_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE TABLE access_grant_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    form VARCHAR NOT NULL,
    uid VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE VIEW access_grant AS
SELECT * FROM access_grant_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE TABLE revocation_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    revoked VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE VIEW revocation AS
SELECT * FROM revocation_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE TABLE login_failure_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    name VARCHAR NOT NULL,
    address VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE VIEW login_failure AS
SELECT * FROM login_failure_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE TABLE audit_entry_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    who VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE VIEW audit_entry AS
SELECT * FROM audit_entry_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE TABLE setting_change_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    key VARCHAR NOT NULL,
    undoes VARCHAR,
    payload JSON NOT NULL
);

CREATE VIEW setting_change AS
SELECT * FROM setting_change_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;
