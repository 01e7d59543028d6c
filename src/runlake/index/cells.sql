-- Additive counts of the finished runs in Parquet files: per day and task, and per hour.
--
-- A cell is valid for the snapshots born <= n < died and cells of one day or hour add up, so one table serves every
-- View. The split by `started` is there because a window of start_time and end_time has only runs that started.
-- {rows} is where the runs come from: an Arrow table, the table `recent`, or files.

-- name: create_cells
CREATE OR REPLACE TABLE cells (
    unit INTEGER NOT NULL, task_id UUID NOT NULL,
    good INTEGER NOT NULL, bad INTEGER NOT NULL, good_unstarted INTEGER NOT NULL, bad_unstarted INTEGER NOT NULL,
    born BIGINT NOT NULL, died BIGINT NOT NULL
)

-- name: create_hours
CREATE OR REPLACE TABLE hours (
    unit INTEGER NOT NULL,
    good INTEGER NOT NULL, bad INTEGER NOT NULL, good_unstarted INTEGER NOT NULL, bad_unstarted INTEGER NOT NULL,
    born BIGINT NOT NULL, died BIGINT NOT NULL
)

-- name: add_cells
INSERT INTO cells
SELECT epoch_us(coalesce(started_at, created_at)) // 86400000000, task_id,
       count(*) FILTER (success AND started_at IS NOT NULL), count(*) FILTER (NOT success AND started_at IS NOT NULL),
       count(*) FILTER (success AND started_at IS NULL), count(*) FILTER (NOT success AND started_at IS NULL),
       $snapshot, 9223372036854775807
FROM {rows} GROUP BY ALL

-- name: add_hours
INSERT INTO hours
SELECT epoch_us(coalesce(started_at, created_at)) // 3600000000,
       count(*) FILTER (success AND started_at IS NOT NULL), count(*) FILTER (NOT success AND started_at IS NOT NULL),
       count(*) FILTER (success AND started_at IS NULL), count(*) FILTER (NOT success AND started_at IS NULL),
       $snapshot, 9223372036854775807
FROM {rows} GROUP BY ALL

-- name: compact_cells
-- One cell where several can no longer be told apart by any View in use, in the order they are asked for.
CREATE OR REPLACE TABLE cells AS
SELECT unit, task_id, CAST(sum(good) AS INTEGER) AS good, CAST(sum(bad) AS INTEGER) AS bad,
       CAST(sum(good_unstarted) AS INTEGER) AS good_unstarted, CAST(sum(bad_unstarted) AS INTEGER) AS bad_unstarted,
       CASE WHEN born > $oldest THEN born ELSE -1 END AS born, died
FROM cells WHERE died > $oldest GROUP BY ALL ORDER BY task_id, unit

-- name: compact_hours
CREATE OR REPLACE TABLE hours AS
SELECT unit, CAST(sum(good) AS INTEGER) AS good, CAST(sum(bad) AS INTEGER) AS bad,
       CAST(sum(good_unstarted) AS INTEGER) AS good_unstarted, CAST(sum(bad_unstarted) AS INTEGER) AS bad_unstarted,
       CASE WHEN born > $oldest THEN born ELSE -1 END AS born, died
FROM hours WHERE died > $oldest GROUP BY ALL ORDER BY unit

-- name: size
SELECT count(*) FROM cells
