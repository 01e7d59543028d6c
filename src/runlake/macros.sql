-- Macros that the service, the lake (for whoever attaches it) and `runlake sql` have alike. Each is one expression, which
-- names no other macro: so it works under any name of an attached lake.

-- name: duration_bucket
-- DDSketch (Masson, Rim and Lee, 2019) with gamma 1.0198: from 50 microseconds on a bucket is 1.98 % wide, so that its
-- middle is within 1 % of all it holds; below, each microsecond has its own.
CASE WHEN us < 50 THEN us ELSE 50 + floor(ln(us / 50.0) / ln(1.0198)) END::USMALLINT

-- name: error_parts
-- Fingerprint v1 of an error text: the kind of error, its message without what differs from run to run, file and function
-- of the innermost own frame of a Python traceback, and the group of alike errors; null for a text of blanks.
list_transform(list_transform(list_transform(list_transform(list_transform(list_transform([{cut}],
    lambda cut: {text}),
    lambda text: struct_pack(line := substring({line}, 1, 2048), frame := {frame})),
    lambda found: struct_pack(
        head := regexp_extract(found.line, '{head}', ['before', 'kind', 'colon']),
        line := found.line,
        frame := found.frame
    )),
    lambda known: struct_pack(kind := known.head.kind, lines := string_split({plain}, chr(10)))),
    lambda plain: struct_pack(
        kind := substring(nullif(plain.kind, ''), 1, 200),
        message := substring(trim(plain.lines[1], {blank}), 1, 300),
        frame := substring(nullif(plain.lines[2], ''), 1, 300)
    )),
    lambda parts: CASE WHEN parts.message <> '' OR parts.kind <> '' THEN struct_pack(
        id := 'v1:' || left(md5(concat_ws(chr(10), coalesce(parts.kind, ''), parts.message, coalesce(parts.frame, ''))), 16),
        kind := parts.kind,
        message := parts.message,
        frame := parts.frame
    ) END)[1]

-- name: error_group
-- The group of alike errors that a text belongs to.
({error_parts}).id

-- name: cut
-- Of more than 16,384 letters the beginning, which names the error in most languages, and the end, which does in Python.
-- Lines that this cuts are left out: a part of a line may look like an error.
CASE WHEN length(error) <= 16384 THEN error ELSE
    regexp_replace(left(error, 4096), '(?s)^(.*\S)\s*[\r\n][^\r\n]*$', '\1') || chr(10)
    || regexp_replace(right(error, 12288), '(?s)^[^\r\n]*[\r\n](.*\S)', '\1') END

-- name: text
-- Without colours of a terminal, with one kind of line ends, and without the bars of a group of exceptions of Python.
CASE WHEN contains(cut, chr(10)) OR contains(cut, chr(13)) OR contains(cut, chr(27)) THEN regexp_replace(regexp_replace(rtrim(cut, {blank} || chr(13)),
    '\x1b\[[0-9;]*[A-Za-z]', '', 'g'),
    '\r\n?(?: *\| )?|\n *\| ', chr(10), 'g') ELSE cut END

-- name: blank
chr(10) || chr(9) || ' '

-- name: line
-- The last exception line; else the last line of a log that says ERROR; else the first line, or all lines as one where
-- that has no word, as in JSON of several lines.
CASE WHEN contains(text, chr(10)) THEN replace(coalesce(
    {python},
    regexp_extract_all(text, '(?m)^{before}(?:[A-Za-z_$][\w.$]*(?:Error|Exception|Failure|Timeout)(?: \[\w+\])?(?:: [^\n]*|:?$)|(?:panic|fatal error|Caused by|\s+\[cause\]): [^\n]*|thread [^\n]* panicked at (?:[^\n]*:\n)?[^\n]*|\s*\^+\n\n[^\n]+)')[-1],
    regexp_extract_all(text, '(?m)^[^\n]*\b(?:ERROR|FATAL|CRITICAL|SEVERE)\b[^\n]*')[-1],
    nullif(regexp_extract(text, '^\s*([^\n]*[^\s{}\[\]()<>=*#_+~|/\\:;.,"''-][^\n]*)', 1), ''),
    text
), chr(10), ' ') ELSE text END

-- name: python
-- After the last frame, the first line that is not indented; of an error of Py4J the next one, which names that of Java.
CASE WHEN contains(text, '  File "') THEN list_transform([string_split(chr(10) || text, chr(10) || '  File "')], lambda parts:
    CASE WHEN len(parts) > 1 AND NOT contains(parts[-1], chr(10) || 'Caused by: ') THEN
    nullif(regexp_extract(parts[-1], '\n(?:py4j\.[^\n]*\n: )?([^\s][^\n]*)', 1), '') END)[1] END

-- name: before
-- What may stand before the kind of an error.
(?:Uncaught (?:\(in promise\) )?|Unhandled (?:exception\. )?|Exception in thread "[^"\n]*" |\[[^\]\n]*\] )*

-- name: head
^((?:[\s^]*(?:Caused by: |\[cause\]: |thread ''[^''\n]*''(?: \(\d+\))? )?){before})({kind})(?:(:\s|:?\s*$)| \[[A-Z0-9_]+\]:)

-- name: kind
-- A kind has no digit, unless it ends as names of exceptions do: a host, a file or a job is no kind.
[A-Za-z_$]+|[A-Za-z_$][\w.$]*(?:[Ee]rror|[Ee]xception|[Ff]ailure|[Tt]imeout)|(?:[A-Za-z_$][\w$]*\.)+[A-Z][\w$]*

