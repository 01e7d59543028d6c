-- The fleet: figures of all tasks of a window and of the one before it; `t` is a time in microseconds. Branches of three
-- kinds: cells with counts, durations by bucket, and pieces of time that say how runs followed each other.

-- name: task_days
SELECT day * 86400000000 AS t, task, succeeded - succeeded_unstarted, failed - failed_unstarted, 0,
       retried - retried_unstarted, duration_count, duration_us, longest, last_started_success, last_started_failure, NULL
FROM task_day WHERE day >= $first AND day < $last

-- name: task_parts
SELECT hour * 3600000000, task, succeeded - succeeded_unstarted, failed - failed_unstarted, 0, retried - retried_unstarted,
       duration_count, duration_us, longest, last_started_success, last_started_failure, NULL
FROM task_hour WHERE hour >= $first_part AND hour < $last_part

-- name: task_runs
-- Single runs, in the same columns: an open one has no result.
SELECT run_at, task, (success IS TRUE)::BIGINT, (success IS FALSE)::BIGINT, (success IS NULL)::BIGINT,
       (attempt > 1 AND success IS NOT NULL)::BIGINT, (duration IS NOT NULL)::BIGINT, coalesce(duration, 0)::DOUBLE, duration,
       CASE WHEN success THEN run_at END, CASE WHEN NOT success THEN run_at END, CASE WHEN success IS NULL THEN run_at END
FROM {rows} AS run

-- name: timed_days
SELECT $now_too, task, timed.bucket, timed.succeeded + timed.failed FROM (
    SELECT task, unnest(durations) AS timed FROM task_day WHERE day >= $first AND day < $last)

-- name: timed_parts
SELECT $now_too, task, timed.bucket, timed.succeeded + timed.failed FROM (
    SELECT task, unnest(durations) AS timed FROM task_hour WHERE hour >= $first_part AND hour < $last_part)

-- name: timed_runs
SELECT $now_too, task, bucket, 1 FROM {rows} AS run WHERE bucket IS NOT NULL

-- name: settled_pieces
SELECT task, day * 86400000000 AS piece, runs, flips, first_result, last_result, trail, first_run, last_run, gap
FROM task_sequence WHERE day >= $first_day AND day <= $last_day AND day NOT IN $row_days

-- name: piece_runs
SELECT run_at, task, success FROM {rows} AS run WHERE success IS NOT NULL

-- name: no_piece_runs
SELECT run_at, task, success FROM hot_run WHERE false

-- name: piece
-- A day, or what the start of the window leaves of it.
CASE WHEN run_at >= $now THEN greatest(run_at - run_at % 86400000000, $now) ELSE run_at - run_at % 86400000000 END

-- name: row_days
-- Days whose pieces are made anew from their runs.
SELECT day FROM unsettled_day WHERE day >= $first_day AND day <= $last_day
UNION
SELECT run_at // 86400000000 FROM uncounted_run
WHERE success IS NOT NULL AND run_at // 86400000000 >= $first_day AND run_at // 86400000000 <= $last_day
ORDER BY ALL

