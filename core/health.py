"""The problems of a certificate, determined in one place for the console, `status`, its JSON and `--check`. Pure.

`severity` is only about time; health adds everything else that prevents clients from being served, or the next renewal. Each
reason has a stable code and one short sentence. A new kind of problem is one more rule in `_RULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from core.dates import day_shown
from core.lineage_status import LineageStatus

if TYPE_CHECKING:
    from datetime import datetime

OK, WARNING, CRITICAL = "ok", "warning", "critical"
LEVELS = (OK, WARNING, CRITICAL)
"""From good to bad."""
NO_TIMER = "no-timer"
EXPIRES_SOON = "expires-soon"
TIMER_TOO_RARE = "timer-too-rare"
_DEPLOYMENT_ERRORS = frozenset(
    {"target-error", "stage-failed", "config-test-failed", "reload-failed", "probe-mismatch"}
)
_BY_SEVERITY = {"green": OK, "yellow": WARNING, "red": CRITICAL}


class Reason(NamedTuple):
    """One problem."""

    code: str
    """A stable kebab-case word."""
    level: str
    """`warning` or `critical`."""
    text: str
    """One sentence of plain text; may contain foreign data."""
    brief: str
    """The same in a few words, for one cell of a table; may contain foreign data."""


class Health(NamedTuple):
    """The worst level of all reasons, and the reasons, worst first."""

    level: str
    reasons: tuple[Reason, ...] = ()


def health(row: LineageStatus) -> Health:
    """Return the health of a certificate."""
    found = [reason for rule in _RULES for reason in rule(row)]
    if len(found) > 1:
        found.sort(key=lambda reason: -LEVELS.index(reason.level))
    return Health(found[0].level, tuple(found)) if found else Health(OK)


def foremost(judged: Health) -> Reason | None:
    """Return the most informative reason: the worst one, and failures before expiry.

    Expiry within weeks says less than the failure that prevents the renewal, and the timer affects every certificate alike.
    """
    for reason in judged.reasons:
        if reason.code not in (EXPIRES_SOON, NO_TIMER):
            return reason
    return judged.reasons[0] if judged.reasons else None


def _time(row: LineageStatus) -> Iterator[Reason]:
    if not row.sha256:
        yield Reason("no-certificate", CRITICAL, "There is no certificate yet.", "no certificate yet")
        return
    if not row.valid_yet:
        yield Reason("not-yet-valid", CRITICAL, f"It is not valid before {_day(row.not_before)}.", "not valid yet")
    # The severity of a certificate that is not valid yet is about its start, not about its expiry.
    level = _BY_SEVERITY[row.severity] if row.valid_yet else OK
    if row.chain_end:
        # The chain of an upload has to be replaced manually in time; a CA's own chain is replaced at the next renewal.
        if level != OK or not row.auto_renew:
            over = row.days_left is not None and row.days_left < 0
            verb = "ended" if over else "ends"
            text = f"{row.chain_end} in its chain {verb} on {_day(row.chain_not_after)}, before the certificate itself."
            worst = CRITICAL if over else max(level, WARNING, key=LEVELS.index)
            yield Reason("chain-ends-first", worst, text, "chain expired" if over else "chain ends first")
    elif row.days_left is not None and row.days_left < 0:
        yield Reason("expired", CRITICAL, f"It expired on {_day(row.not_after)}.", "expired")
    elif level != OK:
        yield Reason(EXPIRES_SOON, level, f"It expires on {_day(row.not_after)}.", "expires soon")


def _revoked(row: LineageStatus) -> Iterator[Reason]:
    if row.revoked:
        yield Reason("revoked", CRITICAL, "It is revoked: clients that check revocation reject it.", "revoked")


def _staging(row: LineageStatus) -> Iterator[Reason]:
    if row.is_staging:
        yield Reason(
            "staging", WARNING, "It was issued by a staging CA, which clients do not trust.", "from a staging CA"
        )


def _service(row: LineageStatus) -> Iterator[Reason]:
    if row.on_fallback:
        yield Reason("fallback-serves", CRITICAL, "The fallback certificate is served instead.", "fallback is served")
    for target in row.targets:
        if target.state == "failed":
            yield Reason(
                "deployment-failed",
                CRITICAL,
                f"The last deployment to {target.name} failed.",
                "deploy failed",
            )
        elif target.state == "stale" and not row.on_fallback:
            yield Reason(
                "not-served", WARNING, f"{target.name} serves another certificate.", f"{target.name} serves another"
            )
    if row.waiting_version is not None:
        yield Reason(
            "not-deployed",
            WARNING,
            f"Version {row.waiting_version} is not deployed yet.",
            f"version {row.waiting_version} not deployed",
        )


def _renewal(row: LineageStatus) -> Iterator[Reason]:
    if row.last_error is not None:
        code = row.last_error.get("code")
        if code not in _DEPLOYMENT_ERRORS:
            yield Reason(
                "renewal-failed",
                WARNING,
                f"The last renewal failed ({code}).",
                f"failed {row.failures}×" if row.failures > 1 else "renewal failed",
            )
        elif not any(target.state == "failed" for target in row.targets):
            yield Reason("deployment-failed", WARNING, f"The last deployment failed ({code}).", "deploy failed")
    if row.open_order:
        yield Reason("order-open", WARNING, "It has an open order.", "order is open")
    if row.wanted:
        names = ", ".join(_WORDS.get(key, key) for key in row.wanted)
        text = f"Its settings have changed since it was ordered: {names}."
        yield Reason("settings-differ", WARNING, text, "settings changed")


def _timer(row: LineageStatus) -> Iterator[Reason]:
    if not row.auto_renew or row.renew_why in ("by hand", "off"):
        return
    if row.timer != "active":
        words = f"It is not renewed automatically: the timer {_TIMERS[row.timer]}."
        yield Reason(NO_TIMER, WARNING, words, WITHOUT_TIMER[row.timer])
    elif row.too_rare:
        yield Reason(TIMER_TOO_RARE, WARNING, row.too_rare, "timer runs too rarely")


_TIMERS = {"off": "is switched off", "absent": "is not set", "failed": "is not running"}
WITHOUT_TIMER = {"off": "timer off", "absent": "no timer", "failed": "timer not running"}
"""State of the timer → why nothing renews, in two or three words."""
_WORDS = {"domains": "names", "key_type": "key type"}
_RULES: tuple[Callable[[LineageStatus], Iterator[Reason]], ...] = (
    _revoked,
    _time,
    _staging,
    _service,
    _renewal,
    _timer,
)


def _day(moment: datetime | None) -> str:
    return day_shown(moment) if moment is not None else "an unknown day"
