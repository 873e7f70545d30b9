"""Loads msgspec without typing_extensions: it takes three functions from there that `typing` has, and loading them takes 10 ms.

Import it before anything that defines a Struct. Where typing_extensions is loaded already, nothing is saved and nothing is lost.
"""

from __future__ import annotations

from core.hidden_modules import hidden

with hidden("typing_extensions"):
    import msgspec as msgspec
