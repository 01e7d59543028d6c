-- One run by id; the files are those of the hours its key names, which are within $low..$high (half open).
SELECT {select} FROM read_parquet($files, hive_partitioning = false)
WHERE id = $id AND run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high)
UNION ALL
SELECT {select} FROM recent WHERE born <= $snapshot AND died > $snapshot AND id = $id
LIMIT 1
