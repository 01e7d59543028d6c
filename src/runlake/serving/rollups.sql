-- The rollups, each one GROUP BY over `counting`: the narrow columns of finished runs, with their quarter, hour and day.
-- Adding one is a block here, a table in schema.sql, how it adds up in count.sql and a new layout number.
-- {unit} is quarter, hour or day.

-- name: counts
-- Runs of all tasks by {unit}.
SELECT {unit}, success, started, count(*) AS runs, count(duration) AS duration_count,
       coalesce(sum(duration), 0)::DOUBLE AS duration_us
FROM counting GROUP BY ALL

-- name: of_task
-- Figures of each task by {unit}, and its durations by bucket and result. {also} is nothing, or `of_day`.
-- (A list in the order of its buckets takes six times as long; a list of structs needs no order.)
WITH bucketed AS (
    SELECT {unit}, task, bucket, count(*) FILTER (success)::UINTEGER AS succeeded,
           count(*) FILTER (NOT success)::UINTEGER AS failed
    FROM counting WHERE bucket IS NOT NULL GROUP BY ALL
), histogram AS (
    SELECT {unit}, task, list({'bucket': bucket, 'succeeded': succeeded, 'failed': failed}) AS durations
    FROM bucketed GROUP BY ALL
), figure AS (
    SELECT {unit}, task, count(*) FILTER (success) AS succeeded, count(*) FILTER (NOT success) AS failed,
           count(*) FILTER (success AND NOT started) AS succeeded_unstarted,
           count(*) FILTER (NOT success AND NOT started) AS failed_unstarted,
           count(*) FILTER (attempt > 1) AS retried, count(*) FILTER (attempt > 1 AND NOT started) AS retried_unstarted,
           count(duration) AS duration_count,
           coalesce(sum(duration), 0)::DOUBLE AS duration_us, min(duration) AS shortest, max(duration) AS longest,
           max(run_at) FILTER (success) AS last_success, max(run_at) FILTER (NOT success) AS last_failure,
           max(run_at) FILTER (success AND started) AS last_started_success,
           max(run_at) FILTER (NOT success AND started) AS last_started_failure {also}
    FROM counting GROUP BY ALL
)
SELECT figure.*, durations FROM figure LEFT JOIN histogram USING ({unit}, task) ORDER BY {unit}, task

-- name: of_day
, bit_or(1::UHUGEINT << (quarter % 96)::UHUGEINT) AS quarters, quantile_cont(bucket_middle(bucket), 0.95) AS p95

-- name: histogram
-- Durations of all tasks by {unit}, result and bucket.
SELECT {unit}, success, bucket, count(*) AS runs FROM counting WHERE bucket IS NOT NULL GROUP BY ALL ORDER BY ALL

-- name: of_owner
-- Figures of each lease owner by {unit}, of runs that have started.
SELECT {unit}, lease_owner, count(*) FILTER (success) AS succeeded, count(*) FILTER (NOT success) AS failed,
       count(duration) AS duration_count, coalesce(sum(duration), 0)::DOUBLE AS duration_us, max(run_at) AS last_run
FROM counting WHERE lease_owner IS NOT NULL AND started GROUP BY ALL ORDER BY ALL

-- name: of_attempt
-- Runs that have started, of each attempt and power of two of seconds by {unit}.
SELECT {unit}, attempt, coalesce(power_of_two(duration), -1)::DOUBLE AS seconds, count(*) AS runs
FROM counting WHERE started GROUP BY ALL ORDER BY ALL

-- name: hot_run
SELECT run_at, task, success, started, duration, bucket, attempt, lease_owner FROM counting
WHERE run_at >= (SELECT hot_from FROM state)

-- name: day_figure
-- All tasks of some days ({days}), from the rollups above. The percentile is the one that a question would find in the
-- histogram: an answer must not change when its runs are counted.
WITH bucketed AS (
    SELECT day, bucket, sum(runs) AS runs FROM day_histogram WHERE day IN {days} GROUP BY day, bucket
), figure AS (
    SELECT day, sum(succeeded)::BIGINT AS succeeded, sum(failed)::BIGINT AS failed,
           sum(duration_count)::BIGINT AS duration_count, sum(duration_us) AS duration_us
    FROM task_day WHERE day IN {days} GROUP BY day
)
SELECT day, succeeded, failed, duration_count, duration_us, us AS p95
FROM figure LEFT JOIN ({percentile}) USING (day) ORDER BY day
