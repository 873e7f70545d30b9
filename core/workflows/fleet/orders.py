"""What a hub does with certificates of the fleet: issue, renew what is due, publish, deliver."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from core.errors import Cancelled, CertdeckError, UsageError
from core.events import KNOWS_ACCOUNTS, Changed, Failed, Warned
from core.fleet import layout
from core.fleet.election import Leadership
from core.fleet.etcd import Guard
from core.fleet.values import BACK, DEVICE, MASTER, POLICIES, Certificate, decoded, encoded
from core.fleet_choice import Choice
from core.fleet_errors import NotLeading
from core.fleet_status import Removed
from core.identifiers import check_lineage_name
from core.operations import IssueRequest
from core.renewal import due_at, next_retry
from core.renewal_report import FailedLineage, Skipped
from core.store.lineages import lineage_of as stored_lineage
from core.store.lineages import spec_of
from core.store.records import parse_time, rfc3339
from core.workflows.fleet.connection import Hub, leading
from core.workflows.fleet.order import order
from core.workflows.fleet.own_keys import for_devices, for_late_devices, late_devices
from core.workflows.fleet.publish import SHARED_BY_ALL, boxes, certificates, current, deliver, meant_for, publish
from core.workflows.fleet.receive import sync
from core.workflows.fleet.together import advance, is_under_way, states_of
from core.workflows.issuing.plan import lineage_of, plan
from core.workflows.issuing.sessions import Sessions

LEADER_WAIT_SECONDS = 120.0
"""How long a command waits for the hub that leads to do the work, or to end."""
REQUEST_WAIT_SECONDS = 30.0
"""How long devices are waited for to make their signing requests."""
PAUSE_SECONDS = 0.3


class Done(Struct, frozen=True, kw_only=True):
    """What a run over the fleet's certificates has done."""

    renewed: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    failed: tuple[FailedLineage, ...] = ()


