-- The rows that are not in Parquet. `died` is the largest BIGINT while a row lives.

-- name: create
CREATE OR REPLACE TABLE recent ({columns}, born BIGINT NOT NULL, died BIGINT NOT NULL)

-- name: finished
INSERT INTO recent
SELECT {select}, coalesce(started_at, created_at), $snapshot, 9223372036854775807 FROM finished

-- name: opened
INSERT INTO recent
SELECT {select}, coalesce(started_at, created_at), $snapshot, 9223372036854775807 FROM opened

-- name: closed
UPDATE recent SET died = $snapshot
WHERE finished_at IS NULL AND died = 9223372036854775807 AND id IN (SELECT id FROM closed)

-- name: flushed
UPDATE recent SET died = $snapshot WHERE finished_at IS NOT NULL AND died = 9223372036854775807

-- name: inlined_days
SELECT DISTINCT CAST(epoch_us(run_at) // 86400000000 AS INTEGER) FROM recent
WHERE finished_at IS NOT NULL AND died = 9223372036854775807

-- name: purge
CREATE OR REPLACE TABLE recent AS FROM recent WHERE died > $oldest

-- name: retire
UPDATE recent SET died = $snapshot WHERE died = 9223372036854775807

-- name: look
SELECT (SELECT count(*) FROM recent) + (SELECT count(*) FROM new_cells)

-- name: save_waiting
-- The finished rows that are in no file yet: when the index is loaded again, they may be.
CREATE TABLE {target}.waiting AS
SELECT id, task_id, started_at, finished_at, success, attempt, created_at
FROM recent WHERE finished_at IS NOT NULL AND died = 9223372036854775807

-- name: make_waiting
CREATE TABLE building.waiting AS
SELECT id, task_id, started_at, finished_at, success, attempt, created_at FROM inlined

-- name: waiting
FROM {base}.waiting
