-- Statistics of all tasks over $start..$end (microseconds, both inside) and over $before..$start, in one row.
WITH two_periods AS MATERIALIZED (
    SELECT task_id, epoch_us(run_at) AS ran_at, success, epoch_us(finished_at) - epoch_us(started_at) AS us
    FROM read_parquet($files, hive_partitioning = false)
    WHERE run_at >= make_timestamptz($before) AND run_at <= make_timestamptz($end)
    UNION ALL
    SELECT task_id, epoch_us(run_at), success, epoch_us(finished_at) - epoch_us(started_at)
    FROM recent
    WHERE born <= $snapshot AND died > $snapshot
      AND run_at >= make_timestamptz($before) AND run_at <= make_timestamptz($end)
),
runs AS (FROM two_periods WHERE ran_at >= $start),
totals AS (
    SELECT count(*) AS total_runs,
           count(DISTINCT task_id) AS total_tasks_executed,
           count(*) FILTER (success) AS successful_runs,
           count(*) FILTER (NOT success) AS failed_runs,
           count(*) FILTER (success IS NULL) AS open_runs,
           coalesce(count(*) FILTER (success) / nullif(count(success), 0), 0.0) AS success_rate,
           coalesce(count(*) FILTER (NOT success) / nullif(count(success), 0), 0.0) AS failure_rate,
           coalesce(sum(us) / count(us) / 1e6, 0.0) AS avg_execution_time_seconds,
           quantile_cont(us, [0.5, 0.9, 0.95, 0.99]) AS quantiles
    FROM runs
),
previous AS (
    SELECT count(*) AS total_runs,
           count(DISTINCT task_id) AS total_tasks_executed,
           count(*) FILTER (success) AS successful_runs,
           count(*) FILTER (NOT success) AS failed_runs,
           count(*) FILTER (success IS NULL) AS open_runs,
           coalesce(count(*) FILTER (success) / nullif(count(success), 0), 0.0) AS success_rate,
           coalesce(count(*) FILTER (NOT success) / nullif(count(success), 0), 0.0) AS failure_rate,
           coalesce(sum(us) / count(us) / 1e6, 0.0) AS avg_execution_time_seconds
    FROM two_periods WHERE ran_at < $start
),
{daily},
by_task AS MATERIALIZED (
    SELECT task_id, count(*) AS total_runs, count(*) FILTER (NOT success) AS failed_runs,
           coalesce(count(*) FILTER (success) / nullif(count(success), 0), 0.0) AS success_rate,
           count(us) AS timed,
           coalesce(sum(us) / count(us) / 1e6, 0.0) AS avg_execution_time_seconds
    FROM runs GROUP BY task_id
),
failing AS (
    SELECT task_id, row_number() OVER (ORDER BY failed_runs DESC, task_id) AS place
    FROM by_task WHERE failed_runs > 0 QUALIFY place <= 10
),
slowest AS (
    SELECT task_id, row_number() OVER (ORDER BY avg_execution_time_seconds DESC, task_id) AS place
    FROM by_task WHERE timed > 0 QUALIFY place <= 10
),
-- The percentile only of the tasks that are shown.
shown AS (
    SELECT task_id, quantile_cont(us, 0.95) / 1e6 AS p95
    FROM runs WHERE task_id IN (SELECT task_id FROM failing UNION SELECT task_id FROM slowest)
    GROUP BY task_id
),
figures AS (
    SELECT task_id, {
        task_id: CAST(task_id AS VARCHAR), total_runs: total_runs, failed_runs: failed_runs,
        success_rate: success_rate, avg_execution_time_seconds: avg_execution_time_seconds,
        p95_execution_time_seconds: p95
    } AS entry
    FROM by_task JOIN shown USING (task_id)
)
SELECT totals.* EXCLUDE (quantiles),
       quantiles[1] / 1e6 AS p50_execution_time_seconds,
       quantiles[2] / 1e6 AS p90_execution_time_seconds,
       quantiles[3] / 1e6 AS p95_execution_time_seconds,
       quantiles[4] / 1e6 AS p99_execution_time_seconds,
       (SELECT previous FROM previous) AS previous,
       (SELECT entries FROM daily_entries) AS daily,
       coalesce((SELECT list(entry ORDER BY place) FROM failing JOIN figures USING (task_id)), []) AS top_failing_tasks,
       coalesce((SELECT list(entry ORDER BY place) FROM slowest JOIN figures USING (task_id)), []) AS slowest_tasks
FROM totals
