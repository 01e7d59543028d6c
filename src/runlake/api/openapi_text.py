"""The prose of the OpenAPI document that belongs to no single route."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

INFO: Final = files("runlake.api").joinpath("openapi.md").read_text(encoding="utf-8")
KEY: Final = (
    "Made by `runlake keys create`. Needed once the service has a key. GET, HEAD and views need the scope `read`, POST "
    "and names need `write`; neither includes the other. A browser may have a session in its place: `POST /session`."
)

TAGS: Final = {
    "runs": "Append runs and read them back.",
    "statistics": "Figures over a rolling window.",
    "errors": "Failed runs, grouped by what went wrong.",
    "names": "Names of tasks, and views that a team shares.",
    "session": "A browser with a cookie in place of a key.",
    "service": "For whoever operates the service.",
}

OLDER: Final = "The same as `GET {}`, at the address where older clients look; it stays."
UNCHANGED: Final = "Nothing has changed since the answer whose ETag was sent back."
EVENTS: Final = (
    "Server-sent events. `part`: what the answer is for the runs from `since` on, once `done` of `of` days are read, "
    "the newest first; `done`: the whole answer; `error`: a problem, which leaves the parts before it valid. Data are "
    "the members of the JSON answer after `done`, `of` and, in a part, `since`. A question that needs no scan has the "
    "event `done` only."
)

ERRORS: Final = {
    400: "The input is wrong; `errors` names each field and says why.",
    401: "The service has keys, and the request came without one that is known.",
    403: "The key does not have the scope that is needed, or a web page of an origin that is not allowed asked.",
    404: "There is no such run, group of errors or view.",
    405: "The path does not take this method; `Allow` lists those it takes.",
    408: "The body did not arrive in time. Nothing was stored, and the connection ends.",
    409: "Finished runs exist with other content; `errors` names each. Nothing of the batch was stored.",
    412: "What is stored is not what `If-Match` names any more. Nothing was changed.",
    413: "The body is too large, as it came or unpacked. Nothing was stored; send smaller batches.",
    415: "The body is of a type, or in an encoding, that is not read here, or it has no type. Nothing was stored.",
    421: "The service does not go by the name in `Host`; only while there are no keys.",
    429: "Too many questions of this kind wait. Try again after as many seconds as `Retry-After` says.",
    500: "Something went wrong inside; the log of the service says what.",
    503: "Busy, still starting, or out of time. Try again after as many seconds as `Retry-After` says.",
    507: "The disk is full. Nothing of the batch was stored; try again once there is room.",
}

HEADERS: Final = {  # the description of each, and an example
    "Allow": ("The methods the path takes.", "GET, HEAD, OPTIONS"),
    "ETag": (
        "Send it back as If-None-Match. None where the window ends now.",
        '"18a3c9f2b7d4e6-2f-9a1b0c3d4e5f6071"',
    ),
    "Link": ("The next page (`next`); by cursor also the one before (`prev`).", '</runs?limit=2&offset=2>; rel="next"'),
    "Retry-After": ("Seconds to wait before the next try.", "1"),
    "Runlake-Snapshot": ("The snapshot of the lake that was asked.", "4813"),
    "Server-Timing": ("Milliseconds of the question.", "query;dur=7.31"),
    "Set-Cookie": (
        "The session of the browser, or its end; none while there are no keys.",
        "runlake-8000=…; HttpOnly; Max-Age=604800; Path=/; SameSite=strict",
    ),
    "WWW-Authenticate": ("What key the service wants to see, or the scope that is missing.", 'Bearer realm="runlake"'),
}
