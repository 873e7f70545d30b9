"""The filter of the certificate list: words, `state:failed`, `service:nginx`, `issuer:lets`, `due<30d`, each with `-` to exclude.

`due` (or `left`) is the time until a certificate ends, `renews` the time until it renews.
Pure. A word that is no term of the language is looked for in names, issuer and service.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from tui.wording import text
from tui.wording.filter_terms import terms
from tui.wording.state import STANDINGS, standing_of, troubles_of

if TYPE_CHECKING:
    from core.operations import LineageStatus

Test = Callable[["LineageStatus", datetime, bool], bool]
"""Tells whether a certificate passes: takes the certificate, the time, and whether its order waits for manual DNS records."""

HINT: Final = "words, state:failed, service:nginx, issuer:…, due<30d; - excludes"

_UNITS: Final = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.0, "y": 365.0}
_DUE: Final = re.compile(r"(due|left|renews)([<>])(\d{1,5})([hdwmy]?)")
_ALSO: Final = {"needs": "urgent", "critical": "urgent", "ok": "healthy", "stale": "not-served", "warned": "warning"}


class Filter(Struct, frozen=True, kw_only=True):
    """A filter, its plain words apart: they are looked up in one text for each certificate."""

    words: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    tests: tuple[Test, ...] = ()

    def goes_on(self, before: Filter) -> bool:
        """Tell whether whatever passes this one passes `before`, at any time: a word has been added, or a letter to a word."""
        return (
            not before.tests
            and set(before.excluded) <= set(self.excluded)
            and all(any(word in longer for longer in self.words) for word in before.words)
        )


def haystack(row: LineageStatus) -> str:
    """Return the text that plain words are searched in."""
    services = (target.name for target in row.targets)
    return " ".join((*_names(row), text.issuer_shown(row), row.issuer, row.method, *services)).casefold()


def parsed(words: str) -> Filter:
    """Return the filter for typed text. A certificate passes if it passes every term."""
    found: tuple[list[str], list[str]] = ([], [])
    tests: list[Test] = []
    for term, excludes in terms(words):
        test = _term(term)
        if test is None:
            found[excludes].append(term)
        else:
            tests.append(_excluding(test) if excludes else test)
    return Filter(words=tuple(found[0]), excluded=tuple(found[1]), tests=tuple(tests))


def narrowed(
    rows: Sequence[LineageStatus],
    wanted: Filter,
    now: datetime,
    waiting: Collection[str] = (),
    texts: Mapping[str, str] | None = None,
) -> list[LineageStatus]:
    """Return the certificates that pass the filter, in their order.

    Args:
        waiting: the names of those whose order waits.
        texts: the `haystack` of each, by its name, for whoever keeps them from one letter to the next.
    """
    left = list(rows)
    if texts is None:
        texts = {row.name: haystack(row) for row in rows} if wanted.words or wanted.excluded else {}
    # Term by term: a letter may not take longer than somebody notices, with ten thousand certificates.
    for word in wanted.words:
        left = [row for row in left if word in texts[row.name]]
    for word in wanted.excluded:
        left = [row for row in left if word not in texts[row.name]]
    for test in wanted.tests:
        left = [row for row in left if test(row, now, row.name in waiting)]
    return left


def _excluding(inner: Test) -> Test:
    return lambda row, now, waits: not inner(row, now, waits)


def _term(word: str) -> Test | None:
    """Return the test of a term; None for a plain word."""
    due = _DUE.fullmatch(word)
    if due is not None:
        return _within(due[1] == "renews", due[2] == "<", float(due[3]) * _UNITS[due[4] or "d"])
    key, colon, value = word.partition(":")
    made = _KEYS.get(key) if colon else None
    return made(value) if made is not None else None


def _within(renewal: bool, before: bool, days: float) -> Test:
    def test(row: LineageStatus, now: datetime, waits: bool) -> bool:
        moment = row.renew_at if renewal else row.not_after
        if moment is None:
            return False
        return (moment - now < timedelta(days=days)) is before

    return test


def _state(value: str) -> Test:
    wanted = _ALSO.get(value, value)
    words = {word for word in STANDINGS if word.startswith(wanted)} if wanted else set(STANDINGS)
    return lambda row, now, waits: standing_of(row, waits) in words or not words.isdisjoint(troubles_of(row))


def _issuer(value: str) -> Test:
    return lambda row, now, waits: value in f"{text.issuer_shown(row)} {row.issuer} {row.ca or ''}".casefold()


def _service(value: str) -> Test:
    return lambda row, now, waits: (
        any(value in target.name.casefold() for target in row.targets) if value else not row.targets
    )


def _name(value: str) -> Test:
    return lambda row, now, waits: value in " ".join(_names(row)).casefold()


def _key(value: str) -> Test:
    return lambda row, now, waits: value in row.key_type.casefold()


_KEYS: Final[dict[str, Callable[[str], Test]]] = {
    "state": _state,
    "issuer": _issuer,
    "service": _service,
    "target": _service,
    "name": _name,
    "key": _key,
}


def _names(row: LineageStatus) -> Iterator[str]:
    yield row.name
    for domain in row.domains:
        yield domain
        yield text.name_shown(domain)
