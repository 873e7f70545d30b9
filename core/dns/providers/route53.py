"""Amazon Route 53, API 2013-04-01, with an access key.

It has record sets. A set is changed by deleting exactly the one that was read and creating the new one in the same batch, which
Route 53 applies completely or not at all: if another client has changed the set in between, the batch fails and the set is read
again. Avoided here: UPSERT over the values of other clients (lexicon, most clients), deleting a set that contains other values,
private zones with the same name (the CA does not see them), the region of the user's servers in the signature (Route 53 has one
for all), judging a temporary failure by the status alone (Throttling comes with 400).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from urllib.parse import quote, urlsplit
from xml.etree.ElementTree import Element

from core.dns.api import Api, ApiResponse, is_transient
from core.dns.changes import ATTEMPTS, PAUSE_SECONDS, NameChange, by_name, contested
from core.dns.field_checks import one_word
from core.dns.names import plain_name
from core.dns.plain_xml import NotPlainXml, plain_xml, text_of
from core.dns.provider import HTTP_FIELDS, Access, EntryField, ProviderKind, Settle, TxtRecord, provider_error
from core.dns.providers.route53_errors import Refusal, Words
from core.dns.providers.route53_sets import Batch, NotSimple, TxtSet, batch_xml, batches, set_in, unescaped
from core.dns.providers.sigv4 import SigningKey
from core.errors import DnsProviderError

TITLE = "Route 53"
VERSION = "/2013-04-01"
PARTITIONS = {
    "cn": ("https://route53.amazonaws.com.cn", "cn-northwest-1"),
    "us-gov": ("https://route53.us-gov.amazonaws.com", "us-gov-west-1"),
    "": ("https://route53.amazonaws.com", "us-east-1"),
}
"""Prefix of a region's name → Route 53's endpoint for it, and the region to sign for."""
ITEMS_A_PAGE = 100
SETS_A_PAGE = 300
ASKED_ONE_BY_ONE = 5
"""Number of names; for more, all sets of the zone are read: five requests a second are allowed, each returns 300 sets."""
SYNC_SECONDS = 120.0
SYNC_STEPS = (1.0, 2.0, 3.0, 4.0, 5.0)
"""Seconds between two checks; the last value repeats."""

_TEMPORARY = re.compile(
    rb"<Code>(Throttling|ThrottlingException|PriorRequestNotComplete|RequestLimitExceeded|ServiceUnavailable)<"
)
_SOMEBODY_FASTER = ("but it already exists", "but it was not found", "do not match the current values")


class Route53:
    """One access key. See `core.dns.provider.DnsProvider`."""

    def __init__(self, access: Access) -> None:
        region = access.settings.get("region", "").strip().lower()
        endpoint, signing_region = PARTITIONS[next(part for part in PARTITIONS if region.startswith(part))]
        self._access = access
        self._api = Api(access, endpoint, title=TITLE, is_temporary=_is_temporary)
        self._words = Words(access, self._api)
        self._key = SigningKey(
            access_key_id=access.settings.get("access_key_id", "").strip(),
            secret=access.secrets.get("secret_access_key", "").strip(),
            region=signing_region,
            service="route53",
        )
        self._chosen = quote(access.settings.get("hosted_zone_id", "").strip().rpartition("/")[2], safe="")
        self._ids: dict[str, str] = {}

    def zones(self) -> tuple[str, ...]:
        if not self._chosen:
            return tuple(sorted({name for name, _ in self._all_zones()}))
        try:
            zone = self._ask("GetHostedZone", f"/hostedzone/{self._chosen}").find("HostedZone")
        except Refusal as refusal:
            if not refusal.is_denied:
                raise self._words.failure(refusal) from refusal
        else:
            return (self._zone_in(zone)[0],)
        # The key may be allowed to change records but not to read the zone itself; then its name is the configured one.
        self._want("ListResourceRecordSets", f"/hostedzone/{self._chosen}/rrset", {"maxitems": 1})
        return self._access.zones

    def change(self, zone: str, *, add: Sequence[TxtRecord] = (), remove: Sequence[TxtRecord] = ()) -> Settle | None:
        changes = by_name(add, remove)
        if not changes:
            return None
        path = f"/hostedzone/{self._id_of(zone)}"
        pending: list[str] = []
        for attempt in range(ATTEMPTS):
            if attempt:
                self._access.env.clock.sleep(self._access.env.random.uniform(*PAUSE_SECONDS), self._access.cancel)
            sets = self._read(path, zone, changes)
            left = {
                name: each
                for name, each in changes.items()
                if not each.is_done(sets[name].values if name in sets else ())
            }
            if all(self._write(path, zone, batch, pending) for batch in batches(sets, left)):
                return partial(self._wait_for, tuple(pending)) if add else None
        raise contested(self._access, TITLE, next(iter(changes)))

    def close(self) -> None:
        self._api.close()

    # -- sets ----------------------------------------------------------------------------------------------------------

    def _read(self, path: str, zone: str, changes: Mapping[str, NameChange]) -> dict[str, TxtSet]:
        found: dict[str, TxtSet] = {}
        starts: list[str] = [""] if len(changes) > ASKED_ONE_BY_ONE else list(changes)
        for start in starts:
            for each in self._sets(path, zone, start):
                name = plain_name(unescaped(text_of(each, "Name")))
                if start and (name, text_of(each, "Type")) != (start, "TXT"):
                    break
                if name in changes and text_of(each, "Type") == "TXT":
                    found[name] = self._usable(each, name)
        return found

    def _sets(self, path: str, zone: str, start: str) -> Iterator[Element]:
        """Yield the sets of a zone, starting at the TXT set of the name `start`; all of them if it is empty."""
        query: dict[str, str | int] = {"maxitems": SETS_A_PAGE}
        if start:
            query = {"name": f"{start}.", "type": "TXT", "maxitems": ITEMS_A_PAGE}
        while True:
            page = self._want("ListResourceRecordSets", f"{path}/rrset", query, zone=zone)
            yield from page.findall("ResourceRecordSets/ResourceRecordSet")
            if text_of(page, "IsTruncated") != "true":
                return
            following: dict[str, str | int] = {
                key: text_of(page, element)
                for key, element in (
                    ("name", "NextRecordName"),
                    ("type", "NextRecordType"),
                    ("identifier", "NextRecordIdentifier"),
                )
                if text_of(page, element)
            }
            if not following or following.items() <= query.items():
                raise self._api.nonsense("Its list of record pages does not end.")
            query = {**following, "maxitems": query["maxitems"]}

    def _usable(self, element: Element, name: str) -> TxtSet:
        try:
            found = set_in(element)
        except NotSimple as exc:
            raise provider_error(
                self._access,
                "conflict",
                f"The TXT records of {name} are {exc}, so no value can be added.",
                "Route 53 does not allow a simple record next to such records, and certdeck does not change them.",
                f"Replace the records of {name} with simple records, or point the name elsewhere by a CNAME.",
            ) from exc
        if found is None:
            raise self._api.nonsense("It returned a record set without a TTL or values.")
        return found

    def _write(self, path: str, zone: str, batch: Batch, pending: list[str]) -> bool:
        """Send a batch; False if another client changed a set of it first, so that the sets must be read again."""
        try:
            said = self._ask("ChangeResourceRecordSets", f"{path}/rrset/", body=batch_xml(batch))
        except Refusal as refusal:
            if refusal.code == "InvalidChangeBatch" and any(words in refusal.said for words in _SOMEBODY_FASTER):
                return False
            raise self._words.failure(refusal, zone) from refusal
        if text_of(said, "ChangeInfo/Status") != "INSYNC":
            pending.append(text_of(said, "ChangeInfo/Id").rpartition("/")[2])
        return True

    def _wait_for(self, pending: Sequence[str]) -> None:
        """Wait until all of Route 53's servers have the changes.

        The name servers are queried afterwards anyway, so a key without permission for this call, and the limit of two minutes, end
        the wait without a failure.
        """
        clock = self._access.env.clock
        deadline = clock.monotonic() + SYNC_SECONDS
        steps = iter(SYNC_STEPS)
        for id in filter(None, pending):
            while True:
                try:
                    said = self._ask("GetChange", f"/change/{quote(id, safe='')}")
                except Refusal as refusal:
                    if refusal.is_denied:
                        return
                    raise self._words.failure(refusal) from refusal
                if text_of(said, "ChangeInfo/Status") == "INSYNC":
                    break
                if clock.monotonic() >= deadline:
                    return
                clock.sleep(next(steps, SYNC_STEPS[-1]), self._access.cancel)

    # -- zones ---------------------------------------------------------------------------------------------------------

    def _id_of(self, zone: str) -> str:
        if self._chosen:
            return self._chosen
        if zone not in self._ids:
            try:
                ids = self._ids_named(zone)
            except Refusal as refusal:
                if not refusal.is_denied:
                    raise self._words.failure(refusal, zone) from refusal
                ids = [id for name, id in self._all_zones() if name == zone]
            self._ids[zone] = self._only(zone, ids)
        return self._ids[zone]

    def _only(self, zone: str, ids: Sequence[str]) -> str:
        if len(ids) == 1:
            return ids[0]
        if ids:
            raise provider_error(
                self._access,
                "zone",
                f"There are {len(ids)} public hosted zones {zone} in the account of {self._access.name}.",
                f"Their IDs are {', '.join(sorted(ids))}; only one of them is used by the internet.",
                "Set hosted_zone_id to the zone whose name servers are set at the registrar.",
            )
        raise provider_error(
            self._access,
            "zone",
            f"The account of {self._access.name} has no public hosted zone {zone}.",
            "Route 53 lists no zone with that name for this access key.",
            "Use an access key of the account that owns the zone. Or set hosted_zone_id, which does not need "
            "permission to list zones.",
        )

    def _ids_named(self, zone: str) -> list[str]:
        """Return the IDs of the public zones with a name. Raises Refusal."""
        ids: list[str] = []
        query: dict[str, str | int] = {"dnsname": f"{zone}.", "maxitems": ITEMS_A_PAGE}
        while True:
            page = self._ask("ListHostedZonesByName", "/hostedzonesbyname", query)
            for name, id, is_public in map(self._zone_in, page.findall("HostedZones/HostedZone")):
                if name == zone and is_public:
                    ids.append(id)
            following = text_of(page, "NextDNSName"), text_of(page, "NextHostedZoneId").rpartition("/")[2]
            if plain_name(following[0]) != zone or following[1] == query.get("hostedzoneid"):
                return ids
            query = {"dnsname": following[0], "hostedzoneid": following[1], "maxitems": ITEMS_A_PAGE}

    def _all_zones(self) -> list[tuple[str, str]]:
        """Return name and ID of every public zone, from all pages."""
        found: list[tuple[str, str]] = []
        query: dict[str, str | int] = {"maxitems": ITEMS_A_PAGE}
        while True:
            page = self._want("ListHostedZones", "/hostedzone", query)
            zones = map(self._zone_in, page.findall("HostedZones/HostedZone"))
            found += [(name, id) for name, id, is_public in zones if is_public]
            marker = text_of(page, "NextMarker")
            if text_of(page, "IsTruncated") != "true":
                return found
            if not marker or marker == query.get("marker"):
                raise self._api.nonsense("Its list of zone pages does not end.")
            query = {"marker": marker, "maxitems": ITEMS_A_PAGE}

    def _zone_in(self, zone: Element | None) -> tuple[str, str, bool]:
        """Return the name, the ID, and whether the zone is public."""
        name, id = plain_name(unescaped(text_of(zone, "Name"))), text_of(zone, "Id").rpartition("/")[2]
        if not name or not id:
            raise self._api.nonsense("It returned a zone without a name or an ID.")
        return name, quote(id, safe=""), text_of(zone, "Config/PrivateZone").lower() != "true"

    # -- the API -------------------------------------------------------------------------------------------------------

    def _want(self, action: str, path: str, query: Mapping[str, str | int], *, zone: str = "") -> Element:
        """Return the response to a query; raise DnsProviderError for a refusal."""
        try:
            return self._ask(action, path, query)
        except Refusal as refusal:
            raise self._words.failure(refusal, zone) from refusal

    def _ask(
        self, action: str, path: str, query: Mapping[str, str | int] | None = None, body: bytes | None = None
    ) -> Element:
        """Send a signed request. Raises Refusal; DnsProviderError if there is no valid response of Route 53."""
        method = "GET" if body is None else "POST"
        where = urlsplit(self._api.endpoint)
        host = where.netloc.rpartition("@")[2]
        signed = self._key.headers(
            method, host, f"{where.path}{VERSION}{path}", query or {}, body or b"", self._access.env.clock.now()
        )
        headers = {"Accept": "text/xml", **({} if body is None else {"Content-Type": "text/xml"}), **signed}
        try:
            answer = self._api.call(method, f"{VERSION}{path}", query=query, body=body, headers=headers)
        except DnsProviderError as error:
            raise self._words.temporary(error) from error
        try:
            root = plain_xml(answer.body)
        except NotPlainXml as exc:
            raise self._api.nonsense(f"It returned {answer.status} without the XML of API 2013-04-01.") from exc
        if answer.is_ok and root.tag == f"{action}Response":
            return root
        if answer.is_ok:
            raise self._api.nonsense(f"It returned {root.tag} to {action}.")
        raise Refusal(action, answer, root)


def _is_temporary(answer: ApiResponse) -> bool:
    return is_transient(answer) or (answer.status == 400 and _TEMPORARY.search(answer.body) is not None)


def _check_id(id: str) -> str | None:
    if re.fullmatch(r"(/?hostedzone/)?[A-Za-z0-9]{1,32}", id.strip()):
        return None
    return "A hosted zone ID begins with Z, as in Z3M3LMPEXAMPLE; the zone's details show it."


def _check_key_id(id: str) -> str | None:
    if id.strip().startswith("ASIA"):
        return "This is a temporary session key. Use an access key of an IAM user; it begins with AKIA."
    return None if re.fullmatch(r"\w{3,128}", id.strip()) else "An access key ID is one word of letters and digits."


KIND = ProviderKind(
    name="route53",
    title=TITLE,
    fields=(
        EntryField(
            key="access_key_id", label="Access key ID", help="Of an IAM user; begins with AKIA.", check=_check_key_id
        ),
        EntryField(
            key="secret_access_key",
            label="Secret access key",
            help="Shown once, when the access key is created.",
            secret=True,
            check=one_word,
        ),
        EntryField(
            key="hosted_zone_id",
            label="Hosted zone ID",
            help="Needed only if several zones have the same name, or if the key may not list zones.",
            required=False,
            check=_check_id,
        ),
        EntryField(
            key="region",
            label="Region",
            help="Route 53 is the same for all regions, except cn-… and us-gov-….",
            required=False,
            default="us-east-1",
        ),
        *HTTP_FIELDS,
    ),
    help="Create an IAM user with route53:ChangeResourceRecordSets and route53:ListResourceRecordSets on the zone, and "
    "route53:ListHostedZones and route53:GetChange. Then create an access key for this user.",
    connect=Route53,
    notes=("A change takes up to a minute to reach all of Route 53's servers.",),
)
