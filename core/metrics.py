"""The state of the box in Prometheus's text exposition format (0.0.4). Pure.

Names follow its conventions: a common prefix, base units, times as seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from core.renewal_report import RenewalReport
from core.store.index import Facts
from core.version import VERSION

_OF_CERTIFICATES: tuple[tuple[str, str, Callable[[Facts], float]], ...] = (
    ("not_before_seconds", "When the live certificate becomes valid.", lambda facts: facts.not_before),
    ("not_after_seconds", "When the live certificate, or what is sent with it, expires.", lambda f: f.chain_not_after),
    ("renewal_failures", "Renewals in a row that failed.", lambda facts: facts.failures),
    ("failed", "Whether the last renewal or deployment failed.", lambda facts: facts.last_error is not None),
    ("revoked", "Whether the certificate is known to be revoked.", lambda facts: facts.revoked),
    ("on_fallback", "Whether the fallback certificate is served in its place.", lambda facts: facts.on_fallback),
)


def exposition(every: Sequence[Facts], report: RenewalReport, now: datetime, *, is_timer_active: bool) -> str:
    """Return the metrics after a run."""
    live = [facts for facts in every if facts.version is not None]
    labels = [f'{{name="{_escaped(facts.name)}"}}' for facts in live]
    lines: list[str] = []
    for name, help, value in _OF_CERTIFICATES:
        lines += _family(f"certificate_{name}", help, zip(labels, map(value, live), strict=True))
    stale = {(each.lineage, each.target) for each in report.warnings}
    served = [
        (f'{{name="{_escaped(facts.name)}",target="{_escaped(target)}"}}', (facts.name, target) not in stale)
        for facts in live
        for target in facts.targets
    ]
    lines += _family("target_deployed", "Whether the files of a target hold the live certificate.", served)
    lines += _family("last_run_timestamp_seconds", "When the last renewal run ended.", [("", now.timestamp())])
    lines += _family("last_run_success", "Whether nothing failed in the last renewal run.", [("", not report.failed)])
    lines += _family("timer_active", "Whether a timer starts the renewal run.", [("", is_timer_active)])
    lines += _family("build_info", "The version of certdeck.", [(f'{{version="{_escaped(VERSION)}"}}', 1)])
    return "\n".join(lines) + "\n"


def _family(name: str, help: str, samples: Iterable[tuple[str, float]]) -> Iterator[str]:
    yield f"# HELP certdeck_{name} {help}"
    yield f"# TYPE certdeck_{name} gauge"
    for labels, value in samples:
        yield f"certdeck_{name}{labels} {value:.0f}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
