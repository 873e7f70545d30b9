"""HAProxy: one PEM file; its master starts a new worker, and keeps the old one if the new one fails."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import COMBINED, IDLE_CLOSED, KEY_FIRST, SEPARATE, Action, ConfigTest, Files, Kind, Probing

KIND = Kind(
    name="haproxy",
    title="HAProxy",
    group="proxy",
    measured="haproxy 2.6.12-1+deb12u3",
    package="haproxy",
    unit="haproxy.service",
    files=Files(
        layouts=(COMBINED, KEY_FIRST, SEPARATE),
        certificate="/etc/haproxy/certs/site.pem",
        remark=(
            "A separate key is named NAME.pem.key, next to NAME.pem. HAProxy loads every file in a crt folder: a file "
            "without a key makes the configuration test fail."
        ),
    ),
    test=ConfigTest(command=("haproxy", "-c", "-q", "-f", "/etc/haproxy/haproxy.cfg"), missing=True, mismatch=True),
    action=Action(
        command=("systemctl", "reload", "haproxy"),
        sessions=IDLE_CLOSED,
        bad_pair="The signal reports nothing, and the old worker stays in use.",
    ),
    probe=Probing(usual=("127.0.0.1:443",)),
    detect=Detection(programs=("haproxy",), configuration=("/etc/haproxy/haproxy.cfg",), reader="haproxy"),
    remarks=("A file NAME.ocsp of the old certificate is ignored with a warning.",),
    proven=True,
)
