"""Dynamic updates (RFC 2136) signed with a TSIG key: BIND, Knot, PowerDNS and others.

Values are added and removed one by one, so no other client's value can be lost. Two things are queried first: which of its
zones the server has a name in, because an update of the zone above a zone cut would be accepted and never visible; and the TTL
of the values at a name, because a server gives all of them the TTL of the value added last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from core.dns.names import is_below
from core.dns.provider import TTL_SECONDS, Access, EntryField, ProviderKind, TxtRecord, provider_error
from core.dns.tsig_server import ALGORITHMS, TsigServer, port_problem, secret_problem
from core.dns.txt import quoted
from core.errors import DnsProviderError

if TYPE_CHECKING:
    import dns.message

NAMES_AT_ONCE = 50
"""Number of names queried over one connection."""
BYTES_AT_ONCE = 48 * 1024
"""Size of one update; a message can have 64 KiB."""


class _Step(Struct, frozen=True):
    """One value to add or to remove."""

    record: TxtRecord
    is_added: bool
    zone: str
    ttl: int


class Rfc2136:
    """One key at one server. See `core.dns.provider.DnsProvider`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._server = TsigServer(access)

    def zones(self) -> tuple[str, ...]:
        return ()

    def change(self, zone: str, *, add: Sequence[TxtRecord] = (), remove: Sequence[TxtRecord] = ()) -> None:
        wanted = dict.fromkeys(add, True)
        wanted = {record: False for record in remove if record not in wanted} | wanted
        names: dict[str, bool] = {}
        for record, is_added in wanted.items():
            names[record.name] = names.get(record.name, False) or is_added
        found = self._look(names, zone)
        steps = [
            _Step(record, is_added, *found[record.name]) for record, is_added in wanted.items() if record.name in found
        ]
        for own in dict.fromkeys(step.zone for step in steps):
            for part in _parts([step for step in steps if step.zone == own]):
                self._update(own, part)

    def close(self) -> None:
        """Does nothing: no connection is kept open."""

    # -- the current records -------------------------------------------------------------------------------------------

    def _look(self, names: Mapping[str, bool], zone: str) -> dict[str, tuple[str, int]]:
        """Return the zone of each name at this server, and the TTL for its values.

        Args:
            names: name → whether something is to be added there. A name with a CNAME is left out if nothing is to be added.
        """
        import dns.message

        def question(name: str, type: str) -> dns.message.Message:
            return dns.message.make_query(f"{name}.", type, flags=0)

        found = {}
        whole = list(names)
        for start in range(0, len(whole), NAMES_AT_ONCE):
            part = whole[start : start + NAMES_AT_ONCE]
            said = self._server.ask([question(name, type) for name in part for type in ("SOA", "TXT")])
            for name, soa, txt in zip(part, said[::2], said[1::2], strict=True):
                target = _cname_of(name, soa)
                if target is None:
                    found[name] = (self._zone_in(soa, name, zone), _ttl_in(txt, name))
                elif names[name]:
                    raise self._leads_away(name, target)
        return found

    def _zone_in(self, soa: dns.message.Message, name: str, zone: str) -> str:
        """Return the zone in a response for SOA; the given zone if the server does not allow the query."""
        import dns.rcode
        import dns.rdatatype

        for each in (*soa.answer, *soa.authority):
            owner = _plain(each.name.to_text())
            if each.rdtype == dns.rdatatype.SOA and is_below(name, owner):
                return owner
        for each in soa.authority:
            owner = _plain(each.name.to_text())
            if each.rdtype == dns.rdatatype.NS and is_below(name, owner):
                raise self._delegated(name, owner, [_plain(item.target.to_text()) for item in each])
        if zone and soa.rcode() in (dns.rcode.REFUSED, dns.rcode.NOERROR):
            return zone
        raise self._refused(soa.rcode(), zone or name, [name])

    # -- changes -------------------------------------------------------------------------------------------------------

    def _update(self, zone: str, steps: Sequence[_Step]) -> None:
        import dns.rcode
        import dns.update

        message = dns.update.UpdateMessage(f"{zone}.")
        for step in steps:
            name = f"{step.record.name}."
            if step.is_added:
                message.add(name, step.ttl, "TXT", quoted(step.record.value))
            else:
                message.delete(name, "TXT", quoted(step.record.value))
        (said,) = self._server.ask([message])
        if said.rcode() != dns.rcode.NOERROR:
            raise self._refused(said.rcode(), zone, [step.record.name for step in steps])

    # -- failures ------------------------------------------------------------------------------------------------------

    def _leads_away(self, name: str, target: str) -> DnsProviderError:
        return provider_error(
            self._access,
            "zone",
            f"{name} is a CNAME, so it cannot have a TXT record.",
            f"It points to {target}.",
            f"Add the zone of {target} to the entry that can change it (--zone). If this box cannot see the "
            f"CNAME, also add --delegate {name}={target}. Or remove the CNAME.",
        )

    def _delegated(self, name: str, zone: str, servers: Sequence[str]) -> DnsProviderError:
        return provider_error(
            self._access,
            "zone",
            f"{name} is in the zone {zone}, which the name server {self._server.place} does not serve.",
            f"That zone is delegated to {', '.join(sorted(servers)[:4])}.",
            "Add an entry for the primary server of that zone, and name the zone with --zone.",
        )

    def _refused(self, rcode: int, zone: str, names: Sequence[str]) -> DnsProviderError:
        import dns.rcode

        place, key = self._server.place, self._server.key_name
        word = dns.rcode.to_text(dns.rcode.Rcode.make(rcode))
        shown = ", ".join([*dict.fromkeys(names)][:3]) + (" …" if len({*names}) > 3 else "")
        if word == "REFUSED":
            return provider_error(
                self._access,
                "permission",
                f"The name server {place} does not allow the key {key} to change {shown}.",
                f"It returned REFUSED for the zone {zone}.",
                f"Allow it there; in BIND: update-policy {{ grant {key}. zonesub TXT; }}; in the zone {zone}. "
                "If that server is a secondary, set `server` to the primary.",
            )
        if word in ("NOTAUTH", "NXDOMAIN", "NOTZONE"):
            return provider_error(
                self._access,
                "zone",
                f"The name server {place} does not serve the zone {zone}, or is not its primary.",
                f"It returned {word} for {shown}.",
                "Set `server` to the primary of the zone (the first name of its SOA record), and --zone to the zone itself.",
            )
        if word == "NOTIMP":
            return provider_error(
                self._access,
                "no-api-access",
                f"The name server {place} does not accept dynamic updates.",
                "It returned NOTIMP.",
                "Enable dynamic updates (PowerDNS: dnsupdate=yes), or use the server's own API kind.",
            )
        return provider_error(
            self._access,
            "temporary" if word == "SERVFAIL" else "refused",
            f"The name server {place} did not apply the change of {shown}.",
            f"It returned {word} for the zone {zone}.",
            "See the server's log: often its folder is not writable, or the zone did not load. Then try again.",
        )


