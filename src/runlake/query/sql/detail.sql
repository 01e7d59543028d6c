-- One run by id; the files are those of the day or days its key names.
SELECT {select} FROM read_parquet($files, hive_partitioning = false) WHERE id = $id
UNION ALL
SELECT {select} FROM recent WHERE born <= $snapshot AND died > $snapshot AND id = $id
LIMIT 1
