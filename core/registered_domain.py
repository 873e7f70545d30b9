"""The registered domain of a name, by the Public Suffix List that its package brings along; nothing is downloaded.

Reading the list takes 70 ms: it is imported when a CA with a limit per domain gets an order.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


def registered_domain(name: str) -> str:
    """Return the domain that a limit counts `name` under (A-labels); a public suffix stands for itself."""
    return _suffixes().privatesuffix(name) or name


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
