"""Reads PKCS#12 files (RFC 7292) of Windows, Java, OpenSSL and appliances: of any age, with certificates in any order."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from msgspec import Struct, field

from core.upload.pfx_keys import KEY_BAG, SHROUDED_KEY_BAG, Parted, split_pkcs12
from core.x509.cost import TooCostly, check_kdf_cost
from core.x509.der import OCTET_STRING, OID, Element, NotDer, Reader, TooManyElements
from core.x509.key import PrivateKey
from core.x509.key_reader import KeyOfNoUse, MalformedKey, checked, read_der, read_encrypted_der
from core.x509.passphrase import UnusablePassphrase, for_pkcs12, no_panic

_FAILURES = (ValueError, TypeError, UnsupportedAlgorithm, OverflowError, InternalError, x509.InvalidVersion)
_LARGEST_KEY_BAG = 6 * 1024
"""Limit in bytes. An RSA key of 8192 bits has 4.7 kB; loading larger ones takes many seconds."""

_EXPORT_AGAIN = "Export it again, or run: openssl pkcs12 -legacy -in FILE -nodes -out all.pem, and give all.pem."


class PfxProblem(ValueError):
    """The file cannot be read. The text is one sentence; `fix` says what to do."""

    def __init__(self, text: str, fix: str = _EXPORT_AGAIN) -> None:
        super().__init__(text)
        self.fix = fix


class PfxNeedsPassphrase(PfxProblem):
    """The file is encrypted, and no passphrase was given."""


class PfxPassphraseWrong(PfxProblem):
    """The passphrase does not open the file."""


class Contents(Struct):
    """The content of a file. Its repr shows no key."""

    certificates: list[bytes]
    """DER, in the file's order."""
    keys: list[PrivateKey] = field(default_factory=list)
    unused: list[MalformedKey] = field(default_factory=list)
    """Errors of further keys in the file that cannot be used."""
    passphrase_unused: bool = False
    """A passphrase was given, but the file needs none."""


def read(data: bytes, passphrase: bytes | None) -> Contents:
    """Read everything in a file. `passphrase`: UTF-8. Raises PfxProblem and its subclasses."""
    _refuse_hostile(data)
    try:
        passphrase = for_pkcs12(passphrase)
    except UnusablePassphrase as exc:
        raise PfxPassphraseWrong(str(exc), "Give the passphrase as UTF-8 text.") from exc
    parts = split_pkcs12(data)
    if parts is not None and parts.has_to_be_used:
        found = _read_in_parts(parts, passphrase)
        if found is not None:
            return found
    try:
        return _read_as_one(data, passphrase)
    except (PfxNeedsPassphrase, PfxPassphraseWrong):
        raise
    except PfxProblem:
        # The cause may be a key that the library does not support: read separately, it can be named.
        found = None if parts is None else _read_in_parts(parts, passphrase)
        if found is None:
            raise
        return found


def _read_as_one(data: bytes, passphrase: bytes | None) -> Contents:
    for attempt in _attempts(passphrase):
        try:
            with no_panic():
                loaded = pkcs12.load_pkcs12(data, attempt)
        except UnsupportedAlgorithm as exc:
            raise PfxProblem("The file has content or an encryption that certdeck does not support.") from exc
        except _FAILURES as exc:
            _refuse_unreadable(exc)
            continue
        certificates = [] if loaded.cert is None else [loaded.cert.certificate]
        certificates += [each.certificate for each in loaded.additional_certs]
        found = Contents([each.public_bytes(Encoding.DER) for each in certificates])
        found.passphrase_unused = bool(passphrase) and not attempt
        try:
            if loaded.key is not None:
                found.keys.append(checked(loaded.key))
        except KeyOfNoUse as exc:
            raise PfxProblem(str(exc), exc.fix) from exc
        except MalformedKey as exc:
            raise PfxProblem(str(exc), "Export the certificate with its own RSA or EC key.") from exc
        return found
    if passphrase is not None:
        raise PfxPassphraseWrong(
            "The passphrase is wrong, or the file is damaged.",
            "Enter it again; it is case-sensitive. The person who created the file knows it.",
        )
    raise PfxNeedsPassphrase(
        "The file is protected by a passphrase.",
        "Give it with --passphrase-file. The person who created the file knows it.",
    )


def _read_in_parts(parts: Parted, passphrase: bytes | None) -> Contents | None:
    """Read the keys separately. None: that is impossible, and the file must be read as a whole."""
    for attempt in _attempts(passphrase):
        try:
            with no_panic():
                rest = pkcs12.load_pkcs12(parts.rest, attempt).additional_certs
        except _FAILURES:
            continue
        found = Contents([each.certificate.public_bytes(Encoding.DER) for each in rest])
        found.passphrase_unused = bool(passphrase) and not attempt
        for key, is_encrypted in parts.keys:
            try:
                found.keys.append(read_encrypted_der(key, attempt) if is_encrypted else read_der(key))
            except MalformedKey as exc:
                found.unused.append(exc)
        if found.keys or any(isinstance(each, KeyOfNoUse) for each in found.unused):
            return found
    return None


def _attempts(passphrase: bytes | None) -> list[bytes | None]:
    """Return the passphrases to try, in order. "No passphrase" has two encodings, and some users give one that is not needed."""
    if not passphrase:
        return [None, b""]
    return [passphrase, None, b""]


def _refuse_unreadable(exc: Exception) -> None:
    """Raise PfxProblem for a failure that another passphrase would not fix."""
    text = str(exc).lower()
    if "unsupported" in text and "password" not in text:
        raise PfxProblem("The file has content or an encryption that certdeck does not support.") from exc


def _refuse_hostile(data: bytes) -> None:
    try:
        check_kdf_cost(data, is_pkcs12=True)
        reader = Reader(data)
        too_large = _has_large_key(reader, reader.whole(), 0)
    except TooManyElements as exc:
        raise PfxProblem(
            "The file contains more than any server needs: it seems to be a trust store.",
            "Give only the server certificate, its chain and its key.",
        ) from exc
    except NotDer as exc:
        raise PfxProblem("The file is damaged or truncated.", "Copy it again, in binary mode.") from exc
    except TooCostly as exc:
        raise PfxProblem(
            f"Opening the file takes {exc}, which is more than any legitimate program uses.",
            "Export it again with default settings.",
        ) from exc
    if too_large:
        raise PfxProblem("Its private key is larger than 8192 bits.", "Give the key as PEM, or use a smaller one.")


def _has_large_key(reader: Reader, element: Element, depth: int) -> bool:
    """Tell whether a key bag is larger than any key that loads in reasonable time."""
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
