"""Two WebSocket clients nobody here wrote, behind one small interface."""

import asyncio

import aiohttp
import websockets.asyncio.client
from websockets.exceptions import ConnectionClosed

from waiting import slow


class WebsocketsClient:
    """The Python library `websockets`."""

    name = "websockets"

    async def open(self, url, context, subprotocols=None, headers=None, origin=None):
        self._socket = await websockets.asyncio.client.connect(
            url, ssl=context, subprotocols=subprotocols, additional_headers=headers, origin=origin, max_size=4 << 20,
            ping_interval=None, proxy=None)
        return self

    @property
    def subprotocol(self):
        return self._socket.subprotocol

    async def send(self, message):
        await self._socket.send(message)

    async def send_fragments(self, parts):
        await self._socket.send(parts)

    async def receive(self):
        return await asyncio.wait_for(self._socket.recv(), slow(10))

    async def ping(self, data):
        """Pings, and waits for the pong."""
        await asyncio.wait_for(await self._socket.ping(data), slow(10))

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
        message = await asyncio.wait_for(self._socket.receive(), slow(10))
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


CLIENTS = [WebsocketsClient, AiohttpClient]
