"""Issues, renews, publishes and delivers the fleet's certificates, on a hub."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from core.errors import Cancelled, CertdeckError, UsageError
from core.events import Failed, Warned
from core.fleet import layout
from core.fleet.election import Leadership
from core.fleet.etcd import Guard
from core.fleet.values import BACK, DEVICE, MASTER, POLICIES, Certificate, decoded, encoded
from core.fleet_choice import Choice
from core.fleet_errors import NotLeading
from core.identifiers import check_lineage_name
from core.operations import IssueRequest
from core.renewal import next_retry
from core.renewal_report import FailedLineage, Skipped
from core.store.lineages import lineage_of as stored_lineage
from core.store.lineages import spec_of
from core.store.records import rfc3339
from core.workflows.fleet.connection import Hub, leading
from core.workflows.fleet.due import renewal_time, work_for
from core.workflows.fleet.known import boxes, current, look, meant_for
from core.workflows.fleet.order import OrderRun, order, planned
from core.workflows.fleet.own_keys import PAUSE_SECONDS, for_devices, for_late_devices
from core.workflows.fleet.publish import SHARED_BY_ALL, deliver, publish
from core.workflows.fleet.receive import sync
from core.workflows.fleet.together import advance, is_under_way, states_of
from core.workflows.issuing.plan import Plan, lineage_of, plan
from core.workflows.issuing.sessions import Sessions

LEADER_WAIT_SECONDS = 120.0
"""How long a command waits for the leading hub to do the work or to stop leading."""
TOGETHER_WAIT_SECONDS = 30.0
"""How long a command waits for devices that deploy a version together."""


class Done(Struct, frozen=True, kw_only=True):
    """Results of a run over the fleet's certificates."""

    renewed: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    failed: tuple[FailedLineage, ...] = ()


def issue(hub: Hub, request: IssueRequest, choice: Choice) -> Certificate:
    """Issue, publish and deliver a certificate for the fleet. One with the same settings that is not due is delivered again.

    If another hub leads, that hub does the work, and this one waits.

    Raises UsageError, NotFound, IssuerError, ChallengeError, FleetError.
    """
    context = hub.context
    wanted, is_same = _wanted(hub, request, choice)
    context = context.about(wanted.name)
    hub = replace(hub, context=context)
    clock = context.env.clock
    ends = clock.monotonic() + LEADER_WAIT_SECONDS
    before = wanted.version
    while True:
        try:
            with leading(hub) as lead, Sessions(context, context.vault, insists=request.force) as sessions:
                now, _ = current(hub, wanted.name)
                if now.version == before and not (is_same and now.version):
                    now = _have(OrderRun(hub=hub, lead=lead, sessions=sessions), now, request)
                deliver(hub, lead, [wanted.name])
                _wait_together(hub, lead, now)
                return now
        except NotLeading as exc:
            now, _ = current(hub, wanted.name)
            if now.version > before or (is_same and now.version and not now.rotate):
                return now
            if clock.monotonic() > ends:
                raise exc
            clock.sleep(PAUSE_SECONDS, context.cancel)


def _wait_together(hub: Hub, lead: Leadership, one: Certificate) -> None:
    """Wait up to TOGETHER_WAIT_SECONDS for devices that deploy all or none. The leading hub does the rest later."""
    clock = hub.context.env.clock
    ends = clock.monotonic() + TOGETHER_WAIT_SECONDS
    devices = meant_for(one, boxes(hub).values())
    while clock.monotonic() < ends and is_under_way(one, states_of(hub, one, devices)):
        if any(box.id == hub.identity.box for box in devices):
            sync(hub.context)
        if advance(hub, lead):
            deliver(hub, lead, [one.name])
        one, _ = current(hub, one.name)
        if one.phase == BACK:
            return
        clock.sleep(PAUSE_SECONDS, hub.context.cancel)


def _wanted(hub: Hub, request: IssueRequest, choice: Choice) -> tuple[Certificate, bool]:
    """Write the requested settings to etcd. Returns the certificate, and whether the published version already has them."""
    from core.identifiers import lineage_name_for, parse_identifiers

    context = hub.context
    identifiers = parse_identifiers(request.domains)
    name = request.name or (lineage_name_for(identifiers[0]) if identifiers else "")
    if name:
        check_lineage_name(name)
    place = layout.CERTIFICATES + name
    found = hub.etcd.get(place) if name else None
    had = None if found is None else decoded(Certificate, found.value, place)
    existing = None if had is None else stored_lineage(had.spec, name)
    # The targets exist on the devices: this box need not know them.
    settings = lineage_of(context.config, replace(request, targets=None), existing)
    if request.targets is not None:
        settings = replace(settings, targets=tuple(dict.fromkeys(request.targets)))
    chosen = plan(context.config, settings, request, existing=existing)
    for notice in chosen.notices:
        context.narrator.tell(Warned(code="chosen-for-you", what=notice, fix="Change it if you prefer."))
    policy = choice.policy or (had.policy if had else MASTER)
    _check_policy(had, policy, choice, name)
    wanted_boxes = choice.boxes if choice.boxes is not None else (had.boxes if had else ())
    _check_boxes(hub, wanted_boxes)
    wanted = replace(
        had or Certificate(name=chosen.name, spec={}),
        spec=spec_of(chosen.lineage),
        policy=policy,
        boxes=tuple(wanted_boxes),
        all_or_none=had.all_or_none if had and choice.all_or_none is None else bool(choice.all_or_none),
        weakened=bool(had and POLICIES.index(policy) < POLICIES.index(had.policy)) or bool(had and had.weakened),
    )
    is_same = not request.force and _is_still_good(hub, had, wanted)
    if not is_same:
        wanted = replace(wanted, rotate=True, next_attempt=None)
    hub.etcd.commit({place: encoded(wanted)}, guards=[Guard(place, modified=found.modified if found else 0)])
    return wanted, is_same


