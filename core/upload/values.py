"""The inputs and results of upload checks. Light: a front end creates them before anything is parsed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from core.lineage_status import LineageStatus

MOST_BYTES = 1024 * 1024
"""Limit of one part. The largest CA bundle in use has a quarter of that."""
MOST_PARTS = 20

PASSPHRASE_NEEDED = "needed"
PASSPHRASE_WRONG = "wrong"


class Part(Struct, frozen=True):
    """One file, paste or standard input. Its repr shows no content, which may include a key."""

    label: str
    """Its name in messages: a file name, `standard input`, `the paste`. Untrusted data."""
    data: bytes
    roles: tuple[str, ...] = ()
    """The roles it was given for: `cert`, `key`, `chain`, `pfx`. Empty: any."""

    def __repr__(self) -> str:
        return f"Part({self.label!r}, {len(self.data)} bytes)"


class Upload(Struct, frozen=True):
    """All provided parts, in any order and mix. Its repr shows no secret."""

    parts: tuple[Part, ...]
    passphrase: bytes | None = None
    """For encrypted keys and PKCS#12 files. UTF-8."""

    def __repr__(self) -> str:
        return f"Upload({self.parts!r})"


class ImportRequest(Struct, frozen=True, kw_only=True):
    """An upload to make the live version of a lineage. Its repr shows no secret."""

    name: str
    """Name of the lineage, which need not exist."""
    upload: Upload
    host: str | None = None
    """Host name that clients use: the certificate must cover it."""
    targets: Sequence[str] | None = None
    """The lineage's targets from now on. None: unchanged."""
    force: bool = False
    """Accept failures that do not prevent a service from running."""
    fetch_chain: bool = False
    """Download missing intermediates from the URLs in the certificates. Takes at most ten seconds."""
    replace: bool = False
    """Import even if a CA renews the lineage, which then ends, or if it has an open order."""
    keep_issuer: bool = False
    """The lineage keeps its settings and is renewed as before; the certificate must cover its names."""


class CsrRequest(Struct, frozen=True):
    """A signing request to create, with a new private key."""

    name: str
    domains: Sequence[str]
    """As entered by the user."""
    key_type: str | None = None
    """None: that of an existing request, else the configured one."""
    subject: str | None = None
    """For example `O=Acme Ltd,C=DE`. None: that of an existing request, else none."""
    replace: bool = False
    """Replace an existing request with this name."""


class CheckResult(Struct, frozen=True, kw_only=True):
    """One line of the checklist."""

    id: str
    """For example `parse`, `key-match`."""
    title: str
    """For display, for example `Key matches certificate`."""
    status: str
    """`pass`, `warn`, `fail`, `skip`."""
    detail: str
    """One or two sentences."""
    fix: str = ""
    """What to do. Empty: nothing."""
    forced: bool = False
    """It failed, and `force` accepted it."""


class LeftOut(Struct, frozen=True, kw_only=True):
    """A provided certificate or key that is not used."""

    kind: str
    """`certificate`, `root`, `key`."""
    what: str
    """Subject of a certificate, or type of a key. Cleaned."""
    not_after: datetime | None = None
    sha256: str = ""


class UploadCheck(Struct, frozen=True, kw_only=True):
    """The result of the checks of an upload. Contains no key."""

    accepted: bool
    """No check failed, apart from forced ones."""
    checks: tuple[CheckResult, ...]
    certificate: LineageStatus | None
    """The status that the lineage would have. None: the upload contains no certificate."""
    current: LineageStatus | None = None
    """The current status of the lineage, for a comparison."""
    passphrase: str = ""
    """`needed` or `wrong`: ask for one and check again. Empty: no problem."""
    found: tuple[str, ...] = ()
    """What was recognized, for example `1 certificate`, `1 key`, `2 in the chain`."""
    notes: tuple[str, ...] = ()
    """Automatic decisions: ignored, completed, sorted."""
    left_out: tuple[LeftOut, ...] = ()
    """Provided certificates and keys that are not used."""
    is_reordered: bool = False
    """The provided order of the chain differs from the order in which it is sent."""
    request: str = ""
    """Name of the open signing request whose key is used, because no key was provided. Empty: none."""
    chain_state: str = ""
    """`complete`, `private` (complete, but clients must have the root), `open` (this box does not know its end), `incomplete`,
    `refused`, `self-signed`. Empty: there is no certificate."""
    can_be_forced: bool = False
    """It is not accepted, but would be with `force`."""
    can_be_fetched: bool = False
    """The chain is incomplete, and the certificate has the URL of its issuer: `fetch_chain` downloads from there."""

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        return tuple(each for each in self.checks if each.status == "fail" and not each.forced)

    @property
    def warnings(self) -> tuple[CheckResult, ...]:
        return tuple(each for each in self.checks if each.status == "warn" or each.forced)


class Imported(Struct, frozen=True, kw_only=True):
    """A successfully imported upload."""

    check: UploadCheck
    status: LineageStatus
    unchanged: bool = False
    """The same pair was already live: no new version was stored, and it was deployed again."""


class SigningRequest(Struct, frozen=True, kw_only=True):
    """A signing request for a CA without ACME. Its key stays on this box and is not in this value (CL-15)."""

    name: str
    domains: tuple[str, ...]
    """A-labels, `*.` names, IP addresses."""
    key_type: str
    subject: str
    """For example `O=Acme Ltd,C=DE`. Empty: none."""
    created: datetime
    pem: str
    advice: tuple[str, ...] = ()
    """Advice about these names, a sentence each."""
    is_new: bool = False
    """It was just created."""
    is_lost: bool = False
    """Its private key is missing."""
