"""HTTP/1.1 by hand: bytes go out exactly as written, and what comes back is read by a small strict parser."""

import dataclasses
import json
import socket
import struct


@dataclasses.dataclass
class Response:
    status: int
    reason: str
    fields: list
    body: bytes = b""

    def all(self, name):
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def __getitem__(self, name):
        values = self.all(name)
        return values[0] if values else None

    @property
    def word(self):
        """The machine word of an answer that the edge gave itself."""
        assert self["Content-Type"] == "application/problem+json", self
        problem = json.loads(self.body)
        assert problem["status"] == self.status, self
        return problem["code"]


class ByteStream:
    """A socket that is read by the piece."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = bytearray()

    def send(self, data):
        self.sock.sendall(data)

    def reset(self):
        """Ends the TCP connection with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def wait_for(self, count):
        """Waits until this many bytes are there, and leaves them there."""
        while len(self.buffer) < count:
            self.more()

    def exactly(self, count):
        self.wait_for(count)
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def until(self, mark):
        while mark not in self.buffer:
            self.more()
        return self.exactly(self.buffer.index(mark) + len(mark))

    def rest(self):
        """Everything up to the peer's end; a reset counts as an end."""
        try:
            while True:
                self.more()
        except (EOFError, ConnectionError):
            data = bytes(self.buffer)
            self.buffer.clear()
            return data

    def is_ended(self):
        """Waits for the peer's end; false when it says something more instead."""
        try:
            self.more()
        except (EOFError, ConnectionError):
            return True
        return False

    def close(self):
        self.sock.close()

    def more(self):
        """Waits for bytes, and adds them to the buffer."""
        data = self.sock.recv(65536)
        if not data:
            raise EOFError(f"ended after {bytes(self.buffer[:200])!r}")
        self.buffer += data

    # HTTP

    def head(self):
        """Start line and fields of a message."""
        lines = self.until(b"\r\n\r\n")[:-4].decode("latin-1").split("\r\n")
        fields = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            assert colon and name.strip() == name, f"a bad field line: {line!r}"
            fields.append((name, value.strip(" \t")))
        return lines[0], fields

    def response(self, to="GET"):
        """A response with its body; `to` is the request's method."""
        line, fields = self.head()
        version, status, reason = line.split(" ", 2)
        assert version == "HTTP/1.1", line
        response = Response(int(status), reason, fields)
        if to == "HEAD" or response.status < 200 or response.status in (204, 304):
            return response
        if response.all("Transfer-Encoding"):
            response.body = self.chunks()
        elif response.all("Content-Length"):
            response.body = self.exactly(int(response["Content-Length"]))
        else:
            response.body = self.rest()
        return response

    def chunks(self):
        """A chunked body."""
        body = bytearray()
        while True:
            size = int(self.until(b"\r\n")[:-2], 16)
            body += self.exactly(size)
            assert self.exactly(2) == b"\r\n"
            if size == 0:
                return bytes(body)


def request(target="/", method="GET", fields=(), body=b"", host="localhost"):
    """A well-formed request's bytes."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in fields)]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
