"""§4.2, the opening handshake as clients begin it: over HTTP/1.1, and as streams of HTTP/2 (RFC 8441)."""

import dataclasses

from frames import KEY

# Outcomes


@dataclasses.dataclass(frozen=True)
class Opens:
    """The WebSocket opens. Of `offered` subprotocols the worker `chooses` one."""

    offered: str | None = None
    chooses: str | None = None


@dataclasses.dataclass(frozen=True)
class Refused:
    """The edge answers with this status, and no worker hears of it."""

    status: int
    word: str | None = None


@dataclasses.dataclass(frozen=True)
class IsPlain:
    """It is no opening handshake: the worker gets a request without anything of WebSockets."""


@dataclasses.dataclass(frozen=True)
class Opening:
    """A row: bytes of HTTP/1.1, or the fields of a stream."""

    section: str
    claim: str
    request: bytes | tuple
    outcome: Opens | Refused | IsPlain = Opens()
    chop: int | None = None

    @property
    def key(self):
        """The client's key, of a request of HTTP/1.1."""
        lines = self.request.decode("latin-1").split("\r\n")
        return next(line.partition(":")[2].strip() for line in lines if line.lower().startswith("sec-websocket-key:"))


# HTTP/1.1


def _head(*changes, first="GET /ws HTTP/1.1", without=(), case=str):
    """A good request, but without some fields and with others."""
    fields = {
        "Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13"}
    lines = [f"{case(name)}: {value}" for name, value in fields.items() if name not in without]
    return "\r\n".join([first, *lines, *changes, "", ""]).encode("latin-1")


def _instead(line, **more):
    """The same, with another line in its field's place."""
    return _head(line, without=[line.partition(":")[0]], **more)


_UPGRADES = ["h2c", "h2c, websocket", "websocket, h2c", "websocket, websocket", "foo/2", "websocket/13", "websockets", "web-socket"]
_VERSIONS = [
    "", "0", "1", "7", "8", "12", "14", "25", "255", "256", "-13", "013", "13.0", "0x0d", "13, 13", "8, 13", "13, 8", "thirteen"]
_KEYS = {
    "an empty key": "", "a key of 5 bytes": "c2hvcnQ=", "a key of 15 bytes": "AAAAAAAAAAAAAAAAAAAA",
    "a key of 17 bytes": "AAAAAAAAAAAAAAAAAAAAAAA=", "a key of 18 bytes": "AAAAAAAAAAAAAAAAAAAAAAAA",
    "a key without padding": "AAAAAAAAAAAAAAAAAAAAAA", "a key with half its padding": "AAAAAAAAAAAAAAAAAAAAAA=",
    "a key that is no base64": "!" * 24, "a key of another alphabet": "-_-_-_-_-_-_-_-_-_-_-w==",
    "a key with a space": "AAAAAAAAAAA AAAAAAAAAAA==", "a key with stray bits": "AAAAAAAAAAAAAAAAAAAAAB==",
    "a key in quotes": '"AAAAAAAAAAAAAAAAAAAAAA=="', "two keys in one field": f"{KEY}, {KEY}"}
_METHODS = {
    "POST": 405, "HEAD": 405, "PUT": 405, "DELETE": 405, "OPTIONS": 405, "PATCH": 405, "get": 405, "TRACE": 501, "CONNECT": 501}
_SUBPROTOCOLS = {
    "that are none": "", "with a space in one": "a b", "of which one comes twice": "a, a", "with a slash in one": "a/b",
    "in quotes": '"chat.v1"', "with parameters": "a;b=c", "in brackets": "[chat]", "with an @": "a@b"}

