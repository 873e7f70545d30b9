"""Parses the subject of a signing request in text form: `O=Acme Ltd,C=DE`. Pure and light."""

from __future__ import annotations

import re

from core.errors import UsageError
from core.text import visible

_LONGEST = {"C": 2, "ST": 128, "L": 128, "O": 64, "OU": 64}
"""Maximum length by attribute, in the order of a name (RFC 5280, appendix A)."""
_MEANT = {"S": "ST", "SP": "ST", "STATE": "ST", "COUNTRY": "C", "CITY": "L", "LOCALITY": "L", "ORGANIZATION": "O"}
_EXAMPLE = 'Write it as "O=Acme Ltd,L=Berlin,C=DE". Put a backslash before a comma within a value.'
_SPLIT = re.compile(r"(?<!\\),")


class BadSubject(UsageError):
    """The entered text is not a valid subject."""

    code = "bad-subject"


def parse_subject(text: str) -> tuple[tuple[str, str], ...]:
    """Return the (attribute, value) pairs of a subject, in the order of a name. Raises BadSubject (`bad-subject`)."""
    found: dict[str, str] = {}
    for part in _SPLIT.split(text) if text.strip() else ():
        written, equals, value = part.partition("=")
        kind = written.strip().upper()
        kind = _MEANT.get(kind, kind)
        value = value.strip().replace("\\,", ",").replace("\\\\", "\\")
        _check(kind, bool(equals), value, found)
        found[kind] = value.upper() if kind == "C" else value
    return tuple((kind, found[kind]) for kind in _LONGEST if kind in found)


def subject_text(subject: tuple[tuple[str, str], ...]) -> str:
    """Return a subject in its normalized text form, for storage and comparison. `parse_subject` reads it."""
    escaped = ((kind, value.replace("\\", "\\\\").replace(",", "\\,")) for kind, value in subject)
    return ",".join(f"{kind}={value}" for kind, value in escaped)


def _check(kind: str, has_value: bool, value: str, found: dict[str, str]) -> None:
    if kind == "CN":
        raise BadSubject(
            "The subject has a common name.",
            "The first name in the request is already used as the common name.",
            "Omit CN.",
        )
    if kind not in _LONGEST or not has_value:
        shown = visible(kind, 20)
        why = f"{shown!r} is not a supported part: {', '.join(_LONGEST)}."
        raise BadSubject("The subject is not valid.", why, _EXAMPLE)
    if kind in found:
        raise BadSubject("The subject is not valid.", f"{kind} is given twice.", _EXAMPLE)
    if not value or not value.isprintable():
        why = f"{kind} is empty." if not value else f"{kind} contains invisible characters."
        raise BadSubject("The subject is not valid.", why, _EXAMPLE)
    if kind == "C" and not (len(value) == 2 and value.isascii() and value.isalpha()):
        why = "C is a two-letter country code, for example DE."
        raise BadSubject("The country in the subject is not valid.", why, _EXAMPLE)
    if len(value) > _LONGEST[kind]:
        why = f"{kind} has at most {_LONGEST[kind]} characters."
        raise BadSubject("The subject is too long.", why, "Use a shorter value; the CA adds the verified one.")
