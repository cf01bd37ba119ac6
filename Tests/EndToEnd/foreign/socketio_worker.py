"""A Socket.IO server on aiohttp, with its default start: polling, then an upgrade. It says its own name. See README.md."""

import sys

import socketio
from aiohttp import web

server = socketio.AsyncServer(async_mode="aiohttp")
application = web.Application()
server.attach(application)


@server.event
async def name(session):
    return sys.argv[1]


@server.event
async def say(session, text):
    await server.emit("said", text, to=session)
    return len(text)


web.run_app(application, path=sys.argv[1], print=None, access_log=None)
