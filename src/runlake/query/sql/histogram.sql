-- Runs over time. A question is one statement over cells: rows of a rollup, or single runs, with the time `t` at which they
-- begin (microseconds). {bucket} is the number of the bucket in which `t` lies.

-- name: calendar
-- Where the days, weeks or months of a time zone begin, from the one in which $low lies to the one after the last.
SELECT DISTINCT epoch_us(timezone($tz, local)) AS edge FROM (
    SELECT unnest(generate_series(
        date_trunc($unit, timezone($tz, make_timestamptz($low))),
        timezone($tz, make_timestamptz($high - 1)) + to_months($months) + to_days($days),
        to_months($months) + to_days($days))) AS local
) ORDER BY edge

-- name: time_zone
SELECT name FROM pg_timezone_names() WHERE name = $tz

-- name: of_widths
-- Buckets of one width.
(t - $origin) // $width

-- name: of_edges
-- Buckets of a calendar: the last edge that is not after `t`.
edge.number

-- name: among_edges
ASOF JOIN (SELECT unnest($edges) AS low, unnest(range(len($edges))) AS number) AS edge ON t >= edge.low

-- name: day_outcomes
SELECT day * 86400000000 AS t, CASE WHEN success THEN runs ELSE 0 END AS succeeded,
       CASE WHEN success THEN 0 ELSE runs END AS failed, 0 AS open, duration_count AS timed, duration_us AS us
FROM day_count WHERE {within} AND {narrow}

-- name: part_outcomes
SELECT quarter * 900000000::BIGINT, CASE WHEN success THEN runs ELSE 0 END, CASE WHEN success THEN 0 ELSE runs END, 0,
       duration_count, duration_us
FROM quarter WHERE {within} AND {narrow}

-- name: task_day_outcomes
SELECT day * 86400000000, succeeded - succeeded_unstarted, failed - failed_unstarted, 0, duration_count, duration_us
FROM day_of_task WHERE task IN $tasks AND {within}

-- name: task_part_outcomes
SELECT hour * 3600000000, succeeded - succeeded_unstarted, failed - failed_unstarted, 0, duration_count, duration_us
FROM task_hour WHERE task IN $tasks AND {within}

-- name: run_outcomes
SELECT run_at, (success IS TRUE)::BIGINT, (success IS FALSE)::BIGINT, (success IS NULL)::BIGINT,
       (duration IS NOT NULL)::BIGINT, coalesce(duration, 0)::DOUBLE
FROM {rows} AS run

-- name: outcomes
-- Runs of each outcome by bucket, those with a duration, and the sum of these in microseconds: whole numbers, which add
-- up to the same in any order.
SELECT {bucket} AS bucket, sum(succeeded)::BIGINT, sum(failed)::BIGINT, sum(open)::BIGINT, sum(timed)::BIGINT,
       sum(us)::DOUBLE
FROM ({branches}) AS cell(t, succeeded, failed, open, timed, us) {edges} GROUP BY bucket

-- name: day_tasks
SELECT day * 86400000000, task, succeeded - succeeded_unstarted + failed - failed_unstarted, duration_count, duration_us
FROM task_day WHERE {within} AND {among_tasks}

-- name: part_tasks
SELECT hour * 3600000000, task, succeeded - succeeded_unstarted + failed - failed_unstarted, duration_count, duration_us
FROM task_hour WHERE {within} AND {among_tasks}

-- name: day_owners
-- Those without an owner are all runs, less those with one.
SELECT day * 86400000000, lease_owner, succeeded + failed, duration_count, duration_us FROM owner_day WHERE {within}
UNION ALL
SELECT day * 86400000000, NULL, runs, duration_count, duration_us FROM day_count WHERE {within} AND started
UNION ALL
SELECT day * 86400000000, NULL, -(succeeded + failed), -duration_count, -duration_us FROM owner_day WHERE {within}

