"""The versions of a certificate that are stored, newest first."""

from __future__ import annotations

from contextlib import suppress

from core.errors import CertdeckError
from core.kept_version import KeptVersion
from core.store import lineages
from core.store.had_with import settings_of
from core.workflows.context import View


def kept_versions(view: View, name: str) -> tuple[KeptVersion, ...]:
    """Return every version of a lineage that can be read, the newest first. Raises NotFound, StoreError."""
    settings_of(view.paths, name)
    live, waiting = lineages.live_version(view.paths, name), lineages.waiting_version(view.paths, name)
    found: list[KeptVersion] = []
    for number in reversed(lineages.versions(view.paths, name)):
        with suppress(CertdeckError):  # a damaged one cannot be chosen; deploying says what is wrong with it
            leaf = lineages.read_version(view.paths, name, number).certificate
            found.append(
                KeptVersion(
                    number=number,
                    is_live=number == live,
                    is_waiting=number == waiting,
                    not_before=leaf.not_before,
                    not_after=leaf.not_after,
                    issuer=leaf.issuer,
                    sha256=leaf.sha256,
                    key_type=leaf.key_type,
                    names=tuple(leaf.names),
                    has_key=lineages.has_key(view.paths, name, number),
                )
            )
    return tuple(found)
