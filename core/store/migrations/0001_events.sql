-- One table per kind of record. Rows are only ever appended; `payload` is the record, the other columns are parts of
-- it to search by. `seq` grows by one within a table and is given out inside the transaction that writes.

CREATE TABLE schema_version (version INTEGER NOT NULL, name VARCHAR NOT NULL, "at" TIMESTAMPTZ NOT NULL);

CREATE TABLE media_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    form VARCHAR NOT NULL,
    blob VARCHAR NOT NULL,
    phash VARCHAR NOT NULL,
    source VARCHAR,
    session VARCHAR,
    payload JSON NOT NULL
);

CREATE TABLE example_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    cluster VARCHAR NOT NULL,
    parent VARCHAR,
    payload JSON NOT NULL
);

CREATE TABLE prediction_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    example VARCHAR NOT NULL,
    release VARCHAR NOT NULL,
    from_person BOOLEAN NOT NULL,
    payload JSON NOT NULL
);

CREATE TABLE correction_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    example VARCHAR NOT NULL,
    prediction VARCHAR,
    reviewer VARCHAR NOT NULL,
    chosen_by VARCHAR NOT NULL,
    retracts VARCHAR,
    payload JSON NOT NULL
);

CREATE TABLE variant_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    example VARCHAR NOT NULL,
    parent VARCHAR NOT NULL,
    how VARCHAR NOT NULL,
    run VARCHAR,
    payload JSON NOT NULL
);

CREATE TABLE judgment_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    example VARCHAR NOT NULL,
    judge VARCHAR NOT NULL,
    prompt_version VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE TABLE rollout_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    example VARCHAR NOT NULL,
    run VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE TABLE checkpoint_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    policy VARCHAR NOT NULL,
    parent VARCHAR,
    run VARCHAR,
    payload JSON NOT NULL
);

CREATE TABLE release_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE TABLE dataset_version_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE TABLE run_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    trigger VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE TABLE stage_result_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    run VARCHAR NOT NULL,
    stage VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE TABLE evaluation_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    release VARCHAR NOT NULL,
    suite VARCHAR NOT NULL,
    run VARCHAR,
    payload JSON NOT NULL
);

CREATE TABLE decision_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    run VARCHAR NOT NULL,
    champion VARCHAR NOT NULL,
    challenger VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE TABLE promotion_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    release VARCHAR NOT NULL,
    previous VARCHAR,
    action VARCHAR NOT NULL,
    decision VARCHAR,
    payload JSON NOT NULL
);
