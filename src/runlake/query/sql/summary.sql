-- Statistics of all tasks over a window and the one before it, in the way of statistics.sql. The two windows touch, so a
-- span may belong to both: {low} up to {before} to the earlier one, {now} up to {high} to the later one. What a cell
-- of a whole day or month adds to its day is in day_figure, so it has no `day`.

-- name: month_cells
SELECT month >= {now} AS current, NULL::INTEGER AS day, task, succeeded, failed, 0 AS open, duration_count, duration_us
FROM task_month WHERE month >= {low} AND month < {high} {apart}

-- name: day_cells
SELECT day >= {now}, NULL, task, succeeded, failed, 0, duration_count, duration_us
FROM task_day WHERE day >= {low} AND day < {high} {apart}

-- name: hour_cells
SELECT hour >= {now}, hour // 24, task, succeeded, failed, 0, duration_count, duration_us
FROM task_hour WHERE hour >= {low} AND hour < {high} {apart}

-- name: run_cells
SELECT run_at >= {now}, (run_at // 86400000000)::INTEGER, task, (success IS TRUE)::BIGINT, (success IS FALSE)::BIGINT,
       (success IS NULL)::BIGINT, (duration IS NOT NULL)::BIGINT, coalesce(duration, 0)::DOUBLE
FROM {runs} AS run WHERE run_at >= {low} AND run_at < {high} {apart}

-- name: gap
AND ({column} < {before} OR {column} >= {now})

-- name: figures
-- Rows of four kinds: the two rankings with a row a task, the two windows with a row each, and the days.
WITH cell(current, day, task, succeeded, failed, open, duration_count, duration_us) AS MATERIALIZED ({cells}
), by_task AS MATERIALIZED (
    SELECT current, task, sum(succeeded) AS succeeded, sum(failed) AS failed, sum(open) AS open,
           sum(duration_count) AS duration_count, sum(duration_us) AS duration_us
    FROM cell GROUP BY current, task
), ranked AS MATERIALIZED (
    SELECT task, task_id, duration_count, {shared} FROM by_task JOIN task USING (task) WHERE current
), by_window AS (
    SELECT current, count(task) AS total_tasks_executed, sum(succeeded) AS succeeded, sum(failed) AS failed,
           sum(open) AS open, sum(duration_count) AS duration_count, sum(duration_us) AS duration_us
    FROM (FROM by_task UNION ALL VALUES (true, NULL, 0, 0, 0, 0, 0), (false, NULL, 0, 0, 0, 0, 0)) GROUP BY current
), daily AS (
    SELECT day, sum(succeeded) AS succeeded, sum(failed) AS failed, sum(open) AS open,
           sum(duration_count) AS duration_count, sum(duration_us) AS duration_us
    FROM (
        SELECT day, succeeded, failed, open, duration_count, duration_us FROM cell
        WHERE current AND day IS NOT NULL
        UNION ALL
        SELECT day, succeeded, failed, 0, duration_count, duration_us FROM day_figure
        WHERE day >= $whole_first AND day < $whole_last
        UNION ALL SELECT unnest(range($first_day, $last_day + 1))::INTEGER, 0, 0, 0, 0, 0
    ) GROUP BY day
)
(SELECT 'top_failing_tasks' AS kind, * EXCLUDE (duration_count) FROM ranked WHERE failed_runs > 0
 ORDER BY failed_runs DESC, task_id LIMIT 10)
UNION ALL BY NAME
(SELECT 'slowest_tasks' AS kind, * EXCLUDE (duration_count) FROM ranked WHERE duration_count > 0
 ORDER BY avg_execution_time_seconds DESC, task_id LIMIT 10)
UNION ALL BY NAME
SELECT CASE WHEN current THEN 'window' ELSE 'previous' END AS kind, total_tasks_executed, {shared}, {failure_rate} FROM by_window
UNION ALL BY NAME
(SELECT 'daily' AS kind, DATE '1970-01-01' + day AS date, {shared}, {weekly} FROM daily
 WINDOW week AS (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) ORDER BY day)

-- name: uncounted_days
SELECT DISTINCT (run_at // 86400000000)::INTEGER FROM uncounted_run

-- name: month_durations
SELECT NULL::INTEGER AS day, bucket, runs FROM month_histogram WHERE month >= {low} AND month < {high}

-- name: day_durations
-- With its day where runs are not counted yet, because those change its percentile.
SELECT CASE WHEN list_contains($uncounted, day) THEN day END, bucket, runs
FROM day_histogram WHERE day >= {low} AND day < {high}

-- name: hour_durations
SELECT hour // 24, bucket, runs FROM hour_histogram WHERE hour >= {low} AND hour < {high}

-- name: run_durations
SELECT (run_at // 86400000000)::INTEGER, bucket, 1 FROM {runs} AS run
WHERE run_at >= {low} AND run_at < {high} AND bucket IS NOT NULL

-- name: percentiles
-- Of the whole window (day is null), and of the days whose 95th percentile is not in day_figure as it is.
WITH bucketed AS MATERIALIZED (
    SELECT day, bucket, sum(runs) AS runs FROM ({cells}) AS cell(day, bucket, runs) GROUP BY day, bucket
), ranked AS (
    SELECT day, bucket, sum(runs) OVER (PARTITION BY day ORDER BY bucket) AS upto,
           sum(runs) OVER (PARTITION BY day) - 1 AS last
    FROM (
        SELECT NULL::INTEGER AS day, bucket, sum(runs) AS runs FROM bucketed GROUP BY bucket
        UNION ALL SELECT day, bucket, runs FROM bucketed WHERE day IS NOT NULL
    )
)
SELECT DATE '1970-01-01' + day AS date, p50 / 1e6 AS p50_execution_time_seconds, p90 / 1e6 AS p90_execution_time_seconds,
       p95 / 1e6 AS p95_execution_time_seconds, p99 / 1e6 AS p99_execution_time_seconds
FROM (SELECT day, {between} FROM (SELECT day, last, {neighbours} FROM ranked GROUP BY day, last))
UNION ALL
SELECT DATE '1970-01-01' + day, NULL, NULL, p95 / 1e6, NULL FROM day_figure
WHERE day >= $whole_first AND day < $whole_last AND p95 IS NOT NULL AND NOT list_contains($uncounted, day)

-- name: month_ranked
SELECT task, timed.bucket AS bucket, timed.succeeded + timed.failed AS runs FROM (
    SELECT task, unnest(durations) AS timed FROM task_month WHERE month >= {low} AND month < {high} AND task IN ({tasks})
)

-- name: day_ranked
SELECT task, timed.bucket, timed.succeeded + timed.failed FROM (
    SELECT task, unnest(durations) AS timed FROM day_of_task WHERE day >= {low} AND day < {high} AND task IN ({tasks})
)

-- name: hour_ranked
SELECT task, timed.bucket, timed.succeeded + timed.failed FROM (
    SELECT task, unnest(durations) AS timed FROM task_hour WHERE hour >= {low} AND hour < {high} AND task IN ({tasks})
)

-- name: run_ranked
SELECT task, bucket, 1 FROM {runs} AS run
WHERE run_at >= {low} AND run_at < {high} AND bucket IS NOT NULL AND task IN ({tasks})

-- name: ranked_percentile
-- The 95th percentile of each ranked task.
WITH ranked AS (
    SELECT task, bucket, sum(runs) OVER (PARTITION BY task ORDER BY bucket) AS upto,
           sum(runs) OVER (PARTITION BY task) - 1 AS last
    FROM (
        SELECT task, bucket, sum(runs) AS runs FROM ({cells}) AS cell(task, bucket, runs) GROUP BY task, bucket
    )
)
SELECT task, p95 / 1e6 FROM (
    SELECT task, {between} FROM (SELECT task, last, {neighbours} FROM ranked GROUP BY task, last)
)
