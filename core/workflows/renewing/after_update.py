"""Checks the installation in the first scheduled run after an update, and reports a failed check.

The run renews in any case: a file that one command cannot read does not stop the others. A failed check is repeated by the next
run, so that a fix is noticed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from msgspec import Struct

from core.errors import CertdeckError, SelfCheckFailed, StoreTooNew
from core.paths import Paths
from core.regular import read_stored
from core.release import VERSION
from core.store.atomic import make_dir
from core.store.records import from_json, to_json, write_record
from core.text import listed
from core.workflows.context import Context
from core.workflows.renewing import last_run

_NAMED = 3


class CheckedRelease(Struct, frozen=True, kw_only=True):
    """`state/checked-release.json`: the release that last passed its check on this box."""

    release: str


def check_after_update(paths: Paths, reading: Callable[[], Context]) -> SelfCheckFailed | None:
    """Check a release that is new on this box. Returns the failure; None: the check passed, or the release is not new.

    On a box without any scheduled run so far, the release counts as checked.
    """
    if _checked(paths) == VERSION:
        return None
    if last_run.read(paths) is not None:
        from core.workflows.keeping.self_check import self_check

        failed = [each for each in self_check(reading()) if each.status == "fail"]
        if failed:
            return SelfCheckFailed(
                f"The check after the update to certdeck {VERSION} failed.",
                listed([f"{each.title}: {each.detail.rstrip('.')}" for each in failed], _NAMED) + ".",
                "Run `certdeck self-check`; it shows how to fix each problem.",
            )
    with suppress(CertdeckError):  # the disk is full or read-only: the next run checks again
        make_dir(paths.state)
        write_record(paths.checked_release, to_json(CheckedRelease(release=VERSION)))
    return None


def _checked(paths: Paths) -> str:
    try:
        return from_json(CheckedRelease, read_stored(paths.checked_release), paths.checked_release).release
    except (OSError, ValueError, TypeError, StoreTooNew):
        return ""
