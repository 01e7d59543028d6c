"""`runlake keys`: makes, lists and revokes API keys."""

from __future__ import annotations

import click

from runlake import access
from runlake.access import SCOPES, Scope
from runlake.cli.common import command
from runlake.paths import Paths
from runlake.settings import Settings


@click.group()
def keys() -> None:
    """Make, list and revoke API keys; a running service notices at once.

    With at least one key, every route with data needs `Authorization: Bearer KEY`.
    """


@keys.command(epilog="Example: runlake keys create --name ci --scope write --data data/lake")
@click.option("--name", default="", help="What the key is for; shown by `list`.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    help="What it opens: read (GET, HEAD, views), write (POST, names); give it twice for both. Neither has the other."
    "  [default: both]",
)
@command
def create(settings: Settings, name: str, scopes: tuple[Scope, ...]) -> None:
    """Make a key and print it, this once: only its hash is kept."""
    key, token = access.create(Paths.of(settings.data), scopes or SCOPES, name)
    click.echo(f"runlake: key {key.id} may {' and '.join(key.scopes)}; it is not shown again", err=True)
    click.echo(token)


@keys.command("list", epilog="Example: runlake keys list --data data/lake")
@command
def list_(settings: Settings) -> None:
    """All keys, one a line, without their secrets: id, scopes, time, name."""
    for key in access.stored(Paths.of(settings.data)):
        click.echo("  ".join((key.id, f"{','.join(key.scopes):<10}", key.created_at, key.name)).rstrip())


@keys.command(epilog="Example: runlake keys revoke 3f9a1c0b7d42 --data data/lake")
@click.argument("key_id", metavar="ID")
@command
def revoke(settings: Settings, key_id: str) -> None:
    """Forget the key of this ID; requests with it get 401 from now on.

    A running service that has seen a key stays closed when the last one is revoked.
    """
    key = access.revoke(Paths.of(settings.data), key_id)
    click.echo(f"revoked {key.id}  {key.name}".rstrip())
