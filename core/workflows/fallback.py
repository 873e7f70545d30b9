"""When renewing failed for good, a self-signed certificate is better than an expired one (CL-07, CL-08).

At expiry, or after the configured number of failures, the fallback lineage's certificate goes onto the services of the
failing lineage. They stay the failing lineage's own, so that its first success takes them back.
"""

from __future__ import annotations

from dataclasses import replace

from core.config.load import load_lineage
from core.errors import CertdeckError
from core.events import Failed, Warned
from core.store import renewal_state
from core.store.index import facts_of
from core.workflows.context import Context
from core.workflows.outcome import target_configs
from core.workflows.transaction import deploy_version


def stand_in(context: Context, name: str) -> None:
    """Put the fallback certificate onto the targets of `name` where it is time. Its own failure is told, never raised."""
    fallback = context.config.defaults.fallback_certificate
    if fallback == name:
        return
    try:
        _stand_in(context, name, fallback)
    except CertdeckError as exc:
        context.narrator.tell(Failed(code=exc.code, what=exc.what, why=exc.why, fix=exc.fix))


def _stand_in(context: Context, name: str, fallback: str) -> None:
    if not (context.paths.certificates / f"{fallback}.toml").exists():
        return
    facts, other = facts_of(context.paths, name), facts_of(context.paths, fallback)
    now = context.env.clock.now().timestamp()
    state = renewal_state.load(context.paths, name)
    expired = facts.version is not None and facts.not_after <= now
    given_up = expired or state.failures >= context.config.defaults.reminders
    if not given_up or state.on_fallback or not facts.targets or other.version is None or other.not_after <= now:
        return
    targets = target_configs(context, [target for target in facts.targets if target in context.config.targets])
    deploy_version(context, fallback, other.version, targets, spec=load_lineage(context.paths, fallback))
    renewal_state.save(context.paths, name, replace(state, on_fallback=True))
    why = "it has expired" if expired else f"it failed {state.failures} times"
    context.narrator.tell(
        Warned(
            code="fallback-live",
            what=f"The fallback certificate {fallback} now stands in for {name}, because {why}.",
            fix=f"Mend the cause (`certdeck doctor {name}`), then `certdeck --renew {name} --force`.",
        )
    )
