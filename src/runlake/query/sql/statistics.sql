-- Statistics of a window. Each is one statement over the spans of its window; `cells` in windows.py puts its {cells}
-- together: a branch a rollup, for the spans of its size ({within}), and the hours that the window cuts from {runs}, which
-- are hot_run, uncounted_run, or the Parquet files of that day. Durations are microseconds until they are answered.

-- name: cold_runs
-- The counted runs of a time before state.hot_from, as hot_run has them for newer ones: those that are in no file, and
-- those of the exact files of its day.
(SELECT id, epoch_us(run_at) AS run_at, task, success, started_at IS NOT NULL AS started,
        epoch_us(finished_at) - epoch_us(started_at) AS duration,
        duration_bucket(epoch_us(finished_at) - epoch_us(started_at)) AS bucket, attempt
 FROM (SELECT id, task_id, run_at, started_at, finished_at, success, attempt FROM inlined_run {of_files}) JOIN task USING (task_id)
 WHERE run_at >= make_timestamptz({low}) AND run_at < make_timestamptz({high})
   AND id NOT IN (SELECT id FROM uncounted_run WHERE run_at >= {low} AND run_at < {high}))

-- name: and_of_files
UNION ALL
SELECT id, task_id, run_at, started_at, finished_at, success, attempt
FROM read_parquet($files_{low}, hive_partitioning = false)

-- name: files_of_day
SELECT path FROM live_file WHERE day = $day AND readable

-- name: day_of_task
-- Cells of a task: rows of a rollup, or single runs, in the same columns.
SELECT day, succeeded, failed, 0 AS open, retried, duration_count, duration_us, shortest, longest, last_success,
       last_failure, NULL::BIGINT AS last_open, durations, p95
FROM day_of_task WHERE {within} AND task = $task

-- name: hour_of_task
SELECT hour // 24, succeeded, failed, 0, retried, duration_count, duration_us, shortest, longest, last_success,
       last_failure, NULL, durations, NULL
FROM task_hour WHERE {within} AND task = $task

