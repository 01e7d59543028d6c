"""Host and Origin headers: under which names the service answers, and pages of which origins may use it (CORS).

Litestar has AllowedHostsConfig and CORSConfig for this. The first cannot allow all IP addresses and ignores API keys.
The second refuses no request, it only makes the browser hide the answer; and it would run behind our middleware, so
that a page could not read a 401. Neither answers with problem details.
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
_SHOWN: Final = 100  # characters of a header in an error message
# For a day: a page whose origin is no longer allowed is refused when it sends the request itself.
_PREFLIGHT: Final = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, DELETE"),
    (b"access-control-max-age", b"86400"),
]
_EXPOSED: Final = (
    b"access-control-expose-headers",
    b"ETag, Link, Retry-After, Runlake-Snapshot, Server-Timing, X-Request-ID",
)
_VARY: Final = (b"vary", b"Origin")


class Authority(Struct, frozen=True):
    """The host of an authority (RFC 3986, section 3.2) in lower case, and its port if it names one."""

    host: str
    port: int | None

    @classmethod
    def of(cls, text: str) -> Authority | None:
        """Parse a Host header, or an origin without its scheme; None for any other text."""
        found = _AUTHORITY.fullmatch(text)
        if found is None:
            return None
        return cls(found[1].lower().removesuffix("."), int(found[2]) if found[2] else None)

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address, which no web site can register as its name."""
        try:
            ipaddress.ip_address(self.host.strip("[]"))
        except ValueError:
            return False
        return True


class Origin(Struct, frozen=True):
    """The origin of a web page; without a port, the port is the default of its scheme."""

    scheme: str
    authority: Authority

    @classmethod
    def of(cls, text: str) -> Origin | None:
        """Parse an Origin header; None for `null` and any other text that is no origin."""
        scheme, separator, rest = text.partition("://")
        authority = Authority.of(rest)
        if not separator or authority is None:
            return None
        scheme = scheme.lower()
        return cls(scheme, Authority(authority.host, authority.port or _PORTS.get(scheme)))

    def is_of(self, host: Authority | None) -> bool:
        """Whether the request goes to the host of the page. The scheme may differ: a proxy may speak TLS for us."""
        if host is None or self.scheme not in _PORTS:
            return False
        return self.authority == Authority(host.host, host.port or _PORTS[self.scheme])


def foreign_host(name: str) -> ForeignHost:
    """The error for a request that is for this name."""
    return ForeignHost(
        f"this service does not go by the name {name[:_SHOWN]}",
        hint="ask for localhost or an IP address, or add the name to RUNLAKE_ALLOWED_HOSTS",
    )


def foreign_origin(origin: str) -> ForeignOrigin:
    """The error for a request of a page of this origin."""
    return ForeignOrigin(
        f"pages of the origin {origin[:_SHOWN]} may not use this service",
        hint="add the origin to RUNLAKE_CORS_ORIGINS; if it is a proxy before this service, "
        "let the proxy pass on the Host header as it is",
    )


def is_own(scope: Mapping[str, Any], origin: str) -> bool:
    """Whether an Origin header is of a page of this service: of the host and port that the request goes to."""
    page, hosts = Origin.of(origin), [Authority.of(text) for text in header_values(scope, b"host")]
    return page is not None and len(hosts) == 1 and page.is_of(hosts[0])


class OriginPolicy:
    """Refuses requests that a foreign web page made a browser send."""

    def __init__(self, settings: Settings) -> None:
        names = ("localhost", settings.host, *_listed(settings.allowed_hosts))
        self._names = {name.lower().removesuffix(".") for name in names}
        origins = (Origin.of(text.removesuffix("/")) for text in _listed(settings.cors_origins))
        self._origins = {origin for origin in origins if origin is not None}

    def check_host(self, scope: Mapping[str, Any]) -> None:
        """Raise ForeignHost for an unknown name: a web site may point a name of its own to us (DNS rebinding).

        A request without a Host header passes: every browser sends one, and old clients need not.
        """
        for text in header_values(scope, b"host"):
            authority = Authority.of(text)
            if authority is None or not (authority.host in self._names or authority.is_address):
                raise foreign_host(text)

    def check_origin(self, scope: Mapping[str, Any]) -> None:
        """Raise ForeignOrigin for a page of another host or port, unless its origin is allowed."""
        for text in header_values(scope, b"origin"):
            if not (is_own(scope, text) or Origin.of(text) in self._origins):
                raise foreign_origin(text)

    def cors_headers(self, scope: Mapping[str, Any]) -> Headers:
        """Headers for every answer, errors included, that let pages of the allowed origins read it."""
        if not self._origins:
            return []
        origin = self._allowed(scope)
        return [_VARY] if origin is None else [_VARY, (b"access-control-allow-origin", origin.encode()), _EXPOSED]

    def preflight(self, scope: Mapping[str, Any]) -> Headers | None:
        """Headers of the answer to a preflight request of an allowed page; None for any other request.

        They allow every header, because the headers are checked when the request itself arrives.
        """
        if scope["method"] != "OPTIONS" or not header_values(scope, b"access-control-request-method"):
            return None
        if self._allowed(scope) is None:
            return None
        wanted = ", ".join(header_values(scope, b"access-control-request-headers"))
        return [*_PREFLIGHT, *([(b"access-control-allow-headers", wanted.encode("latin-1"))] if wanted else [])]

    def _allowed(self, scope: Mapping[str, Any]) -> str | None:
        """The Origin header if it names an allowed origin."""
        found = header_values(scope, b"origin")
        return found[0] if len(found) == 1 and Origin.of(found[0]) in self._origins else None


def _listed(text: str) -> list[str]:
    return text.replace(",", " ").split()


def header_values(scope: Mapping[str, Any], name: bytes) -> list[str]:
    """All values of a header of a request; `scope` is its ASGI scope, the name is in lower case."""
    return [value.decode("latin-1").strip() for key, value in scope["headers"] if key == name]
