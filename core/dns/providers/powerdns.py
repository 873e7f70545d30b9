"""PowerDNS Authoritative, its HTTP API, with an API key.

The API writes whole record sets and has no condition, so what was written is read back. The whole zone is read: in a response
for a single set, the API omits disabled records, and writing that response back would remove them. A set is always replaced,
never deleted. Its comments are not sent, because they are kept then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from core.dns.api import Api, ApiResponse
from core.dns.changes import ATTEMPTS, NameChange, by_name, contested, converge
from core.dns.provider import (
    CA_BUNDLE,
    TTL_SECONDS,
    Access,
    EntryField,
    ProviderKind,
    TxtRecord,
    provider_error,
)
from core.dns.txt import quoted, unquoted
from core.errors import DnsProviderError
from core.fields import web_address_problem

TITLE = "PowerDNS"
BASE = "/api/v1"
PRIMARY_KINDS = ("native", "master", "primary", "producer")
NOTIFYING_KINDS = ("master", "primary")
QUIET_SECONDS = 1.0
"""Pause before one more check if no other client was seen: a client that had read a name without values before our write
would have overwritten them by then."""


class _Zone(Struct, frozen=True):
    """A zone as read."""

    sets: Mapping[str, Mapping[str, Any]]
    """Name → its set of TXT records."""
    afterwards: tuple[str, ...]
    """Commands to send to the server after a change."""

    def records(self, name: str) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self.sets[name]["records"] if name in self.sets else ()
        return found

    def values(self, name: str) -> list[str]:
        return [unquoted(each["content"]) for each in self.records(name)]


class PowerDns:
    """One server behind one API. See `core.dns.provider.DnsProvider`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._api = Api(access, BASE, title=TITLE)
        self._server = f"/servers/{quote(access.settings['server_id'], safe='')}"

    def zones(self) -> tuple[str, ...]:
        answer = self._ask("GET", "/zones", query={"dnssec": "false"})
        if answer.status == 404:
            raise self._no_such_server()
        listed = self._want(answer, "")
        if not isinstance(listed, list):
            raise self._api.nonsense("It returned no list of zones.")
        found = (each for each in listed if isinstance(each, dict) and _kind(each) in PRIMARY_KINDS)
        return tuple(sorted(_plain(str(each.get("name"))) for each in found))

    def change(self, zone: str, *, add: Sequence[TxtRecord] = (), remove: Sequence[TxtRecord] = ()) -> None:
        changes = by_name(add, remove)
        for attempt in range(ATTEMPTS):
            if attempt:
                self._access.env.clock.sleep(QUIET_SECONDS, self._access.cancel)
            if not changes or not self._make(zone, changes):
                return
        raise contested(self._access, TITLE, next(iter(changes)))

    def close(self) -> None:
        self._api.close()

    def _make(self, zone: str, changes: Mapping[str, NameChange]) -> bool:
        """Make changes and wait until they are stable; return whether anything had to be written for that."""
        written = False

        def write(seen: _Zone, left: Mapping[str, NameChange]) -> None:
            nonlocal written
            written = True
            self._write(zone, seen, left)

        converge(self._access, TITLE, changes, lambda: self._read(zone), _Zone.values, write)
        return written

    # -- sets ----------------------------------------------------------------------------------------------------------

    def _read(self, zone: str) -> _Zone:
        found = self._zone(zone)
        sets = found.get("rrsets")
        if not isinstance(sets, list) or not all(isinstance(each, dict) for each in sets):
            raise self._api.nonsense("It returned a zone without records.")
        wanted = {_plain(str(each.get("name"))): each for each in sets if each.get("type") == "TXT"}
        for each in wanted.values():
            records = each.get("records")
            if not isinstance(records, list) or not all(_is_record(one) for one in records):
                raise self._api.nonsense("It returned a record set without records.")
        steps = ["rectify"] if found.get("dnssec") and not found.get("api_rectify") else []
        steps += ["notify"] if _kind(found) in NOTIFYING_KINDS else []
        return _Zone(wanted, tuple(steps))

    def _zone(self, zone: str) -> Mapping[str, Any]:
        answer = self._ask("GET", self._place_of(zone))
        if answer.status == 404 or (answer.status == 422 and "find domain" in _said(answer)):
            raise self._no_such_zone(zone)
        found = self._want(answer, zone)
        if not isinstance(found, dict):
            raise self._api.nonsense("Its response lacks the expected zone.")
        if _kind(found) not in PRIMARY_KINDS:
            raise provider_error(
                self._access,
                "zone",
                f"{zone} is a secondary zone on this PowerDNS server.",
                f"Its kind is {found.get('kind')}, so changes on this server are lost with the next transfer.",
                "Add an entry for the primary server of the zone.",
            )
        return found

    def _write(self, zone: str, seen: _Zone, left: Mapping[str, NameChange]) -> None:
        sets = []
        for name, change in left.items():
            standing = seen.records(name)
            kept = [
                {"content": each["content"], "disabled": bool(each.get("disabled"))}
                for each in standing
                if unquoted(each["content"]) not in change.remove
            ]
            missing = change.missing(seen.values(name))
            kept += [{"content": quoted(value), "disabled": False} for value in missing]
            ttl = seen.sets[name].get("ttl", TTL_SECONDS) if standing else TTL_SECONDS
            sets.append({"name": f"{name}.", "type": "TXT", "ttl": ttl, "changetype": "REPLACE", "records": kept})
        self._want(self._ask("PATCH", self._place_of(zone), data={"rrsets": sets}, must_be_fresh=True), zone)
        # Rectify a signed zone and notify secondaries. If this fails, the server does it in time.
        for step in seen.afterwards:
            with suppress(DnsProviderError):
                self._ask("PUT", f"{self._place_of(zone)}/{step}", repeat=False)

    # -- the API -------------------------------------------------------------------------------------------------------

    def _place_of(self, zone: str) -> str:
        return f"/zones/{quote(zone, safe='')}."

    def _ask(self, method: str, path: str, **given: Any) -> ApiResponse:
        headers = {"X-API-Key": self._access.secrets.get("api_key", "").strip()}
        try:
            return self._api.call(method, f"{self._server}{path}", headers=headers, **given)
        except DnsProviderError as exc:
            if exc.details.get("reason") != "unreachable":
                raise
            raise provider_error(
                self._access,
                "unreachable",
                exc.what,
                exc.why,
                "Check `endpoint`, and on the server in pdns.conf: api=yes, webserver-address, webserver-port, and that "
                "webserver-allow-from contains this box's address (PowerDNS closes all other connections).",
            ) from exc

    def _want(self, answer: ApiResponse, zone: str) -> Any:
        """Return the JSON of a successful call; raise DnsProviderError for any other."""
        if answer.status == 204 or (answer.is_ok and answer.json is not None):
            return answer.json
        raise self._failure(answer, zone)

    # -- failures ------------------------------------------------------------------------------------------------------

    def _failure(self, answer: ApiResponse, zone: str) -> DnsProviderError:
        said = _said(answer)
        if answer.is_ok:
            return self._api.nonsense(f"It returned {answer.status} without JSON.")
        if answer.status in (401, 403):
            return self._api.credentials(
                said,
                "Set the `api-key` from pdns.conf on the server. After a change there, PowerDNS must be restarted.",
            )
        if "Conflicts with pre-existing RRset" in said:
            return provider_error(
                self._access,
                "conflict",
                f"A TXT record cannot be created in {zone}, because there is a CNAME with that name.",
                f"PowerDNS says: {self._api.words(said)}",
                "Remove the CNAME. Or set its target with --delegate, and use the provider of the target's zone.",
            )
        return self._api.refused(
            f"PowerDNS refused a change in {zone}." if zone else "PowerDNS refused a request.",
            answer.status,
            said,
            "Check the zone with `pdnsutil check-zone` on the server. The message above names the conflict.",
        )

    def _no_such_zone(self, zone: str) -> DnsProviderError:
        if self._ask("GET", "").status == 404:
            return self._no_such_server()
        return provider_error(
            self._access,
            "zone",
            f"The PowerDNS server of {self._access.name} has no zone {zone}.",
            "It returned: Not Found.",
            "Set the zone's exact name with --zone. `pdnsutil list-all-zones` on the server lists all zones.",
        )

    def _no_such_server(self) -> DnsProviderError:
        return provider_error(
            self._access,
            "refused",
            f"The API of {self._access.name} has no server {self._access.settings['server_id']!r}.",
            "It returned: Not Found.",
            "Omit `server_id` (it is localhost for every PowerDNS Authoritative), and check `endpoint`: it does "
            "not include /api/v1.",
        )