def issue(hub: Hub, request: IssueRequest, choice: Choice) -> Certificate:
    """Have a certificate for the fleet, publish and deliver it. A still valid one for the same names is delivered again.

    Where another hub leads, that one does it, and this one waits.

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
                now = decoded(Certificate, current(hub, wanted.name).value, wanted.name)
                if now.version == before and not (is_same and now.version):
                    now = _have(hub, lead, now, sessions, request)
                deliver(hub, lead, [wanted.name])
                _wait_together(hub, lead, now)
                return now
        except NotLeading as exc:
            now = decoded(Certificate, current(hub, wanted.name).value, wanted.name)
            if now.version > before or (is_same and now.version and not now.rotate):
                return now
            if clock.monotonic() > ends:
                raise exc
            clock.sleep(PAUSE_SECONDS, context.cancel)


def _wait_together(hub: Hub, lead: Leadership, one: Certificate) -> None:
    """Wait a while for devices that switch all or none; what is left the leading hub does later."""
    clock = hub.context.env.clock
    ends = clock.monotonic() + REQUEST_WAIT_SECONDS
    while clock.monotonic() < ends and is_under_way(one, states_of(hub, one)):
        if any(box.id == hub.identity.box for box in meant_for(one, boxes(hub).values())):
            sync(hub.context)
        if advance(hub, lead):
            deliver(hub, lead, [one.name])
        one = decoded(Certificate, current(hub, one.name).value, one.name)
        if one.phase == BACK:
            return
        clock.sleep(PAUSE_SECONDS, hub.context.cancel)


def _wanted(hub: Hub, request: IssueRequest, choice: Choice) -> tuple[Certificate, bool]:
    """Write what is wanted into etcd. Returns it, and whether what is published already is that."""
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
    # The targets are the devices' own: this box need not know them.
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
    """Tell whether what is published is what is wanted, and not due."""
    if had is None or not had.version or had.rotate:
        return False
    if (dict(had.spec), had.policy) != (dict(wanted.spec), wanted.policy):
        same = {**had.spec, "targets": None} == {**wanted.spec, "targets": None} and had.policy == wanted.policy
        if not same:
            return False
    due = renewal_time(hub, had)
    return due is not None and due > hub.context.env.clock.now().timestamp()


def renewal_time(hub: Hub, one: Certificate) -> float | None:
    """Return when a certificate is due, in epoch seconds: the earliest of those that its devices have. None: none is there."""
    lineage = stored_lineage(one.spec, one.name)
    days = lineage.renew_days_before or hub.context.config.defaults.renew_days_before
    times = []
    for facts in one.made.values():
        with suppress(ValueError, KeyError, TypeError):
            not_before, not_after = (parse_time(str(facts[key])).timestamp() for key in ("not_before", "not_after"))
            times.append(due_at(not_before, not_after, renew_days_before=days))
    return min(times, default=None)


# -- the work of the hub that leads ------------------------------------------------------------------------------------


def _have(
    hub: Hub, lead: Leadership, one: Certificate, sessions: Sessions, request: IssueRequest | None
) -> Certificate:
    """Order and publish. A failure is remembered with the certificate, for the other hubs too."""
    email = request.email if request else None
    agree = bool(request and request.agree_tos)
    try:
        if one.policy == DEVICE:
            return for_devices(hub, lead, one, sessions, email, agree)
        replaces = _replaces(hub, one)
        made = order(hub, lead, one, sessions, email=email, agree_tos=agree, replaces=replaces)
        return publish(hub, lead, one.name, made)
    except CertdeckError as exc:
        if not isinstance(exc, Cancelled | NotLeading):
            with suppress(CertdeckError):
                _remember(hub, lead, one.name, exc)
        exc.lineage = exc.lineage or one.name
        raise


def _replaces(hub: Hub, one: Certificate) -> str | None:
    facts = one.made.get(SHARED_BY_ALL)
    if not facts or (one.rotate is False and not facts.get("renewal_id")):
        return None
    chosen = plan(hub.context.config, stored_lineage(one.spec, one.name))
    found = facts.get("renewal_id")
    return str(found) if found and facts.get("directory") == chosen.issuer.directory else None


def _remember(hub: Hub, lead: Leadership, name: str, exc: CertdeckError) -> None:
    there = current(hub, name)
    one = decoded(Certificate, there.value, there.key)
    now = hub.context.env.clock.now()
    at = next_retry(one.failures + 1, now, hub.context.env.random.uniform(0.0, 1.0))
    if exc.retry_at is not None:
        at = max(at, exc.retry_at)
    error = {"code": exc.code, "what": exc.what, "why": exc.why, "fix": exc.fix, "at": rfc3339(now)}
    failed = replace(one, failures=one.failures + 1, next_attempt=at, last_error=error)
    hub.etcd.commit({there.key: encoded(failed)}, guards=[lead.guard(), Guard(there.key, modified=there.modified)])


def renew(hub: Hub, lead: Leadership, names: Sequence[str] = (), *, force: bool = False) -> Done:
    """Renew what is due, finish what another hub has left open, and deliver what devices lack. Never stops at one failure."""
    done = Done()
    every = certificates(hub)
    with Sessions(hub.context, hub.context.vault, insists=force and bool(names)) as sessions:
        for one in every.values():
            if names and one.name not in names:
                continue
            context = hub.context.about(one.name)
            why = why_due(hub, one, force=force, is_open=is_open(hub, one))
            is_late = isinstance(why, Skipped) and bool(late_devices(hub, one))
            if isinstance(why, Skipped) and not is_late:
                done = replace(done, skipped=(*done.skipped, why))
                continue
            try:
                hub.context.cancel.check()
                if is_late:
                    for_late_devices(replace(hub, context=context), lead, one, sessions)
                else:
                    _have(replace(hub, context=context), lead, one, sessions, None)
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


def why_due(hub: Hub, one: Certificate, *, force: bool, is_open: bool) -> str | Skipped:
    """Return why a certificate is to be had now, or that it is not."""
    now = hub.context.env.clock.now().timestamp()
    lineage = stored_lineage(one.spec, one.name)
    auto = hub.context.config.defaults.auto_renew if lineage.auto_renew is None else lineage.auto_renew
    if force:
        return "forced"
    if one.phase == BACK and not one.rotate:
        return Skipped(
            name=one.name, why="a device rejected it; all devices roll back and try again", renew_at=one.next_attempt
        )
    if one.next_attempt is not None and one.next_attempt.timestamp() > now:
        at = one.next_attempt
        return Skipped(name=one.name, why=f"it failed; the next attempt is at {at:%Y-%m-%d %H:%M} UTC", renew_at=at)
    if one.rotate:
        return "a new one was requested"
    if is_open:
        return "its order was left open"
    due = renewal_time(hub, one)
    if due is None:
        return "it has no certificate yet"
    when = datetime.fromtimestamp(due, UTC)
    if not auto:
        return Skipped(name=one.name, why="automatic renewal is off")
    if due > now:
        return Skipped(name=one.name, why=f"not due before {when:%Y-%m-%d}", renew_at=when)
    return "it is due"


def is_open(hub: Hub, one: Certificate) -> bool:
    """Tell whether an order was left open."""
    return hub.etcd.get(layout.order(one.name)) is not None


def remove(hub: Hub, id: str) -> Removed:
    """Remove a box: nothing more is sealed to it, its access ends, and what it had gets new keys.

    Raises NotFound (`not-found`); UsageError for this box itself; NotLeading, FleetError.
    """
    from core.workflows.fleet import access
    from core.workflows.fleet.members import the_box
    from core.workflows.fleet.rekey import new_master

    box = the_box(hub, id)
    if id == hub.identity.box:
        raise UsageError(
            "This box cannot remove itself.",
            "It would lose the keys that it needs for the removal.",
            "Run the command on another hub.",
        )
    with leading(hub, wait_seconds=LEADER_WAIT_SECONDS) as lead:
        had = [one for one in certificates(hub).values() if box.is_hub or box in meant_for(one, [box])]
        places = (layout.BOXES, layout.WELCOME, layout.JOIN, layout.MASTERS, layout.LISTENERS)
        hub.etcd.commit({}, [place + id for place in places], [lead.guard()])
        hub.etcd.delete_prefix(layout.device(id))
        hub.etcd.delete_prefix(layout.reports(id))
        if box.username:
            access.expel(hub, box.username)
        if box.is_hub:
            hub = new_master(hub, lead)
            hub.context.narrator.tell(
                Warned(
                    code=KNOWS_ACCOUNTS,
                    what=f"{box.name} was a hub, so it knows the ACME account keys.",
                    fix="Give each account a new key: certdeck account rollover ISSUER",
                )
            )
        for one in had:
            _mark(hub, lead, one.name, id)
        hub.context.narrator.tell(Changed(what=f"removed {box.name} ({id}) from the fleet"))
        done = renew(hub, lead, [one.name for one in had]) if had else Done()
    return Removed(id=id, rotated=done.renewed, failed=tuple(each.name for each in done.failed))


def _mark(hub: Hub, lead: Leadership, name: str, gone: str) -> None:
    """Make a certificate be renewed with a new key: a box that is gone had the old one."""
    there = current(hub, name)
    one = decoded(Certificate, there.value, there.key)
    left = tuple(id for id in one.boxes if id != gone)
    # With a policy of keys of their own, nobody else had this box's key.
    rotate = one.rotate or (one.policy != DEVICE and one.version > 0)
    marked = replace(one, rotate=rotate, boxes=left or (("none",) if one.boxes else ()), next_attempt=None)
    hub.etcd.commit({there.key: encoded(marked)}, guards=[lead.guard(), Guard(there.key, modified=there.modified)])


def deliver_if_leading(hub: Hub) -> None:
    """Give a new device what it should serve; where another hub leads, that one does it."""
    with suppress(NotLeading), leading(hub) as lead:
        deliver(hub, lead)


def ask(hub: Hub, name: str) -> None:
    """Ask the hub that leads for a new certificate. Raises NotFound, FleetConflict."""
    there = current(hub, name)
    one = decoded(Certificate, there.value, there.key)
    asked = replace(one, rotate=True, next_attempt=None)
    hub.etcd.commit({there.key: encoded(asked)}, guards=[Guard(there.key, modified=there.modified)])
