"""Looks at what a service really presents after a reload. A reload that returned is not yet a certificate that is served."""

from __future__ import annotations

from dataclasses import dataclass

from core.config.model import TargetConfig
from core.ports import CancelToken, Environment
from core.targets.fingerprint import sha256_of_der

FIRST_PAUSE_SECONDS = 0.01
LONGEST_PAUSE_SECONDS = 0.5
HANDSHAKE_SECONDS = 5.0
SETTLED_SECONDS = 0.15
"""How long nothing but ours must have been seen. nginx (1.22, ngx_process_cycle.c) starts its new workers, sleeps 100 ms, and
only then tells the old ones to stop accepting: until then each connection may go to either."""
SETTLING_PAUSE_SECONDS = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    served: str | None
    """SHA-256 of what was presented last."""
    matches: bool
    why: str = ""
    """One sentence; empty when it matches."""


def look(
    env: Environment,
    target: TargetConfig,
    expected: str,
    server_name: str | None,
    cancel: CancelToken | None = None,
) -> Look:
    """Ask the target's service until it presents `expected` and nothing else any more, or its time is over.

    Fast at first: old workers of a service may answer for some moments after a reload. Blocks up to `probe_timeout_seconds`.
    Raises Cancelled: whoever switched has to put back what was there.
    """
    assert target.probe is not None
    cancel = cancel or CancelToken()
    deadline = env.clock.monotonic() + target.probe_timeout_seconds
    pause = FIRST_PAUSE_SECONDS
    since: float | None = None
    while True:
        left = max(deadline - env.clock.monotonic(), 0.1)
        answer = env.prober.served(
            target.probe, server_name=target.probe_name or server_name, timeout=min(left, HANDSHAKE_SECONDS)
        )
        served = None if answer.certificate is None else sha256_of_der(answer.certificate)
        now = env.clock.monotonic()
        if served == expected:
            since = now if since is None else since
            if now - since >= SETTLED_SECONDS or now >= deadline:
                return Look(served=served, matches=True)
            env.clock.sleep(SETTLING_PAUSE_SECONDS, cancel)
            continue
        since = None
        if now >= deadline:
            break
        env.clock.sleep(min(pause, deadline - now), cancel)
        pause = min(pause * 1.6, LONGEST_PAUSE_SECONDS)
    if served is None:
        return Look(served=None, matches=False, why=answer.failure or f"{target.probe} presents no certificate.")
    return Look(
        served=served,
        matches=False,
        why=f"{target.probe} presents another certificate, with the SHA-256 {served[:23]}…",
    )
