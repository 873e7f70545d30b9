"""syslog-ng: a reload with a mismatched pair reports success, and the listener does not respond until a restart."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import Action, ConfigTest, Kind, Probing

KIND = Kind(
    name="syslog-ng",
    title="syslog-ng",
    group="logging",
    measured="syslog-ng-core 3.38.1-5+deb12u1",
    package="syslog-ng-core",
    unit="syslog-ng.service",
    test=ConfigTest(command=("syslog-ng", "-s"), missing=True, mismatch=False),
    action=Action(
        command=("syslog-ng-ctl", "reload"),
        failure_signs=("config reload failed", "error"),
        idle_signs=("error connecting control socket",),
        bad_pair="The reload reports success. The listener accepts connections but never responds.",
        recover=("systemctl", "restart", "syslog-ng"),
    ),
    probe=Probing(usual=("127.0.0.1:6514",)),
    detect=Detection(
        programs=("syslog-ng",),
        configuration=("/etc/syslog-ng/syslog-ng.conf",),
        options=("-f", "--cfgfile"),
        certificate=("cert-file",),
        key=("key-file",),
    ),
    remarks=("After a bad reload `syslog-ng-ctl credentials status` shows PENDING.",),
    proven=True,
)
