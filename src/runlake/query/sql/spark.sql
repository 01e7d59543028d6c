-- Spark lines: the runs, and the failed ones, of each {key} in parts of a window.

-- name: spark_lines
-- As JSON, a number for every part, from the cells (t, key, runs, failed) of the rows of a page. (Texts leave DuckDB
-- in much less time than lists. The three lists are of one GROUP BY, so they have one order.)
SELECT {key}, {line_of_runs} AS line_of_runs,
       to_json(list_transform(range($parts), lambda part: coalesce(failed[list_position(parts, part)], 0))) AS line_of_failed
FROM (
    SELECT {key}, list(part) AS parts, list(runs) AS runs, list(failed) AS failed FROM (
        SELECT {key}, (t - $origin) // $width AS part, sum(runs)::BIGINT AS runs, sum(failed)::BIGINT AS failed
        FROM ({lines_branches}) AS cell(t, {key}, runs, failed)
        WHERE {key} IN (SELECT {key} FROM page) GROUP BY ALL
    ) GROUP BY {key}
)

-- name: line_of_runs
-- One line, from lists of parts and of the runs in them.
to_json(list_transform(range($parts), lambda part: coalesce(runs[list_position(parts, part)], 0)))

-- name: no_spark_lines
SELECT NULL AS {key}, NULL AS line_of_runs, NULL AS line_of_failed WHERE false
