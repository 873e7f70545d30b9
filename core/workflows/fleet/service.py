"""`certdeck fleet watch`: what a box does for the fleet as long as it runs. A device takes what is published, a hub stands for
election and renews, and every box that can answers HTTP-01.

Each part has a thread and fails alone: it waits, a little longer each time, and tries again. The writers' lock is held only while
something is done.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, suppress

from core.errors import Cancelled, CertdeckError, LockHeld, NotLeading
from core.fleet import layout
from core.fleet.election import Leadership
from core.fleet.gateway import Refused
from core.fleet.listening import Answers
from core.fleet.watching import IDLE_SECONDS, changes
from core.fleet_status import Received
from core.ports import TransportFailure
from core.renewal_report import Skipped
from core.store.fleet import load_identity
from core.workflows.context import Context
from core.workflows.fleet.connection import Hub, as_hub, connected, leading, peers, require_fleet
from core.workflows.fleet.orders import is_open, renew, why_due
from core.workflows.fleet.own_keys import late_devices
from core.workflows.fleet.publish import certificates, deliver
from core.workflows.fleet.receive import has_news, sync
from core.workflows.fleet.together import advance, is_under_way, states_of

WAITING_SECONDS = 3.0
"""How often a box that was not let in yet looks."""
RETRY_SECONDS = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Pauses after failures in a row; a device that refused a version tries again as seldom as the last one says."""
TICK_SECONDS = 30.0
"""How often the leading hub looks what is due."""
LISTENER_SECONDS = 600
"""Lease of a box that answers HTTP-01."""

Writing = Callable[[str], AbstractContextManager[Context]]


