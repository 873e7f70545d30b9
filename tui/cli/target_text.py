"""Text about targets and their kinds."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tui.cli.tables import labelled, table
from tui.glyphs import printable
from tui.wording.services import kind_facts, measured_words, sessions_words, told_words

if TYPE_CHECKING:
    from core.operations import KindInfo, TargetInfo


def kinds_lines(kinds: Sequence[KindInfo]) -> Iterator[str]:
    """Yield a table of the kinds."""
    rows = [
        [each.name, each.title, told_words(each), sessions_words(each), ", ".join(each.probe) or "–"] for each in kinds
    ]
    yield from table(["KIND", "SERVICE", "NEW CERTIFICATE", "SESSIONS", "USUAL PROBE"], rows)
    yield "`certdeck target kinds KIND` shows the details."


def kind_lines(kind: KindInfo) -> Iterator[str]:
    """Yield everything about a kind."""
    yield f"{kind.title} ({kind.name})"
    yield from labelled(kind_facts(kind))
    yield from (f"  - {remark}" for remark in kind.remarks)
    yield f"  {measured_words(kind)}"


def target_lines(target: TargetInfo, kind: KindInfo | None) -> Iterator[str]:
    """Yield the configuration of a target, and the behavior of its kind."""
    yield printable(target.name)
    configured = [
        ("Kind", printable(target.kind)),
        ("Carries", printable(target.lineage or "no certificate of certdeck")),
        ("Certificate", printable(target.certificate)),
        ("Key", "in the same file" if target.key == target.certificate else printable(target.key)),
        ("Layout", target.layout),
        *([("Files of", printable(target.files_of))] if target.files_of else []),
        ("Test", _command(target.test)),
        ("Reload", _command(target.reload)),
        ("Probe", printable(", ".join(target.probe)) or "none: certdeck does not check what is served"),
    ]
    if target.window:
        configured.append(("Window", f"{target.window}: scheduled runs deploy only then"))
    yield from labelled(configured)
    if kind is not None and (kind.measured or kind.remarks):
        yield f"About {kind.title}:"
        yield from labelled(kind_facts(kind))
        yield from (f"  - {remark}" for remark in kind.remarks)
        yield f"  {measured_words(kind)}"


def _command(words: Sequence[str]) -> str:
    return printable(shlex.join(words)) or "none"
