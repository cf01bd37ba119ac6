"""A reader of the admin plane's server-sent events, over its Unix socket."""

import json
import queue
import socket
import threading

from waiting import patient


class EventStream:
    """Follows the events from the moment that it exists. `events` grows; `next()` waits."""

    def __init__(self, edge, query=""):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(patient(30))
        self._socket.connect(str(edge.directory / "admin.sock"))
        self._socket.sendall(f"GET /api/v1/events{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self._file = self._socket.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        self.fields = {}
        while line := self._file.readline().strip():
            name, _, value = line.decode().partition(": ")
            self.fields[name.lower()] = value
        self.text = ""
        self.events = []
        self.has_ended = False
        self._arrivals = queue.SimpleQueue()
        if self.status == 200:
            first = self._read_chunk()
            assert first.startswith(": heartbeat\n\n"), first
            threading.Thread(target=self._follow, args=(first,), daemon=True).start()

    def _read_chunk(self):
        """Empty where the stream has ended, properly or not."""
        try:
            length = int(self._file.readline() or b"0", 16)
            chunk = self._file.read(length + 2)[:-2]
        except (OSError, ValueError):
            return ""
        return chunk.decode()

    def _follow(self, chunk):
        rest = ""
        while chunk:
            self.text += chunk
            *whole, rest = (rest + chunk).split("\n\n")
            for text in whole:
                fields = dict(line.split(": ", 1) for line in text.split("\n") if not line.startswith(":"))
                if fields:
                    event = json.loads(fields["data"]) | {"event": fields["event"], "serial": int(fields.get("id", 0))}
                    self.events.append(event)
                    self._arrivals.put(event)
            chunk = self._read_chunk()
        self.has_ended = True
        self._arrivals.put(None)

    def next(self, kind=None):
        """The next event, or the next of a kind."""
        while True:
            event = self._arrivals.get(timeout=patient(10))
            assert event is not None, "the stream has ended"
            if kind in (None, event["event"]):
                return event

    def of(self, kind):
        return [event for event in self.events if event["event"] == kind]

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