def _is_record(found: object) -> bool:
    return isinstance(found, dict) and isinstance(found.get("content"), str)


def _kind(zone: Mapping[str, Any]) -> str:
    return str(zone.get("kind", "")).lower()


def _plain(name: str) -> str:
    return name.rstrip(".").lower()


def _said(answer: ApiResponse) -> str:
    """Return the message of a refusal: `{"error": …}`, or plain text."""
    error = answer.fields.get("error")
    return error if isinstance(error, str) else answer.text if len(answer.body) < 200 else ""


def _check_endpoint(endpoint: str) -> str | None:
    return web_address_problem(endpoint, "http://192.0.2.53:8081")


KIND = ProviderKind(
    name="powerdns",
    title=TITLE,
    fields=(
        EntryField(
            key="endpoint",
            label="Endpoint",
            help="The URL of the server's API, for example http://192.0.2.53:8081 (`webserver-address`, `webserver-port`).",
            check=_check_endpoint,
        ),
        EntryField(
            key="server_id",
            label="Server ID",
            help="`localhost` for every PowerDNS Authoritative; other values only behind a proxy for several servers.",
            required=False,
            default="localhost",
        ),
        EntryField(key="api_key", label="API key", help="`api-key` in pdns.conf.", secret=True),
        CA_BUNDLE,
    ),
    help="Enable the API in pdns.conf: api=yes and api-key=…, and add this box to webserver-allow-from.",
    connect=PowerDns,
    notes=(
        "The API key of PowerDNS may change every zone of the server; a TSIG key (kind rfc2136) can be limited to one.",
        "certdeck reads whole zones. For zones with tens of thousands of records, use the kind rfc2136.",
    ),
)
