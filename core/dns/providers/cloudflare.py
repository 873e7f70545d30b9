"""Cloudflare, API v4, with an API token.

Records have IDs: ours are removed by the ID of the record with exactly our value. All changes of a call go in one batch, which
Cloudflare applies completely or not at all. Avoided here: reading the quotes around values in newer responses as part of the
value (records are left behind); treating "already exists" after a lost response as a failure (certbot); reading only the first
page of zones or records; a name that is not in the zone of `zone_id`, which Cloudflare silently creates below that zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any
from urllib.parse import quote

from core.dns.api import Api, ApiResponse
from core.dns.changes import ATTEMPTS, PAUSE_SECONDS, NameChange, by_name, contested
from core.dns.field_checks import one_word
from core.dns.provider import HTTP_FIELDS, TTL_SECONDS, Access, EntryField, ProviderKind, TxtRecord, provider_error
from core.dns.providers.cloudflare_failures import ALREADY_GONE, ALREADY_THERE, TOKENS_PAGE, Failures, codes_of
from core.dns.txt import quoted, unquoted

ENDPOINT = "https://api.cloudflare.com/client/v4"
TITLE = "Cloudflare"
ZONES_A_PAGE = 50
RECORDS_A_PAGE = 100
ALL_RECORDS_A_PAGE = 1000
CHANGES_A_BATCH = 200
"""The limit of the Free plan; other plans allow more."""
ASKED_ONE_BY_ONE = 3
"""Number of names; for more, all TXT records of the zone are read at once."""

NO_SUCH_CALL = (400, 404, 405, 501)
NO_ROUTE = {7000, 7001}
_PROOF = re.compile(r"[A-Za-z0-9_-]{1,255}")
_GLOBAL_KEY = re.compile(r"[0-9a-f]{37}")
_ZONE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Cloudflare:
    """One API token. See `core.dns.provider.DnsProvider`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._api = Api(access, ENDPOINT, title=TITLE)
        self._token = access.secrets.get("api_token", "").strip()
        self._chosen = access.settings.get("zone_id", "").strip()
        self._failures = Failures(access, self._api, self._ask)
        self._ids: dict[str, str] = {}

    def zones(self) -> tuple[str, ...]:
        if not self._chosen:
            self._ids = self._listed()
            return tuple(sorted(self._ids))
        path = f"/zones/{quote(self._chosen, safe='')}"
        answer = self._ask("GET", path)
        if answer.is_ok:
            return (self._name_of(_result(answer)),)
        if answer.status != 403:
            raise self._failures.of(answer, "")
        # The token may be allowed to write records but not to read the zone itself; then its name is the configured one.
        self._want(self._ask("GET", f"{path}/dns_records", query={"type": "TXT", "per_page": RECORDS_A_PAGE}), "")
        return self._access.zones

    def change(self, zone: str, *, add: Sequence[TxtRecord] = (), remove: Sequence[TxtRecord] = ()) -> None:
        changes = by_name(add, remove)
        if not changes:
            return
        path = f"/zones/{quote(self._id_of(zone), safe='')}/dns_records"
        clock = self._access.env.clock
        for attempt in range(ATTEMPTS):
            if attempt:
                clock.sleep(self._access.env.random.uniform(*PAUSE_SECONDS), self._access.cancel)
            if self._batches(path, zone, self._actions(self._records(path, zone, changes), changes)):
                return
        raise contested(self._access, TITLE, next(iter(changes)))

    def close(self) -> None:
        self._api.close()

    # -- records -------------------------------------------------------------------------------------------------------

    def _records(self, path: str, zone: str, changes: Mapping[str, NameChange]) -> list[Mapping[str, Any]]:
        """Return the TXT records at the names in question.

        A record that is removed while we read shifts those on later pages, so that one is missed. A result of more than one page is
        therefore read until two reads agree.
        """
        queries: list[dict[str, str | int]] = [{"per_page": ALL_RECORDS_A_PAGE}]
        if len(changes) <= ASKED_ONE_BY_ONE:
            queries = [{"name": name, "per_page": RECORDS_A_PAGE} for name in changes]
        seen: dict[str, Mapping[str, Any]] = {}
        for attempt in range(ATTEMPTS):
            found: dict[str, Mapping[str, Any]] = {}
            pages = 0
            for query in queries:
                for page in self._pages(path, {"type": "TXT", **query}, zone):
                    pages += 1
                    found |= {self._id_in(each): each for each in page if _name_in(each) in changes}
            if pages <= len(queries) or (attempt and found.keys() == seen.keys()):
                return [each for each in found.values() if each.get("type") == "TXT"]
            seen = found
        raise contested(self._access, TITLE, next(iter(changes)))

    def _actions(
        self, records: Sequence[Mapping[str, Any]], changes: Mapping[str, NameChange]
    ) -> list[tuple[str, Mapping[str, Any]]]:
        """Return the remaining actions, in the order in which Cloudflare applies them."""
        deletes: list[tuple[str, Mapping[str, Any]]] = []
        there: dict[str, set[str]] = {name: set() for name in changes}
        for record in records:
            name, value = _name_in(record), unquoted(str(record.get("content", "")))
            if value in changes[name].remove:
                deletes.append(("deletes", {"id": self._id_in(record)}))
            there[name].add(value)
        posts = [
            ("posts", {"type": "TXT", "name": name, "content": _written(value), "ttl": TTL_SECONDS})
            for name, change in changes.items()
            for value in change.missing(there[name])
        ]
        return [*deletes, *posts]

    def _batches(self, path: str, zone: str, actions: Sequence[tuple[str, Mapping[str, Any]]]) -> bool:
        """Send actions; False if another client made one of the changes first, so that the records must be read again."""
        for start in range(0, len(actions), CHANGES_A_BATCH):
            some = actions[start : start + CHANGES_A_BATCH]
            data = {
                kind: [action for each, action in some if each == kind]
                for kind in dict.fromkeys(each for each, _ in some)
            }
            answer = self._ask("POST", f"{path}/batch", data=data)
            codes = codes_of(answer)
            if not answer.is_ok and codes & (ALREADY_THERE | ALREADY_GONE):
                return False
            if answer.status in NO_SUCH_CALL and (codes & NO_ROUTE or (not codes and answer.status != 400)):
                return self._singly(path, zone, actions)
            made = self._want(answer, zone)
            self._check_names(path, zone, data.get("posts", []), made.get("posts") if isinstance(made, dict) else None)
        return True

    def _singly(self, path: str, zone: str, actions: Sequence[tuple[str, Mapping[str, Any]]]) -> bool:
        """Send actions one by one, as before there were batches: for proxies that allow only the older calls."""
        made = []
        for kind, action in actions:
            if kind == "deletes":
                answer = self._ask("DELETE", f"{path}/{quote(str(action['id']), safe='')}")
                if answer.status != 404 and not codes_of(answer) & ALREADY_GONE:
                    self._want(answer, zone)
                continue
            answer = self._ask("POST", path, data=action)
            if not codes_of(answer) & ALREADY_THERE:
                made.append(self._want(answer, zone))
        self._check_names(path, zone, [action for kind, action in actions if kind == "posts"], made)
        return True

    def _check_names(self, path: str, zone: str, sent: Sequence[Mapping[str, Any]], made: object) -> None:
        """Remove records that were created at a different name than requested: the name was not in this zone."""
        wanted = {each["name"] for each in sent}
        astray = [
            record
            for record in (made if isinstance(made, list) else [])
            if isinstance(record, dict) and _name_in(record) not in wanted
        ]
        if not astray:
            return
        self._batches(path, zone, [("deletes", {"id": self._id_in(each)}) for each in astray])
        raise provider_error(
            self._access,
            "zone",
            f"The zone_id of {self._access.name} is not that of {zone}.",
            f"Cloudflare created the record {self._api.words(str(astray[0].get('name')))} It was removed again.",
            "Set zone_id to the Zone ID on the overview page of the domain, or omit it: certdeck then looks the zone up.",
        )

    # -- zones ---------------------------------------------------------------------------------------------------------

    def _id_of(self, zone: str) -> str:
        if self._chosen:
            return self._chosen
        if zone not in self._ids:
            self._ids = self._listed()
        if zone in self._ids:
            return self._ids[zone]
        seen = f"It has access to {', '.join(sorted(self._ids)[:5])}." if self._ids else "It has access to no zone."
        raise provider_error(
            self._access,
            "zone",
            f"The API token of {self._access.name} has no access to the zone {zone}.",
            seen,
            f"On {TOKENS_PAGE}, include {zone} in the token's Zone Resources and add the permission Zone: Zone: "
            "Read to Zone: DNS: Edit. Or set zone_id, which does not need Zone: Read.",
        )

    def _listed(self) -> dict[str, str]:
        """Return name → ID of every zone that the token can access; an active zone takes precedence over others with its name."""
        found: dict[str, str] = {}
        active: set[str] = set()
        for zone in chain.from_iterable(self._pages("/zones", {"per_page": ZONES_A_PAGE})):
            name = self._name_of(zone)
            if name not in active:
                found[name] = self._id_in(zone)
            if zone.get("status") == "active":
                active.add(name)
        return found

    # -- the API -------------------------------------------------------------------------------------------------------

    def _ask(
        self, method: str, path: str, *, query: Mapping[str, str | int] | None = None, data: object = None
    ) -> ApiResponse:
        headers = {"Authorization": f"Bearer {self._token}"}
        return self._api.call(method, path, query=query, data=data, headers=headers)

    def _pages(self, path: str, query: Mapping[str, str | int], zone: str = "") -> Iterator[list[Mapping[str, Any]]]:
        page = 1
        while True:
            answer = self._ask("GET", path, query={**query, "page": page})
            result = self._want(answer, zone)
            if not isinstance(result, list) or not all(isinstance(each, dict) for each in result):
                raise self._api.nonsense("Its response lacks the expected list.")
            yield result
            info = answer.fields.get("result_info")
            pages = info.get("total_pages") if isinstance(info, dict) else None
            if not result or not isinstance(pages, int) or page >= pages:
                return
            page += 1

    def _want(self, answer: ApiResponse, zone: str) -> Any:
        """Return the result of a successful call; raise DnsProviderError for any other."""
        if answer.is_ok and answer.fields.get("success") is True:
            return answer.fields.get("result")
        raise self._failures.of(answer, zone)

    def _id_in(self, record: Mapping[str, Any]) -> str:
        id = record.get("id")
        if not isinstance(id, str) or not id:
            raise self._api.nonsense("It returned a record or a zone without an ID.")
        return id

    def _name_of(self, zone: object) -> str:
        name = _name_in(zone) if isinstance(zone, dict) else ""
        if not name:
            raise self._api.nonsense("It returned a zone without a name.")
        return name


