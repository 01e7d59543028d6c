"""Every way in, one set of rules: bytes or columns become a Batch of clean run rows.

records.py  JSON and NDJSON texts
decoded.py  what they are until a Batch is made of them, by those who want it later
tables.py   columns: Arrow streams, and whatever DuckDB reads (the rules as SQL, in intake.sql)
stream.py   Arrow streams from outside: bounded before they are unpacked
outputs.py  the one text form of `output`
words.py    how a refused value is named
files.py    the sources of an import, and whether they stay what they were
unpack.py   compressed files, checked to their end
copies.py   what is copied before DuckDB can read it
lines.py    files that are read line by line
header.py   the first line of a CSV file
"""

from runlake.intake.batch import Batch, Rejected, Split
from runlake.intake.decoded import Decoded, joined
from runlake.intake.records import decode_json, decode_ndjson, from_json, from_ndjson
from runlake.intake.tables import Tables

__all__ = [
    "Batch",
    "Decoded",
    "Rejected",
    "Split",
    "Tables",
    "decode_json",
    "decode_ndjson",
    "from_json",
    "from_ndjson",
    "joined",
]
