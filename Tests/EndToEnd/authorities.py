"""Authorities, and certificates of clients that they sign."""

import datetime
import itertools

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_numbers = itertools.count()


class Identity:
    """A client's certificate, with what stands above it, and its key; one file holds all."""

    def __init__(self, directory, certificate, key, chain):
        self.certificate = certificate
        self.fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
        self.path = directory / f"client-{next(_numbers)}.pem"
        pem = serialization.Encoding.PEM
        self.path.write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            + b"".join(one.public_bytes(pem) for one in (certificate, *chain)))


class Authority:
    """Signs certificates; `path` is the file that an edge believes it by."""

    def __init__(self, directory, name, parent=None):
        self.directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = (parent or self)._sign(self._name, self._key, authority=True)
        self._chain = [self.certificate, *parent._chain] if parent else []
        self.path = directory / f"ca-{next(_numbers)}.pem"
        self.path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, *attributes, usage=ExtendedKeyUsageOID.CLIENT_AUTH, days=2):
        """A client's certificate; `attributes` of its subject are pairs, and by default CN=device 7, O=Example."""
        attributes = attributes or ((NameOID.ORGANIZATION_NAME, "Example"), (NameOID.COMMON_NAME, "device 7"))
        name = x509.Name([x509.NameAttribute(kind, value) for kind, value in attributes])
        key = ec.generate_private_key(ec.SECP256R1())
        return Identity(self.directory, self._sign(name, key, usage=usage, days=days), key, self._chain)

    def _sign(self, name, key, usage=None, days=2, authority=False):
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=9)).not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True))
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        return builder.sign(self._key, hashes.SHA256())
