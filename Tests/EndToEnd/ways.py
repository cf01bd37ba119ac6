"""The two ways in which a WebSocket comes to the edge, behind one interface: what a test says of limits holds for both."""

import pytest

from frames import FrameStream, upgrade_request
from streams import Multiplexed


class OwnConnections:
    """HTTP/1.1: a WebSocket has a TCP connection of its own."""

    name = "http/1.1"
    accepted = 101
    # What a refusal says that ends the connection.
    last_word = "close"

    def __init__(self):
        self._streams = []

    def ask(self, edge, target="/ws", fields=(), listener="secure", **where):
        """Asks for a WebSocket; the answer is the stream's `response()`."""
        stream = FrameStream(edge.connect(listener, **where))
        self._streams.append(stream)
        stream.send(upgrade_request(target, fields))
        return stream

    def anew(self):
        """Whoever comes next comes on another connection."""

    def close(self):
        """Ends all there is. Whoever comes next comes on another connection."""
        for stream in self._streams:
            stream.close()
        self._streams.clear()


class Streams:
    """HTTP/2: WebSockets are streams, and those of one listener and one source share a connection."""

    name = "h2"
    accepted = 200
    last_word = None

    def __init__(self):
        self._shared = {}
        self._connections = []

    def ask(self, edge, target="/ws", fields=(), listener="secure", **where):
        """Asks for a WebSocket; the answer is the stream's `response()`."""
        fields = [(name.lower(), value) for name, value in fields]
        scheme = "https" if listener == "secure" else "http"
        return FramesOfStream(lambda: self.connection(edge, listener, **where).websocket(target, fields, scheme=scheme))

    def connection(self, edge, listener="secure", **where):
        """The connection that they share, a new one where the last is over."""
        place = (edge, listener, *where.items())
        connection = self._shared.get(place)
        if connection is None or connection.is_over:
            connection = self._shared[place] = Multiplexed(edge.connect(listener, protocols=["h2"], **where))
            self._connections.append(connection)
        return connection

    def anew(self):
        """Whoever comes next comes on another connection."""
        self._shared.clear()

    def close(self):
        """Ends all there is. Whoever comes next comes on another connection."""
        self.anew()
        for connection in self._connections:
            connection.close()
        self._connections.clear()


class FramesOfStream(FrameStream):
    """A WebSocket that is a stream of HTTP/2, with the methods of one on a connection of its own."""

    def __init__(self, ask):
        super().__init__(ask())
        self._ask = ask

    def response(self):
        """The answer to the handshake, with its body if it says no. What a GOAWAY has left out is asked for again, elsewhere."""
        while self.sock.was_left_out():
            self.sock = self._ask()
        response = self.sock.head()
        if response.status >= 200 and response.status != Streams.accepted:
            response.body = self.sock.response_body()
        return response


# For tests that use the fixture `way`, themselves or by way of another.
both_ways = pytest.mark.parametrize("way", [OwnConnections, Streams], indirect=True, ids=lambda way: way.name)
