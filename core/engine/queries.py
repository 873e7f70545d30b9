"""Queries: nothing here changes the state or takes the lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from core.engine.base import EngineBase

if TYPE_CHECKING:
    from datetime import date

    from core.chain_links import ChainView
    from core.detected import DetectedService
    from core.forecast import Forecast
    from core.kept_version import KeptVersion
    from core.operations import (
        AccountInfo,
        Finding,
        IssueRequest,
        IssuerFacts,
        IssuerInfo,
        IssuerShown,
        IssuerTest,
        KindInfo,
        Listening,
        LogEntry,
        PemView,
        ScheduleInfo,
        Status,
        TargetInfo,
        Visit,
    )
    from core.ports import CancelToken
    from core.summary import Summary
    from core.upload.values import Part, Upload, UploadCheck


_LOOK_SECONDS = 60.0
"""Interval between two checks of every lineage, for the console, which polls continuously."""


class _Look(NamedTuple):
    stamp: int
    at: float
    """Seconds of the monotonic clock."""
    generation: str


class Queries(EngineBase):
    """What the engine shows and checks."""

    _looked: _Look | None = None

    def status(self, names: Sequence[str] = (), *, probe: bool = False) -> Status:
        """Return the state of every lineage, or of `names`.

        With `probe`, each target's service is queried over TLS for its certificate, which takes some seconds at most. Without it,
        the files and the last known result are used. Raises NotFound (`not-found`), ConfigError.
        """
        from core.workflows.status import status

        return status(self._view(), names, probe=probe)

    def summary(self) -> Summary:
        """Return the state for monitoring: certificates without a problem are only counted. Services are queried."""
        from core.workflows.summary import summary

        return summary(self._view())

    def what_if(self, day: date, names: Sequence[str] = ()) -> Forecast:
        """Return the effect of announced lifetimes on all certificates, or on `names`, on a day. Raises NotFound (`not-found`)."""
        from core.workflows.what_if import what_if

        return what_if(self._view(), day, tuple(names))

    def generation(self) -> str:
        """Return a token that changes whenever something on disk has changed.

        Costs a few `stat` calls. Once a minute each lineage is checked, because a file may have been changed in place.
        """
        from core.store.index import generation, stamp

        seen, now = stamp(self.paths), self.env.clock.monotonic()
        if self._looked is None or self._looked.stamp != seen or now - self._looked.at >= _LOOK_SECONDS:
            self._looked = _Look(seen, now, generation(self.paths))
        return self._looked.generation

    def pem(self, name: str) -> PemView:
        """Return the live fullchain of a lineage (SO-36). Raises NotFound."""
        from core.workflows.keeping.export import pem_view

        return pem_view(self._reading(), name)

    def chain(self, name: str) -> ChainView:
        """Return the chain of the live certificate, up to the root that this box knows. Raises NotFound."""
        from core.workflows.keeping.chain_view import chain_view

        return chain_view(self._reading(), name)

    def versions(self, name: str) -> tuple[KeptVersion, ...]:
        """Return the stored versions of a lineage, newest first. Raises NotFound."""
        from core.workflows.deploying.kept import kept_versions

        return kept_versions(self._reading(), name)

    def log(self, *, lineage: str | None = None, limit: int = 200, before: int | None = None) -> tuple[LogEntry, ...]:
        """Return the history, newest first; `before` is an entry's number, for paging."""
        with self._history() as history:
            return history.entries(lineage=lineage, limit=limit, before=before)

    def verify_log(self) -> tuple[int, str | None]:
        """Verify the history's hash chain: return the number of valid entries, and a sentence on where it was altered, or None."""
        with self._history() as history:
            return history.verify()

    def issuers(self) -> tuple[IssuerInfo, ...]:
        """Return the built-in and the configured issuers."""
        from core.workflows.settings.issuers import issuers

        return issuers(self._reading())

    def issuer(self, name: str) -> IssuerShown:
        """Return an issuer with its published limits and this box's usage. Raises NotFound (`not-found`)."""
        from core.workflows.settings.issuer_facts import show

        return show(self._reading(), name)

    def compare_issuers(self) -> tuple[IssuerFacts, ...]:
        """Return the known facts of each issuer for comparison, without staging directories."""
        from core.workflows.settings.issuer_facts import compare

        return compare(self._reading())

    def accounts(self) -> tuple[AccountInfo, ...]:
        """Return the accounts at CAs, with the thumbprints of their keys. Raises VaultError, StoreError."""
        from core.workflows.settings.accounts import accounts

        with self._history() as history:  # the audit trail records each access to a key
            who = self.env.host.user()
            return accounts(self._context(self.config(), lambda told: history.record(told, who), None))

    def targets(self) -> tuple[TargetInfo, ...]:
        """Return the configured targets, each with the lineage that it serves."""
        from core.workflows.settings.targets import targets

        return targets(self._reading())

    def target_kinds(self) -> tuple[KindInfo, ...]:
        """Return every kind of target, in the order in which they are offered."""
        from core.workflows.settings.kinds import kinds

        return kinds()

    def target_kind(self, name: str) -> KindInfo:
        """Return one kind of target. Raises NotFound (`not-found`) with the closest name."""
        from core.workflows.settings.kinds import kind

        return kind(name)

    def open_orders(self) -> tuple[str, ...]:
        """Return the lineages with an open order."""
        from core.store.orders import list_orders

        return tuple(list_orders(self.paths))

    def schedule(self) -> ScheduleInfo:
        """Return the times of the scheduled run and whether it works. Queries systemd or cron: takes a fraction of a second."""
        from core.workflows.settings.schedule import schedule

        return schedule(self._view())

    def http01_snippets(self) -> Mapping[str, str]:
        """Return configuration lines that let nginx, haproxy and apache share port 80 with certdeck (SF-07, SO-22)."""
        from core.challenges.snippets import proxy_snippets, webroot_snippets

        http01 = self.config().http01
        if http01.mode == "webroot" and http01.webroot:
            return webroot_snippets(Path(http01.webroot))
        return proxy_snippets(http01.address, http01.port)

    # -- checks that change nothing ------------------------------------------------------------------------------------

    def test_issuer(self, name: str, *, cancel: CancelToken | None = None) -> IssuerTest:
        """Read an issuer's directory. Raises IssuerError, NotFound."""
        from core.workflows.settings.issuers import test_issuer

        return test_issuer(self._reading(cancel), name)

    def doctor(
        self, request: IssueRequest | None = None, *, name: str | None = None, cancel: CancelToken | None = None
    ) -> tuple[Finding, ...]:
        """Find what would prevent an issuance, also over the network. Without a request: check the whole box."""
        from core.workflows.doctoring.doctor import doctor

        return doctor(self._reading(cancel), request, name)

    def listen(
        self,
        *,
        seconds: float | None = None,
        ready: Callable[[Listening], None] | None = None,
        visited: Callable[[Visit], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Listening:
        """Serve the file of the HTTP-01 self-test until the time is over or `cancel` is set (SF-19).

        Args:
            seconds: None: until `cancel` is set, which is not an error.
            ready: called when the file is served.
            visited: called for each request, from another thread.

        Raises PortUnavailable (`port-unavailable`), ChallengeError (`challenge-error`).
        """
        from core.workflows.doctoring.listening import listen

        return listen(self._reading(cancel), seconds=seconds, ready=ready, visited=visited)

    def daily_look(self) -> tuple[Finding, ...]:
        """Return the problems of the store. Checked once a day while all is well; the time of the check is stored.

        Since the last check, a timer that was disabled or removed, has stopped working, or works again, is recorded in the log.

        On a box of a fleet, the problems of the fleet are included, in one line.
        """
        from core.workflows.keeping.inspect_store import daily_look
        from core.workflows.telling.missed import note_timer

        reading = self._reading()
        found = daily_look(reading, lambda before, known: note_timer(reading, self._history, before, known))
        if not reading.config.fleet.endpoints:
            return found
        from core.workflows.fleet.monitoring import finding

        return (*found, *finding(reading))

    def self_check(self) -> tuple[Finding, ...]:
        """Load every module, decrypt every sealed record, read every file, verify the log. Changes nothing."""
        from core.workflows.keeping.self_check import self_check

        return self_check(self._reading())

    def check_request(self, request: IssueRequest) -> tuple[Finding, ...]:
        """Check a request offline and immediately: names, the issuer's limits, targets, the settings of the port."""
        from core.workflows.issuing.request import findings

        return findings(self._reading(), request)

    def test_target(self, name: str, *, cancel: CancelToken | None = None) -> tuple[Finding, ...]:
        """Check a target's files, run its configuration test, and probe what it serves."""
        from core.workflows.settings.targets import test_target

        return test_target(self._reading(cancel), name)

    def detect(self, *, cancel: CancelToken | None = None) -> tuple[DetectedService, ...]:
        """Find the TLS services of this box and what each presents. Changes nothing; takes some seconds. Raises Cancelled."""
        from core.workflows.detecting.detect import detect

        return detect(self._reading(cancel))

    def read_part(self, path: Path) -> Part:
        """Read a file that the user names for an upload: only regular files, at most one megabyte. Raises UsageError."""
        from core.upload.files import read_part

        return read_part(path)

    def check_upload(
        self,
        upload: Upload,
        *,
        host: str | None = None,
        name: str | None = None,
        force: bool = False,
        fetch_chain: bool = False,
    ) -> UploadCheck:
        """Check a provided certificate. Changes nothing, needs no lock, and uses the network only with `fetch_chain`.

        Args:
            host: the host name that clients use: it has to be among the certificate's names.
            name: the lineage that it is for, which may not exist yet; it is compared with that lineage's certificate.
            force: show what `import_upload` with `force` would accept.
            fetch_chain: download missing intermediates from the URLs in the certificates; takes ten seconds at most.
        """
        from core.workflows.uploading.examine import check

        return check(self._reading(), upload, host=host, name=name, force=force, fetch_chain=fetch_chain)
