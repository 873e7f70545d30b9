"""What a DNS provider is to certdeck: a table of fields, and something that adds and removes single TXT values.

The table feeds the command line, the console's form, the help and the checks; there is no second list. **A provider never
loses a record that is not ours**: `change` adds and removes single values, leaves every other value and record as it is, and
where its interface only writes whole sets or whole zones it reads first, refuses to write what it has not read cleanly, and
looks afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from core.concealed import Concealed
from core.errors import DnsProviderError
from core.fields import CA_BUNDLE as CA_BUNDLE
from core.fields import EntryField as EntryField
from core.fields import EntryKind, web_address_problem
from core.ports import CancelToken, Environment

TTL_SECONDS = 60
"""Asked for; providers with a higher floor take theirs."""


class TxtRecord(Struct, frozen=True, kw_only=True, order=True):
    """One value at one name. Several values stand beside each other at a name (wildcard and bare domain)."""

    name: str
    """Fully qualified, lower case, without a final dot; A-labels."""
    value: str
    """Unquoted. 43 characters of base64url for a proof, longer for dns-persist-01."""


ENDPOINT = EntryField(
    key="endpoint",
    label="Endpoint",
    required=False,
    help="Another API address, for example of a proxy or a test server.",
    check=web_address_problem,
)
HTTP_FIELDS = (ENDPOINT, CA_BUNDLE)
"""Every provider that is spoken to over HTTP takes these too."""


class Access(Concealed, Struct, frozen=True, kw_only=True):
    """What a provider works with: one entry of the configuration, its secrets opened, and the ports."""

    name: str
    """Of the entry, for sentences."""
    kind: str
    settings: Mapping[str, str]
    """Every declared setting that has a value or a default."""
    secrets: Mapping[str, str]
    zones: tuple[str, ...] = ()
    """As configured; may be empty."""
    env: Environment
    cancel: CancelToken


Settle = Callable[[], None]
"""Waits; called while others use the provider. Raises DnsProviderError, Cancelled."""


class DnsProvider(Protocol):
    """One account at one provider. Calls come from one thread at a time, but not always from the same one."""

    def zones(self) -> tuple[str, ...]:
        """Return the zones that the account holds, lower case, no final dot; all pages.

        Empty where the interface cannot list them. Raises DnsProviderError.
        """

    def change(self, zone: str, *, add: Sequence[TxtRecord] = (), remove: Sequence[TxtRecord] = ()) -> Settle | None:
        """Add and remove single TXT values of one zone, together where the interface can.

        A value that is there already is not added twice; one that is gone is not missed. What was there besides stays, byte
        for byte. `zone` is empty for a kind with `has_zones=False`. May be repeated after any failure. Returns what waits until
        the provider itself says that its servers have it, where it says so.

        Raises DnsProviderError (`dns-provider-error`), Cancelled.
        """

    def close(self) -> None:
        """Close connections."""


class ProviderKind(EntryKind, frozen=True, kw_only=True):
    """One provider as a table."""

    connect: Callable[[Access], DnsProvider]
    """Makes the provider; asks nothing of the network yet."""
    has_zones: bool = True
    """False: names are not looked up in zones of the account (acme-dns, a hook)."""
    register: Callable[[Access], tuple[Mapping[str, str], Mapping[str, str]]] | None = None
    """Makes an account at the provider where none is given; returns further settings and secrets (acme-dns)."""
    takes_any: bool = False
    """Settings and secrets beyond `fields` are passed on (a hook's environment)."""
    most_values: int | None = None
    """Values that may stand at one name at once, where that is limited."""


def provider_error(
    access: Access, reason: str, what: str, why: str, fix: str, *, details: Mapping[str, object] | None = None
) -> DnsProviderError:
    """Return the error of a provider.

    Args:
        reason: a stable word for scripts: `credentials`, `permission`, `zone`, `address-not-allowed`, `no-api-access`,
            `rate-limited`, `unreachable`, `temporary`, `clock`, `conflict`, `not-clean`, `refused`.
    """
    return DnsProviderError(
        what, why, fix, details={"provider": access.name, "kind": access.kind, "reason": reason, **(details or {})}
    )
