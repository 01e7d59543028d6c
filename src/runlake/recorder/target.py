"""Where the records of a call go: the options say it, else the settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib import import_module

from runlake import settings as settings_module
from runlake.paths import Paths
from runlake.recorder.call import Call
from runlake.recorder.child import Ended
from runlake.recorder.recording import Recording, Target
from runlake.recorder.report import Report
from runlake.recorder.service import Service


def begun(call: Call, started_at: datetime, say: Callable[[str], None]) -> Recording[Ended]:
    """The recording of a command that runs. Raises UsageError for wrong settings, and what else is in the way."""
    name, make = _target(call)
    recording = Recording(name, make, settings_module.state_folder(), Report(call.task, started_at), say)
    recording.begin()
    return recording


def _target(call: Call) -> tuple[str, Callable[[], Target]]:
    """The name of the target, and what makes it. A lake is opened late: DuckDB takes a third of a second to import."""
    settings = settings_module.load().with_data(call.data)
    url = call.server or ("" if call.data is not None else settings.server)
    if url:
        service = Service(url, settings.key)
        return service.name, lambda: service

    def folder() -> Target:
        made: Target = import_module("runlake.recorder.folder").Folder(settings)
        return made

    return str(Paths.of(settings.data).folder), folder
