"""msgspec without typing_extensions: it takes three functions from there that `typing` has, and loading them costs 10 ms.

Import it before anything that defines a Struct. Where typing_extensions is loaded already, nothing is saved and nothing is lost.
"""

from __future__ import annotations

import sys
from typing import Any, cast

_HIDDEN = "typing_extensions"

if _HIDDEN not in sys.modules:
    sys.modules[_HIDDEN] = cast("Any", None)  # msgspec falls back to `typing` when it cannot be imported
    try:
        import msgspec as msgspec
    finally:
        del sys.modules[_HIDDEN]