_TAKEN_BY_HTTP_1 = [
    Opening("4.2.1", "everything that is asked for, and nothing else", _head()),
    *(Opening("4.2.1", f"Upgrade: {value}", _instead(f"Upgrade: {value}")) for value in ["WebSocket", "WEBSOCKET", "webSocket "]),
    *(Opening("4.2.1", f"Connection: {value}", _instead(f"Connection: {value}"))
      for value in ["upgrade", "UPGRADE", "keep-alive, Upgrade", "Upgrade, keep-alive", "foo,,  upgrade ,bar"]),
    Opening("4.2.1", "two Connection fields", _head("Connection: keep-alive")),
    Opening("4.2.1", "names of fields in lower case", _head(case=str.lower)),
    Opening("4.2.1", "names of fields in upper case", _head(case=str.upper)),
    Opening("4.2.1", "no space behind colons", _head().replace(b": ", b":")),
    Opening("4.2.1", "more space around values", _head().replace(b": ", b": \t ").replace(b"\r\nUp", b" \t\r\nUp")),
    Opening("4.2.1", "Host as the last field", _instead("Host: localhost")),
    *(Opening("4.2.1", f"the key {key}", _instead(f"Sec-WebSocket-Key: {key}"))
      for key in ["AAAAAAAAAAAAAAAAAAAAAA==", "/////////////////////w==", "+/+/+/+/+/+/+/+/+/+/+w==", "dGhlIHNhbXBsZSBub25jZQ=="]),
    *(Opening("4.2.1", f"Origin: {origin}", _head(f"Origin: {origin}")) for origin in ["https://chat.example.test", "null"]),
    *(Opening("4.2.1", f"the target {target}", _head(first=f"GET {target} HTTP/1.1"))
      for target in ["/ws?a=1&b=%20", "/ws/", "/ws/caf%C3%A9", "http://localhost/ws", f"/ws?{'x' * 4000}"]),
    Opening("4.2.1", "Content-Length: 0", _head("Content-Length: 0")),
    Opening("4.2.1", "ninety other fields", _head(*[f"X-{number}: {number}" for number in range(90)])),
    Opening("4.2.1", "an empty line first (RFC 9112 §2.2)", b"\r\n" + _head()),
    Opening("4.2.1", "a head that comes in pieces of three bytes", _head(), chop=3),
    *(Opening("9.1", f"extensions are not taken: {value}", _head(f"Sec-WebSocket-Extensions: {value}"))
      for value in ["permessage-deflate", "permessage-deflate; client_max_window_bits, foo", 'foo; bar="x"', "; ,"]),
    Opening("4.2.1", "a field of WebSockets that nobody knows", _head("Sec-WebSocket-Foo: bar")),
]

_SUBPROTOCOLS_OVER_HTTP_1 = [
    Opening("4.2.2", "a subprotocol that the worker takes", _head("Sec-WebSocket-Protocol: chat.v1"), Opens("chat.v1", "chat.v1")),
    Opening("4.2.2", "a subprotocol that the worker leaves", _head("Sec-WebSocket-Protocol: chat.v1"), Opens("chat.v1")),
    *(Opening("4.2.2", f"{choice} of two subprotocols", _head("Sec-WebSocket-Protocol: chat.v1, chat.v2"),
              Opens("chat.v1, chat.v2", choice)) for choice in ["chat.v1", "chat.v2", None]),
    Opening("4.2.2", "subprotocols in two fields", _head("Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b"),
            Opens("a, b", "b")),
    Opening("4.2.2", "subprotocols that differ by case alone", _head("Sec-WebSocket-Protocol: Chat, chat"),
            Opens("Chat, chat", "chat")),
    Opening("4.2.2", "subprotocols of every character of a token", _head("Sec-WebSocket-Protocol: !#$%&'*+-.^_`|~09azAZ"),
            Opens("!#$%&'*+-.^_`|~09azAZ", "!#$%&'*+-.^_`|~09azAZ")),
    Opening("4.2.2", "empty elements between subprotocols", _head("Sec-WebSocket-Protocol: a,, b"), Opens("a, b", "b")),
]

