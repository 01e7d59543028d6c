-- The 95th percentile of the durations, in seconds, of the few tasks {tasks} over the window of summary.sql.
WITH buckets AS (
    SELECT task_id, bucket, CAST(sum(n) AS DOUBLE) AS n FROM (
        SELECT task_id, unnest(buckets) AS bucket, unnest(counts) AS n FROM histograms
        WHERE task_id IN ({tasks}) AND born <= $snapshot AND died > $snapshot AND unit >= $first AND unit < $last
        UNION ALL
        SELECT task_id, bucket_of(epoch_us(finished_at) - epoch_us(started_at)), 1
        FROM read_parquet($files, hive_partitioning = false)
        WHERE task_id IN ({tasks}) AND run_at >= make_timestamptz($start) AND run_at <= make_timestamptz($end)
          AND started_at IS NOT NULL
        UNION ALL
        SELECT task_id, bucket_of(epoch_us(finished_at) - epoch_us(started_at)), 1
        FROM recent
        WHERE born <= $snapshot AND died > $snapshot AND task_id IN ({tasks})
          AND run_at >= make_timestamptz($start) AND run_at <= make_timestamptz($end)
          AND started_at IS NOT NULL AND finished_at IS NOT NULL
    ) GROUP BY ALL
),
ranks AS (
    SELECT task_id, bucket, sum(n) OVER (PARTITION BY task_id ORDER BY bucket) AS upto,
           0.95 * (sum(n) OVER (PARTITION BY task_id) - 1) AS rank
    FROM buckets
)
SELECT task_id,
       between_ranks(min(bucket) FILTER (upto > floor(rank)), min(bucket) FILTER (upto > ceil(rank)), any_value(rank))
       / 1e6 AS p95
FROM ranks GROUP BY task_id
