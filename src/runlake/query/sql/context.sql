-- What stands around one run: other tries of the same work, and runs that it is compared with. Times are microseconds.

-- name: near_moments
-- When runs of a task near a time began that may be tries of one work: failed or open ones, and those after a first try.
SELECT run_at FROM hot_run WHERE task IN $tasks AND run_at >= $low AND run_at < $high AND (attempt > 1 OR NOT success)
UNION
SELECT run_at FROM uncounted_run
WHERE task IN $tasks AND run_at >= $low AND run_at < $high AND (attempt > 1 OR success IS NOT TRUE)
LIMIT $limit

-- name: near_in_files
-- Runs of a task near a time.
SELECT id, attempt, started_at, finished_at, success, run_at FROM read_parquet($files, hive_partitioning = false)
WHERE task_id = $task_id AND run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high)

-- name: near_at_moments
SELECT id, attempt, started_at, finished_at, success, run_at FROM read_parquet($files, hive_partitioning = false)
WHERE task_id = $task_id AND run_at IN $moments

-- name: near_inlined
SELECT id, attempt, started_at, finished_at, success, run_at FROM inlined_run
WHERE task_id = $task_id AND run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high)

-- name: attempts
-- From one run back to the failed run of the attempt before, and from a failed run on to the run of the next one. A failed
-- run is followed at `next_at` by the first run of the next attempt; of `candidates` that are followed by the same run, the
-- one that ended last is taken.
WITH RECURSIVE read AS MATERIALIZED ({branches}), near AS MATERIALIZED (
    SELECT read.*, (
        SELECT min(later.run_at) FROM read AS later
        WHERE read.success IS FALSE AND later.attempt - 1 = read.attempt AND later.run_at >= read.finished_at
        AND later.run_at <= read.finished_at + INTERVAL 24 HOUR
    ) AS next_at
    FROM read
), earlier AS (
    SELECT near AS run, 1 AS candidates FROM near WHERE id = $run_id
    UNION ALL
    SELECT arg_max(near, (near.finished_at, near.id)), count(*)
    FROM earlier JOIN near ON near.attempt = earlier.run.attempt - 1 AND near.next_at = earlier.run.run_at
    HAVING count(*) > 0
), later AS (
    SELECT near AS run, 1 AS candidates FROM near WHERE id = $run_id
    UNION ALL
    SELECT arg_min(near, near.id), (
        SELECT count(*) FROM near AS other, later
        WHERE other.attempt = later.run.attempt AND other.next_at = later.run.next_at)
    FROM later JOIN near ON near.attempt - 1 = later.run.attempt AND near.run_at = later.run.next_at
    HAVING count(*) > 0
)
SELECT run.id, run.attempt, epoch_us(run.started_at), epoch_us(run.finished_at), run.success, max(candidates)
FROM (FROM earlier UNION ALL FROM later) GROUP BY run ORDER BY run.attempt

-- name: neighbour_days
-- The nearest days before and after one on which a task has counted runs; and successes.
SELECT max(day) FILTER (day < $day), min(day) FILTER (day > $day),
       max(day) FILTER (day < $day AND succeeded > 0), min(day) FILTER (day > $day AND succeeded > 0)
FROM day_of_task WHERE task = $task

-- name: neighbour_moments
-- When the runs of a task next to a time began; and the successes next to it: of some days, and of what is not counted.
SELECT max(run_at) FILTER (run_at < $at), min(run_at) FILTER (run_at > $at),
       max(run_at) FILTER (run_at < $at AND success), min(run_at) FILTER (run_at > $at AND success)
FROM ({hot} SELECT run_at, success FROM uncounted_run WHERE task = $task)

-- name: neighbours_hot
SELECT run_at, success FROM hot_run WHERE task = $task AND {within} UNION ALL

-- name: files_in_days
SELECT day, path FROM live_file WHERE readable AND day IN $days

-- name: moments_inlined
SELECT id, attempt, started_at, finished_at, success, run_at FROM inlined_run
WHERE task_id = $task_id AND run_at IN $moments

-- name: neighbours
-- The runs before and after one in the order of lists, each with its place; and the successes.
WITH read AS MATERIALIZED ({branches}), near AS MATERIALIZED (
    SELECT id, attempt, epoch_us(started_at), epoch_us(finished_at), success, epoch_us(run_at) AS moment FROM read
)
(SELECT 'previous', * FROM near WHERE (moment, id) < ($at, $run_id) ORDER BY moment DESC, id DESC LIMIT 1)
UNION ALL
(SELECT 'next', * FROM near WHERE (moment, id) > ($at, $run_id) ORDER BY moment, id LIMIT 1)
UNION ALL
(SELECT 'success_before', * FROM near WHERE success AND (moment, id) < ($at, $run_id) ORDER BY moment DESC, id DESC LIMIT 1)
UNION ALL
(SELECT 'success_after', * FROM near WHERE success AND (moment, id) > ($at, $run_id) ORDER BY moment, id LIMIT 1)

-- name: rank_runs
SELECT duration FROM {rows} AS run WHERE duration IS NOT NULL

-- name: rank
-- How many durations there are, and how many are shorter.
SELECT count(*), count(*) FILTER (duration < $took) FROM ({branches}) AS run(duration)

-- name: group_of_run
-- The group of errors of a run, and how many of its runs there are from a time on, up to this one.
SELECT error_group.id, (
    SELECT count(*) FROM failed_run AS other
    WHERE other.error_group = run.error_group AND other.run_at >= $low AND other.run_at <= $at)
FROM failed_run AS run JOIN error_group USING (error_group) WHERE run.run_at = $at AND run.id = $run_id