-- name: plain
-- The message without what differs from run to run, in this order: UUIDs, URLs, times, addresses, numbers and
-- hexadecimals, and paths to their base name; and in a second line the frame without numbers. A hexadecimal may have no
-- letter by chance, so it becomes what a number becomes.
regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    substring(known.line, 1 + length(known.head.before) + length(known.head.kind) + length(known.head.colon)),
    '[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]+', '<uuid>', 'g'),
    '[A-Za-z][A-Za-z0-9+.-]*://(?:\[[0-9A-Fa-f:.]+\]|[^\s"''<>)\]}]|<uuid>)+', '<url>', 'g'),
    '{time}', '<time>', 'g'),
    '{address}', '<address>\1', 'g')
    || chr(10) || coalesce(known.frame, ''), '{number}', '<n>', 'g'), '{path}', '\1\2', 'g')

-- name: time
(?:\b(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?,? +)?\b(?:\d{4}-\d\d?-\d\d?|\d+/\d+/\d+|\d\d?[ /-]{month}[ /-]\d{4}|{month} +\d\d?(?:,? \d{4})?)(?:[T :]+\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?{zone})?\b(?: \d{4}\b)?|\b\d\d?:\d\d:\d\d(?:[.,]\d+)?{zone}\b

-- name: month
(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?:r?uary|ch|il|[ey]|ust|t?ember|ober)?

-- name: zone
(?: ?[AaPp][Mm])?(?: ?(?:Z|UTC|GMT|[CE]ES?T|[ECMP][SD]T|[+-]\d\d:?\d\d))?

-- name: address
-- IPv4 and IPv6 with a port or without, mail, host names with a known end, names with a digit or a hyphen before a port,
-- and names at places where messages name a host. What follows a known end is no part of it, and `\1`.
(?:[\w.-]*/|\b)\d+\.\d+\.\d+\.\d+(?::\d+)?\b|\[[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+\](?::\d+)?|\b[0-9A-Fa-f]+(?::[0-9A-Fa-f]*){3,}\b|\b(?:[A-Fa-f]*\d[0-9A-Fa-f]*|f[cde][a-f]+)(?::[0-9A-Fa-f]+)*::(?:[0-9A-Fa-f]+(?::[0-9A-Fa-f]+)*)?|::(?:1|ffff:[\d.]+)\b(?::\d+)?|[\w.+-]+@(?:[A-Za-z][\w-]*(?:\.[\w-]+)+|[A-Za-z]+[0-9-][\w-]*)|@''[^''\n]+''|\b(?:[\w-]+\.)+(?:com|net|org|io|dev|app|cloud|local|internal|lan|corp|svc|example|test|invalid|edu|gov|info|co|eu|de|uk|us|ch|at|fr|nl|ca|au|jp|cn|br)(?::\d+\b|([.:]?(?:[^\w.:-]|$)))|\b(?:localhost|[A-Za-z][A-Za-z0-9]*[0-9-][A-Za-z0-9-]*):\d+\b|\b(?:to|tcp) [A-Za-z][\w.-]*:\d+\b|\b(?:host(?: ?name)?|server)(?: at| on| name)?[ =:]+(?:"[^"\n]+"|''[^''\n]+'')|\bto host \S+ port\b|\bresolve host(?:name)?:? [\w.-]*\w|\blookup [\w.-]+(?::| on\b)|\b(?:ENOTFOUND|EAI_AGAIN) [\w.-]+(?::\d+\b)?

-- name: number
-- Numbers; hexadecimals of 8 digits and more, and names of temporary files; words of 12 and more capitals and digits that
-- begin with a digit, as ULIDs do.
[+_-]?\d+(?:(?:[.,]\d+)+(?:[eE][+-]?\d+)?|[eE][+-]\d+)|(?:[+_-]|\b)(?:(?:0[xX])?[0-9a-fA-F]{8,}|0[xX][0-9a-fA-F]+|tmp[a-z0-9_]{8}|\d[0-9A-Z]{11,})\b|[+_-]?\d+

-- name: path
-- Two separators make a path, or one after a drive, `~` or `.`, or before a name with an extension. Folders after a drive
-- may have blanks.
(?:\b[A-Za-z]:[\\/]+(?:[^\\/:*?"<>|\n]+[\\/]+)*|{part}*(?:[\\/]+(?:=|{part})+)+[\\/]+|(?:~|\.\.?)[\\/]+)({part}+)|{part}*[\\/]+({part}*\.[A-Za-z]\w*)

-- name: part
(?:[^\s\\/:*?"''<>|(),;=\[\]{}`]|<(?:uuid|time|address|n)>)

-- name: frame
-- File and function of the innermost frame. Those of libraries, lambdas and comprehensions (which Python 3.12 has no more)
-- are left out.
CASE WHEN contains(text, '  File "') THEN regexp_replace(regexp_extract_all(
    regexp_replace(text, '  File "[^"\n]*(?:site-packages|dist-packages|[\\/]lib[\\/](?:python|pypy)\d|[Pp]ython[\d.]*\\[Ll]ib\\)', '', 'g'),
    '  File "(?:[^"\n]*[\\/])?([^<"\\/\n][^"\\/\n]*", line \d+, in (?:[^<\n]|<module>)[^\n]*)', 1)[-1], '", line \d+, in ', ' ')
END
