-- Statements on the attached lake. `lake` is the DuckLake, `meta` stands for its catalog's own tables
-- ({meta} is a constant of sql.py). {columns} and {open} are column lists derived from model.py, {run_time} is the run
-- time of a row.

-- name: inline
SET GLOBAL ducklake_default_data_inlining_row_limit = $value

-- name: threads
SET GLOBAL threads = $value

-- name: create_finished
CREATE TABLE lake.finished_runs ({columns})

-- name: partition_finished
ALTER TABLE lake.finished_runs SET PARTITIONED BY (year(run_at), month(run_at), day(run_at))

-- name: sort_finished
ALTER TABLE lake.finished_runs SET SORTED BY (run_at DESC, id DESC)

-- name: create_open
CREATE TABLE lake.open_runs ({open})

-- name: create_runs
-- For whoever attaches the lake: all runs, open ones too.
CREATE VIEW lake.runs AS
SELECT {select}, run_at FROM lake.finished_runs
UNION ALL
SELECT {select}, {run_time} AS run_at FROM lake.open_runs

-- name: create_names
-- What people call a task.
CREATE TABLE lake.task_names (task_id UUID NOT NULL, name VARCHAR NOT NULL, tags VARCHAR[] NOT NULL, url VARCHAR)

-- name: create_views
-- Views of the page that a team shares: a name, and the query string that shows it.
CREATE TABLE lake.views (name VARCHAR NOT NULL, query VARCHAR NOT NULL)

-- name: mark_layout
COMMENT ON TABLE lake.finished_runs IS '{layout}'

-- name: mark_macros
COMMENT ON TABLE lake.task_names IS '{macros}'

-- name: comment
-- The comment of a table. duckdb_tables() has it too, but looks at every table of every database: longer than all else
-- that opens a lake.
SELECT g.value
FROM {meta}.ducklake_table t
LEFT JOIN {meta}.ducklake_tag g ON g.object_id = t.table_id AND g.key = 'comment' AND g.end_snapshot IS NULL
WHERE t.table_name = $table AND t.end_snapshot IS NULL

-- name: snapshot
SELECT max(snapshot_id) FROM {meta}.ducklake_snapshot

-- name: committed
FROM ducklake_last_committed_snapshot('lake')

-- name: lineage
-- The lineage of a snapshot: another lake, or this one restored and continued, has another one at the same number.
SELECT CAST(t.table_uuid AS VARCHAR) || ' ' || CAST(s.snapshot_time AS VARCHAR)
FROM {meta}.ducklake_table t, {meta}.ducklake_snapshot s
WHERE t.table_name = 'finished_runs' AND t.end_snapshot IS NULL AND s.snapshot_id = $snapshot

-- name: inserted
-- The change feed: every row inserted after a snapshot, once; flushes and merges report none.
SELECT {select}, run_at
FROM ducklake_table_insertions('lake', 'main', 'finished_runs', $after, $last)
WHERE snapshot_id > $after

-- name: files
-- The live files of finished runs.
SELECT f.data_file_id, f.path, f.record_count, f.file_size_bytes
FROM {meta}.ducklake_data_file f JOIN {meta}.ducklake_table t USING (table_id)
WHERE t.table_name = $table AND t.end_snapshot IS NULL AND f.end_snapshot IS NULL AND f.data_file_id > $after
ORDER BY f.data_file_id

-- name: inlined_tables
-- The tables of the catalog with the inlined rows of a table.
SELECT i.table_name
FROM {meta}.ducklake_inlined_data_tables i JOIN {meta}.ducklake_table t USING (table_id)
WHERE t.table_name = $table AND t.end_snapshot IS NULL ORDER BY ALL

-- name: inlined_rows
-- Straight from the catalog: through the lake, the same query opens Parquet files.
SELECT {casts} FROM {meta}.{inlined} WHERE end_snapshot IS NULL

-- name: inlined_dead
SELECT count(end_snapshot) FROM {meta}.{inlined}

-- name: open
SELECT {select} FROM lake.open_runs

-- name: names
SELECT task_id, name, tags, url FROM lake.task_names ORDER BY task_id

-- name: views
SELECT name, query FROM lake.views ORDER BY name

-- name: remove_names
WITH given AS MATERIALIZED (FROM named)
DELETE FROM lake.task_names WHERE task_id IN (SELECT task_id FROM given)

-- name: add_names
-- A null name is none.
INSERT INTO lake.task_names SELECT task_id, name, tags, url FROM named WHERE name IS NOT NULL

-- name: new_names
-- Those of `named` that differ from what is stored.
WITH given AS MATERIALIZED (FROM named)
SELECT given.* FROM given LEFT JOIN lake.task_names AS stored USING (task_id)
WHERE (given.name, given.tags, given.url) IS DISTINCT FROM (stored.name, stored.tags, stored.url)

-- name: remove_view
DELETE FROM lake.views WHERE name = $name

-- name: add_view
INSERT INTO lake.views VALUES ($name, $query)

-- name: add_finished
INSERT INTO lake.finished_runs SELECT {select}, {run_time} FROM finished

