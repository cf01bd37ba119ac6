"""What a run needs on disk: a directory of its own with certificate, keys, token and configurations."""

import base64
import json
import pathlib
import subprocess
import tempfile

CONFIGURATIONS = pathlib.Path(__file__).parent


class Site:
    """The directory of one run; it goes when the run ends."""

    def __init__(self, sluice):
        self._holder = tempfile.TemporaryDirectory(prefix="sluice-bench-")
        self.path = pathlib.Path(self._holder.name)
        self._make_certificate()
        self._make_token(sluice)
        for name in ("sluice.yaml", "open.yaml", "token.yaml", "checks.yaml", "nginx.conf", "haproxy.cfg"):
            text = (CONFIGURATIONS / name).read_text().replace("@DIR@", str(self.path))
            (self.path / name).write_text(text)
        self._write_reactor_variants()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._holder.cleanup()

    def file(self, name):
        return str(self.path / name)

    def _write_reactor_variants(self):
        """The edge with one reactor and with two, before a worker of their own."""
        text = (self.path / "sluice.yaml").read_text().replace("echo.sock", "wide.sock")
        for word, number, port in (("one", 1, 9449), ("two", 2, 9450)):
            changed = text.replace("threads: 1", f"threads: {number}").replace("9443", str(port)).replace("admin.sock", f"{word}.sock")
            (self.path / f"{word}.yaml").write_text(changed)

    def _make_certificate(self):
        """One ECDSA P-256 certificate, the same for every proxy."""
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
            "-keyout", self.file("key.pem"), "-out", self.file("cert.pem"))
        both = (self.path / "cert.pem").read_text() + (self.path / "key.pem").read_text()
        (self.path / "both.pem").write_text(both)

    def _make_token(self, sluice):
        """An ES256 token that the edge verifies for each handshake."""
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.file("login.pem"))
        public = run("openssl", "pkey", "-in", self.file("login.pem"), "-pubout", "-outform", "DER")
        x, y = (base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (public[-64:-32], public[-32:]))
        key = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "bench", "x": x, "y": y}
        (self.path / "jwks.json").write_text(json.dumps({"keys": [key]}))
        token = run(sluice, "token", "--key", self.file("login.pem"), "--sub", "bench", "--iss", "bench", "--aud", "bench",
                    "--kid", "bench", "--exp", "1d")
        (self.path / "token").write_bytes(token)


def run(*command):
    """The output of a command that must succeed."""
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]}: {done.stderr.decode().strip()}")
    return done.stdout
