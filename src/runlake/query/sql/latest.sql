-- The latest run of a task among these files and the rows in memory.
WITH candidates AS (
    (SELECT {select}, run_at FROM read_parquet($files, hive_partitioning = false)
     WHERE task_id = $task_id ORDER BY run_at DESC, id DESC LIMIT 1)
    UNION ALL
    (SELECT {select}, run_at FROM recent
     WHERE born <= $snapshot AND died > $snapshot AND task_id = $task_id ORDER BY run_at DESC, id DESC LIMIT 1)
)
SELECT * EXCLUDE (run_at) FROM candidates ORDER BY run_at DESC, id DESC LIMIT 1
