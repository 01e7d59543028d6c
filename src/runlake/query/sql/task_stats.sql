-- Statistics of one task over the window $start..$end (microseconds, both inside), in one row.
WITH runs AS MATERIALIZED (
    SELECT id, epoch_us(run_at) AS ran_at, success, attempt, epoch_us(finished_at) - epoch_us(started_at) AS us
    FROM read_parquet($files, hive_partitioning = false)
    WHERE task_id = $task_id AND run_at >= make_timestamptz($start) AND run_at <= make_timestamptz($end)
    UNION ALL
    SELECT id, epoch_us(run_at), success, attempt, epoch_us(finished_at) - epoch_us(started_at)
    FROM recent
    WHERE born <= $snapshot AND died > $snapshot
      AND task_id = $task_id AND run_at >= make_timestamptz($start) AND run_at <= make_timestamptz($end)
),
totals AS (
    SELECT count(*) AS total_runs,
           count(*) FILTER (success) AS successful_runs,
           count(*) FILTER (NOT success) AS failed_runs,
           count(*) FILTER (success IS NULL) AS open_runs,
           count(*) FILTER (attempt > 1) AS retried_runs,
           coalesce(count(*) FILTER (success) / nullif(count(success), 0), 0.0) AS success_rate,
           coalesce(count(*) FILTER (NOT success) / nullif(count(success), 0), 0.0) AS failure_rate,
           coalesce(sum(us) / count(us) / 1e6, 0.0) AS avg_execution_time_seconds,
           min(us) / 1e6 AS min_execution_time_seconds,
           quantile_cont(us, [0.5, 0.9, 0.95, 0.99]) AS quantiles,
           max(us) / 1e6 AS max_execution_time_seconds,
           max(ran_at) AS last_run,
           max(ran_at) FILTER (success) AS last_success,
           max(ran_at) FILTER (NOT success) AS last_failure,
           arg_max(success, (ran_at, id)) FILTER (success IS NOT NULL) AS streak_success
    FROM runs
),
-- The streak: finished runs, newest first, until the result first differs from the newest one's.
ordered AS (
    SELECT success = first_value(success) OVER newest AS alike, row_number() OVER newest AS position
    FROM runs WHERE success IS NOT NULL
    WINDOW newest AS (ORDER BY ran_at DESC, id DESC)
),
streak AS (
    SELECT coalesce(min(position) FILTER (NOT alike) - 1, count(*)) AS streak_length FROM ordered
),
{daily}
SELECT totals.* EXCLUDE (quantiles),
       quantiles[1] / 1e6 AS p50_execution_time_seconds,
       quantiles[2] / 1e6 AS p90_execution_time_seconds,
       quantiles[3] / 1e6 AS p95_execution_time_seconds,
       quantiles[4] / 1e6 AS p99_execution_time_seconds,
       streak_length,
       (SELECT entries FROM daily_entries) AS daily
FROM totals, streak
