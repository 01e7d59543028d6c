-- How many runs match the filters of a page in each unit of time ($unit microseconds) that its window cuts in two:
-- those with run times $low..$high (half open) outside the whole units $whole_low..$whole_high.
SELECT unit, count(*) AS n FROM (
    SELECT epoch_us(run_at) // $unit AS unit FROM read_parquet($files, hive_partitioning = false)
    WHERE run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high)
      AND (run_at < make_timestamptz($whole_low) OR run_at >= make_timestamptz($whole_high))
      AND started_at IS NOT NULL
      AND ($task_id IS NULL OR task_id = $task_id)
      AND ($success IS NULL OR success = $success)
    UNION ALL
    SELECT epoch_us(run_at) // $unit FROM recent
    WHERE born <= $snapshot AND died > $snapshot
      AND run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high)
      AND (run_at < make_timestamptz($whole_low) OR run_at >= make_timestamptz($whole_high))
      AND started_at IS NOT NULL
      AND ($task_id IS NULL OR task_id = $task_id)
      AND ($success IS NULL OR success = $success)
) GROUP BY unit
