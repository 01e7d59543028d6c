-- The rules for columns, as macros. Each `…_of_…` macro yields the valid value, or NULL when the value breaks the rule;
-- tables.py reports a NULL that was not NULL before. times.py and outputs.py state the same rules for single texts, and
-- tests compare both. $iso is times.PATTERN.

CREATE MACRO in_range(t) AS
    CASE WHEN t >= TIMESTAMPTZ '1970-01-01' AND t < TIMESTAMPTZ '10000-01-01' THEN t END;

CREATE MACRO time_of_text(x) AS
    CASE WHEN regexp_full_match(x, getvariable('iso')) THEN in_range(TRY_CAST(upper(
        replace(CASE WHEN length(x) >= 16 AND substr(x, 17, 1) <> ':'
                     THEN substr(x, 1, 16) || ':00' || substr(x, 17) ELSE x END, ',', '.'))
        AS TIMESTAMPTZ)) END;

-- A time without a zone is UTC, the zone of the session; the cast truncates digits beyond microseconds.
CREATE MACRO time_of_moment(x) AS in_range(TRY_CAST(x AS TIMESTAMPTZ));

CREATE MACRO uuid_of_text(x) AS
    CASE WHEN regexp_full_match(x, '[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-9A-Fa-f]{32}')
         THEN CAST(x AS UUID) END;

CREATE MACRO uuid_of_blob(x) AS
    CASE WHEN octet_length(x) = 16 THEN CAST(hex(x) AS UUID) END;

-- For pandas a column with gaps is one of floats, so it writes 1.0.
CREATE MACRO int_of_text(x) AS
    CASE WHEN regexp_full_match(x, '[0-9]+([.]0+)?') THEN TRY_CAST(split_part(x, '.', 1) AS INTEGER) END;

CREATE MACRO int_of_number(x) AS
    CASE WHEN x = trunc(x) THEN TRY_CAST(x AS INTEGER) END;

CREATE MACRO bool_of_text(x) AS
    CASE lower(x) WHEN 'true' THEN true WHEN 'false' THEN false WHEN '1' THEN true WHEN '0' THEN false END;

CREATE MACRO bool_of_number(x) AS
    CASE WHEN x = 1 THEN true WHEN x = 0 THEN false END;

-- DuckDB also accepts trailing commas and NaN, which are not JSON: this finds them outside of strings.
CREATE MACRO sloppy_json(x) AS
    regexp_matches(regexp_replace(x, '"([^"\\]|\\.)*"', '""', 'g'), ',\s*[\]}]|(?i:nan|inf)');

-- A text that json() writes unchanged, as most are, has no sloppy part but NaN and infinities.
CREATE MACRO json_checked(x, written) AS
    CASE WHEN written = x AND NOT contains(lower(x), 'nan') AND NOT contains(lower(x), 'inf') THEN written
         WHEN NOT sloppy_json(x) THEN written END;

CREATE MACRO json_of_text(x) AS json_checked(x, TRY(CAST(json(x) AS VARCHAR)));

CREATE MACRO json_of_value(x) AS json_of_text(CAST(to_json(x) AS VARCHAR));
