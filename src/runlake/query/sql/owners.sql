-- Lease owners of a window and of the one before it, from hours and single runs; `t` is a time in microseconds.

-- name: owner_days
SELECT day * 86400000000 AS t, lease_owner, succeeded, failed, 0 AS open, 0 AS lost, duration_count, duration_us, last_run
FROM owner_day WHERE {within}

-- name: owner_parts
SELECT hour * 3600000000, lease_owner, succeeded, failed, 0, 0, duration_count, duration_us, last_run
FROM owner_hour WHERE {within}

-- name: owner_runs
SELECT run_at, lease_owner, (success IS TRUE)::BIGINT, (success IS FALSE)::BIGINT, 0, 0, (duration IS NOT NULL)::BIGINT,
       coalesce(duration, 0)::DOUBLE, run_at
FROM {rows} AS run WHERE lease_owner IS NOT NULL

-- name: owner_open
-- Open runs, which only the whole rows know to be lost.
SELECT epoch_us(run_at), lease_owner, 0, 0, 1, (leased_until IS NOT NULL AND leased_until < make_timestamptz($moment))::BIGINT,
       0, 0, epoch_us(run_at)
FROM inlined_run WHERE success IS NULL AND lease_owner IS NOT NULL
AND started_at >= make_timestamptz($low) AND started_at < make_timestamptz($high)

-- name: owner_line_days
SELECT day * 86400000000, lease_owner, succeeded + failed, failed FROM owner_day WHERE {within}

-- name: owner_line_parts
SELECT hour * 3600000000, lease_owner, succeeded + failed, failed FROM owner_hour WHERE {within}

-- name: owner_line_runs
SELECT run_at, lease_owner, 1, (success IS FALSE)::BIGINT FROM {rows} AS run WHERE lease_owner IS NOT NULL

-- name: owner_line_open
SELECT epoch_us(run_at), lease_owner, 1, 0 FROM inlined_run WHERE success IS NULL AND lease_owner IS NOT NULL
AND started_at >= make_timestamptz($low) AND started_at < make_timestamptz($high)

-- name: owners
-- Those with a run in the window, with their spark lines (spark.sql), and how many there are in all.
WITH cell(t, owner, succeeded, failed, open, lost, timed, us, last_run) AS ({branches}), summed AS MATERIALIZED (
    SELECT owner, t >= $now AS current, sum(succeeded + failed + open)::BIGINT AS runs,
           sum(succeeded + failed)::BIGINT AS finished, sum(failed)::BIGINT AS failed, sum(open)::BIGINT AS open,
           sum(lost)::BIGINT AS lost, max(last_run) AS last_seen, sum(us) / nullif(sum(timed), 0) / 1e6 AS avg_seconds
    FROM cell GROUP BY ALL
), figure AS (
    SELECT owner, now.runs, now.finished, now.failed, now.open, now.lost, now.last_seen, now.avg_seconds,
           coalesce(earlier.runs, 0) AS previous_runs, coalesce(earlier.failed, 0) AS previous_failed,
           earlier.avg_seconds AS previous_avg_seconds
    FROM (FROM summed WHERE current) AS now LEFT JOIN (FROM summed WHERE NOT current) AS earlier USING (owner)
), total AS (
    SELECT sum(finished) AS finished, sum(failed) AS failed FROM figure
), page AS (
    SELECT owner, runs, figure.failed, open, lost, last_seen, avg_seconds,
           failure_z(figure.failed, figure.finished, total.failed - figure.failed, total.finished - figure.finished),
           previous_runs, previous_failed, previous_avg_seconds, count(*) OVER () AS owners
    FROM figure, total ORDER BY figure.failed DESC, owner LIMIT 5000
), line AS (
    {lines}
)
SELECT page.*, line_of_runs, line_of_failed FROM page LEFT JOIN line USING (owner) ORDER BY failed DESC, owner

