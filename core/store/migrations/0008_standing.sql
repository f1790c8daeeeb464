-- What was said of releases for good, and what was done with them on a hub.

CREATE TABLE mark_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    release VARCHAR NOT NULL,
    mark VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE VIEW mark AS
SELECT * FROM mark_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE TABLE hub_step_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    release VARCHAR NOT NULL,
    repo VARCHAR NOT NULL,
    step VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE VIEW hub_step AS
SELECT * FROM hub_step_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;
