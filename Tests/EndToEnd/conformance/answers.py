"""§4.1 and §4.2.2, the opening handshake as workers answer it: the edge is their client."""

import base64
import dataclasses
import hashlib
import typing

from frames import KEY, accept_value

# What the client offers in every case.
OFFERED = "chat.v1, chat.v2"
_FIRST = "HTTP/1.1 101 Switching Protocols"


@dataclasses.dataclass(frozen=True)
class Answer:
    """A row: the bytes that answer a key of the edge's, and the client's status over either version; 101 opens the WebSocket."""

    section: str
    claim: str
    data: typing.Callable
    status: int = 502
    over_http_2: int | None = None
    subprotocol: str | None = None
    chop: int | None = None


def _switching(*changes, first=_FIRST, without=(), case=str, accept=accept_value):
    """A good 101, but without some fields and with others."""

    def data(key):
        fields = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept(key)}
        lines = [f"{case(name)}: {value}" for name, value in fields.items() if name not in without]
        return "\r\n".join([first, *lines, *changes, "", ""]).encode("latin-1")

    return data


def _instead(line):
    return _switching(line, without=[line.partition(":")[0]])


def _then(data, change):
    return lambda key: change(data(key))


def _plain(status, reason="X", body=b"no"):
    return lambda _: b"HTTP/1.1 %d %s\r\nContent-Length: %d\r\n\r\n" % (status, reason.encode(), len(body)) + body


_GOOD = {
    "everything that is asked for, and nothing else": _switching(),
    "names of fields in lower case": _switching(case=str.lower),
    "names of fields in upper case": _switching(case=str.upper),
    "Upgrade: WebSocket": _instead("Upgrade: WebSocket"),
    "Connection: upgrade": _instead("Connection: upgrade"),
    "Connection: keep-alive, Upgrade": _instead("Connection: keep-alive, Upgrade"),
    "no space behind colons": _then(_switching(), lambda data: data.replace(b": ", b":")),
    "more space around values": _then(_switching(), lambda data: data.replace(b": ", b": \t ").replace(b"\r\nC", b" \t\r\nC")),
    "another reason phrase": _switching(first="HTTP/1.1 101 Web Socket Protocol Handshake"),
    "an empty reason phrase": _switching(first="HTTP/1.1 101 "),
    "other fields": _switching("Server: x", "Date: Thu, 26 Nov 2026 10:00:00 GMT", "Set-Cookie: a=b", "Set-Cookie: c=d"),
    "an interim answer before it": lambda key: b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + _switching()(key),
}

_BAD = {
    "no Sec-WebSocket-Accept": _switching(without=["Sec-WebSocket-Accept"]),
    "an empty Sec-WebSocket-Accept": _switching(accept=lambda key: ""),
    "a Sec-WebSocket-Accept of nothing": _switching(accept=lambda key: "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    "the Sec-WebSocket-Accept of the client's key": _switching(accept=lambda key: accept_value(KEY)),
    "the key as Sec-WebSocket-Accept": _switching(accept=lambda key: key),
    "a Sec-WebSocket-Accept without the GUID": _switching(
        accept=lambda key: base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()),
    "a Sec-WebSocket-Accept in lower case": _switching(accept=lambda key: accept_value(key).lower() + "x"),
    "a Sec-WebSocket-Accept without padding": _switching(accept=lambda key: accept_value(key)[:-1]),
    "a Sec-WebSocket-Accept in quotes": _switching(accept=lambda key: f'"{accept_value(key)}"'),
    "a Sec-WebSocket-Accept twice in one field": _switching(accept=lambda key: f"{accept_value(key)}, {accept_value(key)}"),
    "a Sec-WebSocket-Accept twice": lambda key: _switching(f"Sec-WebSocket-Accept: {accept_value(key)}")(key),
    "no Upgrade": _switching(without=["Upgrade"]),
    "Upgrade: h2c": _instead("Upgrade: h2c"),
    "Upgrade: websocket, h2c": _instead("Upgrade: websocket, h2c"),
    "Upgrade: websocket twice": _switching("Upgrade: websocket"),
    "Upgrade: websockets": _instead("Upgrade: websockets"),
    "no Connection": _switching(without=["Connection"]),
    "Connection: keep-alive": _instead("Connection: keep-alive"),
    "Connection: Upgraded": _instead("Connection: Upgraded"),
    "an extension that nobody offered": _switching("Sec-WebSocket-Extensions: permessage-deflate"),
    "an empty list of extensions": _switching("Sec-WebSocket-Extensions: "),
    "a subprotocol that nobody offered": _switching("Sec-WebSocket-Protocol: chat.v9"),
    "a subprotocol in another case": _switching("Sec-WebSocket-Protocol: Chat.v1"),
    "an empty subprotocol": _switching("Sec-WebSocket-Protocol: "),
    "two subprotocols": _switching("Sec-WebSocket-Protocol: chat.v1", "Sec-WebSocket-Protocol: chat.v2"),
    "two subprotocols in a list": _switching("Sec-WebSocket-Protocol: chat.v1, chat.v2"),
    "HTTP/1.0": _switching(first="HTTP/1.0 101 Switching Protocols"),
    "HTTP/2.0": _switching(first="HTTP/2.0 101 Switching Protocols"),
    "a status of two digits": _switching(first="HTTP/1.1 99 Odd"),
    "a status of four digits": _switching(first="HTTP/1.1 1010 Odd"),
    "bare line feeds": _then(_switching(), lambda data: data.replace(b"\r\n", b"\n")),
    "a folded field": _switching("X: a", " b"),
    "a field without a colon": _switching("X"),
    "a space before a colon": _switching("X : y"),
    "NUL in a field": _switching("X: \0"),
    "a head that does not end": lambda key: _switching()(key)[:-4] + b"\r\nX: " + b"a" * 70_000,
    "garbage": lambda _: b"\0\xff garbage\r\n\r\n",
    "something that is not HTTP": lambda _: b"SSH-2.0-OpenSSH_9.2\r\n",
}

CASES = [
    *(Answer("4.2.2", claim, data, 101) for claim, data in _GOOD.items()),
    Answer("4.2.2", "a head that comes byte by byte", _switching(), 101, chop=1),
    *(Answer("4.2.2", f"the subprotocol {name}", _switching(f"Sec-WebSocket-Protocol: {name}"), 101, subprotocol=name)
      for name in ["chat.v1", "chat.v2"]),
    *(Answer("4.1", claim, data) for claim, data in _BAD.items()),
    *(Answer("4.1", f"status {status}", _plain(status), status) for status in [400, 401, 403, 404, 426, 429, 500, 503]),
    Answer("4.1", "a redirection", lambda _: b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", 302),
    # A stream that is told 200 is open (RFC 8441 §5).
    Answer("4.1", "status 200", _plain(200), 200, over_http_2=502),
    Answer("4.1", "status 200 in chunks",
           lambda _: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", 200, over_http_2=502),
    Answer("4.1", "status 200 and all fields of a 101", _switching("Content-Length: 0", first="HTTP/1.1 200 OK"), 200,
           over_http_2=502),
    Answer("4.1", "status 204", lambda _: b"HTTP/1.1 204 No Content\r\n\r\n", 204, over_http_2=502),
]
