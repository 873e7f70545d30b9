"""DNS checks of the names of an order: addresses, DNSSEC, and CAA records."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Sequence

from core.acme.wire import plain
from core.dns.authority import ANSWERED, Authority
from core.dns.caa import CaaSet, Refusal, refusal, relevant_set
from core.issuers import Issuer
from core.operations import Finding
from core.ports import Host
from core.workflows.doctoring.running import NoAnswer
from core.workflows.issuing.plan import Plan

NO_ANSWER = ("SILENT", "UNREACHABLE")
_KINDS = {
    "127.0.0.0/8": "this box (localhost)",
    "::1/128": "this box (localhost)",
    "0.0.0.0/8": "no single machine",
    "::/128": "no single machine",
    "10.0.0.0/8": "a private network",
    "172.16.0.0/12": "a private network",
    "192.168.0.0/16": "a private network",
    "fc00::/7": "a private network",
    "100.64.0.0/10": "a provider's internal network",
    "169.254.0.0/16": "a single network link (link-local)",
    "fe80::/10": "a single network link (link-local)",
}
_NETWORKS = tuple((ipaddress.ip_network(text), words) for text, words in _KINDS.items())


def inner_kind(address: str) -> str:
    """Return, for an address that a public CA cannot reach, what kind of network it is in. Empty for any other. Pure."""
    given = ipaddress.ip_address(address)
    if isinstance(given, ipaddress.IPv6Address) and given.ipv4_mapped is not None:
        given = given.ipv4_mapped
    return next((words for network, words in _NETWORKS if given.version == network.version and given in network), "")


def addresses_of(authority: Authority, host: Host, name: str) -> tuple[tuple[str, ...], str]:
    """Return the addresses of a name from A and AAAA records, and the DNS status. NOERROR without addresses: it has none.

    If no name server responds, the addresses are those of the system resolver.
    """
    try:
        return (str(ipaddress.ip_address(name)),), "NOERROR"
    except ValueError:
        pass
    replies = [authority.ask(name, type) for type in ("A", "AAAA")]
    found = (*replies[0].values("A"), *replies[1].values("AAAA"))
    if found:
        return found, "NOERROR"
    status = next((reply.status for reply in replies if reply.status not in ANSWERED), replies[0].status)
    return (tuple(host.resolve(name)) if status in NO_ANSWER else ()), status


def addresses(authority: Authority, host: Host, name: str, issuer: Issuer) -> Iterator[Finding]:
    """Yield where the A and AAAA records of a name point. Raises NoAnswer."""
    found, status = addresses_of(authority, host, name)
    local = () if found else tuple(host.resolve(name))
    if not found and local and not issuer.is_public:
        found = local  # a CA inside the network may resolve what this box resolves
    if not found:
        finding = _unresolved(name, status, local, issuer)
        if status in NO_ANSWER:
            raise NoAnswer(finding)
        yield finding
        return
    own = set(host.addresses())
    inner = {address: kind for address in found if (kind := inner_kind(address))}
    if inner and issuer.is_public:
        yield _inner(name, inner, is_all=len(inner) == len(found))
        return
    loopback = [address for address in found if ipaddress.ip_address(address).is_loopback]
    strangers = [address for address in found if address not in own and address not in loopback]
    if strangers:
        yield Finding(
            id="dns",
            status="warn",
            title=name,
            detail=f"points to {', '.join(strangers)}, which is not an address of this box",
            fix="This is correct behind a router that forwards port 80 to this box. Otherwise, correct the "
            "record (AAAA is tried first).",
        )
    elif loopback:
        yield Finding(
            id="dns",
            status="warn",
            title=name,
            detail=f"leads to {', '.join(loopback)}: this box (localhost)",
            why="Only a CA on this box can reach it.",
            fix=f"Set the A and AAAA records of {name} to the addresses at which other machines reach this box.",
        )
    else:
        yield Finding(id="dns", status="pass", title=name, detail=f"points to this box: {', '.join(found)}")


def own_name(authority: Authority, host: Host, name: str) -> Iterator[Finding]:
    """Yield whether a name of the box points to the box. Raises NoAnswer."""
    found, status = addresses_of(authority, host, name)
    own = set(host.addresses())
    if own.intersection(found):
        yield Finding(id="box-name", status="pass", title=name, detail=f"points to this box: {', '.join(found)}")
        return
    finding = Finding(
        id="box-name",
        status="warn",
        title=name,
        detail=f"points to {', '.join(found)}, which is not an address of this box"
        if found
        else "does not resolve in DNS",
        why="Clients that use this name do not reach this box, unless a router forwards the connections.",
        fix=f"Set the A and AAAA records of {name}, or the hostname in [appliance] of the configuration.",
    )
    if status in NO_ANSWER and not found:
        raise NoAnswer(finding)
    yield finding


def dnssec(authority: Authority, name: str, type: str = "A") -> Iterator[Finding]:
    """Yield whether DNSSEC is broken: a lookup fails with validation, and succeeds without. Raises NoAnswer."""
    checked = authority.ask(name, type)
    if checked.status in NO_ANSWER:
        raise NoAnswer(
            Finding(
                id="dns-resolver",
                status="fail",
                title=name,
                detail="no name server responds to this box",
                why="Without a name server, certdeck can neither reach a CA nor check DNS records.",
                fix="Check the nameserver lines of /etc/resolv.conf, or set resolvers in [dns01].",
            )
        )
    if checked.status == "SERVFAIL":
        if authority.unchecked(name, type).status in ANSWERED:
            yield Finding(
                id="dnssec",
                status="fail",
                title=name,
                detail=f"DNSSEC fails: the {type} records exist, but their signatures cannot be verified",
                why="CAs verify DNSSEC and refuse names for which it fails.",
                fix="At the registrar, remove DS records that do not match the zone's keys. At the DNS provider, sign the zone "
                "again. The usual cause is expired signatures.",
            )
        else:
            yield Finding(
                id="dns-servers",
                status="fail",
                title=name,
                detail=f"the zone's name servers fail to return {type} records (SERVFAIL)",
                why="A CA gets the same response and refuses the order.",
                fix="Check the zone's name servers, and the NS records at the registrar.",
            )
    elif checked.is_authenticated:
        yield Finding(id="dnssec", status="pass", title=name, detail="DNSSEC: signed, and the signatures verify")
    else:
        yield Finding(
            id="dnssec",
            status="skip",
            title=name,
            detail="DNSSEC: not signed, or the name servers of this box do not verify signatures",
        )


def caa(
    authority: Authority, wanted: Plan, domain: str, identities: Callable[[], Sequence[str]], account: str
) -> Iterator[Finding]:
    """Yield whether CAA records allow the issuer to issue for a domain and, if ordered, its wildcard. Raises NoAnswer."""
    found = relevant_set(authority.ask, domain)
    if found.failure:
        finding = _caa_failed(domain, found)
        if found.failure in NO_ANSWER:
            raise NoAnswer(finding)
        yield finding
        return
    if not found.records:
        yield Finding(id="caa", status="pass", title=domain, detail="no CAA record, so every CA may issue")
        return
    known = tuple(identities())
    if not known:
        status = "warn" if wanted.issuer.is_public else "skip"
        detail = f"CAA records of {found.owner} cannot be checked: {wanted.issuer.name} does not publish its CAA name"
        yield Finding(id="caa", status=status, title=domain, detail=detail)
        return
    is_good = True
    for name in (domain, f"*.{domain}"):
        if name in wanted.names:
            refused = refusal(
                found.records,
                identities=known,
                method=wanted.challenge,
                account=account,
                is_wildcard=name.startswith("*."),
            )
            if refused is not None:
                is_good = False
                yield _caa_refused(name, found, refused, wanted.issuer.name)
    if is_good:
        yield Finding(
            id="caa",
            status="pass",
            title=domain,
            detail=f"the CAA records of {found.owner} allow {wanted.issuer.name} to issue",
        )


def _unresolved(name: str, status: str, local: Iterable[str], issuer: Issuer) -> Finding:
    known_here = ", ".join(local)
    detail = "does not resolve" if status in ("NOERROR", "NXDOMAIN") else f"does not resolve ({status})"
    return Finding(
        id="dns",
        # A CA inside the network may resolve names that this box does not.
        status="fail" if issuer.is_public else "warn",
        title=name,
        detail=f"{detail} in DNS; it resolves only on this box, to {known_here}" if known_here else detail,
        why=f"A CA resolves {name} in public DNS and does not see /etc/hosts." if known_here else "",
        fix=f"Add an A or AAAA record for {name} that points to this box, and wait until it is visible.",
    )


def _inner(name: str, inner: dict[str, str], *, is_all: bool) -> Finding:
    told = ", ".join(f"{address}: {kind}" for address, kind in inner.items())
    return Finding(
        id="dns",
        status="fail" if is_all else "warn",
        title=name,
        detail=f"points to {told}",
        why="A public CA cannot reach this address."
        if len(inner) == 1
        else "A public CA cannot reach these addresses.",
        fix=f"Give {name} the public address of this box or of its router, or use dns-01, or use a private CA.",
    )


def _caa_failed(domain: str, found: CaaSet) -> Finding:
    return Finding(
        id="caa",
        status="fail",
        title=domain,
        detail=f"the query for CAA records of {found.owner} failed ({found.failure})",
        why="A CA must not issue without a response (RFC 8659).",
        fix="Check the zone's name servers: each must respond to CAA queries, even if there is no such record.",
    )


def _caa_refused(name: str, found: CaaSet, refused: Refusal, issuer: str) -> Finding:
    named = plain(", ".join(refused.named), 200)
    if refused.reason == "critical":
        return Finding(
            id="caa",
            status="fail",
            title=name,
            detail=f"a CAA record of {found.owner} has the critical tag {named}, which CAs do not support",
            why="In this case, a CA must not issue (RFC 8659 §4.1).",
            fix=f"Remove that record of {found.owner}, or set its flags to 0.",
        )
    words = {
        "other-ca": f"the CAA records of {found.owner} allow only {named} to issue, not {issuer}",
        "nobody": f"the CAA records of {found.owner} allow no CA to issue",
        "account": f"the CAA records of {found.owner} allow {issuer} to issue only for another account: {named}",
        "method": f"the CAA records of {found.owner} allow {issuer} to validate only by {named}",
    }
    return Finding(
        id="caa",
        status="fail",
        title=name,
        detail=words[refused.reason],
        why="The issuer must refuse the order (RFC 8659, RFC 8657).",
        fix=f'Add this record: {found.owner}. CAA 0 {refused.tag} "{plain(refused.record, 500)}"',
    )