-- name: counted_tasks
-- Counts of each task, in the window, in the one before it, and its last run in any of the time that is read.
SELECT task, coalesce(sum(succeeded + failed + open) FILTER (t >= $now), 0)::BIGINT AS runs,
       coalesce(sum(succeeded + failed) FILTER (t >= $now), 0)::BIGINT AS finished,
       coalesce(sum(failed) FILTER (t >= $now), 0)::BIGINT AS failed,
       coalesce(sum(open) FILTER (t >= $now), 0)::BIGINT AS open,
       coalesce(sum(retried) FILTER (t >= $now), 0)::BIGINT AS retried,
       coalesce(sum(timed) FILTER (t >= $now), 0)::BIGINT AS timed,
       sum(us) FILTER (t >= $now) / nullif(sum(timed) FILTER (t >= $now), 0) / 1e6 AS avg_seconds,
       max(longest) FILTER (t >= $now) / 1e6 AS max_seconds,
       max(last_success) FILTER (t >= $now) AS last_success, max(last_failure) FILTER (t >= $now) AS last_failure,
       max(last_open) FILTER (t >= $now) AS last_open,
       coalesce(sum(succeeded + failed + open) FILTER (t >= $before AND t < $now), 0)::BIGINT AS previous_runs,
       coalesce(sum(succeeded + failed) FILTER (t >= $before AND t < $now), 0)::BIGINT AS previous_finished,
       coalesce(sum(failed) FILTER (t >= $before AND t < $now), 0)::BIGINT AS previous_failed,
       coalesce(sum(timed) FILTER (t >= $before AND t < $now), 0)::BIGINT AS previous_timed,
       greatest(max(cell.last_success), max(cell.last_failure), max(cell.last_open)) AS last_seen
FROM cell GROUP BY task

-- name: timed_tasks
-- Percentiles of each task, and the probability that a run now takes longer than one before, equal buckets by half.
WITH bucketed AS (
    SELECT now_too, task, bucket, sum(runs)::BIGINT AS runs
    FROM ({timed_branches}) AS part(now_too, task, bucket, runs) GROUP BY ALL
), both_times AS (
    SELECT task, bucket, coalesce(sum(runs) FILTER (now_too), 0) AS of_now,
           coalesce(sum(runs) FILTER (NOT now_too), 0) AS of_before
    FROM bucketed GROUP BY task, bucket
), slow AS (
    SELECT task, sum(of_now * (upto - of_before / 2)) / nullif(sum(of_now)::DOUBLE * sum(of_before), 0) AS slower
    FROM (SELECT *, sum(of_before) OVER (PARTITION BY task ORDER BY bucket) AS upto FROM both_times) GROUP BY task
)
SELECT task, max(us) FILTER (now_too AND p = 50) / 1e6 AS p50_seconds,
       max(us) FILTER (now_too AND p = 95) / 1e6 AS p95_seconds,
       max(us) FILTER (NOT now_too AND p = 95) / 1e6 AS previous_p95_seconds, any_value(slower) AS slower
FROM ({percentile}) LEFT JOIN slow USING (task) GROUP BY task

-- name: no_timed_tasks
SELECT 0 AS task, NULL::DOUBLE AS p50_seconds, NULL::DOUBLE AS p95_seconds, NULL::DOUBLE AS previous_p95_seconds,
       NULL::DOUBLE AS slower WHERE false

-- name: sequenced_tasks
-- Streak and flips of the window, and the longest gap, from pieces in their order. A piece is broken where results change in
-- it, or where it ends otherwise than the last one: the streak is what comes after the newest broken piece, and its own
-- end if that is alike.
WITH run_of_piece(run_at, task, success) AS MATERIALIZED (
    {pieces_branches}
), piece AS (
    {settled_pieces}
    UNION ALL
    {sequence}
), final AS (
    SELECT *, arg_max(last_result, piece) FILTER (piece >= $now) OVER (PARTITION BY task) AS final FROM piece
), followed AS (
    SELECT *, lag(last_result) OVER task_pieces AS before, lag(piece) OVER task_pieces AS before_piece,
           lag(last_run) OVER task_pieces AS before_run,
           coalesce(max(piece) FILTER (piece >= $now AND (flips > 0 OR last_result <> final)) OVER (PARTITION BY task), -1)
               AS broken_at
    FROM final WINDOW task_pieces AS (PARTITION BY task ORDER BY piece)
)
SELECT task, CASE WHEN final THEN 1 ELSE -1 END * (
           coalesce(sum(runs) FILTER (piece > broken_at AND piece >= $now), 0)
           + coalesce(max(trail) FILTER (piece = broken_at AND last_result = final), 0))::BIGINT AS streak,
       coalesce(sum(flips) FILTER (piece >= $now), 0)::BIGINT
           + count(*) FILTER (first_result <> before AND before_piece >= $now) AS flips,
       max(greatest(gap, CASE WHEN before_run >= $gap_from THEN first_run - before_run END)) FILTER (piece >= $gap_from) / 1e6
           AS longest_gap_seconds
