"""A WebSocket of which a test holds both ends: the client's, and the worker's behind the edge."""

from frames import FrameStream
from workers import accept_upgrade


def open_stream(connection, worker, target="/ws"):
    """Opens one as a stream of a client's connection of HTTP/2; gives both ends."""
    stream = connection.websocket(target)
    upstream = worker.next()
    accept_upgrade(upstream)
    response = stream.head()
    assert response.status == 200, response
    return FrameStream(stream), upstream


class Relayed:
    """An edge between the test's own client and the test's own worker: `open()` gives both ends of one WebSocket."""

    def __init__(self, edge, worker, way):
        self.edge = edge
        self.worker = worker
        self._way = way

    def open(self, listener="secure", fields=(), worker_fields=(), target="/ws", **where):
        client = self._way.ask(self.edge, target, fields, listener, **where)
        upstream = self.worker.next()
        accept_upgrade(upstream, worker_fields)
        response = client.response()
        assert response.status == self._way.accepted, response
        return client, upstream
