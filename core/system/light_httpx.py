"""httpx without its own command line: where click and rich are installed, that takes longer to load than httpx itself."""

from __future__ import annotations

import sys
from typing import Any, cast

sys.modules.setdefault("httpx._main", cast("Any", None))  # httpx goes without it when it cannot be imported

import httpx as httpx  # noqa: E402
