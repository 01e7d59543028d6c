-- How many runs match a list, by units of time: whole days, then the parts of one or two of them. A part is a quarter
-- hour, of one task an hour. What the rollups have not counted yet counts run by run. Times are microseconds.
-- The blocks are branches of one UNION ALL: `low` is where a unit begins, and it may come more than once.

-- name: fits
-- Whether counts by result, and narrow runs, belong to the list.
($success::BOOLEAN IS NULL OR success = $success) AND (started OR NOT $started)

-- name: fitting
-- How many runs of a task belong to the list.
CASE WHEN $success::BOOLEAN IS FALSE THEN 0
     ELSE succeeded - CASE WHEN $started THEN succeeded_unstarted ELSE 0 END END
+ CASE WHEN $success::BOOLEAN IS TRUE THEN 0
       ELSE failed - CASE WHEN $started THEN failed_unstarted ELSE 0 END END

-- name: days
SELECT day * 86400000000 AS low, sum(runs)::BIGINT AS runs
FROM day_count WHERE day >= $first AND day < $last AND {fits} GROUP BY day

-- name: days_of_task
-- With the quarters of the day in which its runs began.
SELECT day * 86400000000 AS low, {fitting} AS runs, quarters
FROM day_of_task WHERE task = $task AND day >= $first AND day < $last

-- name: parts
SELECT quarter * 900000000::BIGINT AS low, sum(runs)::BIGINT AS runs
FROM quarter WHERE quarter >= $first_part AND quarter < $last_part AND {fits} GROUP BY quarter

-- name: parts_of_task
SELECT hour * 3600000000 AS low, {fitting} AS runs
FROM task_hour WHERE hour >= $first_part AND hour < $last_part AND task = $task

-- name: end_hot
-- A piece of a part, cut by the window.
SELECT $end_low::BIGINT AS low, count(*) AS runs FROM hot_run
WHERE run_at >= $end_low AND run_at < $end_high AND {fits} AND ($task::INTEGER IS NULL OR task = $task)

-- name: end_in_files
-- The same where hot_run does not reach back. Such a piece is counted from whole runs, uncounted ones included.
SELECT $end_low::BIGINT AS low, count(*) AS runs FROM read_parquet($files, hive_partitioning = false)
WHERE run_at >= make_timestamptz($end_low) AND run_at < make_timestamptz($end_high) AND {matches}

-- name: end_inlined
SELECT $end_low::BIGINT AS low, count(*) AS runs FROM inlined_run
WHERE run_at >= make_timestamptz($end_low) AND run_at < make_timestamptz($end_high) AND {matches}

-- name: matches
-- Whether whole runs belong to the list.
($task_id::UUID IS NULL OR task_id = $task_id) AND ($success::BOOLEAN IS NULL OR success = $success)
AND (started_at IS NOT NULL OR NOT $started)

-- name: uncounted
SELECT {unit} AS low, count(*) AS runs FROM uncounted_run
WHERE run_at >= $uncounted_low AND run_at < $uncounted_high AND {fits} GROUP BY low

-- name: uncounted_of_task
SELECT {unit} AS low, count(*) AS runs, bit_or(1::UHUGEINT << (run_at // 900000000 % 96)::UHUGEINT) AS quarters
FROM uncounted_run WHERE run_at >= $uncounted_low AND run_at < $uncounted_high AND {fits} AND task = $task GROUP BY low

-- name: unit
CASE WHEN run_at >= $whole_low AND run_at < $whole_high THEN run_at - run_at % 86400000000
     ELSE greatest($low, run_at - run_at % $part) END

-- name: uncounted_parts
SELECT run_at - run_at % $part AS low, count(*) AS runs FROM uncounted_run
WHERE run_at >= $low AND run_at < $high AND {fits} AND ($task::INTEGER IS NULL OR task = $task) GROUP BY low

-- name: unreadable
-- Runs of files that could not be read lie at the beginning of their day: nothing is answered of the day itself.
SELECT day * 86400000000 AS low, rows AS runs FROM live_file WHERE NOT readable

-- name: files
-- The files of some days.
SELECT day, path FROM live_file WHERE readable AND day >= $first_file AND day <= $last_file

-- name: task_number
SELECT task FROM task WHERE task_id = $task_id
