"""The one door for both front ends.

`Engine` is thin: an operation makes a narrator that also writes the history, takes the writers' lock, puts in order what
an earlier run left behind, and calls one workflow. Workflows are imported when they are called, so that looking at the
state of things loads neither cryptography nor an HTTP client. Reading never takes the lock and never waits for a writer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.config.load import load_config
from core.config.model import Config, IssuerConfig, TargetConfig
from core.paths import Paths, paths_for

if TYPE_CHECKING:
    from core.events import Report, Reporter
    from core.operations import (
        AccountInfo,
        Deleted,
        Deployment,
        Exported,
        Finding,
        FirstBoot,
        Issued,
        IssueRequest,
        IssuerInfo,
        IssuerTest,
        LogEntry,
        PemView,
        Pending,
        RenewalReport,
        ScheduleInfo,
        Status,
        TargetInfo,
    )
    from core.ports import CancelToken, Environment
    from core.store.history import History
    from core.upload.values import Imported, Part, Upload, UploadCheck
    from core.workflows.context import Context, View


def ignore(report: Report) -> None:
    """Be a reporter that nobody listens to."""


class Engine:
    """Everything certdeck can do, over one set of folders and one environment."""

    def __init__(self, paths: Paths, env: Environment) -> None:
        self.paths = paths
        self.env = env

    @classmethod
    def open(cls, variables: Mapping[str, str] | None = None) -> Engine:
        """Return the engine over the real world. `variables`: the environment, or that of this process."""
        import os

        from core.system import environment

        env = environment(variables)
        return cls(paths_for(env.variables, os.getuid()), env)

    # -- reading -------------------------------------------------------------------------------------------------------

    def config(self) -> Config:
        """Read the configuration. Raises ConfigError (`config-invalid`) with every problem."""
        return load_config(self.paths)

    def status(self, names: Sequence[str] = (), *, probe: bool = False) -> Status:
        """Return the state of every lineage, or of `names`.

        With `probe` each target's service is asked over TLS what it serves, which takes seconds at worst; without, the
        files and the last known answer are looked at. Raises NotFound (`not-found`), ConfigError.
        """
        from core.workflows.status import status

        return status(self._view(), names, probe=probe)

    def generation(self) -> str:
        """Return a stamp that changes whenever something on disk has changed; costs a few `stat` calls."""
        from core.store.index import generation

        return generation(self.paths)

    def pem(self, name: str) -> PemView:
        """Return the live fullchain of a lineage (SO-36). Raises NotFound."""
        from core.workflows.export import pem_view

        return pem_view(self._reading(), name)

    def log(self, *, lineage: str | None = None, limit: int = 200, before: int | None = None) -> tuple[LogEntry, ...]:
        """Return the history, newest first; `before` is an entry's number, for paging."""
        with self._history() as history:
            return history.entries(lineage=lineage, limit=limit, before=before)

    def verify_log(self) -> tuple[int, str | None]:
        """Follow the history's hash chain: how many entries stand, and the sentence that says where it was altered."""
        with self._history() as history:
            return history.verify()

    def issuers(self) -> tuple[IssuerInfo, ...]:
        """Return the built-in and configured issuers together."""
        from core.workflows.issuers import issuers

        return issuers(self._reading())

    def accounts(self) -> tuple[AccountInfo, ...]:
        from core.workflows.accounts import accounts

        with self._history() as history:  # each look at a key belongs into the audit trail
            who = self.env.host.user()
            return accounts(self._context(self.config(), lambda told: history.record(told, who), None))

    def targets(self) -> tuple[TargetInfo, ...]:
        from core.workflows.targets import targets

        return targets(self._reading())

    def open_orders(self) -> tuple[str, ...]:
        """Return the lineages with an order that has not ended."""
        from core.store.orders import list_orders

        return tuple(list_orders(self.paths))

    def schedule(self) -> ScheduleInfo:
        """Return when the scheduled run comes and whether it lives. Asks systemd or cron: a fraction of a second."""
        from core.workflows.schedule import schedule

        return schedule(self._view())

    def http01_snippets(self) -> Mapping[str, str]:
        """Return the lines for nginx, haproxy and apache that let them share port 80 with us (SF-07, SO-22)."""
        from core.challenges.snippets import proxy_snippets, webroot_snippets

        http01 = self.config().http01
        if http01.mode == "webroot" and http01.webroot:
            return webroot_snippets(Path(http01.webroot))
        return proxy_snippets(http01.address, http01.port)

    # -- asking, changing nothing --------------------------------------------------------------------------------------

    def test_issuer(self, name: str, *, cancel: CancelToken | None = None) -> IssuerTest:
        """Read an issuer's directory. Raises IssuerError, NotFound."""
        from core.workflows.issuers import test_issuer

        return test_issuer(self._reading(cancel), name)

    def doctor(
        self, request: IssueRequest | None = None, *, name: str | None = None, cancel: CancelToken | None = None
    ) -> tuple[Finding, ...]:
        """Find out what would stop an issuance, over the network too. Without a request: what concerns the whole box."""
        from core.workflows.doctor import doctor

        return doctor(self._reading(cancel), request, name)

    def check_request(self, request: IssueRequest) -> tuple[Finding, ...]:
        """Check a request offline and at once: names, the issuer's limits, targets, the port's settings."""
        from core.workflows.request import findings

        return findings(self._reading(), request)

    def test_target(self, name: str, *, cancel: CancelToken | None = None) -> tuple[Finding, ...]:
        """Look at a target's files, run its configuration test, and ask what it serves."""
        from core.workflows.targets import test_target

        return test_target(self._reading(cancel), name)

    def read_part(self, path: Path) -> Part:
        """Read a file that somebody names for an upload: regular files only, never more than a megabyte. Raises UsageError."""
        from core.upload.files import read_part

        return read_part(path)

    def check_upload(
        self, upload: Upload, *, host: str | None = None, name: str | None = None, force: bool = False
    ) -> UploadCheck:
        """Check a certificate that somebody brings. Changes nothing, needs no lock, asks nothing of the network.

        Args:
            host: what clients call the service: it has to be among the certificate's names.
            name: the lineage that it is meant for, which may not exist yet: compared with what that has.
            force: show what `import_upload` with `force` would let pass.
        """
        from core.workflows.upload import check

        return check(self._reading(), upload, host=host, name=name, force=force)

    # -- operations ----------------------------------------------------------------------------------------------------

    def first_boot(
        self,
        *,
        hostname: str | None = None,
        external_url: str | None = None,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> FirstBoot:
        """Make and deploy the self-signed certificate of a fresh box, or make it anew when its names changed."""
        from core.workflows.first_boot import first_boot

        with self._writing("first-boot", report, cancel) as context:
            return first_boot(context, hostname=hostname, external_url=external_url)

    def issue(
        self, request: IssueRequest, *, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> Issued | Pending:
        """Order, fetch, store and deploy a certificate."""
        from core.workflows.issue import issue

        with self._writing("issue", report, cancel) as context:
            return issue(context, request)

    def complete(self, name: str, *, report: Reporter = ignore, cancel: CancelToken | None = None) -> Issued | Pending:
        """Go on with an order that an earlier process left open."""
        from core.workflows.issue import complete

        with self._writing("complete", report, cancel, name) as context:
            return complete(context, name)

    def renew(
        self,
        names: Sequence[str] = (),
        *,
        force: bool = False,
        dry_run: bool = False,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> RenewalReport:
        """Renew what is due. The lock is taken only when something is; failures of single lineages are in the report."""
        from core.workflows.renew import renew

        return renew(self._view(), lambda: self._writing("renew", report, cancel), names, force=force, dry_run=dry_run)

    def deploy(
        self,
        name: str,
        *,
        targets: Sequence[str] | None = None,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> Deployment:
        """Put the newest version onto its targets, or onto `targets` from now on."""
        from core.workflows.deploy import deploy

        with self._writing("deploy", report, cancel, name) as context:
            return deploy(context, name, targets)

    def rollback(self, name: str, *, report: Reporter = ignore, cancel: CancelToken | None = None) -> Deployment:
        """Put the version before the live one onto its targets."""
        from core.workflows.deploy import rollback

        with self._writing("rollback", report, cancel, name) as context:
            return rollback(context, name)

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
        """Write the live certificate to a file: `pem`, `fullchain`, `pfx`, `der`, `haproxy`."""
        from core.workflows.export import export

        with self._writing("export", report, None, name) as context:
            return export(context, name, format=format, out=out, passphrase=passphrase, legacy=legacy)

    def delete(self, name: str, *, force: bool = False, report: Reporter = ignore) -> Deleted:
        """Forget a lineage; a sealed copy stays for 30 days. Refused while a target uses it, unless `force`."""
        from core.workflows.delete import delete

        with self._writing("delete", report, None, name) as context:
            return delete(context, name, force=force)

    def revoke(
        self,
        name: str,
        *,
        reason: str = "unspecified",
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> None:
        """Ask the CA to revoke the live certificate."""
        from core.workflows.revoke import revoke

        with self._writing("revoke", report, cancel, name) as context:
            revoke(context, name, reason)

    def import_upload(
        self,
        name: str,
        upload: Upload,
        *,
        host: str | None = None,
        targets: Sequence[str] | None = None,
        force: bool = False,
        replace: bool = False,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> Imported:
        """Check a certificate that somebody brings, store it as a version of `name` and deploy it.

        Args:
            targets: onto these from now on; None: those the lineage has.
            force: let failures pass that cannot stop a service.
            replace: also where the lineage is renewed by a CA so far, which then ends.

        Raises:
            InputRejected (`input-rejected`): the checks failed; `outcome` holds them, nothing was changed.
            UsageError: `replace` is needed (`details["needs"] == "replace"`).
            TargetError: everything was put back; the new version waits.
        """
        from core.workflows.upload import import_upload

        with self._writing("import", report, cancel, name) as context:
            return import_upload(context, name, upload, host=host, targets=targets, force=force, replace=replace)

    def set_lineage(
        self,
        name: str,
        *,
        auto_renew: bool | None = None,
        renew_days_before: int | None = None,
        report: Reporter = ignore,
    ) -> None:
        """Change settings of a lineage; None leaves one as it is, `renew_days_before=0` removes it."""
        from core.workflows.settings import set_lineage

        with self._writing("set", report, None, name) as context:
            set_lineage(context, name, auto_renew=auto_renew, renew_days_before=renew_days_before)

    def add_issuer(self, name: str, config: IssuerConfig, *, report: Reporter = ignore) -> None:
        """Add an issuer, or override a built-in one, in `certdeck.toml`."""
        from core.workflows.issuers import add_issuer

        with self._writing("issuer add", report) as context:
            add_issuer(context, name, config)

    def remove_issuer(self, name: str, *, report: Reporter = ignore) -> None:
        """Remove an entry of `certdeck.toml`. Refused while a lineage uses an issuer that is not built in."""
        from core.workflows.issuers import remove_issuer

        with self._writing("issuer remove", report) as context:
            remove_issuer(context, name)

    def set_default_issuer(self, name: str, *, report: Reporter = ignore) -> None:
        from core.workflows.issuers import set_default_issuer

        with self._writing("issuer default", report) as context:
            set_default_issuer(context, name)

    def agree_terms(self, issuer: str, *, report: Reporter = ignore) -> None:
        """Keep in the configuration that somebody agreed to the issuer's terms of service."""
        from core.workflows.issuers import agree_terms

        with self._writing("issuer agree", report) as context:
            agree_terms(context, issuer)

    def set_eab(self, issuer: str, *, kid: str, hmac: bytes, report: Reporter = ignore) -> None:
        """Keep an external account binding: the key id in the configuration, the HMAC key in the vault."""
        from core.workflows.accounts import set_eab

        with self._writing("account eab", report) as context:
            set_eab(context, issuer, kid=kid, hmac=hmac)

    def add_target(self, config: TargetConfig, *, report: Reporter = ignore) -> None:
        """Add or change a target in `certdeck.toml`."""
        from core.workflows.targets import add_target

        with self._writing("target add", report) as context:
            add_target(context, config)

    def remove_target(self, name: str, *, report: Reporter = ignore) -> None:
        """Forget a target; its files stay as they are."""
        from core.workflows.targets import remove_target

        with self._writing("target remove", report) as context:
            remove_target(context, name)

    def set_schedule(
        self, *, preset: str | None = None, at: Sequence[str] = (), report: Reporter = ignore
    ) -> ScheduleInfo:
        """Switch the scheduled run on, or change when it comes: a preset, times like `03:00`, or as it was.

        Raises UsageError (`usage`) where a certificate lives too short for it.
        """
        from core.workflows.schedule import set_schedule

        with self._writing("schedule on", report) as context:
            return set_schedule(context, preset=preset, at=at)

    def unschedule(self, *, report: Reporter = ignore) -> ScheduleInfo:
        """Switch the scheduled run off."""
        from core.workflows.schedule import unschedule

        with self._writing("schedule off", report) as context:
            return unschedule(context)

    def rotate_vault(self, *, report: Reporter = ignore) -> int:
        """Seal every secret anew under a new master key; returns how many."""
        from core.store.vault import Vault

        with self._writing("vault rotate", report):
            return Vault(self.paths, self.env).rotate()

    def export_ca_root(self, *, report: Reporter = ignore) -> bytes:
        """Return the PEM of the private CA's root certificate, making the root on first use."""
        from core.appliance_ca import root_pem
        from core.store.vault import Vault

        with self._writing("issuer root", report) as context:
            return root_pem(context, Vault(self.paths, self.env))

    # -- the frame of every operation ----------------------------------------------------------------------------------

    def _view(self) -> View:
        from core.workflows.context import View

        return View(paths=self.paths, env=self.env, config=self.config())

    def _reading(self, cancel: CancelToken | None = None) -> Context:
        return self._context(self.config(), ignore, cancel)

    def _context(
        self, config: Config, report: Reporter, cancel: CancelToken | None, name: str | None = None
    ) -> Context:
        from core.events import Narrator
        from core.ports import CancelToken
        from core.workflows.context import Context

        narrator = Narrator(
            report=report, now=self.env.clock.now, run=self.env.random.token_bytes(4).hex(), lineage=name
        )
        return Context(paths=self.paths, env=self.env, config=config, narrator=narrator, cancel=cancel or CancelToken())

    @contextmanager
    def _writing(
        self, operation: str, report: Reporter, cancel: CancelToken | None = None, name: str | None = None
    ) -> Iterator[Context]:
        """Hold the lock and the history around a workflow; tell how it began and ended."""
        from core.errors import Cancelled, CertdeckError
        from core.events import Failed, RunFinished, RunStarted
        from core.store.lock import writers_lock
        from core.workflows.recover import recover

        config = self.config()
        with writers_lock(self.paths, self.env, operation) as was_tidy, self._history() as history:
            who = self.env.host.user()

            failures: list[Failed] = []

            def tee(told: Report) -> None:
                history.record(told, who)
                if isinstance(told.event, Failed):
                    failures.append(told.event)
                report(told)

            context = self._context(config, tee, cancel, name)
            recover(context, sweep=not was_tidy)
            context.narrator.tell(RunStarted(operation=operation))
            try:
                yield context
            except CertdeckError as exc:
                outcome = "cancelled" if isinstance(exc, Cancelled) else "failed"
                about = context.narrator.about(exc.lineage) if exc.lineage else context.narrator
                about.tell(Failed(code=exc.code, what=exc.what, why=exc.why, fix=exc.fix))
                context.narrator.tell(RunFinished(operation=operation, outcome=outcome, why=exc.what))
                raise
            except BaseException:
                context.narrator.tell(RunFinished(operation=operation, outcome="failed", why="internal error"))
                raise
            # Failures of single lineages are no exceptions, but a run that had some is not done.
            outcome = "failed" if failures else "done"
            context.narrator.tell(
                RunFinished(operation=operation, outcome=outcome, why=failures[0].what if failures else "")
            )

    @contextmanager
    def _history(self) -> Iterator[History]:
        from core.store.history import History

        history = History(self.paths)
        try:
            yield history
        finally:
            history.close()
