-- Challengers on their way to becoming champion: the steps that are ordered, how each ended, and silent answers.

CREATE TABLE trial_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    release VARCHAR NOT NULL,
    decision VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE VIEW trial AS
SELECT * FROM trial_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE TABLE trial_step_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    trial VARCHAR NOT NULL,
    stage VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE VIEW trial_step AS
SELECT * FROM trial_step_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE TABLE shadow_answer_event (
    seq BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    environment VARCHAR NOT NULL,
    trial VARCHAR NOT NULL,
    prediction VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE VIEW shadow_answer AS
SELECT * FROM shadow_answer_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;
