"""Loads httpx without its command line: if click and rich are installed, that takes longer to load than httpx itself."""

from __future__ import annotations

from core.hidden_modules import hidden
from core.system.light_httpcore import httpcore as httpcore

with hidden("httpx._main"):
    import httpx as httpx
