-- How many runs match the filters of a page, and in which units of time the page lies. A unit is an hour, or with a
-- task a day: {cells} holds counts per unit ({unit} microseconds) of the runs in files; units that lie wholly in the
-- window are $first..$last; what is left of the window before and after them is read from the files $head and $tail.
WITH parts AS (
    SELECT unit,
           CASE WHEN $success IS DISTINCT FROM false THEN good + CASE WHEN $windowed THEN 0 ELSE good_unstarted END ELSE 0 END
           + CASE WHEN $success IS DISTINCT FROM true THEN bad + CASE WHEN $windowed THEN 0 ELSE bad_unstarted END ELSE 0 END
           AS n
    FROM {cells}
    WHERE born <= $snapshot AND died > $snapshot AND unit >= $first AND unit < $last {of_task}
    UNION ALL
    SELECT epoch_us(run_at) // {unit}, 1
    FROM recent
    WHERE born <= $snapshot AND died > $snapshot
      AND ($task_id IS NULL OR task_id = $task_id)
      AND ($success IS NULL OR success = $success)
      AND (NOT $windowed OR started_at IS NOT NULL)
      AND run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high)
    UNION ALL
    SELECT epoch_us(run_at) // {unit}, 1
    FROM read_parquet($head, hive_partitioning = false)
    WHERE ($task_id IS NULL OR task_id = $task_id)
      AND ($success IS NULL OR success = $success)
      AND started_at IS NOT NULL
      AND run_at >= make_timestamptz($low) AND run_at < make_timestamptz($head_end)
    UNION ALL
    SELECT epoch_us(run_at) // {unit}, 1
    FROM read_parquet($tail, hive_partitioning = false)
    WHERE ($task_id IS NULL OR task_id = $task_id)
      AND ($success IS NULL OR success = $success)
      AND started_at IS NOT NULL
      AND run_at >= make_timestamptz($tail_start) AND run_at < make_timestamptz($high)
),
units AS (SELECT unit, sum(n) AS n FROM parts GROUP BY unit HAVING sum(n) > 0),
running AS (SELECT unit, n, sum(n) OVER (ORDER BY unit DESC) - n AS newer FROM units)
SELECT CAST(coalesce(sum(n), 0) AS BIGINT) AS total,
       list(unit) FILTER (newer < $offset + $limit AND newer + n > $offset) AS units,
       CAST(min(newer) FILTER (newer + n > $offset) AS BIGINT) AS newer
FROM running
