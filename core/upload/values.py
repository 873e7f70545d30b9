"""What goes into a check of an upload and what comes out of it. Light: a front end makes these before anything is parsed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from core.lineage_status import LineageStatus

MOST_BYTES = 1024 * 1024
"""Of one part. The largest bundle of CAs in use has a quarter of it."""
MOST_PARTS = 20

PASSPHRASE_NEEDED = "needed"
PASSPHRASE_WRONG = "wrong"


class Part(Struct, frozen=True):
    """One file, paste or standard input. Its repr shows no content: there may be a key in it."""

    label: str
    """What messages call it: a file's name, `standard input`, `the paste`. Data from outside."""
    data: bytes
    roles: tuple[str, ...] = ()
    """What it was given as: `cert`, `key`, `chain`, `pfx`. Empty: as anything."""

    def __repr__(self) -> str:
        return f"Part({self.label!r}, {len(self.data)} bytes)"


class Upload(Struct, frozen=True):
    """Everything that was given, in any order and mix. Its repr shows no secret."""

    parts: tuple[Part, ...]
    passphrase: bytes | None = None
    """For whatever is protected by one. UTF-8."""

    def __repr__(self) -> str:
        return f"Upload({self.parts!r})"


class ImportRequest(Struct, frozen=True, kw_only=True):
    """An upload that is to become the live version of a lineage. Its repr shows no secret."""

    name: str
    """Of the lineage, which may not exist yet."""
    upload: Upload
    host: str | None = None
    """What clients call the service: it has to be among the certificate's names."""
    targets: Sequence[str] | None = None
    """Onto these from now on; None: those the lineage has."""
    force: bool = False
    """Let failures pass that cannot stop a service."""
    fetch_chain: bool = False
    """Fetch missing intermediates from where the certificates say they are; ten seconds at worst."""
    replace: bool = False
    """Also where the lineage is renewed by a CA so far, which then ends."""
    keep_issuer: bool = False
    """The lineage keeps its settings and is renewed as before; the certificate must cover its names."""


class CsrRequest(Struct, frozen=True):
    """A signing request that is to be made, with a private key of its own."""

    name: str
    domains: Sequence[str]
    """As typed."""
    key_type: str | None = None
    """None: that of the request there is, else the configured one."""
    subject: str | None = None
    """`O=Acme Ltd,C=DE`; None: that of the request there is, else none."""
    replace: bool = False
    """Give up a request of that name that asks for something else."""


class CheckResult(Struct, frozen=True, kw_only=True):
    """One line of the checklist."""

    id: str
    """`parse`, `key-match` …."""
    title: str
    """For people: `Key belongs to certificate`."""
    status: str
    """`pass`, `warn`, `fail`, `skip`."""
    detail: str
    """One or two sentences."""
    fix: str = ""
    """What to do; empty when there is nothing to do."""
    forced: bool = False
    """It failed, and `force` let it pass."""


class LeftOut(Struct, frozen=True, kw_only=True):
    """A certificate or a key that was given and is not used."""

    kind: str
    """`certificate`, `root`, `key`."""
    what: str
    """A certificate's subject, a key's type. Data from outside, cleaned."""
    not_after: datetime | None = None
    sha256: str = ""


class UploadCheck(Struct, frozen=True, kw_only=True):
    """What the checks say of an upload. Holds no key."""

    accepted: bool
    """No check failed, or only such as were forced."""
    checks: tuple[CheckResult, ...]
    certificate: LineageStatus | None
    """What status would show once it is applied; None where there is no certificate in it."""
    current: LineageStatus | None = None
    """What the lineage has now, for a look at old and new side by side."""
    passphrase: str = ""
    """`needed` or `wrong`: ask for one and check again. Empty: none is missing."""
    found: tuple[str, ...] = ()
    """What was recognised, e.g. `1 certificate`, `1 key`, `2 in the chain`."""
    notes: tuple[str, ...] = ()
    """What was decided automatically: left out, completed, put in order."""
    left_out: tuple[LeftOut, ...] = ()
    """What was given and is not used."""
    is_reordered: bool = False
    """The certificates of the chain were given in another order than they are sent in."""
    request: str = ""
    """The open signing request that it answers: no key was given, and the key made with that request is used."""
    chain_state: str = ""
    """`complete`, `private` (complete but for trust: the root has to be on the clients), `open` (its end is not known here),
    `incomplete`, `refused`, `self-signed`. Empty: there is no certificate."""
    can_be_forced: bool = False
    """It is not accepted, and with `force` it would be."""
    can_be_fetched: bool = False
    """Something of its chain is missing, and the certificate says where that is: `fetch_chain` asks there."""

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        return tuple(each for each in self.checks if each.status == "fail" and not each.forced)

    @property
    def warnings(self) -> tuple[CheckResult, ...]:
        return tuple(each for each in self.checks if each.status == "warn" or each.forced)


class Imported(Struct, frozen=True, kw_only=True):
    """An upload that was applied."""

    check: UploadCheck
    status: LineageStatus
    unchanged: bool = False
    """The same pair was live already: nothing new was stored, it was deployed once more."""


class SigningRequest(Struct, frozen=True, kw_only=True):
    """A request that goes to a CA elsewhere. Its key is on this box, and not in here (CL-15)."""

    name: str
    domains: tuple[str, ...]
    """A-labels, `*.` names, addresses."""
    key_type: str
    subject: str
    """`O=Acme Ltd,C=DE`; empty for none."""
    created: datetime
    pem: str
    advice: tuple[str, ...] = ()
    """What one should know of these names, a sentence each."""
    is_new: bool = False
    """It was made just now."""
    is_lost: bool = False
    """Its private key is gone."""
