"""Certificates, keys and tokens, made with libraries that have nothing to do with the edge's own."""

import base64
import datetime
import hashlib
import hmac
import ipaddress
import json
import os
import ssl
import time

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ISSUER = "https://id.example.test/"
AUDIENCE = "chat"


class Site:
    """A certificate for some names and days, and the key that signs tokens; their files lie in `directory`."""

    def __init__(self, directory, names=("localhost",), days=2):
        self.directory = directory
        self.chain = directory / "chain.pem"
        self.key = directory / "key.pem"
        self.jwks = directory / "jwks.json"
        self.trusted = [self.chain]
        self.signing_key = ec.generate_private_key(ec.SECP256R1())
        _write_certificate(self.chain, self.key, names, days)
        (directory / "signing.pem").write_bytes(_private_pem(self.signing_key))
        self.jwks.write_text(json.dumps({"keys": [jwk(self.signing_key, "key-1")]}))

    @property
    def public_pem(self):
        """The public half of the signing key, as everybody may know it."""
        return self.signing_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def client_context(self):
        """What a client needs to verify the edge; verification is on."""
        context = ssl.create_default_context(cafile=str(self.trusted[0]))
        for chain in self.trusted[1:]:
            context.load_verify_locations(chain)
        context.check_hostname = True
        return context

    def install(self, chain, key):
        """Puts copies of the certificate and its key into the place of others, as a renewal does."""
        for source, target in ((self.key, key), (self.chain, chain)):
            beside = target.with_suffix(".next")
            beside.write_bytes(source.read_bytes())
            os.replace(beside, target)

    def token(self, user="alice", **changes):
        """A valid ES256 token of an hour; `changes` replace claims, or with None remove them."""
        return signed_token(self.signing_key, "key-1", user, **changes)


def signed_token(key, key_id, user="alice", **changes):
    """An ES256 token of an hour; `changes` replace claims, or with None remove them."""
    now = int(time.time())
    claims = {"sub": user, "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 3600} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key, algorithm="ES256", headers={"kid": key_id})


def jwk(key, key_id):
    """The public half of an EC key as a JWK (RFC 7517)."""
    numbers = key.public_key().public_numbers()
    return {
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": key_id,
        "x": _encoded(numbers.x.to_bytes(32, "big")), "y": _encoded(numbers.y.to_bytes(32, "big")),
    }


def unsigned_token(user="alice"):
    """A token with `alg: none`, as an attacker would make it."""
    claims = {"sub": user, "iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 3600}
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}."


def symmetric_token(claims, secret):
    """An HS256 token made by hand: libraries refuse to sign with a public key, attackers do not."""
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'key-1'})}.{_part(claims)}"
    return f"{signed}.{_encoded(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def _part(value):
    return _encoded(json.dumps(value).encode())


def _encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _write_certificate(chain_path, key_path, names, days):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    all_names = [*map(x509.DNSName, names), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(all_names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256()))
    chain_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(_private_pem(key))


def _private_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
