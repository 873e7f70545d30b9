"""`files`: copy, then whatever test and reload the target gives (SF-15, SF-24, SO-41). Fits every service that reads PEM."""

from __future__ import annotations

from core.targets.kind import Kind

KIND = Kind(
    name="files",
    title="Files",
    # systemd's words, whatever the service is: "x.service is not active, cannot reload."
    idle_signs=("is not active, cannot reload",),
)
