"""GoDaddy, Domains API v1, with key and secret.

PATCH adds values next to others. No call removes a single one: the other values of the name are written again with PUT, as they
were read just before, and the name is deleted if none is left. Avoided here: PUT over the TXT records of the whole zone
(dehydrated's example), sending whole zones back (lexicon; it fails with CAA records), leaving empty records behind (Posh-ACME),
a bare 403 (`ACCESS_DENIED` means an account without API access or a domain in another account), missing the waiting time that is
only in the body of a 429.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from core.dns.api import Api, ApiResponse, StaleRead
from core.dns.changes import ATTEMPTS, NameChange, by_name, converge
from core.dns.field_checks import one_word
from core.dns.names import name_below
from core.dns.provider import HTTP_FIELDS, TTL_SECONDS, Access, EntryField, ProviderKind, TxtRecord, provider_error
from core.dns.txt import unquoted
from core.errors import DnsProviderError

ENDPOINT = "https://api.godaddy.com"
TITLE = "GoDaddy"
KEYS_PAGE = "the page “API Keys” of GoDaddy's developer portal"
LOWEST_TTL = 600
DOMAINS_A_PAGE = 1000
ASKED_ONE_BY_ONE = 3
"""Number of names; for more, all TXT records of the domain are read at once. GoDaddy allows 60 requests a minute."""
ACCESS_RULES = (
    "GoDaddy's API is available only to some accounts: from 2024 with 10 domains or a Discount Domain Club plan, since "
    "April 2026 with one purchased domain. Other accounts get ACCESS_DENIED."
)

Records = Mapping[str, Sequence[Mapping[str, Any]]]
"""Name → entries as read."""

_DUPLICATE = "DUPLICATE_RECORD"


class GoDaddy:
    """One key. See `core.dns.provider.DnsProvider`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._api = Api(access, ENDPOINT, title=TITLE)
        key, secret = (access.secrets.get(each, "").strip() for each in ("api_key", "api_secret"))
        self._headers = {"Authorization": f"sso-key {key}:{secret}"}

    def zones(self) -> tuple[str, ...]:
        found: dict[str, None] = {}
        marker = ""
        while True:
            query: dict[str, str | int] = {"statuses": "ACTIVE", "limit": DOMAINS_A_PAGE}
            if marker:
                query["marker"] = marker
            answer = self._ask("GET", "/v1/domains", query=query)
            if answer.status == 403:
                raise self._no_access(answer)
            names = [each.get("domain") for each in self._listed(answer, "")]
            new = [name for name in names if isinstance(name, str) and name.lower() not in found]
            if not new:
                return tuple(sorted(found))
            found |= dict.fromkeys(name.lower() for name in new)
            marker = new[-1]

    def change(self, zone: str, *, add: Sequence[TxtRecord] = (), remove: Sequence[TxtRecord] = ()) -> None:
        changes = by_name(add, remove)
        if changes:
            Pending(self, zone, changes).carry_out(self._access)

    def close(self) -> None:
        self._api.close()

    # -- records -------------------------------------------------------------------------------------------------------

    def records_at(self, zone: str, name: str) -> Sequence[Mapping[str, Any]]:
        """Return the TXT entries at a name, unchanged."""
        return self._listed(self._ask("GET", _path(zone, name)), zone)

    def all_records(self, zone: str) -> Records:
        """Return the TXT entries of all names."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        for each in self._listed(self._ask("GET", f"{_path(zone)}/TXT"), zone):
            below = str(each.get("name", "@")).lower()
            found.setdefault(zone if below == "@" else f"{below}.{zone}", []).append(each)
        return found

    def add(self, zone: str, records: Sequence[TxtRecord]) -> bool:
        """Add values next to others; False if GoDaddy already has one or is busy there, so that the records must be read again."""
        data = [
            {
                "type": "TXT",
                "name": name_below(each.name, zone) or "@",
                "data": each.value,
                "ttl": max(TTL_SECONDS, LOWEST_TTL),
            }
            for each in records
        ]
        answer = self._ask("PATCH", _path(zone), data=data)
        if answer.status == 409 or (answer.status == 422 and _DUPLICATE in _said(answer)):
            return False
        self._check(answer, zone)
        return True

    def remove(self, zone: str, name: str, values: Collection[str]) -> None:
        """Remove values of a name and keep all others."""
        failure: DnsProviderError | None = None
        for _ in range(ATTEMPTS):
            there = self.records_at(zone, name)
            rest = [each for each in there if unquoted(str(each.get("data", ""))) not in values]
            if len(rest) == len(there):
                return
            try:
                if rest:
                    answer = self._ask("PUT", _path(zone, name), data=rest, must_be_fresh=True)
                else:
                    answer = self._ask("DELETE", _path(zone, name), must_be_fresh=True)
            except StaleRead as stale:
                failure = stale.error
                continue
            if answer.status not in (404, 409):
                self._check(answer, zone)
            return
        assert failure is not None, "only what had to wait is tried again"
        raise failure

    # -- the API -------------------------------------------------------------------------------------------------------

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        data: object = None,
        must_be_fresh: bool = False,
    ) -> ApiResponse:
        return self._api.call(method, path, query=query, data=data, headers=self._headers, must_be_fresh=must_be_fresh)

    def _listed(self, answer: ApiResponse, zone: str) -> Sequence[Mapping[str, Any]]:
        self._check(answer, zone)
        found = answer.json
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise self._api.nonsense("Its response lacks the expected list.")
        return found

    def _check(self, answer: ApiResponse, zone: str) -> None:
        if not answer.is_ok:
            raise self._failure(answer, zone)

    # -- failures ------------------------------------------------------------------------------------------------------

    def _failure(self, answer: ApiResponse, zone: str) -> DnsProviderError:
        said = _said(answer)
        if not answer.fields:
            return self._api.nonsense(f"It returned {answer.status} without JSON.")
        if answer.status == 401:
            return self._api.credentials(
                said,
                f"Create a key on {KEYS_PAGE} for the environment Production (not OTE), and set key and secret again.",
            )
        if answer.status == 403:
            # The same code means an account without API access and a domain that is not in the account.
            if not self._ask("GET", "/v1/domains", query={"limit": 1}).is_ok:
                return self._no_access(answer)
            return self._not_ours(zone, said)
        if answer.status == 404 or (answer.status == 422 and "domain" in said.lower()):
            return self._not_ours(zone, said)
        return self._api.refused(
            f"GoDaddy refused a change in {zone}." if zone else "GoDaddy refused a request.",
            answer.status,
            said,
            "Check the domain's DNS page at GoDaddy. The message above names the conflict.",
        )

    def _no_access(self, answer: ApiResponse) -> DnsProviderError:
        return provider_error(
            self._access,
            "no-api-access",
            f"The account of {self._access.name} has no access to GoDaddy's API.",
            f"{ACCESS_RULES} It said: {self._api.words(_said(answer))}",
            "Ask GoDaddy's support to enable the API for the account. Or create, once, a CNAME for _acme-challenge at "
            "GoDaddy that points to a zone at another provider, and use that provider.",
        )

    def _not_ours(self, zone: str, said: str) -> DnsProviderError:
        return provider_error(
            self._access,
            "zone",
            f"The account of {self._access.name} at GoDaddy has no domain {zone} whose DNS it may change.",
            f"GoDaddy says: {self._api.words(said)}" if said else "GoDaddy gave no reason.",
            "Set the zone to the domain's name under Domains at GoDaddy. Check that it uses GoDaddy's name servers "
            "and that the key belongs to that account.",
        )


class Pending:
    """The changes that one call has to make."""

    def __init__(self, provider: GoDaddy, zone: str, changes: Mapping[str, NameChange]) -> None:
        self._provider = provider
        self._zone = zone
        self._changes = changes
        self._one_by_one = len(changes) <= ASKED_ONE_BY_ONE

    def carry_out(self, access: Access) -> None:
        converge(access, TITLE, self._changes, self._read, _values, self._write)

    def _read(self) -> Records:
        if self._one_by_one:
            return {name: self._provider.records_at(self._zone, name) for name in self._changes}
        return self._provider.all_records(self._zone)

    def _write(self, seen: Records, left: Mapping[str, NameChange]) -> None:
        missing = [
            TxtRecord(name=name, value=value)
            for name, change in left.items()
            for value in change.missing(_values(seen, name))
        ]
        if missing and not self._provider.add(self._zone, missing):
            self._one_by_one = True  # a list of all records that omits some would not help
            return
        for name, change in left.items():
            surplus = change.surplus(_values(seen, name))
            if surplus:
                self._provider.remove(self._zone, name, surplus)


def _values(seen: Records, name: str) -> list[str]:
    return [unquoted(str(each.get("data", ""))) for each in seen.get(name, ())]


def _path(zone: str, name: str | None = None) -> str:
    path = f"/v1/domains/{quote(zone, safe='')}/records"
    if name is None:
        return path
    return f"{path}/TXT/{quote(name_below(name, zone) or '@', safe='@*')}"


def _said(answer: ApiResponse) -> str:
    """Return GoDaddy's code and message, with the messages for single fields."""
    fields = answer.fields.get("fields")
    more = (
        [str(each.get("message", "")) for each in fields if isinstance(each, dict)] if isinstance(fields, list) else []
    )
    words = [str(answer.fields.get(key, "")) for key in ("code", "message")]
    return ": ".join(each for each in [*words, *more] if each)


KIND = ProviderKind(
    name="godaddy",
    title=TITLE,
    fields=(
        EntryField(
            key="api_key",
            label="API key",
            help=f"From {KEYS_PAGE}, environment Production.",
            secret=True,
            check=one_word,
        ),
        EntryField(
            key="api_secret",
            label="API secret",
            help="Shown once, when the key is created.",
            secret=True,
            check=one_word,
        ),
        *HTTP_FIELDS,
    ),
    help=f"Create a key for the environment Production on {KEYS_PAGE}. The account needs access to the API.",
    connect=GoDaddy,
    notes=(ACCESS_RULES, "TTLs are ten minutes or more, and 60 requests a minute are allowed."),
)
