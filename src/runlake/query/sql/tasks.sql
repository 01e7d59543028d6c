-- The fleet: figures of all tasks of a window and of the one before it; `t` is a time in microseconds. Branches of four
-- kinds: cells with counts, cells of spark lines, durations by bucket, and pieces of time that say how runs followed each
-- other.

-- name: side
-- 2 in the window, 1 in the one before it, 0 in what is still earlier.
CASE WHEN t >= $now THEN 2 WHEN t >= $before THEN 1 ELSE 0 END

-- name: task_days
SELECT day * 86400000000 AS t, task, succeeded - succeeded_unstarted, failed - failed_unstarted, 0,
       retried - retried_unstarted, duration_count, duration_us, longest, last_started_success, last_started_failure, NULL
FROM task_day WHERE {within}

-- name: task_parts
SELECT hour * 3600000000, task, succeeded - succeeded_unstarted, failed - failed_unstarted, 0,
       retried - retried_unstarted, duration_count, duration_us, longest, last_started_success, last_started_failure, NULL
FROM task_hour WHERE {within}

-- name: task_runs
-- Single runs, in the same columns: an open one has no result.
SELECT run_at, task, (success IS TRUE)::BIGINT, (success IS FALSE)::BIGINT, (success IS NULL)::BIGINT,
       (attempt > 1 AND success IS NOT NULL)::BIGINT, (duration IS NOT NULL)::BIGINT, coalesce(duration, 0)::DOUBLE, duration,
       CASE WHEN success THEN run_at END, CASE WHEN NOT success THEN run_at END, CASE WHEN success IS NULL THEN run_at END
FROM {rows} AS run

-- name: line_days
SELECT day * 86400000000, task, succeeded - succeeded_unstarted + failed - failed_unstarted, failed - failed_unstarted
FROM task_day WHERE {within}

-- name: line_parts
SELECT hour * 3600000000, task, succeeded - succeeded_unstarted + failed - failed_unstarted, failed - failed_unstarted
FROM task_hour WHERE {within}

-- name: line_runs
SELECT run_at, task, 1, (success IS FALSE)::BIGINT FROM {rows} AS run

-- name: timed_days
SELECT day * 86400000000 >= $now, task, timed.bucket, timed.succeeded + timed.failed FROM (
    SELECT day, task, unnest(durations) AS timed FROM task_day WHERE {within})

-- name: timed_parts
SELECT hour * 3600000000 >= $now, task, timed.bucket, timed.succeeded + timed.failed FROM (
    SELECT hour, task, unnest(durations) AS timed FROM task_hour WHERE {within})

-- name: timed_runs
SELECT run_at >= $now, task, bucket, 1 FROM {rows} AS run WHERE bucket IS NOT NULL

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
WITH summed AS (
    SELECT task, {side} AS side, sum(succeeded + failed + open)::BIGINT AS runs, sum(succeeded + failed)::BIGINT AS finished,
           sum(failed)::BIGINT AS failed, sum(open)::BIGINT AS open, sum(retried)::BIGINT AS retried,
           sum(timed)::BIGINT AS timed, sum(us) AS us, max(longest) AS longest, max(last_success) AS last_success,
           max(last_failure) AS last_failure, max(last_open) AS last_open
    FROM cell GROUP BY task, side
), sides AS (
    SELECT task, any_value(summed) FILTER (side = 2) AS now, any_value(summed) FILTER (side = 1) AS earlier,
           greatest(max(last_success), max(last_failure), max(last_open)) AS last_seen
    FROM summed GROUP BY task
)
SELECT task, coalesce(now.runs, 0) AS runs, coalesce(now.finished, 0) AS finished, coalesce(now.failed, 0) AS failed,
       coalesce(now.open, 0) AS open, coalesce(now.retried, 0) AS retried, coalesce(now.timed, 0) AS timed,
       now.us / nullif(now.timed, 0) / 1e6 AS avg_seconds, now.longest / 1e6 AS max_seconds,
       now.last_success AS last_success, now.last_failure AS last_failure, now.last_open AS last_open,
       coalesce(earlier.runs, 0) AS previous_runs, coalesce(earlier.finished, 0) AS previous_finished,
       coalesce(earlier.failed, 0) AS previous_failed, coalesce(earlier.timed, 0) AS previous_timed, last_seen
FROM sides

