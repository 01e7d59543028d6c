-- Statements on PostgreSQL, past DuckDB.

-- name: has_tables
SELECT to_regclass('ducklake_table') IS NOT NULL

-- name: has_lake
SELECT EXISTS (SELECT FROM ducklake_table WHERE table_name = 'finished_runs' AND end_snapshot IS NULL)

-- name: lock
-- The number is "runlake" in ASCII.
SELECT pg_try_advisory_lock(32217264470190949)

-- name: create_epoch
-- The number of the newest writer, in one row.
CREATE TABLE IF NOT EXISTS runlake_epoch (epoch bigint NOT NULL)

-- name: next_epoch
-- Waits for a commit that an older writer has begun.
WITH new AS (
    INSERT INTO runlake_epoch SELECT 1 WHERE NOT EXISTS (SELECT FROM runlake_epoch) RETURNING epoch
), next AS (
    UPDATE runlake_epoch SET epoch = epoch + 1 RETURNING epoch
)
SELECT epoch FROM new UNION ALL SELECT epoch FROM next

-- name: create_fence
-- Refuses a commit of any but the newest writer, in the transaction of the commit.
CREATE OR REPLACE FUNCTION runlake_fence() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE newest bigint;
BEGIN
    SELECT epoch INTO newest FROM runlake_epoch FOR SHARE;
    IF nullif(current_setting('runlake.epoch', true), '')::bigint IS DISTINCT FROM newest THEN
        RAISE EXCEPTION 'another process writes to this lake';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER runlake_fence BEFORE INSERT ON ducklake_snapshot
    FOR EACH ROW EXECUTE FUNCTION runlake_fence()

-- name: create_indexes
-- For the file lists of commits and questions.
CREATE INDEX IF NOT EXISTS runlake_data_file ON ducklake_data_file (table_id);
CREATE INDEX IF NOT EXISTS runlake_column_stats ON ducklake_file_column_stats (data_file_id)

-- name: bytes
SELECT pg_database_size(current_database())
