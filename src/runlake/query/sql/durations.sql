-- Runs by time and duration, from histograms and single runs (see histogram.sql for these); `t` is a time in microseconds.
-- {of_success} and {of_failure} are what belongs to the question of a bucket of a task.

-- name: density_days
SELECT day * 86400000000 AS t, bucket, CASE WHEN success THEN runs ELSE 0 END AS succeeded,
       CASE WHEN success THEN 0 ELSE runs END AS failed
FROM day_histogram WHERE {within} AND {narrow}

-- name: density_hours
SELECT hour * 3600000000, bucket, CASE WHEN success THEN runs ELSE 0 END, CASE WHEN success THEN 0 ELSE runs END
FROM hour_histogram WHERE {within} AND {narrow}

-- name: density_task_days
SELECT t, timed.bucket, {of_success}, {of_failure} FROM (
    SELECT day * 86400000000 AS t, unnest(durations) AS timed
    FROM day_of_task WHERE task IN $tasks AND {within})

-- name: density_task_hours
SELECT t, timed.bucket, {of_success}, {of_failure} FROM (
    SELECT hour * 3600000000 AS t, unnest(durations) AS timed
    FROM task_hour WHERE task IN $tasks AND {within})

-- name: density_runs
SELECT run_at, bucket, (success IS TRUE)::BIGINT, (success IS FALSE)::BIGINT
FROM {rows} AS run WHERE bucket IS NOT NULL

-- name: density
-- Rows of two kinds: cells of eight neighbouring buckets, and percentiles of the columns, which are from the buckets.
WITH cell AS MATERIALIZED (
    SELECT (t - $origin) // $width AS x, bucket, sum(succeeded)::BIGINT AS succeeded, sum(failed)::BIGINT AS failed
    FROM ({branches}) AS part(t, bucket, succeeded, failed) GROUP BY ALL
), bucketed AS (
    SELECT x, bucket, succeeded + failed AS runs FROM cell WHERE succeeded + failed > 0
)
SELECT x, bucket // 8 AS y, sum(succeeded)::BIGINT AS succeeded, sum(failed)::BIGINT AS failed, NULL AS p, NULL AS seconds
FROM cell GROUP BY ALL
UNION ALL
SELECT x, NULL, NULL, NULL, p, us / 1e6 FROM ({percentile})
ORDER BY x, y

-- name: row_edges
-- Where the rows from $first to $last begin, and where the last one ends (seconds).
SELECT CASE WHEN low < 50 THEN low::DOUBLE ELSE 50 * pow(1.0198, low - 50) END / 1e6
FROM (SELECT unnest(range($first, $last + 2)) * 8 AS low)

-- name: open_runs
SELECT count(*) FROM inlined_run
WHERE success IS NULL AND run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high) AND {whole}

-- name: runs_with_duration
-- How many runs have a duration, from the cells of histogram.sql.
SELECT coalesce(sum(timed), 0)::BIGINT FROM ({branches}) AS cell(t, succeeded, failed, open, timed, us)

-- name: points
-- Single runs with what a picture shows of them.
SELECT id, epoch_us(run_at), duration / 1e6, success, task_id FROM ({branches}) ORDER BY run_at DESC, id DESC

-- name: points_in_files
SELECT id, run_at, {duration} AS duration, success, task_id FROM read_parquet($files, hive_partitioning = false)
WHERE run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high) AND {whole}

-- name: points_at_moments
SELECT id, run_at, {duration} AS duration, success, task_id FROM read_parquet($files, hive_partitioning = false)
WHERE run_at IN $moments AND {whole}

-- name: points_inlined
SELECT id, run_at, {duration} AS duration, success, task_id FROM inlined_run
WHERE run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high) AND {whole}
