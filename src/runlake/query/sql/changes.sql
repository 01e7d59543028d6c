-- Streams of changed runs. `changed` are the rows of some commits, with the place of each in their order.

-- name: changed_runs
-- Each run once, as it is now. A table of DuckDB's own is read in half the time that one of Arrow takes.
CREATE OR REPLACE TEMP TABLE changed_run AS
SELECT * EXCLUDE place, {run_time} AS run_at FROM changed
QUALIFY row_number() OVER (PARTITION BY id ORDER BY place DESC) = 1

-- name: changes
-- Those that match: the newest ones, each with how many there are of each outcome.
WITH matching AS MATERIALIZED (
    SELECT {listed}, run_at FROM changed_run
    WHERE run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high) AND {whole}
), counted AS (
    SELECT count(*) FILTER (success) AS succeeded, count(*) FILTER (NOT success) AS failed,
           count(*) FILTER (success IS NULL) AS opened
    FROM matching
)
SELECT {shown}, succeeded, failed, opened FROM matching, counted ORDER BY run_at DESC, id DESC LIMIT $limit
