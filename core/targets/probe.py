"""Checks what a service really presents after a reload: a successful reload does not prove that the certificate is served."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from msgspec import Struct

from core.concurrently import map_concurrently
from core.config.model import TargetConfig
from core.ports import CancelToken, Environment
from core.targets.judgement import Before, broken_by_deployment, is_restored, not_seen, served_of
from core.targets.sight import Listener, Sight, listeners_of, see, see_all

FIRST_PAUSE_SECONDS = 0.01
LONGEST_PAUSE_SECONDS = 0.5
HANDSHAKE_SECONDS = 5.0
BEFORE_SECONDS = 3.0
"""Limit for the probe before a deployment: a silent listener delays it no longer than this."""
SETTLED_SECONDS = 0.15
"""How long only our certificate must have been seen. nginx (1.22, ngx_process_cycle.c) starts its new workers, sleeps 100 ms, and
only then tells the old ones to stop accepting: until then each connection may go to either."""
SETTLING_PAUSE_SECONDS = 0.03


class ProbeResult(Struct, frozen=True, kw_only=True):
    """What all listeners of a target present."""

    sights: tuple[Sight, ...]
    served: str | None
    """SHA-256 of what was presented last; a different one from ours if any listener presents one."""
    matches: bool
    """Every listener presents our certificate, except those in `unseen`."""
    why: str = ""
    """One sentence for each listener that does not; empty if `matches`."""
    unseen: tuple[Sight, ...] = ()
    """Listeners where nothing could be seen before the deployment either, so that they say nothing about it."""


def seen_before(env: Environment, target: TargetConfig, names: Sequence[str]) -> Before:
    """Return what each listener of a target presents now. Blocks up to BEFORE_SECONDS, and as long again for host names."""
    sights = see_all(env.prober, target, names, timeout=BEFORE_SECONDS)
    return {sight.listener.address: sight.served for sight in sights}


def look(
    env: Environment,
    target: TargetConfig,
    expected: str,
    names: Sequence[str],
    before: Before | None = None,
    *,
    restoring: bool = False,
    cancel: CancelToken | None = None,
) -> ProbeResult:
    """Probe every listener of the target until it presents `expected` and nothing else, or the time is over.

    Probes quickly at first: old workers of a service may respond for some moments after a reload. Blocks up to
    `probe_timeout_seconds`. Raises Cancelled: the caller then has to restore the previous files.

    Args:
        names: the names that the certificate `expected` covers.
        before: the result of `seen_before`; a listener that presented nothing then is not waited for once the others are done.
        restoring: the old files are restored; a listener that presents the same again as before is right, too.
    """
    known = before or {}
    listeners = listeners_of(env.prober, target)
    needed = [each for each in listeners if known.get(each.address) != ()]

    def is_right(sight: Sight) -> bool:
        return sight.shows(expected) or (restoring and is_restored(sight, known))

    waiting = _Waiting(env, target, names, needed, is_right, cancel or CancelToken())
    # Listeners that were seen before come first: if there are more listeners than threads, the others wait.
    ordered = sorted(listeners, key=lambda each: each not in waiting.needed)
    by_listener = dict(zip(ordered, map_concurrently(waiting.settle, ordered), strict=True))
    sights = tuple(by_listener[each] for each in listeners)
    broken = broken_by_deployment([each for each in sights if not is_right(each)], expected, known, sights)
    return ProbeResult(
        sights=sights,
        served=served_of(sights, expected),
        matches=not broken,
        why=" ".join(broken),
        unseen=not_seen(sights, known),
    )


class _Waiting:
    """The parallel probes of one target's listeners, and when one of them may stop."""

    def __init__(
        self,
        env: Environment,
        target: TargetConfig,
        names: Sequence[str],
        needed: Sequence[Listener],
        is_right: Callable[[Sight], bool],
        cancel: CancelToken,
    ) -> None:
        """`needed`: the listeners that decide; any other is given up once these are done."""
        self.needed = frozenset(needed)
        self._env = env
        self._target = target
        self._is_right = is_right
        self._cancel = cancel
        self._names = names
        self._deadline = env.clock.monotonic() + target.probe_timeout_seconds
        self._open = set(needed)
        self._lock = threading.Lock()
        self._is_decided = False

    def settle(self, listener: Listener) -> Sight:
        """Probe one listener until it presents only our certificate, or until it need not be waited for."""
        sight = self._settle(listener)
        with self._lock:
            self._open.discard(listener)
            self._is_decided = self._is_decided or (not self._open and (bool(self.needed) or self._is_right(sight)))
        return sight

    def _settle(self, listener: Listener) -> Sight:
        clock, cancel = self._env.clock, self._cancel
        pause = FIRST_PAUSE_SECONDS
        since: float | None = None
        while True:
            left = max(self._deadline - clock.monotonic(), 0.1)
            is_needed = listener in self.needed
            patience = min(left, HANDSHAKE_SECONDS if is_needed else BEFORE_SECONDS)
            sight = see(self._env.prober, self._target, listener, self._names, timeout=patience)
            now = clock.monotonic()
            if self._is_right(sight):
                since = now if since is None else since
                if now - since >= SETTLED_SECONDS or now >= self._deadline:
                    return sight
                clock.sleep(SETTLING_PAUSE_SECONDS, cancel)
                continue
            since = None
            given_up = self._is_decided and not is_needed and not sight.served
            if now >= self._deadline or given_up:
                return sight
            clock.sleep(min(pause, self._deadline - now), cancel)
            pause = min(pause * 1.6, LONGEST_PAUSE_SECONDS)
