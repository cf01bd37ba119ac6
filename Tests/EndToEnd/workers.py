"""Workers behind the edge: programs built on libraries nobody here wrote, and sockets that tests play by hand."""

import contextlib
import json
import os
import pathlib
import queue
import socket
import stat
import sys
import threading

from frames import CLOSE, FrameStream, accept_value
from processes import Child
from waiting import eventually, patient

FOREIGN = pathlib.Path(__file__).resolve().parent / "foreign"
NODE = os.environ.get("E2E_NODE", "/usr/bin/node")


class ForeignWorker:
    """A worker program of `foreign/`. All of them speak the same little language; see foreign/README.md."""

    kinds = ["websockets", "aiohttp", "uvicorn", "hypercorn", "daphne", "node"]

    # What they lose of a WebSocket, with or without an edge in front.
    send_nothing_empty = ["daphne"]
    tell_no_reasons = ["daphne"]
    hear_no_reasons = ["daphne", "hypercorn"]
    hear_no_codes = ["hypercorn"]

    def __init__(self, kind, directory, name=None, is_bare=False, pings=False):
        """`is_bare`: without the settings that the README names; `pings`: the server itself pings its clients each second."""
        self.kind = kind
        self.path = directory / f"{name or kind}.sock"
        self._name = name or kind
        self._directory = directory
        self._umask = 0o022 if is_bare else 0o007
        self._command = self._command_line(is_bare, pings)
        self._journal = directory / f"{self._name}.journal"
        self._journal.touch()
        self.start()

    def start(self):
        """Starts the program; again, once it has ended."""
        environment = {"WORKER_JOURNAL": str(self._journal), "NODE_PATH": "/usr/share/nodejs", "PYTHONPATH": str(FOREIGN)}
        self.path.unlink(missing_ok=True)
        self.child = Child(self._command, self._directory, self._name, environment, umask=self._umask)

    def _command_line(self, is_bare, pings):
        python = [sys.executable, "-m", self.kind]
        match self.kind:
            case "uvicorn":
                command = [*python, "starlette_app:app", "--uds", self.path, "--log-level", "warning"]
                settings = ["--forwarded-allow-ips", "*"]
                return command + ([] if is_bare else settings) + (["--ws-ping-interval", "1"] if pings else [])
            case "hypercorn":
                application = "starlette_app:app" if is_bare else "hypercorn_app:app"
                command = [*python, application, "--bind", f"unix:{self.path}", "--log-level", "warning"]
                return command + (["--websocket-ping-interval", "1"] if pings else [])
            case "daphne":
                command = [*python, "channels_app:application", "-u", self.path, "-v", "0"]
                return command + ([] if is_bare else ["--proxy-headers"]) + (["--ping-interval", "1"] if pings else [])
            case "node":
                return [NODE, FOREIGN / "node_worker.js", self.path]
            case _:
                return [sys.executable, FOREIGN / f"{self.kind}_worker.py", self.path]

    def wait_until_ready(self):
        eventually(self._is_listening, 20, f"{self.kind} listening ({self.child.errors})")

    def _is_listening(self):
        assert self.child.exit_code is None, f"{self.kind} ended: {self.child.errors}"
        try:
            self.connect().close()
            return True
        except OSError:
            return False

    def connect(self):
        """A connection to it, without an edge."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(patient(10))
        try:
            sock.connect(str(self.path))
        except OSError:
            sock.close()
            raise
        return sock

    def mode(self):
        """Who may connect to it."""
        return stat.S_IMODE(self.path.stat().st_mode)

    def closes(self, path):
        """How WebSockets of a path ended, as the worker saw it: a list of (code, reason)."""
        lines = [json.loads(line) for line in self._journal.read_text().splitlines()]
        return [(line["code"], line["reason"]) for line in lines if line["path"] == path]

    def close(self):
        self.child.kill()


class RawWorker:
    """A Unix socket whose connections the test plays by hand: `next()` gives the edge's next connection."""

    def __init__(self, path, backlog=4096):
        self.path = pathlib.Path(path)
        self.accepted = 0
        self._arrivals = queue.SimpleQueue()
        self._streams = []
        self.listen(backlog)

    def listen(self, backlog=4096):
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.path))
        self._listener.listen(backlog)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.settimeout(patient(10))
            stream = FrameStream(sock, mask=None)
            self.accepted += 1
            self._streams.append(stream)
            self._arrivals.put(stream)

    def next(self, within=patient(10)):
        """The edge's next connection; `within` None waits for ever."""
        return self._arrivals.get(timeout=within)

    @property
    def has_arrivals(self):
        """Whether `next()` would not have to wait."""
        return not self._arrivals.empty()

    def stop_listening(self):
        """No new connections, as after a crash: the socket's file stays; connections that stand go on."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def close(self):
        self.stop_listening()
        self.path.unlink(missing_ok=True)
        for stream in self._streams:
            stream.close()


class RespondingWorker(RawWorker):
    """Answers every plain request with 200, the request line as body; remembers every byte that it got."""

    def __init__(self, path):
        self.requests = []
        self.bytes_received = 0
        super().__init__(path)
        threading.Thread(target=self._serve_all, daemon=True).start()

    def _serve_all(self):
        while True:
            threading.Thread(target=self._serve, args=(self.next(within=None),), daemon=True).start()

    def _serve(self, stream):
        try:
            while True:
                stream.sock.settimeout(None)
                line, fields = stream.head()
                self.bytes_received += len(line)
                self.requests.append((line, fields))
                names = {name.lower(): value for name, value in fields}
                if "content-length" in names:
                    stream.exactly(int(names["content-length"]))
                elif "transfer-encoding" in names:
                    stream.chunks()
                body = line.encode("latin-1")
                head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
                stream.send(head if line.startswith("HEAD") else head + body)
        except (OSError, EOFError):
            self.bytes_received += len(stream.buffer)
            stream.close()


class EchoWorker(RawWorker):
    """Takes every WebSocket, and sends back every message."""

    def __init__(self, path):
        super().__init__(path)
        threading.Thread(target=self._serve_all, daemon=True).start()

    def _serve_all(self):
        while True:
            threading.Thread(target=self._serve, args=(self.next(within=None),), daemon=True).start()

    def _serve(self, stream):
        stream.sock.settimeout(None)
        with contextlib.suppress(OSError, EOFError):
            accept_upgrade(stream)
            while (received := stream.frame()).opcode != CLOSE:
                stream.send_frame(received.opcode, received.payload)
            stream.send_frame(CLOSE, received.payload)
        stream.close()


def accept_upgrade(stream, fields=()):
    """Answers an opening handshake as a good worker does; gives the request's fields."""
    line, received = stream.head()
    key = next(value for name, value in received if name.lower() == "sec-websocket-key")
    lines = [
        "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_value(key)}", *(f"{name}: {value}" for name, value in fields)]
    stream.send("\r\n".join([*lines, "", ""]).encode("latin-1"))
    return received
