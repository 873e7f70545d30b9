"""CUPS: reads NAME.crt and NAME.key in ServerKeychain for each connection."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import NO_ACTION, Action, ConfigTest, Files, Kind, Probing

KIND = Kind(
    name="cups",
    title="CUPS",
    group="printing",
    measured="cups-daemon 2.4.2-3+deb12u9",
    package="cups-daemon",
    unit="cups.service",
    files=Files(
        certificate="/etc/cups/ssl/HOSTNAME.crt",
        key="/etc/cups/ssl/HOSTNAME.key",
        remark="The files are NAME.crt and NAME.key in ServerKeychain.",
    ),
    test=ConfigTest(command=("cupsd", "-t"), missing=False, mismatch=False),
    action=Action(how=NO_ACTION, bad_pair="Connections are closed at once."),
    probe=Probing(usual=("127.0.0.1:631",)),
    detect=Detection(programs=("cupsd",), configuration=("/etc/cups/ssl",), reader="fixed"),
    proven=True,
)
