-- Names of tasks, shared views, and what the lake holds.

-- name: task_names
SELECT task_id, name, tags, url FROM task_name ORDER BY task_id

-- name: shared_views
SELECT name, query FROM shared_view ORDER BY name

-- name: shared_view
SELECT name, query FROM shared_view WHERE name = $name

-- name: span_outside
-- Of runs that are not counted, or in no file.
SELECT min(run_at), max(run_at) FROM (
    SELECT run_at FROM uncounted_run UNION ALL SELECT epoch_us(run_at) FROM inlined_run)

-- name: first_day
SELECT min(day) FROM day_count

-- name: oldest_in_files
SELECT min(epoch_us(run_at)) FROM read_parquet($files, hive_partitioning = false)