-- name: timed_tasks
-- Percentiles of each task, and the probability that a run now takes longer than one before, equal buckets by half. Of both
-- windows each bucket has its runs and those up to it; rank p * (n - 1) lies between two neighbours (percentile.sql).
-- (Sums of doubles are exact here, and quicker than those of whole numbers.)
WITH bucketed AS (
    SELECT task, bucket, sum(CASE WHEN now_too THEN runs ELSE 0 END)::DOUBLE AS now,
           sum(CASE WHEN now_too THEN 0 ELSE runs END)::DOUBLE AS earlier
    FROM ({timed_branches}) AS part(now_too, task, bucket, runs) GROUP BY ALL
), placed AS (
    SELECT *, sum(now) OVER upto AS now_upto, sum(earlier) OVER upto AS earlier_upto,
           sum(now) OVER (PARTITION BY task) - 1 AS now_last, sum(earlier) OVER (PARTITION BY task) - 1 AS earlier_last
    FROM bucketed WINDOW upto AS (PARTITION BY task ORDER BY bucket ROWS UNBOUNDED PRECEDING)
), ranked AS (
    SELECT task, any_value(0.5 * now_last) AS rank_50, any_value(0.95 * now_last) AS rank_95,
           any_value(0.95 * earlier_last) AS earlier_rank_95,
           min(bucket) FILTER (now_upto > floor(0.5 * now_last)) AS low_50,
           min(bucket) FILTER (now_upto > ceil(0.5 * now_last)) AS high_50,
           min(bucket) FILTER (now_upto > floor(0.95 * now_last)) AS low_95,
           min(bucket) FILTER (now_upto > ceil(0.95 * now_last)) AS high_95,
           min(bucket) FILTER (earlier_upto > floor(0.95 * earlier_last)) AS earlier_low_95,
           min(bucket) FILTER (earlier_upto > ceil(0.95 * earlier_last)) AS earlier_high_95,
           sum(now * (earlier_upto - earlier / 2)) / nullif(any_value((now_last + 1) * (earlier_last + 1)), 0) AS slower
    FROM placed GROUP BY task
)
SELECT task, between_buckets(low_50, high_50, rank_50) / 1e6 AS p50_seconds,
       between_buckets(low_95, high_95, rank_95) / 1e6 AS p95_seconds,
       between_buckets(earlier_low_95, earlier_high_95, earlier_rank_95) / 1e6 AS previous_p95_seconds, slower
FROM ranked

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
-- A page of tasks in an order, each with its spark line, and how many there are in all. Durations, sequences and lines are
-- those of the statements above and of spark.sql, or none where nobody asked.
WITH cell(t, task, succeeded, failed, open, retried, timed, us, longest, last_success, last_failure, last_open)
AS ({branches}), counted AS (
    {counted_tasks}
), timed_task AS (
    {timed}
), sequenced AS (
    {sequenced}
), waiting AS (
    SELECT task, count(*) AS queued FROM inlined_run JOIN task USING (task_id)
    WHERE success IS NULL AND started_at IS NULL GROUP BY task
), figure AS (
    SELECT task_id::VARCHAR AS task_id, name, coalesce(runs, 0) AS runs, coalesce(failed, 0) AS failed,
           coalesce(open, 0) AS open, coalesce(queued, 0) AS queued, coalesce(retried, 0) AS retried,
           (finished - failed) / nullif(finished, 0) AS success_rate, avg_seconds, p50_seconds, p95_seconds, max_seconds,
           greatest(last_success, last_failure, last_open) AS last_run,
           CASE last_run WHEN last_open THEN 'open' WHEN last_success THEN 'success' WHEN last_failure THEN 'failed' END
               AS last_outcome,
           coalesce(streak, 0) AS streak, coalesce(flips, 0) AS flips,
           ($moment - last_seen) / 1e6 AS silent_seconds, longest_gap_seconds,
           CASE WHEN $compared THEN coalesce(previous_runs, 0) END AS previous_runs,
           CASE WHEN $compared THEN coalesce(previous_failed, 0) END AS previous_failed, previous_p95_seconds, slower,
           CASE WHEN $compared THEN failure_z(failed, finished, previous_failed, previous_finished) END AS failure_z,
           task, timed >= 30 AND previous_timed >= 30 AS is_comparable
    FROM task LEFT JOIN counted USING (task) LEFT JOIN timed_task USING (task) LEFT JOIN sequenced USING (task)
    LEFT JOIN waiting USING (task) LEFT JOIN task_name USING (task_id)
    WHERE (last_seen IS NOT NULL OR queued > 0) AND {matching}
), page AS MATERIALIZED (
    SELECT *, count(*) OVER () AS tasks FROM figure ORDER BY {order}, task_id LIMIT $limit OFFSET $offset
), line AS (
    {lines}
)
SELECT page.*, line_of_runs, line_of_failed FROM page LEFT JOIN line USING (task) ORDER BY {order}, task_id

-- name: all_tasks
true

-- name: tasks_with_words
contains(lower(concat_ws(chr(10), name, array_to_string(tags, chr(10)), task_id::VARCHAR)), lower($q))

-- name: by_attention
-- Who fails now, who has become slower, who is silent, and then by failures.
CASE WHEN streak <= -1 THEN 3
     WHEN is_comparable AND slower >= 0.65 AND p95_seconds >= 1.25 * previous_p95_seconds THEN 2
     WHEN silent_seconds > 2 * longest_gap_seconds THEN 1 ELSE 0 END {direction}, failed
