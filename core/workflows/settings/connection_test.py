"""Tests a DNS provider completely (ST-24): credentials, zone, a random record, its propagation, its removal.

It uses the same name and the same steps as an order, so that a provider that passes here also works in an unattended run.
A permission for `_acme-challenge` alone is enough. Each failed step says what to fix.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable

from core.dns.authority import Authority
from core.dns.names import DNS01, validation_name
from core.dns.placement import Placement, RecordLocation, listed
from core.dns.propagation import Propagation, wanted_at
from core.dns.provider import ProviderKind
from core.dns.provider_pool import ProviderPool
from core.dns.writer import RecordWriter, Written
from core.errors import Cancelled, CertdeckError, PropagationTimeout, UsageError
from core.events import Failed, ProviderTested
from core.identifiers import parse_identifiers
from core.operations import DnsTest, DnsTestStep, Record, ServerView
from core.workflows.context import Context
from core.workflows.settings.dns import problems
from core.workflows.settings.providers import entries_of, require_entry, zones_at

STEPS = ("credentials", "zone", "write", "seen", "remove")


def test_provider(context: Context, name: str, domain: str | None) -> DnsTest:
    """Test an entry. A failure is a step of the result.

    Raises NotFound; UsageError if no domain is given or configured, or for an IP address; Cancelled, after removing the record.
    """
    entry = require_entry(context.config, name)
    if domain is None and not entry.zones:
        raise UsageError(
            f"{name} cannot be tested without a domain.",
            "The entry has no zone.",
            f"Give a domain: certdeck dns test {name} --domain example.com",
            details={"needs": "domain"},
        )
    (identifier, *_) = parse_identifiers([domain or entry.zones[0]])
    if identifier.type == "ip":
        raise UsageError(
            f"{identifier.value} cannot be validated through DNS.",
            "It is an address, and addresses have no TXT records.",
            "Give a domain. IP addresses are validated by http-01.",
        )
    wanted = identifier.value.removeprefix("*.")
    with entries_of(context, context.vault) as entries:
        return _Test(context, entries, name, wanted).run()


class _Test:
    """A running test."""

    def __init__(self, context: Context, entries: ProviderPool, name: str, domain: str) -> None:
        self._context = context
        self._entries = entries
        self._entry = require_entry(context.config, name)
        self._domain = domain
        dns01 = context.config.dns01
        self._propagation = Propagation(context.env.resolver, context.env.clock, dns01.resolvers)
        self._placement = Placement(self._entries, Authority(context.env.resolver, dns01.resolvers, context.cancel))
        self._writer = RecordWriter(context.paths, context.env, self._entries)
        value = urlsafe_b64encode(context.env.random.token_bytes(32)).rstrip(b"=").decode()
        self._record = Record(name=validation_name(DNS01, domain), type="TXT", value=value)
        self._placed: tuple[RecordLocation, ...] = ()
        self._written = Written("", ())
        self._servers: tuple[ServerView, ...] = ()
        self._steps: list[DnsTestStep] = []

    def run(self) -> DnsTest:
        is_ready = self._step("credentials", self._credentials) and self._step("zone", self._zone)
        if is_ready and self._step("write", self._write):
            try:
                self._step("seen", self._seen)
            finally:
                self._step("remove", self._remove)
        self._tell_failure()
        done = {step.id for step in self._steps}
        self._steps += [DnsTestStep(id=id, status="skip", detail="Not tested.") for id in STEPS if id not in done]
        return DnsTest(
            name=self._entry.name,
            domain=self._domain,
            zone=self._placed[0].zone if self._placed else "",
            record=self._record if self._placed else None,
            steps=tuple(self._steps),
            servers=self._servers,
        )

    def _tell_failure(self) -> None:
        """Report the step that failed, so that the log has the test as failed, not as done."""
        for step in self._steps:
            if step.status == "fail":
                what = f"The test of the DNS provider {self._entry.name} failed. {step.detail}"
                self._context.narrator.tell(Failed(code="dns-test-failed", what=what, why="", fix=step.fix))
                return

    def _step(self, id: str, work: Callable[[], tuple[str, str]]) -> bool:
        """Run one step, and record and report its result. Returns whether to continue."""
        clock = self._context.env.clock
        started = clock.monotonic()
        fix = ""
        try:
            status, detail = work()
        except Cancelled:
            raise
        except CertdeckError as exc:
            status, detail, fix = "fail", f"{exc.what} {exc.why}".strip(), exc.fix
        took = round((clock.monotonic() - started) * 1000)
        self._steps.append(DnsTestStep(id=id, status=status, detail=detail, fix=fix, milliseconds=took))
        self._context.narrator.tell(
            ProviderTested(provider=self._entry.name, step=id, status=status, detail=detail, milliseconds=took)
        )
        return status != "fail"

    def _credentials(self) -> tuple[str, str]:
        kind = self._entries.kind(self._entry.name)
        with self._entries.use(self._entry.name):
            self._look_at_settings(kind)
        zones = zones_at(self._entries, self._entry.name)
        if zones:
            return "pass", f"{kind.title} accepts the credentials. Zones: {listed(zones)}."
        return "pass", f"Complete. {kind.title} can be tested only by writing a record."

    def _look_at_settings(self, kind: ProviderKind) -> None:
        """Raise UsageError for settings in the configuration that `dns add` would refuse."""
        wrong = problems(self._context, self._entry, {})
        if wrong:
            raise UsageError(
                f"The entry {self._entry.name} is not valid.",
                "; ".join(f"{key}: {problem.removesuffix('.')}" for key, problem in wrong.items()) + ".",
                f"Correct it in [dns_providers.{self._entry.name}]. See `certdeck dns kinds {kind.name}` for its settings.",
            )

    def _zone(self) -> tuple[str, str]:
        self._placed = self._placement.place(self._entry.name, [self._record])
        placed = self._placed[0]
        led = "" if placed.txt.name == self._record.name else f", the CNAME target of {self._record.name}"
        zone = f"zone {placed.zone}" if placed.zone else "no separate zone"
        return "pass", f"{placed.txt.name}{led}: {zone}."

    def _write(self) -> tuple[str, str]:
        context = self._context
        self._written = self._writer.write(self._placed, "", context.narrator)
        return "pass", f"A TXT record was created at {self._placed[0].txt.name}."

    def _seen(self) -> tuple[str, str]:
        context = self._context
        wanted = [wanted_at(self._record, self._placed[0].txt.name)]
        try:
            views = self._propagation.wait(
                wanted,
                timeout_seconds=context.config.dns01.timeout_seconds,
                narrator=context.narrator,
                cancel=context.cancel,
            )
        except PropagationTimeout:
            self._servers = self._propagation.look(wanted, context.cancel)[0].servers
            raise
        self._servers = views[0].servers
        answering = [one for one in self._servers if one.answers]
        others = len(self._servers) - len(answering)
        left_out = f" {others} cannot be queried from here." if others else ""
        return "pass" if not left_out else "warn", f"{_count(len(answering))} the record.{left_out}"

    def _remove(self) -> tuple[str, str]:
        if self._writer.remove(self._written, self._context.narrator):
            return "pass", "The record was removed."
        return "warn", "The record could not be removed. The next run tries again."


def _count(servers: int) -> str:
    return "The name server has" if servers == 1 else f"All {servers} name servers have"
