"""Every way in, one set of rules: bytes or columns become a Batch of clean run rows.

records.py  JSON and NDJSON texts
decoded.py  what they are until a Batch is made of them, by those who want it later
tables.py   columns: Arrow streams, and whatever DuckDB reads (the rules as SQL, in intake.sql)
stream.py   Arrow streams from outside: bounded before they are unpacked
outputs.py  the one text form of `output`
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
