"""Messages about the rate limits of CAs: an order that would exceed one, the cost of a forced order, and a refusal by the CA."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from core.acme.problem_words import USE_STAGING
from core.budget import FAILURES, ORDERS, PER_DOMAIN, PER_NAMES, Standing
from core.config.model import Config
from core.dates import iso_shown, minute_shown, moment_in_words
from core.errors import BudgetSpent, CertdeckError, RateLimited
from core.events import Narrator, Warned
from core.identifiers import parse_identifiers
from core.issuers import BUILT_IN, Issuer, issuer_problems
from core.limit_table import window_words
from core.workflows.issuing.plan import Plan, issuer_named

THIS_BOX_ALONE = "This box counts only its own orders. The CA also counts those of other machines."
_WORDS = {
    PER_NAMES: r"exact set of|duplicate certificate|#new-certificates-per-exact-set",
    PER_DOMAIN: r"already issued for|#new-certificates-per-registered-domain",
    FAILURES: r"failed authorizations|#authorization-failures",
    ORDERS: r"new orders|#new-orders-per-account",
}
"""Boulder's wording and links (ratelimits/limiter.go, 2026-08), the most specific first."""


def moment(at: float) -> str:
    """Return a time (epoch seconds) as text in minutes, UTC, rounded up so that it is never too early."""
    return minute_shown(_upwards(at))


def _upwards(at: float) -> datetime:
    return datetime.fromtimestamp(at + 59, UTC)


def limit_words(issuer: Issuer, found: Standing) -> str:
    """Return the limit as a clause, for example `letsencrypt allows 50 certificates for example.com in 7 days`."""
    return f"{issuer.name} allows {found.allowance.things(found.subject)} in {window_words(found.allowance.seconds)}"


def _who_says(issuer: Issuer, found: Standing) -> str:
    return f"{issuer.name} reports that all of them are used" if found.is_told else "this box has used all of them"


def spent(config: Config, issuer: Issuer, names: Sequence[str], found: Standing) -> BudgetSpent:
    """Return the error for an order that is not placed because a limit is exhausted."""
    free_at = found.free_at or 0.0
    return BudgetSpent(
        f"{limit_words(issuer, found)}, and {_who_says(issuer, found)}.",
        f"The next one is available on {moment_in_words(_upwards(free_at))}. {THIS_BOX_ALONE}",
        f"Wait until then; a scheduled renewal waits automatically. {_meanwhile(config, issuer, names)} "
        f"--force orders anyway; {issuer.name} will probably refuse it.",
        retry_at=datetime.fromtimestamp(free_at, UTC),
        details={
            "closed": True,
            "limit": found.allowance.limit,
            "subject": found.subject,
            "used": found.used,
            "count": found.allowance.count,
            "seconds": found.allowance.seconds,
        },
    )


def tell_cost(narrator: Narrator, issuer: Issuer, found: Sequence[Standing]) -> None:
    """Warn, before a forced order, what it uses of the limit with the least left."""
    counted = [each for each in found if each.allowance.limit != FAILURES]
    tightest = min(counted, key=lambda each: each.left / each.allowance.count, default=None)
    if tightest is None:
        return
    if tightest.free_at is not None:
        what = f"{limit_words(issuer, tightest)}, and {_who_says(issuer, tightest)}. certdeck places the order anyway."
        fix = f"If {issuer.name} refuses it, wait until {moment(tightest.free_at)}."
    else:
        what = f"{limit_words(issuer, tightest)}. This order uses one of the {tightest.left} remaining."
        fix = f"{THIS_BOX_ALONE} `certdeck issuer show {issuer.name}` shows all limits."
    narrator.tell(Warned(code="rate-limit-cost", what=what, fix=fix))


def tell_of_limit(config: Config, plan: Plan, error: RateLimited, known: Sequence[Standing]) -> Standing | None:
    """Add the limit's figures, and alternatives, to the error of a CA that refused because of a limit (SO-34, CC-24).

    Returns the limit. None: it is not a known one.
    """
    if error.details.get("closed"):
        return None
    detail = str(error.details.get("detail", ""))
    limit = next((limit for limit, words in _WORDS.items() if re.search(words, detail, re.IGNORECASE)), None)
    met = next((each for each in known if each.allowance.limit == limit and _is_meant(each, detail)), None)
    if met is not None:
        as_of = f" (as of {iso_shown(plan.issuer.limits_as_of)})" if plan.issuer.limits_as_of else ""
        error.why += f" {limit_words(plan.issuer, met)}{as_of}. This box has used {met.used} of them."
    error.fix = f"{error.fix.removesuffix(USE_STAGING).rstrip()} {_meanwhile(config, plan.issuer, plan.names)}"
    return met


def _is_meant(found: Standing, detail: str) -> bool:
    return found.allowance.limit not in (PER_DOMAIN, FAILURES) or found.subject in detail


def _meanwhile(config: Config, issuer: Issuer, names: Sequence[str]) -> str:
    """Return sentences about testing with staging, and about other CAs that can issue the certificate."""
    said = [f"To test meanwhile, use --staging ({issuer.staging})."] if issuer.staging else []
    others = list(alternatives(config, issuer, names))
    if others:
        said.append(f"Another CA: {' or '.join(f'--issuer {name}' for name in others[:2])}.")
    return " ".join(said) or "Add another CA with `certdeck issuer add`."


def alternatives(config: Config, issuer: Issuer, names: Sequence[str]) -> list[str]:
    """Return the names of other public ACME issuers that can issue for these names, configured ones first."""
    found = []
    identifiers = parse_identifiers(names)
    challenge = "dns-01" if any(identifier.wildcard for identifier in identifiers) else "http-01"
    for name in dict.fromkeys((*config.defaults.fallback_issuers, *config.issuers, *BUILT_IN)):
        try:
            other = issuer_named(config, name)
        except CertdeckError:
            continue
        is_like = other.kind == "acme" and not other.is_staging and other.directory != issuer.directory
        key_type = "ec-256" if "ec-256" in other.key_types else other.key_types[0]
        if is_like and not issuer_problems(other, identifiers, key_type, None, challenge):
            found.append(name)
    return found
