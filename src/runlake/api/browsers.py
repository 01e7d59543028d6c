"""Which names a request may be for, and which web pages may send one.

Litestar has AllowedHostsConfig and CORSConfig for this. The first cannot allow all IP addresses and ignores keys; the
second answers as CORS wants but lets every page ask, and sits behind the door, so that a page could not read a 401.
Both answer in another shape than all errors here.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from runlake.errors import ForeignHost, ForeignOrigin
from runlake.settings import Settings

Headers = list[tuple[bytes, bytes]]
_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}
_AUTHORITY: Final = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[^\s:/?#@\[\]]+)(?::([0-9]{0,5}))?")
_SHOWN: Final = 100  # characters of a header that a message repeats
# A day: a page that is no longer allowed is refused with its next request all the same.
_PREFLIGHT: Final = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, DELETE"),
    (b"access-control-max-age", b"86400"),
]
_EXPOSED: Final = (
    b"access-control-expose-headers",
    b"ETag, Link, Retry-After, Runlake-Snapshot, Server-Timing, X-Request-ID",
)
_VARY: Final = (b"vary", b"Origin")


class Place(Struct, frozen=True):
    """A host in lower case, and its port; None where none is named."""

    host: str
    port: int | None

    @classmethod
    def of(cls, text: str) -> Place | None:
        """The place a Host header, or an origin behind its scheme, names; None when it is not one."""
        found = _AUTHORITY.fullmatch(text)
        if found is None:
            return None
        return cls(found[1].lower().removesuffix("."), int(found[2]) if found[2] else None)

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address: no web site can make such a name its own."""
        try:
            ipaddress.ip_address(self.host.strip("[]"))
        except ValueError:
            return False
        return True


class Origin(Struct, frozen=True):
    """Where a page is from; its port is the usual one of its scheme when none is named."""

    scheme: str
    place: Place

    @classmethod
    def of(cls, text: str) -> Origin | None:
        """The origin an Origin header names; None for `null` and for what is no origin."""
        scheme, separator, rest = text.partition("://")
        place = Place.of(rest)
        if not separator or place is None:
            return None
        scheme = scheme.lower()
        return cls(scheme, Place(place.host, place.port or _PORTS.get(scheme)))

    def is_of(self, host: Place | None) -> bool:
        """Whether the page is from the host that it asks. The scheme may differ: a proxy may speak TLS for us."""
        if host is None or self.scheme not in _PORTS:
            return False
        return self.place == Place(host.host, host.port or _PORTS[self.scheme])


class Browsers:
    """Keeps away what a web page could make a browser send."""

    def __init__(self, settings: Settings) -> None:
        names = ("localhost", settings.host, *_listed(settings.allowed_hosts))
        self._names = {name.lower().removesuffix(".") for name in names}
        origins = (Origin.of(text.removesuffix("/")) for text in _listed(settings.cors_origins))
        self._origins = {origin for origin in origins if origin is not None}

    def check_host(self, scope: Mapping[str, Any]) -> None:
        """Raises ForeignHost for a name that a web site may have made lead here, to read the answers as its own.

        A request without Host passes: browsers send one, old clients need not.
        """
        for text in _values(scope, b"host"):
            place = Place.of(text)
            if place is None or not (place.host in self._names or place.is_address):
                raise ForeignHost(
                    f"this service does not go by the name {text[:_SHOWN]}",
                    hint="ask for localhost or an IP address, or add the name to RUNLAKE_ALLOWED_HOSTS",
                )

    def check_origin(self, scope: Mapping[str, Any]) -> None:
        """Raises ForeignOrigin for a page of another host or port, unless it is one of the allowed ones."""
        hosts = [Place.of(text) for text in _values(scope, b"host")]
        for text in _values(scope, b"origin"):
            origin = Origin.of(text)
            if origin is None or not (origin in self._origins or (len(hosts) == 1 and origin.is_of(hosts[0]))):
                raise ForeignOrigin(
                    f"pages of the origin {text[:_SHOWN]} may not use this service",
                    hint="add the origin to RUNLAKE_CORS_ORIGINS; if it is a proxy before this service, "
                    "let the proxy pass on the Host header as it is",
                )

    def marks(self, scope: Mapping[str, Any]) -> Headers:
        """Headers that let an allowed page read an answer, whatever it is; of all answers if any page is allowed."""
        if not self._origins:
            return []
        origin = self._allowed(scope)
        return [_VARY] if origin is None else [_VARY, (b"access-control-allow-origin", origin.encode()), _EXPOSED]

    def preflight(self, scope: Mapping[str, Any]) -> Headers | None:
        """The answer to a browser that asks whether an allowed page may send a request; None when it is no such.

        Every header may be sent: what a request says counts when it comes.
        """
        if scope["method"] != "OPTIONS" or not _values(scope, b"access-control-request-method"):
            return None
        if self._allowed(scope) is None:
            return None
        wanted = ", ".join(_values(scope, b"access-control-request-headers"))
        return [*_PREFLIGHT, *([(b"access-control-allow-headers", wanted.encode("latin-1"))] if wanted else [])]

    def _allowed(self, scope: Mapping[str, Any]) -> str | None:
        """The origin of the page as its browser writes it, if it is an allowed one."""
        found = _values(scope, b"origin")
        return found[0] if len(found) == 1 and Origin.of(found[0]) in self._origins else None


def _listed(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _values(scope: Mapping[str, Any], name: bytes) -> list[str]:
    """All values of a header."""
    return [value.decode("latin-1").strip() for key, value in scope["headers"] if key == name]
