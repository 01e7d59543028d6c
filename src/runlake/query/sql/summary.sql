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
by_day AS (
    SELECT ran_at // 86400000000 AS day,
           count(*) AS total, count(*) FILTER (success) AS good, count(*) FILTER (NOT success) AS bad,
           count(*) FILTER (success IS NULL) AS open,
           sum(us) AS us, count(us) AS timed, quantile_cont(us, 0.95) AS p95
    FROM runs GROUP BY ALL
),
all_days AS (
    SELECT unnest(range($first_day, $last_day + 1)) AS day
),
daily AS (
    SELECT day,
           coalesce(total, 0) AS total_runs, coalesce(good, 0) AS successful_runs, coalesce(bad, 0) AS failed_runs,
           coalesce(open, 0) AS open_runs,
           coalesce(good / nullif(good + bad, 0), 0.0) AS success_rate,
           coalesce(us / nullif(timed, 0) / 1e6, 0.0) AS avg_execution_time_seconds,
           p95 / 1e6 AS p95_execution_time_seconds,
           coalesce(sum(good) OVER week / nullif(sum(good + bad) OVER week, 0), 0.0) AS success_rate_7d,
           coalesce(sum(us) OVER week / nullif(sum(timed) OVER week, 0) / 1e6, 0.0) AS avg_execution_time_seconds_7d
    FROM all_days LEFT JOIN by_day USING (day)
    WINDOW week AS (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW)
),
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
       (SELECT list({
            date: DATE '1970-01-01' + CAST(day AS INTEGER),
            total_runs: total_runs, successful_runs: successful_runs, failed_runs: failed_runs, open_runs: open_runs,
            success_rate: success_rate, avg_execution_time_seconds: avg_execution_time_seconds,
            p95_execution_time_seconds: p95_execution_time_seconds, success_rate_7d: success_rate_7d,
            avg_execution_time_seconds_7d: avg_execution_time_seconds_7d
        } ORDER BY day) FROM daily) AS daily,
       coalesce((SELECT list(entry ORDER BY place) FROM failing JOIN figures USING (task_id)), []) AS top_failing_tasks,
       coalesce((SELECT list(entry ORDER BY place) FROM slowest JOIN figures USING (task_id)), []) AS slowest_tasks
FROM totals
