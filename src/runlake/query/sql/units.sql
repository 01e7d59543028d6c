-- Counts per unit of time of the runs of a View, those in memory included: per hour of all runs, or per day of one
-- task. {counts} holds those of the runs in files, by units of {unit} microseconds.
SELECT unit, CAST(sum(good) AS BIGINT) AS good, CAST(sum(bad) AS BIGINT) AS bad,
       CAST(sum(good_unstarted) AS BIGINT) AS good_unstarted, CAST(sum(bad_unstarted) AS BIGINT) AS bad_unstarted,
       CAST(sum(open) AS BIGINT) AS open, CAST(sum(open_unstarted) AS BIGINT) AS open_unstarted
FROM (
    SELECT unit, good, bad, good_unstarted, bad_unstarted, 0 AS open, 0 AS open_unstarted
    FROM {counts} WHERE born <= $snapshot AND died > $snapshot {of_task}
    UNION ALL
    SELECT epoch_us(run_at) // {unit},
           count(*) FILTER (success AND started_at IS NOT NULL),
           count(*) FILTER (NOT success AND started_at IS NOT NULL),
           count(*) FILTER (success AND started_at IS NULL),
           count(*) FILTER (NOT success AND started_at IS NULL),
           count(*) FILTER (success IS NULL AND started_at IS NOT NULL),
           count(*) FILTER (success IS NULL AND started_at IS NULL)
    FROM recent WHERE born <= $snapshot AND died > $snapshot {of_task} GROUP BY ALL
) GROUP BY unit ORDER BY unit
