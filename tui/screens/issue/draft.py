"""The input of the wizard so far, and what the box can offer. Every step writes here, so going back loses nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from core.config.model import Config
from core.errors import CertdeckError
from core.identifiers import Identifier, companion, lineage_name_for, parse_identifier
from core.operations import DnsProviderInfo, IssueRequest, IssuerInfo, IssuerTest, TargetInfo
from tui.wording.text import SET_ONCE

HTTP_01 = "http-01"
BY_PROVIDER = "dns-provider"
BY_HAND = "dns-by-hand"
ONCE = SET_ONCE
NO_PROOF = "none"
"""The proofs: a file on port 80; DNS records set through a provider, set manually, or permanent; and no proof."""

OVER_DNS = frozenset({BY_PROVIDER, BY_HAND, ONCE})
_PROOF_OF_METHOD = {
    "http-01": HTTP_01,
    "dns-01": BY_PROVIDER,
    "manual-dns-01": BY_HAND,
    SET_ONCE: ONCE,
    "private-ca": NO_PROOF,
    "self-signed": NO_PROOF,
}

_SEPARATORS = re.compile(r"[\s,;]+")


class Offer(Struct, frozen=True):
    """What the engine offers, read once when the wizard opens."""

    config: Config
    issuers: tuple[IssuerInfo, ...]
    targets: tuple[TargetInfo, ...]
    snippets: Mapping[str, str]
    providers: tuple[DnsProviderInfo, ...] = ()
    issued: tuple[tuple[str | None, frozenset[str]], ...] = ()
    """Issuer and names of each existing certificate."""

    def provider(self, name: str) -> DnsProviderInfo | None:
        return next((each for each in self.providers if each.name == name), None)

    def issuer(self, name: str) -> IssuerInfo | None:
        return next((each for each in self.issuers if each.name == name), None)


class Parsed(Struct, frozen=True):
    """One word of the input: a valid name, or why it is not one."""

    typed: str
    identifier: Identifier | None
    error: CertdeckError | None = None


class Draft(Struct, kw_only=True):
    """The certificate that the wizard is about to order."""

    typed: str = ""
    """The names as typed."""
    declined: set[str] = field(default_factory=set)
    """Companions that the user declined."""
    name: str = ""
    proof: str = HTTP_01
    dns: str = ""
    """The DNS provider entry; empty if none is chosen yet."""
    issuer: str = ""
    key_type: str = ""
    profile: str = ""
    email: str = ""
    agreed: set[str] = field(default_factory=set)
    """Issuers whose terms the user accepted in this wizard."""
    rehearse: bool | None = None
    """Whether the user ticked or unticked the rehearsal; None: the engine decides, see `rehearses_by_default`."""
    targets: tuple[str, ...] = ()
    targets_of: str = ""
    """The lineage whose services were ticked initially."""
    tests: dict[str, IssuerTest | CertdeckError] = field(default_factory=dict)
    """The answers of the ACME directories queried so far."""

    def parsed(self) -> list[Parsed]:
        """Return every typed name once, in order."""
        found: dict[str, Parsed] = {}
        for part in _SEPARATORS.split(self.typed):
            if not part:
                continue
            try:
                identifier = parse_identifier(part)
            except CertdeckError as exc:
                found.setdefault(part, Parsed(part, None, exc))
            else:
                found.setdefault(identifier.value, Parsed(part, identifier))
        return list(found.values())

    def companions(self) -> list[tuple[Identifier, Identifier]]:
        """Return the possible companions, each with its bare domain: `www.`, or `*.` with DNS-01 (SO-14, SO-15)."""
        typed = [each.identifier for each in self.parsed() if each.identifier is not None]
        known = {identifier.value for identifier in typed}
        # A wildcard can only be proven through the DNS, whatever proof is chosen now.
        challenge = "dns-01" if self.is_over_dns or self.wildcards else HTTP_01
        pairs = [(companion(identifier, challenge), identifier) for identifier in typed]
        return [(extra, beside) for extra, beside in pairs if extra is not None and extra.value not in known]

    def identifiers(self) -> tuple[Identifier, ...]:
        """Return the names to order: each typed name, followed by its companion unless that was declined."""
        beside = {base.value: extra for extra, base in self.companions() if extra.value not in self.declined}
        names: list[Identifier] = []
        for each in self.parsed():
            if each.identifier is not None:
                names.append(each.identifier)
                if each.identifier.value in beside:
                    names.append(beside[each.identifier.value])
        return tuple(names)

    @property
    def is_over_dns(self) -> bool:
        """Whether the names are proven by DNS records."""
        return self.proof in OVER_DNS

    @property
    def is_set_by_hand(self) -> bool:
        """Whether the records are set manually. Then there is no rehearsal, which would need records of its own."""
        return self.proof in (BY_HAND, ONCE)

    def can_rehearse(self, offer: Offer) -> bool:
        """Return whether a rehearsal is possible: the issuer has a staging environment and the proof is automatic."""
        issuer = offer.issuer(self.issuer)
        return issuer is not None and bool(offer.issuer(issuer.staging or "")) and not self.is_set_by_hand

    def rehearses_by_default(self, offer: Offer) -> bool:
        """Return whether the engine rehearses by default: the issuer has not issued for these names on this box yet."""
        names = {identifier.value for identifier in self.identifiers()}
        is_first = not any(ca == self.issuer and names <= had for ca, had in offer.issued)
        return offer.config.defaults.rehearse and is_first

    def rehearses(self, offer: Offer) -> bool:
        """Return whether the order is rehearsed."""
        wanted = self.rehearses_by_default(offer) if self.rehearse is None else self.rehearse
        return wanted and self.can_rehearse(offer)

    @property
    def wildcards(self) -> tuple[Identifier, ...]:
        """The typed wildcard names."""
        typed = [each.identifier for each in self.parsed() if each.identifier is not None]
        return tuple(identifier for identifier in typed if identifier.wildcard)

    def repeat(self, method: str, providers: Sequence[DnsProviderInfo]) -> None:
        """Use the proof by which the certificate of this name was validated before (ST-30). `method`: its word in the status."""
        self.proof = _PROOF_OF_METHOD.get(method, self.proof)
        self.dns = next((each.name for each in providers if self.lineage in each.lineages), self.dns)

    def serving(self, providers: Sequence[DnsProviderInfo]) -> str:
        """Return the provider for these names (ST-25): the one with the closest matching zone, else the first, else None."""
        names = [identifier.value.removeprefix("*.") for identifier in self.identifiers()]

        def closeness(each: DnsProviderInfo) -> tuple[int, int]:
            zones = [max((len(zone) for zone in each.zones if is_below(name, zone)), default=0) for name in names]
            return sum(map(bool, zones)), sum(zones)

        complete = [each for each in providers if not each.missing] or list(providers)
        return max(complete, key=closeness).name if complete else ""

    @property
    def lineage(self) -> str:
        """The name of the certificate; empty until a domain has been entered."""
        names = self.identifiers()
        return self.name or (lineage_name_for(names[0]) if names else "")

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been entered that could be lost."""
        return not self.typed.strip() and not self.name

    def request(self) -> IssueRequest:
        """Return the request for the engine."""
        return IssueRequest(
            domains=tuple(identifier.value for identifier in self.identifiers()),
            name=self.name or None,
            issuer=self.issuer or None,
            challenge={HTTP_01: HTTP_01, ONCE: ONCE, NO_PROOF: None}.get(self.proof, "dns-01"),
            dns=(self.dns or None) if self.proof == BY_PROVIDER else None,
            manual=self.is_set_by_hand,
            key_type=self.key_type or None,
            profile=self.profile or None,
            email=self.email or None,
            agree_tos=self.issuer in self.agreed,
            rehearse=None if self.is_set_by_hand else self.rehearse,
            targets=self.targets,
        )


def is_below(name: str, zone: str) -> bool:
    """Return whether a name is in a zone."""
    return name == zone or name.endswith(f".{zone}")
