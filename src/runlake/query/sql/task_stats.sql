-- Statistics of one task over the window $start..$end (microseconds, both inside), in one row: counts of its whole
-- days $first <= day < $last, and the runs of its other days, which are in $files, and in memory.
WITH runs AS MATERIALIZED (
    SELECT epoch_us(run_at) AS ran_at, success, attempt, epoch_us(finished_at) - epoch_us(started_at) AS us
    FROM read_parquet($files, hive_partitioning = false)
    WHERE task_id = $task_id AND run_at >= make_timestamptz($start) AND run_at <= make_timestamptz($end)
    UNION ALL
    SELECT epoch_us(run_at), success, attempt, epoch_us(finished_at) - epoch_us(started_at)
    FROM recent
    WHERE born <= $snapshot AND died > $snapshot
      AND task_id = $task_id AND run_at >= make_timestamptz($start) AND run_at <= make_timestamptz($end)
),
parts AS (
    SELECT unit AS day, good + good_unstarted AS good, bad + bad_unstarted AS bad, 0 AS open, retried,
           timed, us, us_min, us_max, last_good, last_bad, NULL AS last_open
    FROM cells
    WHERE born <= $snapshot AND died > $snapshot AND task_id = $task_id AND unit >= $first AND unit < $last
    UNION ALL
    SELECT ran_at // 86400000000, count(*) FILTER (success), count(*) FILTER (NOT success),
           count(*) FILTER (success IS NULL), count(*) FILTER (attempt > 1), count(us), sum(us), min(us), max(us),
           max(ran_at) FILTER (success), max(ran_at) FILTER (NOT success), max(ran_at) FILTER (success IS NULL)
    FROM runs GROUP BY ALL
),
by_day AS MATERIALIZED (
    SELECT day, CAST(sum(good) AS BIGINT) AS good, CAST(sum(bad) AS BIGINT) AS bad, CAST(sum(open) AS BIGINT) AS open,
           CAST(sum(retried) AS BIGINT) AS retried, CAST(sum(timed) AS BIGINT) AS timed, sum(us) AS us,
           min(us_min) AS us_min, max(us_max) AS us_max,
           max(last_good) AS last_good, max(last_bad) AS last_bad, max(last_open) AS last_open
    FROM parts GROUP BY day
),
day_buckets AS MATERIALIZED (
    SELECT day, bucket, CAST(sum(n) AS BIGINT) AS n FROM (
        SELECT unit AS day, unnest(buckets) AS bucket, unnest(counts) AS n FROM histograms
        WHERE born <= $snapshot AND died > $snapshot AND task_id = $task_id AND unit >= $first AND unit < $last
        UNION ALL
        SELECT ran_at // 86400000000, bucket_of(us), 1 FROM runs WHERE us IS NOT NULL
    ) GROUP BY day, bucket
),
totals AS (
    SELECT CAST(coalesce(sum(good + bad + open), 0) AS BIGINT) AS total_runs,
           CAST(coalesce(sum(good), 0) AS BIGINT) AS successful_runs,
           CAST(coalesce(sum(bad), 0) AS BIGINT) AS failed_runs,
           CAST(coalesce(sum(open), 0) AS BIGINT) AS open_runs,
           CAST(coalesce(sum(retried), 0) AS BIGINT) AS retried_runs,
           coalesce(sum(good) / nullif(sum(good + bad), 0), 0.0) AS success_rate,
           coalesce(sum(bad) / nullif(sum(good + bad), 0), 0.0) AS failure_rate,
           coalesce(sum(us) / nullif(sum(timed), 0) / 1e6, 0.0) AS avg_execution_time_seconds,
           min(us_min) AS shortest, max(us_max) AS longest,
           greatest(max(last_good), max(last_bad), max(last_open)) AS last_run,
           max(last_good) AS last_success, max(last_bad) AS last_failure
    FROM by_day
),
{percentiles},
{daily}
SELECT totals.* EXCLUDE (shortest, longest),
       shortest / 1e6 AS min_execution_time_seconds, longest / 1e6 AS max_execution_time_seconds,
       percentiles.*,
       (SELECT entries FROM daily_entries) AS daily
FROM totals, percentiles
