"""What an action of the console is, and when one applies."""

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
    """What an action looks at to know whether it makes sense now."""

    lineage: LineageStatus | None = None
    """The one under the cursor."""
    busy: bool = False
    """An operation runs."""
    broken: bool = False
    """The configuration cannot be read."""
    certificates: int = 0
    problems: int = 0
    """Files that cannot be read."""
    can_go_back: bool = True
    """There is a screen below, or something to undo in the view."""
    step: int = 0
    """Of a wizard, counted from 1."""
    row: str = ""
    """What is under the cursor where that is no certificate."""
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
    # An uploaded certificate comes from outside: nobody here can ask for another one.
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
    """One thing that a person can do."""

    id: str
    key: str
    """Textual's names, several with commas: the first one is shown. Empty: only in the palette."""
    label: str
    """In the footer: one or two words."""
    title: str
    """In the palette and the help: a whole phrase."""
    help: str
    """In the help: what it does, in a sentence or two."""
    scope: str = "app"
    """The screen it belongs to; `app`: every screen."""
    applies: Callable[[Situation], bool] = always
    footer: int = 0
    """Place in the footer; what does not fit goes, the highest first. 0: never in the footer."""
    palette: bool = True
    shown_key: str = ""
    """How the key is written, where its name is not what stands on it."""
    also: str = ""
    """Other words that people look for it by, in the palette."""
    otherwise: str = ""
    """Why it does not apply to the chosen certificate, where there is more to say than that."""
    while_busy: str = ""
    """Why it does not apply while an operation runs, where there is another reason than that."""
    commands: tuple[str, ...] = ()
    """The commands that do the same, by their words in the command table."""
    steady: bool = False
    """Keeps its place in the footer where it does not apply, dimmed: the same key stands in the same place on every row."""
    priority: bool = False
    """Works while a field has the focus as well."""
    opens: str = ""
    """The screen that it opens, `MODULE:CLASS`: the app does that. Empty: a method of the screen carries it out."""

    @property
    def call(self) -> str:
        """What Textual runs for it."""
        return f"app.open('{self.id}')" if self.opens else self.id.replace("-", "_")

    @property
    def key_shown(self) -> str:
        """The key as people write it: `^p`, `esc`, `i`."""
        return self.shown_key or self.key.partition(",")[0].replace("ctrl+", "^").replace("escape", "esc")


def why_not(action: Action, situation: Situation) -> str:
    """Return why an action does not apply now, in a sentence or two; empty where it does."""
    if action.applies(situation):
        return ""
    if situation.busy and action.applies(replace(situation, busy=False)):
        return action.while_busy or BUSY
    if situation.broken and action.applies(replace(situation, broken=False)):
        return "The configuration cannot be read. Press ! to see why."
    if situation.lineage is not None and action.otherwise:
        return action.otherwise
    if situation.lineage is not None:
        return f"This is not possible for {situation.lineage.name} now."
    return "This is not possible here now."
