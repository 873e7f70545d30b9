"""The registered domain of a name, from the Public Suffix List in an installed package; nothing is downloaded.

Loading the list takes 70 ms: it is imported only for an order at a CA with a limit per domain.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


def registered_domain(name: str) -> str:
    """Return the domain that a limit counts `name` for (A-labels); a public suffix is returned unchanged."""
    return _suffixes().privatesuffix(name) or name


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
