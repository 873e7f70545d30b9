"""The state of a target's web settings, from a plan and from what its web server sends."""

from __future__ import annotations

from core.config.model import TargetConfig
from core.store.index import facts_of_all
from core.targets.resolved import resolved
from core.targets.sight import server_name
from core.web.blocks import holds, without
from core.web.shown import Listener, WebFile, WebState
from core.workflows.context import View
from core.workflows.web import files
from core.workflows.web.plan import Plan
from core.workflows.web.seen import redirect_seen


def state_of(
    view: View,
    configured: TargetConfig,
    planned: Plan,
    host: str,
    listeners: tuple[Listener, ...],
    *,
    changed: bool = False,
    notes: tuple[str, ...] = (),
) -> WebState:
    """Return the state from a plan and the headers of the `listeners`. Also requests the redirect on plain HTTP."""
    target = resolved(configured)
    to_change = {} if changed else planned.after
    has_block = any(holds(text, target.name) for text in planned.found.values())
    state = "applied" if not to_change else "outdated" if has_block else "absent"
    redirect = redirect_seen(view, target, host)
    return WebState(
        target=target.name,
        server=planned.server.name,
        state=state,
        changed=changed,
        files=tuple(
            WebFile(
                path=name,
                applied=name not in to_change,
                lines=_added(planned.found[name], planned.rendered[name].text, target.name),
            )
            for name in planned.rendered
        ),
        hsts=planned.hsts.value,
        hsts_why=planned.hsts.why,
        hsts_next=planned.hsts.next_at,
        listeners=listeners,
        redirect=redirect,
        notes=(*planned.notes, *notes),
    )


def ask_as(view: View, target: str) -> str:
    """Return the host name for requests to the target's web server: one that its certificate covers."""
    every = facts_of_all(view.paths)[0]
    names = next((tuple(facts.names) for facts in every if target in facts.targets), ())
    configured = view.config.targets[target]
    return server_name(configured.probe_name, names, next(iter(configured.probe), "")) or "localhost"


def _added(before: str, after: str, target: str) -> tuple[str, ...]:
    """Return the lines of certdeck's blocks, and lines that became comments."""
    plain = set(without(before, target).split("\n"))
    added = [line for line in after.split("\n") if line not in plain or "certdeck web" in line]
    return tuple(line.encode(files.ENCODING).decode("utf-8", "replace") for line in added)
