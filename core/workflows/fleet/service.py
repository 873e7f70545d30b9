"""`certdeck fleet watch`: the long-running part of a box in a fleet. A device deploys what is published, a hub stands for election
and renews, and every box that can listens for HTTP-01.

Each part has its own thread and fails alone: it waits, a little longer each time, and tries again. The writers' lock is held only
during work.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from core.errors import Cancelled, CertdeckError, LockHeld
from core.fleet import layout
from core.fleet.election import Leadership, leader_of
from core.fleet.etcd import Etcd
from core.fleet.listening import Answers
from core.fleet.watching import Watch
from core.fleet_errors import NotLeading
from core.ports import TransportFailure
from core.renewal_report import Skipped
from core.store.fleet import Identity, load_identity
from core.workflows.context import Context
from core.workflows.fleet.connection import Hub, as_hub, connected, leading, require_fleet
from core.workflows.fleet.due import work_for
from core.workflows.fleet.known import look
from core.workflows.fleet.orders import renew
from core.workflows.fleet.publish import deliver
from core.workflows.fleet.receive import has_news, is_welcome, sync, take
from core.workflows.fleet.together import advance, is_under_way, states_of_all

WAITING_SECONDS = 3.0
"""How often a box that is not approved yet checks for its approval."""
ABSENT_SECONDS = 300.0
"""How often a hub that is not a device checks whether it has become one."""
RETRY_SECONDS = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Pauses after consecutive failures. A device that rejected a version tries again after the last one."""
TICK_SECONDS = 30.0
"""How often the leading hub checks what is due."""
LOOKS_A_LEASE = 3
"""How often a standby hub reads the leader's key within one lease, because a stream can break without notice."""
LOCKED_SECONDS = 1.0
"""Pause before the leading hub tries again when a command on its box holds the lock."""
LISTENER_SECONDS = 600
"""Lease, in seconds, of a box that answers HTTP-01."""

Writing = Callable[[str], AbstractContextManager[Context]]


