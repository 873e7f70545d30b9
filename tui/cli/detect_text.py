"""The output of `certdeck target detect`, as text and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tui.cli.jsonout import rfc3339
from tui.cli.tables import table
from tui.glyphs import printable
from tui.wording import text

if TYPE_CHECKING:
    from core.config.model import TargetConfig
    from core.detected import DetectedService, Presented
    from tui.cli.output import Stream

_NONE = "–"


def detected_json(services: Sequence[DetectedService]) -> dict[str, object]:
    """Return `target detect --json`."""
    return {"services": [_service_json(each) for each in services]}


def _service_json(service: DetectedService) -> dict[str, object]:
    return {
        "id": service.id,
        "kind": service.kind,
        "title": service.title,
        "running": service.running,
        "listeners": [_presented_json(each) for each in service.listeners],
        "certificate": service.certificate,
        "key": service.key,
        "shared_with": list(service.shared_with),
        "target": service.target,
        "problems": list(service.problems),
        "suggest": None if service.suggest is None else target_json(service.suggest),
    }


def _presented_json(seen: Presented) -> dict[str, object]:
    found: dict[str, object] = {
        "address": seen.address,
        "dialect": seen.dialect,
        "sha256": seen.sha256,
        "subject": seen.subject or None,
        "names": list(seen.names),
        "not_after": None if seen.not_after is None else rfc3339(seen.not_after),
        "days_left": seen.days_left,
        "severity": seen.severity or None,
        "state": seen.state,
    }
    return {**found, "why": seen.why} if seen.why else found


def target_json(target: TargetConfig) -> dict[str, object]:
    """Return the settings of `[targets.NAME]` that are set."""
    values = {name: getattr(target, name) for name in target.__struct_fields__}
    unset = dict(zip(target.__struct_fields__[1:], target.__struct_defaults__, strict=True))
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if name in ("name", "kind") or value != unset.get(name)
    }


def detected_lines(services: Sequence[DetectedService], stream: Stream) -> Iterator[str]:
    """Yield a table of the services; then, for each service, its problems and the command that adds it as a target."""
    if not services:
        yield "No TLS service was found. Only root can see services of other users."
        return
    rows = [row for each in services for row in _rows(each)]
    head, *lines = table(["ID", "ADDRESS", "CERTIFICATE", "ENDS", "TARGET"], rows)
    yield stream.painted(head, "dim")
    yield from lines
    for each in services:
        yield ""
        yield from _about(each)


def _rows(service: DetectedService) -> Iterator[list[str]]:
    target = printable(service.target or _NONE)
    if not service.listeners:
        state = "not running" if not service.running else "no TLS seen"
        yield [printable(service.id), state, _NONE, _NONE, target]
    for each in service.listeners:
        yield [printable(service.id), printable(each.address), *_presented(each), target]


def _presented(seen: Presented) -> tuple[str, str]:
    if seen.not_after is None or seen.days_left is None:
        return "no response", _NONE
    return printable(seen.subject), f"{text.day(seen.not_after)} ({text.days_shown(seen.days_left)})"


def _about(service: DetectedService) -> Iterator[str]:
    yield f"{printable(service.title)} ({printable(service.id)})"
    if service.certificate:
        yield f"  Certificate  {printable(service.certificate)}"
        yield f"  Key          {printable(service.key or _NONE)}"
    if service.shared_with:
        yield f"  Shared with  {printable(', '.join(service.shared_with))}"
    for problem in service.problems:
        yield f"  {text.MARKS['warn'].glyph} {printable(problem)}"
    if service.suggest is not None:
        yield f"  {printable(add_command(service))}"


def add_command(service: DetectedService) -> str:
    """Return the command that adds a service as a target, to copy."""
    assert service.suggest is not None
    words = ["certdeck", "target", "add", service.suggest.name]
    for name, value in target_json(service.suggest).items():
        if name != "name":
            values = value if isinstance(value, list) else [value]
            words += [word for each in values for word in (f"--{name.replace('_', '-')}", str(each))]
    return shlex.join(words)
