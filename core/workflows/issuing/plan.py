"""Turns a request, or a lineage's settings, into the exact plan of an order.

Depends only on its arguments: no file, no network. It finds every problem, before a CA, a port or a file is used, and reports all
problems at once.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from core.config.model import Config, LineageConfig
from core.config.rules import email
from core.dns.names import DNS_CHALLENGES, DNS_PERSIST01
from core.errors import CertdeckError, NotFound, UsageError
from core.identifiers import Identifier, check_lineage_name, lineage_name_for, parse_identifiers
from core.issuers import BUILT_IN, Issuer, IssuerProblem, issuer_problems, merged, profile_for
from core.operations import IssueRequest
from core.workflows.issuing.challenge_choice import challenge_of
from core.workflows.issuing.method import SELF_SIGNED, UPLOAD, method_of


class Plan(Struct, frozen=True, kw_only=True):
    """The plan of one certificate."""

    lineage: LineageConfig
    """The settings to store with the certificate: everything that decides what is issued and by whom, including values from
    defaults. Later changes of the defaults apply only to new certificates."""
    issuer: Issuer
    identifiers: tuple[Identifier, ...]
    key_type: str
    challenge: str
    profile: str | None
    preferred_chain: str | None
    email: str | None = None
    agree_tos: bool = False
    common_name: bool = False
    """The CSR has a common name."""
    notices: tuple[str, ...] = ()
    """Automatic decisions to report."""

    @property
    def name(self) -> str:
        return self.lineage.name

    def method(self, config: Config) -> str:
        """Return the `method` in `status --json`."""
        return method_of(config, self.issuer.name, self.lineage.challenge, self.lineage.dns)

    @property
    def is_manual(self) -> bool:
        """DNS records may have to be set manually."""
        return self.issuer.kind == "acme" and self.challenge in DNS_CHALLENGES and not self.lineage.dns

    @property
    def can_be_rehearsed(self) -> bool:
        """A rehearsal needs no manual step, and leaves no persistent DNS record."""
        is_lasting = self.issuer.kind == "acme" and self.challenge == DNS_PERSIST01
        return not self.is_manual and not is_lasting

    @property
    def names(self) -> tuple[str, ...]:
        """A-labels and IP addresses, in the given order."""
        return tuple(identifier.value for identifier in self.identifiers)


def issuer_named(config: Config, name: str) -> Issuer:
    """Return an issuer, merged from the built-in table and the configuration.

    Raises NotFound (`not-found`), which suggests the closest name.
    """
    built_in = BUILT_IN.get(name)
    entry = config.issuers.get(name)
    if built_in is None and entry is None:
        known = sorted({*BUILT_IN, *config.issuers})
        raise NotFound(f"There is no issuer {name!r}.", _nearest(name, known), f"Available: {', '.join(known)}.")
    if entry is None:
        assert built_in is not None
        return built_in
    found = merged(
        built_in,
        name,
        directory=entry.directory,
        title=entry.title,
        staging=entry.staging,
        limits=entry.limits,
        orders_per_run=entry.orders_per_run,
    )
    # An issuer that others use for rehearsals is a staging issuer too.
    rehearses = any(other.staging == name for other in config.issuers.values())
    return replace(found, is_staging=True) if rehearses else found


def check_contact(address: str | None) -> None:
    """Raise UsageError (`usage`) unless `address` is a single email address. None: no contact."""
    broken = email(address) if address is not None else None
    if broken is not None:
        what, fix = broken
        raise UsageError(f"{what}.", "The contact of an account is a single address.", fix)


def lineage_of(config: Config, request: IssueRequest, existing: LineageConfig | None) -> LineageConfig:
    """Return the settings for a request: its options, else those of the existing lineage.

    Raises UsageError for invalid names or contact, or if an uploaded certificate gets no issuer; NotFound for an unknown target or
    DNS provider.
    """
    identifiers = parse_identifiers(request.domains)
    if not identifiers:
        raise UsageError(
            "No name was given.", "A certificate needs at least one name or address.", "Add -d www.example.com."
        )
    check_contact(request.email)
    name = request.name or lineage_name_for(identifiers[0])
    check_lineage_name(name)
    base = existing or LineageConfig(name=name)
    if request.issuer is not None and base.issuer not in (None, request.issuer):
        base = without_issuer(base)
    if base.issuer == UPLOAD and request.issuer is None:
        raise UsageError(
            f"{name} is an uploaded certificate.",
            "A new certificate from a CA would replace it, and no issuer was given.",
            f"Give the issuer, for example --issuer {config.defaults.issuer}. Or give the new certificate "
            "another name with --name.",
            lineage=name,
            details={"needs": "issuer", "issuer": config.defaults.issuer},
        )
    domains = tuple(identifier.value for identifier in identifiers)
    challenge, dns = challenge_of(config, request, existing, domains)
    return replace(
        base,
        name=name,
        domains=domains,
        issuer=request.issuer or base.issuer,
        challenge=challenge,
        dns=dns,
        key_type=request.key_type or base.key_type,
        profile=request.profile or base.profile,
        targets=base.targets if request.targets is None else _known_targets(config, request.targets),
    )


def plan(
    config: Config,
    lineage: LineageConfig,
    request: IssueRequest | None = None,
    *,
    existing: LineageConfig | None = None,
) -> Plan:
    """Return the plan for a lineage.

    Args:
        request: adds what is not stored (contact, agreement to terms).
        existing: the lineage's earlier settings; unchanged ones cause no notice.

    Raises UsageError (`usage`) with every problem in `details["problems"]`; NotFound.
    """
    identifiers = parse_identifiers(lineage.domains)
    issuer = issuer_named(config, lineage.issuer or config.defaults.issuer)
    entry = config.issuers.get(issuer.name)
    key_type = lineage.key_type or config.defaults.key_type
    challenge = lineage.challenge or config.defaults.challenge
    wanted = (entry.profile if entry else None) if lineage.profile is None else lineage.profile
    profile, notices = profile_for(issuer, identifiers, wanted or None)
    preferred = (
        (entry.preferred_chain if entry else None) if lineage.preferred_chain is None else lineage.preferred_chain
    )
    problems = issuer_problems(issuer, identifiers, key_type, profile, challenge)
    if request is not None and request.profile and issuer.kind != "acme":
        problems += (IssuerProblem("It has no profiles.", "Run the command without --profile."),)
    if problems:
        raise UsageError(
            f"{issuer.title} cannot issue this certificate.",
            " ".join(problem.what for problem in problems),
            " ".join(dict.fromkeys(problem.fix for problem in problems)),
            lineage=lineage.name,
            details={"problems": [{"what": p.what, "fix": p.fix} for p in problems]},
        )
    had = existing.dns if existing is not None else None
    if request is not None and issuer.kind == "acme" and lineage.dns not in (None, request.dns, had):
        notices += (f"The names are validated through the DNS provider {lineage.dns}, which serves their zone.",)
    kept = replace(lineage, issuer=issuer.name, key_type=key_type)
    if issuer.kind == "acme":
        kept = replace(
            kept,
            challenge=challenge,
            profile=profile or "",
            preferred_chain=preferred or "",
            fallback_issuers=fallback_issuers_of(config, lineage),
        )
    return Plan(
        lineage=kept,
        issuer=issuer,
        identifiers=identifiers,
        key_type=key_type,
        challenge=challenge,
        profile=profile,
        preferred_chain=preferred or None,
        email=request.email if request else None,
        agree_tos=bool(request and request.agree_tos),
        common_name=bool(entry and entry.common_name),
        notices=notices,
    )


def fallback_issuers_of(config: Config, lineage: LineageConfig) -> tuple[str, ...]:
    """Return the issuers to try, in order, if the certificate's own issuer fails."""
    return config.defaults.fallback_issuers if lineage.fallback_issuers is None else lineage.fallback_issuers


