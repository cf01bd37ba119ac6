"""HTTP/2 with the Python library `h2`: one connection, and streams of it that are used like sockets."""

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from frames import FrameStream
from rawhttp import Response


class Multiplexed:
    """A client's connection of HTTP/2. Close it, or use it as a context manager."""

    def __init__(self, sock, settings=None):
        self.sock = sock
        # What goes out is not checked here: the edge is what is tested.
        configuration = h2.config.H2Configuration(
            client_side=True, header_encoding="latin-1", validate_outbound_headers=False, normalize_outbound_headers=False)
        self.h2 = h2.connection.H2Connection(configuration)
        if settings:
            self.h2.update_settings(settings)
        self.h2.initiate_connection()
        self.streams = {}
        self.goaways = []
        self.is_ended = False
        self.settings = None
        self._buffer = bytearray()
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.sock.sendall(data)

    def send_raw(self, data):
        """Sends bytes that the library knows nothing of."""
        self.flush()
        self.sock.sendall(data)

    def more(self):
        """Waits for bytes, and does what they say."""
        try:
            data = self.sock.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.is_ended = True
            raise EOFError(f"the connection ended: {self.goaways}")
        self._buffer += data
        while len(self._buffer) >= 9 and len(self._buffer) >= 9 + int.from_bytes(self._buffer[:3], "big"):
            end = 9 + int.from_bytes(self._buffer[:3], "big")
            for event in self.h2.receive_data(bytes(self._buffer[:end])):
                self._received(event)
            del self._buffer[:end]
        self.flush()

    def _received(self, event):
        stream = self.streams.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.RemoteSettingsChanged):
            self.settings = self.settings or {key: value.new_value for key, value in event.changed_settings.items()}
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaways.append((event.error_code, event.last_stream_id))
            # The library takes any GOAWAY for the end; streams that are open may go on (RFC 9113 §6.8).
            self.h2.state_machine.state = h2.connection.ConnectionState.CLIENT_OPEN
        elif stream is not None:
            stream.received(event)

    @property
    def is_over(self):
        """Whether it takes no further stream."""
        return self.is_ended or any(last < 2**31 - 1 for _, last in self.goaways) or len(self.streams) >= 100

    def wait_for_settings(self):
        while self.settings is None:
            self.more()
        return self.settings

    def wait_for_end(self):
        """Reads until the edge ends the connection; gives the code of its last GOAWAY."""
        try:
            while True:
                self.more()
        except (EOFError, h2.exceptions.ProtocolError):
            return self.goaways[-1][0] if self.goaways else None

    def open(self, fields, end=False):
        """A stream that begins with exactly these fields."""
        stream = Stream(self, self.h2.get_next_available_stream_id())
        self.streams[stream.number] = stream
        self.h2.send_headers(stream.number, fields, end_stream=end)
        self.flush()
        return stream

    def request(self, target="/", method="GET", fields=(), body=None, scheme="https", host="localhost"):
        """A request that is in order, as far as it goes without `fields`."""
        stream = self.open(
            [(":method", method), (":scheme", scheme), (":authority", host), (":path", target), *fields], end=body is None)
        if body is not None:
            stream.sendall(body)
            stream.end()
        return stream

    def websocket(self, target="/ws", fields=(), version="13", host="localhost", protocol="websocket", scheme="https"):
        """A stream that asks for a WebSocket (RFC 8441 §5)."""
        return self.open([
            (":method", "CONNECT"), (":protocol", protocol), (":scheme", scheme), (":authority", host), (":path", target),
            *([("sec-websocket-version", version)] if version else []), *fields])

    def open_websocket(self, *arguments, **more):
        """The same, accepted: its stream of frames, and the answer's head."""
        stream = self.websocket(*arguments, **more)
        response = stream.head()
        assert response.status == 200, (response, stream.response_body())
        return FrameStream(stream), response


class Stream:
    """One stream, with the methods of a socket that `ByteStream` uses."""

    def __init__(self, connection, number):
        self.connection = connection
        self.number = number
        self.heads = []
        self.data = bytearray()
        self.is_ended = False
        self.reset_code = None
        self.holds_window = False

    def received(self, event):
        if isinstance(event, (h2.events.ResponseReceived, h2.events.InformationalResponseReceived)):
            fields = dict(event.headers)
            self.heads.append(Response(int(fields.pop(":status")), "", list(fields.items())))
        elif isinstance(event, h2.events.DataReceived):
            self.data += event.data
            if not self.holds_window and event.flow_controlled_length:
                self.connection.h2.acknowledge_received_data(event.flow_controlled_length, self.number)
            elif event.flow_controlled_length:
                self.connection.h2.increment_flow_control_window(event.flow_controlled_length)
        elif isinstance(event, h2.events.StreamEnded):
            self.is_ended = True
        elif isinstance(event, h2.events.StreamReset):
            self.reset_code = event.error_code
            self.is_ended = True

    # As a socket

    def settimeout(self, seconds):
        """For the whole connection."""
        self.connection.sock.settimeout(seconds)

    def sendall(self, data):
        view = memoryview(data)
        while view:
            protocol = self.connection.h2
            room = min(protocol.local_flow_control_window(self.number), protocol.max_outbound_frame_size, len(view))
            if room == 0:
                self.connection.more()
                continue
            self.connection.h2.send_data(self.number, bytes(view[:room]))
            self.connection.flush()
            view = view[room:]

    def recv(self, count):
        while not self.data and not self.is_ended:
            self.connection.more()
        taken = bytes(self.data[:count])
        del self.data[:count]
        return taken

    def end(self):
        self.connection.h2.end_stream(self.number)
        self.connection.flush()

    def reset(self, code=h2.errors.ErrorCodes.CANCEL):
        self.connection.h2.reset_stream(self.number, code)
        self.connection.flush()

    def close(self):
        if self.connection.is_ended or self.is_ended:
            return
        try:
            self.reset()
        except (OSError, h2.exceptions.ProtocolError):
            pass

    # As an answer

    def head(self):
        """The next head."""
        while not self.heads:
            assert not self.is_ended, f"reset with {self.reset_code}"
            self.connection.more()
        return self.heads.pop(0)

    def was_left_out(self):
        """Waits for a head; whether none comes because the connection ended before the stream's turn (RFC 9113 §6.8)."""
        try:
            while not self.heads and not self.is_ended:
                self.connection.more()
        except EOFError:
            pass
        return not self.heads and any(last < self.number for _, last in self.connection.goaways)

    def response_body(self):
        while not self.is_ended:
            self.connection.more()
        return bytes(self.data)

    def response(self):
        """The answer with its body."""
        response = self.head()
        response.body = self.response_body()
        return response
