-- The snapshot that the tables are of, what of them may be used, and the files that are not counted.
SELECT snapshot, first_day, hot_from, months,
       (SELECT coalesce(list((day, path)), []) FROM live_file WHERE NOT readable) AS unreadable
FROM state
