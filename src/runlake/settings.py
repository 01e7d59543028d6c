"""The settings, as a frozen Struct with a help text for each field. No other module reads the environment."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from runlake.errors import UsageError

PREFIX: Final = "RUNLAKE_"

Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0, le=1e9)]
Threads = Annotated[int, Meta(ge=1, le=1024)]
# As DuckDB reads sizes.
Size = Annotated[str, Meta(pattern=r"^(?i:[0-9]+(\.[0-9]+)? *([KMGT]i?)?B)$", examples=["2GB"])]
Catalog = Annotated[str, Meta(pattern=r"^(postgres:.*)?$", examples=["postgres:host=db.lan dbname=runs"])]
Bucket = Annotated[str, Meta(pattern=r"^(s3://[A-Za-z0-9.-]+(/[A-Za-z0-9._=-]+)+/?)?$", examples=["s3://bucket/runs"])]
Names = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._, -]*$", examples=["runs.example.com,runs.lan"])]
_ORIGIN: Final = r"[A-Za-z][A-Za-z0-9+.-]*://(\[[0-9a-fA-F:.]+\]|[^][\s:/,*?#@]+)(:[0-9]{1,5})?/?"
Origins = Annotated[
    str,
    Meta(pattern=rf"^[, ]*({_ORIGIN}([, ]+|$))*$", examples=["https://dash.example.com,http://localhost:3000"]),
]


def _help(text: str) -> Meta:
    return Meta(description=text)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a process; each field is read from the variable `RUNLAKE_<NAME>`."""

    data: Annotated[str, _help("folder of the lake; `--data` overrides it")] = "data/lake"
    catalog: Annotated[
        Catalog, _help("database of the catalog, as `postgres:` and a libpq string or URI; empty: a file in the folder")
    ] = ""
    files: Annotated[
        Bucket, _help("where Parquet files lie, as `s3://bucket/prefix`, with `RUNLAKE_CATALOG`; empty: in the folder")
    ] = ""
    mirror_bytes: Annotated[Count, _help("copies in the folder of files of `RUNLAKE_FILES`, in bytes")] = 16 << 30
    host: Annotated[str, _help("address `serve` listens on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535), _help("port `serve` listens on; 0 picks a free one")] = 8000
    allowed_hosts: Annotated[
        Names, _help("names the service goes by while there are no keys, besides localhost; comma separated, no ports")
    ] = ""
    cors_origins: Annotated[
        Origins, _help("origins of web pages elsewhere that may use the service, as in `https://dash.example.com:8443`")
    ] = ""
    inline_rows: Annotated[
        int, Meta(ge=0), _help("commits of at most this many rows are kept in the catalog until a flush")
    ] = 100
    flush_rows: Annotated[Count, _help("rows kept in the catalog before they are flushed to Parquet")] = 4000
    parquet_codec: Annotated[
        Literal["lz4_raw", "zstd"],
        _help("codec of new Parquet files: `lz4_raw` is quicker to read, `zstd` takes a fifth fewer bytes"),
    ] = "lz4_raw"
    row_group_rows: Annotated[Count, _help("rows per Parquet row group")] = 8192
    group_rows: Annotated[Count, _help("most rows that share one commit")] = 20_000
    queue_rows: Annotated[Count, _help("rows that may wait for the writer before POST answers 503")] = 200_000
    merge_files: Annotated[
        Annotated[int, Meta(ge=2)], _help("small files of one day that make the background merge them")
    ] = 8
    small_file_bytes: Annotated[Count, _help("a file below this size counts as small")] = 1_048_576
    rollup_rows: Annotated[Count, _help("new runs that wait before the rollups count them")] = 20_000
    hot_days: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000)],
        _help("newest days of which the serving database holds the narrow columns of every run"),
    ] = 62
    maintain_seconds: Annotated[Seconds, _help("pause between looks at what upkeep is due")] = 5.0
    tidy_seconds: Annotated[Seconds, _help("pause between full merges, snapshot expiry and clean-up")] = 600.0
    grace_seconds: Annotated[
        Annotated[float, Meta(ge=0, le=1e9)],
        _help("how long replaced files and old snapshots stay for running readers"),
    ] = 3600.0
    retention_days: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000)],
        _help("whole days older than this many go, with their finished runs; 0 or empty keeps all"),
    ] = 0
    read_threads: Annotated[
        Count, _help("queries that run at the same time; more than there are cores only where files are far away")
    ] = 2
    read_queue: Annotated[Count, _help("queries that may wait before reads answer 503")] = 1000
    exports: Annotated[Count, _help("exports that run at the same time; the next ones get 429")] = 2
    streams: Annotated[Count, _help("streams of changed runs that may be open; the next ones get 503")] = 64
    query_seconds: Annotated[Seconds, _help("time limit of one query")] = 30.0
    sql_memory: Annotated[
        Size, _help("DuckDB memory of one query of POST /sql; four times as much may lie on the disk meanwhile")
    ] = "1GB"
    threads: Annotated[Threads, _help("DuckDB threads of each instance")] = 2
    memory_limit: Annotated[Size, _help("DuckDB memory of each instance")] = "2GB"
    body_bytes: Annotated[Count, _help("largest body of POST /runs, in bytes")] = 64 * 1024 * 1024
    body_seconds: Annotated[Seconds, _help("time for a body to arrive, then 408")] = 60.0
    bodies_bytes: Annotated[
        Count, _help("bodies and batches under way, in bytes, before POST answers 503; at least one is always taken")
    ] = 256 * 1024 * 1024
    connections: Annotated[Count, _help("connections that may be open; the next ones get 503")] = 500
    idle_seconds: Annotated[Annotated[int, Meta(ge=1)], _help("how long a connection may be idle between requests")] = (
        60
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        _help("what is logged: debug, info (each request), warning, error"),
    ] = "info"
    fail_point: Annotated[str, _help("for tests: die as by `kill -9` at a named point, as in `mid-merge:2`")] = ""

    server: Annotated[
        str, _help("service of `exec` and of the Python client; `--server` and `Client(…)` override it")
    ] = ""
    key: Annotated[str, _help("API key of `exec` and of the Python client; `Client(key=…)` overrides it")] = ""

    def with_data(self, folder: str | Path | None) -> Settings:
        """These settings with another data folder; None changes nothing."""
        return self if folder is None else msgspec.structs.replace(self, data=str(folder))


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from `RUNLAKE_…` variables; raises UsageError for an unknown name or a bad value."""
    given = {name.removeprefix(PREFIX).lower(): value for name, value in environ.items() if name.startswith(PREFIX)}
    if given.get("retention_days") == "":
        del given["retention_days"]
    try:
        settings = msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as exc:
        raise UsageError(_explained(str(exc), given)) from None
    if bool(settings.catalog) != bool(settings.files):
        raise UsageError(f"{PREFIX}CATALOG and {PREFIX}FILES go together: set both or neither")
    return settings


class S3Access(msgspec.Struct, frozen=True):
    """How to reach a store that speaks S3; an empty `endpoint` is that of AWS."""

    key_id: str
    secret: str
    token: str
    region: str
    endpoint: str
    tls: bool


def s3_access(environ: Mapping[str, str] = os.environ) -> S3Access:
    """S3Access from the variables that other programs use for it, too."""
    url = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL", "")
    return S3Access(
        key_id=environ.get("AWS_ACCESS_KEY_ID", ""),
        secret=environ.get("AWS_SECRET_ACCESS_KEY", ""),
        token=environ.get("AWS_SESSION_TOKEN", ""),
        region=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1",
        endpoint=url.rpartition("://")[2].rstrip("/"),
        tls=not url.startswith("http://"),
    )


def in_bytes(size: str) -> int:
    """The bytes of a Size, as DuckDB counts them: 1KB is 1,000 bytes, 1KiB 1,024."""
    parts = re.fullmatch(r"([0-9.]+) *([KMGT]?)(I?)B", size.upper())
    assert parts is not None  # noqa: S101 - what Size lets through
    return int(float(parts[1]) * (1024 if parts[3] else 1000) ** " KMGT".index(parts[2] or " "))


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where a user's programs keep what outlives them (XDG Base Directory Specification), for runlake."""
    base = environ.get("XDG_STATE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path("~/.local/state").expanduser()) / "runlake"


def debugging(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the log level is debug, so that errors show their trace."""
    return environ.get(f"{PREFIX}LOG_LEVEL") == "debug"


# Settings of earlier versions, and what to do without them.
_REMOVED: Final = {
    "index_rows": "the serving database is checkpointed by itself; remove it",
    "cache_bytes": f"{PREFIX}HOT_DAYS says of how many days all runs are held ready; remove it",
}


def _explained(message: str, given: Mapping[str, str]) -> str:
    """The message of msgspec with the name of the variable, and with an example instead of a pattern."""
    if unknown := re.search("unknown field `(.*)`", message):
        if unknown[1] in _REMOVED:
            return f"the setting {PREFIX}{unknown[1].upper()} is gone: {_REMOVED[unknown[1]]}"
        near = difflib.get_close_matches(unknown[1], Settings.__struct_fields__, 1)
        known = f"; is {PREFIX}{near[0].upper()} meant?" if near else ""
        return f"there is no setting {PREFIX}{unknown[1].upper()}{known}"
    words, _, rest = message.partition(" - at `$.")
    name = rest.rstrip("`")
    if "matching regex" in words:
        field = next(field for field in _fields() if field.name == name)
        words = f"expected something like {_note(field.type, 'examples')[0]}"
        if name != "catalog":  # who gives an address in another form may have a password in it
            words += f", not {given[name]!r}"
    return f"{PREFIX}{name.upper()}: {words}"


def markdown_table() -> str:
    """The settings as a Markdown table: variable, default, meaning."""
    rows = [
        f"| `{PREFIX}{f.name.upper()}` | `{_shown(f.default)}` | {_note(f.type, 'description')} |" for f in _fields()
    ]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows])


def _shown(value: Any) -> str:
    return value or "(empty)" if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


def _fields() -> Sequence[msgspec.inspect.Field]:
    info = msgspec.inspect.type_info(Settings)
    assert isinstance(info, msgspec.inspect.StructType)  # noqa: S101 - Settings is a Struct
    return info.fields


def _note(kind: Any, name: str) -> Any:
    """A value of the Meta of a field, by name; an empty text when it has none."""
    schema = getattr(kind, "extra_json_schema", None) or {}
    return schema.get(name, "")