def _cname_of(name: str, answer: dns.message.Message) -> str | None:
    """Return the CNAME target of a name, or None."""
    import dns.rdatatype

    for each in answer.answer:
        if each.rdtype == dns.rdatatype.CNAME and _plain(each.name.to_text()) == name:
            return _plain(each[0].target.to_text())
    return None


def _ttl_in(txt: dns.message.Message, name: str) -> int:
    """Return the TTL of the values at a name, or ours if there are none."""
    import dns.rdatatype

    for each in txt.answer:
        if each.rdtype == dns.rdatatype.TXT and _plain(each.name.to_text()) == name:
            return int(each.ttl)
    return TTL_SECONDS


def _parts(steps: Sequence[_Step]) -> Iterator[Sequence[_Step]]:
    """Split steps so that each part fits into one message; removals first, to make room at names with a limit."""
    part: list[_Step] = []
    size = 0
    for step in sorted(steps, key=lambda each: each.is_added):
        own = len(step.record.name) + len(step.record.value) + 32
        if part and size + own > BYTES_AT_ONCE:
            yield part
            part, size = [], 0
        part.append(step)
        size += own
    yield part


def _plain(name: str) -> str:
    return name.rstrip(".").lower()


def _check_server(server: str) -> str | None:
    is_one = len(server.split()) == 1 and not any(character in server for character in "/@[]")
    if is_one and server.count(":") != 1:
        return None
    return "give only a name or an address, for example ns1.example.com; set the port in `port`"


KIND = ProviderKind(
    name="rfc2136",
    title="RFC 2136 (BIND, Knot, PowerDNS …)",
    fields=(
        EntryField(
            key="server",
            label="Server",
            help="Name or address of the primary name server of the zone.",
            check=_check_server,
        ),
        EntryField(key="port", label="Port", help="TCP.", required=False, default="53", check=port_problem),
        EntryField(
            key="tsig_name", label="TSIG key", help="The key's name, as after `key` in the server's configuration."
        ),
        EntryField(
            key="tsig_algorithm",
            label="TSIG algorithm",
            help="As in the server's configuration for this key.",
            required=False,
            default="hmac-sha256",
            choices=tuple(ALGORITHMS),
        ),
        EntryField(
            key="tsig_secret",
            label="TSIG secret",
            help="Base64, as after `secret` in the key file. `tsig-keygen` creates one.",
            secret=True,
            check=secret_problem,
        ),
    ),
    help="Create a key with `tsig-keygen` and allow it to change TXT records of the zone. In BIND: grant KEY. "
    "zonesub TXT; in Knot: an acl with `action: update` and `update-type: TXT`.",
    connect=Rfc2136,
    notes=("Updates go over TCP to the primary; a firewall must allow TCP to its port.",),
)
