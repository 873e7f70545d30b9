"""Parses the parts of an upload: certificates, keys and their containers, in any order, number and mix.

File names and labels count only if the bytes confirm them. Unusable content becomes a problem with an explanation. Parsing never
raises because of the content.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import InvalidVersion

from core.upload import pem
from core.upload.keys import read_proc_type
from core.upload.kinds import ContentKind, foreign_key_name, kind_of
from core.upload.parsed import ParsedUpload, UploadProblem
from core.upload.repair import hidden_values, mail_parts, marks, repaired
from core.upload.unsupported import BY_KIND, SILENT_LABELS, Foreign, by_beginning, by_label
from core.upload.values import MOST_BYTES, MOST_PARTS, PASSPHRASE_NEEDED, PASSPHRASE_WRONG, Part, Upload
from core.x509.certificate import MalformedCertificate, parse_der, printable
from core.x509.cost import MOST_ROUNDS, TooCostly, check_kdf_cost
from core.x509.der import NotDer, Reader, elements, first_element
from core.x509.key import PrivateKey
from core.x509.key_reader import (
    KeyNeedsPassphrase,
    KeyOfNoUse,
    KeyPassphraseWrong,
    MalformedKey,
    read_der,
    read_encrypted_der,
)

MOST_CERTIFICATES = 100
_LONGEST_LABEL = 60
_TRUSTED = "TRUSTED CERTIFICATE"
_KEY_LABELS = frozenset(
    {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ANY PRIVATE KEY", "ENCRYPTED PRIVATE KEY"}
)

_ROLES = {
    "cert": ("the certificate (--cert)", "Give the server certificate with --cert, and the private key with --key."),
    "key": ("the private key (--key)", "Give the private key of the request (CSR)."),
    "chain": ("the chain (--chain)", "Give the CA's intermediate certificates with --chain, and the key with --key."),
    "pfx": (
        "a PKCS#12 file (--pfx)",
        "Give it with --cert, which accepts every format; --pfx accepts PKCS#12 (.pfx, .p12).",
    ),
}
"""Role → its name in messages, and the fix for a wrong file."""


def parse_upload(upload: Upload) -> ParsedUpload:
    """Parse everything in the upload. Never raises."""
    pieces = ParsedUpload()
    if len(upload.parts) > MOST_PARTS:
        pieces.problems.append(UploadProblem("There are too many files.", f"Give at most {MOST_PARTS}."))
        return pieces
    for part in upload.parts:
        _Recogniser(pieces, part, upload.passphrase).run()
        if len(pieces.certificates) > MOST_CERTIFICATES:
            pieces.certificates.clear()
            pieces.problems.append(
                UploadProblem(
                    f"There are more than {MOST_CERTIFICATES} certificates.",
                    "Give the server certificate and its chain, not a whole trust store.",
                )
            )
            break
    return pieces


class _Recogniser:
    """Parses one part, and adds the results to `pieces`."""

    def __init__(self, pieces: ParsedUpload, part: Part, passphrase: bytes | None) -> None:
        self.pieces = pieces
        self.label = printable(part.label, _LONGEST_LABEL)
        self.data = part.data
        self.passphrase = passphrase
        self._known = {each.der for each in pieces.certificates}
        self._known_keys = {each.spki for each in pieces.keys}
        self._roles = part.roles
        self._found: set[bytes] = set()
        self._keys = 0
        self._is_pfx = False

    def run(self) -> None:
        before = len(self.pieces.problems)
        seen = len(self.pieces.foreign)
        if not self.data.strip():
            self._problem("is empty.", "Give the file that the CA sent, or the key.")
        elif len(self.data) > MOST_BYTES:
            self._problem("is larger than 1 MiB.", "Certificates and keys take a few kilobytes. Give only these.")
        else:
            self._look()
        foreign = self.pieces.foreign[seen:]
        if len(self.pieces.problems) > before:
            return
        if not self._found and not self._keys:
            self._nothing_useful(foreign)
            return
        self.pieces.given += [
            (self.label, role, frozenset(self._found)) for role in self._roles if role in ("cert", "chain")
        ]
        for role in self._roles:
            self._check_role(role, foreign)

    def _check_role(self, role: str, foreign: list[tuple[str, Foreign]]) -> None:
        """Report a file whose content does not match its option: it would be ignored silently."""
        holds = {"cert": self._found, "chain": self._found, "key": self._keys, "pfx": self._is_pfx}
        if holds[role] or (role == "key" and any(each.is_key for _, each in foreign)):
            return
        if role == "pfx":
            found = "certificates as PEM or DER" if self._found else "a private key"
        else:
            found = "a certificate" if self._found else "a private key"
            found += " and no private key" if self._found else " and no certificate"
        self._problem(f"was given as {_ROLES[role][0]}, but it contains {found}.", _ROLES[role][1])

    def _look(self) -> None:
        if self._structure(self.data, "") or self._structures():
            return
        text, encoding = pem.as_text(self.data)
        if encoding:
            self.pieces.notes.append(f"{self.label} was {encoding} and has been decoded.")
        try:
            blocks = self._whole_blocks(text)
        except pem.TooManyBlocks:
            self._problem(
                "contains hundreds of PEM blocks.", "Give only the server certificate, its chain and its key."
            )
            return
        if blocks:
            self._blocks(blocks)
        else:
            self._no_blocks(text)

    def _structures(self) -> bool:
        """Parse several DER structures in sequence. Returns whether there are any."""
        found = elements(self.data, MOST_CERTIFICATES)
        if len(found) < 2 or any(kind_of(each) is ContentKind.UNKNOWN for each in found):
            return False
        self._note_kind("DER")
        for number, each in enumerate(found, 1):
            self._structure(each, f" ({number} of {len(found)})")
        return True

    def _whole_blocks(self, text: bytes) -> list[pem.Block]:
        """Return the PEM blocks, repaired if that makes more of them complete."""
        found = pem.blocks(text)
        damaged = sum(bool(block.damage) for block in found)
        if found and not damaged and marks(text) <= 2 * len(found):
            return found
        better, how = repaired(text)
        again = pem.blocks(better) if how else []
        is_better = len(again) - sum(bool(block.damage) for block in again) > len(found) - damaged
        if not again or (found and not is_better):
            return found
        self.pieces.notes.append(f"{self.label} was altered in transit and has been corrected ({how}).")
        return again

    def _blocks(self, blocks: list[pem.Block]) -> None:
        self._note_kind("PEM")
        for number, block in enumerate(blocks, 1):
            self._block(block, f" (block {number})" if len(blocks) > 1 else "")

    def _no_blocks(self, text: bytes) -> None:
        decoded = pem.bare_base64(text)
        if decoded is not None and self._inner(decoded):
            self.pieces.notes.append(f"{self.label} was base64 and has been decoded.")
            return
        for what, inner in (("a mail", mail_parts(text)), ("base64 within text", hidden_values(text))):
            taken = [self._inner(each) for each in inner]
            if any(taken):
                self.pieces.notes.append(f"{self.label} was {what} and has been decoded.")
                return
        foreign = by_beginning(self.data) or by_beginning(text)
        if foreign is not None:
            self.pieces.foreign.append((self.label, foreign))

    def _inner(self, data: bytes) -> bool:
        """Parse content that was packed in something else. Returns whether it was recognized."""
        if self._structure(data, ""):
            return True
        if b"-----BEGIN " not in data:
            return False
        try:
            found = self._whole_blocks(data[:MOST_BYTES])
        except pem.TooManyBlocks:
            return False
        self._blocks(found)
        return bool(found)

    # -- one structure or block ----------------------------------------------------------------------------------------

    def _block(self, block: pem.Block, where: str) -> None:
        if block.label in SILENT_LABELS:
            return
        foreign = by_label(block.label)
        if foreign is not None:
            self.pieces.foreign.append((self.label, foreign))
        elif block.damage:
            self._problem(
                f"cannot be read: {printable(block.label, _LONGEST_LABEL)}{where}. {block.damage}",
                "Copy all of it again.",
            )
        elif block.label == _TRUSTED and block.content:
            # The certificate, followed by OpenSSL's trust settings for it.
            self._certificate(first_element(block.content), where)
        elif b"ENCRYPTED" in block.headers:
            self._key(lambda: read_proc_type(block, self.passphrase))
        elif not self._structure(block.content, where):
            self._unknown_block(block, where)

    def _unknown_block(self, block: pem.Block, where: str) -> None:
        if block.label in _KEY_LABELS:
            self._problem(f"cannot be read: its private key{where} is damaged.", "Copy all of it again.")
        elif "CERTIFICATE" in block.label:
            self._problem(f"cannot be read: its certificate{where} is damaged.", "Copy all of it again.")
        else:
            name = printable(block.label, _LONGEST_LABEL)
            self.pieces.foreign.append((self.label, Foreign(f"a block called {name}", "Give certificate and key.")))

    def _structure(self, data: bytes, where: str) -> bool:
        """Parse `data` as DER. Returns whether it was recognized."""
        kind = kind_of(data)
        if kind is ContentKind.UNKNOWN:
            return False
        is_whole_part = data is self.data
        data = data[: Reader(data).whole().after]
        if is_whole_part:
            self._note_kind({ContentKind.PKCS12: "PKCS#12", ContentKind.PKCS7: "PKCS#7"}.get(kind, "DER"))
        if kind is ContentKind.CERTIFICATE:
            self._certificate(data, where)
        elif kind is ContentKind.KEY:
            self._key(lambda: read_der(data))
        elif kind in (ContentKind.ENCRYPTED_KEY, ContentKind.PKCS12) and not self._can_afford(data, kind):
            self._problem("contains too many encrypted parts.", "Give only the key of the certificate.")
        elif kind is ContentKind.ENCRYPTED_KEY:
            self._key(lambda: read_encrypted_der(data, self.passphrase))
        elif kind is ContentKind.PKCS12:
            self._is_pfx = True
            self._pkcs12(data)
        elif kind is ContentKind.PKCS7:
            self._pkcs7(data)
        elif kind is ContentKind.FOREIGN_KEY:
            name = foreign_key_name(data)
            article = name if name.startswith("an ") else f"an {name}" if name.startswith("Ed") else f"a {name}"
            self.pieces.foreign.append(
                (
                    self.label,
                    Foreign(f"{article} private key", "TLS servers use RSA and EC keys. Give the RSA or EC key.", True),
                )
            )
        else:
            self.pieces.foreign.append((self.label, BY_KIND[kind]))
        return True

    def _can_afford(self, data: bytes, kind: ContentKind) -> bool:
        """Count the cost of trying the passphrase. Returns whether all files together stay within the limit."""
        try:
            self.pieces.rounds += (
                check_kdf_cost(data, is_pkcs12=kind is ContentKind.PKCS12) if self.passphrase is not None else 0
            )
        except (NotDer, TooCostly):
            return True  # reported when it is read
        return self.pieces.rounds <= MOST_ROUNDS

    def _certificate(self, der: bytes, where: str) -> None:
        if len(self.pieces.certificates) > MOST_CERTIFICATES:
            return
        try:
            certificate = parse_der(der)
        except MalformedCertificate as exc:
            self._problem(f"contains a damaged certificate{where}.", f"Copy all of it again. ({exc})")
            return
        self._found.add(certificate.der)
        if certificate.der not in self._known:
            self._known.add(certificate.der)
            self.pieces.certificates.append(certificate)

    def _key(self, read: Callable[[], PrivateKey]) -> None:
        try:
            key = read()
        except KeyNeedsPassphrase as exc:
            self._ask(
                PASSPHRASE_NEEDED, str(exc), "Give it with --passphrase-file. The person who created the key knows it."
            )
        except KeyPassphraseWrong as exc:
            self._ask(PASSPHRASE_WRONG, str(exc), "Enter it again; it is case-sensitive.")
        except MalformedKey as exc:
            self._problem(f"cannot be used: {_lower(str(exc))}", exc.fix or "Give the complete, unchanged private key.")
        else:
            self._take(key)

    def _take(self, key: PrivateKey) -> None:
        self._keys += 1
        if key.spki not in self._known_keys:
            self._known_keys.add(key.spki)
            self.pieces.keys.append(key)

    def _pkcs12(self, data: bytes) -> None:
        from core.upload import pkcs12 as pfx

        try:
            found = pfx.read(data, self.passphrase)
        except pfx.PfxNeedsPassphrase as exc:
            self._ask(PASSPHRASE_NEEDED, str(exc), exc.fix)
        except pfx.PfxPassphraseWrong as exc:
            self._ask(PASSPHRASE_WRONG, str(exc), exc.fix)
        except pfx.PfxProblem as exc:
            self._problem(f"cannot be opened. {exc}", exc.fix)
        else:
            if found.passphrase_unused:
                self.pieces.notes.append(f"{self.label} needs no passphrase.")
            for der in found.certificates:
                self._certificate(der, "")
            for key in found.keys:
                self._take(key)
            for problem in found.unused:
                self._key_of_no_use(problem)

    def _key_of_no_use(self, problem: MalformedKey) -> None:
        what = _lower(str(problem)).removeprefix("the private key is ").rstrip(".")
        if isinstance(problem, KeyOfNoUse):
            self.pieces.foreign.append((self.label, Foreign(what, problem.fix, is_key=True)))
        else:
            self.pieces.notes.append(f"{_upper(self.label)}: a further key is ignored. {problem}")

    def _pkcs7(self, data: bytes) -> None:
        try:
            # Imported here: this loads all of `email`, for a format that few uploads have.
            from cryptography.hazmat.primitives.serialization import pkcs7

            found = [each.public_bytes(Encoding.DER) for each in pkcs7.load_der_pkcs7_certificates(data)]
        except (ValueError, TypeError, UnsupportedAlgorithm, InternalError, InvalidVersion):
            self._problem("cannot be read: its PKCS#7 bundle is damaged or contains no certificate.", "Copy it again.")
            return
        for der in found:
            self._certificate(der, "")

    # -- words ---------------------------------------------------------------------------------------------------------

    def _problem(self, predicate: str, fix: str) -> None:
        self.pieces.problems.append(UploadProblem(f"{_upper(self.label)} {predicate}", fix))

    def _ask(self, passphrase: str, what: str, fix: str) -> None:
        self.pieces.passphrase = self.pieces.passphrase or passphrase
        self.pieces.problems.append(UploadProblem(f"{_upper(self.label)}: {_lower(what)}", fix))

    def _nothing_useful(self, foreign: list[tuple[str, Foreign]]) -> None:
        if foreign:
            found = foreign[0][1]
            self._problem(f"is {found.what}.", found.instead)
        else:
            self._problem(
                "contains neither a certificate nor a private key.",
                "Give PEM (text that begins with -----BEGIN), DER, PKCS#12 (.pfx, .p12) or PKCS#7 (.p7b).",
            )

    def _note_kind(self, kind: str) -> None:
        if kind not in self.pieces.kinds:
            self.pieces.kinds.append(kind)


def _upper(text: str) -> str:
    """Return the beginning of a sentence in upper case. A file name stays unchanged."""
    return text[:1].upper() + text[1:] if text.startswith(("the ", "standard ")) else text


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
