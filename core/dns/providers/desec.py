"""deSEC, API v1, with a token.

It has only record sets. A new set is created with POST, which fails if another client was faster. An existing one is changed
with PATCH without a TTL, which fails if the set has just been removed. Both are read back afterwards. Avoided here: POST or
PUT over the values of other clients (lexicon, certbot-dns-desec), a new TTL for an existing set, TTLs below the domain's
`minimum_ttl`, one request for each name (15 writes a minute are allowed), ignoring Retry-After, following links in a response
to other hosts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, quote

from core.dns.api import Api, ApiResponse
from core.dns.changes import NameChange, by_name, converge
from core.dns.field_checks import one_word
from core.dns.names import name_below
from core.dns.provider import HTTP_FIELDS, Access, EntryField, ProviderKind, TxtRecord, provider_error
from core.dns.txt import quoted, unquoted
from core.errors import DnsProviderError
from core.web_address import joined, split_address

ENDPOINT = "https://desec.io/api/v1"
TITLE = "deSEC"
LOWEST_TTL = 3600
"""For domains that do not state a minimum."""
ASKED_ONE_BY_ONE = 3
"""Number of names; for more, all TXT sets of the domain are read at once."""
MOST_PAGES = 1000

Sets = Mapping[str, Sequence[str]]
"""Name → values as read."""

_NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?')
_SOMEBODY_FASTER = ("another rrset with the same", "this field is required")
"""In refusals of a POST if the set exists by now, and of a PATCH if it no longer exists."""


class Desec:
    """One token. See `core.dns.provider.DnsProvider`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._api = Api(access, ENDPOINT, title=TITLE)
        self._token = access.secrets.get("api_token", "").strip()
        self._lowest: dict[str, int] = {}

    def zones(self) -> tuple[str, ...]:
        found = []
        for domain in self._pages("/domains/", {}):
            name = domain.get("name")
            if not isinstance(name, str) or not name:
                raise self._api.nonsense("It returned a domain without a name.")
            self._lowest[name.lower()] = _ttl_in(domain)
            found.append(name.lower())
        return tuple(sorted(found))

    def change(self, zone: str, *, add: Sequence[TxtRecord] = (), remove: Sequence[TxtRecord] = ()) -> None:
        changes = by_name(add, remove)
        if not changes:
            return
        ttl = self._lowest_ttl(zone)
        converge(
            self._access,
            TITLE,
            changes,
            read=lambda: self._read(zone, changes),
            values=lambda seen, name: [unquoted(text) for text in seen.get(name, ())],
            write=lambda seen, left: self._write(zone, ttl, seen, left),
        )

    def close(self) -> None:
        self._api.close()

    # -- sets ----------------------------------------------------------------------------------------------------------

    def _read(self, zone: str, changes: Mapping[str, NameChange]) -> Sets:
        path = f"/domains/{quote(zone)}/rrsets/"
        if len(changes) > ASKED_ONE_BY_ONE:
            sets = {
                f"{each.get('subname')}.{zone}".removeprefix("."): each for each in self._pages(path, {"type": "TXT"})
            }
            return {name: self._values_in(sets[name]) for name in changes if name in sets}
        found = {}
        for name in changes:
            answer = self._ask("GET", f"{path}{quote(name_below(name, zone) or '@', safe='@*')}/TXT/")
            if answer.status != 404:
                found[name] = self._values_in(self._want(answer, zone))
        return found

    def _write(self, zone: str, ttl: int, seen: Sets, left: Mapping[str, NameChange]) -> None:
        new: list[dict[str, object]] = []
        standing: list[dict[str, object]] = []
        for name, change in left.items():
            texts = seen.get(name, ())
            values = [unquoted(text) for text in texts]
            records = [text for text, value in zip(texts, values, strict=True) if value not in change.remove]
            records += [quoted(value) for value in change.missing(values)]
            rrset: dict[str, object] = {"subname": name_below(name, zone), "type": "TXT", "records": records}
            if texts:
                standing.append(rrset)
            else:
                new.append({**rrset, "ttl": ttl})
        for method, some in (("PATCH", standing), ("POST", new)):
            if some:
                answer = self._ask(method, f"/domains/{quote(zone)}/rrsets/", data=some)
                if answer.status == 400 and any(words in _said(answer).lower() for words in _SOMEBODY_FASTER):
                    return
                self._want(answer, zone)

    def _lowest_ttl(self, zone: str) -> int:
        if zone not in self._lowest:
            answer = self._ask("GET", f"/domains/{quote(zone)}/")
            if answer.status == 404:
                raise provider_error(
                    self._access,
                    "zone",
                    f"The account of {self._access.name} at deSEC has no domain {zone}.",
                    "deSEC returned 404: Not found.",
                    f"Add {zone} as a domain at deSEC, or set the zone to the domain's name there. A token with policies "
                    "must cover it.",
                )
            self._lowest[zone] = _ttl_in(self._want(answer, zone))
        return self._lowest[zone]

    def _values_in(self, rrset: object) -> tuple[str, ...]:
        records = rrset.get("records") if isinstance(rrset, dict) else None
        if not isinstance(records, list) or not all(isinstance(text, str) for text in records):
            raise self._api.nonsense("It returned a record set without records.")
        return tuple(records)

    # -- the API -------------------------------------------------------------------------------------------------------

    def _ask(
        self, method: str, path: str, *, query: Mapping[str, str | int] | None = None, data: object = None
    ) -> ApiResponse:
        headers = {"Authorization": f"Token {self._token}"}
        return self._api.call(method, path, query=query, data=data, headers=headers, must_be_fresh=method == "PATCH")

    def _pages(self, path: str, query: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        """Yield the objects of all pages. Only the cursor of a next-page link is used: the token is never sent to another host."""
        cursor = ""
        for _ in range(MOST_PAGES):
            answer = self._ask("GET", path, query={**query, "cursor": cursor})
            some = self._want(answer, "")
            if not isinstance(some, list) or not all(isinstance(each, dict) for each in some):
                raise self._api.nonsense("Its response lacks the expected list.")
            yield from some
            following = _NEXT.search(answer.headers.get("link", ""))
            parts = split_address(joined(self._api.endpoint, following[1]) or "") if following else None
            cursors = parse_qs(parts.query).get("cursor") if parts else None
            if not cursors:
                return
            cursor = cursors[0]
        raise self._api.nonsense("Its list of pages does not end.")

    def _want(self, answer: ApiResponse, zone: str) -> Any:
        """Return the JSON of a successful call; raise DnsProviderError for any other."""
        if answer.is_ok and (answer.json is not None or answer.status == 204):
            return answer.json
        raise self._failure(answer, zone)

    # -- failures ------------------------------------------------------------------------------------------------------

    def _failure(self, answer: ApiResponse, zone: str) -> DnsProviderError:
        said = _said(answer)
        if answer.is_ok or answer.json is None:
            return self._api.nonsense(f"It returned {answer.status} without JSON.")
        if answer.status == 401:
            return self._api.credentials(
                said,
                "Create a token in Token Management at deSEC and set it again. A token that worked before may have "
                "expired, or be limited to other addresses (allowed subnets).",
            )
        if answer.status == 403:
            return provider_error(
                self._access,
                "permission",
                f"The token of {self._access.name} lacks permission for this{f' in {zone}' if zone else ''}.",
                f"deSEC says: {self._api.words(said)}" if said else "deSEC gave no reason.",
                "In Token Management at deSEC, add a policy to the token that allows writing TXT records of the "
                "domain. A token without policies may change everything.",
            )
        if "conflicting type present" in said:
            return provider_error(
                self._access,
                "conflict",
                f"A TXT record cannot be created in {zone}, because there is a CNAME with that name.",
                f"deSEC says: {self._api.words(said)}",
                "Remove the CNAME. Or set its target as a delegation, and use the provider of the target's zone.",
            )
        return self._api.refused(
            f"deSEC refused a change in {zone}." if zone else "deSEC refused a request.",
            answer.status,
            said,
            "Check the domain's records at deSEC. The message above names the conflict.",
        )


def _ttl_in(domain: object) -> int:
    ttl = domain.get("minimum_ttl") if isinstance(domain, dict) else None
    return ttl if isinstance(ttl, int) and ttl > 0 else LOWEST_TTL


def _said(answer: ApiResponse) -> str:
    """Return the messages of a refusal: `{"detail": …}`, `{field: [message]}`, or a list of such objects."""
    sentences: dict[str, None] = {}
    left: list[object] = [answer.json]
    while left and len(sentences) < 5:
        each = left.pop(0)
        if isinstance(each, str):
            sentences[each] = None
        elif isinstance(each, list):
            left += each
        elif isinstance(each, dict):
            left += [
                [f"{key}: {words}" for words in value if isinstance(words, str)]
                if isinstance(value, list) and key not in ("detail", "non_field_errors")
                else value
                for key, value in each.items()
            ]
    return " ".join(sentences)


KIND = ProviderKind(
    name="desec",
    title=TITLE,
    fields=(
        EntryField(
            key="api_token",
            label="Token",
            help="From Token Management at deSEC. Shown once, when it is created.",
            secret=True,
            check=one_word,
        ),
        *HTTP_FIELDS,
    ),
    help="Create a token in Token Management. A policy can limit it to writing TXT records of the domain.",
    connect=Desec,
    notes=(
        "deSEC accepts 15 changes a minute and 300 a day for each domain; certdeck writes all records of an order at once.",
        "TTLs are an hour or more unless deSEC's support lowers the domain's minimum.",
    ),
)
