-- The last day on which a task has a run in the files; NULL when it has none.
SELECT max(unit) FROM cells WHERE born <= $snapshot AND died > $snapshot AND task_id = $task_id
