"""Election of the hub that orders certificates. A lease in etcd elects it, and a guard on the leader's key protects every write.

The hub leads until (time at which it sent the last successful lease renewal) + (lease duration) - 1 s, measured on its monotonic
clock. It therefore stops without an answer from etcd. If the hub was suspended or lost its connection, its guard fails:
`create_revision` of the leader's key is the fencing token. The wall clock is not used.
"""

from __future__ import annotations

import threading
from types import TracebackType

from core.errors import CertdeckError
from core.fleet.etcd import Etcd, Guard, KeyValue, Lease, not_leading
from core.fleet.layout import LEADER
from core.fleet.values import Leader, decoded, encoded
from core.ports import Clock

SHORTEST_SECONDS = 2
MARGIN_SECONDS = 1.0
"""A hub treats its lease as expired this much earlier than etcd does."""


class Leadership:
    """Leadership of the fleet, until `__exit__` or until the lease is lost. A separate thread renews the lease. Thread-safe."""

    def __init__(
        self, etcd: Etcd, clock: Clock, lease: Lease, token: int, until: float, *, is_own: bool = True
    ) -> None:
        self._is_own = is_own
        self._etcd = etcd
        self._clock = clock
        self._lease = lease
        self._until = until
        self._ended = threading.Event()
        self.token = token
        self._renewing = threading.Thread(target=self._renew, name="lease", daemon=True)

    @classmethod
    def borrowed(cls, etcd: Etcd, clock: Clock, leader: KeyValue, seconds: int) -> Leadership | None:
        """Lead under the lease of another process on this box. The lease survives the context. None: the lease has expired."""
        lease = Lease(leader.lease, seconds)
        sent = clock.monotonic()
        if not leader.lease or not etcd.keep_alive(lease, patience=2.0):
            return None
        return cls(etcd, clock, lease, leader.created, sent + seconds - MARGIN_SECONDS, is_own=False)

    def __enter__(self) -> Leadership:
        self._renewing.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._renewing.join(timeout=2.0)
        if not self._is_own:
            return
        try:
            self._etcd.revoke(self._lease)
        except CertdeckError:
            return  # the lease expires anyway

    @property
    def lease(self) -> str:
        return self._lease.id

    @property
    def holds(self) -> bool:
        return self._clock.monotonic() < self._until

    @property
    def seconds_left(self) -> float:
        """Return the seconds until the leadership ends without another renewal. Never negative."""
        return max(self._until - self._clock.monotonic(), 0.0)

    def check(self) -> None:
        """Raise NotLeading (`not-leading`) if the lease may have expired."""
        if not self.holds:
            raise not_leading()

    def guard(self) -> Guard:
        """Return the guard that every write of a leader must include. Raises NotLeading (`not-leading`)."""
        self.check()
        return Guard(LEADER, created=self.token)

    def _renew(self) -> None:
        pause = self._lease.seconds / 3
        while not self._ended.wait(pause):
            sent = self._clock.monotonic()
            try:
                if not self._etcd.keep_alive(self._lease, patience=max(pause, 1.0)):
                    self._until = 0.0
                    return
            except CertdeckError:
                pause = 0.3
                continue
            pause = self._lease.seconds / 3
            self._until = sent + self._lease.seconds - MARGIN_SECONDS


def campaign(etcd: Etcd, clock: Clock, who: Leader, seconds: int) -> Leadership | KeyValue | None:
    """Try once to become the leader.

    Returns the leadership, the key of the hub that leads, or None if the leader's key has just disappeared.
    Raises FleetError.
    """
    found = etcd.get(LEADER)
    if found is not None:
        return found
    sent = clock.monotonic()
    lease = etcd.grant(max(seconds, SHORTEST_SECONDS))
    try:
        etcd.commit({LEADER: encoded(who)}, guards=[Guard(LEADER, created=0)], lease=lease.id)
    except CertdeckError as exc:
        if exc.code not in ("not-leading", "fleet-conflict"):
            raise
    # Read the key back: an earlier try whose answer was lost may have succeeded.
    found = etcd.get(LEADER)
    if found is not None and found.lease == lease.id:
        return Leadership(etcd, clock, lease, found.created, sent + lease.seconds - MARGIN_SECONDS)
    etcd.revoke(lease)
    return found


def leader_of(found: KeyValue | None) -> Leader | None:
    """Return the leader that the key names."""
    return None if found is None else decoded(Leader, found.value, found.key)
