-- Whole runs: those in files, of exactly the files and times that may hold them, and those that are in no file.

-- name: page
-- Runs that match, the newest first.
SELECT {shown} FROM ({branches}) ORDER BY run_at DESC, id DESC LIMIT $limit OFFSET $skip

-- name: in_files
SELECT {listed}, run_at FROM read_parquet($files, hive_partitioning = false)
WHERE run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high) AND {matches}

-- name: inlined
SELECT {listed}, run_at FROM inlined_run
WHERE run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high) AND {matches}

-- name: recent_page
-- Runs of one task, the newest first, from those that task_recent holds and those that are in no file; `whole` is null
-- for the latter, and false where `error` and `output` are to be read from the file.
SELECT {shown}, epoch_us(run_at), whole FROM ({branches}) ORDER BY run_at DESC, id DESC LIMIT $limit OFFSET $skip

-- name: recent
SELECT {listed}, run_at, whole FROM task_recent
WHERE task = $task AND run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high) AND {matches}

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
