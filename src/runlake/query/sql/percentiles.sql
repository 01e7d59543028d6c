-- A part of task_stats.sql and summary.sql: percentiles of the durations in `day_buckets`, in seconds. The values on
-- both sides of a rank are the middles of their buckets, or the shortest or longest duration if that is nearer.
ladder AS (
    SELECT bucket, sum(sum(n)) OVER (ORDER BY bucket) AS upto, sum(sum(n)) OVER () - 1 AS top
    FROM day_buckets GROUP BY bucket
),
steps AS (
    SELECT any_value(top) AS top,
           min(bucket) FILTER (upto > floor(0.5 * top)) AS low50, min(bucket) FILTER (upto > ceil(0.5 * top)) AS high50,
           min(bucket) FILTER (upto > floor(0.9 * top)) AS low90, min(bucket) FILTER (upto > ceil(0.9 * top)) AS high90,
           min(bucket) FILTER (upto > floor(0.95 * top)) AS low95,
           min(bucket) FILTER (upto > ceil(0.95 * top)) AS high95,
           min(bucket) FILTER (upto > floor(0.99 * top)) AS low99,
           min(bucket) FILTER (upto > ceil(0.99 * top)) AS high99
    FROM ladder
),
percentiles AS (
    SELECT least(greatest(between_ranks(low50, high50, 0.5 * top), shortest), longest) / 1e6
               AS p50_execution_time_seconds,
           least(greatest(between_ranks(low90, high90, 0.9 * top), shortest), longest) / 1e6
               AS p90_execution_time_seconds,
           least(greatest(between_ranks(low95, high95, 0.95 * top), shortest), longest) / 1e6
               AS p95_execution_time_seconds,
           least(greatest(between_ranks(low99, high99, 0.99 * top), shortest), longest) / 1e6
               AS p99_execution_time_seconds
    FROM steps, totals
)
