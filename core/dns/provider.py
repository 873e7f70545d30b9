"""The interface of a DNS provider: a table of fields, and an object that adds and removes single TXT values.

The table feeds the command line, the console's form, the help and the checks; there is no second list. **A provider never
loses a record that is not ours**: `change` adds and removes single values and leaves every other value and record unchanged.
Where an API writes only whole record sets or whole zones, the provider reads first, refuses to write back what it could not
read completely, and reads again afterwards.
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
"""The TTL to request; providers with a higher minimum use that."""


class TxtRecord(Struct, frozen=True, kw_only=True, order=True):
    """One value at one name. A name can have several values (wildcard and bare domain)."""

    name: str
    """Fully qualified, lower case, without a final dot; A-labels."""
    value: str
    """Unquoted. 43 characters of base64url for a challenge, longer for dns-persist-01."""


ENDPOINT = EntryField(
    key="endpoint",
    label="Endpoint",
    required=False,
    help="Another API URL, for example of a proxy or a test server.",
    check=web_address_problem,
)
HTTP_FIELDS = (ENDPOINT, CA_BUNDLE)
"""Fields that every provider with an HTTP API also has."""


class Access(Concealed, Struct, frozen=True, kw_only=True):
    """The context of a provider: one entry of the configuration, its decrypted secrets, and the ports."""

    name: str
    """Name of the entry, for messages."""
    kind: str
    settings: Mapping[str, str]
    """Every declared setting that has a value or a default."""
    secrets: Mapping[str, str]
    zones: tuple[str, ...] = ()
    """As configured; may be empty."""
    env: Environment
    cancel: CancelToken


Settle = Callable[[], None]
"""Waits for the provider's servers; called without the provider's lock. Raises DnsProviderError, Cancelled."""


class DnsProvider(Protocol):
    """One account at one provider. Calls come from one thread at a time, but not always from the same one."""

    def zones(self) -> tuple[str, ...]:
        """Return the zones of the account from all pages; lower case, no final dot.

        Empty if the API cannot list them. Raises DnsProviderError.
        """

    def change(self, zone: str, *, add: Sequence[TxtRecord] = (), remove: Sequence[TxtRecord] = ()) -> Settle | None:
        """Add and remove single TXT values of one zone, together if the API supports that.

        A value that already exists is not added twice, and a missing one is not an error. All other values stay unchanged, byte
        for byte. `zone` is empty for a kind with `has_zones=False`. The call may be repeated after any failure. Returns a function
        that waits until the provider reports the change on all its servers, or None if it does not report that.

        Raises DnsProviderError (`dns-provider-error`), Cancelled.
        """

    def close(self) -> None:
        """Close connections."""


class ProviderKind(EntryKind, frozen=True, kw_only=True):
    """One kind of provider as a table."""

    connect: Callable[[Access], DnsProvider]
    """Creates the provider; does not use the network yet."""
    has_zones: bool = True
    """False: names are not looked up in zones of the account (acme-dns, a hook)."""
    register: Callable[[Access], tuple[Mapping[str, str], Mapping[str, str]]] | None = None
    """Creates an account at the provider if none is given; returns further settings and secrets (acme-dns)."""
    takes_any: bool = False
    """Settings and secrets that are not in `fields` are passed on (as a hook's environment)."""
    most_values: int | None = None
    """Maximum number of values that a name can have at once, if there is a limit."""


def provider_error(
    access: Access, reason: str, what: str, why: str, fix: str, *, details: Mapping[str, object] | None = None
) -> DnsProviderError:
    """Return an error of a provider.

    Args:
        reason: a stable word for scripts: `credentials`, `permission`, `zone`, `address-not-allowed`, `no-api-access`,
            `rate-limited`, `unreachable`, `temporary`, `clock`, `conflict`, `not-clean`, `refused`.
    """
    return DnsProviderError(
        what, why, fix, details={"provider": access.name, "kind": access.kind, "reason": reason, **(details or {})}
    )
