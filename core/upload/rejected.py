"""The error for a certificate that did not pass its checks."""

from __future__ import annotations

from core.errors import CertdeckError
from core.upload.values import UploadCheck


class InputRejected(CertdeckError):
    """An upload did not pass. `details["checks"]` holds the checks."""

    code = "input-rejected"
    outcome: UploadCheck | None = None
    """The whole of what the checks say, for the front ends."""
