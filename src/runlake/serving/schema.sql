-- The tables of serving.duckdb: a function of one snapshot of the lake, made for questions and never the truth.
-- Days, hours and quarters count from 1970-01-01 UTC, months are 12 * (year - 1970) + month - 1; times and durations
-- are microseconds. {run} is the column list of a whole run, derived from model.Run by columns.py; {sums}, {quarters},
-- {durations}, {histogram} and {of_owner} stand for the lists at the end.

-- name: tables
-- One row: the snapshot of the lake that all tables are of, and what of them may be used.
--   first_day   the first day whose finished runs are kept
--   hot_from    hot_run holds every counted run from this time on
--   newest      no counted run began later; -1 before the first
--   months      the months that task_month and month_histogram hold; all their counted runs are in there
CREATE TABLE state (snapshot BIGINT NOT NULL, first_day INTEGER NOT NULL, hot_from BIGINT NOT NULL, months INTEGER[] NOT NULL,
                    newest BIGINT NOT NULL);

-- One row, written before each checkpoint: the layout of these tables and the mark of their macros, the snapshot, what
-- tells it from the same number of another lake, how many finished runs it has, and the files of the id index.
CREATE TABLE checkpointed (
    layout VARCHAR NOT NULL, snapshot BIGINT NOT NULL, lineage VARCHAR NOT NULL, finished BIGINT NOT NULL,
    key_files VARCHAR[] NOT NULL
);

-- A live Parquet file of finished runs. One that is not readable is not counted: no answer may need its day.
CREATE TABLE live_file (
    day INTEGER NOT NULL, number BIGINT NOT NULL, path VARCHAR NOT NULL, rows BIGINT NOT NULL, bytes BIGINT NOT NULL,
    readable BOOLEAN NOT NULL
);

-- A whole run that is in no file: an open one, or a finished one that waits in the catalog.
CREATE TABLE inlined_run ({run});

-- Small numbers for task ids. A number is never given twice.
CREATE TABLE task (task INTEGER NOT NULL, task_id UUID NOT NULL);

-- A run that no rollup knows yet: an open one (success is null), or a finished one, in a file or not.
CREATE TABLE uncounted_run (
    id UUID NOT NULL, run_at BIGINT NOT NULL, task INTEGER NOT NULL, success BOOLEAN, started BOOLEAN NOT NULL,
    duration BIGINT, bucket USMALLINT, attempt INTEGER NOT NULL, lease_owner VARCHAR
);

-- The counted runs from state.hot_from on: windows cut their hours without opening a file.
CREATE TABLE hot_run (
    run_at BIGINT NOT NULL, task INTEGER NOT NULL, success BOOLEAN NOT NULL, started BOOLEAN NOT NULL,
    duration BIGINT, bucket USMALLINT, attempt INTEGER NOT NULL, lease_owner VARCHAR
);

-- Counted runs of 15 minutes and of a day, by result and by whether they had started; those with a duration, and its sum.
CREATE TABLE quarter (
    quarter INTEGER NOT NULL, success BOOLEAN NOT NULL, started BOOLEAN NOT NULL, runs BIGINT NOT NULL,
    duration_count BIGINT NOT NULL, duration_us DOUBLE NOT NULL
);
CREATE TABLE day_count (
    day INTEGER NOT NULL, success BOOLEAN NOT NULL, started BOOLEAN NOT NULL, runs BIGINT NOT NULL,
    duration_count BIGINT NOT NULL, duration_us DOUBLE NOT NULL
);

-- Counted runs of a task in an hour, a day, a month.
CREATE TABLE task_hour (hour INTEGER NOT NULL, task INTEGER NOT NULL, {sums}, {durations});
CREATE TABLE task_day (day INTEGER NOT NULL, task INTEGER NOT NULL, {sums}, {quarters}, {percentile_of_day}, {durations});
CREATE TABLE task_month (month INTEGER NOT NULL, task INTEGER NOT NULL, {sums}, {durations});

-- task_day once more, in the order of its tasks, for questions of one task. Here `p95` is made anew where it is lost.
CREATE TABLE day_of_task (day INTEGER NOT NULL, task INTEGER NOT NULL, {sums}, {quarters}, {percentile_of_day}, {durations});

-- Durations of all tasks by bucket and result.
CREATE TABLE hour_histogram (hour INTEGER NOT NULL, {histogram});
CREATE TABLE day_histogram (day INTEGER NOT NULL, {histogram});
CREATE TABLE month_histogram (month INTEGER NOT NULL, {histogram});

-- Counted runs of a day of all tasks, with the 95th percentile of its durations.
CREATE TABLE day_figure (
    day INTEGER NOT NULL, succeeded BIGINT NOT NULL, failed BIGINT NOT NULL, duration_count BIGINT NOT NULL,
    duration_us DOUBLE NOT NULL, p95 DOUBLE
);

-- How the runs of a task followed each other on a day (sequence.sql). Days whose runs were counted since are not in there:
-- they are unsettled.
CREATE TABLE task_sequence (
    task INTEGER NOT NULL, day INTEGER NOT NULL, runs INTEGER NOT NULL, flips INTEGER NOT NULL,
    first_result BOOLEAN NOT NULL, last_result BOOLEAN NOT NULL, trail INTEGER NOT NULL,
    first_run BIGINT NOT NULL, last_run BIGINT NOT NULL, gap BIGINT
);
CREATE TABLE unsettled_day (day INTEGER NOT NULL);

