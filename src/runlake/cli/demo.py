"""`runlake demo`: a lake to look at, with a history that goes on."""

from __future__ import annotations

from contextlib import ExitStack

import click
import msgspec

from runlake import access, times
from runlake import demo as history
from runlake.cli.common import command
from runlake.cli.generate import load_history
from runlake.cli.serve import serve_lake
from runlake.lake.places import catalog_of
from runlake.paths import Paths
from runlake.settings import Settings

_HOST = "127.0.0.1"
_WORDS = """\
Open {url}/ in a browser. Ctrl-C ends it. Or try in another shell:
  curl '{url}/runs?limit=2'
  curl '{url}/runs?success=false&include_errors=true&limit=1'
  curl '{url}/stats/summary?days=7'"""


@click.command(epilog="Example: runlake demo --data data/lake")
@click.option("--runs", type=click.IntRange(1), default=2_000_000, show_default=True, help="Runs to begin with.")
@click.option("--rate", type=click.FloatRange(0.01, 1_000), help="Runs a second to go on with [as many as before].")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 picks a free one [RUNLAKE_PORT, then 8000].")
@command
def demo(settings: Settings, runs: int, rate: float | None, port: int | None) -> None:
    """Serve a made-up history of 30 days that goes on, until Ctrl-C.

    Makes the lake if there is none, as `runlake generate --incidents` does. To a lake that is not of the demo nothing
    is added.
    """
    paths = Paths.of(settings.data)
    if not catalog_of(paths, settings).exists():
        shape = {"runs": runs, "days": history.DAYS, "tasks": history.TASKS, "seed": history.SEED}
        load_history(settings, times.now(), True, **shape)
    per_day = round(rate * 86_400) if rate else -(-runs // history.DAYS)
    # The log has a line for each request, which nobody could read beside those of the demo itself.
    level = "warning" if settings.log_level == "info" else settings.log_level
    settings = msgspec.structs.replace(settings, host=_HOST, log_level=level)
    with ExitStack() as at_end:

        def listening(url: str) -> None:
            click.echo(_WORDS.format(url=url))
            going_on = history.Demo(url, per_day, lambda line: click.echo(f"runlake: {line}", err=True))
            going_on.start()
            at_end.callback(going_on.stop)

        serve_lake(
            settings,
            settings.port if port is None else port,
            listening,
            keys_required=bool(access.stored(paths)),
        )
