"""Shows one issuer with its rate limits and their use, and compares all issuers (CC-31)."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from core.budget import Allowance, Standing, kept, used_standings
from core.issuers import BUILT_IN, Issuer
from core.limit_table import window_words
from core.operations import ClosedLimit, IssuerFacts, IssuerShown, LimitStanding
from core.rate_limits import WHAT, believable
from core.store import ledger
from core.store import limits as told
from core.store.accounts import account_id
from core.workflows.appliance_ca import LEAF_LIFETIME
from core.workflows.context import Context
from core.workflows.issuing.method import SELF_SIGNED
from core.workflows.issuing.plan import issuer_named
from core.workflows.settings.issuers import info_of

_UNKNOWN = "unknown"


def show(context: Context, name: str) -> IssuerShown:
    """Return an issuer with its limits. A limit in use has one entry for each subject. Raises NotFound (`not-found`)."""
    issuer = issuer_named(context.config, name)
    now = context.env.clock.now().timestamp()
    account = account_id(issuer.name, issuer.directory or "")
    longest = {each.limit: each.seconds for each in issuer.limits}
    used = used_standings(issuer.limits, kept(ledger.load(context.paths), longest, now), account, now)
    limits = [_standing(each) for each in used]
    limits += [
        _unused(each) for each in issuer.limits if not any(found.allowance.limit == each.limit for found in used)
    ]
    places = [each.limit for each in issuer.limits]
    closed = [
        ClosedLimit(
            what=WHAT[each.kind],
            until=datetime.fromtimestamp(each.until, UTC),
            domain=each.domain,
            said=each.said,
        )
        for each in believable(told.load(context.paths), now)
        if each.account == account and each.until > now
    ]
    return IssuerShown(
        issuer=info_of(context, name),
        limits_as_of=issuer.limits_as_of,
        limits=tuple(sorted(limits, key=lambda each: places.index(each.limit))),
        closed=tuple(closed),
    )


def compare(context: Context) -> tuple[IssuerFacts, ...]:
    """Return every issuer except staging and self-signed ones: first the default, then the others in the table's order."""
    default = context.config.defaults.issuer
    names = [name for name in dict.fromkeys((*BUILT_IN, *context.config.issuers)) if name != SELF_SIGNED]
    every = [issuer_named(context.config, name) for name in names]
    shown = [_facts(issuer) for issuer in every if not issuer.is_staging]
    return tuple(sorted(shown, key=lambda each: each.name != default))


def _facts(issuer: Issuer) -> IssuerFacts:
    known = issuer.facts
    figures = "; ".join(f"{each.general} in {window_words(each.seconds)}" for each in issuer.limits)
    own = issuer.kind != "acme"
    nothing = "none" if own else _UNKNOWN
    return IssuerFacts(
        name=issuer.name,
        title=issuer.title,
        as_of=known.as_of if known else "",
        price=known.price if known else "free" if own else _UNKNOWN,
        lifetime=known.lifetime if known else f"{LEAF_LIFETIME.days} days" if own else _UNKNOWN,
        names=known.names if known else str(issuer.max_names) if own else _UNKNOWN,
        wildcard=issuer.wildcard if issuer.is_known else None,
        ip=known.ip if known else "yes" if own else _UNKNOWN,
        eab=issuer.needs_eab if issuer.is_known else None,
        limits=figures or (known.limits if known else nothing),
        ari=known.ari if known else "no" if own else _UNKNOWN,
        profiles=known.profiles if known else nothing,
        staging=issuer.staging,
        notes=issuer.notes,
    )


def _standing(found: Standing) -> LimitStanding:
    return replace(
        _unused(found.allowance),
        subject=found.subject or None,
        used=found.used,
        left=found.left,
        free_at=None if found.free_at is None else datetime.fromtimestamp(found.free_at, UTC),
        unused_at=datetime.fromtimestamp(found.unused_at, UTC),
    )


def _unused(allowance: Allowance) -> LimitStanding:
    return LimitStanding(
        limit=allowance.limit,
        words=allowance.general,
        count=allowance.count,
        seconds=allowance.seconds,
        exempt=allowance.exempt,
        left=allowance.count,
    )
