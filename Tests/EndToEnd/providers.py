"""An identity provider for tests: serves a key set over https, and does what a test tells it to."""

import http.server
import json
import ssl
import threading

from cryptography.hazmat.primitives.asymmetric import ec

from tokens import jwk, signed_token


class Key:
    """A signing key and its name."""

    def __init__(self, key_id):
        self.id = key_id
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def jwk(self):
        return jwk(self._key, self.id)

    def token(self, user="alice", **changes):
        return signed_token(self._key, self.id, user, **changes)


def key_set(*keys):
    """The text of a JWK Set with the public halves of these keys."""
    return json.dumps({"keys": [key.jwk for key in keys]})


class Provider:
    """Serves a key set on a port that the kernel chose; `answer` says how."""

    def __init__(self, site, *keys, port=0, tls=True):
        self.requests = []
        self.serve(*keys)
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                provider.requests.append((self.path, dict(self.headers)))
                provider._answer(self)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(site.chain, site.key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self):
        return f"https://localhost:{self.port}/jwks"

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # What it answers from now on

    def serve(self, *keys):
        """The set of these keys."""
        self.send(200, key_set(*keys))

    def send(self, status, text, fields=()):
        """Always this."""

        def answer(handler):
            body = text.encode()
            handler.send_response(status)
            for name, value in fields:
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        self._answer = answer

    def act(self, answer):
        """Whatever `answer` does with the request's handler."""
        self._answer = answer
