-- How serving.duckdb follows the lake. Arrow rows of the process: `incoming` are whole runs, `closed` ids of open runs whose
-- version is gone, `file` live files. (Materialized, because DuckDB 1.5.5 cannot filter UUIDs in an Arrow scan.)
-- INSERT and DELETE only: after an UPDATE or a CREATE no checkpoint is done while an older reader is open.
-- {select} are the columns of a run.

-- name: state
SELECT snapshot, first_day, hot_from, months, newest FROM state

-- name: remove_state
-- Returns what `state` returns.
DELETE FROM state RETURNING snapshot, first_day, hot_from, months, newest

-- name: add_state
INSERT INTO state VALUES ($snapshot, $first_day, $hot_from, $months, $newest)

-- name: add_tasks
-- Tasks that are new, with the next numbers.
WITH given AS MATERIALIZED (SELECT DISTINCT task_id FROM incoming)
INSERT INTO task
SELECT (SELECT coalesce(max(task) + 1, 0) FROM task) + row_number() OVER () - 1, task_id
FROM given WHERE task_id NOT IN (SELECT task_id FROM task)

-- name: add_uncounted
-- Narrow rows, to be counted later.
WITH given AS MATERIALIZED (FROM incoming), narrow AS (
    SELECT id, epoch_us(coalesce(started_at, created_at)) AS run_at, task, success, started_at IS NOT NULL AS started,
           epoch_us(finished_at) - epoch_us(started_at) AS duration, attempt, lease_owner
    FROM given JOIN task USING (task_id)
)
INSERT INTO uncounted_run
SELECT id, run_at, task, success, started, duration, duration_bucket(duration), attempt, lease_owner FROM narrow

-- name: group_errors
-- The failed runs among `incoming`, with the parts of their errors. It is prepared once: planning takes three times as long
-- as grouping a few errors. (It names no table, so its plan cannot become wrong.)
SELECT {failed} FROM (SELECT *, error_parts(error) AS parts FROM incoming WHERE success IS FALSE) AS run

-- name: failed
-- The narrow columns of a failed run, and the parts of its error.
id, task_id, epoch_us(coalesce(started_at, created_at)) AS run_at, (started_at IS NOT NULL)::INTEGER AS started,
epoch_us(finished_at) - epoch_us(started_at) AS duration, attempt, lease_owner, epoch_us(finished_at) AS finished_at,
parts.id AS error_id, parts.kind, parts.message, parts.frame

-- name: add_groups
-- Groups that are new, with the next numbers; `failed` is the answer of group_errors.
WITH given AS MATERIALIZED (
    SELECT DISTINCT ON (error_id) error_id, kind, message, frame FROM failed WHERE error_id IS NOT NULL
)
INSERT INTO error_group
SELECT (SELECT coalesce(max(error_group) + 1, 0) FROM error_group) + row_number() OVER () - 1,
       error_id, kind, message, frame
FROM given WHERE error_id NOT IN (SELECT id FROM error_group)

-- name: add_failed
-- Failed runs, in the order of time: a question reads those of a window.
WITH given AS MATERIALIZED (FROM failed)
INSERT INTO failed_run
SELECT run_at, task, false, started::BOOLEAN, duration, duration_bucket(duration), attempt, lease_owner, error_group,
       given.id, finished_at
FROM given JOIN task USING (task_id) LEFT JOIN error_group ON error_group.id = error_id
ORDER BY run_at

-- name: remove_idle_groups
-- Groups without a run.
DELETE FROM error_group WHERE error_group NOT IN (SELECT error_group FROM failed_run WHERE error_group IS NOT NULL)

-- name: clear_names
DELETE FROM task_name

-- name: add_names
WITH given AS MATERIALIZED (FROM named)
INSERT INTO task_name SELECT task_id, name, tags, url FROM given

-- name: clear_views
DELETE FROM shared_view

-- name: add_views
INSERT INTO shared_view SELECT name, query FROM shared

-- name: add_inlined
INSERT INTO inlined_run SELECT {select}, coalesce(started_at, created_at) FROM incoming

-- name: add_recent
-- Rows that went into files.
WITH given AS MATERIALIZED (FROM incoming)
INSERT INTO task_recent
SELECT task, {whole}, {narrowed}, run_at
FROM (SELECT *, coalesce(started_at, created_at) AS run_at FROM given) AS run JOIN task USING (task_id)
WHERE {above_floor}

-- name: flush_recent
-- The same of the finished rows that were inlined and went into files.
INSERT INTO task_recent
SELECT task, {whole}, {narrowed}, run_at FROM inlined_run AS run JOIN task USING (task_id) WHERE success IS NOT NULL AND {above_floor}

-- name: remove_flushed
DELETE FROM inlined_run WHERE success IS NOT NULL

-- name: close_inlined
WITH given AS MATERIALIZED (FROM closed)
DELETE FROM inlined_run WHERE success IS NULL AND id IN (SELECT id FROM given)

-- name: close_uncounted
WITH given AS MATERIALIZED (FROM closed)
DELETE FROM uncounted_run WHERE success IS NULL AND id IN (SELECT id FROM given)

-- name: remove_files
-- `file` are all that are live.
WITH given AS MATERIALIZED (FROM file)
DELETE FROM live_file WHERE number NOT IN (SELECT number FROM given)

-- name: clear_files
DELETE FROM live_file

-- name: add_files
WITH given AS MATERIALIZED (FROM file)
INSERT INTO live_file
SELECT day, number, path, rows, size, readable FROM given WHERE number NOT IN (SELECT number FROM live_file)

-- name: retain
-- Each of the tables that hold finished runs, by its column of time.
DELETE FROM {table} WHERE {column} < $first

-- name: retain_finished
DELETE FROM uncounted_run WHERE success IS NOT NULL AND run_at < $first

-- name: remove_floors
DELETE FROM recent_floor WHERE task NOT IN (SELECT task FROM task_recent)

-- name: remove_idle_tasks
-- Tasks without a run.
DELETE FROM task WHERE task NOT IN (
    SELECT task FROM task_day UNION SELECT task FROM uncounted_run
)

-- name: moved_recent
-- After a gap: finished rows that were inlined, and are not any more ({incoming} are those that are now).
WITH given AS MATERIALIZED (SELECT id FROM incoming)
INSERT INTO task_recent
SELECT task, {whole}, {narrowed}, run_at FROM inlined_run AS run JOIN task USING (task_id)
WHERE success IS NOT NULL AND id NOT IN (SELECT id FROM given) AND {above_floor}

-- name: clear_inlined
DELETE FROM inlined_run

-- name: clear_open
DELETE FROM uncounted_run WHERE success IS NULL

-- name: feed_recent
-- The same of runs that came in the gap, but for those that are inlined.
WITH given AS MATERIALIZED (FROM incoming)
INSERT INTO task_recent
SELECT task, {whole}, {narrowed}, run_at
FROM (SELECT *, coalesce(started_at, created_at) AS run_at FROM given) AS run JOIN task USING (task_id)
WHERE run.id NOT IN (SELECT id FROM inlined_run) AND {above_floor}

-- name: retain_recent
DELETE FROM task_recent WHERE run_at < make_timestamptz($first)

-- name: uncounted
SELECT count(*) FROM uncounted_run WHERE success IS NOT NULL

-- name: checkpointed
SELECT layout, snapshot, lineage, finished, key_files FROM checkpointed

-- name: remove_checkpointed
DELETE FROM checkpointed

-- name: add_checkpointed
INSERT INTO checkpointed VALUES ($layout, $snapshot, $lineage, $finished, $names)
