"""Adds the web settings to the configuration of a web server, removes them, and shows them."""

from __future__ import annotations

from collections.abc import Mapping

from core.config.model import TargetConfig
from core.errors import CertdeckError
from core.events import Changed, Warned
from core.store import web as store
from core.targets.resolved import resolved
from core.web.blocks import without
from core.web.servers import server_of
from core.web.shown import Listener, WebState
from core.web.wanted import Redirect
from core.workflows.context import Context, View
from core.workflows.issuing.plan import unknown_target
from core.workflows.web.change import change
from core.workflows.web.plan import Plan, own_redirect, plan, texts_of
from core.workflows.web.seen import headers_seen, redirect_seen, settled
from core.workflows.web.show import ask_as, state_of


def apply_web(context: Context, name: str) -> WebState:
    """Add the settings to the configuration of a target's web server, or update them. The caller holds the writers' lock.

    Raises:
        NotFound; WebNotPossible (`web-not-possible`), UntrustedPath: nothing was changed.
        ConfigTestFailed, ReloadFailed, WebNotPossible: the previous configuration was restored.
    """
    target = configured(context, name)
    applied = store.load(context.paths, name)
    host = ask_as(context, name)
    redirect, notes = wanted_redirect(context, target, applied, host)
    planned = plan(context, target, applied, redirect=redirect)
    after = planned.after
    seen: tuple[Listener, ...] | None = None
    if after:
        try:
            seen = _change(context, target, planned, after, host)
        except CertdeckError as exc:
            if redirect is None or (applied and applied.redirect):
                raise
            # Another server may use the port, or the name on it. The other settings do not depend on that.
            planned = plan(context, target, applied, redirect=None)
            after = planned.after
            if after:
                seen = _change(context, target, planned, after, host)
            notes = (*notes, f"The redirect of port {redirect.port} was not set up. {exc.why}")
    now = context.env.clock.now()
    ours = store.Applied(
        since=applied.since if applied else now,
        files=tuple(planned.rendered),
        redirect=any(each.redirects for each in planned.rendered.values()),
        next_at=planned.hsts.next_at,
    )
    if ours != applied:
        store.save(context.paths, name, ours)
    if after:
        context.narrator.tell(Changed(what=f"web settings of target {name} applied"))
    if seen is None:
        seen = headers_seen(context, target, planned.wanted, host)
    return state_of(context, target, planned, host, seen, changed=bool(after), notes=notes)


def show_web(view: View, name: str) -> WebState:
    """Return the settings, and what the web server sends. Changes nothing. Raises NotFound, WebNotPossible."""
    target = configured(view, name)
    applied = store.load(view.paths, name)
    host = ask_as(view, name)
    redirect, notes = wanted_redirect(view, target, applied, host)
    planned = plan(view, target, applied, redirect=redirect)
    seen = headers_seen(view, target, planned.wanted, host)
    return state_of(view, target, planned, host, seen, notes=notes)


def remove_web(context: Context, name: str) -> tuple[str, ...]:
    """Remove the settings from the configuration. Returns the changed files. Raises what `apply_web` raises."""
    target = configured(context, name)
    applied = store.load(context.paths, name)
    texts = texts_of(resolved(target), applied)
    after = {path: new for path, text in texts.items() if (new := without(text, name)) != text}
    if after:
        change(context, target, {path: texts[path] for path in after}, after, lambda: "")
    store.forget(context.paths, name)
    if after or applied:
        context.narrator.tell(Changed(what=f"web settings of target {name} removed"))
    return tuple(after)


def advance(context: Context) -> None:
    """Set the next HSTS value on targets for which it is due. A failure is reported, and the next run tries again."""
    for name in store.due(context.paths, context.env.clock.now()):
        if name not in context.config.targets:
            continue
        try:
            apply_web(context, name)
        except CertdeckError as exc:
            context.narrator.tell(
                Warned(
                    code="web-not-updated",
                    what=f"{exc.what} {exc.why}",
                    fix=f"{exc.fix} Then: certdeck web apply {name}",
                )
            )


def configured(view: View, name: str) -> TargetConfig:
    """Return a configured target. Raises NotFound; WebNotPossible for a service that is not a web server."""
    target = view.config.targets.get(name)
    if target is None:
        raise unknown_target(view.config, name)
    server_of(resolved(target))
    return target


def wanted_redirect(
    view: View, target: TargetConfig, applied: store.Applied | None, host: str
) -> tuple[Redirect | None, tuple[str, ...]]:
    """Return the redirect to set up, and notes. None: no redirect; the notes say why if it is wanted but impossible."""
    web = view.config.web
    if not web.redirect or server_of(resolved(target)).name == "caddy":
        return None, ()
    if not (applied and applied.redirect):
        seen = redirect_seen(view, target, host)
        if seen not in ("closed", "missing"):
            return None, ()
    redirect = own_redirect(view)
    if redirect is None:
        return None, (
            (
                f"Port {web.http_port} is reserved for HTTP-01. For the redirect, set [http01] port to another port, "
                "such as 8402: the web server then passes the challenge on."
            ),
        )
    return redirect, ()


def _change(
    context: Context, target: TargetConfig, planned: Plan, after: Mapping[str, str], host: str
) -> tuple[Listener, ...]:
    """Change the configuration, and verify that the server responds afterwards, and redirects if required. Returns what it sends.

    Wrong headers are reported and not rolled back: the application behind the server may send them too.
    """
    answered = {each.address for each in headers_seen(context, target, planned.wanted, host) if each.failure is None}

    seen: tuple[Listener, ...] = ()

    def look() -> str:
        nonlocal seen
        seen = settled(context, target, planned.wanted, host)
        silent = answered - {each.address for each in seen if each.failure is None}
        if silent:
            return f"There was no response at {', '.join(sorted(silent))} afterwards."
        wants = any(each.redirects for each in planned.rendered.values())
        if wants and redirect_seen(context, target, host) == "missing":
            return "Another server responds there, without a redirect to HTTPS."
        return ""

    change(context, target, {name: planned.found[name] for name in after}, after, look)
    return seen
