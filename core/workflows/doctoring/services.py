"""Checks the TLS services of the box: which serve a certificate that certdeck does not manage, and which are set up wrongly."""

from __future__ import annotations

from collections.abc import Iterator

from core.detected import UNMANAGED, DetectedService
from core.operations import Finding
from core.text import plural
from core.workflows.context import Context
from core.workflows.detecting.detect import detect

_ID = "services"


def services(context: Context) -> Iterator[Finding]:
    """Detect services, and yield a finding for each problem. Without any, yield one `pass`."""
    found = detect(context)
    wrong = [finding for each in found if each.running for finding in _findings(each)]
    yield from wrong
    if not wrong:
        yield Finding(
            id=_ID,
            status="pass",
            title="Services",
            detail="no service serves a certificate that certdeck does not manage",
        )


def _findings(service: DetectedService) -> Iterator[Finding]:
    for problem in service.problems:
        yield Finding(id=_ID, status="warn", title=service.title, detail=problem)
    take_over = f"Take it over in the console (B), or with `certdeck target detect --add {service.id}`."
    for seen in service.listeners:
        if seen.state != UNMANAGED or seen.days_left is None:
            continue
        left = f"expires in {plural(seen.days_left, 'day')}" if seen.days_left >= 0 else "has expired"
        yield Finding(
            id=_ID,
            status="pass" if seen.severity == "green" else "warn",
            title=service.title,
            detail=f"{seen.address} serves {seen.subject}, which certdeck does not manage; it {left}",
            fix="" if seen.severity == "green" else take_over,
        )
