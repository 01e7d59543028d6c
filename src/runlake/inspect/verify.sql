-- What is wrong with the files of a lake, and with the rows that are in no file.

-- name: file
-- Rows of a file, rows that break a rule, and a checksum over all values.
SELECT count(*),
       count(*) FILTER (
           id IS NULL OR task_id IS NULL OR finished_at IS NULL OR success IS NULL OR created_at IS NULL
           OR finished_at < started_at OR run_at <> coalesce(started_at, created_at)
           OR run_at < make_timestamptz($first) OR run_at >= make_timestamptz($last)
       ),
       CAST(bit_xor(hash({select}, run_at)) AS VARCHAR)
FROM read_parquet($file, hive_partitioning = false)

-- name: bad_in_no_file
-- `inlined` are finished runs, `opened` are open ones.
SELECT CAST(id AS VARCHAR), 'breaks a rule' FROM inlined
WHERE finished_at IS NULL OR success IS NULL OR finished_at < started_at
UNION ALL
SELECT CAST(id AS VARCHAR), 'is finished but open' FROM opened WHERE finished_at IS NOT NULL OR success IS NOT NULL

-- name: twice
SELECT CAST(id AS VARCHAR), count(*) FROM (SELECT id FROM inlined UNION ALL SELECT id FROM opened)
GROUP BY id HAVING count(*) > 1 ORDER BY ALL

-- name: twice_in_files
-- Ids that more than one run has.
SELECT CAST(id AS VARCHAR), count(*) FROM (
    SELECT id FROM read_parquet($files, hive_partitioning = false) UNION ALL SELECT id FROM inlined UNION ALL SELECT id FROM opened
)
GROUP BY id HAVING count(*) > 1 ORDER BY ALL
