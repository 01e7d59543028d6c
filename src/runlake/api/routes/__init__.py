"""The routes by theme: each handler asks the service and encodes the answer; routing.py decodes what it is asked.

append.py       POST /runs
runs.py         reading runs
export.py       exporting runs
stream.py       following runs as they change
statistics.py   statistics, charts, lease owners
errors.py       groups of alike errors
names.py        names of tasks, shared views
sql.py          SQL of analysts
session.py      the session of a browser
service.py      health, metrics, the OpenAPI document
"""

from typing import Final

from litestar import Router

from runlake.api import docs
from runlake.api.routes import append, errors, export, names, runs, service, session, sql, statistics, stream
from runlake.api.routing import options
from runlake.ui import pages

# Before the handlers of its path: with the first of these Litestar registers one of its own.
_RUNS_OPTIONS: Final = options(runs.list_runs, append.append_runs)
_NAMES_OPTIONS: Final = [
    options(names.get_task_names, names.put_task_names),
    options(names.get_view, names.put_view, names.delete_view),
]
_SESSION_OPTIONS: Final = options(session.create_session, session.delete_session)
_RUNS: Final = [_RUNS_OPTIONS, *append.HANDLERS, *runs.HANDLERS, *export.HANDLERS, *stream.HANDLERS]
ROUTERS: Final = [
    Router("/", tags=["runs"], route_handlers=_RUNS),
    Router("/", tags=["statistics"], route_handlers=statistics.HANDLERS),
    Router("/", tags=["errors"], route_handlers=errors.HANDLERS),
    Router("/", tags=["sql"], route_handlers=sql.HANDLERS),
    Router("/", tags=["names"], route_handlers=[*_NAMES_OPTIONS, *names.HANDLERS]),
    Router("/", tags=["session"], route_handlers=[_SESSION_OPTIONS, *session.HANDLERS]),
    Router("/", tags=["service"], route_handlers=service.HANDLERS),
    Router("/", route_handlers=[docs.handbook, docs.api_browser, pages.shell, pages.asset]),
]
