"""An admin plane that says what a test wants: for answers that a real edge gives only in trouble, or slowly."""

import http.server
import json
import socketserver
import threading


class FakeAdmin:
    """Answers on a Unix socket. `answers` maps `"GET /api/v1/status"` to an answer, or to a function that makes one of the body.

    An answer is a value for 200, or `(status, value)`; a value that is bytes is sent as it is.
    """

    def __init__(self, path, answers):
        self.path = path
        self.answers = answers
        self.requests = []
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                target, _, query = self.path.partition("?")
                fake.requests.append((self.command, target, query, body, dict(self.headers)))
                answer = fake.answers.get(f"{self.command} {target}", (404, {"error": "not_found", "detail": "Nothing here."}))
                answer = answer(body) if callable(answer) else answer
                status, value = answer if isinstance(answer, tuple) else (200, answer)
                data = value if isinstance(value, bytes) else json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

            def address_string(self):
                return "unix"

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

            def handle_error(self, *_):
                """Clients that go away are what some tests are about."""

        self._server = Server(str(path), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def asked(self, method, target):
        """The bodies of the requests of one kind, in their order."""
        return [body for got, path, _, body, _ in self.requests if (got, path) == (method, target)]
