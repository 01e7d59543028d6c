-- Groups of alike errors, from the failed runs of a window and of the one before it. Times are microseconds; {narrow},
-- {whole} and {failed_run} are what belongs to the question (filters.sql).

-- name: failed_in_window
SELECT run_at, task, lease_owner, error_group, id {marked} FROM {failed_run} AS run
WHERE run_at >= $low AND run_at < $high AND {narrow}

-- name: failed_inlined
-- Where the text of the error matters, too, which narrow rows do not have.
SELECT run_at, task, lease_owner, error_group, id {marked} FROM failed_run
WHERE id IN (SELECT id FROM inlined_run
             WHERE run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high) AND {whole})

-- name: failed_in_files
SELECT run_at, task, lease_owner, error_group, id {marked} FROM failed_run
WHERE id IN (SELECT id FROM read_parquet($files, hive_partitioning = false)
             WHERE run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high) AND {whole})

-- name: groups
-- Groups in one of the orders below, each with how many groups and failed runs there are in all. One row without a group
-- when there is none. What is known of a group before the window is of all its runs, whatever else was asked for; those that
-- never started count as their run times say.
WITH selected AS MATERIALIZED ({branches}), total AS (
    SELECT count(*) AS failed, count(*) FILTER (error_group IS NULL) AS without_text FROM selected
), counted AS (
    SELECT error_group, count(*) AS runs, count(DISTINCT task) AS tasks, count(DISTINCT lease_owner) AS owners,
           max(run_at) AS last_seen
    FROM selected WHERE error_group IS NOT NULL GROUP BY error_group
), earlier AS (
    SELECT error_group, count(*) AS previous_runs FROM ({before_branches}) WHERE error_group IS NOT NULL GROUP BY error_group
), newest AS (
    SELECT error_group, max(id) AS sample FROM selected JOIN counted USING (error_group)
    WHERE run_at = last_seen GROUP BY error_group
), known AS (
    SELECT error_group, min(run_at) AS first_seen,
           NOT bool_or(run_at >= $new_from AND run_at < $now) AS is_new
    FROM {of_groups} WHERE error_group IS NOT NULL GROUP BY error_group
), page AS (
    SELECT error_group, error_group.id, kind, message, frame, coalesce(runs, 0) AS runs,
           coalesce(previous_runs, 0) AS previous_runs, coalesce(tasks, 0) AS tasks, coalesce(owners, 0) AS owners,
           first_seen, last_seen, is_new, sample,
           count(*) OVER () AS groups, row_number() OVER (ORDER BY {order}, error_group.id) AS place
    FROM known JOIN error_group USING (error_group) {with_counted} counted USING (error_group)
    LEFT JOIN earlier USING (error_group) LEFT JOIN newest USING (error_group) WHERE {matching}
), shown AS (
    SELECT * FROM page WHERE place <= $limit
), line AS (
    SELECT error_group, {line_of_runs} AS spark FROM (
        SELECT error_group, list(part) AS parts, list(runs) AS runs FROM (
            SELECT error_group, (run_at - $now) * $parts // $length AS part, count(*) AS runs
            FROM selected WHERE error_group IN (SELECT error_group FROM shown) GROUP BY ALL
        ) GROUP BY error_group
    )
)
SELECT coalesce(groups, 0), failed, without_text, id, kind, message, frame, runs, previous_runs, tasks, owners,
       first_seen, last_seen, is_new, sample, spark
FROM total LEFT JOIN (FROM shown LEFT JOIN line USING (error_group)) ON true ORDER BY place

-- name: by_count
runs DESC

-- name: by_last
last_seen DESC

-- name: by_first
first_seen DESC

-- name: by_new
is_new DESC, runs DESC

-- name: by_tasks
tasks DESC, runs DESC

-- name: all_groups
true

-- name: with_words
contains(lower(concat_ws(chr(10), kind, message, frame)), lower($q))

-- name: group_samples
-- Newest runs of a group, of as many tasks as there are.
SELECT id, run_at FROM ({branches})
ORDER BY row_number() OVER (PARTITION BY task ORDER BY run_at DESC, id DESC), run_at DESC, id DESC LIMIT 5

-- name: group_tasks
SELECT task_id, any_value(name), count(*) AS runs FROM ({branches})
JOIN task USING (task) LEFT JOIN task_name USING (task_id) GROUP BY task_id ORDER BY runs DESC, task_id LIMIT 10

-- name: group_owners
SELECT lease_owner, count(*) AS runs FROM ({branches}) GROUP BY lease_owner ORDER BY runs DESC, lease_owner NULLS LAST LIMIT 10

-- name: group_days
-- Every day of the window.
SELECT DATE '1970-01-01' + day::INTEGER, coalesce(runs, 0)
FROM (SELECT unnest(range($first_day, $last_day + 1)) AS day) LEFT JOIN (
    SELECT run_at // 86400000000 AS day, count(*) AS runs FROM ({branches}) GROUP BY day
) USING (day) ORDER BY day
