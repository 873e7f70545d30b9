"""Assignments in a shell file, parsed and never sourced: `NAME='…'`, `NAME="…"`, `NAME=(…)`; the last one wins."""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64

_ASSIGNMENT = (
    r"""^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|\(([^)]*)\)|([^\s#'"()]*))"""
)
_VARIABLE = r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$([A-Za-z_][A-Za-z0-9_]*)"
_WORD = r"""'([^']*)'|"([^"]*)"|([^\s'"]+)"""
_BASE64 = r"__ACME_BASE64__START_([A-Za-z0-9+/=]*)__ACME_BASE64__END_"


def assignments(text: str, known: dict[str, str] | None = None) -> dict[str, str]:
    """Return name → value. A value that runs a command, or uses an unknown variable, is left out.

    Args:
        known: values from files that were read before, for `${NAME}`.
    """
    found = dict(known or {})
    for match in re.finditer(_ASSIGNMENT, text, re.MULTILINE):
        name, single, double, listed, bare = match.groups()
        if single is not None:
            found[name] = _plain(single)
            continue
        value = listed if listed is not None else bare if bare is not None else re.sub(r'\\(["\\$`])', r"\1", double)
        expanded = _expanded(value, found)
        if expanded is None:
            found.pop(name, None)
        else:
            found[name] = expanded
    return found


def words(value: str) -> tuple[str, ...]:
    """Return the words of a shell array."""
    return tuple("".join(parts) for parts in re.findall(_WORD, value))


def _expanded(value: str, known: dict[str, str]) -> str | None:
    if "`" in value or "$(" in value:
        return None
    names = ["".join(parts) for parts in re.findall(_VARIABLE, value)]
    if any(name not in known for name in names):
        return None
    return re.sub(_VARIABLE, lambda match: known[match[1] or match[2]], value)


def _plain(value: str) -> str:
    """Return a value of acme.sh, decoded if it is in base64."""
    match = re.fullmatch(_BASE64, value)
    if match is None:
        return value
    try:
        return a2b_base64(match[1]).decode("utf-8", "replace")
    except Base64Error:
        return ""
