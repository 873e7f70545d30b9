"""Loads httpcore without anyio, which only its asynchronous clients use."""

from __future__ import annotations

from core.hidden_modules import hidden

with hidden("anyio"):
    import httpcore as httpcore
