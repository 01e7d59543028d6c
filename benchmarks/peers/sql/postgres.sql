-- name: drop
DROP TABLE IF EXISTS runs

-- name: create
CREATE TABLE runs (
    id uuid NOT NULL,
    task_id uuid NOT NULL,
    lease_owner text,
    leased_until timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    success boolean,
    error text,
    attempt integer NOT NULL,
    output text,
    created_at timestamptz NOT NULL,
    run_at timestamptz GENERATED ALWAYS AS (coalesce(started_at, created_at)) STORED,
    us bigint GENERATED ALWAYS AS (CAST(extract(epoch FROM finished_at - started_at) * 1000000 AS bigint)) STORED
)

-- name: copy
COPY runs (id, task_id, lease_owner, leased_until, started_at, finished_at, success, error, attempt, output, created_at)
FROM STDIN (FORMAT csv)

-- name: copy_rows
COPY runs (id, task_id, lease_owner, leased_until, started_at, finished_at, success, error, attempt, output, created_at)
FROM STDIN

-- name: index_id
ALTER TABLE runs ADD PRIMARY KEY (id)

-- name: index_time
CREATE INDEX ON runs (run_at DESC, id DESC) INCLUDE (started_at)

-- name: index_task
CREATE INDEX ON runs (task_id, run_at DESC, id DESC)

-- name: index_success
CREATE INDEX ON runs (success, run_at DESC, id DESC)

-- name: tidy
VACUUM (ANALYZE) runs

-- name: size
SELECT pg_total_relation_size('runs')

-- name: by_task
task_id = %(task_id)s

-- name: by_success
success = %(success)s

-- name: since
run_at >= %(since)s AND started_at IS NOT NULL

-- name: before
run_at < %(before)s AND started_at IS NOT NULL

-- name: by_owner
lease_owner = %(lease_owner)s

-- name: by_attempt
attempt >= %(attempt_min)s

-- name: by_duration
us >= %(least)s

-- name: by_text
strpos(lower(error), lower(%(error)s)) > 0

-- name: timed
us IS NOT NULL

-- name: older
(run_at, id) < (%(at)s, %(last)s)

-- name: within
run_at >= %(start)s AND run_at <= %(end)s

-- name: detail
SELECT id, task_id, lease_owner, leased_until, started_at, finished_at, success, error, attempt, output, created_at
FROM runs WHERE id = %(id)s

-- name: latest
SELECT id, task_id, lease_owner, leased_until, started_at, finished_at, success, error, attempt, output, created_at
FROM runs WHERE task_id = %(task_id)s ORDER BY run_at DESC, id DESC LIMIT 1

-- name: total
SELECT count(*) FROM runs WHERE {where}

-- name: page
-- The inner query walks an index only; the rows of the page alone are fetched from the table.
SELECT id, task_id, lease_owner, leased_until, started_at, finished_at, success,
       CASE WHEN %(include_errors)s THEN error END, attempt, output, created_at
FROM (SELECT id FROM runs WHERE {where} ORDER BY run_at DESC, id DESC LIMIT %(limit)s OFFSET %(offset)s) AS page
JOIN runs USING (id) ORDER BY run_at DESC, id DESC

-- name: longest
SELECT id, task_id, lease_owner, leased_until, started_at, finished_at, success,
       CASE WHEN %(include_errors)s THEN error END, attempt, output, created_at
FROM (SELECT id FROM runs WHERE {where} ORDER BY us DESC, id DESC LIMIT %(limit)s OFFSET %(offset)s) AS page
JOIN runs USING (id) ORDER BY us DESC, id DESC

-- name: task_figures
SELECT (run_at AT TIME ZONE 'UTC')::date - DATE '1970-01-01' AS day, NULL AS task,
       count(*) FILTER (WHERE success), count(*) FILTER (WHERE NOT success), count(*) FILTER (WHERE success IS NULL),
       count(us), CAST(sum(us) AS bigint), min(us), max(us),
       percentile_cont(ARRAY[0.5, 0.9, 0.95, 0.99]) WITHIN GROUP (ORDER BY us),
       CAST(extract(epoch FROM max(run_at)) * 1000000 AS bigint),
       CAST(extract(epoch FROM max(run_at) FILTER (WHERE success)) * 1000000 AS bigint),
       CAST(extract(epoch FROM max(run_at) FILTER (WHERE NOT success)) * 1000000 AS bigint)
FROM runs WHERE {where} GROUP BY GROUPING SETS ((), (day))

-- name: figures
-- Of all, of each day and of each task in one pass; of the tasks only those that a ranking shows.
WITH sets AS (
    SELECT (run_at AT TIME ZONE 'UTC')::date - DATE '1970-01-01' AS day, task_id,
           grouping((run_at AT TIME ZONE 'UTC')::date - DATE '1970-01-01', task_id) AS kind,
           count(*) FILTER (WHERE success) AS good, count(*) FILTER (WHERE NOT success) AS bad,
           count(*) FILTER (WHERE success IS NULL) AS open, count(us) AS timed, CAST(sum(us) AS bigint) AS us,
           min(us) AS us_min, max(us) AS us_max,
           percentile_cont(ARRAY[0.5, 0.9, 0.95, 0.99]) WITHIN GROUP (ORDER BY us) AS percentiles
    FROM runs WHERE {where}
    GROUP BY GROUPING SETS ((), ((run_at AT TIME ZONE 'UTC')::date - DATE '1970-01-01'), (task_id))
),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY bad DESC, task_id) AS failing,
           row_number() OVER (PARTITION BY kind ORDER BY us / nullif(timed, 0)::float8 DESC NULLS LAST, task_id) AS slow
    FROM sets
)
SELECT day, task_id, good, bad, open, timed, us, us_min, us_max, percentiles, NULL, NULL, NULL
FROM ranked WHERE kind <> 2 OR failing <= 10 OR slow <= 10

-- name: tasks
SELECT count(DISTINCT task_id) FROM runs WHERE {where}

-- name: totals
SELECT NULL, NULL, count(*) FILTER (WHERE success), count(*) FILTER (WHERE NOT success),
       count(*) FILTER (WHERE success IS NULL), count(us), CAST(sum(us) AS bigint), NULL, NULL, NULL, NULL, NULL, NULL
FROM runs WHERE {where}
