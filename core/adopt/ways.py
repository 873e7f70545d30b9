"""How another client renews a certificate, as far as its own files say: values, without behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from core.concealed import Concealed


class Hook(Struct, frozen=True, kw_only=True):
    """A command that the client runs: shell text from outside, never run here."""

    kind: str
    """`pre`, `post`, `deploy`, `reload`, `auth`, `cleanup`."""
    text: str


class Installed(Struct, frozen=True, kw_only=True):
    """Where the client puts copies, which are what services read."""

    certificate: str = ""
    """Of the full chain."""
    key: str = ""
    chain: str = ""


class DnsAccess(Concealed, Struct, frozen=True, kw_only=True):
    """Access to a DNS provider, in the words of this box's kinds. Holds secrets."""

    kind: str
    settings: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


class Way(Struct, frozen=True, kw_only=True):
    """What decides how one certificate is renewed. Empty or None: the client's files do not say."""

    directory: str = ""
    """URL of the ACME directory."""
    host: str = ""
    """Host of the CA, where that is all that is known."""
    account_key: Path | None = None
    account_url: str = ""
    account_passphrase: Path | None = None
    """A file of the client's that holds, as `key` of a JSON object, what opens the account key."""
    challenge: str = ""
    """`http-01`, `dns-01`, or another one of RFC 8555."""
    webroots: tuple[str, ...] = ()
    address: str = ""
    port: int | None = None
    dns_name: str = ""
    """What the client calls its DNS plug-in."""
    dns: DnsAccess | None = None
    hooks: tuple[Hook, ...] = ()
    installed: Installed | None = None
    profile: str = ""
    preferred_chain: str = ""
    renew_days: int | None = None
    auto_renew: bool | None = None
    wanted_names: tuple[str, ...] = ()
    """What the client would order next time."""
    notes: tuple[str, ...] = ()
    """What cannot be taken over, in sentences."""
