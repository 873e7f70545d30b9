"""The default name of an upload: that of the signing request it answers, else the certificate's first name."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from core.operations import LineageStatus
from core.upload.values import Upload, UploadCheck

if TYPE_CHECKING:
    from core.engine import Engine


def prefilled(lineage: LineageStatus | None) -> str:
    """Return the name under the cursor if the upload is probably for it, because its current version was uploaded too."""
    return lineage.name if lineage is not None and lineage.method == "upload" else ""


def check_as_named(
    engine: Engine, upload: Upload, *, name: str | None, fetch_chain: bool, known: Collection[str]
) -> UploadCheck:
    """Check an upload; without a `name`, under its default name. `known`: the names of the existing lineages.

    Raises what `engine.check_upload` raises.
    """
    check = engine.check_upload(upload, name=name, fetch_chain=fetch_chain)
    if name is not None or check.certificate is None:
        return check
    found = check.request or check.certificate.name
    if found == check.certificate.name and found not in known:
        return check
    # Check again: there may be a certificate to compare it with, and names that must not be lost.
    return engine.check_upload(upload, name=found, fetch_chain=fetch_chain)
