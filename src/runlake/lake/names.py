"""Names of tasks and shared views: small tables of the lake, which the writing thread changes between appends.

Their rows are always inlined in the catalog, so that no Parquet file has to be synced.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pyarrow as pa

from runlake.columns import NAMED
from runlake.errors import BadInput, Changed, NotFound
from runlake.lake.catalog import Lake
from runlake.lake.commit import Commit
from runlake.model import MAX_NAMES, MAX_VIEWS, View

Expected = Callable[[str | None], bool]  # whether the tag of what is stored, None for nothing, is as the caller expects
_ONE_ROW: Final = 1


def anything(_: str | None) -> bool:
    """Expect nothing of what is stored: the last one wins."""
    return True


class NamesChange:
    """Store names, with the schema columns.NAMED; a null name removes one.

    Afterwards `changed` is the number of tasks that have another name now, and `tag` that of all names.
    """

    def __init__(self, named: pa.Table, expected: Expected = anything) -> None:
        self._named, self._expected = named, expected
        self.changed, self.tag = 0, ""

    def __call__(self, lake: Lake) -> Commit | None:
        """In the writing thread; None when nothing changes. Raises Changed."""
        self.tag = lake.task_names().tag
        if not self._expected(self.tag):
            raise Changed("the names are not those that If-Match names any more")
        with lake.given(named=self._named):
            new = lake.execute("new_names").cast(NAMED)
        self.changed = new.num_rows
        if not self.changed:
            return None
        with lake.transaction(), lake.inlining(MAX_NAMES), lake.given(named=new):
            lake.execute("remove_names")
            lake.execute("add_names")
        self.tag = lake.task_names().tag
        return Commit(snapshot=lake.committed(), names=lake.names())


def set_names(lake: Lake, named: pa.Table) -> int:
    """Store any number of names, as the holder of the lake; returns how many tasks have another name now."""
    changed = 0
    for start in range(0, named.num_rows, MAX_NAMES):
        change = NamesChange(named.slice(start, MAX_NAMES))
        change(lake)
        changed += change.changed
    return changed


class ViewChange:
    """Store a view in place of the one of its name, or with None remove that; afterwards `stored` is what there was."""

    def __init__(self, name: str, view: View | None, expected: Expected) -> None:
        self._name, self._view, self._expected = name, view, expected
        self.stored: View | None = None

    def __call__(self, lake: Lake) -> Commit | None:
        """In the writing thread; None when nothing changes.

        Raises Changed, NotFound when there is nothing to remove, and BadInput when there are too many views.
        """
        views = lake.views()
        self.stored = next((view for view in views if view.name == self._name), None)
        if self._view is None and self.stored is None:
            raise NotFound(f"there is no view {self._name!r}")
        if not self._expected(self.stored.tag if self.stored else None):
            raise Changed(f"the view {self._name!r} is not the one that If-Match names any more")
        if self.stored == self._view:
            return None
        if self.stored is None and len(views) >= MAX_VIEWS:
            raise BadInput.of("name", f"there are {MAX_VIEWS} views already, and no more are kept")
        with lake.transaction(), lake.inlining(_ONE_ROW):
            lake.execute("remove_view", {"name": self._name})
            if self._view is not None:
                lake.execute("add_view", {"name": self._name, "query": self._view.query})
        return Commit(snapshot=lake.committed(), views=tuple(lake.views()))
