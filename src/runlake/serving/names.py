"""Names of tasks and shared views, as they are in the lake."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from msgspec import to_builtins

from runlake.lake.catalog import Lake
from runlake.lake.commit import Commit
from runlake.model import View
from runlake.serving.database import SHARED, Database
from runlake.serving.sql import APPLY


def load(database: Database, lake: Lake) -> None:
    """All that the lake has. Inside the transaction."""
    _replace_names(database, lake.names())
    _replace_views(database, lake.views())


def apply(database: Database, commit: Commit) -> None:
    """What a commit changed. Inside the transaction."""
    if commit.names is not None:
        _replace_names(database, commit.names)
    if commit.views is not None:
        _replace_views(database, commit.views)


def _replace_names(database: Database, names: pa.Table) -> None:
    database.execute(APPLY["clear_names"])
    with database.given(named=names):
        database.execute(APPLY["add_names"])


def _replace_views(database: Database, views: Sequence[View]) -> None:
    database.execute(APPLY["clear_views"])
    with database.given(shared=pa.Table.from_pylist([to_builtins(view) for view in views], schema=SHARED)):
        database.execute(APPLY["add_views"])
