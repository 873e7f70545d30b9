"""Checks of the issuer: whether it responds, what is missing for an account there, its clock, and its rate limits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

from msgspec.structs import replace

from core.dates import minute_shown
from core.errors import CertdeckError, DirectoryUnreachable
from core.operations import Finding, IssuerTest
from core.store.accounts import load_account
from core.workflows.context import Context
from core.workflows.doctoring.running import NoAnswer, failed
from core.workflows.issuing.plan import Plan


class Asked:
    """The issuer's directory, fetched once for all checks. Thread-safe."""

    def __init__(self, context: Context, name: str, wanted: Plan | None) -> None:
        self._context = context
        self._name = name
        self._wanted = wanted
        self._lock = threading.Lock()
        self._said: IssuerTest | CertdeckError | None = None

    def directory(self) -> IssuerTest:
        """Return the result of `ask_issuer`. Raises its errors, on every call."""
        from core.workflows.settings.issuers import ask_issuer

        with self._lock:
            if self._said is None:
                wanted = self._wanted
                try:
                    self._said = ask_issuer(
                        self._context,
                        self._name,
                        agree_tos=bool(wanted and wanted.agree_tos),
                        email=wanted.email if wanted else None,
                    )
                except CertdeckError as exc:
                    self._said = exc
            if isinstance(self._said, CertdeckError):
                raise self._said
            return self._said

    def caa_identities(self) -> tuple[str, ...]:
        """Return the issuer's names in CAA records. Empty if it does not publish them, or does not respond."""
        try:
            return self.directory().caa_identities
        except CertdeckError:
            return ()


def directory(context: Context, asked: Asked, name: str, wanted: Plan | None) -> Iterator[Finding]:
    """Ask the issuer, and yield what is missing for an account there. Raises NoAnswer.

    Without a plan, missing things are only warnings: an order may still supply agreement and email address.
    """
    from core.workflows.issuing.acquire import CLOCKS_DIFFER
    from core.workflows.issuing.plan import issuer_named

    if issuer_named(context.config, name).kind != "acme":
        yield Finding(id="directory", status="pass", title="Issuer", detail=f"{name}: on this box, no network needed")
        return
    try:
        said = asked.directory()
    except DirectoryUnreachable as exc:
        raise NoAnswer(failed("directory", "Issuer", exc)) from exc
    except CertdeckError as exc:
        yield failed("directory", "Issuer", exc)
        return
    yield Finding(id="directory", status="pass", title="Issuer", detail=f"{name} responds in {said.milliseconds} ms")
    for finding in said.missing:
        yield finding if wanted is not None else replace(finding, status="warn")
    yield from _changed_terms(context, name, said)
    skew = said.clock_skew_seconds
    if skew is not None and abs(skew) > CLOCKS_DIFFER.total_seconds():
        direction = "ahead of" if skew > 0 else "behind"
        yield Finding(
            id="clock-skew",
            status="fail",
            title="Clock",
            detail=f"is {abs(skew)} s {direction} the issuer's",
            fix="Turn time synchronization on: with a wrong clock, valid certificates appear invalid.",
        )


def _changed_terms(context: Context, name: str, said: IssuerTest) -> Iterator[Finding]:
    """Yield a finding if the terms of service have changed since the account agreed to them (RFC 8555 §7.3.3)."""
    record = load_account(context.paths, name, said.directory)
    if record is None or record.url is None or not record.terms or record.terms == said.terms_of_service:
        return
    yield Finding(
        id="terms-changed",
        status="warn",
        title="Terms of service",
        detail=f"{name} has new terms: {said.terms_of_service or 'none'}",
        why=f"The account on this box accepted {record.terms}. Some CAs refuse orders until the new terms are accepted.",
        fix=f"Read them. If {name} refuses an order for that reason, open the URL in its message.",
    )


def budget(context: Context, wanted: Plan) -> Iterator[Finding]:
    """Yield the rate limit that blocks an order: one that the issuer reported, or one that this box counts. Sends no request."""
    from core.rate_limits import ORDERING, WHAT, believable, closed
    from core.store import limits
    from core.store.accounts import account_id
    from core.workflows.issuing.budget_findings import budget_findings

    now = context.env.clock.now().timestamp()
    account = account_id(wanted.issuer.name, wanted.issuer.directory or "")
    limit = closed(believable(limits.load(context.paths), now), account, ORDERING, wanted.names, now)
    if limit is None:
        counted = list(budget_findings(context, wanted))
        yield from counted
        if counted:
            return
        yield Finding(
            id="budget",
            status="pass",
            title="Rate limits",
            detail=f"{wanted.issuer.name} has not reported a rate limit that blocks this order",
        )
        return
    until = datetime.fromtimestamp(limit.until, UTC)
    yield Finding(
        id="budget",
        status="fail",
        title="Rate limits",
        detail=f"{wanted.issuer.name} {WHAT.get(limit.kind, 'refuses requests')} until {minute_shown(until)}",
        why=f'Its message: "{limit.said}".' if limit.said else "",
        fix="Wait until then, test with --staging, or order from another CA with --issuer.",
    )
