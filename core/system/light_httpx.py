"""Loads httpx without its command line: if click and rich are installed, that takes longer to load than httpx itself."""

from __future__ import annotations

import sys
from typing import Any, cast

sys.modules.setdefault("httpx._main", cast("Any", None))  # httpx does without it if the import fails

import httpx as httpx  # noqa: E402
