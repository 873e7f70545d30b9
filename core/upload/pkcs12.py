"""PKCS#12 files (RFC 7292), as Windows, Java, OpenSSL and appliances write them: any age, any order, any number of certificates."""

from __future__ import annotations

import warnings

from cryptography import x509
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from core.upload.cost import TooCostly, refuse_costly
from core.upload.der import OCTET_STRING, OID, Element, NotDer, Reader, TooManyElements
from core.upload.keys import KeyProblem, checked, read_der, read_encrypted_der
from core.upload.large_key import KEY_BAG, SHROUDED_KEY_BAG, parted
from core.x509.key import PrivateKey
from core.x509.passphrase import UnusablePassphrase, for_pkcs12, no_panic

_FAILURES = (ValueError, TypeError, UnsupportedAlgorithm, OverflowError, InternalError, x509.InvalidVersion)
_LARGEST_KEY_BAG = 6 * 1024
"""An RSA key of 8192 bits takes 4.7 kB; loading larger ones takes many seconds."""

_EXPORT_AGAIN = (
    "Write it anew where it came from, or: openssl pkcs12 -legacy -in FILE -nodes -out all.pem, and give all.pem."
)


class PfxProblem(ValueError):
    """It cannot be read; the text is one sentence, `fix` says what to do."""

    def __init__(self, text: str, fix: str = _EXPORT_AGAIN) -> None:
        super().__init__(text)
        self.fix = fix


class PfxNeedsPassphrase(PfxProblem):
    """It is protected, and no passphrase was given."""


class PfxPassphraseWrong(PfxProblem):
    """The passphrase does not open it."""


def read(data: bytes, passphrase: bytes | None) -> tuple[list[bytes], PrivateKey | None, bool]:
    """Return the certificates (DER) in the file's order, the key, and whether a passphrase was given that it does not need.

    Raises PfxProblem.
    """
    _refuse_hostile(data)
    try:
        passphrase = for_pkcs12(passphrase)
    except UnusablePassphrase as exc:
        raise PfxPassphraseWrong(str(exc), "Give the passphrase as text in UTF-8.") from exc
    in_two = _read_in_two(data, passphrase)
    if in_two is not None:
        return in_two
    for attempt in _attempts(passphrase):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with no_panic():
                    loaded = pkcs12.load_pkcs12(data, attempt)
        except UnsupportedAlgorithm as exc:
            raise PfxProblem(
                "The file is encrypted with a cipher that OpenSSL 3 no longer has, as Windows and Java once wrote it."
            ) from exc
        except _FAILURES as exc:
            _refuse_unreadable(exc)
            continue
        certificates = [] if loaded.cert is None else [loaded.cert.certificate]
        certificates += [each.certificate for each in loaded.additional_certs]
        try:
            key = None if loaded.key is None else checked(loaded.key)
        except KeyProblem as exc:
            raise PfxProblem(str(exc), "Export the certificate with its own RSA or EC key.") from exc
        return [each.public_bytes(Encoding.DER) for each in certificates], key, bool(passphrase) and not attempt
    if passphrase is not None:
        raise PfxPassphraseWrong(
            "The passphrase does not open the file, or the file is damaged.",
            "Type it again; upper and lower case count. The one who made the file knows it.",
        )
    raise PfxNeedsPassphrase(
        "The file is protected by a passphrase.",
        "Give it with --passphrase-file; the one who made the file knows it.",
    )


def _read_in_two(data: bytes, passphrase: bytes | None) -> tuple[list[bytes], PrivateKey, bool] | None:
    """Read a file with a large key quickly; None where that is not possible, and it has to be read as a whole."""
    parts = parted(data)
    if parts is None:
        return None
    for attempt in _attempts(passphrase):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with no_panic():
                    found = pkcs12.load_pkcs12(parts.rest, attempt).additional_certs
            key = read_encrypted_der(parts.key, attempt) if parts.is_encrypted else read_der(parts.key)
        except (*_FAILURES, KeyProblem):
            continue
        return [each.certificate.public_bytes(Encoding.DER) for each in found], key, bool(passphrase) and not attempt
    return None


def _attempts(passphrase: bytes | None) -> list[bytes | None]:
    """Return what to try in order. No passphrase is written in two ways, and some give one where there is none."""
    if not passphrase:
        return [None, b""]
    return [passphrase, None, b""]


def _refuse_unreadable(exc: Exception) -> None:
    """Raise PfxProblem for a failure that no other passphrase would mend."""
    text = str(exc).lower()
    if "unsupported" in text and "password" not in text:
        raise PfxProblem("The file is written in a way that OpenSSL 3 no longer reads.") from exc


def _refuse_hostile(data: bytes) -> None:
    try:
        refuse_costly(data, is_pkcs12=True)
        reader = Reader(data)
        too_large = _has_large_key(reader, reader.whole(), 0)
    except TooManyElements as exc:
        raise PfxProblem(
            "The file holds more than any server needs: it seems to be a trust store.",
            "Give the server's certificate, its chain and its key alone.",
        ) from exc
    except NotDer as exc:
        raise PfxProblem("The file is damaged, or cut off.", "Copy it again, in binary mode.") from exc
    except TooCostly as exc:
        raise PfxProblem(
            f"Opening the file takes {exc}, which no honest program asks for.", "Export it again with default settings."
        ) from exc
    if too_large:
        raise PfxProblem("Its private key is larger than 8192 bits.", "Give the key as PEM, or use a smaller one.")


def _has_large_key(reader: Reader, element: Element, depth: int) -> bool:
    """Tell whether a key bag is larger than any key that loads in bearable time."""
    if depth > 64:
        raise NotDer("nested too deep")
    if element.tag == OCTET_STRING:
        if reader.data[element.start : element.start + 1] != b"\x30":
            return False
        inner = Reader(reader.content(element))
        try:
            return _has_large_key(inner, inner.whole(), depth + 1)
        except NotDer:
            return False
    if not element.is_constructed:
        return False
    previous = b""
    for child in reader.children(element):
        if previous in (KEY_BAG, SHROUDED_KEY_BAG) and child.after - child.start > _LARGEST_KEY_BAG:
            return True
        previous = reader.content(child) if child.tag == OID else b""
        if _has_large_key(reader, child, depth + 1):
            return True
    return False
