-- The newest finished runs of a task that ended alike: $newer of them are of later days, the others among those of
-- the day's $files and in memory with run times $low..$end, both inside.
WITH runs AS (
    SELECT id, run_at, success FROM read_parquet($files, hive_partitioning = false)
    WHERE task_id = $task_id AND run_at >= make_timestamptz($low) AND run_at <= make_timestamptz($end)
    UNION ALL
    SELECT id, run_at, success FROM recent
    WHERE born <= $snapshot AND died > $snapshot AND success IS NOT NULL
      AND task_id = $task_id AND run_at >= make_timestamptz($low) AND run_at <= make_timestamptz($end)
),
-- Newest first, until the result first differs from the newest one's.
ordered AS (
    SELECT success, coalesce($success, first_value(success) OVER newest) AS newest_success,
           row_number() OVER newest AS position
    FROM runs WINDOW newest AS (ORDER BY run_at DESC, id DESC)
)
SELECT any_value(newest_success) AS success,
       CAST($newer + coalesce(min(position) FILTER (success <> newest_success) - 1, count(*)) AS BIGINT) AS length
FROM ordered
