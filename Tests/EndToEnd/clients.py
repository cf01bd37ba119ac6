"""Three WebSocket clients nobody here wrote, behind one small interface; the last speaks HTTP/2."""

import asyncio
import collections
import socket
import urllib.parse

import aiohttp
import websockets.asyncio.client
import wsproto
import wsproto.events
from websockets.exceptions import ConnectionClosed

from streams import Multiplexed
from waiting import patient


class WebsocketsClient:
    """The Python library `websockets`."""

    name = "websockets"

    async def open(self, url, context, subprotocols=None, headers=None, origin=None):
        self._socket = await websockets.asyncio.client.connect(
            url, ssl=context, subprotocols=subprotocols, additional_headers=headers, origin=origin, max_size=4 << 20,
            open_timeout=patient(10), close_timeout=patient(10), ping_interval=None, proxy=None)
        return self

    @property
    def subprotocol(self):
        return self._socket.subprotocol

    async def send(self, message):
        await self._socket.send(message)

    async def send_fragments(self, parts):
        await self._socket.send(parts)

    async def receive(self):
        return await asyncio.wait_for(self._socket.recv(), patient(10))

    async def ping(self, data):
        """Pings, and waits for the pong."""
        await asyncio.wait_for(await self._socket.ping(data), patient(10))

    async def close(self, code=1000, reason=""):
        await self._socket.close(code, reason)

    async def closed(self):
        """Waits for the other side's Close: (code, reason)."""
        try:
            while True:
                await self.receive()
        except ConnectionClosed as end:
            return (end.rcvd.code, end.rcvd.reason) if end.rcvd else (1006, "")


class AiohttpClient:
    """The client of aiohttp."""

    name = "aiohttp"

    async def open(self, url, context, subprotocols=None, headers=None, origin=None):
        self._session = aiohttp.ClientSession()
        try:
            self._socket = await self._session.ws_connect(
                url, ssl=context, protocols=subprotocols or (), headers=headers, origin=origin, max_msg_size=4 << 20,
                autoping=False)
        except BaseException:
            await self._session.close()
            raise
        return self

    @property
    def subprotocol(self):
        return self._socket.protocol

    async def send(self, message):
        if isinstance(message, str):
            await self._socket.send_str(message)
        else:
            await self._socket.send_bytes(message)

    async def _next(self):
        message = await asyncio.wait_for(self._socket.receive(), patient(10))
        if message.type == aiohttp.WSMsgType.PING:
            await self._socket.pong(message.data)
            return await self._next()
        return message

    async def receive(self):
        message = await self._next()
        assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), message
        return message.data

    async def ping(self, data):
        await self._socket.ping(data)
        message = await self._next()
        assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, data)

    async def close(self, code=1000, reason=""):
        await self._socket.close(code=code, message=reason.encode())
        await self._session.close()

    async def closed(self):
        reason = ""
        while not self._socket.closed:
            message = await self._next()
            if message.type == aiohttp.WSMsgType.CLOSE:
                reason = message.extra
        await self._session.close()
        return self._socket.close_code, reason


class StreamClient:
    """A stream of HTTP/2 by the library `h2` (RFC 8441), with the frames of the library `wsproto`.

    Its calls block: whom they wait for is another process.
    """

    name = "h2"

    async def open(self, url, context, subprotocols=None, headers=None, origin=None):
        url = urllib.parse.urlsplit(url)
        context.set_alpn_protocols(["h2"])
        raw = socket.create_connection((url.hostname, url.port), patient(10))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = Multiplexed(context.wrap_socket(raw, server_hostname=url.hostname))
        assert self._connection.wait_for_settings()[8] == 1, "it takes no WebSockets as streams"
        fields = list(dict(headers or {}).items())
        if subprotocols:
            fields.append(("sec-websocket-protocol", ", ".join(subprotocols)))
        if origin:
            fields.append(("origin", origin))
        self._stream = self._connection.websocket(url.path, fields, host=url.netloc)
        response = self._stream.head()
        if response.status != 200:
            self._connection.close()
            raise ConnectionRefusedError(response.status)
        self.subprotocol = response["sec-websocket-protocol"]
        self._frames = wsproto.Connection(wsproto.ConnectionType.CLIENT)
        self._arrived = collections.deque()
        self._parts = []
        return self

    async def send(self, message):
        kind = wsproto.events.TextMessage if isinstance(message, str) else wsproto.events.BytesMessage
        self._say(kind(data=message))

    async def receive(self):
        event = self._next()
        assert isinstance(event, (str, bytes)), event
        return event

    async def ping(self, data):
        self._say(wsproto.events.Ping(payload=data))
        assert self._next() == wsproto.events.Pong(payload=data)

    async def close(self, code=1000, reason=""):
        self._say(wsproto.events.CloseConnection(code=code, reason=reason))
        await self.closed()

    async def closed(self):
        event = self._next()
        while not isinstance(event, wsproto.events.CloseConnection):
            event = self._next()
        if self._frames.state is not wsproto.ConnectionState.CLOSED:
            self._say(event.response())
        self._connection.close()
        return event.code, event.reason or ""

    def _say(self, event):
        self._stream.sendall(self._frames.send(event))

    def _next(self):
        """The next message or other event. Pings are answered."""
        while True:
            while not self._arrived:
                self._frames.receive_data(self._stream.recv(65536) or None)
                self._arrived += self._frames.events()
            event = self._arrived.popleft()
            if isinstance(event, wsproto.events.Ping):
                self._say(event.response())
            elif not isinstance(event, wsproto.events.Message):
                return event
            else:
                self._parts.append(event.data)
                if event.message_finished:
                    message = type(event.data)().join(self._parts)
                    self._parts = []
                    return message


CLIENTS = [WebsocketsClient, AiohttpClient, StreamClient]
