"""An engine that only remembers: the interface of core.engine.Engine over values, with a fixed clock and scripted events.

engine = FakeEngine()                      # seven certificates, see tests/support/lineages.py
engine.fails["issue"] = TermsNotAgreed(…)  # that operation raises from now on; a list is used up one by one
engine.before_event = lambda event: …      # called in the working thread before each event: wait there, or cancel
engine.calls                               # what was asked, in order: ("issue", {"request": …})
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from core.chain_links import ChainLink, ChainView
from core.config.model import Appliance, Config, TargetConfig
from core.engine import ignore
from core.errors import CertdeckError, NotFound
from core.events import (
    Event,
    Failed,
    Narrator,
    Progressed,
    Reporter,
    RunFinished,
    RunStarted,
    VersionStored,
    VersionSwitched,
)
from core.operations import (
    AccountInfo,
    Deleted,
    Deployment,
    Exported,
    FailedLineage,
    Finding,
    FirstBoot,
    Issued,
    IssueRequest,
    KindInfo,
    LineageStatus,
    LogEntry,
    PemView,
    Pending,
    RenewalReport,
    Skipped,
    Status,
    TargetInfo,
    TargetState,
    TimerState,
)
from core.paths import Paths
from core.ports import CancelToken
from core.summary import Summary, summary_of
from core.vault_moves import VaultMoved
from core.version import VERSION
from tests.support.clock import FakeClock
from tests.support.engine_answers import EngineAnswers
from tests.support.fake_accounts import FakeAccounts
from tests.support.fake_adopting import FakeAdopting
from tests.support.fake_archives import FakeArchives
from tests.support.fake_detect import FakeDetecting
from tests.support.fake_dns import FakeDns
from tests.support.fake_doctor import FakeDoctor
from tests.support.fake_fleet import FakeFleet
from tests.support.fake_issuers import FakeIssuers
from tests.support.fake_keeping import FakeKeeping
from tests.support.fake_lineage_settings import FakeLineageSettings
from tests.support.fake_notifications import FakeNotifications
from tests.support.fake_schedule import FakeSchedule
from tests.support.fake_uploads import FakeUploads
from tests.support.front_end_world import front_end_world
from tests.support.lineages import NEXT_RUN, NOW, fingerprint, lineage, many, seven
from tests.support.showcase import (
    ACCOUNT,
    FINDINGS,
    HISTORY,
    PEM,
    RUN,
    TARGETS,
    deploy_events,
    issue_events,
    rehearsal_events,
    skip_reason,
)


class FakeEngine(
    FakeIssuers,
    FakeDoctor,
    FakeLineageSettings,
    FakeDns,
    FakeUploads,
    FakeSchedule,
    FakeDetecting,
    FakeKeeping,
    FakeAccounts,
    FakeNotifications,
    FakeArchives,
    FakeAdopting,
    FakeFleet,
    EngineAnswers,
):
    """Engine's double. Changes what it shows as the real one would, and writes nothing."""

    def __init__(self, lineages: Iterable[LineageStatus] | None = None, *, home: Path = Path("/nowhere")) -> None:
        self.clock = FakeClock(NOW)
        self.paths = Paths(home / "etc", home / "state", home / "run", home / "log")
        self.env = front_end_world(self.clock)
        self.lineages = list(seven() if lineages is None else lineages)
        self.timer = TimerState(state="on", next_run=NEXT_RUN, last_run=NOW - timedelta(hours=1), last_outcome="done")
        self.settings = Config(appliance=Appliance(name="Acme Box", hostname="box.example.com"))
        self.problems: tuple[CertdeckError, ...] = ()
        self.entries: list[LogEntry] = []
        self.findings: tuple[Finding, ...] = FINDINGS
        self.request_findings: tuple[Finding, ...] = ()
        self.known_targets: list[TargetInfo] = list(TARGETS)
        self.known_accounts: tuple[AccountInfo, ...] = (ACCOUNT,)
        self.stored: tuple[Finding, ...] = ()
        """What the daily look has found."""
        self.altered: str | None = None
        """What verify_log says."""
        self.fails: dict[str, CertdeckError | BaseException | list[CertdeckError | BaseException]] = {}
        """Method → what it raises, always or one by one; for renew, also lineage → its failure."""
        self.renewal: RenewalReport | None = None
        """What renew returns, when not worked out from the lineages."""
        self.pending = False
        """Let issue and complete return Pending; tests.support.fake_dns says what name servers find."""
        self.answers: dict[str, Any] = {}
        """Operation without a method here → what it returns (`engine_answers`)."""
        self.before_event: Callable[[Event], None] = lambda event: None
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._stamp = 0

    @classmethod
    def with_lineages(cls, count: int) -> FakeEngine:
        """Make an engine with `count` certificates in every state."""
        return cls(many(count))

    # -- reading -------------------------------------------------------------------------------------------------------

    def config(self) -> Config:
        self._called("config")
        return self.settings

    def summary(self) -> Summary:
        return summary_of(self.status(probe=True))

    def status(self, names: Sequence[str] = (), *, probe: bool = False) -> Status:
        self._called("status", names=tuple(names), probe=probe)
        found = [self._find(name) for name in names] if names else self.lineages
        return Status(
            version=VERSION,
            time=self.clock.now(),
            lineages=tuple(sorted(found, key=lambda each: each.name)),
            timer=self.timer,
            appliance=self.settings.appliance.name,
            hostname="box.example.com",
            problems=self.problems,
            unmanaged=self.unmanaged,
        )

    def generation(self) -> str:
        return f"{self._stamp:016x}"

    def touch(self) -> None:
        """Let the generation change, as after somebody else's change."""
        self._stamp += 1

    def pem(self, name: str) -> PemView:
        self._called("pem", name=name)
        found = self._find(name)
        return PemView(name=name, fullchain=PEM, sha256=found.sha256)

    def chain(self, name: str) -> ChainView:
        self._called("chain", name=name)
        found = self._find(name)
        leaf = ChainLink(subject=found.subject, not_after=found.not_after or NOW)
        middle = ChainLink(subject="Let's Encrypt E8", not_after=NOW + timedelta(days=400))
        root = ChainLink(subject="ISRG Root X1", not_after=NOW + timedelta(days=3000), is_sent=False)
        links = (leaf,) if found.self_signed else (leaf, middle, root)
        where = "" if found.self_signed else "this system's trust store"
        return ChainView(links=links, issuer=found.issuer, trusted_by=where)

    def log(self, *, lineage: str | None = None, limit: int = 200, before: int | None = None) -> tuple[LogEntry, ...]:
        self._called("log", lineage=lineage, limit=limit, before=before)
        wanted = [entry for entry in reversed(self.entries or list(HISTORY)) if lineage in (None, entry.lineage)]
        return tuple(entry for entry in wanted if before is None or entry.number < before)[:limit]

    def verify_log(self) -> tuple[int, str | None]:
        self._called("verify_log")
        return len(self.entries or HISTORY), self.altered

    def accounts(self) -> tuple[AccountInfo, ...]:
        self._called("accounts")
        return self.known_accounts

    def targets(self) -> tuple[TargetInfo, ...]:
        self._called("targets")
        return tuple(self.known_targets)

    def target_kinds(self) -> tuple[KindInfo, ...]:
        from core.workflows.settings.kinds import kinds

        self._called("target_kinds")
        return kinds()

    def target_kind(self, name: str) -> KindInfo:
        from core.workflows.settings.kinds import kind

        self._called("target_kind", name=name)
        return kind(name)

    def http01_snippets(self) -> Mapping[str, str]:
        self._called("http01_snippets")
        return {"nginx": "location /.well-known/acme-challenge/ {\n    proxy_pass http://127.0.0.1:8080;\n}\n"}

    # -- asking, changing nothing --------------------------------------------------------------------------------------

    def doctor(
        self, request: IssueRequest | None = None, *, name: str | None = None, cancel: CancelToken | None = None
    ) -> tuple[Finding, ...]:
        self._called("doctor", request=request, name=name)
        return self.findings

    def daily_look(self) -> tuple[Finding, ...]:
        self._called("daily_look")
        return self.stored

    def self_check(self) -> tuple[Finding, ...]:
        self._called("self_check")
        return self.findings

    def check_request(self, request: IssueRequest) -> tuple[Finding, ...]:
        self._called("check_request", request=request)
        return self.request_findings

    def test_target(self, name: str, *, cancel: CancelToken | None = None) -> tuple[Finding, ...]:
        self._called("test_target", name=name)
        return (Finding(id="target-test", status="pass", title=name, detail="nginx -t passed"),)

    # -- operations ----------------------------------------------------------------------------------------------------

    def first_boot(
        self,
        *,
        hostname: str | None = None,
        external_url: str | None = None,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> FirstBoot:
        self._called("first_boot", hostname=hostname, external_url=external_url)
        existing = next((each for each in self.lineages if each.name == "default"), None)
        if existing is not None:
            return FirstBoot(status=existing, created=False, remade=False)
        made = replace(next(each for each in seven() if each.name == "default"))
        self._tell("first-boot", report, cancel, (VersionStored(version=1), VersionSwitched(version=1)), "default")
        self._put(made)
        return FirstBoot(status=made, created=True, remade=False)

    def issue(
        self, request: IssueRequest, *, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> Issued | Pending:
        self._called("issue", request=request)
        name = request.name or request.domains[0].replace("*", "_wildcard")
        targets = request.targets or ()
        if self.pending:
            return self._pending(name, request.domains, report)
        rehearsal = rehearsal_events(request.domains) if request.staging or request.rehearse else []
        order = [] if request.staging else issue_events(request.domains, targets)
        self._tell("issue", report, cancel, [*rehearsal, *order], name)
        made = lineage(
            name,
            *request.domains,
            left=timedelta(days=90),
            key_type=request.key_type or "ec-256",
            ca=request.issuer or self.settings.defaults.issuer,
            profile=request.profile,
            targets=tuple(TargetState(name=target, state="deployed") for target in targets),
        )
        if not request.staging:
            self._put(made)
        return Issued(status=made, rehearsed_only=request.staging)

    def renew(
        self,
        names: Sequence[str] = (),
        *,
        force: bool = False,
        dry_run: bool = False,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
        in_json: Callable[[RenewalReport], str] | None = None,
    ) -> RenewalReport:
        self._called("renew", names=tuple(names), force=force, dry_run=dry_run)
        chosen = [self._find(name) for name in names] or list(self.lineages)
        if self.renewal is not None:
            return self.renewal
        due = [each for each in chosen if each.method != "upload" and (force or self._is_due(each))]
        skipped = tuple(
            Skipped(name=each.name, why=skip_reason(each), renew_at=each.renew_at) for each in chosen if each not in due
        )
        if dry_run:
            return RenewalReport(skipped=skipped, due=tuple(each.name for each in due))
        renewed: list[str] = []
        failed: list[FailedLineage] = []
        narrator = self._narrator(report)
        if due:
            narrator.tell(RunStarted(operation="renew"))
        for number, each in enumerate(due, 1):
            error = self.fails.get(each.name)
            if isinstance(error, CertdeckError):
                narrator.about(each.name).tell(Failed(code=error.code, what=error.what, why=error.why, fix=error.fix))
                failed.append(FailedLineage(name=each.name, error=error))
            else:
                self._play(
                    narrator.about(each.name), cancel, issue_events(each.domains, [t.name for t in each.targets])
                )
                self._put(self._renewed(each))
                renewed.append(each.name)
            narrator.tell(Progressed(done=number, of=len(due)))
        if due:
            narrator.tell(RunFinished(operation="renew", outcome="done"))
        return RenewalReport(renewed=tuple(renewed), skipped=skipped, failed=tuple(failed))

    def deploy(
        self,
        name: str,
        *,
        targets: Sequence[str] | None = None,
        version: int | None = None,
        force: bool = False,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> Deployment:
        asked: dict[str, object] = {} if version is None else {"version": version}
        asked |= {"force": True} if force else {}
        self._called("deploy", name=name, targets=None if targets is None else tuple(targets), **asked)
        return self._deployed("deploy", name, 0, targets, report, cancel)

    def rollback(
        self, name: str, *, force: bool = False, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> Deployment:
        self._called("rollback", name=name, **({"force": True} if force else {}))
        return self._deployed("rollback", name, -1, None, report, cancel)

    def export(
        self,
        name: str,
        *,
        format: str,
        out: Path,
        passphrase: bytes | None = None,
        legacy: bool = False,
        report: Reporter = ignore,
    ) -> Exported:
        self._called("export", name=name, format=format, out=out, passphrase=passphrase, legacy=legacy)
        self._find(name)
        return Exported(path=out, format=format, has_key=format in ("pem", "pfx", "haproxy"))

    def is_of_fleet(self, name: str) -> bool:
        return False

    def delete(self, name: str, *, force: bool = False, report: Reporter = ignore) -> Deleted:
        self._called("delete", name=name, force=force)
        self.lineages.remove(self._find(name))
        self.touch()
        return Deleted(name=name, kept_until=NOW + timedelta(days=30))

    def check_revocable(self, name: str, *, reason: str = "unspecified") -> None:
        self._find(name)

    def revoke(
        self, name: str, *, reason: str = "unspecified", report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> None:
        self._called("revoke", name=name, reason=reason)
        self._find(name)

    def add_target(self, config: TargetConfig, *, report: Reporter = ignore) -> None:
        self._called("add_target", config=config)
        self.known_targets = [each for each in self.known_targets if each.name != config.name]
        self.known_targets.append(
            TargetInfo(
                name=config.name,
                kind=config.kind,
                certificate=config.certificate,
                key=config.key,
                test=config.test,
                reload=config.reload,
                probe=config.probe,
                lineage=None,
            )
        )

    def remove_target(self, name: str, *, report: Reporter = ignore) -> None:
        self._called("remove_target", name=name)
        self.known_targets = [each for each in self.known_targets if each.name != name]

    def rotate_vault(self, *, report: Reporter = ignore) -> int:
        self._called("rotate_vault")
        return 9

    def move_vault(self, to: str, *, out: Path | None = None, report: Reporter = ignore) -> VaultMoved:
        self._called("move_vault", to=to, out=out)
        return VaultMoved(to=to, is_done=out is None, from_="file", resealed=0 if out else 9, removed=(), key_file=out)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _called(self, method: str, **arguments: Any) -> None:
        self.calls.append((method, arguments))
        error = self.fails.get(method)
        if isinstance(error, list):
            error = error.pop(0) if error else None
        if error is not None:
            raise error

    def _find(self, name: str) -> LineageStatus:
        for each in self.lineages:
            if each.name == name:
                return each
        raise NotFound(
            f"There is no certificate {name!r}.",
            "There is no file with that name in certificates.d.",
            "List the certificates with `certdeck status`.",
            lineage=name,
        )

    def _put(self, new: LineageStatus) -> None:
        self.lineages = sorted(
            [*(each for each in self.lineages if each.name != new.name), new], key=lambda one: one.name
        )
        self.touch()

    def _is_due(self, each: LineageStatus) -> bool:
        return each.renew_at is not None and each.renew_at <= self.clock.now() and each.auto_renew

    def _renewed(self, each: LineageStatus) -> LineageStatus:
        version = (each.version or 0) + 1
        life = each.not_after - each.not_before if each.not_after and each.not_before else timedelta(days=90)
        now, sha256 = self.clock.now(), fingerprint(f"{each.name} {version}")
        return replace(
            each,
            version=version,
            waiting_version=None,
            last_error=None,
            sha256=sha256,
            severity="green",
            not_before=now,
            not_after=now + life,
            days_left=life.days,
            renew_at=now + life * 2 / 3,
            targets=tuple(TargetState(name=one.name, state="deployed", served_sha256=sha256) for one in each.targets),
        )

    def _deployed(
        self,
        operation: str,
        name: str,
        step: int,
        targets: Sequence[str] | None,
        report: Reporter,
        cancel: CancelToken | None,
    ) -> Deployment:
        found = self._find(name)
        chosen = [each.name for each in found.targets] if targets is None else list(targets)
        self._tell(operation, report, cancel, deploy_events(chosen), name)
        states = tuple(TargetState(name=each, state="deployed", served_sha256=found.sha256) for each in chosen)
        self._put(replace(found, targets=states, waiting_version=None, last_error=None))
        return Deployment(name=name, version=(found.version or 1) + step, targets=states)

    def _narrator(self, report: Reporter) -> Narrator:
        return Narrator(report=report, now=self.clock.now, run=RUN)

    def _tell(
        self,
        operation: str,
        report: Reporter,
        cancel: CancelToken | None,
        events: Iterable[Event],
        about: str,
        outcome: str = "done",
    ) -> None:
        narrator = self._narrator(report).about(about)
        narrator.tell(RunStarted(operation=operation))
        self._play(narrator, cancel, events)
        narrator.tell(RunFinished(operation=operation, outcome=outcome))

    def _play(self, narrator: Narrator, cancel: CancelToken | None, events: Iterable[Event]) -> None:
        for event in events:
            self.before_event(event)
            if cancel is not None:
                cancel.check()
            narrator.tell(event)
