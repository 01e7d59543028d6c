-- {whole} is the predicate of filters.sql, {listed} are the columns that are shown. Whole runs: those in files, of exactly the files and times that may hold them, and those that are in no file.

-- name: page
-- Runs that match, the newest first.
SELECT {shown}, epoch_us(run_at) FROM ({branches}) ORDER BY run_at DESC, id DESC LIMIT $limit OFFSET $skip

-- name: in_files
SELECT {listed}, run_at FROM read_parquet($files, hive_partitioning = false)
WHERE run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high) AND {whole}

-- name: inlined
SELECT {listed}, run_at FROM inlined_run
WHERE run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high) AND {whole}

-- name: recent_page
-- Runs of one task, the newest first, from those that task_recent holds and those that are in no file; `whole` is null
-- for the latter, and false where `error` and `output` are to be read from the file.
SELECT {shown}, epoch_us(run_at), whole FROM ({branches}) ORDER BY run_at DESC, id DESC LIMIT $limit OFFSET $skip

-- name: recent
SELECT {listed}, run_at, whole FROM task_recent
WHERE task = $task AND run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high) AND {whole}

-- name: oldest_recent
-- From when on task_recent holds all runs of a task that are in files.
SELECT epoch_us(min(run_at)) FROM task_recent WHERE task = $task

-- name: with_id
-- The run of an id.
SELECT {shown} FROM ({branches})

-- name: id_in_files
SELECT {run} FROM read_parquet($files, hive_partitioning = false)
WHERE id = $run_id AND run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high)

-- name: id_inlined
SELECT {run} FROM inlined_run WHERE id = $run_id

-- name: ids_in_files
SELECT {listed} FROM read_parquet($files, hive_partitioning = false) WHERE run_at IN $moments AND id IN $run_ids

-- name: ids_inlined
SELECT {listed} FROM inlined_run WHERE id IN $run_ids

-- name: longest
-- The longest runs, by id and run time.
SELECT id, epoch_us(run_at), duration FROM ({branches}) ORDER BY duration DESC, id DESC LIMIT $limit OFFSET $skip

-- name: longer
-- How many runs are longer than one, and how many are not after it in the list of durations.
SELECT count(*) FILTER (duration > $position OR (duration = $position AND id > $run_id)), count(*)
FROM ({branches}) WHERE duration > $position OR (duration = $position AND id >= $run_id)

-- name: moments
-- When runs began, at most so many of them.
SELECT run_at FROM {hot_run} AS run WHERE run_at >= $low AND run_at < $high AND {narrow} LIMIT $limit

-- name: uncounted_moments
SELECT run_at FROM {uncounted_run} AS run WHERE run_at >= $low AND run_at < $high AND {narrow} LIMIT $limit

-- name: nth_longest
-- The duration of the last run of a page.
SELECT duration FROM (
    SELECT duration FROM {hot_run} AS run WHERE run_at >= $low AND run_at < $high AND {narrow}
    UNION ALL SELECT duration FROM {uncounted_run} WHERE run_at >= $low AND run_at < $high AND {narrow}
) ORDER BY duration DESC LIMIT 1 OFFSET $skip