-- name: add_open
INSERT INTO lake.open_runs SELECT {select} FROM opened

-- name: remove_open
WITH given AS MATERIALIZED (FROM closed)
DELETE FROM lake.open_runs WHERE id IN (SELECT id FROM given)

-- name: drop_open
DROP TABLE lake.open_runs

-- name: stored_equal
-- For each suspect: whether a finished run with its id is stored, and whether that is equal in every column.
-- (Materialized, or DuckDB pushes a filter on UUIDs into the Arrow scan, which 1.5.5 cannot do.)
WITH given AS MATERIALIZED (FROM suspects)
SELECT s.row, {equal} AS equal
FROM given s JOIN lake.finished_runs f ON f.id = s.id
WHERE f.run_at >= make_timestamptz($first) AND f.run_at < make_timestamptz($last)

-- name: equal_in_files
-- The same of the runs of some files.
WITH given AS MATERIALIZED (FROM suspects)
SELECT s.row, {equal} AS equal
FROM given s JOIN read_parquet($files, hive_partitioning = false) f ON f.id = s.id
WHERE f.run_at >= make_timestamptz($first) AND f.run_at < make_timestamptz($last)

-- name: flush
CALL ducklake_flush_inlined_data('lake', table_name => 'finished_runs')

-- name: merge
-- Files of $low bytes and more, and fewer than $high.
CALL ducklake_merge_adjacent_files('lake', 'finished_runs',
    min_file_size => $low, max_file_size => $high, max_compacted_files => $steps)

-- name: old_snapshots
-- DuckLake 1.5.5 cannot choose them: it compares the times of a SQLite catalog as text, and so takes all snapshots of
-- the cutoff's own day for old.
SELECT coalesce(string_agg(snapshot_id, ', ' ORDER BY snapshot_id), '') FROM {meta}.ducklake_snapshot
WHERE CAST(snapshot_time AS TIMESTAMPTZ) < make_timestamptz($before)
  AND snapshot_id < (SELECT max(snapshot_id) FROM {meta}.ducklake_snapshot)
  AND NOT list_contains($keep, snapshot_id)

-- name: drop_days
DELETE FROM lake.finished_runs WHERE run_at < make_timestamptz($before)

-- name: create_retention
-- Made with the first horizon, because most lakes keep everything.
CREATE TABLE IF NOT EXISTS lake.retention (kept_from DATE NOT NULL)

-- name: add_horizon
INSERT INTO lake.retention SELECT DATE '1970-01-01' + $day::INTEGER

-- name: has_horizon
SELECT count(*) FROM {meta}.ducklake_table WHERE table_name = 'retention' AND end_snapshot IS NULL

-- name: horizon
SELECT max(kept_from) - DATE '1970-01-01' FROM lake.retention

-- name: snapshots
SELECT count(*) FROM {meta}.ducklake_snapshot

-- name: expire
CALL ducklake_expire_snapshots('lake', versions => [{versions}])

-- name: date_scheduled
-- DuckLake 1.5.5 compares these times as text with a cutoff that it writes with a T: write them so, too.
UPDATE {meta}.ducklake_files_scheduled_for_deletion SET schedule_start = replace(schedule_start, ' ', 'T')
WHERE contains(schedule_start, ' ')

-- name: clean
CALL ducklake_cleanup_old_files('lake', older_than => make_timestamptz($before))

-- name: orphans
CALL ducklake_delete_orphaned_files('lake', older_than => make_timestamptz($before))

-- name: identity
-- The identity of a lake: a copy and a moved lake keep it, and no other lake has it.
SELECT CAST(table_uuid AS VARCHAR) FROM {meta}.ducklake_table
WHERE table_name = 'finished_runs' AND end_snapshot IS NULL

-- name: old_identity
SELECT CAST(table_uuid AS VARCHAR) FROM old.ducklake_table
WHERE table_name = 'finished_runs' AND end_snapshot IS NULL

-- name: expire_all
-- All snapshots but the newest, which never expires.
CALL ducklake_expire_snapshots('lake', older_than => TIMESTAMPTZ '9999-12-31 00:00:00+00')

-- name: forget_scheduled
DELETE FROM {meta}.ducklake_files_scheduled_for_deletion

-- name: every_file
-- The live files of every table: path below the data path, size, and whether the path is relative to it.
SELECT s.path || t.path || f.path AS path, f.size, s.path_is_relative AND t.path_is_relative AND f.inside AS inside
FROM (
    SELECT table_id, path, file_size_bytes AS size, path_is_relative AS inside
    FROM {meta}.ducklake_data_file WHERE end_snapshot IS NULL
    UNION ALL
    SELECT table_id, path, file_size_bytes, path_is_relative
    FROM {meta}.ducklake_delete_file WHERE end_snapshot IS NULL
) f
JOIN {meta}.ducklake_table t USING (table_id)
JOIN {meta}.ducklake_schema s USING (schema_id)
WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL
ORDER BY ALL

-- name: memory
SELECT sum(memory_usage_bytes)::BIGINT FROM duckdb_memory()
