"""Streams of HTTP/2 as asyncio's readers and writers."""

import asyncio

from manystreams import Session


async def connect(edge, listener="secure"):
    """A connection of HTTP/2, once the edge has said what it takes. Close it."""
    tls = {}
    if listener == "secure":
        context = edge.site.client_context()
        context.set_alpn_protocols(["h2"])
        tls = {"ssl": context, "server_hostname": "localhost"}
    _, session = await asyncio.get_running_loop().create_connection(Session, "127.0.0.1", edge.ports[listener], **tls)
    await session.is_ready
    return session


async def open_websocket(session, target):
    """Asks for a WebSocket (RFC 8441 §5), which must be accepted; gives its reader and its writer."""
    member = _Member(target)
    session.open(member)
    assert await member.status == 200
    return member.reader, member.transport


class _Member:
    fields = ()

    def __init__(self, target):
        self.target = target
        self.reader = asyncio.StreamReader()
        self.status = asyncio.get_running_loop().create_future()

    def answered(self, status, accepted):
        self.status.set_result(status)

    def data_received(self, data):
        self.reader.feed_data(data)

    def connection_lost(self, error):
        if not self.status.done():
            self.status.set_result(None)
        self.reader.feed_eof()
