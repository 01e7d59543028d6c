-- Counting: finished runs of `uncounted_run` go into the rollups, a cell at a time: old and new are added up in the
-- temporary table `folded`, and one row takes the place of both. {table} is a rollup and {unit} its column of time.

-- name: counting
-- All that is to be counted, with its units of time.
CREATE OR REPLACE TEMP TABLE counting AS
SELECT run_at, task, success, started, duration, bucket, attempt, lease_owner,
       (run_at // 900000000)::INTEGER AS quarter, (run_at // 3600000000)::INTEGER AS hour,
       (run_at // 86400000000)::INTEGER AS day
FROM uncounted_run WHERE success IS NOT NULL

-- name: span
SELECT count(*), max(run_at), min(quarter), max(quarter), min(hour), max(hour), min(day), max(day),
       list(DISTINCT month_of(day))
FROM counting

-- name: remove_counted
DELETE FROM uncounted_run WHERE success IS NOT NULL

-- name: add_old
-- The rows there are of these cells ({keys}).
INSERT INTO folded SELECT * FROM {table}
WHERE {unit} BETWEEN $first AND $last AND ({keys}) IN (SELECT ({keys}) FROM folded)

-- name: remove_old
DELETE FROM {table} WHERE {unit} BETWEEN $first AND $last AND ({keys}) IN (SELECT ({keys}) FROM folded)

-- name: runs
-- One row a cell, of a table that counts runs and nothing else.
SELECT {keys}, sum(runs)::BIGINT AS runs FROM folded GROUP BY ALL ORDER BY ALL

-- name: counts
-- One row a cell, of a table that has durations, too.
SELECT {keys}, sum(runs)::BIGINT AS runs, sum(duration_count)::BIGINT AS duration_count, sum(duration_us) AS duration_us
FROM folded GROUP BY ALL ORDER BY ALL

-- name: owners
-- One row a cell, of the table of lease owners.
SELECT {keys}, sum(succeeded)::BIGINT AS succeeded, sum(failed)::BIGINT AS failed,
       sum(duration_count)::BIGINT AS duration_count, sum(duration_us) AS duration_us, max(last_run) AS last_run
FROM folded GROUP BY ALL ORDER BY ALL

-- name: cell_figures
-- One row a cell, of a table of tasks.
WITH bucketed AS (
    SELECT {unit}, task, timed.bucket, sum(timed.succeeded)::UINTEGER AS succeeded,
           sum(timed.failed)::UINTEGER AS failed
    FROM (SELECT {unit}, task, unnest(durations) AS timed FROM folded) GROUP BY ALL
), histogram AS (
    SELECT {unit}, task, list({'bucket': bucket, 'succeeded': succeeded, 'failed': failed}) AS durations
    FROM bucketed GROUP BY ALL
), figure AS (
    SELECT {unit}, task, {summed} {also} FROM folded GROUP BY ALL
)
SELECT figure.*, durations FROM figure LEFT JOIN histogram USING ({unit}, task) ORDER BY {order}

-- name: summed
-- How the figures of two rows of a cell add up.
sum(succeeded)::BIGINT AS succeeded, sum(failed)::BIGINT AS failed,
sum(succeeded_unstarted)::BIGINT AS succeeded_unstarted, sum(failed_unstarted)::BIGINT AS failed_unstarted,
sum(retried)::BIGINT AS retried, sum(retried_unstarted)::BIGINT AS retried_unstarted,
sum(duration_count)::BIGINT AS duration_count, sum(duration_us) AS duration_us,
min(shortest) AS shortest, max(longest) AS longest, max(last_success) AS last_success, max(last_failure) AS last_failure,
max(last_started_success) AS last_started_success, max(last_started_failure) AS last_started_failure

-- name: summed_of_day
, bit_or(quarters) AS quarters, CASE WHEN count(*) = 1 THEN any_value(p95) END AS p95

-- name: remove_days
DELETE FROM day_figure WHERE day IN (SELECT DISTINCT day FROM counting)

-- name: unsettle_sequences
DELETE FROM task_sequence WHERE day IN (SELECT DISTINCT day FROM counting)

-- name: add_unsettled
INSERT INTO unsettled_day SELECT DISTINCT day FROM counting WHERE day NOT IN (SELECT day FROM unsettled_day)

-- name: days_to_settle
-- Days that are over and whose files can be read, the newest first.
SELECT day FROM unsettled_day WHERE day < $today AND day NOT IN (SELECT day FROM live_file WHERE NOT readable)
AND (day * 86400000000 >= (SELECT hot_from FROM state) OR day IN (SELECT day FROM live_file))
ORDER BY day DESC LIMIT $most

-- name: remove_unsettled
DELETE FROM unsettled_day WHERE day = $day

-- name: hot_of_day
(SELECT run_at, task, success FROM hot_run WHERE started AND run_at >= $low AND run_at < $high)

-- name: cold_of_day
-- The same from whole runs, those that are not counted left out.
(SELECT epoch_us(run_at) AS run_at, task, success
 FROM (SELECT id, run_at, task_id, success FROM read_parquet($files, hive_partitioning = false)
       WHERE started_at IS NOT NULL AND id NOT IN (SELECT id FROM uncounted_run)
       UNION ALL
       SELECT id, run_at, task_id, success FROM inlined_run
       WHERE success IS NOT NULL AND started_at IS NOT NULL AND run_at >= make_timestamptz($low)
       AND run_at < make_timestamptz($high) AND id NOT IN (SELECT id FROM uncounted_run))
 JOIN task USING (task_id))

-- name: files_of_day
SELECT path FROM live_file WHERE day = $day

-- name: unsettle_task_month
DELETE FROM task_month WHERE list_contains($months, month)

-- name: unsettle_month_histogram
DELETE FROM month_histogram WHERE list_contains($months, month)

-- name: settle_task_month
-- A month that is over, from its days $first to $last.
INSERT INTO task_month
WITH folded AS (
    SELECT $month::INTEGER AS month, * EXCLUDE (day, quarters, p95) FROM task_day WHERE day BETWEEN $first AND $last
)
FROM (
{figures}
)

-- name: settle_month_histogram
INSERT INTO month_histogram SELECT $month::INTEGER, success, bucket, sum(runs)::BIGINT FROM day_histogram
WHERE day BETWEEN $first AND $last GROUP BY ALL ORDER BY ALL

-- name: counted_months
SELECT DISTINCT month_of(day) FROM day_count ORDER BY 1

-- name: unranked
-- Task days before $today whose percentile was lost.
CREATE OR REPLACE TEMP TABLE unranked AS
FROM day_of_task WHERE p95 IS NULL AND duration_count > 0 AND day < $today

-- name: remove_unranked
DELETE FROM day_of_task WHERE p95 IS NULL AND duration_count > 0 AND day < $today

-- name: add_ranked
-- Put them back, each with the percentile that its histogram gives.
INSERT INTO day_of_task
WITH bucketed AS (
    SELECT task, day, timed.bucket AS bucket, timed.succeeded + timed.failed AS runs
    FROM (SELECT task, day, unnest(durations) AS timed FROM unranked)
)
SELECT unranked.* REPLACE (us AS p95) FROM unranked JOIN ({percentile}) USING (task, day) ORDER BY task, day

-- name: newest_run
SELECT coalesce(max(greatest(last_success, last_failure)), -1) FROM task_day

-- name: newest_day
SELECT max(day) FROM day_count WHERE day <= $today

-- name: cool
DELETE FROM hot_run WHERE run_at < $hot_from

-- name: prune_recent
-- Of each task that was counted, the newest {recent} rows stay.
DELETE FROM task_recent WHERE rowid IN (
    SELECT rowid FROM (
        SELECT rowid, row_number() OVER (PARTITION BY task ORDER BY run_at DESC, id DESC) AS place
        FROM task_recent WHERE task IN (SELECT DISTINCT task FROM counting)
    ) WHERE place > {recent}
)

-- name: remove_floors
DELETE FROM recent_floor WHERE task IN (SELECT DISTINCT task FROM counting)

-- name: add_floors
INSERT INTO recent_floor
SELECT task, run_at, id FROM task_recent WHERE task IN (SELECT DISTINCT task FROM counting)
QUALIFY row_number() OVER (PARTITION BY task ORDER BY run_at DESC, id DESC) = {recent}

-- name: all_floors
INSERT INTO recent_floor
SELECT task, run_at, id FROM task_recent
QUALIFY row_number() OVER (PARTITION BY task ORDER BY run_at DESC, id DESC) = {recent}
