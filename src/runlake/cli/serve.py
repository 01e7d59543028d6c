"""`runlake serve`: the HTTP service."""

from __future__ import annotations

import ipaddress
import logging
import resource
from collections.abc import Callable
from typing import Final

import click
import msgspec

from runlake import access, log
from runlake.api import app
from runlake.cli.common import command
from runlake.errors import UsageError
from runlake.paths import Paths
from runlake.settings import Settings
from runlake.store import Store

STDERR: Final = 2
OWN_FILES: Final = 256  # open files that are no connections: catalog, serving database, Parquet files


@click.command(epilog="Example: runlake serve --data data/lake --port 8000")
@click.option("--host", help="Address to listen on [RUNLAKE_HOST, then 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 picks a free one [RUNLAKE_PORT, then 8000].")
@click.option(
    "--no-auth",
    is_flag=True,
    help="Allow an address others can reach although there are no keys; where there are, they count.",
)
@command
def serve(settings: Settings, host: str | None, port: int | None, no_auth: bool) -> None:
    """Serve the Runs API until SIGTERM; makes the lake if there is none."""
    host = settings.host if host is None else host
    settings = msgspec.structs.replace(settings, host=host)  # OriginPolicy accepts this name
    has_keys = bool(access.stored(Paths.of(settings.data)))
    if not has_keys and not no_auth and not _is_loopback(host):
        raise UsageError(
            f"{host} can be reached from other machines, and there are no keys",
            hint="`runlake keys create` makes one; or say --no-auth if something else guards the service",
        )
    serve_lake(settings, settings.port if port is None else port, _say, keys_required=has_keys)


def serve_lake(settings: Settings, port: int, listening: Callable[[str], None], *, keys_required: bool) -> None:
    """Serve the lake of the settings until SIGTERM or SIGINT; `listening(url)` is called once it listens."""
    lines = log.begin(settings.log_level, STDERR)
    _raise_limit(settings.connections + OWN_FILES)
    # api.problems logs errors of requests; uvicorn would log clients that disconnect during a shutdown.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    try:
        store = Store(settings)
        app.serve(store, settings.host, port, listening, keys_required=keys_required)
    finally:
        lines.close()


def _raise_limit(wanted: int) -> None:
    """Raise the limit of open files to `wanted`, as far as the system allows; each connection is an open file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted <= hard or soft < hard < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    if hard < wanted:
        log.warn("few files may be open: raise `ulimit -n` or lower RUNLAKE_CONNECTIONS", limit=hard, wanted=wanted)


def _say(address: str) -> None:
    click.echo(f"runlake: serving on {address}, docs at {address}/docs", err=True)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
