"""Chooses the challenge and the DNS provider of a certificate: the requested ones, else suitable ones.

Pure. A lineage keeps its first choice (ST-30). DNS records are set manually only on request, because such a lineage does not renew
automatically.
"""

from __future__ import annotations

from core.config.model import Config, LineageConfig
from core.config.rules import CHALLENGES, one_of
from core.dns.names import DNS01, DNS_CHALLENGES, DNS_PERSIST01
from core.errors import UsageError
from core.operations import IssueRequest
from core.workflows.issuing.method import is_acme


def challenge_of(
    config: Config, request: IssueRequest, existing: LineageConfig | None, domains: tuple[str, ...]
) -> tuple[str | None, str | None]:
    """Return the challenge and the DNS provider entry of a lineage. None: the default challenge; no provider.

    Raises UsageError for contradictory options or a challenge that cannot validate these names; NotFound for an unknown entry.
    """
    if request.manual and request.dns is not None:
        raise UsageError(
            "DNS records are set either manually or by a provider.",
            "--manual and --dns were both given.",
            "Use only one of them.",
        )
    if request.challenge is not None and (broken := one_of(*CHALLENGES)(request.challenge)):
        raise UsageError("There is no such challenge.", f"{broken[0]}.", broken[1])
    had_challenge, had_dns = (existing.challenge, existing.dns) if existing else (None, None)
    challenge = request.challenge
    if request.dns is not None or request.manual:
        challenge = challenge or (had_challenge if had_challenge in DNS_CHALLENGES else DNS01)
        if challenge not in DNS_CHALLENGES:
            raise UsageError(
                f"The challenge {challenge} does not use DNS.",
                "A DNS provider or manual records work only with DNS challenges.",
                "Omit --challenge, or omit --dns and --manual.",
            )
        if request.dns is not None:
            from core.workflows.settings.providers import require_entry

            require_entry(config, request.dns)
        return challenge, request.dns
    if challenge is None and not is_acme(
        config, request.issuer or (existing and existing.issuer) or config.defaults.issuer
    ):
        return had_challenge, had_dns
    wanted = challenge or had_challenge or config.defaults.challenge
    if wanted not in DNS_CHALLENGES:
        if challenge is None and any(domain.startswith("*.") for domain in domains):
            return DNS01, _provider_for_wildcard(config, domains)
        return challenge or had_challenge, None
    if wanted == had_challenge:
        return wanted, had_dns  # also manually, if it was issued that way
    found = _entry_serving(config, domains)
    if found is None and wanted != DNS_PERSIST01:
        raise UsageError(
            f"No DNS provider is configured for {domains[0]}.",
            _why_nobody(config),
            "Give --dns PROVIDER (list them with: certdeck dns list), or --manual to set them yourself.",
            details={"needs": "dns"},
        )
    return wanted, found


def _provider_for_wildcard(config: Config, domains: tuple[str, ...]) -> str:
    found = _entry_serving(config, domains)
    if found is None:
        raise UsageError(
            "A wildcard can be validated only through DNS.",
            f"CAs do not accept http-01 for it. {_why_nobody(config)}",
            "Give --dns PROVIDER (list them with: certdeck dns list), or --manual to set the records yourself.",
            details={"needs": "dns"},
        )
    return found


def _entry_serving(config: Config, domains: tuple[str, ...]) -> str | None:
    from core.workflows.settings.providers import entry_serving  # most certificates need no DNS provider

    return entry_serving(config, domains)


def _why_nobody(config: Config) -> str:
    if not config.dns_providers:
        return "There is no DNS provider yet."
    return "No DNS provider entry has a zone that contains all these names."
