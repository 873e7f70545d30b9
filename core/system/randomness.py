"""Randomness from the kernel."""

from __future__ import annotations

import os


class SystemRandom:
    """The port `Random`. Always reads the kernel's generator, also for `uniform`: the process has no seeded state."""

    def token_bytes(self, count: int) -> bytes:
        return os.urandom(count)

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * (int.from_bytes(os.urandom(7), "big") / ((1 << 56) - 1))
