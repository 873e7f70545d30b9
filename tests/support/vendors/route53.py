"""Amazon Route 53 as far as certdeck uses it, from its API reference: zones, sets, batches that hold or do not, changes.

Signatures are checked with botocore, which is AWS's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from xml.etree.ElementTree import Element, fromstring
from xml.sax.saxutils import escape

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from core.dns.txt import quoted, unquoted
from core.ports import Response
from tests.support.clock import NOON
from tests.support.transport import Asked, reply
from tests.support.vendor import Vendor, path_of, query_of
from tests.support.vendors.zone import FOREIGN, ZONE, Foreign

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SETTINGS = {"access_key_id": KEY_ID}
SECRETS = {"secret_access_key": SECRET}
NAMESPACE = "{https://route53.amazonaws.com/doc/2013-04-01/}"
ZONES_A_PAGE = 2
SETS_A_PAGE = 3

Key = tuple[str, str, str]
"""Name without final dot, type, set identifier."""
Rrset = tuple[int, tuple[str, ...]]


class Route53Vendor(Vendor):
    """One account. Pages are small; changes are on their way until they have been asked for a few times."""

    def __init__(self, *zones: str, region: str = "us-east-1") -> None:
        super().__init__()
        self._ids = count(1)
        self._auth = SigV4Auth(Credentials(KEY_ID, SECRET), "route53", region)
        self.now = NOON
        self.key_ids = {KEY_ID}
        self.zones: dict[str, tuple[str, bool]] = {}
        """Id → name and whether it is private."""
        self.sets: dict[str, dict[Key, Rrset]] = {}
        self.denied: set[str] = set()
        """Actions that no policy allows."""
        self.looks_until_in_sync = 2
        self.looks: dict[str, int] = {}
        self.batches = 0
        self.before_batch: Callable[[], None] = lambda: None
        """What somebody else does just before a batch is carried out."""
        for name in zones or ("other.example.net", "aaa.example", ZONE, "zzz.example", "third.example.org"):
            self.add_zone(name)
        if ZONE in (zones or (ZONE,)):
            for record in FOREIGN:
                self.put(record)

    def add_zone(self, name: str, *, is_private: bool = False) -> str:
        id = f"Z{next(self._ids):013d}EXAMPLE"
        self.zones[id] = (name, is_private)
        self.sets[id] = {
            (name, "NS", ""): (172800, ("ns-1.awsdns-01.org.",)),
            (name, "SOA", ""): (900, ("ns-1. host. 1 2 3 4 5",)),
        }
        return id

    def id_of(self, zone: str = ZONE) -> str:
        return next(id for id, (name, _) in self.zones.items() if name == zone)

    def put(self, record: Foreign, zone: str = ZONE, *, identifier: str = "") -> None:
        """Add a record as a user of the console would."""
        sets, key = self.sets[self.id_of(zone)], (record.name, record.type, identifier)
        _, standing = sets.get(key, (0, ()))
        sets[key] = (record.ttl, (*standing, quoted(record.content) if record.type == "TXT" else record.content))

    def values_at(self, name: str, zone: str = ZONE) -> set[str]:
        return {unquoted(text) for text in self.sets[self.id_of(zone)].get((name, "TXT", ""), (0, ()))[1]}

    def snapshot(self) -> object:
        """Return all there is, to be compared; the order of values in a set says nothing."""
        return {id: {key: (ttl, sorted(texts)) for key, (ttl, texts) in sets.items()} for id, sets in self.sets.items()}

    def answer(self, asked: Asked) -> Response:
        refused = self._signature(asked)
        if refused is not None:
            return refused
        assert path_of(asked).startswith("/2013-04-01/")
        match asked.method, path_of(asked).removeprefix("/2013-04-01/").split("/"):
            case "GET", ["hostedzone"]:
                return self._allowed("ListHostedZones", self._list_zones, query_of(asked))
            case "GET", ["hostedzonesbyname"]:
                return self._allowed("ListHostedZonesByName", self._list_zones_by_name, query_of(asked))
            case "GET", ["hostedzone", id]:
                return self._on_zone("GetHostedZone", id, self._get_zone, id)
            case "GET", ["hostedzone", id, "rrset"]:
                return self._on_zone("ListResourceRecordSets", id, self._list_sets, id, query_of(asked))
            case "POST", ["hostedzone", id, "rrset", ""]:
                assert asked.headers["content-type"] == "text/xml"
                return self._on_zone("ChangeResourceRecordSets", id, self._change, id, asked.body or b"")
            case "GET", ["change", id]:
                return self._allowed("GetChange", self._get_change, id)
        raise AssertionError(f"{asked.method} {asked.url} is nothing that the adapter should ask")

    # -- who asks ------------------------------------------------------------------------------------------------------

    def _signature(self, asked: Asked) -> Response | None:
        found = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/([\w-]+)/route53/aws4_request, SignedHeaders=([\w;-]+), "
            r"Signature=([0-9a-f]{64})",
            asked.headers.get("authorization", ""),
        )
        if found is None:
            return _error(403, "MissingAuthenticationToken", "Missing Authentication Token")
        key_id, day, region, names, signature = found.groups()
        stamp = asked.headers["x-amz-date"]
        assert stamp.startswith(day)
        assert "host" in names.split(";")
        if region != self._auth._region_name:
            said = f"Credential should be scoped to a valid region, not '{region}'. "
            return _error(403, "SignatureDoesNotMatch", said)
        if key_id not in self.key_ids:
            return _error(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if at < self.now - timedelta(minutes=5):
            earliest, now = (f"{each:%Y%m%dT%H%M%SZ}" for each in (self.now - timedelta(minutes=5), self.now))
            said = f"Signature expired: {stamp} is now earlier than {earliest} ({now} - 5 min.)"
            return _error(403, "SignatureDoesNotMatch", said)
        request = AWSRequest(asked.method, asked.url, data=asked.body or b"", headers={"X-Amz-Date": stamp})
        request.context["timestamp"] = stamp
        request.context["signing"] = {}
        wanted = self._auth.signature(
            self._auth.string_to_sign(request, self._auth.canonical_request(request)), request
        )
        if signature != wanted:
            said = "The request signature we calculated does not match the signature you provided."
            return _error(403, "SignatureDoesNotMatch", said)
        return None

    def _allowed(self, action: str, do: Callable[..., Response], *arguments: Any) -> Response:
        if action in self.denied:
            said = f"User: arn:aws:iam::123456789012:user/certdeck is not authorized to perform: route53:{action}"
            return _error(
                403, "AccessDenied", f"{said} because no identity-based policy allows the route53:{action} action"
            )
        return do(*arguments)

    def _on_zone(self, action: str, id: str, do: Callable[..., Response], *arguments: Any) -> Response:
        if id not in self.zones:
            return _error(404, "NoSuchHostedZone", f"No hosted zone found with ID: {id}")
        return self._allowed(action, do, *arguments)

    # -- zones ---------------------------------------------------------------------------------------------------------

    def _list_zones(self, query: Mapping[str, str]) -> Response:
        assert set(query) <= {"marker", "maxitems"}
        ids = sorted(self.zones)
        start = ids.index(query["marker"]) if "marker" in query else 0
        following = ids[start + ZONES_A_PAGE :]
        more = f"<IsTruncated>{str(bool(following)).lower()}</IsTruncated><MaxItems>{ZONES_A_PAGE}</MaxItems>"
        if following:
            more += f"<NextMarker>{following[0]}</NextMarker>"
        return _ok(
            "ListHostedZones", f"<HostedZones>{self._zones(ids[start : start + ZONES_A_PAGE])}</HostedZones>{more}"
        )

    def _list_zones_by_name(self, query: Mapping[str, str]) -> Response:
        assert set(query) <= {"dnsname", "hostedzoneid", "maxitems"}

        def place(id: str) -> tuple[list[str], str]:
            return (_reversed(self.zones[id][0]), id)

        start_at = (_reversed(query.get("dnsname", "").rstrip(".")), query.get("hostedzoneid", ""))
        ids = sorted((id for id in self.zones if place(id) >= start_at), key=place)
        more = f"<IsTruncated>{str(len(ids) > ZONES_A_PAGE).lower()}</IsTruncated><MaxItems>{ZONES_A_PAGE}</MaxItems>"
        if len(ids) > ZONES_A_PAGE:
            following = ids[ZONES_A_PAGE]
            more += f"<NextDNSName>{self.zones[following][0]}.</NextDNSName><NextHostedZoneId>{following}</NextHostedZoneId>"
        return _ok("ListHostedZonesByName", f"<HostedZones>{self._zones(ids[:ZONES_A_PAGE])}</HostedZones>{more}")

    def _get_zone(self, id: str) -> Response:
        return _ok("GetHostedZone", f"{self._zones([id])}<DelegationSet><NameServers /></DelegationSet>")

    def _zones(self, ids: Sequence[str]) -> str:
        return "".join(
            f"<HostedZone><Id>/hostedzone/{id}</Id><Name>{self.zones[id][0]}.</Name><CallerReference>x</CallerReference>"
            f"<Config><PrivateZone>{str(self.zones[id][1]).lower()}</PrivateZone></Config></HostedZone>"
            for id in ids
        )

    # -- sets ----------------------------------------------------------------------------------------------------------

    def _list_sets(self, id: str, query: Mapping[str, str]) -> Response:
        assert set(query) <= {"name", "type", "identifier", "maxitems"}
        assert "type" not in query or "name" in query, "a type without a name is InvalidInput"
        start = (_reversed(_plain(query.get("name", ""))), query.get("type", ""), query.get("identifier", ""))
        keys = sorted(((_reversed(key[0]), *key[1:]), key) for key in self.sets[id])
        from_here = [key for place, key in keys if place >= start]
        size = min(SETS_A_PAGE, int(query.get("maxitems", "300")))
        shown = "".join(_set_xml(key, self.sets[id][key]) for key in from_here[:size])
        more = f"<IsTruncated>{str(len(from_here) > size).lower()}</IsTruncated><MaxItems>{size}</MaxItems>"
        if len(from_here) > size:
            name, type, identifier = from_here[size]
            more += f"<NextRecordName>{_escaped(name)}.</NextRecordName><NextRecordType>{type}</NextRecordType>"
            more += f"<NextRecordIdentifier>{identifier}</NextRecordIdentifier>" if identifier else ""
        return _ok("ListResourceRecordSets", f"<ResourceRecordSets>{shown}</ResourceRecordSets>{more}")

    def _change(self, id: str, body: bytes) -> Response:
        self.batches += 1
        self.before_batch()
        root = fromstring(body)
        assert root.tag == f"{NAMESPACE}ChangeResourceRecordSetsRequest"
        sets, problems = dict(self.sets[id]), []
        changes = root.findall(f"{NAMESPACE}ChangeBatch/{NAMESPACE}Changes/{NAMESPACE}Change")
        assert changes, "an empty batch is no valid request"
        values = [each.text or "" for each in root.iter(f"{NAMESPACE}Value")]
        assert len(values) <= 1000
        assert sum(map(len, values)) <= 32000
        for change in changes:
            problems += self._applied(id, sets, change)
        if problems:
            messages = "".join(f"<Message>{escape(each)}</Message>" for each in problems)
            body = f'<InvalidChangeBatch xmlns="{NAMESPACE[1:-1]}"><Messages>{messages}</Messages></InvalidChangeBatch>'
            return reply(400, f'<?xml version="1.0"?>{body}')
        self.sets[id] = sets
        change_id = f"C{next(self._ids):013d}"
        self.looks[change_id] = 0
        return _ok("ChangeResourceRecordSets", _change_info(change_id, "PENDING"))

    def _applied(self, id: str, sets: dict[Key, Rrset], change: Element) -> list[str]:
        """Change `sets`; returns what is wrong."""

        def text(path: str) -> str:
            return change.findtext("/".join(f"{NAMESPACE}{part}" for part in path.split("/"))) or ""

        action, name, type = text("Action"), _plain(text("ResourceRecordSet/Name")), text("ResourceRecordSet/Type")
        texts = tuple(each.text or "" for each in change.iter(f"{NAMESPACE}Value"))
        ttl, key, zone = int(text("ResourceRecordSet/TTL")), (name, type, ""), self.zones[id][0]
        assert type == "TXT", "nothing else is ours"
        assert texts
        what = f"resource record set [name='{name}.', type='{type}']"
        if name != zone and not name.endswith(f".{zone}"):
            return [f"RRSet with DNS name {name}. is not permitted in zone {zone}."]
        if action == "DELETE":
            if key not in sets:
                return [f"Tried to delete {what} but it was not found"]
            if (sets[key][0], sorted(sets[key][1])) != (ttl, sorted(texts)):
                return [f"Tried to delete {what} but the values provided do not match the current values"]
            del sets[key]
            return []
        assert action == "CREATE", "UPSERT overwrites what others have written"
        assert len(set(texts)) == len(texts), "Route 53 refuses duplicate values"
        assert all(re.fullmatch(r'"(?:[^"\\]|\\.){0,255}"( "(?:[^"\\]|\\.){0,255}")*', each) for each in texts)
        if any(each[:2] == (name, "CNAME") for each in sets):
            refused = f"RRSet of type TXT with DNS name {name}. is not permitted as it conflicts with other records"
            return [f"{refused} with the same DNS name in zone {zone}."]
        if any(each[:2] == (name, "TXT") for each in sets):
            return [f"Tried to create {what} but it already exists"]
        sets[key] = (ttl, texts)
        return []

    def _get_change(self, id: str) -> Response:
        assert id in self.looks, "no such change"
        self.looks[id] += 1
        return _ok("GetChange", _change_info(id, "INSYNC" if self.looks[id] > self.looks_until_in_sync else "PENDING"))


def _set_xml(key: Key, rrset: Rrset) -> str:
    name, type, identifier = key
    ttl, texts = rrset
    values = "".join(f"<ResourceRecord><Value>{escape(text)}</Value></ResourceRecord>" for text in texts)
    routing = f"<SetIdentifier>{identifier}</SetIdentifier><Weight>10</Weight>" if identifier else ""
    rest = f"<TTL>{ttl}</TTL><ResourceRecords>{values}</ResourceRecords>"
    if not texts:
        rest = "<AliasTarget><HostedZoneId>Z1</HostedZoneId><DNSName>x.</DNSName></AliasTarget>"
    return f"<ResourceRecordSet><Name>{_escaped(name)}.</Name><Type>{type}</Type>{routing}{rest}</ResourceRecordSet>"


def _escaped(name: str) -> str:
    return name.replace("*", "\\052")


def _plain(name: str) -> str:
    return name.rstrip(".").replace("\\052", "*")


def _reversed(name: str) -> list[str]:
    return name.split(".")[::-1]


def _change_info(id: str, status: str) -> str:
    return f"<ChangeInfo><Id>/change/{id}</Id><Status>{status}</Status><SubmittedAt>2026-11-21T12:00:00Z</SubmittedAt></ChangeInfo>"


def _ok(action: str, body: str) -> Response:
    said = f'<?xml version="1.0"?>\n<{action}Response xmlns="{NAMESPACE[1:-1]}">{body}</{action}Response>'
    return reply(200, said, content_type="text/xml")


def _error(status: int, code: str, message: str) -> Response:
    return reply(
        status,
        f'<?xml version="1.0"?>\n<ErrorResponse xmlns="{NAMESPACE[1:-1]}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>b25f48e8-84fd-11e6-80d9-574e0c4664cb</RequestId></ErrorResponse>",
        content_type="text/xml",
        date="Sat, 21 Nov 2026 12:00:00 GMT",
    )
