"""What the front ends get of certificates that other ACME clients manage here: found, taken over. Values without behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from core.concealed import Concealed


class AdoptRequest(Concealed, Struct, frozen=True):
    """Certificates of other clients that are to be taken over."""

    names: Sequence[str] = ()
    every: bool = False
    """All that can be, instead of `names`."""
    client: str | None = None
    folder: Path | None = None
    """Where to look; None: in the usual places."""
    issuer: str | None = None
    """The CA of those whose client does not say which."""
    passphrase: bytes | None = None
    """Of encrypted keys."""
    dry_run: bool = False
    """Say what would be done, and do nothing."""


class TheirHook(Struct, frozen=True, kw_only=True):
    """A command of the other client's. Data from outside."""

    kind: str
    """`pre`, `post`, `deploy`, `reload`, `auth`, `cleanup`."""
    text: str
    reload: str = ""
    """What certdeck does instead; empty: it is not translated."""


class Adoptable(Struct, frozen=True, kw_only=True):
    """One certificate of another client. Whatever comes from its files is data from outside."""

    name: str
    """What it would be called here, and what selects it."""
    client: str
    client_name: str
    """What the other client calls it."""
    path: Path
    """Of its full chain."""
    names: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None
    key_type: str = ""
    sha256: str = ""
    issued_by: str = ""
    directory: str = ""
    """URL of the ACME directory, as far as the client says."""
    issuer: str = ""
    """The issuer here that it would be renewed at; empty: it would not be renewed."""
    is_new_issuer: bool = False
    is_staging: bool = False
    account: Path | None = None
    """The file with the account key."""
    account_url: str = ""
    challenge: str = ""
    webroots: tuple[str, ...] = ()
    dns: str = ""
    """The kind of DNS provider that its credentials fit."""
    dns_name: str = ""
    """What the client calls its DNS plug-in."""
    hooks: tuple[TheirHook, ...] = ()
    used_by: tuple[str, ...] = ()
    """Paths where a copy of this certificate is, and configuration files of services that name it."""
    expired: bool = False
    revoked: bool = False
    state: str = "new"
    """`new`, `adopted` (the same certificate is here), `taken` (another one has its name), `unusable`."""
    problem: str = ""
    """Why it cannot be taken over, in a sentence."""
    fix: str = ""
    notes: tuple[str, ...] = ()
    """What cannot be taken over, in sentences."""


class Adopted(Struct, frozen=True, kw_only=True):
    """A certificate that was taken over, or with a dry run would be."""

    name: str
    client: str
    version: int | None = None
    """None with a dry run."""
    unchanged: bool = False
    """It was here already."""
    steps: tuple[str, ...] = ()
    """What was done for it, in sentences."""
    left: tuple[str, ...] = ()
    """What was not taken over, in sentences."""


class NotAdopted(Struct, frozen=True, kw_only=True):
    """A name that could not be taken over, and why."""

    name: str
    code: str
    what: str
    why: str
    fix: str


class OtherTimer(Struct, frozen=True, kw_only=True):
    """What makes another client renew."""

    client: str
    file: Path
    line: str
    """Data from outside."""
    off: str
    """How it is switched off."""
    names: tuple[str, ...] = ()
    """Certificates that certdeck and this client would both renew."""


class Adoption(Struct, frozen=True, kw_only=True):
    """What was found, and what came of the names that were to be taken over."""

    found: tuple[Adoptable, ...] = ()
    adopted: tuple[Adopted, ...] = ()
    failed: tuple[NotAdopted, ...] = ()
    timers: tuple[OtherTimer, ...] = ()
    left_out: tuple[str, ...] = ()
    """Names that `--all` does not take over, because another account can change their files."""
    dry_run: bool = False
    closed: tuple[Path, ...] = ()
    """Folders of other clients that this user may not read: what is in them is not listed."""
