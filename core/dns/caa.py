"""CAA records (RFC 8659): which CAs may issue for a domain, and for which account and validation methods (RFC 8657)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from core.ports import DnsResponse

ANSWERED = ("NOERROR", "NXDOMAIN")
KNOWN_TAGS = frozenset({"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"})
CRITICAL = 128
LONGEST_CHAIN = 8
_RECORD = re.compile(r'(\d{1,3})\s+([A-Za-z0-9]+)\s+(?:"((?:[^"\\]|\\.)*)"|(\S*))\s*')
_ESCAPED = re.compile(r"\\(\d{3}|.)")

Ask = Callable[[str, str], DnsResponse]
"""Queries the records of a name and a type."""


class CaaRecord(Struct, frozen=True):
    """One CAA record (RFC 8659 §4.1)."""

    flags: int
    tag: str
    value: str


class CaaSet(Struct, frozen=True):
    """The CAA records that apply to a name, and the name that has them."""

    owner: str = ""
    records: tuple[CaaRecord, ...] = ()
    failure: str = ""
    """Status if no name server responded for `owner`; a CA issues nothing then."""


class Refusal(Struct, frozen=True):
    """Why a CA must not issue. `reason`: `other-ca`, `nobody`, `account`, `method`, `critical`."""

    reason: str
    record: str
    """The value of the record to add."""
    tag: str
    named: tuple[str, ...] = ()
    """The CAs, accounts, methods or tags that the records name."""


class _Permit(Struct, frozen=True):
    """One `issue` or `issuewild` record, parsed."""

    ca: str
    accounts: tuple[str, ...] = ()
    methods: tuple[str, ...] | None = None
    is_valid: bool = True


def parse_caa(text: str) -> CaaRecord | None:
    """Parse a record in presentation format, `0 issue "ca.example.net"`; None for anything else."""
    found = _RECORD.fullmatch(text)
    if found is None:
        return None
    value = found[3] if found[3] is not None else found[4]
    return CaaRecord(int(found[1]), found[2].lower(), _ESCAPED.sub(_unescaped, value))


def relevant_set(ask: Ask, name: str) -> CaaSet:
    """Climb from a name towards the root to the first name with CAA records (RFC 8659 §3), following CNAMEs at each step."""
    at = name
    while at:
        owner, reply = _followed(ask, at)
        if reply.status not in ANSWERED:
            return CaaSet(owner, failure=reply.status)
        records = tuple(filter(None, map(parse_caa, reply.values("CAA"))))
        if records:
            return CaaSet(owner, records)
        at = at.partition(".")[2]
    return CaaSet()


def refusal(
    records: Sequence[CaaRecord], *, identities: Sequence[str], method: str, account: str, is_wildcard: bool
) -> Refusal | None:
    """Return why a CA must not issue under these records, or None. Pure.

    Args:
        identities: the CA's names in CAA records (`caaIdentities` of its directory); not empty.
        method: the validation method, as in `dns-01`.
        account: URL of the account that orders; empty if there is none yet, which matches any `accounturi`.
    """
    tag = "issuewild" if is_wildcard and any(each.tag == "issuewild" for each in records) else "issue"
    unknown = tuple(each.tag for each in records if each.flags & CRITICAL and each.tag not in KNOWN_TAGS)
    if unknown:
        return Refusal("critical", "", unknown[0], unknown)
    permits = [_permit(each.value) for each in records if each.tag == tag]
    if not permits:
        return None
    wanted = {each.lower().rstrip(".") for each in identities}
    ours = [each for each in permits if each.is_valid and each.ca in wanted]
    if not ours:
        named = tuple(dict.fromkeys(each.ca for each in permits if each.ca))
        return Refusal("other-ca" if named else "nobody", identities[0], tag, named)
    fitting = [each for each in ours if not each.accounts or not account or each.accounts == (account,)]
    if not fitting:
        named = tuple(dict.fromkeys(uri for each in ours for uri in each.accounts))
        return Refusal("account", _value(ours[0], account, ours[0].methods), tag, named)
    if any(each.methods is None or method in each.methods for each in fitting):
        return None
    named = tuple(dict.fromkeys(each for permit in fitting for each in permit.methods or ()))
    first = fitting[0]
    return Refusal("method", _value(first, account if first.accounts else "", (*named, method)), tag, named)


def _followed(ask: Ask, name: str) -> tuple[str, DnsResponse]:
    """Query CAA records along CNAMEs, also if the queried server does not follow them into another zone."""
    at, seen = name, {name}
    reply = ask(at, "CAA")
    for _ in range(LONGEST_CHAIN):
        aliases = {record.name: record.value for record in reply.answer if record.type == "CNAME"}
        while at in aliases and aliases[at] not in seen:
            at = aliases[at]
            seen.add(at)
        if not aliases or reply.values("CAA") or reply.status not in ANSWERED:
            break
        reply = ask(at, "CAA")
    return at, reply


def _permit(value: str) -> _Permit:
    """Parse the value of an `issue` or `issuewild` record (RFC 8659 §4.2, RFC 8657). An invalid one permits no CA."""
    ca, *parameters = (part.strip() for part in value.split(";"))
    accounts: list[str] = []
    methods: tuple[str, ...] | None = None
    is_valid = True
    for parameter in filter(None, parameters):
        name, equals, content = (part.strip() for part in parameter.partition("="))
        is_valid = is_valid and bool(name and equals)
        if name.lower() == "accounturi":
            accounts.append(content)
        elif name.lower() == "validationmethods":
            is_valid = is_valid and methods is None
            methods = tuple(each.strip() for each in content.split(","))
    return _Permit(ca.lower().rstrip("."), tuple(accounts), methods, is_valid)


def _value(permit: _Permit, account: str, methods: Iterable[str] | None) -> str:
    parts = [permit.ca]
    if account:
        parts.append(f"accounturi={account}")
    if methods is not None:
        parts.append(f"validationmethods={','.join(methods)}")
    return "; ".join(parts)


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    return chr(int(code)) if code.isdecimal() and len(code) == 3 else code
