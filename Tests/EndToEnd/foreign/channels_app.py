"""A Django project in one file, with Channels, for daphne. See README.md."""

import asyncio
import hashlib
import json
import secrets

import journal
import large
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import re_path


def fields_of(scope):
    return json.dumps([[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]])


async def handle(request):
    method, path = request.method, request.path
    if method == "POST" and path.endswith("/echo"):
        return HttpResponse(request.read(), content_type="application/octet-stream")
    if method == "POST" and path.endswith("/digest"):
        return HttpResponse(hashlib.sha256(request.read()).hexdigest())
    if method in ("GET", "HEAD") and path.endswith("/hello"):
        return HttpResponse("hello")
    if method == "GET" and path.endswith("/headers"):
        return HttpResponse(fields_of(request.scope))
    if method == "GET" and path.endswith("/large"):
        return HttpResponse(b"".join(large.parts()), content_type="application/octet-stream")
    if method == "GET" and path.endswith("/seen"):
        return JsonResponse({"scheme": request.scheme, "address": request.META.get("REMOTE_ADDR")})
    if method == "GET" and path.endswith("/events"):
        return StreamingHttpResponse(events(), content_type="text/event-stream")
    raise Http404


async def events():
    yield "data: first\n\n"
    await asyncio.get_running_loop().create_future()


class Echo(AsyncWebsocketConsumer):
    async def connect(self):
        await self.accept("chat.v2" if "chat.v2" in self.scope["subprotocols"] else None)

    async def receive(self, text_data=None, bytes_data=None):
        word, _, rest = (text_data or "").partition(" ")
        if word == "!close":
            code, _, reason = rest.partition(" ")
            await self.close(int(code), reason)
        elif word == "!headers":
            await self.send(fields_of(self.scope))
        else:
            await self.send(text_data, bytes_data)

    async def disconnect(self, code):
        journal.closed(self.scope["path"], code, None)


settings.configure(ALLOWED_HOSTS=["localhost"], ROOT_URLCONF=__name__, SECRET_KEY=secrets.token_hex())
urlpatterns = [re_path("", handle)]
application = ProtocolTypeRouter({
    "http": get_asgi_application(),
    "websocket": URLRouter([re_path("", Echo.as_asgi())]),
})
