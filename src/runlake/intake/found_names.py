"""Names of tasks that come with the rows of an import, in a column beside those of a run."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from runlake import duck, statements
from runlake.columns import NAMED
from runlake.model import MAX_NAME

COLUMN: Final = "task_name"
_SQL: Final = statements.blocks("runlake.intake", "found_names.sql")


class FoundNames:
    """The names so far; `any` says whether rows had the column."""

    def __init__(self) -> None:
        self._con = duck.connect(threads=1, memory_limit="256MB")
        self._con.execute(_SQL["table"])
        self.any = False

    def without(self, rows: pa.Table) -> pa.Table:
        """The rows without their names, which are kept here."""
        if COLUMN not in rows.column_names:
            return rows
        self.any = True
        if "task_id" in rows.column_names:
            self._con.register("incoming", rows.select(["task_id", COLUMN]))
            self._con.execute(_SQL["add"], {"longest": MAX_NAME})
            self._con.unregister("incoming")
        return rows.drop_columns([COLUMN])

    def new(self, known: pa.Table) -> pa.Table:
        """Those of tasks that are not among the `known` ones, both with the schema columns.NAMED."""
        self._con.register("known", known)
        return self._con.execute(_SQL["named"]).to_arrow_table().cast(NAMED)

    def close(self) -> None:
        """Free the memory."""
        self._con.close()
