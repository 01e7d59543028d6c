-- A part of task_stats.sql and summary.sql: one entry per UTC day of the window, made of `by_day` (figures that add
-- up) and `day_buckets` (durations by bucket).
day_ranks AS (
    -- Doubles, which hold these counts exactly: comparing sums as the HUGEINT they are takes twenty times as long.
    SELECT day, bucket, sum(CAST(n AS DOUBLE)) OVER (PARTITION BY day ORDER BY bucket) AS upto, 0.95 * top AS rank
    FROM day_buckets JOIN (SELECT day, sum(CAST(n AS DOUBLE)) - 1 AS top FROM day_buckets GROUP BY day) USING (day)
),
day_p95 AS (
    SELECT day, between_ranks(min(bucket) FILTER (upto > floor(rank)), min(bucket) FILTER (upto > ceil(rank)),
                              any_value(rank)) AS p95
    FROM day_ranks GROUP BY day
),
all_days AS (
    SELECT unnest(range($first_day, $last_day + 1)) AS day
),
daily AS (
    SELECT day,
           CAST(coalesce(good + bad + open, 0) AS BIGINT) AS total_runs,
           CAST(coalesce(good, 0) AS BIGINT) AS successful_runs,
           CAST(coalesce(bad, 0) AS BIGINT) AS failed_runs, CAST(coalesce(open, 0) AS BIGINT) AS open_runs,
           coalesce(good / nullif(good + bad, 0), 0.0) AS success_rate,
           coalesce(us / nullif(timed, 0) / 1e6, 0.0) AS avg_execution_time_seconds,
           least(greatest(p95, us_min), us_max) / 1e6 AS p95_execution_time_seconds,
           coalesce(sum(good) OVER week / nullif(sum(good + bad) OVER week, 0), 0.0) AS success_rate_7d,
           coalesce(sum(us) OVER week / nullif(sum(timed) OVER week, 0) / 1e6, 0.0) AS avg_execution_time_seconds_7d
    FROM all_days LEFT JOIN by_day USING (day) LEFT JOIN day_p95 USING (day)
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