_REFUSED_BY_HTTP_1 = [
    *(Opening("4.4", f"version {version or 'empty'}", _instead(f"Sec-WebSocket-Version: {version}"), Refused(426))
      for version in _VERSIONS),
    Opening("4.4", "no version", _head(without=["Sec-WebSocket-Version"]), Refused(426)),
    Opening("4.4", "two versions", _head("Sec-WebSocket-Version: 13"), Refused(426)),
    Opening("4.4", "two versions that differ", _head("Sec-WebSocket-Version: 8"), Refused(426)),
    *(Opening("4.2.1", name, _instead(f"Sec-WebSocket-Key: {key}"), Refused(400)) for name, key in _KEYS.items()),
    Opening("4.2.1", "no key", _head(without=["Sec-WebSocket-Key"]), Refused(400)),
    Opening("4.2.1", "two keys", _head(f"Sec-WebSocket-Key: {KEY}"), Refused(400)),
    *(Opening("4.2.1", f"the method {method}", _head(first=f"{method} /ws HTTP/1.1"), Refused(status))
      for method, status in _METHODS.items()),
    Opening("4.2.1", "HTTP/1.0", _head(first="GET /ws HTTP/1.0"), Refused(400)),
    Opening("4.2.1", "HTTP/1.2", _head(first="GET /ws HTTP/1.2"), Refused(505)),
    Opening("4.2.1", "HTTP/2.0 as text", _head(first="GET /ws HTTP/2.0"), Refused(505)),
    Opening("4.2.1", "no Host", _head(without=["Host"]), Refused(400)),
    Opening("4.2.1", "two Hosts", _head("Host: localhost"), Refused(400)),
    *(Opening("4.2.1", f"Connection: {value}", _instead(f"Connection: {value}"), Refused(400))
      for value in ["keep-alive", "Upgraded", "up grade", "close", ""]),
    Opening("4.2.1", "no Connection", _head(without=["Connection"]), Refused(400)),
    Opening("4.2.1", "a body", _head("Content-Length: 5") + b"hello", Refused(400)),
    Opening("4.2.1", "a chunked body", _head("Transfer-Encoding: chunked") + b"0\r\n\r\n", Refused(400)),
    *(Opening("4.2.1", f"subprotocols {name}", _head(f"Sec-WebSocket-Protocol: {value}"), Refused(400))
      for name, value in _SUBPROTOCOLS.items()),
    Opening("4.2.1", "a subprotocol twice, in two fields", _head("Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: a"),
            Refused(400)),
    Opening("3", "a fragment in the target", _head(first="GET /ws#x HTTP/1.1"), Refused(400)),
    Opening("4.2.2", "a resource that there is not", _head(first="GET /nowhere HTTP/1.1"), Refused(404)),
    Opening("4.2.2", "an origin that may not come", _head("Origin: https://evil.test", first="GET /ours HTTP/1.1"), Refused(403)),
    Opening("4.2.2", "no origin where one is asked for", _head(first="GET /ours HTTP/1.1"), Refused(403)),
    Opening("4.2.1", "bare line feeds", _head().replace(b"\r\n", b"\n"), Refused(400)),
    *(Opening("4.2.1", f"Upgrade: {value}", _instead(f"Upgrade: {value}"), IsPlain()) for value in _UPGRADES),
    Opening("4.2.1", "no Upgrade", _head(without=["Upgrade"]), IsPlain()),
]

OVER_HTTP_1 = [*_TAKEN_BY_HTTP_1, *_SUBPROTOCOLS_OVER_HTTP_1, *_REFUSED_BY_HTTP_1]

# HTTP/2


def _stream(*changes, without=(), **pseudo):
    """A good CONNECT, but without some fields and with others; `pseudo` replaces those that begin with a colon."""
    fields = {"method": "CONNECT", "protocol": "websocket", "scheme": "https", "authority": "localhost", "path": "/ws"} | pseudo
    kept = [(f":{name}", value) for name, value in fields.items() if f":{name}" not in without]
    version = [("sec-websocket-version", "13")]
    return (*kept, *(field for field in version if field[0] not in without), *changes)


def _version(value):
    return _stream(("sec-websocket-version", value), without=["sec-websocket-version"])


