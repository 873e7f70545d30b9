"""hitch: it compares modification times, and ignores a file that is older than the loaded one."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import COMBINED, KEY_FIRST, SEPARATE, Action, ConfigTest, Files, Kind, Probing

KIND = Kind(
    name="hitch",
    title="hitch",
    group="proxy",
    measured="hitch 1.7.2-1+b1",
    package="hitch",
    unit="hitch.service",
    files=Files(layouts=(COMBINED, KEY_FIRST, SEPARATE)),
    test=ConfigTest(command=("hitch", "--test", "--config=/etc/hitch/hitch.conf"), missing=True, mismatch=True),
    action=Action(
        command=("systemctl", "reload", "hitch"),
        bad_pair="The signal reports nothing, and the old certificate stays in use.",
    ),
    probe=Probing(usual=("127.0.0.1:443",)),
    detect=Detection(
        programs=("hitch",),
        configuration=("/etc/hitch/hitch.conf",),
        options=("--config",),
        certificate=("pem-file", "cert"),
        key=("private-key",),
    ),
    remarks=(
        "It ignores files that are older than the loaded ones, so certdeck updates their times, also for a rollback.",
    ),
    proven=True,
)
