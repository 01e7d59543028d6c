-- What is over-represented in a selection of runs, by what single runs say of themselves; `t` is a time in microseconds.

-- name: breakdown_runs
SELECT run_at, task, lease_owner, attempt, duration, $selected FROM {rows} AS run

-- name: all_task_days
SELECT task, succeeded - succeeded_unstarted + failed - failed_unstarted FROM task_day WHERE {within}

-- name: all_task_parts
SELECT task, succeeded - succeeded_unstarted + failed - failed_unstarted FROM task_hour WHERE {within}

-- name: all_owner_days
SELECT lease_owner, succeeded + failed FROM owner_day WHERE {within}

-- name: all_owner_parts
SELECT lease_owner, succeeded + failed FROM owner_hour WHERE {within}

-- name: all_attempt_parts
SELECT hour * 3600000000, attempt, nullif(seconds, -1), runs FROM attempt_hour WHERE {within}

-- name: counted_by_rollups
-- All runs of a window that rollups count, by each kind of value. Runs without an owner are what the owners do not have.
UNION ALL
SELECT 15, task, NULL, NULL, NULL, NULL, 0, sum(runs) FROM ({tasks_branches}) AS cell(task, runs) GROUP BY task
UNION ALL
SELECT 23, NULL, owner, NULL, NULL, NULL, 0, sum(runs) FROM ({owners_branches}) AS cell(owner, runs) GROUP BY owner
UNION ALL
SELECT 23, NULL, NULL, NULL, NULL, NULL, 0, -sum(runs) FROM ({owners_branches}) AS cell(owner, runs)
UNION ALL
SELECT 23, NULL, NULL, NULL, NULL, NULL, 0, sum(runs) FROM ({attempts_branches}) AS cell(t, attempt, seconds, runs)
UNION ALL
SELECT 24 + GROUPING(attempt, hour, seconds), NULL, NULL, attempt, hour, seconds, 0, sum(runs) FROM (
    SELECT attempt, t // 3600000000 % 24 AS hour, seconds, runs
    FROM ({attempts_branches}) AS cell(t, attempt, seconds, runs)
) GROUP BY GROUPING SETS ((), (attempt), (hour), (seconds))

-- name: breakdown
-- For each kind of value those with the most runs above what their share elsewhere would give. With $rest the other runs are
-- all of the window, from which the selected ones are taken away. A column that nobody asked for is null.
WITH run(t, task, owner, attempt, took, selected) AS ({branches}), valued AS (
    SELECT {columns}, selected FROM run
), single AS (
    SELECT GROUPING(task, owner, attempt, hour, seconds) AS kind, task, owner, attempt, hour, seconds,
           count(*) FILTER (selected) AS chosen, count(*) FILTER (NOT selected) AS others
    FROM valued GROUP BY GROUPING SETS ((), (task), (owner), (attempt), (hour), (seconds))
    {rolled}
), counted AS (
    SELECT kind, task, owner, attempt, hour, seconds, sum(chosen)::BIGINT AS chosen, sum(others)::BIGINT AS others
    FROM single GROUP BY ALL HAVING sum(chosen) > 0 OR kind = 31
), total AS (
    SELECT chosen, others - CASE WHEN $rest THEN chosen ELSE 0 END AS others FROM counted WHERE kind = 31
), named AS (
    SELECT CASE kind WHEN 15 THEN 'task' WHEN 23 THEN 'owner' WHEN 27 THEN 'attempt' WHEN 29 THEN 'hour' ELSE 'duration' END
               AS kind,
           CASE kind WHEN 15 THEN task_id::VARCHAR WHEN 23 THEN owner WHEN 27 THEN attempt::VARCHAR
                     WHEN 29 THEN hour::VARCHAR ELSE seconds::VARCHAR END AS value,
           chosen, others - CASE WHEN $rest THEN chosen ELSE 0 END AS others
    FROM counted LEFT JOIN task USING (task) WHERE kind <> 31 AND (kind <> 30 OR seconds IS NOT NULL)
)
{ranked}

-- name: value_of_task
task

-- name: value_of_owner
owner

-- name: value_of_attempt
attempt

-- name: value_of_hour
t // 3600000000 % 24

-- name: value_of_seconds
power_of_two(took)

-- name: ranked
-- Of values (kind, value, chosen, others) the first $top of each kind, with their shares; the first row has the totals, and
-- no kind.
SELECT NULL AS kind, NULL AS value, chosen, others, NULL AS share, NULL AS other_share, NULL AS lift, 0 AS place FROM total
UNION ALL
SELECT kind, value, named.chosen, named.others, named.chosen / total.chosen AS share,
       coalesce(named.others / nullif(total.others, 0), 0) AS other_share, share / nullif(other_share, 0),
       row_number() OVER (
           PARTITION BY kind
           ORDER BY named.chosen - total.chosen * other_share DESC, named.chosen DESC, value NULLS LAST
       ) AS place
FROM named, total WHERE named.chosen > 0 QUALIFY place <= $top
ORDER BY kind NULLS FIRST, place

-- name: breakdown_groups
-- The same for groups of errors: of the failed runs among the selected ones, and of those elsewhere.
WITH run(t, task, owner, error_group, id, selected) AS ({branches}), total AS (
    SELECT $chosen::BIGINT AS chosen, $others::BIGINT AS others
), named AS (
    SELECT 'error_group' AS kind, error_group.id AS value, count(*) FILTER (selected) AS chosen,
           count(*) FILTER (NOT selected) - CASE WHEN $rest THEN count(*) FILTER (selected) ELSE 0 END AS others
    FROM run JOIN error_group USING (error_group) GROUP BY error_group.id
)
{ranked}
