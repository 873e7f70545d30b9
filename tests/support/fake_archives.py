"""The part of the engine's double that backs up and restores.

engine.backup_skips = ("/…/socket",)     # what a backup leaves out
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from core.archives import BackupDone, Difference, RestoreDone
from core.engine import ignore
from core.errors import AlreadyThere, NotFound
from core.events import Reporter
from core.forecast import Forecast, Subject, forecast
from core.ports import CancelToken
from core.schedule.timetable import TWICE_DAILY
from tests.support.lineages import NOW


class FakeArchives:
    """Mix-in; its host has `_called` and `calls`."""

    backup_skips: tuple[str, ...] = ()
    backup_key_source = "file"
    subjects: tuple[Subject, ...] = (
        Subject(name="shop", issuer="letsencrypt", kind="letsencrypt", lifetime_days=90.0),
    )

    def backup(
        self,
        out: Path,
        *,
        passphrase: bytes | None = None,
        to_key: bytes | None = None,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> BackupDone:
        self._archived("backup", out=out, passphrase=passphrase, to_key=to_key)
        return BackupDone(
            path=out,
            files=42,
            bytes=123_456,
            certificates=3,
            sealed_for="passphrase" if to_key is None else "key",
            key_source=self.backup_key_source,
            skipped=self.backup_skips,
        )

    def backed_up_elsewhere(self, *, report: Reporter = ignore) -> None:
        self._archived("backed_up_elsewhere")

    def look_at_backup(self, file: Path, *, passphrase: bytes | None = None, key: bytes | None = None) -> RestoreDone:
        self._archived("look_at_backup", file=file, passphrase=passphrase, key=key)
        return self._restored(file)

    def restore(
        self,
        file: Path,
        *,
        passphrase: bytes | None = None,
        key: bytes | None = None,
        replace: bool = False,
        report: Reporter = ignore,
        cancel: CancelToken | None = None,
    ) -> RestoreDone:
        self._archived("restore", file=file, passphrase=passphrase, key=key, replace=replace)
        if not replace:
            raise AlreadyThere("The backup was not restored.", "Certificates are here already.", "Add --replace.")
        return self._restored(file, applied=True, set_aside=(Path("/nowhere/etc/replaced-1"),))

    def what_if(self, day: date, names: Sequence[str] = ()) -> Forecast:
        self._archived("what_if", day=day, names=names)
        return forecast(self.subjects, day, today=NOW.date(), timetable=TWICE_DAILY, has_timer=True)

    def write_report(self, out: Path, *, texts: Mapping[str, str]) -> tuple[str, ...]:
        self._archived("write_report", out=out, texts=texts)
        return ("versions.txt", *texts)

    def _restored(self, file: Path, **given: Any) -> RestoreDone:
        if file.name == "missing":
            raise NotFound(
                "The backup cannot be read.", f"The file {file} does not exist.", "Give the file of a backup."
            )
        gone = Difference(
            kind="target", name="web", state="missing-path", text="/etc/nginx of the target web does not exist here."
        )
        given = {"applied": False, "differences": (gone,), "needs_replace": True, **given}
        return RestoreDone(
            path=file,
            made=NOW,
            version="1.0",
            hostname="old.example.com",
            files=42,
            bytes=9_000,
            certificates=3,
            **given,
        )

    def _archived(self, method: str, **given: Any) -> None:
        called: Any = self
        called._called(method, **given)
