"""Loads httpcore without anyio, which only its asynchronous clients use."""

from __future__ import annotations

from core.light import without

with without("anyio"):
    import httpcore as httpcore
