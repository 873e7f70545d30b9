"""The error of this package; a module of its own, because the store knows it too and is loaded by every run."""

from __future__ import annotations

import errno


class UntrustedPath(OSError):
    """Something on the way was arranged, or can be arranged, by an account whose word does not count there."""

    def __init__(self, path: object, why: str, fix: str) -> None:
        """`why`: without a full stop, as the system's own reasons. `fix`: one sentence."""
        super().__init__(errno.ELOOP, why, str(path))
        self.fix = fix
