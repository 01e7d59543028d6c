-- Macros that the service, the lake (for whoever attaches it) and `runlake sql` have alike. Each is one expression, which
-- names no other macro: so it works under any name of an attached lake.

-- name: duration_bucket
-- DDSketch (Masson, Rim and Lee, 2019) with gamma 1.0198: from 50 microseconds on a bucket is 1.98 % wide, so that its
-- middle is within 1 % of all it holds; below, each microsecond has its own.
CASE WHEN us < 50 THEN us ELSE 50 + floor(ln(us / 50.0) / ln(1.0198)) END::USMALLINT

-- name: error_parts
-- Fingerprint v1 of an error text: the kind of error, its message without what differs from run to run, file and function
-- of the innermost own frame of a Python traceback, and the group of alike errors; null for a text without a word.
list_transform(list_transform([{looked_at}], lambda text: CASE WHEN trim(text, {blank}) <> '' THEN
    list_transform([{line}], lambda line: struct_pack(
        kind := left(nullif(regexp_extract(line, '{kind}', 1), ''), 200),
        message := left({message}, 300),
        frame := {frame}
    ))[1]
END), lambda parts: CASE WHEN parts IS NOT NULL THEN struct_pack(
    id := 'v1:' || left(md5(concat_ws(chr(10), coalesce(parts.kind, ''), parts.message, coalesce(parts.frame, ''))), 16),
    kind := parts.kind,
    message := parts.message,
    frame := parts.frame
) END)[1]

-- name: error_group
-- The group of alike errors that a text belongs to.
({error_parts}).id

-- name: looked_at
-- At most 16 KB: the beginning, which names the error in most languages, and the end, which does in Python.
replace(CASE WHEN strlen(error) <= 16384 THEN error ELSE left(error, 4096) || chr(10) || right(error, 12288) END, chr(13), '')

-- name: blank
chr(10) || chr(9) || ' '

-- name: line
-- The last exception line: after the last frame of a Python traceback (in a group of exceptions, all lines of which begin
-- with a bar, too), after the last `Caused by:` of Java, else the last line that names an exception; else the first one.
coalesce(
    CASE WHEN contains(text, 'Traceback (most recent call last)') THEN nullif(regexp_extract(
        string_split(regexp_replace(text, '\n *\| ', chr(10), 'g'), chr(10) || '  File "')[-1], '\n([^\s][^\n]*)', 1), '')
    END,
    CASE WHEN contains(text, chr(10) || 'Caused by: ') THEN
        regexp_extract(string_split(text, chr(10) || 'Caused by: ')[-1], '^[^\n]*')
    END,
    regexp_extract_all(text, '(?m)^(?:Uncaught |Unhandled |Exception in thread "[^"\n]*" |\[[^\]\n]*\] )?[A-Za-z_$][\w.$]*(?:Error|Exception|Failure|Timeout)(?:: [^\n]*|:?$)')[-1],
    regexp_extract(trim(text, {blank}), '^[^\n]*')
)

-- name: kind
^(?:Uncaught |Unhandled |Exception in thread "[^"]*" |\[[^\]]*\] )?([A-Za-z_$][\w.$]*)(?::|$)

-- name: message
-- Without what differs from run to run, in this order: UUIDs, URLs, times, addresses, hexadecimals (and names of temporary files), paths to their base name,
-- numbers. A hexadecimal may have no letter by chance, so it becomes what a number becomes.
trim(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    regexp_replace(line, '^(?:Uncaught |Unhandled |Exception in thread "[^"]*" |\[[^\]]*\] )?[A-Za-z_$][\w.$]*(?::|$)', ''),
    '(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '<uuid>', 'g'),
    '[A-Za-z][A-Za-z0-9+.-]*://[^\s"''<>)\]}]+', '<url>', 'g'),
    '{time}', '<time>', 'g'),
    '{address}', '<address>', 'g'),
    '(?i)\b(?:0x[0-9a-f]+|[0-9a-f]{8,}|tmp[a-z0-9_]{8})\b', '<n>', 'g'),
    '(?:[A-Za-z]:|~|\.{1,2})?(?:[\\/][\w.@%+~-]+)+[\\/]([\w.@%+~-]+)', '\1', 'g'),
    '[+-]?\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?', '<n>', 'g'))

-- name: time
(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? +)?(?:\d{4}-\d\d-\d\d|\d\d?/\d\d?/\d{2,4}|\d\d? (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d{4}|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* +\d\d?(?:,? \d{4}\b)?)(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?)?(?: \d{4}\b)?|\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b

-- name: address
-- IPv4, IPv6, mail, host names with a known end, and names with a digit or a hyphen before a port; with or without a port.
(?i)\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|\[[0-9a-f:]*:[0-9a-f:.]+\](?::\d+)?|\b[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){3,7}\b|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b(?:[a-z0-9_-]+\.)+(?:com|net|org|io|dev|app|cloud|local|internal|lan|corp|svc|example|test|invalid|eu|de|uk|us|ch|at|fr)\b(?::\d+)?|\b(?:localhost|[a-z][a-z0-9]*[0-9-][a-z0-9-]*):\d{2,5}\b

-- name: frame
-- Frames of libraries and of comprehensions (which Python 3.12 has no more) are left out.
CASE WHEN contains(text, 'Traceback (most recent call last)') THEN
    nullif(regexp_replace(list_filter(
        list_transform(
            string_split(regexp_replace(text, '\n *\| ', chr(10), 'g'), chr(10) || '  File "')[2:],
            lambda part: CASE WHEN NOT regexp_matches(left(part, 300), '{library}') THEN
                regexp_replace(regexp_extract(left(part, 300), '^(?:[^"\n]*[\\/])?([^"\\/\n]*", line \d+, in [^\n]*)', 1), '", line \d+, in ', ' ')
            END),
        lambda own: own <> '')[-1], '\d+', '<n>', 'g'), '')
END

-- name: library
^[^"\n]*(?:site-packages|dist-packages|[\\/]lib[\\/]python\d|[\\/]Lib[\\/]|^<)|^<|", line \d+, in <(?:lambda|listcomp|genexpr|dictcomp|setcomp)>
