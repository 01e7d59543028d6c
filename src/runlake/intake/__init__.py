"""Intake: bodies and files of every format become a Batch of valid rows, by one set of rules.

records.py   JSON and NDJSON texts
decoded.py   their records until columns are made of them
tables.py    columns: Arrow streams, and tables that DuckDB reads; the rules as SQL stand in intake.sql
stream.py    Arrow streams from clients, whose size is checked before they are unpacked
outputs.py   the canonical text form of `output`
messages.py  messages about refused values
files.py     the sources of an import, and whether they change meanwhile
unpack.py    compressed files, checked to their end
copies.py    copies of sources that DuckDB cannot read themselves
lines.py     files that are read line by line
header.py    the first line of a CSV file
"""

from runlake.intake.batch import Batch, Rejected, Split
from runlake.intake.decoded import Decoded, joined
from runlake.intake.records import decode_json, decode_ndjson
from runlake.intake.tables import Tables

__all__ = [
    "Batch",
    "Decoded",
    "Rejected",
    "Split",
    "Tables",
    "decode_json",
    "decode_ndjson",
    "joined",
]
