-- What GET /sql/schema says of relations and macros.

-- name: columns
-- The columns of the relations that queries name, in their order.
SELECT table_name AS relation, column_name AS name, data_type AS type
FROM duckdb_columns()
WHERE table_name IN ('runs', 'finished_runs', 'open_runs', 'task_names')
ORDER BY relation, column_index

-- name: macros
-- The macros that queries call, but for those that other macros use.
SELECT function_name AS name, parameters
FROM duckdb_functions()
WHERE schema_name = 'main' AND NOT internal AND function_name IN ('error_group', 'duration_bucket')
ORDER BY name