class Service:
    """The parts of one box."""

    def __init__(self, reading: Context, writing: Writing) -> None:
        """`reading`: for looking. `writing`: takes the lock for an operation of this name, and gives the context for it."""
        require_fleet(reading)
        self._reading = reading
        self._writing = writing
        self._cancel = reading.cancel

    def run(self) -> None:
        """Block until somebody asks to stop."""
        config = self._reading.config
        parts: list[tuple[str, Callable[[], None]]] = [("device", self._receive)]
        if config.fleet.is_hub:
            parts.append(("hub", self._order))
        if config.fleet.serve_challenges and config.http01.mode == "standalone":
            parts.append(("listener", self._listen))
        threads = [
            threading.Thread(target=self._repeat, args=part, name=f"fleet-{part[0]}", daemon=True) for part in parts
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _repeat(self, name: str, part: Callable[[], None]) -> None:
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
                failures = 0  # another command is at work on this box
            except (CertdeckError, TransportFailure, Refused) as exc:
                logging.getLogger(__name__).warning("fleet %s: %s", name, exc)
            except Exception:  # a mistake of ours must not end what the other parts do
                logging.getLogger(__name__).exception("fleet %s failed", name)
            if clock.monotonic() - started > RETRY_SECONDS[-1]:
                failures = 0
            pause = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
            failures += 1
            with suppress(Cancelled):
                clock.sleep(pause * self._reading.env.random.uniform(0.7, 1.3), self._cancel)

    # -- device --------------------------------------------------------------------------------------------------------

    def _receive(self) -> None:
        """Take what there is, then wait for more until the stream has to be opened at another member."""
        reading = self._reading
        clock = reading.env.clock
        identity = load_identity(reading.paths)
        if identity is not None and identity.fleet and not reading.config.fleet.is_device:
            self._cancel.wait(IDLE_SECONDS)
            return
        is_news, revision = has_news(reading)
        if not is_news and identity is not None and not identity.fleet:
            clock.sleep(WAITING_SECONDS, self._cancel)
            return
        received = Received(state="approved", revision=revision)
        if is_news:
            with self._writing("fleet-sync") as context:
                received = sync(context)
        identity = load_identity(reading.paths)
        if received.state == "waiting" or identity is None:
            clock.sleep(WAITING_SECONDS, self._cancel)
            return
        again_at = clock.monotonic() + RETRY_SECONDS[-1] if received.failed else None
        with connected(reading) as etcd, closing(peers(reading)) as lines:
            while True:
                idle = IDLE_SECONDS if again_at is None else max(again_at - clock.monotonic(), 1.0)
                try:
                    for _ in changes(
                        etcd, lines, [layout.device(identity.box)], received.revision, self._cancel, idle=idle
                    ):
                        return
                except TransportFailure as exc:
                    if exc.kind != "timeout":
                        clock.sleep(RETRY_SECONDS[0] * reading.env.random.uniform(0.5, 1.5), self._cancel)
                else:
                    etcd.gateway.leave_member()
                    clock.sleep(RETRY_SECONDS[0], self._cancel)
                if again_at is not None and clock.monotonic() >= again_at:
                    return

    # -- HTTP-01 -------------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        reading = self._reading
        identity = load_identity(reading.paths)
        clock = reading.env.clock
        if identity is None or not identity.fleet:
            clock.sleep(WAITING_SECONDS, self._cancel)
            return
        config = reading.config
        place = layout.LISTENERS + identity.box
        with (
            connected(reading) as etcd,
            closing(peers(reading)) as lines,
            Answers(reading.env.listener, config.http01.address, config.http01.port) as answers,
        ):
            lease = etcd.grant(LISTENER_SECONDS)
            renewed = clock.monotonic()
            try:
                while True:
                    revision = answers.look(etcd)
                    etcd.put(place, str(revision).encode(), lease=lease.id)
                    with suppress(TransportFailure):
                        for _ in changes(etcd, lines, [layout.CHALLENGES], revision, self._cancel, idle=IDLE_SECONDS):
                            break
                        else:
                            etcd.gateway.leave_member()
                            clock.sleep(RETRY_SECONDS[0], self._cancel)
                    if clock.monotonic() - renewed > LISTENER_SECONDS / 4:
                        if not etcd.keep_alive(lease, patience=10.0):
                            return
                        renewed = clock.monotonic()
            finally:
                with suppress(CertdeckError, Refused):
                    etcd.revoke(lease)

    # -- hub -----------------------------------------------------------------------------------------------------------

    def _order(self) -> None:
        """Stand for election; lead until the lease is lost, or wait until the hub that leads is gone."""
        reading = self._reading
        identity = load_identity(reading.paths)
        if identity is None or not identity.fleet:
            reading.env.clock.sleep(WAITING_SECONDS, self._cancel)
            return
        with as_hub(reading) as hub, closing(peers(reading)) as lines:
            _, revision = hub.etcd.range(layout.LEADER)
            try:
                with leading(hub) as lead:
                    self._lead(hub, lead)
                return
            except NotLeading:
                pass
            with suppress(TransportFailure):
                for _ in changes(hub.etcd, lines, [layout.LEADER], revision, self._cancel, idle=TICK_SECONDS):
                    break
            reading.env.clock.sleep(reading.env.random.uniform(0.0, 0.3), self._cancel)

    def _lead(self, hub: Hub, lead: Leadership) -> None:
        reading = self._reading
        has_changed = True
        with closing(peers(reading)) as lines:
            while lead.holds:
                _, revision = hub.etcd.range(layout.LEADER)
                due = [
                    one.name
                    for one in certificates(hub).values()
                    if not isinstance(why_due(hub, one, force=False, is_open=is_open(hub, one)), Skipped)
                    or late_devices(hub, one)
                ]
                if due or has_changed:
                    self._work(due)
                has_changed = False
                together = [one for one in certificates(hub).values() if one.all_or_none]
                is_busy = any(is_under_way(one, states_of(hub, one)) for one in together)
                watched = [layout.CERTIFICATES, layout.BOXES, *([layout.REPORTS] if is_busy else [])]
                with suppress(TransportFailure):
                    for _ in changes(hub.etcd, lines, watched, revision, self._cancel, idle=TICK_SECONDS):
                        has_changed = True
                        break

    def _work(self, due: list[str]) -> None:
        """Under this box's lock, and under the lease that this process holds."""
        with self._writing("fleet-renew") as context, as_hub(context) as hub, leading(hub) as lead:
            if due:
                renew(hub, lead, due)
            else:
                advance(hub, lead)
                deliver(hub, lead)
