-- What the index counts of the finished runs in Parquet files. All of it adds up:
--   cells           per day and task: results, retries, durations, and the last success and failure
--   day_tasks       of the cells what is asked of all tasks
--   hours           per hour, of all tasks
--   histograms      per day and task: how many durations fell in each bucket
--   day_histograms  per day, of all tasks
-- Counts of the saved index lie in a file of their own, attached as {base}; those made since lie in tables new_….
-- There each row is valid for the snapshots born <= n < died, so one table serves every View.
-- Saved cells and histograms lie in blocks of 32 days, in each by task: a question about one task reads a short stretch
-- of every block, one about all tasks the blocks of its days.
-- The split by `started` is there because a window of start_time and end_time has only runs that started.
-- {rows} is where rows come from: an Arrow table, the table `recent`, files, or tables of counts.

-- name: bucket_of
-- Buckets of durations are 1.98 % wide from 50 microseconds on, so their middle is within 1 % of all they hold.
CREATE OR REPLACE MACRO bucket_of(us) AS
    CAST(CASE WHEN us < 50 THEN us ELSE 50 + floor(ln(us / 50.0) / ln(1.0198)) END AS USMALLINT)

-- name: middle_of
CREATE OR REPLACE MACRO middle_of(bucket) AS
    CASE WHEN bucket < 50 THEN CAST(bucket AS DOUBLE) ELSE 50 * pow(1.0198, bucket - 50 + 0.5) END

-- name: between
-- The value at a rank between two whole ranks, from the buckets of the values on both sides.
CREATE OR REPLACE MACRO between_ranks(low, high, rank) AS
    middle_of(low) + (middle_of(high) - middle_of(low)) * (rank - floor(rank))

-- name: narrow
CREATE OR REPLACE TEMP TABLE narrow AS
SELECT id, task_id, epoch_us(coalesce(started_at, created_at)) AS ran_at, success, attempt > 1 AS retried,
       started_at IS NOT NULL AS started, epoch_us(finished_at) - epoch_us(started_at) AS us, bucket_of(us) AS bucket
FROM {rows}

-- name: ids
SELECT id, ran_at // 3600000000 AS hour FROM narrow

