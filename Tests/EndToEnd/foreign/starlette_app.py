"""An ASGI application on Starlette, for uvicorn and hypercorn. See README.md."""

import asyncio
import hashlib
import json

import journal
import large
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect


def fields_of(connection):
    return json.dumps([[name.decode("latin-1"), value.decode("latin-1")] for name, value in connection.scope["headers"]])


async def handle(request):
    path = request.url.path
    if request.method == "POST" and path.endswith("/echo"):
        return Response(await request.body(), media_type="application/octet-stream")
    if request.method == "POST" and path.endswith("/digest"):
        digest = hashlib.sha256()
        async for part in request.stream():
            digest.update(part)
        return PlainTextResponse(digest.hexdigest())
    if request.method in ("GET", "HEAD") and path.endswith("/hello"):
        return PlainTextResponse("hello")
    if request.method == "GET" and path.endswith("/headers"):
        return PlainTextResponse(fields_of(request))
    if request.method == "GET" and path.endswith("/large"):
        return StreamingResponse(large.parts(), media_type="application/octet-stream")
    if request.method == "GET" and path.endswith("/seen"):
        return JSONResponse({"scheme": request.url.scheme, "address": request.client.host if request.client else None})
    if request.method == "GET" and path.endswith("/events"):
        return StreamingResponse(events(), media_type="text/event-stream")
    return PlainTextResponse("nothing here", 404)


async def events():
    yield "data: first\n\n"
    await asyncio.get_running_loop().create_future()


async def serve(socket):
    offered = socket.scope["subprotocols"]
    await socket.accept("chat.v2" if "chat.v2" in offered else None)
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message["code"], message.get("reason"))
            if message.get("text") is None:
                await socket.send_bytes(message["bytes"])
            else:
                await answer(socket, message["text"])
    except WebSocketDisconnect as end:
        journal.closed(socket.url.path, end.code, end.reason)


async def answer(socket, text):
    word, _, rest = text.partition(" ")
    if word == "!close":
        code, _, reason = rest.partition(" ")
        await socket.close(int(code), reason)
    elif word == "!headers":
        await socket.send_text(fields_of(socket))
    else:
        await socket.send_text(text)


methods = ["GET", "HEAD", "POST"]
app = Starlette(routes=[WebSocketRoute("/{path:path}", serve), Route("/{path:path}", handle, methods=methods)])
