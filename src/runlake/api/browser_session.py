"""The session of a browser: a cookie in place of an API key, so that no script of a page has to keep the key.

Its value is the id of the key, the second when it ends, and an HMAC of both with the stored hash of the key. So the
service keeps nothing of it, and it ends with its key. The cookie is named by the port, because a browser sends the
cookies of a host to all ports of it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from litestar.datastructures import Cookie

from runlake import times
from runlake.access import ApiKeyAuth, Key
from runlake.api.origin_policy import Authority, Origin, header_values, is_own

SECONDS: Final = 7 * 24 * 3600
_VALUE: Final = re.compile(r"([0-9a-f]{12})\.([0-9]{1,12})\.([0-9a-f]{64})")
_NO_HASH: Final = "0" * 64  # of the key that is not there
# `none` is what the user did, without any page. Old browsers say nothing, and no browser does over plain HTTP to
# another machine. A page of another port is of the same site, so SameSite does not keep the cookie from it.
_OWN_SITES: Final[tuple[list[str], ...]] = ([], ["same-origin"], ["none"])


def begun(scope: Mapping[str, Any], key: Key) -> Cookie:
    """The cookie of a new session; `scope` is the ASGI scope of the request."""
    ends = str(times.now() // 1_000_000 + SECONDS)
    return _cookie(scope, f"{key.id}.{ends}.{_mark(key.id, ends, key.hash)}", SECONDS)


def ended(scope: Mapping[str, Any]) -> Cookie:
    """The cookie that makes a browser forget its session."""
    return _cookie(scope, "", 0)


def key_of(scope: Mapping[str, Any], auth: ApiKeyAuth) -> Key | None:
    """The key of the session that a request comes with; None without one that counts.

    It counts for pages of the service and for what the user does without a page. To change something, a page has to
    say by its Origin that it is one of the service.
    """
    if header_values(scope, b"sec-fetch-site") not in _OWN_SITES:
        return None
    origins = header_values(scope, b"origin")
    if len(origins) > 1 or not (is_own(scope, origins[0]) if origins else scope["method"] in ("GET", "HEAD")):
        return None
    found = (_key(value, auth) for value in _values(scope, _name(scope)))
    return next((key for key in found if key is not None), None)


def _key(value: str, auth: ApiKeyAuth) -> Key | None:
    parts = _VALUE.fullmatch(value)
    if parts is None:
        return None
    number, ends, mark = parts.groups()
    key = auth.known(number)
    # An unknown id takes the same steps, so that the time of the answer does not reveal known ids.
    same = hmac.compare_digest(mark, _mark(number, ends, key.hash if key else _NO_HASH))
    return key if same and times.now() < int(ends) * 1_000_000 else None


def _mark(number: str, ends: str, key_hash: str) -> str:
    return hmac.digest(key_hash.encode(), f"session {number} {ends}".encode(), "sha256").hex()


def _cookie(scope: Mapping[str, Any], value: str, seconds: int) -> Cookie:
    return Cookie(
        key=_name(scope),
        value=value,
        path="/",
        max_age=seconds,
        secure=_is_tls(scope),
        httponly=True,
        samesite="strict",
    )


def _name(scope: Mapping[str, Any]) -> str:
    """By the port that the browser asked, which a proxy or a container may map to ours."""
    hosts = [Authority.of(text) for text in header_values(scope, b"host")]
    asked = hosts[0].port if len(hosts) == 1 and hosts[0] else None
    return f"runlake-{asked or scope['server'][1]}"


def _is_tls(scope: Mapping[str, Any]) -> bool:
    """Whether the browser speaks TLS, to a proxy: by the origin of its page, or as the proxy says.

    Whoever says so falsely gets a cookie that its browser does not keep.
    """
    pages = [Origin.of(text) for text in header_values(scope, b"origin")]
    schemes = [page.scheme for page in pages if page]
    schemes += [text.partition(",")[0].strip().lower() for text in header_values(scope, b"x-forwarded-proto")]
    return "https" in schemes


def _values(scope: Mapping[str, Any], name: str) -> Iterator[str]:
    """The values of all cookies of a name: other programs of the host may have set some, too."""
    for header in header_values(scope, b"cookie"):
        for part in header.split(";"):
            found, _, value = part.partition("=")
            if found.strip() == name:
                yield value.strip()
