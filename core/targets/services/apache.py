"""Apache: its test reports "Syntax OK" for a mismatched pair, and the reload then stops the whole server."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import COMBINED, IDLE_CLOSED, SEPARATE, Action, ConfigTest, Files, Kind, Probing

KIND = Kind(
    name="apache",
    title="Apache",
    group="web",
    measured="apache2 2.4.71-1~deb12u1",
    package="apache2",
    unit="apache2.service",
    files=Files(layouts=(SEPARATE, COMBINED)),
    test=ConfigTest(command=("apache2ctl", "configtest"), missing=True, mismatch=False),
    action=Action(
        command=("apache2ctl", "graceful"),
        idle_signs=("not running, trying to start",),
        sessions=IDLE_CLOSED,
        bad_pair="The command reports success, and the whole server stops.",
        recover=("apache2ctl", "start"),
    ),
    probe=Probing(usual=("127.0.0.1:443",)),
    detect=Detection(
        programs=("apache2", "httpd"),
        configuration=("/etc/apache2/apache2.conf", "/etc/httpd/conf/httpd.conf"),
        reader="apache",
    ),
    proven=True,
)
