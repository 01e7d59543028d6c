-- Queries to begin with; the sentence of each is its title.

-- name: failing
-- The tasks that failed most in the last day
SELECT coalesce(n.name, r.task_id::VARCHAR) AS task, count(*) AS runs, count(*) FILTER (NOT r.success) AS failed
FROM finished_runs r LEFT JOIN task_names n USING (task_id)
WHERE r.run_at > now() - INTERVAL 1 DAY
GROUP BY ALL HAVING failed > 0 ORDER BY failed DESC, task LIMIT 20

-- name: hours
-- Runs and failures by hour, in the last week
SELECT date_trunc('hour', run_at) AS hour, count(*) AS runs, count(*) FILTER (NOT success) AS failed
FROM runs WHERE run_at > now() - INTERVAL 7 DAY
GROUP BY hour ORDER BY hour

-- name: slower
-- The tasks whose p95 grew most, this week beside the week before
SELECT
    task_id,
    quantile_cont(epoch(finished_at - started_at), 0.95) FILTER (run_at > now() - INTERVAL 7 DAY) AS p95_now,
    quantile_cont(epoch(finished_at - started_at), 0.95) FILTER (run_at <= now() - INTERVAL 7 DAY) AS p95_before,
    p95_now / p95_before AS ratio
FROM finished_runs WHERE run_at > now() - INTERVAL 14 DAY
GROUP BY task_id HAVING ratio IS NOT NULL ORDER BY ratio DESC, task_id LIMIT 20

-- name: errors
-- What goes wrong, by groups of alike errors
SELECT error_group(error) AS error_group, count(*) AS runs, count(DISTINCT task_id) AS tasks, max(run_at) AS last_seen,
    arg_max(error, run_at) AS newest
FROM finished_runs WHERE NOT success AND run_at > now() - INTERVAL 7 DAY
GROUP BY error_group ORDER BY runs DESC LIMIT 20

-- name: running
-- What runs now, the longest first
SELECT id, task_id, lease_owner, now() - started_at AS since, leased_until < now() AS is_lost
FROM open_runs WHERE started_at IS NOT NULL
ORDER BY started_at LIMIT 100

-- name: output
-- What runs returned, a member of it as a column
SELECT id, run_at, output ->> '$.rows' AS rows
FROM finished_runs WHERE success AND run_at > now() - INTERVAL 1 DAY AND output IS NOT NULL
ORDER BY run_at DESC LIMIT 100
