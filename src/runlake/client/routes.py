"""The methods that both clients have: each sends a call, and so nothing is said twice."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Generic, ParamSpec, Self, TypeVar, overload

from runlake.client import calls
from runlake.client.calls import Call

A = TypeVar("A")
P = ParamSpec("P")


class Blocking(ABC):
    """Sends calls, and waits for the answers."""

    @abstractmethod
    def ask(self, call: Call[A]) -> A:
        """The answer to a call. Raises RunlakeError."""


class Awaiting(ABC):
    """Sends calls, and lets others work until the answers are there."""

    @abstractmethod
    async def ask(self, call: Call[A]) -> A:
        """The answer to a call. Raises RunlakeError."""


class Route(Generic[P, A]):
    """A method of both clients, with the parameters of the function that makes its call."""

    def __init__(self, make: Callable[P, Call[A]]) -> None:
        self._make = make

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: Blocking, owner: type) -> Callable[P, A]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, Coroutine[Any, Any, A]]: ...
    def __get__(self, client: Blocking | Awaiting | None, owner: type) -> Any:
        if client is None:
            return self

        @wraps(self._make)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client.ask(self._make(*args, **kwargs))

        return method


class Routes:
    """One method a route; `runlake.client.calls` says what they take and answer."""

    list_runs = Route(calls.list_runs)
    append_runs = Route(calls.append_runs)
    get_run = Route(calls.get_run)
    get_run_context = Route(calls.get_run_context)
    get_latest_run = Route(calls.get_latest_run)
    get_task_stats = Route(calls.get_task_stats)
    get_summary = Route(calls.get_summary)
    get_histogram = Route(calls.get_histogram)
    get_durations = Route(calls.get_durations)
    get_tasks = Route(calls.get_tasks)
    get_owners = Route(calls.get_owners)
    get_breakdown = Route(calls.get_breakdown)
    get_errors = Route(calls.get_errors)
    get_error_group = Route(calls.get_error_group)
    run_sql = Route(calls.run_sql)
    get_sql_schema = Route(calls.get_sql_schema)
    get_task_names = Route(calls.get_task_names)
    put_task_names = Route(calls.put_task_names)
    get_views = Route(calls.get_views)
    get_view = Route(calls.get_view)
    put_view = Route(calls.put_view)
    delete_view = Route(calls.delete_view)
    get_health = Route(calls.get_health)
    get_ready = Route(calls.get_ready)
    get_about = Route(calls.get_about)
    get_metrics = Route(calls.get_metrics)
    get_schema = Route(calls.get_schema)
