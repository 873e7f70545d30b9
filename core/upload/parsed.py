"""What was recognised in an upload, and what of it cannot be used."""

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
    """What was recognised, in the order given; each certificate and key once."""

    certificates: list[Certificate] = field(default_factory=list)
    keys: list[PrivateKey] = field(default_factory=list)
    problems: list[UploadProblem] = field(default_factory=list)
    foreign: list[tuple[str, Foreign]] = field(default_factory=list)
    """Label of the part, and what it held beside or instead of something useful."""
    notes: list[str] = field(default_factory=list)
    passphrase: str = ""
    """`needed` or `wrong`."""
    given: list[tuple[str, str, frozenset[bytes]]] = field(default_factory=list)
    """Label of a part, what it was given as (`cert`, `chain`), DER of the certificates in it."""
    rounds: int = 0
    """Of key derivation, spent so far."""
    kinds: list[str] = field(default_factory=list)
    """In what the parts came: `PEM`, `DER`, `PKCS#12`, `PKCS#7`."""

    @property
    def count(self) -> int:
        return len(self.certificates) + len(self.keys)
