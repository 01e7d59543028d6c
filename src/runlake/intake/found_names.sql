-- Names of tasks that come with the rows of an import.

-- name: table
CREATE TABLE found (task_id UUID PRIMARY KEY, name VARCHAR NOT NULL)

-- name: add
-- The first name of each task; what is no UUID, or no name, is left out: the row itself is checked elsewhere.
INSERT OR IGNORE INTO found
SELECT task, any_value(name) FROM (
    SELECT TRY_CAST(task_id::VARCHAR AS UUID) AS task, left(trim(task_name::VARCHAR), $longest) AS name FROM incoming
) WHERE task IS NOT NULL AND name <> '' GROUP BY task

-- name: named
-- All but those of tasks that have a name already (`known`).
WITH given AS MATERIALIZED (FROM known)
SELECT task_id, name, []::VARCHAR[] AS tags, NULL::VARCHAR AS url FROM found
WHERE task_id NOT IN (SELECT task_id FROM given) ORDER BY task_id
