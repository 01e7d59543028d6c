-- Statistics of a window. Each is one statement over the spans of its window (see spans.py): a branch a span, with its
-- bounds {low} and {high}, from the rollup of its size; the hours that the window cuts from {runs}, which are hot_run,
-- uncounted_run, or the Parquet files of that day. Durations are microseconds until they are answered.

-- name: runs_in_files
-- The counted runs of the exact files of a day, as hot_run has them for newer days.
(SELECT id, epoch_us(run_at) AS run_at, task, success, started_at IS NOT NULL AS started,
        epoch_us(finished_at) - epoch_us(started_at) AS duration,
        duration_bucket(epoch_us(finished_at) - epoch_us(started_at)) AS bucket, attempt
 FROM read_parquet($files_{low}, hive_partitioning = false) JOIN task USING (task_id)
 WHERE run_at >= make_timestamptz({low}) AND run_at < make_timestamptz({high})
   AND id NOT IN (SELECT id FROM uncounted_run WHERE run_at >= {low} AND run_at < {high}))

-- name: files_of_day
SELECT path FROM live_file WHERE day = $day AND readable

-- name: of_task
-- Runs of a task, for the days that a window cuts in two and for what is not counted yet.
SELECT run_at, success, duration, bucket, attempt FROM {runs} AS run
WHERE run_at >= {low} AND run_at < {high} AND task = $task

-- name: day_of_task
SELECT day, succeeded, failed, retried, duration_count, duration_us, shortest, longest, last_success, last_failure,
       durations
FROM day_of_task WHERE task = $task AND day >= {low} AND day < {high}

-- name: hour_of_task
SELECT hour // 24, succeeded, failed, retried, duration_count, duration_us, shortest, longest, last_success,
       last_failure, durations
FROM task_hour WHERE hour >= {low} AND hour < {high} AND task = $task

-- name: task_statistics
-- The whole window (day is {every}) and each of its days: sums, windowed sums over seven entries, and percentiles from the
-- histograms; rank p * (n - 1) lies between two neighbours.
WITH run AS MATERIALIZED (
    SELECT (run_at // 86400000000)::INTEGER AS day, * FROM ({runs})
), cell(day, succeeded, failed, retried, duration_count, duration_us, shortest, longest, last_success, last_failure,
        durations) AS MATERIALIZED ({cells}
), by_day AS MATERIALIZED (
    SELECT day, sum(succeeded) AS succeeded, sum(failed) AS failed, sum(open) AS open, sum(retried) AS retried,
           sum(duration_count) AS duration_count, sum(duration_us) AS duration_us, min(shortest) AS shortest,
           max(longest) AS longest, max(last_success) AS last_success, max(last_failure) AS last_failure,
           max(last_open) AS last_open
    FROM (
        SELECT day, succeeded, failed, 0 AS open, retried, duration_count, duration_us, shortest, longest,
               last_success, last_failure, NULL AS last_open
        FROM cell
        UNION ALL
        SELECT day, count(*) FILTER (success), count(*) FILTER (NOT success), count(*) FILTER (success IS NULL),
               count(*) FILTER (attempt > 1), count(duration), coalesce(sum(duration), 0)::DOUBLE, min(duration),
               max(duration), max(run_at) FILTER (success), max(run_at) FILTER (NOT success),
               max(run_at) FILTER (success IS NULL)
        FROM run GROUP BY day
    ) GROUP BY day
), bucketed AS MATERIALIZED (
    SELECT day, bucket, sum(runs) AS runs FROM (
        SELECT day, timed.bucket AS bucket, timed.succeeded + timed.failed AS runs
        FROM (SELECT day, unnest(durations) AS timed FROM cell)
        UNION ALL SELECT day, bucket, 1 FROM run WHERE bucket IS NOT NULL
    ) GROUP BY day, bucket
), ranked AS (
    SELECT day, {middle} AS middle, sum(runs) OVER (PARTITION BY day ORDER BY bucket) AS upto,
           sum(runs) OVER (PARTITION BY day) - 1 AS last
    FROM (FROM bucketed UNION ALL SELECT {every}, bucket, sum(runs) FROM bucketed GROUP BY bucket)
), percentile AS (
    SELECT day, {between} FROM (SELECT day, last, {neighbours} FROM ranked GROUP BY day, last)
), entry AS (
    SELECT day, succeeded, failed, open, retried, duration_count, duration_us, shortest, longest, last_success,
           last_failure, last_open, sum(succeeded) OVER week AS week_succeeded,
           sum(succeeded + failed) OVER week AS week_finished, sum(duration_us) OVER week AS week_us,
           sum(duration_count) OVER week AS week_count
    FROM (SELECT unnest(range($first_day, $last_day + 1))::INTEGER AS day) LEFT JOIN by_day USING (day)
    WINDOW week AS (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW)
    UNION ALL
    SELECT {every}, sum(succeeded), sum(failed), sum(open), sum(retried), sum(duration_count), sum(duration_us),
           min(shortest), max(longest), max(last_success), max(last_failure), max(last_open), 0, 0, 0, 0
    FROM by_day
)
SELECT * EXCLUDE (p50, p90, p95, p99), greatest(shortest, least(longest, p50)), greatest(shortest, least(longest, p90)),
       greatest(shortest, least(longest, p95)), greatest(shortest, least(longest, p99))
FROM entry LEFT JOIN percentile USING (day) ORDER BY day

-- name: middle
-- The duration in the middle of a bucket. (As a macro it would be bound in each place anew, which takes milliseconds.)
CASE WHEN bucket < 50 THEN bucket::DOUBLE ELSE 50 * pow(1.0198, bucket - 49.5) END

-- name: neighbours
-- What stands on both sides of rank {p} / 100 * last.
min(middle) FILTER (upto > floor({p} / 100 * last)) AS low{p}, min(middle) FILTER (upto > ceil({p} / 100 * last)) AS high{p}

-- name: between
low{p} + (high{p} - low{p}) * ({p} / 100 * last - floor({p} / 100 * last)) AS p{p}

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
