"""Test, reload, look: whether the services of a deployment take the new certificate.

A service's own test is never enough: apache calls a mismatched pair "Syntax OK" and dies of it. So each service is looked at last.
"""

from __future__ import annotations

from core.concurrently import map_concurrently
from core.config.model import TargetConfig
from core.errors import ConfigTestFailed, ProbeMismatch, ReloadFailed
from core.events import LISTENER_NOT_SEEN, TargetProbed, TargetReloaded, TargetTested, Warned
from core.operations import TargetState
from core.targets.command_result import shown
from core.targets.judgement import states_of, summary
from core.targets.probe import ProbeResult, look
from core.targets.service import action_of, by_action, run_reload, run_test
from core.workflows.context import Context
from core.workflows.deploying.inflight import InFlight, names_of


def verify(context: Context, flight: InFlight, ours: str, reloaded: list[str]) -> tuple[TargetState, ...]:
    """Test, reload and look at every target, each step over all of them before the next one begins.

    Args:
        ours: SHA-256 of the new certificate, hex.
        reloaded: gets the names of the targets whose service was told to reload, also where this fails.

    Raises:
        ConfigTestFailed, ReloadFailed, ProbeMismatch: a service does not take it.
        Cancelled: before the reload, or before the last look.
    """
    _test(context, flight)
    context.cancel.check()  # a test that ends just as somebody cancels returns normally
    reloaded.extend(target.name for target in flight.targets)
    idle = _reload(context, flight)
    looks = map_concurrently(lambda target: _look(context, flight, target, ours, idle.get(target.name)), flight.targets)
    return tuple(_judged(context, flight, each, look, ours) for each, look in zip(flight.targets, looks, strict=True))


def _test(context: Context, flight: InFlight) -> None:
    env = context.env
    tests = by_action(flight.targets, lambda target: target.test, lambda target: run_test(env, target, context.cancel))
    for target in flight.targets:
        verdict = tests[target.name]
        if not verdict.ok:
            raise ConfigTestFailed(
                f"{flight.lineage} was not deployed: the configuration test of target {target.name} failed.",
                verdict.why,
                f"Fix what the test reports (run it yourself: {shown(target.test)}).",
                lineage=flight.lineage,
                details={"target": target.name, "output": verdict.output},
            )
        if verdict.did_run:
            context.narrator.tell(TargetTested(target=target.name))


def _reload(context: Context, flight: InFlight) -> dict[str, str]:
    """Reload every service; return target → why it is not looked at, for those that do not run and had no certificate."""
    env = context.env
    reloads = by_action(flight.targets, action_of, lambda target: run_reload(env, target, context.cancel))
    idle: dict[str, str] = {}
    for target, change in zip(flight.targets, flight.changes, strict=True):
        verdict = reloads[target.name]
        if verdict.ok:
            if verdict.did_run:
                context.narrator.tell(TargetReloaded(target=target.name))
        elif verdict.is_idle and change.was_empty:
            # It may well be unable to start without a certificate: taking the first one away again would keep it so.
            idle[target.name] = "its service is not running; it reads the files when it starts"
            context.narrator.tell(
                Warned(
                    code="service-not-running",
                    what=f"The files of target {target.name} are in place, but its service is not running: {verdict.why}",
                    fix="Start the service; it then reads them.",
                )
            )
        else:
            run = f"run it yourself: {shown(target.reload)}" if target.reload else "check its log"
            way = "Start the service." if verdict.is_idle else f"Find the cause ({run})."
            raise ReloadFailed(
                f"{flight.lineage} was not deployed: target {target.name} could not be reloaded.",
                verdict.why,
                way,
                lineage=flight.lineage,
                details={"target": target.name, "output": verdict.output},
            )
    return idle


def _look(
    context: Context, flight: InFlight, target: TargetConfig, ours: str, idle: str | None
) -> ProbeResult | TargetState:
    """Look at what a service presents; where that cannot be looked at, how its target stands."""
    if idle is not None:
        return TargetState(name=target.name, state="unknown", why=idle)
    if not target.probe:
        return TargetState(name=target.name, state="deployed")
    names = names_of(context, flight, flight.version)
    return look(context.env, target, ours, names, flight.before.get(target.name), cancel=context.cancel)


def _judged(
    context: Context, flight: InFlight, target: TargetConfig, seen: ProbeResult | TargetState, ours: str
) -> TargetState:
    """Return how a target stands after a look, which is told. Raises ProbeMismatch."""
    if isinstance(seen, TargetState):
        return seen
    if seen.served is not None or not seen.matches:
        context.narrator.tell(TargetProbed(target=target.name, served=seen.served, matches=seen.matches))
    if not seen.matches:
        raise ProbeMismatch(
            f"{flight.lineage} was not deployed: target {target.name} does not serve it after the reload.",
            seen.why,
            f"Make sure that the service at {', '.join(target.probe)} reads {target.certificate} and {target.key} "
            "(probe_name sets the server name for the probe).",
            lineage=flight.lineage,
            details={"target": target.name, "served_sha256": seen.served, "sha256": ours, "output": ""},
        )
    for sight in seen.unseen:
        context.narrator.tell(
            Warned(
                code=LISTENER_NOT_SEEN,
                what=f"Target {target.name} does not respond at {sight.listener.address}, and did not respond before the "
                f"deployment: {sight.why}",
                fix=f"Start the service, or correct its configuration or the probe; then: certdeck target test {target.name}.",
            )
        )
    state, why = summary(seen.sights, ours)
    listeners = states_of(seen.sights, ours)
    return TargetState(name=target.name, state=state, served_sha256=seen.served, why=why, listeners=listeners)
