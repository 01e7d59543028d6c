-- Percentiles from histograms, for both rooms.

-- name: percentile
-- The percentiles {percents} of the buckets of each {key}: rank p * (n - 1) lies between two neighbours. One row
-- for each key and percent.
SELECT {key}, p, bucket_middle(low) + (bucket_middle(high) - bucket_middle(low)) * (rank - floor(rank)) AS us
FROM (
    SELECT {key}, p, any_value(p / 100 * last) AS rank, min(bucket) FILTER (upto > floor(p / 100 * last)) AS low,
           min(bucket) FILTER (upto > ceil(p / 100 * last)) AS high
    FROM (
        SELECT {key}, bucket, sum(runs) OVER (PARTITION BY {key} ORDER BY bucket ROWS UNBOUNDED PRECEDING) AS upto,
               sum(runs) OVER (PARTITION BY {key}) - 1 AS last
        FROM bucketed
    ), (VALUES {percents}) AS percent(p) GROUP BY {key}, p
)
