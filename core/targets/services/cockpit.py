"""Cockpit: a file NAME.cert with NAME.key next to it, read only at the start."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import CUT, RESTART, Action, ConfigTest, Files, Kind, Probing

KIND = Kind(
    name="cockpit",
    title="Cockpit",
    group="web",
    measured="cockpit-ws 287.1-0+deb12u3",
    package="cockpit-ws",
    unit="cockpit.service",
    files=Files(
        certificate="/etc/cockpit/ws-certs.d/zz-certdeck.cert",
        key="/etc/cockpit/ws-certs.d/zz-certdeck.key",
        remark="In ws-certs.d, the last name in sort order is used, across .cert and .crt. A combined file is refused.",
    ),
    test=ConfigTest(command=("/usr/lib/cockpit/cockpit-certificate-ensure", "--check"), missing=True, mismatch=True),
    action=Action(how=RESTART, command=("systemctl", "restart", "cockpit"), sessions=CUT),
    probe=Probing(usual=("127.0.0.1:9090",)),
    detect=Detection(programs=("cockpit-tls",), configuration=("/etc/cockpit/ws-certs.d",), reader="fixed"),
    proven=True,
)
