"""The HTTP service: Litestar routes, and everything around them.

app.py            the application and the server
middleware.py     checks, counts and logs every request: keys, origins, content types
context.py        the context of a request
origin_policy.py  Host and Origin headers, CORS
browser_session.py  the cookie of a browser in place of a key
protocol.py       limits of connections
routes/           the handlers, by theme
routing.py        the decorators of handlers: they decode what a request asks
params.py         query strings and ids
answers.py        answers: JSON, tags, 304
body.py           bodies: limits, gzip (gzip_body.py), decoding by content type
service.py        the store while it is served
cancellation.py   queries whose client disconnects
problems.py       errors as problem details
metrics.py        metrics for Prometheus
openapi.py        the OpenAPI document, with its prose (openapi.toml, openapi.md) and examples/
docs.py           the handbook, and the API browser, which shows that document
"""
