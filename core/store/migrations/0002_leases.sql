-- The only rows that are ever updated: one per lease, one per environment.

CREATE TABLE lease (
    name VARCHAR NOT NULL,
    owner VARCHAR NOT NULL,
    token BIGINT NOT NULL,
    "until" TIMESTAMPTZ NOT NULL,
    released BOOLEAN NOT NULL
);

CREATE TABLE champion (
    environment VARCHAR NOT NULL,
    release VARCHAR NOT NULL
);
