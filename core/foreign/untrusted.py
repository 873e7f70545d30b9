"""The error of this package. A separate module, because the store uses it too and is loaded by every run."""

from __future__ import annotations

import errno


class UntrustedPath(OSError):
    """Something on the path was arranged, or can be arranged, by an account that is not trusted there."""

    def __init__(self, path: object, why: str, fix: str) -> None:
        """`why`: without a full stop, like the system's own messages. `fix`: one sentence."""
        super().__init__(errno.ELOOP, why, str(path))
        self.fix = fix
