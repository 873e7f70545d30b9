"""The part of the engine's double that uploads go to: scripted checks, and a lineage that is replaced.

engine.upload_check = refused_check()      # what check_upload says from now on; a list is used up one by one
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace as changed

from core.engine import ignore
from core.events import Event, Reporter, VersionStored
from core.operations import LineageStatus, TargetState
from core.ports import CancelToken
from core.upload.rejected import InputRejected
from core.upload.values import CheckResult, Imported, ImportRequest, Part, Upload, UploadCheck
from tests.support.fake_requests import FakeRequests
from tests.support.lineages import fingerprint, lineage
from tests.support.showcase import deploy_events

_TITLES = {
    "parse": "Files can be read",
    "key-match": "Key matches certificate",
    "validity": "Valid today",
    "chain": "Chain",
    "expiry-soon": "Time left",
    "host-match": "Host names",
    "key-strength": "Key strength",
    "signature": "Signature",
    "usage": "For web servers",
    "not-ca": "Not a CA certificate",
    "names-kept": "Names kept",
    "wildcard-bare": "Wildcard and bare domain",
    "distrusted": "CA trusted by browsers",
    "clock": "Clock",
}
_DETAILS = {
    "parse": "Read as PEM.",
    "key-match": "EC P-256.",
    "validity": "Valid until 4 Mar 2027.",
    "chain": "2 intermediates, complete; this system's trust store trusts DigiCert Global Root G3.",
    "expiry-soon": "102 days are left.",
    "key-strength": "EC P-256.",
    "signature": "Signed with SHA-256.",
    "usage": "For servers (serverAuth).",
    "not-ca": "It is a server certificate.",
    "names-kept": "It covers every name of the previous certificate.",
    "distrusted": "No browser distrusts this CA.",
    "clock": "The clock of this box shows 21 Nov 2026.",
}


def result(id: str, status: str = "pass", detail: str = "", fix: str = "") -> CheckResult:
    """Make one line of a checklist."""
    return CheckResult(id=id, title=_TITLES[id], status=status, detail=detail or _DETAILS.get(id, ""), fix=fix)


def good_check(name: str = "shop", *, changes: Iterable[CheckResult] = (), **fields: Any) -> UploadCheck:
    """Make the check of an upload that is accepted, with `changes` to single results."""
    by_id = {each.id: each for each in changes}
    results = [by_id.get(id) or (result(id) if id in _DETAILS else result(id, "skip", "Not asked.")) for id in _TITLES]
    made = UploadCheck(
        accepted=all(each.status != "fail" for each in results),
        checks=tuple(results),
        certificate=lineage(
            name,
            "shop.example.com",
            "www.shop.example.com",
            left=timedelta(days=102, hours=20),
            life_days=380,
            issuer="DigiCert Inc DigiCert Global G3 TLS ECC SHA384 2020 CA1",
            method="upload",
            ca=None,
            renew_at=None,
            renew_why="by hand",
            sha256=fingerprint(f"{name} uploaded"),
            chain_length=2,
            targets=(),
        ),
        found=("1 certificate", "1 key", "2 in the chain"),
        notes=("The chain was sorted.",),
        is_reordered=True,
    )
    return changed(made, **fields)


def refused_check(name: str = "shop", *, passphrase: str = "") -> UploadCheck:
    """Make the check of an upload whose key does not match this certificate, or that wants a passphrase."""
    if passphrase:
        failed = result("parse", "fail", "shop.pfx: the file is protected by a passphrase.", "Give it.")
        skipped = [result(id, "skip", "There is no certificate to check.") for id in _TITLES if id != "parse"]
        checks = (failed, *skipped)
        return UploadCheck(accepted=False, checks=checks, certificate=None, passphrase=passphrase)
    wrong = result(
        "key-match",
        "fail",
        "The private key (EC P-256) does not match this certificate.",
        "Give the private key of the CSR.",
    )
    return good_check(name, changes=[wrong])


def forceable_check(name: str = "shop") -> UploadCheck:
    """Make the check of an upload that is refused, and that somebody may apply all the same."""
    expired = result("chain", "fail", "R9, in the chain, expired on 1 Sep 2026.", "Ask the CA for its current one.")
    return good_check(name, changes=[expired], can_be_forced=True)


def _forced(check: UploadCheck, force: bool) -> UploadCheck:
    if not force or not check.can_be_forced:
        return check
    results = tuple(changed(each, forced=each.status == "fail") for each in check.checks)
    return changed(check, accepted=True, checks=results, can_be_forced=False)


class FakeUploads(FakeRequests):
    """Mixed into FakeEngine."""

    upload_check: UploadCheck | list[UploadCheck] | None = None
    """What the checks say; None: accepted with a warning, as in the sketch."""

    if TYPE_CHECKING:
        lineages: list[LineageStatus]

        def _called(self, method: str, **given: Any) -> None: ...
        def _put(self, new: LineageStatus) -> None: ...
        def _tell(
            self,
            operation: str,
            report: Reporter,
            cancel: CancelToken | None,
            events: Iterable[Event],
            about: str,
            outcome: str = "done",
        ) -> None: ...

    def read_part(self, path: Path) -> Part:
        self._called("read_part", path=path)
        return Part(str(path), b"as if read")

    def check_upload(
        self,
        upload: Upload,
        *,
        host: str | None = None,
        name: str | None = None,
        force: bool = False,
        fetch_chain: bool = False,
    ) -> UploadCheck:
        self._called("check_upload", upload=upload, host=host, name=name, force=force, fetch_chain=fetch_chain)
        return _forced(self._checked(name), force)

    def import_upload(
        self, request: ImportRequest, *, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> Imported:
        name, targets, force = request.name, request.targets, request.force
        self._called(
            "import_upload",
            name=name,
            upload=request.upload,
            host=request.host,
            targets=None if targets is None else tuple(targets),
            force=force,
            fetch_chain=request.fetch_chain,
            replace=request.replace,
            **({"keep_issuer": True} if request.keep_issuer else {}),
        )
        check = _forced(self._checked(name), force)
        if not check.accepted:
            error = InputRejected(
                "The certificate was rejected. The live certificate is unchanged.",
                " ".join(each.detail for each in check.failures),
                "Give another certificate.",
                lineage=name,
            )
            error.outcome = check
            raise error
        assert check.certificate is not None
        had = next((each for each in self.lineages if each.name == name), None)
        chosen = list(targets) if targets is not None else [each.name for each in had.targets] if had else []
        version = (had.version or 0) + 1 if had else 1
        sha256 = check.certificate.sha256
        events: list[Event] = [VersionStored(version=version), *deploy_events(chosen, sha256=sha256)]
        self._tell("import", report, cancel, events, name)
        states = tuple(TargetState(name=each, state="deployed", served_sha256=sha256) for each in chosen)
        self._put(changed(check.certificate, name=name, version=version, targets=states))
        return Imported(check=check, status=changed(check.certificate, name=name, version=version, targets=states))

    def _checked(self, name: str | None) -> UploadCheck:
        said = self.upload_check
        if isinstance(said, list):
            said = said.pop(0)
        if said is None:
            gone = "It no longer covers pay.example.com. Clients that use that name would reject it."
            said = good_check(name or "shop", changes=[result("names-kept", "warn", gone)])
        current = next((each for each in self.lineages if each.name == name), None)
        return changed(said, current=current) if said.current is None else said
