-- What a question has to know before it begins.

-- name: state
-- The snapshot that the tables are of, and what of them may be used.
SELECT snapshot, first_day, hot_from, months, newest FROM state
