"""Changes settings of a lineage without an order: issuer, automatic renewal, its time, fallback certificate (CC-16, ST-31)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from core.config.edit import write_lineage
from core.errors import UsageError
from core.events import Changed
from core.operations import IssuerChange
from core.renewal import renew_days_problem
from core.store.had_with import settings_of
from core.store.index import facts_of
from core.text import plural
from core.workflows.context import Context
from core.workflows.issuing.method import UPLOAD
from core.workflows.renewing.due import BY_HAND, why_never_alone


def change_issuer(context: Context, names: Sequence[str], issuer: str, *, dry_run: bool) -> tuple[IssuerChange, ...]:
    """Set another issuer for existing certificates. The next run orders them there. Those that already have it are left out.

    Args:
        dry_run: change nothing; for a confirmation prompt.

    Raises:
        NotFound: no such certificate or issuer.
        UsageError (`usage`): an uploaded certificate, the box's fallback certificate, or one that the issuer cannot issue.
            Nothing has changed in this case.
    """
    from core.workflows.issuing.plan import issuer_named, plan, without_issuer

    issuer_named(context.config, issuer)
    changes, wanted = [], []
    for name in dict.fromkeys(names):
        had = settings_of(context.paths, name)
        before = had.issuer or context.config.defaults.issuer
        if before == issuer:
            continue
        if before == UPLOAD or name == context.config.defaults.fallback_certificate:
            what = "It was uploaded" if before == UPLOAD else "It is the fallback certificate of this box"
            raise UsageError(
                f"{name} cannot use another issuer.",
                f"{what}, so no issuer renews it.",
                f"Order a new certificate: certdeck issue -d DOMAIN --issuer {issuer} --name NAME.",
                lineage=name,
            )
        settings = plan(context.config, replace(without_issuer(had), issuer=issuer)).lineage
        facts = facts_of(context.paths, name)._replace(issuer=issuer, challenge=settings.challenge)
        changes.append(
            IssuerChange(
                name=name, before=before, after=issuer, by_hand=why_never_alone(facts, context.config) == BY_HAND
            )
        )
        wanted.append(settings)
    if not dry_run:
        for settings in wanted:
            write_lineage(context.paths, settings)
            context.about(settings.name).narrator.tell(Changed(what=f"issuer of {settings.name}: {issuer}"))
    return tuple(changes)


def set_lineage(
    context: Context,
    name: str,
    *,
    auto_renew: bool | None,
    renew_days_before: int | None,
    fallback: str | None = None,
) -> None:
    """Change every setting that is not None.

    Args:
        renew_days_before: days before the end; 0: the default rule.
        fallback: name of the fallback certificate; empty: that of the box.

    Raises:
        NotFound; UsageError (`usage`): an unsuitable number of days for the lifetime, the certificate as its own fallback, or
            automatic renewal of an uploaded one.
    """
    lineage = settings_of(context.paths, name)
    if auto_renew and lineage.issuer == UPLOAD:
        raise UsageError(
            f"{name} cannot be renewed automatically.",
            "It was uploaded, so no CA renews it.",
            f"Import a new one in time: certdeck import {name}. Or order one: certdeck issue --name {name} --issuer ISSUER",
            lineage=name,
        )
    if auto_renew is not None:
        lineage = replace(lineage, auto_renew=auto_renew)
    if renew_days_before is not None:
        facts = facts_of(context.paths, name)
        if renew_days_before and facts.version is not None:
            problem = renew_days_problem(renew_days_before, facts.not_after - facts.not_before)
            if problem:
                raise UsageError(
                    f"{name} cannot renew {plural(renew_days_before, 'day')} before it expires.",
                    problem,
                    "Use fewer days, or 0 for the automatic rule, which suits every lifetime.",
                    lineage=name,
                )
        lineage = replace(lineage, renew_days_before=renew_days_before or None)
    if fallback is not None:
        lineage = replace(lineage, fallback_certificate=_fallback(context, name, fallback))
    write_lineage(context.paths, lineage)
    context.narrator.tell(Changed(what=f"settings of {name}"))


def _fallback(context: Context, name: str, fallback: str) -> str | None:
    """Return the fallback certificate to set. None: that of the box. Raises NotFound, UsageError."""
    if not fallback:
        return None
    settings_of(context.paths, fallback)
    if fallback == name:
        raise UsageError(
            f"{name} cannot be its own fallback certificate.",
            "It would have expired too.",
            "Choose another certificate, for example a wildcard.",
            lineage=name,
        )
    return fallback
