"""`nginx`: its test reads certificate and key as the new workers will, and a refused reload leaves the old workers alone."""

from __future__ import annotations

from core.targets import files
from core.targets.kind import Kind

KIND = Kind(
    name="nginx",
    title="nginx",
    test=("nginx", "-t"),
    reload=("nginx", "-s", "reload"),
    # nginx 1.22: the PID file is missing, empty, or names a process that is gone.
    idle_signs=(*files.KIND.idle_signs, "invalid pid number", '.pid" failed (2:', "failed (3: no such process)"),
)
