-- Each kind as it is read: every id once, as it was first written. An engine without unique constraints may hold an
-- id twice when two processes wrote it at the same moment.

CREATE VIEW media AS
SELECT * FROM media_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE VIEW example AS
SELECT * FROM example_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE VIEW prediction AS
SELECT * FROM prediction_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE VIEW correction AS
SELECT * FROM correction_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE VIEW variant AS
SELECT * FROM variant_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE VIEW judgment AS
SELECT * FROM judgment_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE VIEW rollout AS
SELECT * FROM rollout_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE VIEW checkpoint AS
SELECT * FROM checkpoint_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE VIEW release AS
SELECT * FROM release_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE VIEW dataset_version AS
SELECT * FROM dataset_version_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE VIEW run AS
SELECT * FROM run_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE VIEW stage_result AS
SELECT * FROM stage_result_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE VIEW evaluation AS
SELECT * FROM evaluation_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE VIEW decision AS
SELECT * FROM decision_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE VIEW promotion AS
SELECT * FROM promotion_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

-- What people said, each word with the sequence number from which on it is taken back (NULL: it stands). A retraction
-- is not a word and cannot itself be taken back: who changes their mind says the word again.
CREATE VIEW word AS
SELECT said.*, taken.retracted_seq
FROM correction AS said
LEFT JOIN (
    SELECT retracts AS id, min(seq) AS retracted_seq FROM correction WHERE retracts IS NOT NULL GROUP BY retracts
) AS taken ON taken.id = said.id
WHERE said.retracts IS NULL;

-- The word that stands for each example: the last one that was not taken back.
CREATE VIEW labels AS
SELECT * FROM word
WHERE retracted_seq IS NULL
QUALIFY row_number() OVER (PARTITION BY environment, example ORDER BY seq DESC) = 1;
