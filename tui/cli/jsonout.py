"""The JSON of every command, field by field. Times are RFC 3339 in UTC with `Z`.

Values are not made printable: ASCII with JSON's escapes contains no control characters.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import CertdeckError
from core.health import health

if TYPE_CHECKING:
    from core.events import Warned
    from core.lineage_status import Unmanaged
    from core.operations import (
        Deployment,
        DnsTest,
        Finding,
        Issued,
        LineageStatus,
        Listening,
        LogEntry,
        OpenOrder,
        Outside,
        Pending,
        Record,
        RecordView,
        RenewalReport,
        ServerView,
        Status,
        TargetState,
        TimerState,
    )
    from core.upload.values import SigningRequest


def dumped(value: Mapping[str, object]) -> str:
    """Return a JSON object as one line, with a newline."""
    return json.dumps(value, default=_plain) + "\n"


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Path):
        return str(value)
    return str(value)


def rfc3339(moment: datetime) -> str:
    """Return `2026-11-21T04:02:00Z`; fractions are dropped."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return f"{utc.isoformat()[:19]}Z"


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


def error_json(error: CertdeckError) -> dict[str, object]:
    """Return the value of `error`, with `details`, `lineage` and `retry_at` only if there are any."""
    found: dict[str, object] = {"code": error.code, "what": error.what, "why": error.why, "fix": error.fix}
    if error.lineage:
        found["lineage"] = error.lineage
    if error.retry_at:
        found["retry_at"] = rfc3339(error.retry_at)
    if error.details:
        found["details"] = dict(error.details)
    return found


def warnings_json(value: Mapping[str, object], warnings: Sequence[Warned]) -> dict[str, object]:
    """Return `warnings` for the result `value` of an operation: its own, then those of the work. Empty: there are none."""
    own = value.get("warnings", ())
    assert isinstance(own, Sequence)
    found = [*own, *({"code": each.code, "what": each.what, "fix": each.fix} for each in warnings)]
    return {"warnings": found} if found else {}


def status_json(
    status: Status, orders: Sequence[OpenOrder] = (), requests: Sequence[SigningRequest] = ()
) -> dict[str, object]:
    """Return `status --json`. Rare keys (`open_orders`, `problems`, `other_clients` …) appear only if they apply."""
    found: dict[str, object] = {
        "version": status.version,
        "time": rfc3339(status.time),
        "certificates": [certificate_json(lineage) for lineage in status.lineages],
        "timer": timer_json(status.timer),
        "unmanaged": unmanaged_json(status.unmanaged),
    }
    if orders:
        found["open_orders"] = [order_json(order) for order in orders]
    if requests:
        found["requests"] = [request_json(request) for request in requests]
    if status.problems:
        found["problems"] = [error_json(problem) for problem in status.problems]
    if status.clock_doubt:
        found["clock"] = {"in_doubt": True, "why": status.clock_doubt}
    if status.void_times:
        found["void_times"] = list(status.void_times)
    if status.other_clients:
        found["other_clients"] = list(status.other_clients)
    if status.never_backed_up:
        from tui.wording import text

        found["warnings"] = [{"code": "no-backup", "what": text.NEVER_BACKED_UP, "fix": text.BACK_UP}]
    return found


def timer_json(timer: TimerState) -> dict[str, object]:
    """Return `timer` of `status --json`: the state of the timer for the scheduled run."""
    return {
        "state": timer.word,
        "last_run": _time(timer.last_run),
        "next_run": _time(timer.next_run),
        "next_run_by": _time(timer.next_run_by),
    }


def unmanaged_json(found: Sequence[Unmanaged]) -> list[dict[str, object]]:
    """Return `unmanaged` of `status --json`: certificates of other origin, from the last detection of services."""
    return [
        {
            "kind": each.kind,
            "title": each.title,
            "address": each.address,
            "sha256": each.sha256,
            "subject": each.subject,
            "not_after": rfc3339(each.not_after),
            "days_left": each.days_left,
            "severity": each.severity,
            "seen": rfc3339(each.seen),
        }
        for each in found
    ]


def request_json(request: SigningRequest) -> dict[str, object]:
    """Return an open signing request as in `csr --json`."""
    return {
        "name": request.name,
        "domains": list(request.domains),
        "key_type": request.key_type,
        "subject": request.subject,
        "created": rfc3339(request.created),
        "csr": request.pem,
        "advice": list(request.advice),
    }


def certificate_json(lineage: LineageStatus) -> dict[str, object]:
    """Return one certificate as in `status --json`."""
    judged = health(lineage)
    return {
        "name": lineage.name,
        "domains": list(lineage.domains),
        "subject": lineage.subject,
        "issuer": lineage.issuer,
        "serial": lineage.serial,
        "not_before": _time(lineage.not_before),
        "not_after": _time(lineage.not_after),
        "days_left": lineage.days_left,
        "severity": lineage.severity,
        "self_signed": lineage.self_signed,
        "chain": lineage.chain,
        "sha256": lineage.sha256,
        "key_type": lineage.key_type,
        "method": lineage.method,
        "ca": lineage.ca,
        "auto_renew": lineage.auto_renew,
        "renew_at": _time(lineage.renew_at),
        "last_error": None if lineage.last_error is None else dict(lineage.last_error),
        "targets": [target_json(target) for target in lineage.targets],
        "health": judged.level,
        "reasons": [{"code": reason.code, "text": reason.text} for reason in judged.reasons],
        "chain_not_after": _time(lineage.chain_not_after),
        "wanted": dict(lineage.wanted) or None,
        "open_order": lineage.open_order,
        **({} if lineage.newer_version is None else {"newer_version": lineage.newer_version}),
    }


