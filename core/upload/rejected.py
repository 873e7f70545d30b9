"""The error for a certificate that did not pass its checks."""

from __future__ import annotations

from core.errors import CertdeckError
from core.upload.values import UploadCheck


class InputRejected(CertdeckError):
    """An upload did not pass its checks. `details["checks"]` has the results."""

    code = "input-rejected"
    outcome: UploadCheck | None = None
    """The complete result of the checks, for the front ends."""
