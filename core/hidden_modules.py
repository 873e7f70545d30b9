"""Loads a library without a module that it imports for features which certdeck does not use, and can do without."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast


@contextmanager
def hidden(name: str) -> Iterator[None]:
    """Within the block, let `import name` raise ImportError, unless the module is loaded already. Afterwards it can be loaded.

    Other threads see that too, so it must be a module that nothing else imports at that time.
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = cast("Any", None)
    try:
        yield
    finally:
        del sys.modules[name]
