"""The actions of the console, and when one applies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from core.operations import LineageStatus

RUNNING: Final = "Another operation is running."
BUSY: Final = f"{RUNNING} Press w to see it."


class Situation(Struct, frozen=True, kw_only=True):
    """The state that decides whether an action applies now."""

    lineage: LineageStatus | None = None
    """The certificate under the cursor."""
    busy: bool = False
    """An operation is running."""
    broken: bool = False
    """The configuration cannot be read."""
    certificates: int = 0
    problems: int = 0
    """Number of files that cannot be read."""
    can_go_back: bool = True
    """There is a previous screen, or something to undo in the view."""
    step: int = 0
    """Step of a wizard, counted from 1."""
    row: str = ""
    """Kind of the row under the cursor, if it is not a certificate."""
    row_kind: str = ""


def always(situation: Situation) -> bool:
    return True


def has_lineage(situation: Situation) -> bool:
    return situation.lineage is not None


def has_certificate(situation: Situation) -> bool:
    return situation.lineage is not None and bool(situation.lineage.sha256)


def may_write(situation: Situation) -> bool:
    return not situation.busy and not situation.broken


def may_change(situation: Situation) -> bool:
    return may_write(situation) and situation.lineage is not None


def may_change_certificate(situation: Situation) -> bool:
    return may_write(situation) and has_certificate(situation)


def may_renew(situation: Situation) -> bool:
    # certdeck cannot order a new version of an uploaded certificate.
    return may_change(situation) and not is_uploaded(situation)


def is_uploaded(situation: Situation) -> bool:
    return situation.lineage is not None and situation.lineage.method == "upload"


def may_revoke(situation: Situation) -> bool:
    return may_change_certificate(situation) and situation.lineage is not None and not situation.lineage.self_signed


def may_roll_back(situation: Situation) -> bool:
    lineage = situation.lineage
    return may_write(situation) and lineage is not None and (lineage.version or 0) > 1


def may_complete(situation: Situation) -> bool:
    return may_write(situation) and situation.lineage is not None and situation.lineage.open_order


class Action(Struct, frozen=True, kw_only=True):
    """One thing that the user can do."""

    id: str
    key: str
    """Textual's names of its keys, separated by commas. The first one is shown. Empty: only in the palette."""
    label: str
    """For the footer: one or two words."""
    title: str
    """For the palette and the help: a phrase."""
    help: str
    """For the help: what it does, in one or two sentences."""
    scope: str = "app"
    """The screen that it belongs to. `app`: every screen."""
    applies: Callable[[Situation], bool] = always
    footer: int = 0
    """Place in the footer. If there is not enough room, the highest are dropped first. 0: never in the footer."""
    palette: bool = True
    shown_key: str = ""
    """The key as shown, if its name differs from the label on the keyboard."""
    also: str = ""
    """Further search words for the palette."""
    otherwise: str | tuple[tuple[str, str], ...] = ""
    """Why it does not apply, if the reason is not a missing certificate, a running operation or a broken configuration. Or
    (kind of the row, why), the last one for every other kind."""
    while_busy: str = ""
    """Why it does not apply while an operation is running, if there is a special reason."""
    commands: tuple[str, ...] = ()
    """The commands that do the same, by their words in the command table."""
    steady: bool = False
    """Stays in the footer, dimmed, if it does not apply, so that the footer does not change from row to row."""
    priority: bool = False
    """Also works while a field has the focus."""
    opens: str = ""
    """The screen that the app opens for it, `MODULE:CLASS`. Empty: a method of the screen does the work."""

    @property
    def call(self) -> str:
        """The action string for Textual."""
        return f"app.open('{self.id}')" if self.opens else self.id.replace("-", "_")

    @property
    def key_shown(self) -> str:
        """The key as shown: `^p`, `esc`, `i`."""
        return self.shown_key or self.key.partition(",")[0].replace("ctrl+", "^").replace("escape", "esc")


def why_not(action: Action, situation: Situation) -> str:
    """Return why an action does not apply now, in one or two sentences. Empty: it applies."""
    if action.applies(situation):
        return ""
    free = replace(situation, busy=False, broken=False)
    if action.applies(free):
        return action.while_busy or BUSY if situation.busy else "The configuration cannot be read. Press ! to see why."
    lineage = situation.lineage
    if (lineage is None or not lineage.sha256) and action.applies(replace(free, lineage=_usual())):
        if lineage is not None:
            return "It has no certificate yet."
        if action.scope == "certificates":
            return "No certificate is selected."
    if isinstance(action.otherwise, str):
        return action.otherwise
    return next((why for kind, why in action.otherwise if kind == situation.row_kind), action.otherwise[-1][1])


def _usual() -> LineageStatus:
    """Return a certificate to which every action applies that needs no more than one."""
    from core.operations import LineageStatus

    return replace(LineageStatus.without_certificate("", ()), sha256="00", version=2)
