"""Ports that programs of a test listen on one after the other."""

import socket


class HeldPort:
    """A port of 127.0.0.1 that the kernel chose, and that nobody else gets, even while nobody listens there. Close it."""

    def __init__(self):
        # Whoever is to listen there shares it, as servers do (SO_REUSEADDR): this socket never listens.
        self._holder = socket.socket()
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._holder.bind(("127.0.0.1", 0))
        self.number = self._holder.getsockname()[1]
        self.address = f"127.0.0.1:{self.number}"

    def close(self):
        self._holder.close()
