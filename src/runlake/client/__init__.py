"""The Python client of a service: `Client`, and `AsyncClient` for programs with an event loop.

Both have one method a route, which takes and answers the Structs of `runlake.model`, and raises the errors of
`runlake.errors`. It needs neither DuckDB nor Arrow: `pip install 'runlake[client]'`.

calls       each route as data: method, path, query, body, and how its answer is read
query       query Structs as query strings
answers     answers as Structs, or as errors
retries     what is tried again, and when
batches     records as batches for POST /runs
routes      the methods that both clients have, made of the calls
setup       where a client sends, and as whom
blocking    `Client`
awaiting    `AsyncClient`
following   runs as they change, as events
block       a block of code as a recorded run
arrow       runs as an Arrow table; it needs pyarrow
"""

from runlake.client.awaiting import AsyncClient
from runlake.client.blocking import Client

__all__ = ["AsyncClient", "Client"]
