-- Statistics of all tasks over $start..$end (microseconds, both inside) and over $before..$start, in one row: counts
-- of the whole days $first <= day < $last and $first_before <= day < $last_before, and the runs of the other days,
-- which are in $files, and in memory.
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
-- The runs outside whole days, added up by period, day and task.
edges AS MATERIALIZED (
    -- Sums of zeros and ones, because counts with a FILTER take longer.
    SELECT current, day, task_id, good, done - good AS bad, total - done AS open, timed, us, us_min, us_max
    FROM (
        SELECT ran_at >= $start AS current, ran_at // 86400000000 AS day, task_id, count(*) AS total,
               count(success) AS done, coalesce(sum(CAST(success AS INTEGER)), 0) AS good,
               count(us) AS timed, sum(us) AS us, min(us) AS us_min, max(us) AS us_max
        FROM two_periods GROUP BY ALL
    )
),
days AS MATERIALIZED (
    SELECT current, day, sum(good) AS good, sum(bad) AS bad, sum(open) AS open, sum(timed) AS timed, sum(us) AS us,
           min(us_min) AS us_min, max(us_max) AS us_max
    FROM (
        SELECT unit // 24 >= $first AS current, unit // 24 AS day, good + good_unstarted AS good,
               bad + bad_unstarted AS bad, 0 AS open, timed, us, us_min, us_max
        FROM hours
        WHERE born <= $snapshot AND died > $snapshot
          AND (unit >= $first * 24 AND unit < $last * 24
               OR unit >= $first_before * 24 AND unit < $last_before * 24)
        UNION ALL
        SELECT * EXCLUDE (task_id) FROM edges
    ) GROUP BY ALL
),
by_day AS (FROM days WHERE current),
by_task AS MATERIALIZED (
    SELECT task_id, CAST(sum(total) AS BIGINT) AS total_runs, CAST(sum(bad) AS BIGINT) AS failed_runs,
           coalesce(sum(good) / nullif(sum(good + bad), 0), 0.0) AS success_rate,
           sum(timed) AS timed, coalesce(sum(us) / nullif(sum(timed), 0) / 1e6, 0.0) AS avg_execution_time_seconds
    FROM (
        SELECT task_id, good, bad, good + bad AS total, timed, us
        FROM day_tasks WHERE born <= $snapshot AND died > $snapshot AND unit >= $first AND unit < $last
        UNION ALL
        SELECT task_id, good, bad, good + bad + open, timed, us FROM edges WHERE current
    ) GROUP BY task_id
),
tasks_before AS (
    SELECT task_id FROM day_tasks
    WHERE born <= $snapshot AND died > $snapshot AND unit >= $first_before AND unit < $last_before
    UNION
    SELECT task_id FROM edges WHERE NOT current
),
-- Figures of the two periods; the sums are exact, the rates are made of them.
periods AS (
    SELECT current, CAST(sum(good + bad + open) AS BIGINT) AS total_runs, CAST(sum(good) AS BIGINT) AS successful_runs,
           CAST(sum(bad) AS BIGINT) AS failed_runs, CAST(sum(open) AS BIGINT) AS open_runs,
           coalesce(sum(good) / nullif(sum(good + bad), 0), 0.0) AS success_rate,
           coalesce(sum(bad) / nullif(sum(good + bad), 0), 0.0) AS failure_rate,
           coalesce(sum(us) / nullif(sum(timed), 0) / 1e6, 0.0) AS avg_execution_time_seconds,
           min(us_min) AS shortest, max(us_max) AS longest
    -- A row of nothing for each period, so that an empty one has zeros.
    FROM (FROM days UNION ALL SELECT unnest([true, false]), 0, 0, 0, 0, 0, 0, NULL, NULL) GROUP BY current
),
totals AS (SELECT (SELECT count(*) FROM by_task) AS total_tasks_executed, * EXCLUDE (current) FROM periods WHERE current),
previous AS (
    SELECT (SELECT count(*) FROM tasks_before) AS total_tasks_executed, * EXCLUDE (current, shortest, longest)
    FROM periods WHERE NOT current
),
day_buckets AS MATERIALIZED (
    SELECT day, bucket, CAST(sum(n) AS BIGINT) AS n FROM (
        SELECT unit AS day, bucket, n FROM day_histograms
        WHERE born <= $snapshot AND died > $snapshot AND unit >= $first AND unit < $last
        UNION ALL
        SELECT ran_at // 86400000000, bucket_of(us), 1 FROM two_periods WHERE ran_at >= $start AND us IS NOT NULL
    ) GROUP BY day, bucket
),
{percentiles},
{daily},
failing AS (
    SELECT task_id, row_number() OVER (ORDER BY failed_runs DESC, task_id) AS place
    FROM by_task WHERE failed_runs > 0 QUALIFY place <= 10
),
slowest AS (
    SELECT task_id, row_number() OVER (ORDER BY avg_execution_time_seconds DESC, task_id) AS place
    FROM by_task WHERE timed > 0 QUALIFY place <= 10
),
figures AS (
    SELECT task_id, {
        task_id: CAST(task_id AS VARCHAR), total_runs: total_runs, failed_runs: failed_runs,
        success_rate: success_rate, avg_execution_time_seconds: avg_execution_time_seconds
    } AS entry
    FROM by_task
)
SELECT totals.* EXCLUDE (shortest, longest),
       percentiles.*,
       (SELECT previous FROM previous) AS previous,
       (SELECT entries FROM daily_entries) AS daily,
       coalesce((SELECT list(entry ORDER BY place) FROM failing JOIN figures USING (task_id)), []) AS top_failing_tasks,
       coalesce((SELECT list(entry ORDER BY place) FROM slowest JOIN figures USING (task_id)), []) AS slowest_tasks
FROM totals, percentiles
