"""The recognized parts of an upload, and its problems."""

from __future__ import annotations

from msgspec import Struct, field

from core.upload.unsupported import Foreign
from core.x509.certificate import Certificate
from core.x509.key import PrivateKey


class UploadProblem(Struct, frozen=True):
    """Why a part of the upload cannot be used."""

    what: str
    """One sentence."""
    fix: str


class ParsedUpload(Struct):
    """The recognized certificates and keys, in the given order and without duplicates, and everything else that was found."""

    certificates: list[Certificate] = field(default_factory=list)
    keys: list[PrivateKey] = field(default_factory=list)
    problems: list[UploadProblem] = field(default_factory=list)
    foreign: list[tuple[str, Foreign]] = field(default_factory=list)
    """Label of the part, and other content that was found in it."""
    notes: list[str] = field(default_factory=list)
    passphrase: str = ""
    """`needed` or `wrong`. Empty: no problem."""
    given: list[tuple[str, str, frozenset[bytes]]] = field(default_factory=list)
    """Label of a part, its role (`cert`, `chain`), and the DER of its certificates."""
    rounds: int = 0
    """Rounds of key derivation so far."""
    kinds: list[str] = field(default_factory=list)
    """Formats of the parts: `PEM`, `DER`, `PKCS#12`, `PKCS#7`."""

    @property
    def count(self) -> int:
        return len(self.certificates) + len(self.keys)