-- name: part_owners
-- The same by the hour.
SELECT hour * 3600000000, lease_owner, succeeded + failed, duration_count, duration_us FROM owner_hour WHERE {within}
UNION ALL
SELECT hour * 3600000000, NULL, runs, duration_count, duration_us
FROM (SELECT *, quarter // 4 AS hour FROM quarter) WHERE {within} AND started
UNION ALL
SELECT hour * 3600000000, NULL, -(succeeded + failed), -duration_count, -duration_us FROM owner_hour WHERE {within}

-- name: run_keys
SELECT run_at, {key}, 1, (duration IS NOT NULL)::BIGINT, coalesce(duration, 0)::DOUBLE
FROM {rows} AS run

-- name: keys
-- The ten keys with the most runs, each with its runs by bucket; the others together have no key. Rows come in the order
-- of the keys; of equal ones those come first whose name does. A bucket's `timed` and sum of durations are those of one key.
WITH cell(t, key, runs, timed, us) AS MATERIALIZED ({branches}), summed AS (
    SELECT key, sum(runs) AS total FROM cell WHERE key IS NOT NULL GROUP BY key
), top AS (
    SELECT key, {shown_key} AS name, row_number() OVER (ORDER BY total DESC, name) AS place
    FROM summed {named} ORDER BY total DESC, name LIMIT 10
)
SELECT {bucket} AS bucket, name, sum(runs)::BIGINT, sum(timed)::BIGINT, sum(us)::DOUBLE
FROM cell LEFT JOIN top USING (key) {edges} GROUP BY place, name, bucket HAVING sum(runs) > 0 ORDER BY place NULLS LAST

-- name: failed_groups
SELECT run_at, error_group, 1, (duration IS NOT NULL)::BIGINT, coalesce(duration, 0)::DOUBLE
FROM {failed_run} AS run WHERE run_at >= $low AND run_at < $high AND {narrow}

-- name: inlined_groups
-- Where the text of the error matters, too, which narrow rows do not have.
SELECT run_at, error_group, 1, (duration IS NOT NULL)::BIGINT, coalesce(duration, 0)::DOUBLE FROM failed_run
WHERE id IN (SELECT id FROM inlined_run
             WHERE run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high) AND {whole})

-- name: file_groups
SELECT run_at, error_group, 1, (duration IS NOT NULL)::BIGINT, coalesce(duration, 0)::DOUBLE FROM failed_run
WHERE id IN (SELECT id FROM read_parquet($files, hive_partitioning = false)
             WHERE run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high) AND {whole})

-- name: hot_rows
(SELECT run_at, task, success, duration, bucket, attempt, lease_owner FROM {hot_run} AS run
 WHERE run_at >= $low AND run_at < $high AND {narrow})

-- name: uncounted_rows
(SELECT run_at, task, success, duration, duration_bucket(duration) AS bucket, attempt, lease_owner FROM {uncounted_run}
 WHERE run_at >= $low AND run_at < $high AND {narrow})

-- name: inlined_rows
-- Single runs that are in no file.
(SELECT epoch_us(run_at) AS run_at, task, success, {duration} AS duration,
        duration_bucket({duration}) AS bucket, attempt, lease_owner
 FROM (SELECT * FROM inlined_run WHERE run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high) AND {whole})
 JOIN task USING (task_id))

-- name: file_rows
-- Single runs, in the same columns as above, from exact files.
(SELECT epoch_us(run_at) AS run_at, task, success, {duration} AS duration,
        duration_bucket({duration}) AS bucket, attempt, lease_owner
 FROM (SELECT task_id, run_at, started_at, finished_at, success, attempt, lease_owner
       FROM read_parquet($files, hive_partitioning = false)
       WHERE run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high) AND {whole})
 JOIN task USING (task_id))

-- name: no_rows
-- None, in the same columns.
(SELECT run_at, task, success, duration, bucket, attempt, lease_owner FROM hot_run WHERE false)

-- name: queued_runs
SELECT count(*) FROM inlined_run WHERE success IS NULL AND started_at IS NULL AND {whole}
