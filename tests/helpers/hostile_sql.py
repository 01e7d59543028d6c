"""SQL that means harm: none of it may run. `{lake}` stands for the folder of a lake, `{root}` for the one around it."""

from __future__ import annotations

import re
from typing import Final

NO_SELECT: Final = r"""
CALL ducklake_cleanup_old_files('lake', cleanup_all => true) | CALL enable_logging()
ATTACH '{lake}/catalog.sqlite' AS x (TYPE sqlite) | ATTACH '{lake}/catalog.sqlite' AS x (READ_ONLY)
ATTACH 'ducklake:sqlite:{lake}/catalog.sqlite' AS x | ATTACH '{lake}/new.duckdb' AS x | DETACH memory
EXPLAIN ANALYZE COPY (SELECT 1) TO '{lake}/own.parquet' (USE_TMP_FILE false) | EXPLAIN ANALYZE SELECT 1
EXPLAIN ANALYZE COPY (SELECT 1) TO '{lake}/new.parquet' | COPY (SELECT 1) TO '{lake}/own.parquet'
COPY (SELECT 1) TO '{lake}/own.parquet' (USE_TMP_FILE false) | COPY open_runs FROM '{lake}/own.parquet'
COPY (SELECT 1) TO '{lake}/spill/new.parquet' | EXPLAIN SELECT 1
WITH a AS (SELECT 1) INSERT INTO open_runs SELECT * FROM a | WITH a AS (SELECT 1) DELETE FROM open_runs
WITH a AS (INSERT INTO open_runs VALUES (1) RETURNING *) SELECT * FROM a | INSTALL sqlite
FORCE INSTALL sqlite FROM community | LOAD sqlite | LOAD '{lake}/own.parquet' | UPDATE EXTENSIONS
SET threads = 1 | SET GLOBAL enable_external_access = true | SET VARIABLE x = 1
SET temp_directory = '{root}' | RESET allowed_paths | USE memory | PRAGMA version | PRAGMA enable_profiling
PRAGMA enable_profiling = 'json' | PRAGMA profile_output = '{root}/new.json'
PRAGMA import_database('{root}') | PRAGMA copy_database('memory', 'temp')
PRAGMA add_parquet_key('k', '0123456789112345') | CREATE TABLE t (i INT) | CREATE VIEW v AS SELECT 1
CREATE OR REPLACE VIEW runs AS SELECT 1 | CREATE MACRO m() AS 1 | CREATE SECRET s (TYPE s3) | DROP VIEW runs
UPDATE open_runs SET i = 2 | EXPORT DATABASE '{root}/new' | IMPORT DATABASE '{root}' | CHECKPOINT | BEGIN
PREPARE p AS SELECT 1 | PIVOT runs ON i | SELECT 1; COPY (SELECT 1) TO '{lake}/own.parquet'
SELECT 1 /* ; */; SELECT 2 | /* SELECT 1 */ COPY (SELECT 1) TO '{root}/new.csv' -- SELECT
SELECT 1 --\n; DROP VIEW runs
"""

READS_TOO_MUCH: Final = r"""
SELECT * FROM ducklake_cleanup_old_files('lake', cleanup_all => true)
FROM sqlite_scan('{lake}/catalog.sqlite', 'ducklake_metadata')
FROM sqlite_query('{lake}/catalog.sqlite', 'SELECT 1') | FROM read_text('/etc/passwd')
FROM read_text('{root}/secret.txt') | FROM read_text('file://{root}/secret.txt')
FROM read_text('/proc/self/environ') | FROM read_blob('{root}/secret.txt')
FROM read_blob('{lake}/catalog.sqlite') | FROM read_csv('/etc/passwd') | FROM read_csv('/dev/stdin')
FROM read_json('{root}/secret.txt') | FROM sniff_csv('{root}/secret.txt') | FROM glob('{lake}/*')
FROM glob('{lake}/own.parque?') | FROM '{lake}/sibling.parquet' | FROM '{lake}/own.parquet.csv'
FROM '{lake}/*.parquet' | FROM '{lake}/own.parquet/../sibling.parquet'
FROM read_parquet('{lake}/../lake/sibling.parquet')
FROM read_parquet(['{lake}/own.parquet', '{lake}/sibling.parquet'])
FROM parquet_metadata('{lake}/sibling.parquet') | FROM '{lake}/link.parquet'
FROM read_parquet('http://127.0.0.1:1/x.parquet') | FROM read_parquet('s3://bucket/x.parquet')
SELECT getenv('HOME') | FROM python_variable | FROM place
FROM query('COPY (SELECT 1) TO ''{lake}/own.parquet''') | FROM query('SET threads = 1')
FROM query('SELECT 1; SELECT 2') | FROM query('SELECT 1') | FROM query_table('{lake}/sibling.parquet')
FROM json_execute_serialized_sql(json_serialize_sql('FROM read_text(''/etc/passwd'')'))
FROM duckdb_secrets() | FROM which_secret('s3://bucket', 's3') | FROM duckdb_extensions()
FROM duckdb_external_file_cache()
"""

# Binding these was enough: the process ended, crashed, or a file to write was named.
HARMS_WHEN_BOUND: Final = r"""
FROM enable_logging('QueryLog', storage = 'file', storage_path = '{root}/new') | FROM "Enable_Logging"()
FROM system.main.enable_logging()
FROM enable_profiling(format = 'json', save_location = '{root}/new.json') | FROM checkpoint()
FROM pandas_scan(NULL) | FROM arrow_scan(NULL, NULL, NULL)
FROM python_map_function((SELECT 1), NULL, NULL) | DESCRIBE FROM pandas_scan(NULL)
SUMMARIZE FROM pandas_scan(NULL) | SELECT 1 WHERE EXISTS (FROM pandas_scan(NULL))
WITH x AS (FROM pandas_scan(NULL)) SELECT 1 | SELECT (SELECT 1 FROM pandas_scan(NULL))
FROM range(3), LATERAL (FROM pandas_scan(NULL)) | FROM runs LIMIT (SELECT 1 FROM pandas_scan(NULL))
PIVOT (FROM pandas_scan(NULL)) ON x IN (1) | SELECT json_serialize_plan('FROM pandas_scan(NULL)')
SELECT write_log('x')
"""

ATTACKS: Final = [a for a in re.split(r"\n+| \| ", NO_SELECT + READS_TOO_MUCH + HARMS_WHEN_BOUND) if a]
