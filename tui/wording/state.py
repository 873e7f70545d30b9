"""The state of a certificate, in one word and in a few: for the counters, the list, its filter and the summary of `status`.

Pure. The rules are in `core.health`; here, certificates are grouped by what the user should do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from core.health import CRITICAL, EXPIRES_SOON, NO_TIMER, WITHOUT_TIMER, Health, foremost, health
from tui.glyphs import printable
from tui.wording import text

if TYPE_CHECKING:
    from core.operations import LineageStatus


class Standing(Struct, frozen=True):
    """A group of certificates that are counted together."""

    word: str
    """Its name in a filter, `state:WORD`."""
    mark: str
    """Its sign: a key of `MARKS`."""
    one: str
    several: str

    def counted(self, count: int) -> str:
        """Return its label for this number: `needs you`, `need you`."""
        return self.one if count == 1 else self.several


STANDINGS: Final[Mapping[str, Standing]] = {
    each.word: each
    for each in (
        Standing("urgent", "red", "needs you", "need you"),
        Standing("waiting", "waits", "waits for you", "wait for you"),
        Standing("failed", "yellow", "failed", "failed"),
        Standing("not-served", "yellow", "not served", "not served"),
        Standing("warning", "warned", "warning", "warnings"),
        Standing("no-timer", "yellow", "without timer", "without timer"),
        Standing("soon", "yellow", "renews soon", "renew soon"),
        Standing("healthy", "green", "healthy", "healthy"),
    )
}
"""Groups by word, the most urgent first."""

RANK: Final[Mapping[str, int]] = {word: number for number, word in enumerate(STANDINGS)}

_BY_CODE: Final = {
    "renewal-failed": "failed",
    "deployment-failed": "failed",
    "not-served": "not-served",
    NO_TIMER: "no-timer",
    EXPIRES_SOON: "soon",
}


def standing_of(lineage: LineageStatus, waits: bool = False, judged: Health | None = None) -> str:
    """Return the word of a certificate's group.

    `waits`: an order for it waits for manual DNS records. Only a problem of the certificate itself has a higher priority. `judged`:
    its health, if already known.
    """
    if waits and not lineage.sha256:
        return "waiting"
    judged = judged or health(lineage)
    reason = foremost(judged)
    if judged.level == CRITICAL:
        return "urgent"
    if waits:
        return "waiting"
    if reason is None:
        return "healthy"
    if reason.code == EXPIRES_SOON and not _renews(lineage):
        return "warning"
    return _BY_CODE.get(reason.code, "warning")


def troubles_of(lineage: LineageStatus) -> set[str]:
    """Return those of `failed` and `not-served` that apply, even if the certificate is in a more urgent group."""
    words = (_BY_CODE.get(reason.code, "") for reason in health(lineage).reasons)
    return {word for word in words if word in ("failed", "not-served")}


def counted(words: Iterable[str]) -> list[tuple[Standing, int]]:
    """Return the number of certificates in each non-empty group."""
    counts = Counter(words)
    return [(each, counts[word]) for word, each in STANDINGS.items() if counts[word]]


# -- why ---------------------------------------------------------------------------------------------------------------


def why_shown(lineage: LineageStatus, now: datetime, word: str = "") -> str:
    """Return the problem in a few words: `failed 3×, next 21:40`, `nginx shows another`. Empty: there is none.

    `word`: its group, if already known.
    """
    word = word or standing_of(lineage)
    if word == "waiting":
        return "waits for DNS records"
    reason = foremost(health(lineage)) if word not in ("healthy", "soon") else None
    if reason is None:
        return ""
    if reason.code == EXPIRES_SOON and _renews(lineage):
        return "expires soon" if reason.level == CRITICAL else ""
    brief = printable(reason.brief)
    if reason.code in ("renewal-failed", "deployment-failed") and _tries_again(lineage):
        assert lineage.renew_at is not None
        return f"{brief}, next {near(lineage.renew_at, now)}"
    return brief


def renews_shown(lineage: LineageStatus, now: datetime) -> str:
    """Return when it renews, for a narrow column: `27 Jan`, `03:00`, `manually`, `never`, `off`."""
    if text.is_manual(lineage):
        return "manually"
    if lineage.renew_at is None:
        return "–" if not lineage.sha256 else "never" if lineage.renew_why == "by hand" else "off"
    return near(lineage.renew_at, now)


def state_shown(lineage: LineageStatus, now: datetime, word: str = "") -> str:
    """Return the problem, else when it renews: the only state column of a narrow list. `word`: its group, if already known."""
    why = why_shown(lineage, now, word)
    when = renews_shown(lineage, now)
    if lineage.timer != "active" and lineage.renew_at is not None and why in ("", *WITHOUT_TIMER.values()):
        return f"would renew {when} – {WITHOUT_TIMER[lineage.timer]}"
    if why:
        return why
    words = {
        "never": "does not renew",
        "off": "renewal off",
        "–": "waits for its first order",
        "manually": "renews manually",
    }
    return words.get(when) or f"renews {when}"


def near(when: datetime, now: datetime) -> str:
    """Return a time as short as it is clear: `next run`, `21:40` within a day, `27 Jan`, `27 Jan 2028`."""
    local, here = when.astimezone(), now.astimezone()
    if when <= now:
        return "next run"
    days = (local.date() - here.date()).days
    if when - now < timedelta(hours=24):
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b}" if days < 300 else text.day(when)


def _renews(lineage: LineageStatus) -> bool:
    return lineage.renew_at is not None and lineage.auto_renew and lineage.timer == "active"


def _tries_again(lineage: LineageStatus) -> bool:
    return lineage.renew_why == "retry" and lineage.renew_at is not None