_TAKEN_BY_HTTP_2 = [
    Opening("8441 §5", "everything that is asked for, and nothing else", _stream()),
    Opening("8441 §5", "a key, of which a stream has no need", _stream(("sec-websocket-key", KEY))),
    Opening("8441 §5", "a key that is none", _stream(("sec-websocket-key", "!"))),
    *(Opening("8441 §5", f"origin: {origin}", _stream(("origin", origin))) for origin in ["https://chat.example.test", "null"]),
    *(Opening("8441 §5", f"the path {path}", _stream(path=path))
      for path in ["/ws?a=1&b=%20", "/ws/", "/ws/caf%C3%A9", f"/ws?{'x' * 4000}"]),
    Opening("8441 §5", "a port in the authority", _stream(authority="localhost:8443")),
    Opening("8441 §5", "host beside authority", _stream(("host", "localhost"))),
    Opening("8441 §5", "content-length: 0", _stream(("content-length", "0"))),
    Opening("8441 §5", "ninety other fields", _stream(*[(f"x-{number}", str(number)) for number in range(90)])),
    Opening("8441 §5", "cookies one by one", _stream(("cookie", "a=1"), ("cookie", "b=2"))),
    *(Opening("9.1", f"extensions are not taken: {value}", _stream(("sec-websocket-extensions", value)))
      for value in ["permessage-deflate", "permessage-deflate; client_max_window_bits, foo", ";"]),
    Opening("8441 §5", "a subprotocol that the worker takes", _stream(("sec-websocket-protocol", "chat.v1")),
            Opens("chat.v1", "chat.v1")),
    Opening("8441 §5", "a subprotocol that the worker leaves", _stream(("sec-websocket-protocol", "chat.v1")), Opens("chat.v1")),
    *(Opening("8441 §5", f"{choice} of two subprotocols", _stream(("sec-websocket-protocol", "chat.v1, chat.v2")),
              Opens("chat.v1, chat.v2", choice)) for choice in ["chat.v1", "chat.v2", None]),
    Opening("8441 §5", "subprotocols in two fields", _stream(("sec-websocket-protocol", "a"), ("sec-websocket-protocol", "b")),
            Opens("a, b", "b")),
]

_REFUSED_BY_HTTP_2 = [
    *(Opening("4.4", f"version {version or 'empty'}", _version(version), Refused(426)) for version in _VERSIONS),
    Opening("4.4", "no version", _stream(without=["sec-websocket-version"]), Refused(426)),
    Opening("4.4", "two versions", _stream(("sec-websocket-version", "13")), Refused(426)),
    *(Opening("8441 §4", f"the protocol {name}", _stream(protocol=name), Refused(501, "protocol_not_implemented"))
      for name in ["connect-udp", "connect-ip", "websockets", "websocket/13", "h2c"]),
    *(Opening("8441 §4", f"a protocol with the method {method}", _stream(method=method), Refused(400))
      for method in ["GET", "POST", "OPTIONS", "connect"]),
    Opening("8441 §4", "no protocol, scheme and path: a tunnel of RFC 9113 §8.5",
            _stream(without=[":protocol", ":scheme", ":path"]), Refused(501)),
    *(Opening("8441 §4", f"no {name}", _stream(without=[name]), Refused(400))
      for name in [":scheme", ":path", ":authority", ":method"]),
    Opening("8441 §4", "an empty path", _stream(path=""), Refused(400)),
    Opening("8441 §4", "a protocol twice", ((":protocol", "websocket"), *_stream()), Refused(400)),
    Opening("8441 §4", "a protocol behind the fields", (*_stream(without=[":protocol"]), (":protocol", "websocket")), Refused(400)),
    *(Opening("8441 §5", f"{name}, which belongs to HTTP/1.1", _stream((name, value)), Refused(400))
      for name, value in [
          ("connection", "upgrade"), ("upgrade", "websocket"), ("transfer-encoding", "chunked"), ("keep-alive", "1")]),
    Opening("8441 §5", "content-length: 5", _stream(("content-length", "5")), Refused(400)),
    *(Opening("4.2.1", f"subprotocols {name}", _stream(("sec-websocket-protocol", value)), Refused(400))
      for name, value in _SUBPROTOCOLS.items()),
    Opening("3", "a fragment in the path", _stream(path="/ws#x"), Refused(400)),
    Opening("4.2.2", "a resource that there is not", _stream(path="/nowhere"), Refused(404)),
    Opening("4.2.2", "an origin that may not come", _stream(("origin", "https://evil.test"), path="/ours"), Refused(403)),
    Opening("4.2.2", "no origin where one is asked for", _stream(path="/ours"), Refused(403)),
]

OVER_HTTP_2 = [*_TAKEN_BY_HTTP_2, *_REFUSED_BY_HTTP_2]
