"""acme-dns: a small name server that serves only challenge records; `_acme-challenge` points to it by a CNAME.

An account is one name of that server and holds two values; a third one replaces the oldest. Values cannot be read or
removed, and only values of exactly 43 characters are accepted.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

from core.dns.api import Api, ApiResponse
from core.dns.provider import CA_BUNDLE, Access, EntryField, ProviderKind, TxtRecord, provider_error
from core.errors import DnsProviderError
from core.fields import web_address_problem

TITLE = "acme-dns"
MOST_VALUES = 2

_PROOF = re.compile(r"[A-Za-z0-9_-]{43}")


class AcmeDns:
    """One account. See `core.dns.provider.DnsProvider`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._api = Api(access, "", title=TITLE)
        self._subdomain = access.settings["subdomain"]

    def zones(self) -> tuple[str, ...]:
        return ()

    def change(self, zone: str, *, add: Sequence[TxtRecord] = (), remove: Sequence[TxtRecord] = ()) -> None:
        """Add values. Values to remove stay until others replace them: acme-dns cannot remove any."""
        for record in add:
            self._check(record)
        values = [*dict.fromkeys(record.value for record in add)]
        if len(values) > MOST_VALUES:
            raise provider_error(
                self._access,
                "refused",
                f"acme-dns cannot store {len(values)} values at once.",
                f"An account stores {MOST_VALUES}.",
                "Create a separate account and provider entry for each domain.",
            )
        for value in values:
            self._update(value)

    def close(self) -> None:
        self._api.close()

    def _update(self, value: str) -> None:
        headers = {"X-Api-User": self._access.settings["username"], "X-Api-Key": self._access.secrets["password"]}
        answer = self._api.call("POST", "/update", headers=headers, data={"subdomain": self._subdomain, "txt": value})
        if answer.is_ok and answer.fields.get("txt") == value:
            return
        raise self._failure(answer)

    # -- failures ------------------------------------------------------------------------------------------------------

    def _check(self, record: TxtRecord) -> None:
        if not _PROOF.fullmatch(record.value):
            raise provider_error(
                self._access,
                "refused",
                f"acme-dns rejected the value for {record.name}.",
                "It accepts only dns-01 values, which have 43 characters.",
                "Use the challenge dns-01 with this entry, or another provider.",
            )
        if record.name.partition(".")[0] != self._subdomain.lower():
            target = self._access.settings.get("fulldomain") or f"{self._subdomain}.(the domain of your acme-dns)"
            raise provider_error(
                self._access,
                "zone",
                f"{record.name} does not point to the acme-dns account of {self._access.name}.",
                "The CA queries that name, but the account can change only its own name.",
                f"Create a CNAME record from {record.name} to {target}. If this box cannot see that record, set it: "
                f"certdeck dns add {self._access.name} --replace … --delegate {record.name}={target}.",
                details={"cname": record.name, "target": target},
            )

    def _failure(self, answer: ApiResponse) -> DnsProviderError:
        said = answer.fields.get("error")
        said = said if isinstance(said, str) else ""
        if answer.status in (401, 403):
            return self._api.credentials(
                said,
                "Check `username`, `subdomain` and `password`: all three come from one registration. If the account "
                "was registered with allowed networks, one of them must contain this box's address.",
            )
        if answer.is_ok or not said:
            return self._api.nonsense(f"It returned {answer.status} without an acme-dns response.")
        return self._api.refused(
            "acme-dns refused a value.",
            answer.status,
            said,
            "Check `subdomain`: it is the first part of the account's full domain, a UUID.",
        )


def register(access: Access) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Register an account; return its settings, including the CNAME target (`fulldomain`), and its secrets.

    Raises DnsProviderError, Cancelled.
    """
    api = Api(access, "", title=TITLE)
    networks = access.settings.get("allow_from", "").replace(",", " ").split()
    try:
        answer = api.call("POST", "/register", data={"allowfrom": networks} if networks else {}, repeat=False)
    finally:
        api.close()
    found: Mapping[str, Any] = answer.fields
    keys = ("subdomain", "username", "password", "fulldomain")
    if answer.is_ok and all(isinstance(found.get(key), str) and found[key] for key in keys):
        settings = {key: found[key] for key in ("subdomain", "username", "fulldomain")}
        return settings, {"password": found["password"]}
    said = found.get("error")
    if answer.status in (401, 403, 404, 405):
        raise provider_error(
            access,
            "permission",
            "This acme-dns server does not accept registrations.",
            f"It returned {answer.status} to a registration.",
            "Check `endpoint`. Or ask the server's operator for an account and set its `subdomain`, `username` and the "
            "secret `password`.",
        )
    if answer.is_ok or not isinstance(said, str):
        raise api.nonsense(f"It returned {answer.status} to a registration, without an account.")
    raise api.refused(
        "acme-dns refused the registration.",
        answer.status,
        said,
        "Check `allow_from`: it lists networks such as 192.0.2.0/24.",
    )


def _check_endpoint(endpoint: str) -> str | None:
    return web_address_problem(endpoint, "https://auth.example.org")


def _check_networks(networks: str) -> str | None:
    for network in networks.replace(",", " ").split():
        try:
            ipaddress.ip_network(network)
        except ValueError:
            return f"{network} is not a network; write, for example, 192.0.2.0/24"
    return None


KIND = ProviderKind(
    name="acme-dns",
    title=TITLE,
    fields=(
        EntryField(
            key="endpoint",
            label="Endpoint",
            help="URL of the acme-dns server, for example https://auth.example.org.",
            check=_check_endpoint,
        ),
        EntryField(
            key="subdomain", label="Subdomain", help="Of the account. Leave all three empty to register a new account."
        ),
        EntryField(key="username", label="User name", help="Of the account."),
        EntryField(key="password", label="Password", help="Of the account.", secret=True),
        EntryField(
            key="fulldomain",
            label="Full domain",
            help="The target of the _acme-challenge CNAME records.",
            required=False,
        ),
        EntryField(
            key="allow_from",
            label="Allowed networks",
            help="For a registration: the networks that may change the values, separated by commas. Empty: all.",
            required=False,
            check=_check_networks,
        ),
        CA_BUNDLE,
    ),
    help="Set only the endpoint to register an account. Then create, once, a CNAME record from _acme-challenge.DOMAIN to its full "
    "domain.",
    connect=AcmeDns,
    has_zones=False,
    register=register,
    most_values=MOST_VALUES,
    notes=(
        "An account stores two values: for a domain and its wildcard. Add one entry for each domain.",
        "Values cannot be removed. They stay until the next two replace them, and are harmless.",
    ),
)
