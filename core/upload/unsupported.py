"""Recognizes files that users upload by mistake, and says what to give instead."""

from __future__ import annotations

from msgspec import Struct

from core.upload.kinds import ContentKind


class Foreign(Struct, frozen=True):
    """Something that is neither a certificate nor a key for TLS."""

    what: str
    """Name, in lower case: `an OpenSSH private key`."""
    instead: str
    """What to do instead, in one or two sentences."""
    is_key: bool = False
    """The user may have taken it for the private key."""


_CSR = Foreign(
    "a certificate signing request (CSR)", "Send it to the CA. Then give the certificate that the CA returns."
)
_PUBLIC = Foreign("a public key", "Give the private key, which was created together with the CSR.", is_key=True)
_CRL = Foreign("a certificate revocation list (CRL)", "It is not needed; omit it.")
_OPENSSH = Foreign(
    "an OpenSSH private key",
    "SSH keys are not used for TLS. If the certificate was issued for this key, convert a copy: ssh-keygen -p -m PEM -f FILE.",
    is_key=True,
)
_SSH_COM = Foreign(
    "an ssh.com private key", "SSH keys are not used for TLS. Give the private key of the CSR.", is_key=True
)
_PGP = Foreign("PGP data", "Give the TLS certificate and its private key.")
_ENVELOPE = Foreign("an encrypted or signed message", "Save its attachment, and give that file.")
_ATTRIBUTE = Foreign("an attribute certificate", "Give the server's certificate.")

_BOUNCY_CASTLE = (
    "Convert it with keytool and the Bouncy Castle provider: keytool -importkeystore … -deststoretype PKCS12."
)
_PVK = "Convert it: openssl rsa -inform PVK -in FILE -out key.pem."
_BLOB = "Convert it: openssl rsa -inform MSBLOB -in FILE -out key.pem."
_BCFKS = Foreign("a Bouncy Castle keystore (BCFKS)", _BOUNCY_CASTLE, is_key=True)

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
    "X9.42 DH PARAMETERS": Foreign("key exchange parameters", "They are not needed; omit them."),
    "DH PARAMETERS": Foreign("key exchange parameters", "They are not needed; omit them."),
}
"""Label of a PEM block → its description."""

SILENT_LABELS = frozenset({"EC PARAMETERS"})
"""Labels to skip: the key that follows contains the same information."""

BY_KIND = {
    ContentKind.CSR: _CSR,
    ContentKind.PUBLIC_KEY: _PUBLIC,
    ContentKind.CRL: _CRL,
    ContentKind.ENVELOPE: _ENVELOPE,
    ContentKind.BCFKS: _BCFKS,
}

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
        "a PuTTY private key", "SSH keys are not used for TLS. Give the private key of the CSR.", is_key=True
    )),
    (b"ssh-", Foreign("an OpenSSH public key", "Give the private key of the certificate.", is_key=True)),
    (b"ecdsa-sha2-", Foreign("an OpenSSH public key", "Give the private key of the certificate.", is_key=True)),
    (b"PK\x03\x04", Foreign("a ZIP archive", "Unpack it, and give the files inside.")),
    (b"\x1f\x8b", Foreign("a compressed file", "Unpack it, and give the files inside.")),
    (b"7z\xbc\xaf", Foreign("a compressed file", "Unpack it, and give the files inside.")),
    (b"%PDF", Foreign("a PDF document", "Give the certificate as a separate file.")),
    (b"\0\0\0\2\0\0\0\x14", Foreign("a Bouncy Castle keystore (BKS)", _BOUNCY_CASTLE, is_key=True)),
    (b"\0\0\0\1\0\0\0\x14", Foreign("a Bouncy Castle keystore (UBER)", _BOUNCY_CASTLE, is_key=True)),
    (b"\x1e\xf1\xb5\xb0", Foreign("a Microsoft private key (PVK)", _PVK, is_key=True)),
    (b"\x07\x02\0\0", Foreign("a Microsoft private key (PRIVATEKEYBLOB)", _BLOB, is_key=True)),
    (b"<?xml", Foreign("an XML document", "Give certificate and key as PEM, DER or PFX.", is_key=True)),
    (b"apiVersion:", Foreign("a Kubernetes object", "Give its tls.crt and tls.key, or the whole Secret.", is_key=True)),
    (b"<", Foreign("a web page", "The download failed or requires a login. Download the certificate itself.")),
    (b"{", Foreign("a JSON document", "Give certificate and key as PEM, DER or PFX.", is_key=True)),
    (b"\x99", _PGP),
    (b"\xc5", _PGP),
)  # fmt: skip


def by_label(label: str) -> Foreign | None:
    """Return the description of a PEM block with this label. None: the label is not known."""
    if label.startswith("PGP "):
        return _PGP
    return BY_LABEL.get(label)


def by_beginning(data: bytes) -> Foreign | None:
    """Return the description of a file, by its first bytes. None: they are not known."""
    start = data[:64].lstrip()
    return next((foreign for beginning, foreign in _BEGINNINGS if start.startswith(beginning)), None)
