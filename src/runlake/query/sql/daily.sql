-- A part of task_stats.sql and summary.sql: one entry per UTC day of the window, made of the rows `runs`.
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
daily_entries AS (
    SELECT list({
            date: DATE '1970-01-01' + CAST(day AS INTEGER),
            total_runs: total_runs, successful_runs: successful_runs, failed_runs: failed_runs, open_runs: open_runs,
            success_rate: success_rate, avg_execution_time_seconds: avg_execution_time_seconds,
            p95_execution_time_seconds: p95_execution_time_seconds, success_rate_7d: success_rate_7d,
            avg_execution_time_seconds_7d: avg_execution_time_seconds_7d
        } ORDER BY day) AS entries FROM daily
)
