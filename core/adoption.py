"""The engine's results for certificates of other ACME clients: found, and taken over. Values without behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from core.concealed import Concealed


class AdoptRequest(Concealed, Struct, frozen=True):
    """A request to take over certificates of other clients."""

    names: Sequence[str] = ()
    every: bool = False
    """Take over all that can be, instead of `names`."""
    client: str | None = None
    folder: Path | None = None
    """Where to search; None: the usual places."""
    issuer: str | None = None
    """The CA of those certificates whose client does not record it."""
    passphrase: bytes | None = None
    """Passphrase of encrypted keys."""
    dry_run: bool = False
    """Only return what would be done."""


class TheirHook(Struct, frozen=True, kw_only=True):
    """A command of the other client. Foreign data."""

    kind: str
    """`pre`, `post`, `deploy`, `reload`, `auth`, `cleanup`."""
    text: str
    reload: str = ""
    """certdeck's own command instead; empty: the hook is not taken over."""


class Adoptable(Struct, frozen=True, kw_only=True):
    """One certificate of another client. Everything from its files is foreign data."""

    name: str
    """Its name here, which also selects it."""
    client: str
    client_name: str
    """The other client's name for it."""
    path: Path
    """Path of its full chain."""
    names: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None
    key_type: str = ""
    sha256: str = ""
    issued_by: str = ""
    directory: str = ""
    """URL of the ACME directory, if the client records it."""
    issuer: str = ""
    """Our issuer that would renew it; empty: it would not be renewed."""
    is_new_issuer: bool = False
    is_staging: bool = False
    account: Path | None = None
    """The file with the account key."""
    account_url: str = ""
    challenge: str = ""
    webroots: tuple[str, ...] = ()
    dns: str = ""
    """The kind of DNS provider that its credentials are for."""
    dns_name: str = ""
    """The client's name for its DNS plug-in."""
    hooks: tuple[TheirHook, ...] = ()
    used_by: tuple[str, ...] = ()
    """Paths of copies of this certificate, and configuration files of services that name it."""
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
    """A certificate that was taken over, or would be in a dry run."""

    name: str
    client: str
    version: int | None = None
    """None in a dry run."""
    unchanged: bool = False
    """It was already here."""
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
    """Foreign data."""
    off: str
    """How to disable it."""
    names: tuple[str, ...] = ()
    """Certificates that certdeck and this client would both renew."""


class Adoption(Struct, frozen=True, kw_only=True):
    """What was found, and the result for each name to take over."""

    found: tuple[Adoptable, ...] = ()
    adopted: tuple[Adopted, ...] = ()
    failed: tuple[NotAdopted, ...] = ()
    timers: tuple[OtherTimer, ...] = ()
    left_out: tuple[str, ...] = ()
    """Names that `--all` does not take over, because another account can change their files."""
    dry_run: bool = False
    closed: tuple[Path, ...] = ()
    """Folders of other clients that this user may not read: their certificates are not listed."""
