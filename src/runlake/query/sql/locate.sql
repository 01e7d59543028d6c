-- How many runs match a list, by units of time: whole days, then the parts of one or two of them. A part is a quarter
-- hour, of one task an hour. What the rollups have not counted yet counts run by run. Times are microseconds.
-- The blocks are branches of one UNION ALL: `low` is where a unit begins, and it may come more than once. {narrow} and
-- {whole} are the predicates of filters.sql, {uncounted} the rows of runs that no rollup knows.

-- name: days
SELECT day * 86400000000 AS low, sum(runs)::BIGINT AS runs
FROM day_count WHERE day >= $first AND day < $last AND {narrow} GROUP BY day

-- name: days_of_task
-- With the quarters of the day in which its runs began (as HUGEINT: DuckDB's Python client takes many times as long to
-- hand over a UHUGEINT). {fitting} is how many of them belong to the list.
SELECT day * 86400000000 AS low, {fitting} AS runs, quarters::HUGEINT AS quarters
FROM day_of_task WHERE task = $task AND day >= $first AND day < $last

-- name: days_of_tasks
SELECT day * 86400000000 AS low, sum({fitting})::BIGINT AS runs, bit_or(quarters)::HUGEINT AS quarters
FROM day_of_task WHERE task IN $tasks AND day >= $first AND day < $last GROUP BY day

-- name: succeeded
succeeded

-- name: failed
failed

-- name: succeeded_started
succeeded - succeeded_unstarted

-- name: failed_started
failed - failed_unstarted

-- name: parts
SELECT quarter * 900000000::BIGINT AS low, sum(runs)::BIGINT AS runs
FROM quarter WHERE quarter >= $first_part AND quarter < $last_part AND {narrow} GROUP BY quarter

-- name: parts_of_task
SELECT hour * 3600000000 AS low, {fitting} AS runs
FROM task_hour WHERE hour >= $first_part AND hour < $last_part AND task IN $tasks

-- name: end_hot
-- A piece of a part, cut by the window.
SELECT $end_low::BIGINT AS low, count(*) AS runs FROM {hot_run} AS run
WHERE run_at >= $end_low AND run_at < $end_high AND {narrow}

-- name: end_in_files
-- The same where hot_run does not reach back. Such a piece is counted from whole runs, uncounted ones included.
SELECT $end_low::BIGINT AS low, count(*) AS runs FROM read_parquet($files, hive_partitioning = false)
WHERE run_at >= make_timestamptz($end_low) AND run_at < make_timestamptz($end_high) AND {whole}

-- name: end_inlined
SELECT $end_low::BIGINT AS low, count(*) AS runs FROM inlined_run
WHERE run_at >= make_timestamptz($end_low) AND run_at < make_timestamptz($end_high) AND {whole}

-- name: uncounted_and_open
-- Narrow rows of what is not counted, where only some kinds of open runs belong to it.
SELECT run_at, task, success, started, duration, attempt, lease_owner FROM uncounted_run WHERE success IS NOT NULL
UNION ALL
SELECT epoch_us(run_at), task, success, started_at IS NOT NULL, NULL, attempt, lease_owner
FROM inlined_run JOIN task USING (task_id) WHERE success IS NULL AND ({opened})

-- name: uncounted
SELECT {unit} AS low, count(*) AS runs FROM {uncounted_run} AS run
WHERE run_at >= $uncounted_low AND run_at < $uncounted_high AND {narrow} GROUP BY low

-- name: uncounted_of_task
SELECT {unit} AS low, count(*) AS runs, bit_or(1::HUGEINT << (run_at // 900000000 % 96)::HUGEINT) AS quarters
FROM {uncounted_run} AS run WHERE run_at >= $uncounted_low AND run_at < $uncounted_high AND {narrow} GROUP BY low

-- name: unit
CASE WHEN run_at >= $whole_low AND run_at < $whole_high THEN run_at - run_at % 86400000000
     ELSE greatest($low, run_at - run_at % $part) END

-- name: uncounted_parts
SELECT run_at - run_at % $part AS low, count(*) AS runs FROM {uncounted_run} AS run
WHERE run_at >= $low AND run_at < $high AND {narrow} GROUP BY low

-- name: unreadable
-- Runs of files that could not be read lie at the beginning of their day: nothing is answered of the day itself.
SELECT day * 86400000000 AS low, rows AS runs FROM live_file WHERE NOT readable AND day * 86400000000 >= $low

-- name: files
-- The files of some days.
SELECT day, path FROM live_file WHERE readable AND day >= $first_file AND day <= $last_file

-- name: task_number
SELECT task FROM task WHERE task_id = $task_id

-- name: task_numbers
SELECT task FROM task WHERE task_id IN $task_ids

-- name: group_number
SELECT error_group FROM error_group WHERE id = $error_group

-- name: group_page
-- Runs of one group of errors on a page.
SELECT id, run_at FROM {hot_run} AS run WHERE run_at >= $low AND run_at < $high AND {narrow}
ORDER BY run_at DESC, id DESC LIMIT $limit OFFSET $skip

-- name: counted_days
SELECT DISTINCT day FROM day_count WHERE day >= $first AND day <= $last ORDER BY day DESC

-- name: hot_quarters
-- Of runs that no rollup counts as they are asked for: those of each quarter hour, from narrow rows.
SELECT run_at - run_at % 900000000 AS low, count(*) AS runs FROM {hot_run} AS run
WHERE run_at >= $low AND run_at < $high AND {narrow} GROUP BY low

-- name: inlined_quarters
SELECT epoch_us(run_at) - epoch_us(run_at) % 900000000 AS low, count(*) AS runs FROM inlined_run
WHERE run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high) AND {whole} GROUP BY low

-- name: quarters_in_files
SELECT epoch_us(run_at) - epoch_us(run_at) % 900000000 AS low, count(*) AS runs
FROM read_parquet($files, hive_partitioning = false)
WHERE run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high) AND {whole} GROUP BY low

-- name: files_of_tasks
-- The files of the days in which tasks have runs.
SELECT day, path FROM live_file WHERE readable AND day >= $first_file AND day <= $last_file
AND day IN (SELECT day FROM day_of_task WHERE task IN $tasks
            UNION SELECT run_at // 86400000000 FROM uncounted_run WHERE task IN $tasks)

-- name: at_moment
-- The runs of one microsecond that are not after the run of an id in a list.
SELECT id FROM ({branches})

-- name: inlined_at_moment
SELECT id FROM inlined_run WHERE run_at = make_timestamptz($moment) AND id >= $run_id AND {whole}

-- name: in_files_at_moment
SELECT id FROM read_parquet($files, hive_partitioning = false)
WHERE run_at = make_timestamptz($moment) AND id >= $run_id AND {whole}
