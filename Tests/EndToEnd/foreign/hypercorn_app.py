"""The application of starlette_app.py for hypercorn, which leaves X-Forwarded-* to this middleware. See README.md."""

from hypercorn.middleware import ProxyFixMiddleware
from starlette_app import app as application

app = ProxyFixMiddleware(application, mode="legacy", trusted_hops=1)
