-- A prediction knows the sitting it belongs to; those from before take over that of their picture. What a session is
-- follows from its predictions.
ALTER TABLE prediction_event ADD COLUMN session VARCHAR;

UPDATE prediction_event SET session = (
    SELECT min(media.session)
    FROM example JOIN media ON media.id = json_extract_string(example.payload, '$.media[0]')
    WHERE example.id = prediction_event.example
);

CREATE OR REPLACE VIEW prediction AS
SELECT * FROM prediction_event QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1;

CREATE VIEW session AS
SELECT environment, session AS name, min("at") AS started, max("at") AS ended, count(*) AS predictions
FROM prediction
WHERE session IS NOT NULL
GROUP BY environment, session;
