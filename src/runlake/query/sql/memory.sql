-- Bytes that this DuckDB holds in memory.
SELECT sum(memory_usage_bytes)::BIGINT AS bytes FROM duckdb_memory()
