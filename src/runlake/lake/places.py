"""Where a lake lies: in a folder, or in a database of PostgreSQL and a store that speaks S3."""

from __future__ import annotations

from importlib import import_module

from runlake.errors import UsageError
from runlake.lake.catalogs import Catalog
from runlake.lake.catalogs.sqlite import SqliteCatalog
from runlake.lake.files import Files
from runlake.lake.files.local import LocalFiles
from runlake.paths import Paths
from runlake.settings import Settings, s3_access


def catalog_of(paths: Paths, settings: Settings) -> Catalog:
    """The catalog of the lake of these settings."""
    if not settings.catalog:
        return SqliteCatalog(paths)
    try:
        made: Catalog = import_module("runlake.lake.catalogs.postgres").PostgresCatalog(paths, settings.catalog)
    except ModuleNotFoundError as exc:
        raise UsageError(
            f"a catalog in PostgreSQL needs {exc.name}, which is not there", hint="pip install 'runlake[cluster]'"
        ) from exc
    return made


def files_of(paths: Paths, settings: Settings, *, write: bool) -> Files:
    """The place of its Parquet files."""
    if not settings.files:
        return LocalFiles(paths)
    # It takes time to import, and a lake in a folder needs none of it.
    made: Files = import_module("runlake.lake.files.s3").S3Files(
        paths, settings.files, s3_access(), settings.mirror_bytes, write=write
    )
    return made
