"""X.509 certificates of the lab (RFC 5280): an authority and the servers under it, P-256, made without any clock."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.protocols.handshakes.hello import is_name

_PADDING = x509.ObjectIdentifier("1.3.6.1.4.1.32473.1")  # RFC 5612: the enterprise number for documentation
#: (first day, last day)
Validity = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True)
class Signed:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """A certificate authority: its own certificate, and one for every server asked for."""

    def __init__(self, name: str, valid: Validity) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._valid = valid
        made = self._begun(self._name, self._key.public_key())
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        made = made.add_extension(_key_usage(ca=True), critical=True)
        self.own = Signed(_pem(made.sign(self._key, hashes.SHA256())), _private(self._key))

    def server(self, host: str, *, padding: int = 0) -> Signed:
        """A server's certificate, for a name or an address; ``padding`` bytes make it as long as a chain of several."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "droidrange lab")])
        address = x509.DNSName(host) if is_name(host) else x509.IPAddress(ipaddress.ip_address(host))
        made = self._begun(subject, key.public_key())
        made = made.add_extension(_key_usage(ca=False), critical=True)
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        made = made.add_extension(x509.SubjectAlternativeName([address]), critical=True)
        if padding:
            made = made.add_extension(x509.UnrecognizedExtension(_PADDING, bytes(padding)), critical=False)
        return Signed(_pem(made.sign(self._key, hashes.SHA256())), _private(key))

    def _begun(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        """What every certificate has; the key identifiers because strict verifiers ask for them (4.2.1.1)."""
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        made = made.serial_number(x509.random_serial_number())
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = made.add_extension(signer, critical=False)
        return made.not_valid_before(self._valid[0]).not_valid_after(self._valid[1])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    """RFC 5280, 4.2.1.3: a CA signs certificates, a server signs handshakes."""
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
