-- What other programs are told of, and each try to tell them.

CREATE TABLE notice_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    event VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE TABLE delivery_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    notice VARCHAR NOT NULL,
    endpoint VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE VIEW notice AS
SELECT * FROM notice_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE VIEW delivery AS
SELECT * FROM delivery_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;