FROM followed GROUP BY task, final

-- name: no_sequenced_tasks
SELECT 0 AS task, NULL::BIGINT AS streak, NULL::BIGINT AS flips, NULL::DOUBLE AS longest_gap_seconds WHERE false

-- name: fleet
-- A page of tasks in an order, each with the parts of its spark line, and how many there are in all. Durations and sequences
-- are those of the statements above, or none where nobody asked.
WITH cell(t, task, succeeded, failed, open, retried, timed, us, longest, last_success, last_failure, last_open)
AS MATERIALIZED ({branches}), counted AS (
    {counted_tasks}
), timed_task AS (
    {timed}
), sequenced AS (
    {sequenced}
), waiting AS (
    SELECT task, count(*) AS queued FROM inlined_run JOIN task USING (task_id)
    WHERE success IS NULL AND started_at IS NULL GROUP BY task
), part AS (
    SELECT task, list({'part': part, 'runs': runs, 'failed': failed}) AS parts FROM (
        SELECT task, (t - $origin) // $width AS part, sum(succeeded + failed + open)::BIGINT AS runs,
               sum(failed)::BIGINT AS failed
        FROM cell WHERE t >= $now AND $width > 0 GROUP BY task, part
    ) GROUP BY task
), figure AS (
    SELECT task_id, name, coalesce(runs, 0) AS runs, coalesce(failed, 0) AS failed, coalesce(open, 0) AS open,
           coalesce(queued, 0) AS queued, coalesce(retried, 0) AS retried,
           (finished - failed) / nullif(finished, 0) AS success_rate, avg_seconds, p50_seconds, p95_seconds, max_seconds,
           greatest(last_success, last_failure, last_open) AS last_run,
           CASE last_run WHEN last_open THEN 'open' WHEN last_success THEN 'success' WHEN last_failure THEN 'failed' END
               AS last_outcome,
           coalesce(streak, 0) AS streak, coalesce(flips, 0) AS flips,
           ($moment - last_seen) / 1e6 AS silent_seconds, longest_gap_seconds,
           CASE WHEN $compared THEN coalesce(previous_runs, 0) END AS previous_runs,
           CASE WHEN $compared THEN coalesce(previous_failed, 0) END AS previous_failed, previous_p95_seconds, slower,
           CASE WHEN $compared THEN failure_z(failed, finished, previous_failed, previous_finished) END AS failure_z,
           parts, timed >= 30 AND previous_timed >= 30 AS is_comparable
    FROM task LEFT JOIN counted USING (task) LEFT JOIN timed_task USING (task) LEFT JOIN sequenced USING (task)
    LEFT JOIN waiting USING (task) LEFT JOIN part USING (task) LEFT JOIN task_name USING (task_id)
    WHERE (last_seen IS NOT NULL OR queued > 0) AND {matching}
)
SELECT *, count(*) OVER () FROM figure ORDER BY {order}, task_id LIMIT $limit OFFSET $offset

-- name: all_tasks
true

-- name: tasks_with_words
contains(lower(concat_ws(chr(10), name, array_to_string(tags, chr(10)), task_id::VARCHAR)), lower($q))

-- name: by_attention
-- Who fails now, who has become slower, who is silent, and then by failures.
CASE WHEN streak <= -1 THEN 3
     WHEN is_comparable AND slower >= 0.65 AND p95_seconds >= 1.25 * previous_p95_seconds THEN 2
     WHEN silent_seconds > 2 * longest_gap_seconds THEN 1 ELSE 0 END {direction}, failed
