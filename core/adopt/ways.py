"""Values: how another client renews a certificate, as far as its own files say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from core.concealed import Concealed


class Hook(Struct, frozen=True, kw_only=True):
    """A command that the client runs: foreign shell text, never run here."""

    kind: str
    """`pre`, `post`, `deploy`, `reload`, `auth`, `cleanup`."""
    text: str


class Installed(Struct, frozen=True, kw_only=True):
    """Where the client installs copies, which the services read."""

    certificate: str = ""
    """Of the full chain."""
    key: str = ""
    chain: str = ""


class DnsAccess(Concealed, Struct, frozen=True, kw_only=True):
    """Credentials for a DNS provider, in the fields of certdeck's own kinds. Contains secrets."""

    kind: str
    settings: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


class Way(Struct, frozen=True, kw_only=True):
    """How one certificate is renewed. Empty or None: the client's files do not say."""

    directory: str = ""
    """URL of the ACME directory."""
    host: str = ""
    """Host of the CA, if only that is known."""
    account_key: Path | None = None
    account_url: str = ""
    account_passphrase: Path | None = None
    """A file of the client that contains, as `key` of a JSON object, the passphrase of the account key."""
    challenge: str = ""
    """`http-01`, `dns-01`, or another type of RFC 8555."""
    webroots: tuple[str, ...] = ()
    address: str = ""
    port: int | None = None
    dns_name: str = ""
    """The client's name for its DNS plug-in."""
    dns: DnsAccess | None = None
    hooks: tuple[Hook, ...] = ()
    installed: Installed | None = None
    profile: str = ""
    preferred_chain: str = ""
    renew_days: int | None = None
    auto_renew: bool | None = None
    wanted_names: tuple[str, ...] = ()
    """The names that the client would order next time."""
    notes: tuple[str, ...] = ()
    """What cannot be taken over, in sentences."""
