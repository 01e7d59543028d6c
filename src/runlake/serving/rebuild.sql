-- Making serving.duckdb anew from the Parquet files of a lake, the newest days first; $files are those of whole days.

-- name: add_tasks
-- Tasks that are new, with the next numbers.
INSERT INTO task
SELECT (SELECT coalesce(max(task) + 1, 0) FROM task) + row_number() OVER () - 1, task_id
FROM (SELECT DISTINCT task_id FROM read_parquet($files, hive_partitioning = false))
WHERE task_id NOT IN (SELECT task_id FROM task)

-- name: counting
-- The narrow columns of all their runs, with the ids; see count.sql.
CREATE OR REPLACE TEMP TABLE counting AS
SELECT id, run_at, task, success, started, duration, duration_bucket(duration) AS bucket, attempt, lease_owner,
       (run_at // 900000000)::INTEGER AS quarter, (run_at // 3600000000)::INTEGER AS hour,
       (run_at // 86400000000)::INTEGER AS day
FROM (
    SELECT id, epoch_us(run_at) AS run_at, task, success, started_at IS NOT NULL AS started,
           epoch_us(finished_at) - epoch_us(started_at) AS duration, attempt, lease_owner
    FROM read_parquet($files, hive_partitioning = false) JOIN task USING (task_id)
)

-- name: failed
-- The failed runs, with the parts of their errors; see apply.sql.
SELECT {failed}
FROM (SELECT *, error_parts(error) AS parts FROM read_parquet($files, hive_partitioning = false) WHERE NOT success) AS run

-- name: ids
SELECT id, quarter FROM counting

-- name: add_recent
-- Whole rows of the tasks that do not have enough yet: newer days are there already.
INSERT INTO task_recent
SELECT task, {whole}, {narrowed}, run_at
FROM read_parquet($files, hive_partitioning = false) JOIN (
    SELECT task, task_id, coalesce(rows, 0) AS rows
    FROM task LEFT JOIN (SELECT task, count(*) AS rows FROM task_recent GROUP BY task) USING (task)
    WHERE coalesce(rows, 0) < {recent}
) USING (task_id)
QUALIFY row_number() OVER (PARTITION BY task ORDER BY run_at DESC, id DESC) <= {recent} - rows
ORDER BY task, run_at DESC, id DESC

-- name: order_days
INSERT INTO day_of_task FROM task_day ORDER BY task, day

-- name: whole
-- Every value of every column, to see whether they can be read.
SELECT bit_xor(hash(COLUMNS(*))) FROM read_parquet($files, hive_partitioning = false)