def target_json(target: TargetState) -> dict[str, object]:
    """Return a target as in `status --json`."""
    found: dict[str, object] = {
        "name": target.name,
        "state": target.state,
        "served_sha256": target.served_sha256,
        "listeners": [
            {"address": each.address, "state": each.state, "served_sha256": each.served_sha256}
            for each in target.listeners
        ],
    }
    if target.outside is not None:
        found["outside"] = outside_json(target.outside)
    return found


def outside_json(outside: Outside) -> dict[str, object]:
    """Return the certificate that another program wrote to a target's path."""
    return {**fields(outside), "not_before": rfc3339(outside.not_before), "not_after": rfc3339(outside.not_after)}


def renewal_json(report: RenewalReport, *, dry_run: bool) -> dict[str, object]:
    """Return `--renew --json`, with `due` only for --dry-run and `warnings` only if there are any."""
    found: dict[str, object] = {
        "renewed": list(report.renewed),
        "skipped": [{"name": skipped.name, "why": skipped.why} for skipped in report.skipped],
        "failed": [{"name": failed.name, "error": error_json(failed.error)} for failed in report.failed],
    }
    if dry_run:
        found["due"] = list(report.due)
    if report.warnings:
        found["warnings"] = [{"code": each.code, "what": each.what, "fix": each.fix} for each in report.warnings]
    return found


def issue_json(outcome: Issued | Pending) -> dict[str, object]:
    """Return `issue --json` and `complete --json`, with `expires`, `seen`, `reused` and `rehearsed_only` only if they apply."""
    from core.operations import Pending

    if isinstance(outcome, Pending):
        pending: dict[str, object] = {
            "name": outcome.name,
            "state": "pending",
            "records": [record_json(record) for record in outcome.records],
            "certificate": None,
        }
        if outcome.expires is not None:
            pending["expires"] = rfc3339(outcome.expires)
        if outcome.views:
            pending["seen"] = [view_json(view) for view in outcome.views]
        return pending
    found: dict[str, object] = {
        "name": outcome.status.name,
        "state": "issued",
        "records": [],
        "certificate": certificate_json(outcome.status),
    }
    if outcome.reused:
        found["reused"] = True
    if outcome.rehearsed_only:
        found["rehearsed_only"] = True
    return found


def deployment_json(deployment: Deployment) -> dict[str, object]:
    """Return `deploy --json` and `rollback --json`."""
    targets = [target_json(target) for target in deployment.targets]
    return {"name": deployment.name, "version": deployment.version, "targets": targets}


def findings_json(findings: tuple[Finding, ...]) -> dict[str, object]:
    """Return `doctor --json` and `target test --json`."""
    return {
        "ok": not any(finding.status == "fail" for finding in findings),
        "findings": [fields(finding) for finding in findings],
    }


def listening_json(listening: Listening) -> dict[str, object]:
    """Return `doctor --listen --json`."""
    return {
        "address": listening.address,
        "port": listening.port,
        "webroot": listening.webroot,
        "path": listening.path,
        "requests": [
            {
                "time": rfc3339(each.at),
                "address": each.address,
                "host": each.host,
                "path": each.path,
                "found": each.is_found,
            }
            for each in listening.visits
        ],
        "count": listening.count,
    }


def dns_test_json(test: DnsTest) -> dict[str, object]:
    """Return `dns test --json`."""
    return {
        "name": test.name,
        "domain": test.domain,
        "zone": test.zone,
        "record": None if test.record is None else record_json(test.record),
        "ok": test.is_good,
        "steps": [fields(step) for step in test.steps],
        "servers": [server_json(one) for one in test.servers],
    }


def record_json(record: Record) -> dict[str, object]:
    """Return a DNS record to set."""
    return {"name": record.name, "type": record.type, "value": record.value}


def server_json(one: ServerView) -> dict[str, object]:
    """Return the answer of one name server."""
    return {"server": one.server, "address": one.address, "state": one.state, "milliseconds": one.milliseconds}


def view_json(view: RecordView) -> dict[str, object]:
    """Return which name servers have a record. `written_at`: the name to create it at, which differs because of a CNAME."""
    return {
        "name": view.record.name,
        "value": view.record.value,
        "written_at": view.written_at,
        "zone": view.zone,
        "seen": view.is_seen,
        "problem": view.problem,
        "servers": [server_json(one) for one in view.servers],
    }


def order_json(order: OpenOrder) -> dict[str, object]:
    """Return an open order, as in `status --json`."""
    return {
        "name": order.name,
        "issuer": order.issuer,
        "challenge": order.challenge,
        "domains": list(order.identifiers),
        "by_hand": order.is_manual,
        "records": [record_json(record) for record in order.records],
        "created": rfc3339(order.created),
        "expires": _time(order.expires),
    }


def log_json(entries: tuple[LogEntry, ...]) -> dict[str, object]:
    """Return `log --json`, newest first."""
    return {"entries": [{"time": rfc3339(entry.at), **entry.values()} for entry in entries]}


def fields(value: Any) -> dict[str, object]:
    """Return the fields of a flat value object, for JSON."""
    from msgspec.structs import asdict

    return asdict(value)