def _name_in(thing: Mapping[str, Any]) -> str:
    """Return the name of a record or a zone in A-labels; Cloudflare has returned both forms."""
    name = str(thing.get("name") or "").rstrip(".").lower()
    try:
        return name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        return name


def _written(value: str) -> str:
    """Return a value as it is sent: a challenge value unquoted, which every version of the API accepts; others quoted."""
    return value if _PROOF.fullmatch(value) else quoted(value)


def _result(answer: ApiResponse) -> Any:
    return answer.fields.get("result")


def _check_token(token: str) -> str | None:
    bare = token.strip()
    if _GLOBAL_KEY.fullmatch(bare):
        return "This is a Global API Key. Use an API token, which can be limited to DNS."
    return one_word(bare)


def _check_zone_id(id: str) -> str | None:
    if _ZONE_ID.fullmatch(id.strip()):
        return None
    return "A Zone ID is one word of letters and digits, shown on the overview page of the domain."


KIND = ProviderKind(
    name="cloudflare",
    title=TITLE,
    fields=(
        EntryField(
            key="api_token",
            label="API token",
            help="From My Profile, API Tokens, template “Edit zone DNS”; not the Global API Key.",
            secret=True,
            check=_check_token,
        ),
        EntryField(
            key="zone_id",
            label="Zone ID",
            help="From the overview page of the domain. Needed only for a token that may not read zones.",
            required=False,
            check=_check_zone_id,
        ),
        *HTTP_FIELDS,
    ),
    help="Create an API token with the permission Zone: DNS: Edit for the zone. Add Zone: Zone: Read, or set the Zone ID.",
    connect=Cloudflare,
)
