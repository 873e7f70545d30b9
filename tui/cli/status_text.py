"""The text of `certdeck status`: the table, one certificate in full (ST-42..49), and the monitoring line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from core.health import CRITICAL, EXPIRES_SOON, LEVELS, NO_TIMER, OK, WARNING, Health, health
from tui.cli import exits
from tui.cli.output import Stream
from tui.cli.plain import error_lines
from tui.cli.tables import labelled, table
from tui.cli.unmanaged_text import unmanaged_lines, unmanaged_told
from tui.cli.waiting_text import order_line, request_line, unlisted, waiting_lines
from tui.glyphs import printable
from tui.wording import text
from tui.wording.facts import certificate_facts, chain_note
from tui.wording.state import counted, standing_of
from tui.wording.timer import timer_shown

if TYPE_CHECKING:
    from core.operations import Finding, LineageStatus, OpenOrder, Status, TargetState
    from core.summary import Summary
    from core.upload.values import SigningRequest

_SAID_BY_DAYS: Final = frozenset({EXPIRES_SOON, "expired", "no-certificate"})
_SHOWN_ANYWAY: Final = _SAID_BY_DAYS | frozenset(
    {
        NO_TIMER,
        "renewal-failed",
        "deployment-failed",
        "not-served",
        "order-open",
    }
)
"""Reasons that the table already shows in its columns or on a separate line."""
_NONE: Final = "–"


def status_lines(
    status: Status, stream: Stream, orders: Sequence[OpenOrder] = (), requests: Sequence[SigningRequest] = ()
) -> Iterator[str]:
    """Yield the overview: the box and its timer, a line for each certificate (urgent ones first), a summary, and open orders.

    `orders` and `requests`: the open ones.
    """
    names = f"{printable(status.appliance)} · {printable(status.hostname)}"
    yield f"{stream.painted(names, 'bold')} · {timer_shown(status.timer, status.time)}"
    for sentence in (status.clock_doubt, *status.void_times):
        if sentence:
            yield stream.painted(printable(sentence), "yellow")
    if not status.lineages:
        yield ""
        yield "There is no certificate yet. `certdeck first-boot` creates a self-signed one; `certdeck issue` orders a trusted one."
    else:
        judged = [(lineage, health(lineage)) for lineage in status.lineages]
        judged.sort(key=lambda each: (-LEVELS.index(each[1].level), each[0].name))
        head, *rows = table(
            ["NAME", "NAMES", "ISSUER", "LEFT", "RENEWS", "SERVED BY"],
            [_row(lineage, status.time) for lineage, _ in judged],
        )
        colours = {level: text.colour_of(Health(level)) for level in LEVELS}
        marks = {level: stream.painted(text.MARKS[colour].glyph, colour) for level, colour in colours.items()}
        yield ""
        yield stream.painted(f"   {head}", "dim")
        for (lineage, its), row in zip(judged, rows, strict=True):
            yield f"{marks[its.level]}  {row}"
            if lineage.last_error:
                yield f"   {stream.painted(_failure(lineage.last_error), 'dim')}"
            for reason in its.reasons:
                if reason.code not in _SHOWN_ANYWAY:
                    yield f"   {stream.painted(printable(reason.text), 'dim')}"
        yield ""
        yield _sum(judged)
    yield from waiting_lines(status, orders, requests, stream)
    yield from unmanaged_lines(status.unmanaged, stream)
    for sentence in status.other_clients:
        yield stream.painted(printable(sentence), "yellow")
    if status.never_backed_up:
        yield stream.painted(f"{text.NEVER_BACKED_UP} {text.BACK_UP}", "yellow")


def problem_lines(status: Status, stream: Stream) -> Iterator[str]:
    """Yield the errors of unreadable certificates: what, why and fix."""
    for problem in status.problems:
        yield from error_lines(problem, stream, about=problem.lineage or "certdeck")


def _failure(error: Mapping[str, object]) -> str:
    said = " ".join(str(error[key]) for key in ("what", "why") if error.get(key))
    when = _at(error)
    return f"the last attempt failed{when and f' on {when}'}: {printable(said)}"


def _at(error: Mapping[str, object]) -> str:
    """Return the time of an error as text. An invalid time is shown unchanged."""
    at = str(error.get("at") or "")
    try:
        return text.moment(datetime.fromisoformat(at)) if at else ""
    except ValueError:
        return printable(at)


def _row(lineage: LineageStatus, now: datetime) -> list[str]:
    served = ", ".join(map(_target_short, lineage.targets))
    return [
        printable(lineage.name),
        text.names_shown(lineage.domains),
        text.issuer_shown(lineage),
        text.short_left(lineage, now),
        text.renewal_shown(lineage, now).removeprefix("renews "),
        served or _NONE,
    ]


def _target_short(target: TargetState) -> str:
    sign = "" if target.state == "deployed" else f"{text.MARKS[target.state].glyph} "
    return f"{sign}{printable(target.name)}"


def _sum(judged: Sequence[tuple[LineageStatus, Health]]) -> str:
    counts = counted(standing_of(lineage, judged=its) for lineage, its in judged)
    return ", ".join(f"{count:,} {standing.counted(count)}" for standing, count in counts)


# -- one certificate ---------------------------------------------------------------------------------------------------


def lineages_lines(
    status: Status, stream: Stream, orders: Sequence[OpenOrder] = (), requests: Sequence[SigningRequest] = ()
) -> Iterator[str]:
    """Yield each certificate in full, separated by empty lines, with its order that waits for manual records.

    `orders`: those of these lineages, also of one without certificate and settings. `requests`: those with the same names.
    """
    from tui.cli.records_text import order_lines

    waiting = {order.name: order for order in orders if order.is_manual}
    parts = [lineage_lines(lineage, status.time, stream) for lineage in status.lineages]
    for lineage in status.lineages:
        if lineage.name in waiting:
            parts.append(order_lines(waiting.pop(lineage.name), status.time, stream))
    parts += [order_lines(order, status.time, stream) for order in waiting.values()]
    parts += [iter((order_line(order, stream),)) for order in unlisted(status, orders)]
    parts += [iter((request_line(request),)) for request in requests]
    for number, lines in enumerate(parts):
        if number:
            yield ""
        yield from lines


def lineage_lines(lineage: LineageStatus, now: datetime, stream: Stream) -> Iterator[str]:
    """Yield every field of one certificate."""
    severity = text.severity_of(lineage)
    mark = text.MARKS[severity]
    yield stream.painted(printable(lineage.name), "bold")
    state = f"{stream.painted(mark.glyph, severity)} {text.days_left(lineage, now)}, {text.renewal_shown(lineage, now)}"
    reasons = [printable(reason.text) for reason in health(lineage).reasons if reason.code not in _SAID_BY_DAYS]
    pairs: list[tuple[str, str]] = [("State", "\n".join([state, *reasons])), *certificate_facts(lineage, "Names")]
    if lineage.sha256:
        pairs += _certificate(lineage)
    pairs += [
        *certificate_facts(lineage, "Method"),
        ("Renews", f"{text.renewal_shown(lineage, now).removeprefix('renews ')} ({text.renewal_why(lineage)})"),
        *certificate_facts(lineage, "Auto-renew", "Fix", "Version"),
    ]
    if lineage.waiting_version is not None:
        pairs.append(("Waiting", f"version {lineage.waiting_version} is issued but not deployed yet"))
    if lineage.newer_version is not None:
        again = f"certdeck deploy {printable(lineage.name)} --version {lineage.newer_version}"
        pairs.append(("Newer", f"version {lineage.newer_version} was rolled back; `{again}` deploys it again"))
    if lineage.open_order:
        pairs.append(("Order", f"open: `certdeck complete {printable(lineage.name)}` continues it"))
    if lineage.wanted:
        pairs.append(("Wanted", "\n".join(_wanted(lineage.wanted))))
    pairs.append(("Served by", "\n".join(_target_long(target, stream) for target in lineage.targets) or _NONE))
    if lineage.last_error:
        pairs.append(("Last error", "\n".join(_last_error(lineage))))
    yield from labelled(pairs)


def _certificate(lineage: LineageStatus) -> list[tuple[str, str]]:
    whole = (
        "Subject",
        "Issuer",
        "CA",
        "Valid from",
        "Valid to",
        "Chain to",
        "Self-signed",
        "Chain",
        "Key",
        "Serial",
        "SHA-256",
    )
    pairs = certificate_facts(lineage, *whole, "Profile")
    note = chain_note(lineage)
    if not note:
        return list(pairs)
    told = f": {note}. Otherwise import it with its --chain FILE or --fetch-chain"
    return [(label, value + told) if label == "Chain" else (label, value) for label, value in pairs]


def _wanted(wanted: Mapping[str, object]) -> Iterator[str]:
    """Yield the settings that differ from those of the live certificate. The next run orders them."""
    for key, value in wanted.items():
        if key == "domains" and isinstance(value, list):
            yield f"names {', '.join(text.name_shown(str(each)) for each in value)}"
        else:
            yield f"{key.replace('_', ' ')} {printable(str(value)) or 'of the CA'}"


def _target_long(target: TargetState, stream: Stream) -> str:
    mark = text.MARKS[target.state]
    why = printable(target.why) if target.why else mark.word
    return f"{stream.painted(mark.glyph, _colour(target.state))} {printable(target.name)}: {why}"


def _colour(state: str) -> str:
    return {"deployed": "green", "stale": "yellow", "failed": "red"}.get(state, "dim")


def _last_error(lineage: LineageStatus) -> Iterator[str]:
    error = lineage.last_error or {}
    for key in ("what", "why", "fix"):
        if error.get(key):
            yield printable(str(error[key]))
    when = _at(error)
    if when:
        yield f"on {when}"


# -- monitoring --------------------------------------------------------------------------------------------------------


def check_line(summary: Summary, stored: Sequence[Finding] = ()) -> tuple[int, str]:
    """Return the exit status and the line of `status --check`, in the format of monitoring plugins.

    The worst health of all certificates decides. An unreadable certificate is critical. A timer that is absent, off or failed, a
    clock in doubt, and an unmanaged certificate that ends soon are warnings. `stored`: findings of the daily check of the store.
    """
    unlisted = summary.unlisted
    counts = {exits.OK: unlisted.ok, exits.WARNING: unlisted.warning, exits.CRITICAL: len(summary.problems)}
    told: dict[int, list[str]] = {exits.WARNING: [], exits.CRITICAL: []}
    for lineage in summary.lineages:
        judged = health(lineage)
        level = _EXITS[judged.level]
        counts[level] += 1
        # The timer is reported once, not with every certificate.
        codes = [reason.code for reason in judged.reasons if reason.code != NO_TIMER]
        told[level].append(_told(lineage, codes, summary.time))
    for problem in summary.problems:
        told[exits.CRITICAL].append(f"{printable(problem.lineage or 'state')}: {printable(problem.code)}")
    worst = max((level for level, count in counts.items() if count), default=exits.OK)
    for finding in stored:
        level = exits.CRITICAL if finding.status == "fail" else exits.WARNING
        told[level].append(f"{printable(finding.title)}: {printable(finding.detail).rstrip('.')}")
        worst = max(worst, level)
    for said in unmanaged_told(summary.unmanaged):
        told[exits.WARNING].append(said)
        worst = max(worst, exits.WARNING)
    if summary.timer != "active":
        trouble = summary.timer_trouble or _TIMER[summary.timer]
        told[exits.WARNING].append(f"timer: {printable(trouble).rstrip('.')}")
        worst = max(worst, exits.WARNING)
    if summary.clock_doubt:
        told[exits.WARNING].append(f"clock: {printable(summary.clock_doubt).rstrip('.')}")
        worst = max(worst, exits.WARNING)
    word = {exits.OK: "OK", exits.WARNING: "WARNING", exits.CRITICAL: "CRITICAL"}[worst]
    healthy = counts[exits.OK]
    few = _few([*told[exits.CRITICAL], *told[exits.WARNING]])
    shown = [*few, f"{text.plural(healthy, 'certificate')} healthy" if healthy or few else "no certificates"]
    return worst, f"CERTDECK {word} - {'; '.join(shown).replace('|', '/')} | {_performance(summary, counts)}"


def _told(lineage: LineageStatus, codes: Sequence[str], now: datetime) -> str:
    """Return a certificate's problems in a few words: `mail: 3 days left, deployment-failed on nginx`."""
    failed = [printable(target.name) for target in lineage.targets if target.state == "failed"]
    stale = [printable(target.name) for target in lineage.targets if target.state == "stale"]
    on = {"deployment-failed": failed, "not-served": stale}
    said = [
        f"{code} on {', '.join(on[code])}" if on.get(code) else code
        for code in dict.fromkeys(codes)
        if code not in _SAID_BY_DAYS
    ]
    if "renewal-failed" in said and lineage.last_error:
        said[said.index("renewal-failed")] = f"renewal-failed ({printable(str(lineage.last_error.get('code', '')))})"
    return f"{printable(lineage.name)}: {', '.join([text.days_left(lineage, now), *said])}"


def _few(told: list[str], most: int = 5) -> list[str]:
    return told if len(told) <= most else [*told[:most], f"and {len(told) - most} more"]


_EXITS: Final = {OK: exits.OK, WARNING: exits.WARNING, CRITICAL: exits.CRITICAL}
_TIMER: Final = {
    "off": "switched off",
    "absent": "not set; set it with certdeck schedule on",
    "failed": "is not running",
}


def _performance(summary: Summary, counts: Mapping[int, int]) -> str:
    days = [lineage.days_left for lineage in summary.lineages if lineage.days_left is not None]
    if summary.unlisted.days_left is not None:
        days.append(summary.unlisted.days_left)
    counted = f"ok={counts[exits.OK]} warning={counts[exits.WARNING]} critical={counts[exits.CRITICAL]}"
    return f"{counted} min_days_left={min(days)}" if days else counted
