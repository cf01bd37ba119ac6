"""HTTP/2 with the library `h2` for many WebSockets at once: each stream is an asyncio reader and a writer."""

import asyncio

import h2.config
import h2.connection
import h2.events


class StreamSession(asyncio.Protocol):
    """A client's connection of HTTP/2. Close it."""

    @classmethod
    async def connect(cls, edge, listener="secure"):
        """Connects, and waits until the edge has said what it takes."""
        tls = {}
        if listener == "secure":
            context = edge.site.client_context()
            context.set_alpn_protocols(["h2"])
            tls = {"ssl": context, "server_hostname": "localhost"}
        loop = asyncio.get_running_loop()
        _, session = await loop.create_connection(cls, "127.0.0.1", edge.ports[listener], **tls)
        await session._greeted
        return session

    def __init__(self):
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="latin-1"))
        self._writers = {}
        self._greeted = asyncio.get_running_loop().create_future()

    async def websocket(self, target):
        """Asks for a WebSocket (RFC 8441 §5), which must be accepted; gives its reader and its writer."""
        writer = StreamWriter(self, self.h2.get_next_available_stream_id())
        self._writers[writer.number] = writer
        self.h2.send_headers(writer.number, [
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":authority", "localhost"), (":path", target),
            ("sec-websocket-version", "13")])
        self.flush()
        assert await writer.status == "200"
        return writer.reader, writer

    def close(self):
        self._transport.close()

    def flush(self):
        self._transport.write(self.h2.data_to_send())

    # As a protocol

    def connection_made(self, transport):
        self._transport = transport
        self.h2.initiate_connection()
        self.flush()

    def data_received(self, data):
        for event in self.h2.receive_data(data):
            self._received(event)
        self.flush()

    def connection_lost(self, error):
        for writer in self._writers.values():
            writer.reader.feed_eof()

    def _received(self, event):
        if isinstance(event, h2.events.RemoteSettingsChanged) and not self._greeted.done():
            self._greeted.set_result(None)
        elif isinstance(event, h2.events.WindowUpdated):
            for writer in [self._writers[event.stream_id]] if event.stream_id else self._writers.values():
                writer.pump()
        elif isinstance(event, h2.events.ResponseReceived):
            self._writers[event.stream_id].status.set_result(dict(event.headers)[":status"])
        elif isinstance(event, h2.events.DataReceived):
            self._writers[event.stream_id].reader.feed_data(event.data)
            if event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
            self._writers[event.stream_id].reader.feed_eof()


class StreamWriter:
    """What a stream sends, as far as its windows allow; with the methods of asyncio's."""

    def __init__(self, session, number):
        self.number = number
        self.reader = asyncio.StreamReader()
        self.status = asyncio.get_running_loop().create_future()
        self._session = session
        self._waiting = bytearray()
        self._is_drained = asyncio.Event()

    def write(self, data):
        self._waiting += data
        self._is_drained.clear()
        self.pump()

    async def drain(self):
        await self._is_drained.wait()

    def pump(self):
        protocol = self._session.h2
        while self._waiting:
            room = min(protocol.local_flow_control_window(self.number), protocol.max_outbound_frame_size, len(self._waiting))
            if room <= 0:
                break
            protocol.send_data(self.number, bytes(self._waiting[:room]))
            del self._waiting[:room]
        if not self._waiting:
            self._is_drained.set()
        self._session.flush()

    def close(self):
        self._session.h2.end_stream(self.number)
        self._session.flush()
