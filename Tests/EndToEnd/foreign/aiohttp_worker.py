"""A worker on aiohttp. See README.md."""

import asyncio
import hashlib
import json
import sys

import journal
import large
from aiohttp import WSMsgType, web


def fields_of(request):
    return json.dumps([[name.decode("latin-1").lower(), value.decode("latin-1")] for name, value in request.raw_headers])


async def handle(request):
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return await serve(request)
    if request.method == "POST" and request.path.endswith("/echo"):
        return web.Response(body=await request.read())
    if request.method == "POST" and request.path.endswith("/digest"):
        return web.Response(text=hashlib.sha256(await request.read()).hexdigest())
    if request.method in ("GET", "HEAD") and request.path.endswith("/hello"):
        return web.Response(text="hello")
    if request.method == "GET" and request.path.endswith("/headers"):
        return web.Response(text=fields_of(request))
    if request.method == "GET" and request.path.endswith("/large"):
        return web.Response(body=b"".join(large.parts()))
    if request.method == "GET" and request.path.endswith("/events"):
        return await events(request)
    raise web.HTTPNotFound


async def events(request):
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await response.write(b"data: first\n\n")
    await asyncio.get_running_loop().create_future()


async def serve(request):
    socket = web.WebSocketResponse(protocols=["chat.v2"], max_msg_size=4 << 20, autoping=False)
    await socket.prepare(request)
    code, reason = 1006, ""
    async for message in socket:
        match message.type:
            case WSMsgType.TEXT: await answer(request, socket, message.data)
            case WSMsgType.BINARY: await socket.send_bytes(message.data)
            case WSMsgType.PING: await socket.pong(message.data)
            case WSMsgType.PONG: await socket.send_str(f"pong {message.data.decode()}")
    if socket.close_code is not None:
        code = socket.close_code
    journal.closed(request.path, code, reasons.pop(socket, reason))
    return socket


# aiohttp tells a Close frame's reason only in the message that its iterator swallows.
reasons = {}
_receive = web.WebSocketResponse.receive


async def receive(self, *arguments, **named):
    message = await _receive(self, *arguments, **named)
    if message.type == WSMsgType.CLOSE:
        reasons[self] = message.extra
    return message


web.WebSocketResponse.receive = receive


async def answer(request, socket, text):
    word, _, rest = text.partition(" ")
    if word == "!close":
        code, _, reason = rest.partition(" ")
        await socket.close(code=int(code), message=reason.encode())
    elif word == "!ping":
        await socket.ping(rest.encode())
    elif word == "!headers":
        await socket.send_str(fields_of(request))
    else:
        await socket.send_str(text)


async def main(path):
    application = web.Application(client_max_size=64 << 20)
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.UnixSite(runner, path).start()
    await asyncio.get_running_loop().create_future()


asyncio.run(main(sys.argv[1]))
