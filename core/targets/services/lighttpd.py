"""lighttpd: root reads the key at the start and www-data at every reload; an unreadable key then stops the server."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import (
    COMBINED,
    IDLE_CLOSED,
    KEY_FIRST,
    SEPARATE,
    Action,
    ConfigTest,
    Files,
    KeyReader,
    Kind,
    Probing,
)

KIND = Kind(
    name="lighttpd",
    title="lighttpd",
    group="web",
    measured="lighttpd 1.4.69-1",
    package="lighttpd",
    unit="lighttpd.service",
    files=Files(layouts=(SEPARATE, COMBINED, KEY_FIRST)),
    key=KeyReader(at_reload="www-data", group="www-data"),
    test=ConfigTest(command=("lighttpd", "-tt", "-f", "/etc/lighttpd/lighttpd.conf"), missing=True, mismatch=True),
    action=Action(
        command=("systemctl", "reload", "lighttpd"),
        sessions=IDLE_CLOSED,
        bad_pair="The server exits with status 255.",
        recover=("systemctl", "restart", "lighttpd"),
    ),
    probe=Probing(usual=("127.0.0.1:443",), seconds=20),
    detect=Detection(
        programs=("lighttpd",),
        configuration=("/etc/lighttpd/lighttpd.conf",),
        options=("-f",),
        tool=("lighttpd", "-p", "-f", "{configuration}"),
        certificate=("ssl.pemfile",),
        key=("ssl.privkey",),
    ),
    remarks=(
        "Only -tt reads the files; -t does not. SIGHUP rotates logs and keeps the old certificate.",
        "While a request is in progress, the reload blocks new clients. server.graceful-shutdown-timeout limits this.",
    ),
    proven=True,
)
