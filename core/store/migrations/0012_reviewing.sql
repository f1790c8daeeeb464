-- Who has an item in hand, what sets it apart, and the parts of records that the review queue is ordered and searched by
-- and that figures are taken from: over a million verdicts that is one look at columns, not a million payloads taken apart.
ALTER TABLE prediction_event ADD COLUMN answer VARCHAR;
ALTER TABLE prediction_event ADD COLUMN confidence DOUBLE;
ALTER TABLE prediction_event ADD COLUMN latency_ms DOUBLE;
ALTER TABLE correction_event ADD COLUMN answer VARCHAR;
ALTER TABLE example_event ADD COLUMN ask VARCHAR;

UPDATE prediction_event SET
    answer = json_extract_string(payload, '$.answer'),
    confidence = json_extract_string(payload, '$.confidence')::DOUBLE,
    latency_ms = json_extract_string(payload, '$.latency_ms')::DOUBLE;
UPDATE correction_event SET answer = json_extract_string(payload, '$.answer');
UPDATE example_event SET ask = json_extract_string(payload, '$.ask');

CREATE OR REPLACE VIEW prediction AS
SELECT * FROM prediction_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE OR REPLACE VIEW example AS
SELECT * FROM example_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE OR REPLACE VIEW correction AS
SELECT * FROM correction_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE OR REPLACE VIEW word AS
SELECT said.*, taken.retracted_seq
FROM correction AS said
LEFT JOIN (
    SELECT retracts AS id, min(seq) AS retracted_seq FROM correction WHERE retracts IS NOT NULL GROUP BY retracts
) AS taken ON taken.id = said.id
WHERE said.retracts IS NULL;

CREATE OR REPLACE VIEW labels AS
SELECT * FROM word
WHERE retracted_seq IS NULL
QUALIFY row_number() OVER (PARTITION BY environment, example ORDER BY seq DESC) = 1;

CREATE TABLE claim_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    example VARCHAR NOT NULL,
    prediction VARCHAR NOT NULL,
    reviewer VARCHAR NOT NULL,
    sitting VARCHAR NOT NULL,
    "until" TIMESTAMPTZ NOT NULL,
    payload JSON NOT NULL
);

CREATE VIEW claim AS
SELECT * FROM claim_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE TABLE signal_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    example VARCHAR NOT NULL,
    domain VARCHAR NOT NULL,
    novelty DOUBLE NOT NULL,
    drift DOUBLE,
    basis BIGINT NOT NULL,
    payload JSON NOT NULL
);

CREATE VIEW signal AS
SELECT * FROM signal_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;
