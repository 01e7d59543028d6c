-- name: histogram
SELECT intDiv(toUnixTimestamp64Micro(run_at) + {shift:Int64}, {width:Int64}) AS bucket, countIf(success), countIf(NOT success),
       countIf(success IS NULL), count(us), sum(us)
FROM bench.runs WHERE {where} GROUP BY bucket

-- name: histogram_by_task
WITH cell AS (
    SELECT task_id AS key, intDiv(toUnixTimestamp64Micro(run_at) + {shift:Int64}, {width:Int64}) AS bucket, count() AS runs,
           count(us) AS timed, sum(us) AS total
    FROM bench.runs WHERE {where} GROUP BY key, bucket
), top AS (
    SELECT key AS top_key, row_number() OVER (ORDER BY sum(runs) DESC, toString(key)) AS place
    FROM cell WHERE key IS NOT NULL GROUP BY key ORDER BY place LIMIT 10
)
SELECT bucket, if(place = 0, NULL, toString(top_key)) AS shown, sum(runs), sum(timed), sum(total)
FROM cell LEFT JOIN top ON cell.key = top.top_key GROUP BY bucket, shown, place
ORDER BY if(place = 0, 11, place)

-- name: histogram_by_owner
WITH cell AS (
    SELECT lease_owner AS key, intDiv(toUnixTimestamp64Micro(run_at) + {shift:Int64}, {width:Int64}) AS bucket, count() AS runs,
           count(us) AS timed, sum(us) AS total
    FROM bench.runs WHERE {where} GROUP BY key, bucket
), top AS (
    SELECT key AS top_key, row_number() OVER (ORDER BY sum(runs) DESC, key) AS place
    FROM cell WHERE key IS NOT NULL GROUP BY key ORDER BY place LIMIT 10
)
SELECT bucket, if(place = 0, NULL, toString(top_key)) AS shown, sum(runs), sum(timed), sum(total)
FROM cell LEFT JOIN top ON cell.key = top.top_key GROUP BY bucket, shown, place
ORDER BY if(place = 0, 11, place)

-- name: fleet
-- Tasks that ran in the last weeks, or have runs that wait; what counts is later than the start.
WITH figure AS (
    SELECT task_id, countIf(recent) AS runs, countIf(recent AND NOT success) AS bad,
           countIf(recent AND success IS NULL) AS open,
           countIf(recent AND success IS NOT NULL AND attempt > 1) AS retried,
           countIf(recent AND us IS NOT NULL) AS timed,
           sumIf(us, recent) AS total, maxIf(us, recent) AS longest,
           if(runs > 0, toUnixTimestamp64Micro(maxIf(run_at, recent)), NULL) AS last
    FROM (
        SELECT task_id, success, attempt, us, run_at, run_at >= fromUnixTimestamp64Micro({start:Int64}, 'UTC') AS recent
        FROM bench.runs WHERE {where}
    ) AS r
    GROUP BY task_id
), waiting AS (
    SELECT DISTINCT task_id FROM bench.runs WHERE success IS NULL AND started_at IS NULL
)
SELECT * FROM (
    SELECT * FROM figure
    UNION ALL
    SELECT task_id, 0, 0, 0, 0, 0, 0, NULL, NULL FROM waiting WHERE task_id NOT IN (SELECT task_id FROM figure)
) AS r ORDER BY runs DESC, toString(task_id)

-- name: fleet_percentiles
SELECT task_id, quantileExactInclusive(0.5)(us), quantileExactInclusive(0.95)(us)
FROM bench.runs WHERE {where} GROUP BY task_id

-- name: fleet_flips
SELECT task_id, countIf(success <> before)
FROM (
    SELECT task_id, success,
           lagInFrame(toNullable(success)) OVER (
               PARTITION BY task_id ORDER BY run_at, toString(id) ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
           ) AS before
    FROM bench.runs WHERE {where} AND success IS NOT NULL
) AS r GROUP BY task_id

-- name: fleet_spark
SELECT task_id, intDiv(toUnixTimestamp64Micro(run_at), {width:Int64}) AS part, count(*), countIf(NOT success)
FROM bench.runs WHERE {where} GROUP BY task_id, part

-- name: owners
SELECT lease_owner, count(*), countIf(NOT success) AS bad, countIf(success IS NULL),
       countIf(success IS NULL AND leased_until < fromUnixTimestamp64Micro({now:Int64}, 'UTC')),
       toUnixTimestamp64Micro(max(run_at)), count(us), sum(us)
FROM bench.runs WHERE {where} AND lease_owner IS NOT NULL GROUP BY lease_owner ORDER BY bad DESC, lease_owner

-- name: owners_spark
SELECT lease_owner, intDiv(toUnixTimestamp64Micro(run_at), {width:Int64}) AS part, count(*), countIf(NOT success)
FROM bench.runs WHERE {where} AND lease_owner IS NOT NULL GROUP BY lease_owner, part

-- name: breakdown
-- The failed runs beside all others of the window; the first row has the totals.
WITH counted AS (
    SELECT grouping(task_id, lease_owner, attempt, hour) AS kind, task_id, lease_owner, attempt, hour,
           countIf(NOT success) AS chosen, countIf(success IS NULL OR success) AS others
    FROM (SELECT task_id, lease_owner, attempt, success,
                 toInt32(intDiv(toUnixTimestamp64Micro(run_at), 3600000000) % 24) AS hour
          FROM bench.runs WHERE {where}) AS r
    GROUP BY GROUPING SETS ((), (task_id), (lease_owner), (attempt), (hour))
), total AS (
    SELECT chosen AS all_chosen, others AS all_others FROM counted WHERE kind = 15
), named AS (
    SELECT CASE kind WHEN 7 THEN 'task' WHEN 11 THEN 'owner' WHEN 13 THEN 'attempt' ELSE 'hour' END AS name,
           CASE kind WHEN 7 THEN toString(task_id) WHEN 11 THEN lease_owner
                     WHEN 13 THEN toString(attempt) ELSE toString(hour) END AS value,
           chosen, others
    FROM counted WHERE kind <> 15 AND chosen > 0
), ranked AS (
    SELECT name, value, chosen, others, row_number() OVER (
        PARTITION BY name
        ORDER BY chosen - all_chosen * (toFloat64(others) / all_others) DESC, chosen DESC, value
    ) AS place
    FROM named CROSS JOIN total
)
SELECT name, value, chosen, others FROM (
    SELECT NULL AS name, NULL AS value, all_chosen AS chosen, all_others AS others, toUInt64(0) AS place FROM total
    UNION ALL
    SELECT name, value, chosen, others, place FROM ranked WHERE place <= {top:UInt64}
) AS r ORDER BY name NULLS FIRST, place