-- name: run_of_task
-- Runs of the hours that a window cuts, and those that no rollup knows yet.
SELECT (run_at // 86400000000)::INTEGER, (success IS TRUE)::BIGINT, (success IS FALSE)::BIGINT,
       (success IS NULL)::BIGINT, (attempt > 1)::BIGINT, (duration IS NOT NULL)::BIGINT, coalesce(duration, 0)::DOUBLE,
       duration, duration, CASE WHEN success THEN run_at END, CASE WHEN NOT success THEN run_at END,
       CASE WHEN success IS NULL THEN run_at END,
       CASE WHEN bucket IS NOT NULL THEN [{'bucket': bucket, 'succeeded': 1::UINTEGER, 'failed': 0::UINTEGER}] END, NULL
FROM {runs} AS run WHERE {within} AND task = $task

-- name: task_statistics
-- The whole window (day is null) and each of its days: sums, windowed averages over seven days, and percentiles. Those of
-- the window, and of a day that is not one whole row, are from the histograms.
WITH cell(day, succeeded, failed, open, retried, duration_count, duration_us, shortest, longest, last_success,
          last_failure, last_open, durations, p95) AS (
    {cells}
    UNION ALL
    SELECT unnest(range($first_day, $last_day + 1))::INTEGER, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL
), summed AS MATERIALIZED (
    SELECT day, sum(succeeded) AS succeeded, sum(failed) AS failed, sum(open) AS open, sum(retried) AS retried,
           sum(duration_count) AS duration_count, sum(duration_us) AS duration_us, min(shortest) AS shortest,
           max(longest) AS longest, max(last_success) AS last_success, max(last_failure) AS last_failure,
           max(last_open) AS last_open, flatten(list(durations)) AS durations,
           CASE WHEN day IS NOT NULL AND count(*) FILTER (duration_count > 0) = 1 THEN max(p95) END AS p95
    FROM cell GROUP BY GROUPING SETS ((day), ())
), bucketed AS (  -- not of days that have their 95th percentile already: of these no other one is known
    SELECT day, timed.bucket AS bucket, sum(timed.succeeded + timed.failed) AS runs
    FROM (SELECT day, unnest(durations) AS timed FROM summed WHERE p95 IS NULL) GROUP BY ALL
), percentile AS (
    SELECT day, max(us) FILTER (p = 50) AS p50, max(us) FILTER (p = 90) AS p90, max(us) FILTER (p = 95) AS p95,
           max(us) FILTER (p = 99) AS p99
    FROM ({percentile}) GROUP BY day
)
SELECT DATE '1970-01-01' + summed.day AS date, {shared}, {weekly}, retried::BIGINT AS retried_runs, {failure_rate},
       shortest / 1e6 AS min_execution_time_seconds, longest / 1e6 AS max_execution_time_seconds,
       CASE WHEN p50 IS NOT NULL THEN greatest(shortest, least(longest, p50)) / 1e6 END AS p50_execution_time_seconds,
       CASE WHEN p90 IS NOT NULL THEN greatest(shortest, least(longest, p90)) / 1e6 END AS p90_execution_time_seconds,
       greatest(shortest, least(longest, coalesce(summed.p95, percentile.p95))) / 1e6 AS p95_execution_time_seconds,
       CASE WHEN p99 IS NOT NULL THEN greatest(shortest, least(longest, p99)) / 1e6 END AS p99_execution_time_seconds,
       last_success, last_failure, greatest(last_success, last_failure, last_open) AS last_run
FROM summed LEFT JOIN percentile ON summed.day IS NOT DISTINCT FROM percentile.day
WINDOW week AS (ORDER BY summed.day RANGE BETWEEN 6 PRECEDING AND CURRENT ROW) ORDER BY summed.day NULLS FIRST

-- name: shared
-- The figures of sums that all answers have; a rate of nothing is 0. (A sum is a HUGEINT, which DuckDB's Python client takes
-- several times as long to hand over as a BIGINT.)
(succeeded + failed + open)::BIGINT AS total_runs, succeeded::BIGINT AS successful_runs, failed::BIGINT AS failed_runs,
open::BIGINT AS open_runs,
coalesce(succeeded / nullif(succeeded + failed, 0), 0) AS success_rate,
coalesce(duration_us / nullif(duration_count, 0), 0) / 1e6 AS avg_execution_time_seconds

-- name: failure_rate
coalesce(failed / nullif(succeeded + failed, 0), 0) AS failure_rate

-- name: weekly
-- Averages over seven days, weighted by runs.
coalesce(sum(succeeded) OVER week / nullif(sum(succeeded + failed) OVER week, 0), 0) AS success_rate_7d,
coalesce(sum(duration_us) OVER week / nullif(sum(duration_count) OVER week, 0), 0) / 1e6 AS avg_execution_time_seconds_7d

-- name: streak
-- Finished runs of the day of $turn, the time of the last run with the other result, from then on: how many are
-- newer, and how many of both results began in that very microsecond.
SELECT count(*) FILTER (run_at > $turn), count(*) FILTER (run_at = $turn AND success),
       count(*) FILTER (run_at = $turn AND NOT success)
FROM (SELECT run_at, task, success FROM {runs} AS run UNION ALL SELECT run_at, task, success FROM uncounted_run)
WHERE task = $task AND run_at >= $turn AND run_at < $high AND success IS NOT NULL

-- name: whole_runs
read_parquet($files, hive_partitioning = false)

-- name: ties
-- The runs of one microsecond, the newest first: among these the id decides.
SELECT success FROM (
    SELECT id, success, task_id, run_at FROM inlined_run
    UNION ALL SELECT id, success, task_id, run_at FROM {source}
)
WHERE task_id = $task_id AND run_at = make_timestamptz($turn) AND success IS NOT NULL ORDER BY id DESC
