-- What was erased, and that it was. Erasing is the one thing that removes rows; the numbers they had are not given out
-- again, so that `seq` goes on saying what came before what.

CREATE TABLE erasure_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    asked VARCHAR NOT NULL,
    done_at TIMESTAMPTZ,
    payload JSON NOT NULL
);

CREATE TABLE tombstone_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    erasure VARCHAR NOT NULL,
    what VARCHAR NOT NULL,
    content VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE TABLE number_given (kind VARCHAR NOT NULL, seq BIGINT NOT NULL);

CREATE VIEW erasure AS
SELECT * FROM erasure_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE VIEW tombstone AS
SELECT * FROM tombstone_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;
