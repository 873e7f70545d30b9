"""The fleet: its leader, its boxes, what each serves, and which are behind and why; approving and removing boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace
from textual.message import Message

from core.fleet_status import BoxStatus, FleetStatus, Member
from tui.actions import Situation, bindings, of_scope
from tui.bridge import OperationFinished
from tui.screens.filtered_list import FILTER_KEYS, FilteredListPage
from tui.screens.operations import ask_then
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import facts, marked
from tui.widgets.row_list import Column, Row
from tui.wording import fleet_filter, text
from tui.wording.text import MARKS

FLEET = "fleet"
WAITING = "waiting"
REMOVING = "removing"
_MARKS = {"deployed": "pass", "behind": "warn", "failed": "fail", "none": "unknown"}


class Box(Struct, frozen=True, kw_only=True):
    """A row: one box, or the fleet itself if `box` is None."""

    fleet: FleetStatus
    box: BoxStatus | None = None

    @property
    def is_leader(self) -> bool:
        return self.box is not None and self.box.id == self.fleet.leader_id


class FleetScreen(FilteredListPage[Box]):
    """The fleet, then the boxes that ask to join, then the members."""

    SCOPE = "fleet"
    BINDINGS: ClassVar = [*bindings(of_scope("fleet", "page")), *FILTER_KEYS]
    HELP_TEXT = (
        "Several boxes that share certificates through etcd. Hubs order and renew; one of them is the leader, and "
        "another one takes over if it fails. Devices receive the certificates that they serve, encrypted to their "
        "own key.\n\n"
        "Boxes that ask to join are listed first. Before you approve one, compare its fingerprint with the "
        "fingerprint shown on the box itself. A removed box gets no more certificates, and its certificates are "
        "renewed with new keys.\n\n"
        "The filter takes words and terms: state:behind, state:failed, state:away (not seen for 36 hours), state:waiting, "
        "state:ok, role:hub, serves:shop. A - before a term excludes."
    )
    COLUMNS: ClassVar = (
        Column("Box"),
        Column("Role"),
        Column("State", flexible=True),
        Column("Last seen", optional=True),
    )
    LIST_TITLE = "Fleet"
    FILTER_HINT = fleet_filter.HINT
    LOOKING = "Asking etcd …"
    UNREADABLE = "The fleet cannot be read"
    EMPTY: ClassVar = (
        "No fleet",
        "This box is not in a fleet and needs none: it renews its own certificates.",
        "Several boxes can share certificates through etcd. A fleet is set up in the configuration and by command only:",
        'On the first box, add [fleet] with endpoints = ["https://etcd1.example.com:2379"] and role = "hub" to certdeck.toml.',
        "Then run: certdeck fleet init",
        'On every other box, add the same endpoints with role = "device", and run: certdeck fleet join',
        "After that, this page shows all boxes. Press a to approve a box that asks to join.",
    )
    page_title = "Fleet"

    def heard(self, message: Message) -> None:
        """Ask etcd again after an operation has ended, not after every reading of the status."""
        if isinstance(message, OperationFinished):
            self.read()

    def fetch(self) -> Sequence[Box]:
        if not self.engine.config().fleet.endpoints:
            return ()
        found = self.engine.fleet_status()
        known = {box.id: box for box in found.boxes}
        # A device sees only itself.
        members = self.engine.fleet_devices() if found.role != "device" else ()
        boxes = [known.pop(each.id) if each.id in known else _box(each) for each in members]
        return [Box(fleet=found), *(Box(fleet=found, box=each) for each in (*boxes, *known.values()))]

    # -- filter ------------------------------------------------------------------------------------------------------

    def keeps(self, item: Box) -> bool:
        """Return whether a row matches the filter; the fleet itself is always shown."""
        return item.box is None or fleet_filter.kept(item.box, self.filter, self.deck.now())

    def titled(self) -> str:
        boxes, shown = (sum(each.box is not None for each in some) for some in (self.every, self.items))
        count = f"  {shown:,} of {boxes:,}  / {text.printable(self.filter)}" if self.filter else ""
        return f"{self.LIST_TITLE}{count}"

    def name_of(self, item: Box) -> str:
        return item.box.id if item.box is not None else FLEET

    def kind_of(self, item: Box) -> str:
        return item.box.state if item.box is not None else FLEET

    def title_of(self, item: Box) -> str:
        return item.box.name if item.box is not None else f"Fleet {item.fleet.name}"

    def situation(self) -> Situation:
        known, chosen = super().situation(), self.chosen
        is_hub = chosen is not None and chosen.fleet.role != "device"
        return known if is_hub else replace(known, row_kind="")

    def row(self, item: Box) -> Row:
        box = item.box
        if box is None:
            return self._fleet_row(item.fleet)
        mark, state = _state(box)
        role = f"{box.role}, leads" if item.is_leader else box.role
        seen = text.moment(box.seen) if box.seen else "–"
        cells = (box.name, (role, "text-muted"), (state, mark.colour), (seen, "text-muted"))
        return Row(box.id, cells, (mark.glyph, mark.colour))

    def _fleet_row(self, fleet: FleetStatus) -> Row:
        behind = len(fleet.behind)
        away = sum(each.state != "ok" for each in fleet.members)
        leads = f"{fleet.leader} leads" if fleet.leader else "no hub leads" if fleet.role != "device" else "this box"
        words = [leads, *([f"{behind} behind"] if behind else [])]
        words += [f"{away} of {len(fleet.members)} etcd members away"] if away else []
        is_good = not behind and not away and (fleet.leader is not None or fleet.role == "device")
        mark = MARKS["green" if is_good else "warned"]
        return Row(FLEET, ("The fleet", "", (", ".join(words), mark.colour), ""), (mark.glyph, mark.colour))

    def about(self, item: Box, width: int, ink: Ink) -> list[Line]:
        return _fleet_lines(item.fleet, width, ink) if item.box is None else _box_lines(item, width, ink)

    # -- actions -----------------------------------------------------------------------------------------------------

    def action_look_again(self) -> None:
        self.read()

    def action_approve(self) -> None:
        """Show the fingerprint, and admit the box once the user has compared it."""
        box = self.chosen.box if self.chosen is not None else None
        if box is None:
            return
        ask_then(
            self.deck,
            f"Approve {text.printable(box.name)} as {box.role}?",
            f"Its fingerprint:\n\n{fingerprint_shown(box.fingerprint)}\n\n"
            "Approve it only if that box shows the same fingerprint: `certdeck fleet join` prints it there.",
            "Approve",
            lambda: self.deck.begin(
                f"Approve {box.name}",
                f"approving {box.name}",
                # Approve the key whose fingerprint was shown, even if another request has arrived since.
                lambda report, cancel: self.engine.fleet_approve(
                    box.id, expected=box.fingerprint, report=report, cancel=cancel
                ),
                quiet=True,
            ),
        )

    def action_remove(self) -> None:
        """Ask for confirmation, then remove the box."""
        box = self.chosen.box if self.chosen is not None else None
        if box is None:
            return
        ask_then(
            self.deck,
            f"Remove {text.printable(box.name)} from the fleet?",
            "It gets no more certificates, and its certificates are renewed with new keys. It keeps serving its current ones.",
            "Remove",
            lambda: self.deck.begin(
                f"Remove {box.name}",
                f"removing {box.name}",
                lambda report, cancel: self.engine.fleet_remove(box.id, report=report, cancel=cancel),
            ),
            danger=True,
        )


def fingerprint_shown(fingerprint: str) -> str:
    """Return a fingerprint in lines of four groups, for comparison by eye."""
    groups = text.printable(fingerprint).split(":")
    return "\n".join(":".join(groups[start : start + 4]) for start in range(0, len(groups), 4))


def _box(member: Member) -> BoxStatus:
    """Return a box that has not reported anything yet."""
    return BoxStatus(
        id=member.id, name=member.name, role=member.role, fingerprint=member.fingerprint, state=member.state
    )


def _state(box: BoxStatus) -> tuple[text.Mark, str]:
    if box.state == WAITING:
        return MARKS["waits"], "asks to join"
    states = {each.state for each in box.certificates}
    if not states:
        return MARKS["unknown"], "no certificates"
    good = sum(each.state == "deployed" for each in box.certificates)
    mark = "red" if "failed" in states else "green" if good == len(box.certificates) else "warned"
    return MARKS[mark], f"{good} of {len(box.certificates)} up to date"


def _fleet_lines(fleet: FleetStatus, width: int, ink: Ink) -> list[Line]:
    since = f", since {text.moment(fleet.leading_since)}" if fleet.leading_since else ""
    leads = f"{fleet.leader}{since}" if fleet.leader else "no hub currently"
    lines = facts(
        [
            ("Fleet", f"{fleet.name} ({fleet.id})"),
            ("This box", f"{fleet.box}, {fleet.role}"),
            ("Leads", leads if fleet.role != "device" else ""),
            ("etcd", "\n".join(f"{each.endpoint}: {each.state}" for each in fleet.members)),
        ],
        width,
        ink,
    )
    if fleet.behind:
        lines += [[], [("Not up to date", ink("frame-title", bold=True))]]
        for box, one in fleet.behind:
            mark = MARKS[_MARKS[one.state]]
            lines += marked(mark.glyph, mark.colour, f"{one.name} on {box.name}: {one.why.rstrip('.')}.", width, ink)
    if fleet.certificates:
        lines += [[], [("Certificates", ink("frame-title", bold=True))]]
        for each in fleet.certificates:
            until = f", valid to {text.day(each.not_after)}" if each.not_after else ""
            wrong = each.trouble
            mark = MARKS["warn" if wrong else "pass"]
            words = f"{each.name}: version {each.version or 'none yet'}{until}. {wrong}".rstrip()
            lines += marked(mark.glyph, mark.colour, words, width, ink)
    return lines


def _box_lines(item: Box, width: int, ink: Ink) -> list[Line]:
    box, lines = item.box, list[Line]()
    assert box is not None
    if box.state == WAITING:
        words = (
            f"It asks to join as {box.role}. Compare the fingerprint with the one shown on the box; then a approves it."
        )
        lines += [*marked("◐", "severity-yellow", words, width, ink), []]
    elif box.state == REMOVING:
        words = "Its removal was interrupted. Remove it again to complete that."
        lines += [*marked("◐", "severity-yellow", words, width, ink), []]
    for one in box.certificates:
        mark = MARKS[_MARKS[one.state]]
        behind = f" of {one.wanted}" if one.version != one.wanted else ""
        serves = f"version {one.version}{behind}" if one.version else "serves none yet"
        words = f"{one.name}: {serves}{f'. {one.why[0].upper()}{one.why[1:]}' if one.why else ''}"
        lines += marked(mark.glyph, mark.colour, f"{words.rstrip('.')}.", width, ink)
    if box.certificates:
        lines.append([])
    rows = [
        ("Id", f"{box.id}{', this box' if box.id == item.fleet.box else ''}"),
        ("Role", f"{box.role}{', leads' if item.is_leader else ''}"),
        ("Last seen", text.moment(box.seen) if box.seen else ""),
        ("Release", box.release),
        ("Fingerprint", fingerprint_shown(box.fingerprint)),
    ]
    return [*lines, *facts(rows, width, ink)]
