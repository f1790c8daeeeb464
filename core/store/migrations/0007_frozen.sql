-- Promising challengers that wait for evidence; a row that `ends` another says that the other's wait is over.

CREATE TABLE frozen_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    champion VARCHAR NOT NULL,
    challenger VARCHAR NOT NULL,
    run VARCHAR NOT NULL,
    ends VARCHAR,
    payload JSON NOT NULL
);

CREATE VIEW frozen AS
SELECT * FROM frozen_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;
