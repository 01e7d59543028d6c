-- One page of runs, most recent first, among those of $low..$high (microseconds, half open). A narrow pass finds
-- the page's ids; only their rows are read whole.
WITH narrow AS (
    SELECT id, run_at FROM read_parquet($files, hive_partitioning = false)
    WHERE run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high)
      AND ($task_id IS NULL OR task_id = $task_id)
      AND ($success IS NULL OR success = $success)
      AND (NOT $windowed OR started_at IS NOT NULL)
    UNION ALL
    SELECT id, run_at FROM recent
    WHERE born <= $snapshot AND died > $snapshot
      AND run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high)
      AND ($task_id IS NULL OR task_id = $task_id)
      AND ($success IS NULL OR success = $success)
      AND (NOT $windowed OR started_at IS NOT NULL)
),
page AS MATERIALIZED (
    SELECT id, run_at FROM narrow ORDER BY run_at DESC, id DESC LIMIT $limit OFFSET $offset
),
wide AS (
    SELECT {select}, run_at FROM read_parquet($files, hive_partitioning = false)
    UNION ALL
    SELECT {select}, run_at FROM recent WHERE born <= $snapshot AND died > $snapshot
)
SELECT wide.* EXCLUDE (run_at) REPLACE (CASE WHEN $include_errors THEN wide."error" END AS "error")
FROM wide JOIN page ON wide.id = page.id AND wide.run_at = page.run_at
ORDER BY wide.run_at DESC, wide.id DESC
