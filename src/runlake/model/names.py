"""Names of tasks, and shared views of the page."""

from __future__ import annotations

import uuid
from hashlib import blake2b
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from runlake.model.runs import EXAMPLE_TASK, doc

MAX_NAME: Final = 200  # characters of a name
MAX_NAMES: Final = 10_000  # of one request
MAX_VIEWS: Final = 200

ViewName = Annotated[str, Meta(min_length=1, max_length=100), doc("The name of a view.", "failures")]
_Url = Annotated[str, Meta(max_length=2000, pattern="^https?://[^\\s]+$")]
_Tag = Annotated[str, Meta(min_length=1, max_length=50)]


class _Tagged(Struct, frozen=True):
    @property
    def tag(self) -> str:
        """What tells this content from any other."""
        return blake2b(msgspec.json.encode(self), digest_size=8).hexdigest()


class TaskName(Struct, frozen=True, forbid_unknown_fields=True):
    """What people call a task."""

    name: Annotated[
        str, Meta(min_length=1, max_length=MAX_NAME), doc("Its name; several tasks may have one.", "orders")
    ]
    tags: Annotated[list[_Tag], Meta(max_length=20), doc("Words to find it by.", ["etl"])] = []
    url: Annotated[_Url | None, doc("Where to read about it.", "https://wiki.example.com/orders")] = None


class TaskNames(_Tagged, frozen=True):
    """The names of all tasks that have one, by task."""

    names: Annotated[dict[uuid.UUID, TaskName], doc("By task.")]


class NamesStored(Struct, frozen=True):
    """What became of names that were sent."""

    received: Annotated[int, doc("Entries of the request.")]
    changed: Annotated[int, doc("Tasks that have another name, other tags or another link now.")]


class TaskNamesChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Names to store; an entry replaces the one of its task, and null removes it. Others stay."""

    names: Annotated[
        dict[uuid.UUID, TaskName | None],
        Meta(max_length=MAX_NAMES),
        doc("By task.", {EXAMPLE_TASK: {"name": "orders", "tags": ["etl"]}}),
    ]


class ViewQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The query string of a view."""

    query: Annotated[str, Meta(max_length=4096), doc("What stands behind the ? of its address.", "range=24h")]


class View(_Tagged, frozen=True):
    """A view that a team shares."""

    name: Annotated[str, doc("Its name.")]
    query: Annotated[str, doc("What stands behind the ? of its address.")]


class Views(_Tagged, frozen=True):
    """All shared views, in the order of their names."""

    views: Annotated[list[View], doc("Each with its name and query.")]
