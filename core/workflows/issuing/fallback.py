"""Deploys the fallback certificate when renewal keeps failing: it is better than an expired one (CL-07, CL-08).

At expiry, or after the configured number of failures, the fallback certificate is deployed to the services of the failing lineage.
They stay the targets of the failing lineage, so its first successful renewal replaces the fallback certificate. So does the first
run that finds the reason gone, for example because the clock was wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from core.config.load import load_lineage
from core.errors import CertdeckError
from core.events import Failed, Warned
from core.store import renewal_state
from core.store.index import Facts, facts_of
from core.workflows import clock
from core.workflows.context import Context
from core.workflows.deploying.transaction import deploy_version
from core.workflows.renewing.due import believable, stands_in_for
from core.workflows.renewing.outcome import target_configs


def deploy_fallback(context: Context, name: str) -> None:
    """Deploy the fallback certificate to the targets of `name` if that is necessary. A failure is reported, never raised.

    It uses the certificate's own fallback, or that of the box if the first is missing or invalid. If the fallback certificate is
    already deployed and the reason is gone, it restores the certificate.
    """
    try:
        own = load_lineage(context.paths, name).fallback_certificate
        candidates = [each for each in (own, context.config.defaults.fallback_certificate) if each]
        if name != candidates[-1]:
            _stand_in(context, name, [each for each in dict.fromkeys(candidates) if each != name])
    except CertdeckError as exc:
        context.narrator.tell(Failed(code=exc.code, what=exc.what, why=exc.why, fix=exc.fix))


def _valid(context: Context, name: str, now: float) -> Facts | None:
    """Return the facts of a certificate that is valid now. None: it does not exist or is not valid."""
    if not (context.paths.certificates / f"{name}.toml").exists():
        return None
    facts = facts_of(context.paths, name)
    return facts if facts.version is not None and facts.not_before <= now < facts.not_after else None


def put_back(context: Context, name: str) -> None:
    """Deploy the certificate of `name` to its targets again, in place of the fallback certificate. Raises TargetError."""
    facts = facts_of(context.paths, name)
    if not facts.on_fallback or facts.version is None:
        return
    targets = target_configs(context, [target for target in facts.targets if target in context.config.targets])
    deploy_version(context, name, facts.version, targets, spec=load_lineage(context.paths, name))
    context.narrator.tell(
        Warned(
            code="fallback-ended",
            what=f"{name} is back on its services: the fallback certificate is no longer needed.",
            fix="No action is needed. If this is unexpected, check that the clock of this box is correct.",
        )
    )


def _stand_in(context: Context, name: str, candidates: Sequence[str]) -> None:
    now = context.env.clock.now().timestamp()
    facts = believable(facts_of(context.paths, name), now)
    why = stands_in_for(facts, context.config, now)
    if facts.on_fallback:
        if not why:
            put_back(context, name)
        return
    if not why or not facts.targets:
        return
    valid = (found for each in candidates if (found := _valid(context, each, now)) is not None)
    other = next(valid, None)
    if other is None or other.version is None:
        return
    fallback = other.name
    if clock.waits(context, "The fallback certificate"):
        return
    targets = target_configs(context, [target for target in facts.targets if target in context.config.targets])
    # A certificate that lacks names is better than an expired one.
    targets = [replace(target, single=False) for target in targets]
    deploy_version(context, fallback, other.version, targets, spec=load_lineage(context.paths, fallback))
    renewal_state.save(context.paths, name, replace(renewal_state.load(context.paths, name), on_fallback=True))
    context.narrator.tell(
        Warned(
            code="fallback-live",
            what=f"The fallback certificate {fallback} is now served instead of {name}, because {why}.",
            fix=f"Fix the cause (`certdeck doctor {name}`), then `certdeck --renew {name} --force`.",
        )
    )