class Service:
    """The parts of one box."""

    def __init__(self, reading: Context, writing: Writing) -> None:
        """`reading`: context for reading. `writing`: takes the lock for the named operation, and returns its context."""
        require_fleet(reading)
        self._reading = reading
        self._writing = writing
        self._cancel = reading.cancel

    def run(self) -> None:
        """Run all parts until the context is cancelled."""
        config = self._reading.config
        parts = [("device", self._receive, RETRY_SECONDS[-1])]
        if config.fleet.is_hub:
            # Another hub must lead after at most twice the lease, even if etcd was unavailable in the meantime.
            parts.append(("hub", self._stand, config.fleet.lease_seconds / 2))
        if config.fleet.serve_challenges and config.http01.mode == "standalone":
            parts.append(("listener", self._listen, RETRY_SECONDS[-1]))
        threads = [
            threading.Thread(target=self._repeat, args=part, name=f"fleet-{part[0]}", daemon=True) for part in parts
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _repeat(self, name: str, part: Callable[[], None], longest: float) -> None:
        """Run a part again whenever it ends. `longest`: longest pause in seconds after failures."""
        failures = 0
        clock = self._reading.env.clock
        while not self._cancel.is_cancelled:
            started = clock.monotonic()
            try:
                part()
                failures = 0
                continue
            except Cancelled:
                return
            except LockHeld:
                failures = 0  # another command is working on this box
            except (CertdeckError, TransportFailure) as exc:
                logging.getLogger(__name__).warning("fleet %s: %s", name, exc)
            except Exception:  # a bug in one part must not end the other parts
                logging.getLogger(__name__).exception("fleet %s failed", name)
            if clock.monotonic() - started > RETRY_SECONDS[-1]:
                failures = 0
            pause = min(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)], longest)
            failures += 1
            with suppress(Cancelled):
                clock.sleep(pause * self._reading.env.random.uniform(0.7, 1.3), self._cancel)

    def _identity(self) -> Identity | None:
        """Return the identity of this box in the fleet. None, after a pause: it is not approved yet."""
        identity = load_identity(self._reading.paths)
        if identity is not None and identity.fleet:
            return identity
        self._reading.env.clock.sleep(WAITING_SECONDS, self._cancel)
        return None

    def _watch(self, etcd: Etcd, *prefixes: str) -> Watch:
        return Watch(etcd, self._reading.env, prefixes, self._cancel)

    # -- device --------------------------------------------------------------------------------------------------------

    def _receive(self) -> None:
        """Take the approval of a hub, then deploy published certificates, and again whenever something changes."""
        reading = self._reading
        identity = load_identity(reading.paths)
        if identity is None or not identity.fleet:
            if identity is None or is_welcome(reading, identity):
                with self._writing("fleet-sync") as context:
                    sync(context)
            else:
                reading.env.clock.sleep(WAITING_SECONDS, self._cancel)
        elif not reading.config.fleet.is_device:
            reading.env.clock.sleep(ABSENT_SECONDS, self._cancel)
        else:
            with connected(reading) as etcd, self._watch(etcd, layout.device(identity.box)) as watch:
                self._keep_taking(etcd, watch, identity)

    def _keep_taking(self, etcd: Etcd, watch: Watch, identity: Identity) -> None:
        is_news, revision = has_news(self._reading, etcd, identity)
        while True:
            pause = None
            if is_news:
                with self._writing("fleet-sync") as context:
                    received = take(context, etcd, load_identity(context.paths) or identity)
                revision = received.revision
                pause = RETRY_SECONDS[-1] if received.failed else None
            watch.wait(revision, pause)
            is_news = True  # something has changed, or a failed certificate is tried again

    # -- HTTP-01 -------------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        identity = self._identity()
        if identity is None:
            return
        reading, config = self._reading, self._reading.config
        clock = reading.env.clock
        place = layout.LISTENERS + identity.box
        with (
            connected(reading) as etcd,
            self._watch(etcd, layout.CHALLENGES) as watch,
            Answers(reading.env.listener, config.http01.address, config.http01.port) as answers,
        ):
            lease = etcd.grant(LISTENER_SECONDS)
            try:
                while True:
                    revision = answers.look(etcd)
                    etcd.put(place, str(revision).encode(), lease=lease.id)
                    renews_at = clock.monotonic() + LISTENER_SECONDS / 2
                    while not watch.wait(revision, max(renews_at - clock.monotonic(), 0.0)):
                        if not etcd.keep_alive(lease, patience=10.0):
                            return
                        renews_at = clock.monotonic() + LISTENER_SECONDS / 2
            finally:
                with suppress(CertdeckError):
                    etcd.revoke(lease)

    # -- hub -----------------------------------------------------------------------------------------------------------

    def _stand(self) -> None:
        """Stand for election: lead whenever no other hub does."""
        identity = self._identity()
        if identity is None:
            return
        reading = self._reading
        with connected(reading) as etcd, self._watch(etcd, layout.LEADER) as watch:
            while True:
                found, revision = etcd.get_with_revision(layout.LEADER)
                leader = leader_of(found)
                if leader is not None and leader.box != identity.box:
                    watch.wait(revision, reading.config.fleet.lease_seconds / LOOKS_A_LEASE)
                    continue
                with suppress(NotLeading), as_hub(reading, etcd) as hub, leading(hub) as lead:
                    self._lead(hub, lead)
                reading.env.clock.sleep(reading.env.random.uniform(0.0, 0.3), self._cancel)

    def _lead(self, hub: Hub, lead: Leadership) -> None:
        """Renew what is due and react to changes, until the lease is lost."""
        clock = self._reading.env.clock
        has_changed = True
        while lead.holds:
            _, revision = hub.etcd.get_with_revision(layout.LEADER)
            known = look(hub)
            found = [work_for(hub, known, one) for one in known.certificates.values()]
            due = [each.name for each in found if not isinstance(each, Skipped)]
            if due or has_changed:
                try:
                    self._work(hub.etcd, lead, due)
                except LockHeld:
                    # A command on this box works under the same lease: the lease must not end here.
                    clock.sleep(LOCKED_SECONDS, self._cancel)
                    continue
            is_busy = any(is_under_way(one, states) for one, states in states_of_all(hub, known))
            watched = [layout.CERTIFICATES, layout.BOXES, *([layout.REPORTS] if is_busy else [])]
            ends = clock.monotonic() + TICK_SECONDS
            has_changed = False
            with self._watch(hub.etcd, *watched) as watch:
                while lead.seconds_left and not has_changed and clock.monotonic() < ends:
                    has_changed = watch.wait(revision, min(ends - clock.monotonic(), lead.seconds_left))

    def _work(self, etcd: Etcd, lead: Leadership, due: list[str]) -> None:
        """Renew, or advance and deliver, under this box's lock. Raises LockHeld (`lock-held`)."""
        with self._writing("fleet-renew") as context, as_hub(context, etcd) as hub:
            if due:
                renew(hub, lead, due)
            else:
                advance(hub, lead)
                deliver(hub, lead)