def _check_policy(had: Certificate | None, policy: str, choice: Choice, name: str) -> None:
    if policy not in POLICIES:
        raise UsageError(
            f"There is no key policy {policy!r}.",
            "A key policy defines where the private key is created and who can open it.",
            f"Choose one of: {', '.join(POLICIES)}.",
        )
    if had is None or POLICIES.index(policy) >= POLICIES.index(had.policy) or choice.allow_weaker:
        return
    raise UsageError(
        f"The key policy of {name} would be weakened from {had.policy} to {policy}.",
        "More boxes could open the next private key than now.",
        "To allow this, add --allow-weaker-policy.",
        lineage=name,
        details={"needs": "allow-weaker-policy", "policy": had.policy},
    )


def _check_boxes(hub: Hub, wanted: Sequence[str]) -> None:
    from core.workflows.fleet.members import the_box

    for id in wanted:
        box = the_box(hub, id)
        if not box.is_device:
            raise UsageError(
                f"{box.name} ({id}) does not receive certificates.",
                "Its role is hub.",
                "Give devices. List them with: certdeck fleet devices",
            )


def _is_still_good(hub: Hub, had: Certificate | None, wanted: Certificate) -> bool:
    """Tell whether the published version has the requested settings and is not due."""
    if had is None or not had.version or had.rotate:
        return False
    if (dict(had.spec), had.policy) != (dict(wanted.spec), wanted.policy):
        same = {**had.spec, "targets": None} == {**wanted.spec, "targets": None} and had.policy == wanted.policy
        if not same:
            return False
    due = renewal_time(hub, had)
    return due is not None and due > hub.context.env.clock.now().timestamp()


# -- the work of the hub that leads ------------------------------------------------------------------------------------


def _have(run: OrderRun, one: Certificate, request: IssueRequest | None = None) -> Certificate:
    """Order and publish a certificate. A failure is recorded with the certificate in etcd, for the other hubs too."""
    hub, lead = run.hub, run.lead
    try:
        chosen = planned(hub, one, request)
        if one.policy == DEVICE:
            return for_devices(run, one, chosen)
        return publish(hub, lead, one.name, order(run, one, chosen, replaces=_replaces(one, chosen)))
    except CertdeckError as exc:
        if not isinstance(exc, Cancelled | NotLeading):
            with suppress(CertdeckError):
                _remember(hub, lead, one.name, exc)
        exc.lineage = exc.lineage or one.name
        raise


def _replaces(one: Certificate, chosen: Plan) -> str | None:
    """Return the ARI id of the certificate that the next one replaces, if the same CA issued it."""
    facts = one.made.get(SHARED_BY_ALL) or {}
    found = facts.get("renewal_id")
    return str(found) if found and facts.get("directory") == chosen.issuer.directory else None


def _remember(hub: Hub, lead: Leadership, name: str, exc: CertdeckError) -> None:
    one, there = current(hub, name)
    now = hub.context.env.clock.now()
    at = next_retry(one.failures + 1, now, hub.context.env.random.uniform(0.0, 1.0))
    if exc.retry_at is not None:
        at = max(at, exc.retry_at)
    error = {"code": exc.code, "what": exc.what, "why": exc.why, "fix": exc.fix, "at": rfc3339(now)}
    failed = replace(one, failures=one.failures + 1, next_attempt=at, last_error=error)
    hub.etcd.commit({there.key: encoded(failed)}, guards=[lead.guard(), Guard(there.key, modified=there.modified)])


def renew(hub: Hub, lead: Leadership, names: Sequence[str] = (), *, force: bool = False) -> Done:
    """Renew due certificates, complete orders that another hub left open, and deliver to devices. Continues after a failure.

    Raises NotLeading, Cancelled, FleetError.
    """
    done = Done()
    known = look(hub)
    with Sessions(hub.context, hub.context.vault, insists=force and bool(names)) as sessions:
        for one in known.certificates.values():
            if names and one.name not in names:
                continue
            work = work_for(hub, known, one, force=force)
            if isinstance(work, Skipped):
                done = replace(done, skipped=(*done.skipped, work))
                continue
            context = hub.context.about(one.name)
            run = OrderRun(hub=replace(hub, context=context), lead=lead, sessions=sessions)
            try:
                hub.context.cancel.check()
                if work.late:
                    for_late_devices(run, one, work.late)
                else:
                    _have(run, one)
                done = replace(done, renewed=(*done.renewed, one.name))
            except NotLeading:
                raise
            except CertdeckError as exc:
                if isinstance(exc, Cancelled):
                    raise
                context.narrator.tell(Failed(code=exc.code, what=exc.what, why=exc.why, fix=exc.fix))
                done = replace(done, failed=(*done.failed, FailedLineage(name=one.name, error=exc)))
    advance(hub, lead)
    deliver(hub, lead)
    return done


def deliver_if_leading(hub: Hub) -> None:
    """Deliver its certificates to a new device. If another hub leads, that hub does it."""
    with suppress(NotLeading), leading(hub) as lead:
        deliver(hub, lead)


def ask(hub: Hub, name: str) -> None:
    """Ask the leading hub for a new certificate. Raises NotFound, FleetConflict."""
    one, there = current(hub, name)
    asked = replace(one, rotate=True, next_attempt=None)
    hub.etcd.commit({there.key: encoded(asked)}, guards=[Guard(there.key, modified=there.modified)])
