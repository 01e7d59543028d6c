"""The session of a browser."""

from __future__ import annotations

from typing import Final

from litestar import HttpMethod, Response

from runlake import access
from runlake.access import ApiKeyAuth
from runlake.api import browser_session
from runlake.api.answers import Answer, Req
from runlake.api.context import context_of
from runlake.api.routing import write


@write(HttpMethod.POST, "/session", scope="read", headers=("Set-Cookie",))
async def create_session(request: Req) -> Answer[None]:
    """Let a browser in by its cookie.

    Send a key of scope `read` as `Authorization: Bearer`; the answer sets the cookie `runlake-<port>`, which no script
    can read and which lasts for a week, or until its key is revoked. For pages of this service it counts in place of a
    key of scope `read`: with GET and HEAD, and with other methods where `Origin` is that of the service. It never
    counts for `POST /runs`, `PUT /tasks/names` and this route. While the service has no keys, no cookie is set.
    """
    number = context_of(request).key
    if number is None:
        return Response(None, status_code=204)
    auth: ApiKeyAuth = request.app.state.auth
    key = auth.known(number)
    if key is None:
        raise access.key_unknown()
    return Response(None, status_code=204, cookies=[browser_session.begun(request.scope, key)])


@write(HttpMethod.DELETE, "/session", scope=None, headers=("Set-Cookie",))
async def delete_session(request: Req) -> Answer[None]:
    """Forget the cookie of a browser.

    The answer makes the browser forget it. No key is needed, and no cookie. A copy of the cookie would count until it
    ends; to end all sessions of a key, revoke the key.
    """
    return Response(None, status_code=204, cookies=[browser_session.ended(request.scope)])


HANDLERS: Final = [create_session, delete_session]
