-- name: drop
DROP DATABASE IF EXISTS bench

-- name: database
CREATE DATABASE bench

-- name: create
CREATE TABLE bench.runs (
    id UUID,
    task_id UUID,
    lease_owner Nullable(String),
    leased_until Nullable(DateTime64(6, 'UTC')),
    started_at Nullable(DateTime64(6, 'UTC')),
    finished_at Nullable(DateTime64(6, 'UTC')),
    success Nullable(Bool),
    error Nullable(String),
    attempt Int32,
    output Nullable(String),
    created_at DateTime64(6, 'UTC'),
    run_at DateTime64(6, 'UTC'),
    us Nullable(Int64) MATERIALIZED toUnixTimestamp64Micro(finished_at) - toUnixTimestamp64Micro(started_at),
    INDEX by_id id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_task task_id TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree ORDER BY (run_at, id)

-- name: insert
INSERT INTO bench.runs
SELECT id, task_id, lease_owner, leased_until, started_at, finished_at, success, error, attempt, output, created_at,
       run_at
FROM file({files}, Parquet)

-- name: tidy
OPTIMIZE TABLE bench.runs FINAL

-- name: size
SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'bench'

-- name: by_task
task_id = {task_id:UUID}

-- name: by_success
success = {success:Bool}

-- name: since
run_at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC') AND started_at IS NOT NULL

-- name: before
run_at < fromUnixTimestamp64Micro({before:Int64}, 'UTC') AND started_at IS NOT NULL

-- name: by_owner
lease_owner = {lease_owner:String}

-- name: by_attempt
attempt >= {attempt_min:Int32}

-- name: by_duration
us >= {least:Int64}

-- name: by_text
positionUTF8(lowerUTF8(error), lowerUTF8({error:String})) > 0

-- name: timed
us IS NOT NULL

-- name: older
(run_at, toString(id)) < (fromUnixTimestamp64Micro({at:Int64}, 'UTC'), {last:String})

-- name: within
run_at >= fromUnixTimestamp64Micro({start:Int64}, 'UTC') AND run_at <= fromUnixTimestamp64Micro({end:Int64}, 'UTC')

-- name: detail
SELECT id, task_id, lease_owner, leased_until, started_at, finished_at, success, error, attempt, output, created_at
FROM bench.runs WHERE id = {id:UUID}

-- name: latest
SELECT id, task_id, lease_owner, leased_until, started_at, finished_at, success, error, attempt, output, created_at
FROM bench.runs WHERE task_id = {task_id:UUID} ORDER BY run_at DESC, toString(id) DESC LIMIT 1

-- name: total
SELECT count() FROM bench.runs WHERE {where}

-- name: page
-- ClickHouse reads the wide columns of a LIMIT late by itself; its own order of UUIDs is not that of their text.
SELECT id, task_id, lease_owner, leased_until, started_at, finished_at, success,
       if({include_errors:Bool}, error, NULL), attempt, output, created_at
FROM bench.runs WHERE {where}
ORDER BY run_at DESC, toString(id) DESC LIMIT {limit:UInt64} OFFSET {offset:UInt64}

-- name: longest
SELECT id, task_id, lease_owner, leased_until, started_at, finished_at, success,
       if({include_errors:Bool}, error, NULL), attempt, output, created_at
FROM bench.runs WHERE {where}
ORDER BY us DESC, toString(id) DESC LIMIT {limit:UInt64} OFFSET {offset:UInt64}

-- name: task_figures
SELECT if(grouping(day) = 0, day, NULL), NULL, countIf(success), countIf(NOT success), countIf(success IS NULL),
       count(us) AS timed, sum(us), if(timed > 0, min(us), NULL), if(timed > 0, max(us), NULL),
       if(timed > 0, quantilesExactInclusive(0.5, 0.9, 0.95, 0.99)(us), []),
       if(count() > 0, toUnixTimestamp64Micro(max(run_at)), NULL),
       if(countIf(success) > 0, toUnixTimestamp64Micro(maxIf(run_at, success)), NULL),
       if(countIf(NOT success) > 0, toUnixTimestamp64Micro(maxIf(run_at, NOT success)), NULL)
FROM (SELECT toInt32(toDate32(run_at)) AS day, success, us, run_at FROM bench.runs WHERE {where})
GROUP BY GROUPING SETS ((), (day))

-- name: figures
-- Of all, of each day and of each task in one pass; of the tasks only those that a ranking shows.
WITH sets AS (
    SELECT day, task_id, grouping(day, task_id) AS kind, countIf(success) AS good, countIf(NOT success) AS bad,
           countIf(success IS NULL) AS open, count(us) AS timed, sum(us) AS total, min(us) AS low, max(us) AS high,
           quantilesExactInclusive(0.5, 0.9, 0.95, 0.99)(us) AS percentiles
    FROM (SELECT toInt32(toDate32(run_at)) AS day, task_id, success, us FROM bench.runs WHERE {where})
    GROUP BY GROUPING SETS ((), (day), (task_id))
),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY bad DESC, toString(task_id)) AS failing,
           row_number() OVER (PARTITION BY kind ORDER BY if(timed > 0, total / timed, -1) DESC, toString(task_id)) AS slow
    FROM sets
)
SELECT if(kind = 1, day, NULL), if(kind = 2, task_id, NULL), good, bad, open, timed, total,
       if(timed > 0, low, NULL), if(timed > 0, high, NULL), if(timed > 0, percentiles, []), NULL, NULL, NULL
FROM ranked WHERE kind <> 2 OR failing <= 10 OR slow <= 10

-- name: tasks
SELECT uniqExact(task_id) FROM bench.runs WHERE {where}

-- name: totals
SELECT NULL, NULL, countIf(success), countIf(NOT success), countIf(success IS NULL), count(us), sum(us),
       NULL, NULL, NULL, NULL, NULL, NULL
FROM bench.runs WHERE {where}
