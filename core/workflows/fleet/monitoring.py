"""The fleet in one line, for `status --check`."""

from __future__ import annotations

from datetime import datetime

from core.dates import day_shown
from core.errors import CertdeckError
from core.fleet_status import FleetStatus
from core.operations import Finding
from core.text import listed
from core.workflows.context import Context
from core.workflows.fleet.overview import status


def finding(context: Context) -> tuple[Finding, ...]:
    """Return the problems of the fleet as one finding. Empty: there are none."""
    try:
        found = status(context)
    except CertdeckError as exc:
        return (_finding("warn", f"{exc.what} {exc.why}", exc.fix),)
    critical, warnings = _judged(found, context.env.clock.now())
    if not critical and not warnings:
        return ()
    fix = "Check with: certdeck fleet status"
    return (_finding("fail" if critical else "warn", listed([*critical, *warnings], 5), fix),)


def _finding(status: str, detail: str, fix: str) -> Finding:
    return Finding(id="fleet", status=status, title="fleet", detail=detail, fix=fix)


def _judged(found: FleetStatus, now: datetime) -> tuple[list[str], list[str]]:
    critical = [
        f"{each.name} expires on {day_shown(each.not_after)}"
        for each in found.certificates
        if each.not_after is not None and each.is_ending(now)
    ]
    critical += [f"{each.name} is revoked" for each in found.certificates if each.revoked]
    warnings = []
    failed = sum(1 for _, one in found.behind if one.state == "failed")
    if failed:
        warnings.append(f"{failed} refused by a device")
    late = sum(1 for _, one in found.behind if one.state != "failed" and one.wanted)
    if late:
        warnings.append(f"{late} behind")
    warnings += [f"{each.name}: renewal failed" for each in found.certificates if each.last_error]
    away = sum(1 for each in found.boxes if each.is_away(now))
    if away:
        warnings.append(f"{away} not seen for a day and a half")
    waiting = sum(1 for each in found.boxes if each.state == "waiting")
    if waiting:
        warnings.append(f"{waiting} waiting to be approved")
    down = sum(1 for each in found.members if each.state != "ok")
    if down:
        warnings.append(f"{down} of {len(found.members)} etcd members unhealthy")
    return critical, warnings
