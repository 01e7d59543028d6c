-- The order in which finished runs of a task ended well or badly, for both rooms.

-- name: sequence
-- Of each task and piece of time, from its started, finished runs: how many runs, how often the result changed from one to
-- the next, the first result and the last one, how many runs at the end had that, when the first and the last run began,
-- and the longest time between two that follow each other. Of equal run times failures come first.
SELECT task, piece, count(*)::INTEGER AS runs, count(*) FILTER (success <> before)::INTEGER AS flips,
       arg_min(success, place) AS first_result, arg_max(success, place) AS last_result,
       (count(*) - coalesce(max(place) FILTER (success <> before), 1) + 1)::INTEGER AS trail,
       min(run_at) AS first_run, max(run_at) AS last_run, max(run_at - earlier) AS gap
FROM (
    SELECT task, {piece} AS piece, success, run_at, row_number() OVER task_piece AS place,
           lag(success) OVER task_piece AS before, lag(run_at) OVER task_piece AS earlier
    FROM {rows} AS run WINDOW task_piece AS (PARTITION BY task, {piece} ORDER BY run_at, success)
) GROUP BY task, piece