-- Every failed run, whether it is counted or not, with the columns of hot_run. A group is null for an error without a word.
CREATE TABLE failed_run (
    run_at BIGINT NOT NULL, task INTEGER NOT NULL, success BOOLEAN NOT NULL, started BOOLEAN NOT NULL,
    duration BIGINT, bucket USMALLINT, attempt INTEGER NOT NULL, lease_owner VARCHAR, error_group INTEGER, id UUID NOT NULL,
    finished_at BIGINT NOT NULL
);

-- Small numbers for groups of alike errors (macros.sql).
CREATE TABLE error_group (
    error_group INTEGER NOT NULL, id VARCHAR NOT NULL, kind VARCHAR, message VARCHAR NOT NULL, frame VARCHAR
);

-- Counted runs of a lease owner that began in an hour, on a day.
CREATE TABLE owner_hour (hour INTEGER NOT NULL, {of_owner});
CREATE TABLE owner_day (day INTEGER NOT NULL, {of_owner});

-- Counted runs that began in an hour, by attempt and by the power of two of seconds from which their durations are on; -1
-- of runs without a duration.
CREATE TABLE attempt_hour (hour INTEGER NOT NULL, attempt INTEGER NOT NULL, seconds DOUBLE NOT NULL, runs BIGINT NOT NULL);

-- What people call a task, and views that they share: as in the lake.
CREATE TABLE task_name (task_id UUID NOT NULL, name VARCHAR NOT NULL, tags VARCHAR[] NOT NULL, url VARCHAR);
CREATE TABLE shared_view (name VARCHAR NOT NULL, query VARCHAR NOT NULL);

-- The newest finished runs of a task that are in files, at least {recent} of them if there are so many. Whole rows, but a
-- long `error` and `output` are left out (whole is false): those are read from the file. A task holds all its runs, or
-- all from its floor on.
CREATE TABLE task_recent (task INTEGER NOT NULL, whole BOOLEAN NOT NULL, {run});
CREATE TABLE recent_floor (task INTEGER NOT NULL, run_at TIMESTAMPTZ NOT NULL, id UUID NOT NULL);

-- name: sums
-- `…_unstarted` are among the others.
succeeded BIGINT NOT NULL, failed BIGINT NOT NULL, succeeded_unstarted BIGINT NOT NULL, failed_unstarted BIGINT NOT NULL,
retried BIGINT NOT NULL, retried_unstarted BIGINT NOT NULL, duration_count BIGINT NOT NULL, duration_us DOUBLE NOT NULL, shortest BIGINT, longest BIGINT,
last_success BIGINT, last_failure BIGINT, last_started_success BIGINT, last_started_failure BIGINT

-- name: durations
-- A histogram in no order: the durations in a bucket, of so many runs that succeeded and of so many that failed.
durations STRUCT(bucket USMALLINT, succeeded UINTEGER, failed UINTEGER)[]

-- name: quarters
-- A bit for each quarter of the day in which runs began.
quarters UHUGEINT NOT NULL

-- name: percentile_of_day
-- The 95th percentile of the durations; null where two rows were added up.
p95 DOUBLE

-- name: histogram
success BOOLEAN NOT NULL, bucket USMALLINT NOT NULL, runs BIGINT NOT NULL

-- name: of_owner
lease_owner VARCHAR NOT NULL, succeeded BIGINT NOT NULL, failed BIGINT NOT NULL, duration_count BIGINT NOT NULL,
duration_us DOUBLE NOT NULL, last_run BIGINT NOT NULL

-- name: macros
-- Those that only these tables need; others are in macros.sql.
CREATE MACRO bucket_middle(bucket) AS
    CASE WHEN bucket < 50 THEN bucket::DOUBLE ELSE 50 * pow(1.0198, bucket - 49.5) END;
-- The duration at a rank between two neighbouring buckets; null where there is none.
CREATE MACRO between_buckets(low, high, rank) AS
    CASE WHEN rank >= 0 THEN bucket_middle(low) + (bucket_middle(high) - bucket_middle(low)) * (rank - floor(rank)) END;
-- The power of two of seconds from which a duration is on.
CREATE MACRO power_of_two(us) AS CASE WHEN us = 0 THEN 0 ELSE pow(2, floor(log2(us / 1e6))) END;
-- The difference of two shares of failures, in standard errors.
CREATE MACRO failure_z(failed, finished, other_failed, other_finished) AS
    CASE WHEN finished >= 30 AND other_finished >= 30 THEN
        (failed / finished - other_failed / other_finished)
        / nullif(sqrt((failed + other_failed) / (finished + other_finished)
                      * (1 - (failed + other_failed) / (finished + other_finished))
                      * (1 / finished + 1 / other_finished)), 0)
    END;
CREATE MACRO month_of(day) AS
    12 * (year(DATE '1970-01-01' + day) - 1970) + month(DATE '1970-01-01' + day) - 1;
