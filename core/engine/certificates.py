"""Operations on lineages: issue, renew, deploy, upload, export, revoke, delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.config.model import Config
from core.engine.base import ignore
from core.engine.fleet import Fleet

if TYPE_CHECKING:
    from core.errors import CertdeckError
    from core.events import Reporter
    from core.notify.of_fleet import OfFleet
    from core.operations import (
        Deleted,
        Deployment,
        Exported,
        FirstBoot,
        Issued,
        IssuerChange,
        IssueRequest,
        Pending,
        RenewalReport,
    )
    from core.ports import CancelToken
    from core.renewal_report import RenewRequest
    from core.store.index import Facts
    from core.upload.values import Imported, ImportRequest
    from core.workflows.context import View


def tells_anybody(config: Config) -> bool:
    """Return whether the result of a run is reported to people or to other programs."""
    return bool(config.notifications or config.schedule.ping_url or config.metrics.file or config.log.syslog)


class Certificates(Fleet):
    """Operations on lineages. Each holds the writers' lock while it runs."""

    def first_boot(
        self,
        *,
        hostname: str | None = None,
        external_url: str | None = None,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> FirstBoot:
        """Create and deploy the self-signed certificate of a new box, or replace it if its names have changed."""
        from core.workflows.first_boot import first_boot

        with self._writing("first-boot", report, cancel) as context:
            return first_boot(context, hostname=hostname, external_url=external_url)

    def issue(
        self, request: IssueRequest, *, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> Issued | Pending:
        """Order, download, store and deploy a certificate; on a hub of a fleet, for its devices."""
        if not request.local and not request.staging and self.config().fleet.is_hub:
            return self._issue_for_fleet(request, report, cancel)
        from core.workflows.issuing.issue import issue

        with self._writing("issue", report, cancel) as context:
            return issue(context, request)

    def complete(
        self,
        name: str,
        *,
        anyway: bool = False,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> Issued | Pending:
        """Continue an order that an earlier process left open.

        Manually set records are checked first: as long as a name server lacks one, the order stays unchanged (`Pending`), because a
        challenge that fails cannot be retried. If some servers already have the records, it waits for the others.

        Args:
            anyway: let the CA validate although not all name servers have the records.

        Raises NotFound (`not-found`) if there is no open order; IssuerError, TargetError.
        """
        from core.workflows.issuing.issue import complete

        with self._writing("complete", report, cancel, name) as context:
            return complete(context, name, anyway=anyway)

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
        """Renew what is due. The lock is taken only if something is due; failures of single lineages are in the report.

        Args:
            in_json: formats a report for `--json`. If given, a scheduled run with nothing to do is recorded for
                `core.idle.repeat`.
        """
        from core.renewal_report import RenewRequest

        request = RenewRequest(tuple(names), force, dry_run)
        damage = self._damage_of_update() if request.is_scheduled else None
        if in_json is not None and request.is_scheduled and damage is None:
            from core.store.atomic import TemporaryFile
            from core.workflows.renewing.remembered import Watch
            from core.workflows.renewing.renew import renew
            from core.workflows.telling.missed import note_missed

            # Created before anything is read: its time shows which files were current then.
            with TemporaryFile(self.paths.idle) as file:
                view = self._view()
                if not tells_anybody(view.config) and not view.config.fleet.endpoints:
                    note_missed(view, self._history)
                    watch = Watch(view, file, in_json)
                    return renew(
                        view, lambda: self._writing("renew", report, cancel), request, watch=watch, cancel=cancel
                    )
        else:
            view = self._view()
        if view.config.fleet.endpoints:
            return self._renew_in_fleet(request, report, cancel, damage)
        return self._renew_here(view, request, report, cancel, damage=damage)

    def _damage_of_update(self) -> CertdeckError | None:
        """Return the problem of a release that has not run here before; None if there is none."""
        from core.workflows.renewing.after_update import check_after_update

        return check_after_update(self.paths, self._reading)

    def _renew_in_fleet(
        self,
        request: RenewRequest,
        report: Reporter,
        cancel: CancelToken | None,
        damage: CertdeckError | None,
    ) -> RenewalReport:
        """Renew this box's own certificates, and do its part for the fleet."""
        from core.renewal_report import RenewalReport
        from core.workflows.fleet.scheduled import names_of_fleet, renew_fleet

        view, reading = self._view(), self._reading(cancel)
        shared = names_of_fleet(reading) if request.names and view.config.fleet.is_hub else ()
        own = request._replace(names=tuple(name for name in request.names if name not in shared))
        wanted = request._replace(names=tuple(name for name in request.names if name in shared))

        def share(done: RenewalReport) -> RenewalReport:
            return renew_fleet(reading, lambda: self._patiently("renew", report, cancel), done, wanted)

        if not request.names:
            return self._renew_here(view, request, report, cancel, damage=damage, share=share)
        done = RenewalReport()
        if own.names:
            done = self._renew_here(view, own, report, cancel)
        return share(done) if wanted.names else done

    def _renew_here(
        self,
        view: View,
        request: RenewRequest,
        report: Reporter,
        cancel: CancelToken | None,
        *,
        damage: CertdeckError | None = None,
        share: Callable[[RenewalReport], RenewalReport] | None = None,
    ) -> RenewalReport:
        """Renew this box's own certificates.

        Args:
            damage: the problem found by the check after an update.
            share: adds the result of this box's part for the fleet to the report.
        """
        from core.workflows.renewing.renew import renew
        from core.workflows.telling.missed import note_missed

        if request.is_scheduled:
            note_missed(view, self._history)
        if request.dry_run or not (damage or tells_anybody(view.config)):
            done = renew(view, lambda: self._writing("renew", report, cancel), request, cancel=cancel)
            return done if share is None else share(done)
        from core.workflows.telling.aftermath import Aftermath

        after = Aftermath(
            view,
            report,
            self._history,
            cancel,
            request=request,
            damage=damage,
            fleet=None if share is None else self._look_at_fleet,
        )

        def ended(outcome: RenewalReport, every: Sequence[Facts]) -> RenewalReport:
            return after.ended(outcome if share is None else share(outcome), every)

        with after.of_failures():
            return renew(
                view, lambda: self._writing("renew", after.listen, cancel), request, ended=ended, cancel=cancel
            )

    def _look_at_fleet(self) -> OfFleet:
        from core.workflows.fleet.telling import look

        return look(self._reading())

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
        """Deploy the newest version to its targets, or to `targets` from now on; `version`: deploy this stored one.

        Raises NewerElsewhere (`newer-elsewhere`) if that would replace a newer certificate of another program, unless `force`.
        """
        from core.workflows.deploying.deploy import deploy

        with self._writing("deploy", report, cancel, name) as context:
            return deploy(context, name, targets, version=version, force=force)

    def rollback(
        self, name: str, *, force: bool = False, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> Deployment:
        """Deploy the version before the live one to its targets. `force` as in `deploy`."""
        from core.workflows.deploying.deploy import rollback

        with self._writing("rollback", report, cancel, name) as context:
            return rollback(context, name, force=force)

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
        from core.workflows.keeping.export import export

        with self._writing("export", report, None, name) as context:
            return export(context, name, format=format, out=out, passphrase=passphrase, legacy=legacy)

    def delete(self, name: str, *, force: bool = False, report: Reporter = ignore) -> Deleted:
        """Delete a lineage; a sealed copy is kept for 30 days. Refused while a target uses it, unless `force`.

        A certificate of the fleet, on a hub: no hub renews it any longer; refused while devices serve it, unless `force`.
        """
        if self.is_of_fleet(name):
            return self._delete_from_fleet(name, force, report)
        from core.workflows.keeping.delete import delete

        with self._writing("delete", report, None, name) as context:
            return delete(context, name, force=force)

    def check_revocable(self, name: str, *, reason: str = "unspecified") -> None:
        """Check that the live certificate can be revoked, before the user is asked for confirmation. Does not contact the CA.

        Raises UsageError (`usage`): an unknown reason; NotFound (`not-found`); IssuerError (`issuer-error`): no CA can revoke it.
        """
        from core.workflows.keeping.revoke import revocable

        revocable(self._view(), name, reason)

    def revoke(
        self,
        name: str,
        *,
        reason: str = "unspecified",
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> None:
        """Ask the CA to revoke the live certificate. Raises as `check_revocable`, and the errors of the CA."""
        from core.workflows.keeping.revoke import revoke

        with self._writing("revoke", report, cancel, name) as context:
            revoke(context, name, reason)
        config = self.config()
        if config.notifications:
            from core.renewal_report import RenewalReport, RenewRequest
            from core.store.index import facts_of
            from core.workflows.telling.aftermath import Aftermath

            after = Aftermath(self._view(), report, self._history, cancel, request=RenewRequest((name,)))
            after.ended(RenewalReport(), [facts_of(self.paths, name)])

    def import_upload(
        self, request: ImportRequest, *, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> Imported:
        """Check a provided certificate, store it as a version of a lineage, and deploy it.

        Raises:
            InputRejected (`input-rejected`): the checks failed; `outcome` has them, nothing was changed.
            UsageError: `replace` is needed (`details["needs"] == "replace"`).
            TargetError: the previous state was restored; the new version is kept for a later deployment.
        """
        from core.workflows.uploading.upload import import_upload

        with self._writing("import", report, cancel, request.name) as context:
            return import_upload(context, request)

    def change_issuer(
        self, names: Sequence[str], issuer: str, *, dry_run: bool = False, report: Reporter = ignore
    ) -> tuple[IssuerChange, ...]:
        """Give existing certificates another issuer; the next run renews them there.

        Returns those that change; with `dry_run`, nothing is changed. Raises NotFound, UsageError: then nothing has changed.
        """
        from core.workflows.settings.lineage_settings import change_issuer

        if dry_run:
            return change_issuer(self._reading(), names, issuer, dry_run=True)
        with self._writing("set", report) as context:
            return change_issuer(context, names, issuer, dry_run=False)

    def set_lineage(
        self,
        name: str,
        *,
        auto_renew: bool | None = None,
        renew_days_before: int | None = None,
        fallback: str | None = None,
        report: Reporter = ignore,
    ) -> None:
        """Change settings of a lineage; None leaves one unchanged, `renew_days_before=0` and an empty `fallback` remove it."""
        from core.workflows.settings.lineage_settings import set_lineage

        with self._writing("set", report, None, name) as context:
            set_lineage(context, name, auto_renew=auto_renew, renew_days_before=renew_days_before, fallback=fallback)
