-- Lease owners of a window and of the one before it, from hours and single runs; `t` is a time in microseconds.

-- name: owner_parts
SELECT hour * 3600000000 AS t, lease_owner, succeeded, failed, 0 AS open, 0 AS lost, duration_count, duration_us, last_run
FROM owner_hour WHERE hour >= $first_part AND hour < $last_part

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

-- name: owners
-- Those with a run in the window, with the parts of their spark lines, and how many there are in all.
WITH cell(t, owner, succeeded, failed, open, lost, timed, us, last_run) AS MATERIALIZED ({branches}), figure AS (
    SELECT owner, sum(succeeded + failed + open) FILTER (t >= $now)::BIGINT AS runs,
           sum(succeeded + failed) FILTER (t >= $now)::BIGINT AS finished, sum(failed) FILTER (t >= $now)::BIGINT AS failed,
           sum(open) FILTER (t >= $now)::BIGINT AS open, sum(lost) FILTER (t >= $now)::BIGINT AS lost,
           max(last_run) FILTER (t >= $now) AS last_seen,
           sum(us) FILTER (t >= $now) / nullif(sum(timed) FILTER (t >= $now), 0) / 1e6 AS avg_seconds,
           coalesce(sum(succeeded + failed + open) FILTER (t < $now), 0)::BIGINT AS previous_runs,
           coalesce(sum(failed) FILTER (t < $now), 0)::BIGINT AS previous_failed,
           sum(us) FILTER (t < $now) / nullif(sum(timed) FILTER (t < $now), 0) / 1e6 AS previous_avg_seconds
    FROM cell GROUP BY owner
), total AS (
    SELECT sum(finished) AS finished, sum(failed) AS failed FROM figure
), part AS (
    SELECT owner, list({'part': part, 'runs': runs, 'failed': failed}) AS parts FROM (
        SELECT owner, (t - $origin) // $width AS part, sum(succeeded + failed + open)::BIGINT AS runs,
               sum(failed)::BIGINT AS failed
        FROM cell WHERE t >= $now AND $width > 0 GROUP BY owner, part
    ) GROUP BY owner
)
SELECT owner, runs, figure.failed, open, lost, last_seen, avg_seconds,
       failure_z(figure.failed, figure.finished, total.failed - figure.failed, total.finished - figure.finished),
       previous_runs, previous_failed, previous_avg_seconds, parts, count(*) OVER ()
FROM figure LEFT JOIN part USING (owner), total WHERE runs > 0
ORDER BY figure.failed DESC, owner LIMIT 5000
