"""Looking at the state of things, and asking: nothing here changes anything or takes the lock."""

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
    from core.upload.values import Part, Upload, UploadCheck


_LOOK_SECONDS = 60.0
"""Between two looks at every lineage, for the console that asks all the time."""


class _Look(NamedTuple):
    stamp: int
    at: float
    """Seconds of the monotonic clock."""
    generation: str


class Queries(EngineBase):
    """What the engine shows and finds out."""

    _looked: _Look | None = None

    def status(self, names: Sequence[str] = (), *, probe: bool = False) -> Status:
        """Return the state of every lineage, or of `names`.

        With `probe` each target's service is asked over TLS what it serves, which takes seconds at worst; without, the
        files and the last known answer are looked at. Raises NotFound (`not-found`), ConfigError.
        """
        from core.workflows.status import status

        return status(self._view(), names, probe=probe)

    def what_if(self, day: date, names: Sequence[str] = ()) -> Forecast:
        """Return what announced lifetimes do to all certificates, or to `names`, on a day. Raises NotFound (`not-found`)."""
        from core.workflows.what_if import what_if

        return what_if(self._view(), day, tuple(names))

    def generation(self) -> str:
        """Return a word that changes whenever something on disk has changed.

        Costs a few `stat` calls. Once a minute each lineage is looked at: somebody may have written a file of one in place.
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
        """Return the chain of the live certificate, to the root that this box knows. Raises NotFound."""
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
        """Follow the history's hash chain: how many entries stand, and the sentence that says where it was altered."""
        with self._history() as history:
            return history.verify()

    def issuers(self) -> tuple[IssuerInfo, ...]:
        """Return the built-in and configured issuers together."""
        from core.workflows.settings.issuers import issuers

        return issuers(self._reading())

    def issuer(self, name: str) -> IssuerShown:
        """Return an issuer with its published limits and what this box has used of them. Raises NotFound (`not-found`)."""
        from core.workflows.settings.issuer_facts import show

        return show(self._reading(), name)

    def compare_issuers(self) -> tuple[IssuerFacts, ...]:
        """Return what is known of each issuer, side by side; staging directories are left out."""
        from core.workflows.settings.issuer_facts import compare

        return compare(self._reading())

    def accounts(self) -> tuple[AccountInfo, ...]:
        """Return the accounts at CAs, with the addresses of their keys. Raises VaultError, StoreError."""
        from core.workflows.settings.accounts import accounts

        with self._history() as history:  # each look at a key belongs into the audit trail
            who = self.env.host.user()
            return accounts(self._context(self.config(), lambda told: history.record(told, who), None))

    def targets(self) -> tuple[TargetInfo, ...]:
        """Return the targets of the configuration, and whose certificate each one has."""
        from core.workflows.settings.targets import targets

        return targets(self._reading())

    def target_kinds(self) -> tuple[KindInfo, ...]:
        """Return every kind of target, in the order in which they are offered."""
        from core.workflows.settings.kinds import kinds

        return kinds()

    def target_kind(self, name: str) -> KindInfo:
        """Return one kind of target. Raises NotFound (`not-found`) that names the nearest one."""
        from core.workflows.settings.kinds import kind

        return kind(name)

    def open_orders(self) -> tuple[str, ...]:
        """Return the lineages with an order that has not ended."""
        from core.store.orders import list_orders

        return tuple(list_orders(self.paths))

    def schedule(self) -> ScheduleInfo:
        """Return when the scheduled run comes and whether it lives. Asks systemd or cron: a fraction of a second."""
        from core.workflows.settings.schedule import schedule

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
        from core.workflows.settings.issuers import test_issuer

        return test_issuer(self._reading(cancel), name)

    def doctor(
        self, request: IssueRequest | None = None, *, name: str | None = None, cancel: CancelToken | None = None
    ) -> tuple[Finding, ...]:
        """Find out what would stop an issuance, over the network too. Without a request: what concerns the whole box."""
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
        """Keep the file of the HTTP-01 self-test up until the time is over or somebody asks to stop (SF-19).

        Args:
            seconds: None: until somebody asks to stop, which is no error.
            ready: called when it is up.
            visited: called for each request, by another thread.

        Raises PortUnavailable (`port-unavailable`), ChallengeError (`challenge-error`).
        """
        from core.workflows.doctoring.listening import listen

        return listen(self._reading(cancel), seconds=seconds, ready=ready, visited=visited)

    def daily_look(self) -> tuple[Finding, ...]:
        """Return what is wrong in the store, looked at once a day while all is well; remembers when that was.

        A timer that was switched off, removed or has died since the last look, or is back, becomes a row of the log.

        On a box of a fleet also what is wrong there, in one line.
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
        """Load every module, open every sealed record, read every file, verify the log. Changes nothing."""
        from core.workflows.keeping.self_check import self_check

        return self_check(self._reading())

    def check_request(self, request: IssueRequest) -> tuple[Finding, ...]:
        """Check a request offline and at once: names, the issuer's limits, targets, the port's settings."""
        from core.workflows.issuing.request import findings

        return findings(self._reading(), request)

    def test_target(self, name: str, *, cancel: CancelToken | None = None) -> tuple[Finding, ...]:
        """Look at a target's files, run its configuration test, and ask what it serves."""
        from core.workflows.settings.targets import test_target

        return test_target(self._reading(cancel), name)

    def detect(self, *, cancel: CancelToken | None = None) -> tuple[DetectedService, ...]:
        """Find the TLS services of this box and what each presents. Changes nothing; takes some seconds. Raises Cancelled."""
        from core.workflows.detecting.detect import detect

        return detect(self._reading(cancel))

    def read_part(self, path: Path) -> Part:
        """Read a file that somebody names for an upload: regular files only, never more than a megabyte. Raises UsageError."""
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
        """Check a certificate that somebody brings. Changes nothing, needs no lock, asks nothing of the network by itself.

        Args:
            host: what clients call the service: it has to be among the certificate's names.
            name: the lineage that it is meant for, which may not exist yet: compared with what that has.
            force: show what `import_upload` with `force` would let pass.
            fetch_chain: fetch missing intermediates from where the certificates say they are; ten seconds at worst.
        """
        from core.workflows.uploading.examine import check

        return check(self._reading(), upload, host=host, name=name, force=force, fetch_chain=fetch_chain)