def without_issuer(lineage: LineageConfig) -> LineageConfig:
    """Return the settings without profile and preferred chain, which belong to the old issuer."""
    return replace(lineage, profile=None, preferred_chain=None)


def self_signed_plan(lineage: LineageConfig) -> Plan:
    """Return the plan of a self-signed certificate, for names that need not be public."""
    return Plan(
        lineage=lineage,
        issuer=BUILT_IN[SELF_SIGNED],
        identifiers=(),
        key_type=lineage.key_type or "ec-256",
        challenge="",
        profile=None,
        preferred_chain=None,
    )


def staging_of(config: Config, plan: Plan) -> Plan:
    """Return the same plan at the issuer's staging directory (SO-27, SF-22).

    Raises UsageError (`usage`) if the issuer has none.
    """
    if plan.issuer.staging is None:
        raise UsageError(
            f"{plan.issuer.title} has no staging directory that certdeck knows.",
            "A rehearsal needs a directory with untrusted certificates and high rate limits.",
            f'Add it as a separate issuer, then set staging = "NAME" in [issuers.{plan.issuer.name}].',
        )
    return replace(plan, issuer=issuer_named(config, plan.issuer.staging))


def unknown_target(config: Config, name: str) -> CertdeckError:
    """Return the error for a target that is not configured."""
    known = sorted(config.targets)
    listed = f"Available: {', '.join(known)}." if known else "Add one first: certdeck target add"
    return NotFound(f"The target {name!r} does not exist.", _nearest(name, known), listed)


def _known_targets(config: Config, names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in config.targets:
            raise unknown_target(config, name)
    return tuple(dict.fromkeys(names))


def _nearest(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]!r}?" if near else "The configuration has no entry with that name."
