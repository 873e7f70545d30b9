"""Variables in the configuration of Apache httpd: `Define NAME value`, used as `${NAME}`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_MOST_DEPTH = 8
"""A value may contain other variables; the limit stops a variable that contains itself."""


def defined(directives: Iterable[Sequence[str]]) -> dict[str, str]:
    """Return the variables that directives define. Each directive is a list of words, its name in lower case. Pure."""
    return {each[1]: each[2] for each in directives if len(each) > 2 and each[0] == "define"}


def filled(text: str, variables: Mapping[str, str]) -> str:
    """Return a text with its variables expanded; unknown ones stay unchanged. Pure."""
    for _ in range(_MOST_DEPTH):
        after = _VARIABLE.sub(lambda match: variables.get(match[1], match[0]), text)
        if after == text:
            break
        text = after
    return text
