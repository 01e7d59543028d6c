-- Which runs a question is about: predicates, of which a statement has those that are asked for. {started} and
-- {duration} (microseconds) stand for how its rows have them: whole runs, or the narrow rows of serving.duckdb.

-- name: of_tasks
task_id IN $task_ids

-- name: of_task_numbers
task IN $tasks

-- name: has_started
{started}

-- name: has_result
success IN $results

-- name: is_open
success IS NULL

-- name: queued
NOT ({started})

-- name: lost
leased_until < make_timestamptz($now)

-- name: running
({started}) AND (leased_until IS NULL OR leased_until >= make_timestamptz($now))

-- name: has_owner
lease_owner = $lease_owner

-- name: has_attempt
attempt >= $attempt_min

-- name: of_group
success IS FALSE AND error_group(error) = $error_group

-- name: is_timed
{duration} IS NOT NULL

-- name: takes_at_least
{duration} >= $duration_min

-- name: takes_at_most
{duration} <= $duration_max

-- name: has_error
contains(lower(error), lower($error))

-- name: failed_of_group
SELECT * FROM failed_run WHERE error_group = $group

-- name: none_uncounted
SELECT * FROM uncounted_run WHERE false
