-- name: histogram
SELECT (epoch_us(run_at) + $shift) // $width AS bucket, count(*) FILTER (success), count(*) FILTER (NOT success),
       count(*) FILTER (success IS NULL), count(us), CAST(sum(us) AS BIGINT)
FROM runs WHERE {where} GROUP BY bucket

-- name: histogram_by_task
WITH cell AS (
    SELECT task_id AS key, (epoch_us(run_at) + $shift) // $width AS bucket, count(*) AS runs,
           count(us) AS timed, CAST(sum(us) AS BIGINT) AS total
    FROM runs WHERE {where} GROUP BY key, bucket
), top AS (
    SELECT key, row_number() OVER (ORDER BY sum(runs) DESC, key) AS place
    FROM cell WHERE key IS NOT NULL GROUP BY key ORDER BY place LIMIT 10
)
SELECT bucket, top.key, CAST(sum(runs) AS BIGINT), CAST(sum(timed) AS BIGINT), CAST(sum(total) AS BIGINT)
FROM cell LEFT JOIN top USING (key) GROUP BY bucket, top.key, place ORDER BY place NULLS LAST

-- name: histogram_by_owner
WITH cell AS (
    SELECT lease_owner AS key, (epoch_us(run_at) + $shift) // $width AS bucket, count(*) AS runs,
           count(us) AS timed, CAST(sum(us) AS BIGINT) AS total
    FROM runs WHERE {where} GROUP BY key, bucket
), top AS (
    SELECT key, row_number() OVER (ORDER BY sum(runs) DESC, key) AS place
    FROM cell WHERE key IS NOT NULL GROUP BY key ORDER BY place LIMIT 10
)
SELECT bucket, top.key, CAST(sum(runs) AS BIGINT), CAST(sum(timed) AS BIGINT), CAST(sum(total) AS BIGINT)
FROM cell LEFT JOIN top USING (key) GROUP BY bucket, top.key, place ORDER BY place NULLS LAST

-- name: fleet
-- Tasks that ran in the last weeks, or have runs that wait; what counts is later than the start.
WITH figure AS (
    SELECT task_id, count(*) FILTER (recent) AS runs, count(*) FILTER (recent AND NOT success) AS bad,
           count(*) FILTER (recent AND success IS NULL) AS open,
           count(*) FILTER (recent AND success IS NOT NULL AND attempt > 1) AS retried,
           count(*) FILTER (recent AND us IS NOT NULL) AS timed,
           CAST(sum(us) FILTER (recent) AS BIGINT) AS total, max(us) FILTER (recent) AS longest,
           epoch_us(max(run_at) FILTER (recent)) AS last
    FROM (
        SELECT task_id, success, attempt, us, run_at, run_at >= make_timestamptz($start) AS recent
        FROM runs WHERE {where}
    ) AS r
    GROUP BY task_id
), waiting AS (
    SELECT DISTINCT task_id FROM runs WHERE success IS NULL AND started_at IS NULL
)
SELECT * FROM (
    SELECT * FROM figure
    UNION ALL
    SELECT task_id, 0, 0, 0, 0, 0, 0, NULL, NULL FROM waiting WHERE task_id NOT IN (SELECT task_id FROM figure)
) AS r ORDER BY runs DESC, task_id

-- name: fleet_percentiles
SELECT task_id, quantile_cont(us, 0.5), quantile_cont(us, 0.95) FROM runs WHERE {where} GROUP BY task_id

-- name: fleet_flips
SELECT task_id, count(*) FILTER (success <> before)
FROM (
    SELECT task_id, success,
           lag(success) OVER (PARTITION BY task_id ORDER BY run_at, id) AS before
    FROM runs WHERE {where} AND success IS NOT NULL
) AS r GROUP BY task_id

-- name: fleet_spark
SELECT task_id, epoch_us(run_at) // $width AS part, count(*), count(*) FILTER (NOT success)
FROM runs WHERE {where} GROUP BY task_id, part

-- name: owners
SELECT lease_owner, count(*), count(*) FILTER (NOT success) AS bad, count(*) FILTER (success IS NULL),
       count(*) FILTER (success IS NULL AND leased_until < make_timestamptz($now)),
       epoch_us(max(run_at)), count(us), CAST(sum(us) AS BIGINT)
FROM runs WHERE {where} AND lease_owner IS NOT NULL GROUP BY lease_owner ORDER BY bad DESC, lease_owner

-- name: owners_spark
SELECT lease_owner, epoch_us(run_at) // $width AS part, count(*), count(*) FILTER (NOT success)
FROM runs WHERE {where} AND lease_owner IS NOT NULL GROUP BY lease_owner, part

-- name: breakdown
-- The failed runs beside all others of the window; the first row has the totals.
WITH counted AS (
    SELECT grouping(task_id, lease_owner, attempt, hour) AS kind, task_id, lease_owner, attempt, hour,
           count(*) FILTER (NOT success) AS chosen, count(*) FILTER (success IS NULL OR success) AS others
    FROM (SELECT task_id, lease_owner, attempt, success, epoch_us(run_at) // 3600000000 % 24 AS hour
          FROM runs WHERE {where}) AS r
    GROUP BY GROUPING SETS ((), (task_id), (lease_owner), (attempt), (hour))
), total AS (
    SELECT chosen AS all_chosen, others AS all_others FROM counted WHERE kind = 15
), named AS (
    SELECT CASE kind WHEN 7 THEN 'task' WHEN 11 THEN 'owner' WHEN 13 THEN 'attempt' ELSE 'hour' END AS name,
           CASE kind WHEN 7 THEN task_id::VARCHAR WHEN 11 THEN lease_owner
                     WHEN 13 THEN attempt::VARCHAR ELSE hour::VARCHAR END AS value,
           chosen, others
    FROM counted WHERE kind <> 15 AND chosen > 0
), ranked AS (
    SELECT name, value, chosen, others, row_number() OVER (
        PARTITION BY name
        ORDER BY chosen - all_chosen * (others::DOUBLE / all_others) DESC, chosen DESC, value
    ) AS place
    FROM named CROSS JOIN total
)
SELECT name, value, chosen, others FROM (
    SELECT NULL AS name, NULL AS value, all_chosen AS chosen, all_others AS others, 0 AS place FROM total
    UNION ALL
    SELECT name, value, chosen, others, place FROM ranked WHERE place <= $top
) AS r ORDER BY name NULLS FIRST, place
