-- What stands around one run: other tries of the same work, and runs that it is compared with. Times are microseconds.

-- name: attempts
-- The attempts of one work around a run. One that failed, or was not finished when its lease ended, is followed at
-- `next_at` by the first run of the next attempt, within $soon. Of so many as `rivals` says that are followed by the same run,
-- the one that ended last is taken; of the runs of one microsecond one that ended so, too.
WITH RECURSIVE followed AS (
    SELECT *, min(began) OVER (
        PARTITION BY coalesce(attempt + 1::BIGINT, next_attempt) ORDER BY coalesce(ended, began)
        RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next_at
    FROM ({stopped_branches} UNION ALL BY NAME {branches})
), link AS MATERIALIZED (
    SELECT * EXCLUDE (began, next_attempt), count(*) OVER (PARTITION BY attempt, next_at) AS rivals
    FROM (SELECT * REPLACE (CASE WHEN next_at <= ended + $soon THEN next_at END AS next_at) FROM followed WHERE id IS NOT NULL)
), {walks}
SELECT id, attempt, started_at, success, run_at, ended, next_at, rivals FROM link WHERE id IN ({walked}) ORDER BY attempt

-- name: walk_back
-- From the run to the attempts before it.
earlier AS (
    SELECT 0 AS step, $at::BIGINT AS run_at, $attempt::INTEGER AS attempt, NULL::UUID AS id
    UNION ALL
    SELECT any_value(step) + 1, arg_max(link.run_at, (link.ended, link.id)), any_value(link.attempt),
           arg_max(link.id, (link.ended, link.id))
    FROM earlier JOIN link ON link.attempt = earlier.attempt - 1 AND link.next_at = earlier.run_at
    WHERE step < $most HAVING count(*) > 0
)

-- name: walk_on
-- From the run, which is among `link`, to the attempts after it; the last one may be no attempt of these.
later AS (
    SELECT 0 AS step, next_at, attempt, id FROM link WHERE id = $run_id
    UNION ALL
    SELECT any_value(step) + 1, arg_min(link.next_at, link.id), any_value(link.attempt), min(link.id)
    FROM later JOIN link ON link.attempt - 1 = later.attempt AND link.run_at = later.next_at
    WHERE step < $most - 1 HAVING count(*) > 0
)

-- name: walked_back
SELECT id FROM earlier

-- name: walked_on
SELECT id FROM later

-- name: failed_attempts
SELECT id, attempt, CASE WHEN started THEN run_at END AS started_at, success, run_at, finished_at AS ended FROM failed_run
WHERE task = $task AND run_at >= $first AND run_at <= $last AND finished_at >= $low AND least(run_at, finished_at) <= $high

-- name: unfinished_attempts
SELECT id, attempt, epoch_us(started_at), success, epoch_us(run_at), epoch_us(leased_until) FROM inlined_run
WHERE task_id = $task_id AND success IS NULL AND run_at >= make_timestamptz($first) AND run_at <= make_timestamptz($last)
AND leased_until >= make_timestamptz($low) AND least(run_at, leased_until) <= make_timestamptz($high)

-- name: began_hot
SELECT run_at AS began, attempt AS next_attempt FROM hot_run
WHERE task = $task AND attempt > 1 AND run_at >= $low AND run_at <= $high

-- name: began_uncounted
SELECT run_at AS began, attempt AS next_attempt FROM uncounted_run
WHERE task = $task AND attempt > 1 AND run_at >= $low AND run_at <= $high

-- name: began_inlined
SELECT epoch_us(run_at) AS began, attempt AS next_attempt FROM inlined_run
WHERE task_id = $task_id AND attempt > 1 AND run_at >= make_timestamptz($low) AND run_at <= make_timestamptz($high)

-- name: began_in_files
SELECT epoch_us(run_at) AS began, attempt AS next_attempt FROM read_parquet($files, hive_partitioning = false)
WHERE task_id = $task_id AND attempt > 1 AND run_at >= make_timestamptz($low) AND run_at <= make_timestamptz($high)

-- name: near_in_files
-- Runs of a task near a time.
SELECT id, attempt, started_at, finished_at, success, run_at FROM read_parquet($files, hive_partitioning = false)
WHERE task_id = $task_id AND run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high)

-- name: near_at_moments
SELECT id, attempt, started_at, finished_at, success, run_at FROM read_parquet($files, hive_partitioning = false)
WHERE task_id = $task_id AND run_at IN $moments

-- name: neighbour_days
-- The nearest days before and after one on which a task has counted runs; and successes.
SELECT max(day) FILTER (day < $day), min(day) FILTER (day > $day),
       max(day) FILTER (day < $day AND succeeded > 0), min(day) FILTER (day > $day AND succeeded > 0)
FROM day_of_task WHERE task = $task

-- name: neighbour_hours
-- The same of hours, among those of some days.
SELECT max(hour) FILTER (hour < $hour), min(hour) FILTER (hour > $hour),
       max(hour) FILTER (hour < $hour AND succeeded > 0), min(hour) FILTER (hour > $hour AND succeeded > 0)
FROM task_hour WHERE task = $task AND {within}

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
-- The runs before and after one in the order of lists; the successes before and after it; and the one that follows the last
-- attempt that is known.
SELECT arg_max(near, place) FILTER (place < here), arg_min(near, place) FILTER (place > here),
       arg_max(near, place) FILTER (place < here AND near.success), arg_min(near, place) FILTER (place > here AND near.success),
       arg_min(near, place) FILTER (place.moment = $next_at AND near.attempt = $next_attempt)
FROM (
    SELECT struct_pack(moment := epoch_us(run_at), id := id) AS place, struct_pack(moment := $at::BIGINT, id := $run_id) AS here,
           struct_pack(id := id, attempt := attempt, started := epoch_us(started_at), finished := epoch_us(finished_at),
                       success := success) AS near
    FROM ({branches}))

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
