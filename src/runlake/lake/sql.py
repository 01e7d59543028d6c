"""The statements of lake.sql, with the column lists of the schema filled in."""

from __future__ import annotations

from typing import Final

from runlake import macros, statements
from runlake.columns import NAMES, RUN_AT, RUN_TIME, ddl, select_list

LAYOUT: Final = "runlake layout 2"
OLDER_LAYOUT: Final = "runlake layout 1"  # without task_names, views and macros
_META: Final = "__ducklake_metadata_lake"


def _equal_columns() -> str:
    return " AND ".join(f's."{name}" IS NOT DISTINCT FROM f."{name}"' for name in NAMES)


SQL: Final = {
    name: text.replace("{meta}", _META)
    .replace("{columns}", ddl(RUN_AT))
    .replace("{open}", ddl())
    .replace("{select}", select_list())
    .replace("{layout}", LAYOUT)
    .replace("{macros}", macros.MARK)
    .replace("{run_time}", RUN_TIME)
    .replace("{equal}", _equal_columns())
    for name, text in statements.blocks("runlake.lake", "lake.sql").items()
}
