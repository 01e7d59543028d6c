-- name: create
CREATE VIEW runs AS
SELECT *, epoch_us(finished_at) - epoch_us(started_at) AS us FROM read_parquet({files}, hive_partitioning = false)

-- name: by_task
task_id = $task_id

-- name: by_success
success = $success

-- name: since
run_at >= make_timestamptz($since) AND started_at IS NOT NULL

-- name: before
run_at < make_timestamptz($before) AND started_at IS NOT NULL

-- name: by_owner
lease_owner = $lease_owner

-- name: by_attempt
attempt >= $attempt_min

-- name: by_duration
us >= $least

-- name: by_text
contains(lower(error), lower($error))

-- name: timed
us IS NOT NULL

-- name: older
(run_at < make_timestamptz($at) OR (run_at = make_timestamptz($at) AND id < $last))

-- name: within
run_at >= make_timestamptz($start) AND run_at <= make_timestamptz($end)

-- name: detail
SELECT id, task_id, lease_owner, leased_until, started_at, finished_at, success, error, attempt, output, created_at
FROM runs WHERE id = $id

-- name: latest
SELECT id, task_id, lease_owner, leased_until, started_at, finished_at, success, error, attempt, output, created_at
FROM runs WHERE task_id = $task_id ORDER BY run_at DESC, id DESC LIMIT 1

-- name: total
SELECT count(*) FROM runs WHERE {where}

-- name: page
-- A narrow pass finds the page; run_at in the join lets DuckDB skip the row groups that hold none of it.
WITH page AS MATERIALIZED (
    SELECT id, run_at FROM runs WHERE {where} ORDER BY run_at DESC, id DESC LIMIT $limit OFFSET $offset
)
SELECT r.id, task_id, lease_owner, leased_until, started_at, finished_at, success,
       CASE WHEN $include_errors THEN error END, attempt, output, created_at
FROM runs AS r JOIN page ON r.id = page.id AND r.run_at = page.run_at ORDER BY r.run_at DESC, r.id DESC

-- name: longest
WITH page AS MATERIALIZED (
    SELECT id, run_at FROM runs WHERE {where} ORDER BY us DESC, id DESC LIMIT $limit OFFSET $offset
)
SELECT r.id, task_id, lease_owner, leased_until, started_at, finished_at, success,
       CASE WHEN $include_errors THEN error END, attempt, output, created_at
FROM runs AS r JOIN page ON r.id = page.id AND r.run_at = page.run_at ORDER BY us DESC, r.id DESC

-- name: task_figures
SELECT epoch_us(run_at) // 86400000000 AS day, NULL, count(*) FILTER (success), count(*) FILTER (NOT success),
       count(*) FILTER (success IS NULL), count(us), CAST(sum(us) AS BIGINT), min(us), max(us),
       quantile_cont(us, [0.5, 0.9, 0.95, 0.99]),
       epoch_us(max(run_at)), epoch_us(max(run_at) FILTER (success)), epoch_us(max(run_at) FILTER (NOT success))
FROM runs WHERE {where} GROUP BY GROUPING SETS ((), (day))

-- name: figures
-- Of all, of each day and of each task in one pass; of the tasks only those that a ranking shows.
WITH sets AS (
    SELECT epoch_us(run_at) // 86400000000 AS day, task_id, grouping(day, task_id) AS kind,
           count(*) FILTER (success) AS good, count(*) FILTER (NOT success) AS bad,
           count(*) FILTER (success IS NULL) AS open, count(us) AS timed, CAST(sum(us) AS BIGINT) AS us,
           min(us) AS us_min, max(us) AS us_max, quantile_cont(us, [0.5, 0.9, 0.95, 0.99]) AS percentiles
    FROM runs WHERE {where} GROUP BY GROUPING SETS ((), (day), (task_id))
)
SELECT day, task_id, good, bad, open, timed, us, us_min, us_max, percentiles, NULL, NULL, NULL FROM sets
QUALIFY kind <> 2 OR row_number() OVER (PARTITION BY kind ORDER BY bad DESC, task_id) <= 10
     OR row_number() OVER (PARTITION BY kind ORDER BY us / nullif(timed, 0) DESC NULLS LAST, task_id) <= 10

-- name: tasks
SELECT count(DISTINCT task_id) FROM runs WHERE {where}

-- name: totals
SELECT NULL, NULL, count(*) FILTER (success), count(*) FILTER (NOT success), count(*) FILTER (success IS NULL),
       count(us), CAST(sum(us) AS BIGINT), NULL, NULL, NULL, NULL, NULL, NULL
FROM runs WHERE {where}
