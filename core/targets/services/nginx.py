"""nginx: its test reads certificate and key as new workers do, and a failed reload leaves the old workers running."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import IDLE_CLOSED, Action, ConfigTest, Kind, Probing

KIND = Kind(
    name="nginx",
    title="nginx",
    group="web",
    measured="nginx 1.22.1-9+deb12u9",
    package="nginx",
    unit="nginx.service",
    test=ConfigTest(command=("nginx", "-t"), missing=True, mismatch=True),
    action=Action(
        command=("nginx", "-s", "reload"),
        # nginx 1.22: the PID file is missing, empty, or names a process that no longer exists.
        idle_signs=("invalid pid number", '.pid" failed (2:', "failed (3: no such process)"),
        sessions=IDLE_CLOSED,
        bad_pair="The reload fails, and the old certificate stays in use.",
    ),
    probe=Probing(usual=("127.0.0.1:443",)),
    detect=Detection(programs=("nginx",), configuration=("/etc/nginx/nginx.conf",), reader="nginx"),
    remarks=(
        "With a variable in ssl_certificate the account www-data reads the files at each handshake; nginx -t ignores them.",
        "A response in ssl_stapling_file for the old certificate is stapled to the new one.",
    ),
    proven=True,
)
