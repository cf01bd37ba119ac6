"""A worker on the Python library `websockets`. See README.md."""

import asyncio
import json
import sys

import journal
import large
from websockets.asyncio.server import unix_serve
from websockets.exceptions import ConnectionClosed


def fields_of(request):
    return json.dumps([[name.lower(), value] for name, value in request.headers.raw_items()])


def plain(connection, request):
    if request.headers.get("Upgrade"):
        return None
    if request.path.endswith("/hello"):
        return connection.respond(200, "hello")
    if request.path.endswith("/headers"):
        return connection.respond(200, fields_of(request))
    if request.path.endswith("/large"):
        return connection.respond(200, b"".join(large.parts()).decode())
    return connection.respond(404, "nothing here")


async def serve(connection):
    try:
        async for message in connection:
            await answer(connection, message)
    except ConnectionClosed:
        pass
    received = connection.protocol.close_rcvd
    code, reason = (received.code, received.reason) if received else (1006, "")
    journal.closed(connection.request.path, code, reason)


async def answer(connection, message):
    word, _, rest = message.partition(" ") if isinstance(message, str) else ("", "", "")
    if word == "!close":
        code, _, reason = rest.partition(" ")
        await connection.close(int(code), reason)
    elif word == "!ping":
        await (await connection.ping(rest))
        await connection.send(f"pong {rest}")
    elif word == "!fragments":
        await connection.send(rest.split())
    elif word == "!headers":
        await connection.send(fields_of(connection.request))
    else:
        await connection.send(message)


async def main(path):
    server = unix_serve(
        serve, path, process_request=plain, max_size=4 << 20, subprotocols=["chat.v2"],
        select_subprotocol=lambda _, offered: "chat.v2" if "chat.v2" in offered else None, ping_interval=None)
    async with server:
        await asyncio.get_running_loop().create_future()


asyncio.run(main(sys.argv[1]))
