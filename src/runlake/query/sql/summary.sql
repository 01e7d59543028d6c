-- Statistics of all tasks over a window and the one before it, in the way of statistics.sql. The two windows touch, and a
-- rollup is read once for both ({within}): from {now} on its spans belong to the later one. What a cell of a whole day or
-- month adds to its day is in day_figure, so it has no `day`.

-- `windows.cells` puts a statement's `{cells}` together: `month_cells`, `day_cells`, `hour_cells` and `run_cells` of `_cells`,
-- and so on. Their columns go by place, so a new one stands in all of them.

-- name: month_cells
SELECT month >= {now} AS current, NULL::INTEGER AS day, task, succeeded, failed, 0 AS open, duration_count, duration_us
FROM task_month WHERE {within}

-- name: day_cells
SELECT day >= {now}, NULL, task, succeeded, failed, 0, duration_count, duration_us
FROM task_day WHERE {within}

-- name: hour_cells
SELECT hour >= {now}, hour // 24, task, succeeded, failed, 0, duration_count, duration_us
FROM task_hour WHERE {within}

-- name: run_cells
SELECT run_at >= {now}, (run_at // 86400000000)::INTEGER, task, (success IS TRUE)::BIGINT, (success IS FALSE)::BIGINT,
       (success IS NULL)::BIGINT, (duration IS NOT NULL)::BIGINT, coalesce(duration, 0)::DOUBLE
FROM {runs} AS run WHERE {within}

-- name: summary_figures
-- All figures but percentiles, in rows of five kinds: `window` and `previous` are one row each, `daily` has one row for each
-- day, `top_failing_tasks` and `slowest_tasks` one for each of ten tasks. (Which tasks are slowest goes by their average:
-- percentiles are only known of the tasks that are listed, by `ranked_percentile`.)
WITH cell(current, day, task, succeeded, failed, open, duration_count, duration_us) AS MATERIALIZED ({cells}
), by_task AS MATERIALIZED (
    SELECT current, task, sum(succeeded) AS succeeded, sum(failed) AS failed, sum(open) AS open,
           sum(duration_count) AS duration_count, sum(duration_us) AS duration_us
    FROM cell GROUP BY current, task
), of_tasks AS MATERIALIZED (
    SELECT task, task_id, succeeded, failed, open, duration_count, duration_us,
           duration_us / nullif(duration_count, 0)::DOUBLE AS average
    FROM by_task JOIN task USING (task) WHERE current
), by_window AS (
    SELECT current, count(task) AS tasks, sum(succeeded) AS succeeded, sum(failed) AS failed,
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
SELECT kind, task, task_id, tasks AS total_tasks_executed, DATE '1970-01-01' + day AS date, {shared}, {failure_rate},
       coalesce(week_succeeded / nullif(week_finished, 0), 0) AS success_rate_7d,
       coalesce(week_us / nullif(week_count, 0), 0) / 1e6 AS avg_execution_time_seconds_7d
FROM (
    (SELECT 'top_failing_tasks' AS kind, * FROM of_tasks WHERE failed > 0 ORDER BY failed DESC, task_id LIMIT 10)
    UNION ALL BY NAME
    (SELECT 'slowest_tasks' AS kind, * FROM of_tasks WHERE duration_count > 0 ORDER BY average DESC, task_id LIMIT 10)
    UNION ALL BY NAME
    SELECT CASE WHEN current THEN 'window' ELSE 'previous' END AS kind, * EXCLUDE (current) FROM by_window
    UNION ALL BY NAME
    (SELECT 'daily' AS kind, *, sum(succeeded) OVER week AS week_succeeded, sum(succeeded + failed) OVER week AS week_finished,
            sum(duration_us) OVER week AS week_us, sum(duration_count) OVER week AS week_count
     FROM daily WINDOW week AS (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) ORDER BY day)
)

-- name: uncounted_days
SELECT DISTINCT (run_at // 86400000000)::INTEGER FROM uncounted_run

-- name: month_durations
SELECT NULL::INTEGER AS day, bucket, runs FROM month_histogram WHERE {within}

-- name: day_durations
-- With its day where runs are not counted yet, because those change its percentile.
SELECT CASE WHEN list_contains($uncounted, day) THEN day END, bucket, runs
FROM day_histogram WHERE {within}

-- name: hour_durations
SELECT hour // 24, bucket, runs FROM hour_histogram WHERE {within}

-- name: run_durations
SELECT (run_at // 86400000000)::INTEGER, bucket, 1 FROM {runs} AS run
WHERE {within} AND bucket IS NOT NULL

-- name: percentiles
-- Of the whole window (date is null), and of the days whose 95th percentile is not in day_figure as it is.
WITH by_day AS MATERIALIZED (
    SELECT day, bucket, sum(runs) AS runs FROM ({cells}) AS cell(day, bucket, runs) GROUP BY day, bucket
), bucketed AS (
    SELECT NULL::INTEGER AS day, bucket, sum(runs) AS runs FROM by_day GROUP BY bucket
    UNION ALL SELECT day, bucket, runs FROM by_day WHERE day IS NOT NULL
)
SELECT DATE '1970-01-01' + day AS date, p, us / 1e6 FROM ({percentile})
UNION ALL
SELECT DATE '1970-01-01' + day, 95, p95 / 1e6 FROM day_figure
WHERE day >= $whole_first AND day < $whole_last AND p95 IS NOT NULL AND NOT list_contains($uncounted, day)

-- name: month_ranked
SELECT task, timed.bucket AS bucket, timed.succeeded + timed.failed AS runs FROM (
    SELECT task, unnest(durations) AS timed FROM task_month WHERE {within} AND task IN ({tasks})
)

-- name: day_ranked
SELECT task, timed.bucket, timed.succeeded + timed.failed FROM (
    SELECT task, unnest(durations) AS timed FROM day_of_task WHERE {within} AND task IN ({tasks})
)

-- name: hour_ranked
SELECT task, timed.bucket, timed.succeeded + timed.failed FROM (
    SELECT task, unnest(durations) AS timed FROM task_hour WHERE {within} AND task IN ({tasks})
)

-- name: run_ranked
SELECT task, bucket, 1 FROM {runs} AS run
WHERE {within} AND bucket IS NOT NULL AND task IN ({tasks})

-- name: ranked_percentile
-- The 95th percentile of each ranked task.
WITH bucketed AS (
    SELECT task, bucket, sum(runs) AS runs FROM ({cells}) AS cell(task, bucket, runs) GROUP BY task, bucket
)
SELECT task, us / 1e6 FROM ({percentile})
