-- How many runs match the filters of a page.
SELECT (
    SELECT count(*) FROM read_parquet($files)
    WHERE ($task_id IS NULL OR task_id = $task_id)
      AND ($success IS NULL OR success = $success)
      AND ($start_time IS NULL OR (started_at IS NOT NULL AND run_at >= make_timestamptz($start_time)))
      AND ($end_time IS NULL OR (started_at IS NOT NULL AND run_at < make_timestamptz($end_time)))
) + (
    SELECT count(*) FROM recent
    WHERE born <= $snapshot AND died > $snapshot
      AND ($task_id IS NULL OR task_id = $task_id)
      AND ($success IS NULL OR success = $success)
      AND ($start_time IS NULL OR (started_at IS NOT NULL AND run_at >= make_timestamptz($start_time)))
      AND ($end_time IS NULL OR (started_at IS NOT NULL AND run_at < make_timestamptz($end_time)))
) AS total
