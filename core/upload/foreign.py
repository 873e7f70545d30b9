"""What people hand over by mistake, named for what it is, with what to give instead."""

from __future__ import annotations

from msgspec import Struct

from core.upload.kinds import Kind


class Foreign(Struct, frozen=True):
    """Something that is neither a certificate nor a key for TLS."""

    what: str
    """Begins in lower case: `an OpenSSH private key`."""
    instead: str
    """One or two sentences."""
    is_key: bool = False
    """Somebody took it for the private key."""


_CSR = Foreign(
    "a certificate signing request (CSR)", "Send it to the CA; what the CA sends back is the certificate to give here."
)
_PUBLIC = Foreign("a public key", "The private key is wanted: it was made on the same day as the CSR.", is_key=True)
_CRL = Foreign("a list of revoked certificates (CRL)", "It is not needed; leave it out.")
_OPENSSH = Foreign(
    "an OpenSSH private key",
    "Keys for SSH are not for TLS. If the certificate really belongs to it, convert a copy: ssh-keygen -p -m PEM -f FILE.",
    is_key=True,
)
_SSH_COM = Foreign(
    "a private key of ssh.com", "Keys for SSH are not for TLS. Give the key that the CSR was made with.", is_key=True
)
_PGP = Foreign("something made by PGP", "Give the TLS certificate and its private key.")
_ENVELOPE = Foreign("an encrypted or signed message", "Save the attachment that is in it, and give that.")
_ATTRIBUTE = Foreign("an attribute certificate", "Give the server's certificate.")

_BOUNCY_CASTLE = (
    "Convert it with keytool and Bouncy Castle as its provider: keytool -importkeystore … -deststoretype PKCS12."
)
_PVK = "Convert it: openssl rsa -inform PVK -in FILE -out key.pem."
_BLOB = "Convert it: openssl rsa -inform MSBLOB -in FILE -out key.pem."
_BCFKS = Foreign("a keystore of Bouncy Castle (BCFKS)", _BOUNCY_CASTLE, is_key=True)

BY_LABEL = {
    "CERTIFICATE REQUEST": _CSR,
    "NEW CERTIFICATE REQUEST": _CSR,
    "PUBLIC KEY": _PUBLIC,
    "RSA PUBLIC KEY": _PUBLIC,
    "SSH2 PUBLIC KEY": _PUBLIC,
    "X509 CRL": _CRL,
    "OPENSSH PRIVATE KEY": _OPENSSH,
    "SSH2 ENCRYPTED PRIVATE KEY": _SSH_COM,
    "ATTRIBUTE CERTIFICATE": _ATTRIBUTE,
    "DSA PRIVATE KEY": Foreign(
        "a DSA private key", "TLS servers no longer use DSA. Give the RSA or EC key.", is_key=True
    ),
    "X9.42 DH PARAMETERS": Foreign("parameters for a key exchange", "They are not needed; leave them out."),
    "DH PARAMETERS": Foreign("parameters for a key exchange", "They are not needed; leave them out."),
}
"""Label of a PEM block → what it is."""

SILENT_LABELS = frozenset({"EC PARAMETERS"})
"""Goes with the key behind it; tells nothing that the key does not."""

BY_KIND = {Kind.CSR: _CSR, Kind.PUBLIC_KEY: _PUBLIC, Kind.CRL: _CRL, Kind.ENVELOPE: _ENVELOPE, Kind.BCFKS: _BCFKS}

_BEGINNINGS = (
    (b"\xfe\xed\xfe\xed", Foreign(
        "a Java keystore (JKS)",
        "Convert it: keytool -importkeystore -srckeystore FILE -destkeystore out.p12 -deststoretype PKCS12.",
        is_key=True,
    )),
    (b"\xce\xce\xce\xce", Foreign(
        "a Java keystore (JCEKS)",
        "Convert it: keytool -importkeystore -srckeystore FILE -srcstoretype JCEKS -destkeystore out.p12 -deststoretype PKCS12.",
        is_key=True,
    )),
    (b"PuTTY-User-Key-File", Foreign(
        "a PuTTY private key", "Keys for SSH are not for TLS. Give the key that the CSR was made with.", is_key=True
    )),
    (b"ssh-", Foreign("an OpenSSH public key", "Give the private key of the certificate.", is_key=True)),
    (b"ecdsa-sha2-", Foreign("an OpenSSH public key", "Give the private key of the certificate.", is_key=True)),
    (b"PK\x03\x04", Foreign("a ZIP archive", "Unpack it, and give the files that are in it.")),
    (b"\x1f\x8b", Foreign("a compressed file", "Unpack it, and give the files that are in it.")),
    (b"7z\xbc\xaf", Foreign("a compressed file", "Unpack it, and give the files that are in it.")),
    (b"%PDF", Foreign("a PDF document", "Give the certificate as a file of its own.")),
    (b"\0\0\0\2\0\0\0\x14", Foreign("a keystore of Bouncy Castle (BKS)", _BOUNCY_CASTLE, is_key=True)),
    (b"\0\0\0\1\0\0\0\x14", Foreign("a keystore of Bouncy Castle (UBER)", _BOUNCY_CASTLE, is_key=True)),
    (b"\x1e\xf1\xb5\xb0", Foreign("a private key of Microsoft (PVK)", _PVK, is_key=True)),
    (b"\x07\x02\0\0", Foreign("a private key of Microsoft (PRIVATEKEYBLOB)", _BLOB, is_key=True)),
    (b"<?xml", Foreign("an XML document", "Give certificate and key as PEM, DER or PFX.", is_key=True)),
    (b"apiVersion:", Foreign("a Kubernetes object", "Give its tls.crt and tls.key, or the whole Secret.", is_key=True)),
    (b"<", Foreign("a web page", "The download went wrong, or wants a login. Save the certificate itself.")),
    (b"{", Foreign("a JSON document", "Give certificate and key as PEM, DER or PFX.", is_key=True)),
    (b"\x99", _PGP),
    (b"\xc5", _PGP),
)  # fmt: skip


def by_label(label: str) -> Foreign | None:
    """Return what a PEM block is, by its label; None for a label that says nothing."""
    if label.startswith("PGP "):
        return _PGP
    return BY_LABEL.get(label)


def by_beginning(data: bytes) -> Foreign | None:
    """Return what a file is, by its first bytes; None for what nobody knows."""
    start = data[:64].lstrip()
    return next((foreign for beginning, foreign in _BEGINNINGS if start.startswith(beginning)), None)