-- name: count_cells
SELECT CAST(ran_at // 86400000000 AS INTEGER) AS unit, task_id,
       CAST(count(*) FILTER (success AND started) AS INTEGER) AS good,
       CAST(count(*) FILTER (NOT success AND started) AS INTEGER) AS bad,
       CAST(count(*) FILTER (success AND NOT started) AS INTEGER) AS good_unstarted,
       CAST(count(*) FILTER (NOT success AND NOT started) AS INTEGER) AS bad_unstarted,
       CAST(count(*) FILTER (retried) AS INTEGER) AS retried,
       CAST(count(us) AS INTEGER) AS timed, sum(us) AS us, min(us) AS us_min, max(us) AS us_max,
       max(ran_at) FILTER (success) AS last_good, max(ran_at) FILTER (NOT success) AS last_bad
FROM narrow GROUP BY ALL

-- name: day_tasks
-- Some columns of the cells, in the order of days, for questions about all tasks.
SELECT unit, task_id, good + good_unstarted AS good, bad + bad_unstarted AS bad, timed, us FROM {rows} ORDER BY unit

-- name: view_day_tasks
CREATE OR REPLACE VIEW day_tasks AS
SELECT *, -1 AS born, 9223372036854775807 AS died FROM {base}.day_tasks
UNION ALL
SELECT unit, task_id, good + good_unstarted, bad + bad_unstarted, timed, us, born, died FROM new_cells

-- name: count_hours
SELECT CAST(ran_at // 3600000000 AS INTEGER) AS unit,
       CAST(count(*) FILTER (success AND started) AS INTEGER) AS good,
       CAST(count(*) FILTER (NOT success AND started) AS INTEGER) AS bad,
       CAST(count(*) FILTER (success AND NOT started) AS INTEGER) AS good_unstarted,
       CAST(count(*) FILTER (NOT success AND NOT started) AS INTEGER) AS bad_unstarted,
       CAST(count(us) AS INTEGER) AS timed, sum(us) AS us, min(us) AS us_min, max(us) AS us_max
FROM narrow GROUP BY ALL

-- name: count_histograms
SELECT CAST(ran_at // 86400000000 AS INTEGER) AS unit, task_id, bucket, CAST(count(*) AS INTEGER) AS n
FROM narrow WHERE us IS NOT NULL GROUP BY ALL

-- name: count_day_histograms
SELECT CAST(ran_at // 86400000000 AS INTEGER) AS unit, bucket, CAST(count(*) AS INTEGER) AS n
FROM narrow WHERE us IS NOT NULL GROUP BY ALL

-- name: merge_cells
-- (Ordered outside: a query that groups by ALL cannot be ordered by what it does not select.)
FROM (
SELECT unit, task_id, CAST(sum(good) AS INTEGER) AS good, CAST(sum(bad) AS INTEGER) AS bad,
       CAST(sum(good_unstarted) AS INTEGER) AS good_unstarted, CAST(sum(bad_unstarted) AS INTEGER) AS bad_unstarted,
       CAST(sum(retried) AS INTEGER) AS retried, CAST(sum(timed) AS INTEGER) AS timed, sum(us) AS us,
       min(us_min) AS us_min, max(us_max) AS us_max, max(last_good) AS last_good, max(last_bad) AS last_bad {versions}
FROM {rows} GROUP BY ALL
) ORDER BY unit // 32, task_id, unit

-- name: merge_hours
SELECT unit, CAST(sum(good) AS INTEGER) AS good, CAST(sum(bad) AS INTEGER) AS bad,
       CAST(sum(good_unstarted) AS INTEGER) AS good_unstarted, CAST(sum(bad_unstarted) AS INTEGER) AS bad_unstarted,
       CAST(sum(timed) AS INTEGER) AS timed, sum(us) AS us,
       min(us_min) AS us_min, max(us_max) AS us_max {versions}
FROM {rows} GROUP BY ALL ORDER BY unit

-- name: merge_histograms
FROM (
SELECT unit, task_id, bucket, CAST(sum(n) AS INTEGER) AS n {versions}
FROM {rows} GROUP BY ALL
) ORDER BY unit // 32, task_id, unit

-- name: merge_day_histograms
SELECT unit, bucket, CAST(sum(n) AS INTEGER) AS n {versions} FROM {rows} GROUP BY ALL ORDER BY unit, bucket

-- name: versions
-- One row where several can no longer be told apart by any View in use.
, CASE WHEN born > $oldest THEN born ELSE -1 END AS born, died

-- name: as_lists
-- In the file a histogram is one row of two lists: a fiftieth of the rows, and a third of the bytes.
SELECT unit, task_id, list(bucket ORDER BY bucket) AS buckets, list(n ORDER BY bucket) AS counts
FROM ({rows}) GROUP BY ALL

-- name: save_histograms
-- Lists are only taken apart and made again where something was added.
WITH added AS MATERIALIZED (
    SELECT unit, task_id, bucket, n FROM new_histograms WHERE died = 9223372036854775807
),
changed AS MATERIALIZED (SELECT DISTINCT unit, task_id FROM added),
flat AS (
    SELECT unit, task_id, unnest(buckets) AS bucket, unnest(counts) AS n
    FROM {base}.histograms SEMI JOIN changed USING (unit, task_id)
    UNION ALL
    FROM added
),
summed AS (SELECT unit, task_id, bucket, CAST(sum(n) AS INTEGER) AS n FROM flat GROUP BY ALL)
FROM (
    FROM {base}.histograms ANTI JOIN changed USING (unit, task_id)
    UNION ALL
    SELECT unit, task_id, list(bucket ORDER BY bucket), list(n ORDER BY bucket) FROM summed GROUP BY ALL
) ORDER BY unit // 32, task_id, unit

-- name: view
CREATE OR REPLACE VIEW {table} AS
SELECT *, -1 AS born, 9223372036854775807 AS died FROM {base}.{table} UNION ALL FROM new_{table}

-- name: view_histograms
CREATE OR REPLACE VIEW histograms AS
SELECT *, -1 AS born, 9223372036854775807 AS died FROM {base}.histograms
UNION ALL
SELECT unit, task_id, [bucket], [n], born, died FROM new_histograms

-- name: retire
UPDATE new_{table} SET died = $snapshot WHERE died = 9223372036854775807

-- name: size
SELECT (SELECT count(*) FROM new_cells) + (SELECT count(*) FROM new_histograms)
