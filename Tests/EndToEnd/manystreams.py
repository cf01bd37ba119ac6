"""HTTP/2 with the library `h2` for many WebSockets at once (RFC 8441): streams of few connections, each with its member.

A member has a `target` and `fields`, and is told as an `asyncio.Protocol` is: `answered`, `data_received`, `connection_lost`.
`transport` is its stream."""

import asyncio
import contextlib

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions


class Session(asyncio.Protocol):
    """A connection of HTTP/2. It ends with the last of its members."""

    def __init__(self):
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="latin-1"))
        self._streams = {}

    @property
    def is_there(self):
        """Whether another member may come."""
        return not self._transport.is_closing()

    def connection_made(self, transport):
        self._transport = transport
        self.is_ready = asyncio.get_running_loop().create_future()
        self.h2.initiate_connection()
        self.flush()

    def open(self, member):
        """Asks for a WebSocket for a member, with its target and fields."""
        number = self.h2.get_next_available_stream_id()
        self._streams[number] = _Stream(self, number, member)
        self.h2.send_headers(number, [
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":authority", "localhost"),
            (":path", member.target), ("sec-websocket-version", "13"),
            *((name.lower(), value) for name, value in member.fields)])
        member.transport = self._streams[number]
        self.flush()

    def flush(self):
        self._transport.write(self.h2.data_to_send())

    def data_received(self, data):
        for event in self.h2.receive_data(data):
            self._received(event)
        self.flush()

    def _received(self, event):
        if isinstance(event, h2.events.RemoteSettingsChanged) and not self.is_ready.done():
            self.is_ready.set_result(None)
        elif isinstance(event, h2.events.WindowUpdated):
            for stream in [self._streams[event.stream_id]] if event.stream_id in self._streams else list(self._streams.values()):
                stream.pump()
        elif stream := self._streams.get(getattr(event, "stream_id", None)):
            stream.received(event)

    def connection_lost(self, error):
        if not self.is_ready.done():
            self.is_ready.set_exception(ConnectionResetError(str(error)))
        for number in list(self._streams):
            self.left(number)

    def close(self):
        self._transport.close()

    def left(self, number):
        """A stream is over."""
        stream = self._streams.pop(number, None)
        if stream:
            stream.member.connection_lost(None)
        if not self._streams:
            self._transport.close()


class _Stream:
    """One stream, as the transport of its member."""

    def __init__(self, session, number, member):
        self.member = member
        self._session = session
        self._number = number
        self._waiting = bytearray()
        self._is_drained = asyncio.Event()
        self._is_drained.set()

    def received(self, event):
        session = self._session
        if isinstance(event, h2.events.ResponseReceived):
            self.member.answered(int(dict(event.headers)[":status"]), accepted=200)
        elif isinstance(event, h2.events.DataReceived):
            if event.flow_controlled_length:
                session.h2.acknowledge_received_data(event.flow_controlled_length, self._number)
            self.member.data_received(event.data)
        elif isinstance(event, h2.events.StreamEnded):
            with contextlib.suppress(h2.exceptions.StreamClosedError):  # a reset may have come right behind
                session.h2.end_stream(self._number)
            session.left(self._number)
        elif isinstance(event, h2.events.StreamReset):
            session.left(self._number)

    # As a transport

    def write(self, data):
        self._waiting += data
        self._is_drained.clear()
        self.pump()

    async def drain(self):
        """Waits until the windows have let everything go."""
        await self._is_drained.wait()

    def pump(self):
        """Sends what the windows allow."""
        protocol = self._session.h2
        with contextlib.suppress(h2.exceptions.StreamClosedError):  # its end is on its way to the member
            while self._waiting:
                room = min(protocol.local_flow_control_window(self._number), protocol.max_outbound_frame_size, len(self._waiting))
                if room <= 0:
                    break
                protocol.send_data(self._number, bytes(self._waiting[:room]))
                del self._waiting[:room]
        if not self._waiting:
            self._is_drained.set()
        self._session.flush()

    def close(self):
        """Says nothing more."""
        with contextlib.suppress(h2.exceptions.StreamClosedError):  # the other side has ended it, and was answered
            self._session.h2.end_stream(self._number)
        self._session.flush()

    def abort(self):
        self._session.h2.reset_stream(self._number, h2.errors.ErrorCodes.CANCEL)
        self._session.flush()
        self._session.left(self._number)
