"""What Chromium says of its network itself, in the file of `--log-net-log`."""

import dataclasses
import json


@dataclasses.dataclass
class StreamHead:
    """The head of a request that went out as a stream of HTTP/2."""

    session: int
    fields: dict

    @property
    def is_websocket(self):
        return (self.fields[":method"], self.fields.get(":protocol")) == ("CONNECT", "websocket")


class NetworkLog:
    """The log of a browser that has ended."""

    def __init__(self, path):
        log = json.loads(path.read_text())
        self._types = log["constants"]["logEventTypes"]
        self._events = log["events"]

    def _of(self, kind):
        return [event for event in self._events if event["type"] == self._types[kind] and "params" in event]

    def stream_heads(self, port):
        """The heads that were sent to a port of this host, in order."""
        heads = []
        for event in self._of("HTTP2_SESSION_SEND_HEADERS"):
            # A name may begin with a colon, and has none behind.
            pairs = [(line[0] + line[1:].partition(": ")[0], line[1:].partition(": ")[2]) for line in event["params"]["headers"]]
            heads.append(StreamHead(event["source"]["id"], dict(pairs)))
        return [head for head in heads if head.fields[":authority"].endswith(f":{port}")]
