-- What a judge's word was worth, each time it was held against people's.

CREATE TABLE judge_audit_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    prompt_version VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE VIEW judge_audit AS
SELECT * FROM judge_audit_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;
