"""Pure-FTPd: only a restart reads the files. SIGHUP stops it."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import COMBINED, KEY_FIRST, LIVE, RESTART, SEPARATE, Action, Files, Kind, Probing

KIND = Kind(
    name="pure-ftpd",
    title="Pure-FTPd",
    group="ftp",
    measured="pure-ftpd 1.0.50-2.1+b2",
    package="pure-ftpd",
    unit="pure-ftpd.service",
    files=Files(layouts=(COMBINED, KEY_FIRST, SEPARATE), certificate="/etc/ssl/private/pure-ftpd.pem"),
    action=Action(
        how=RESTART,
        command=("systemctl", "restart", "pure-ftpd"),
        sessions=LIVE,
        bad_pair="The restart fails without a message, and the service is down.",
        recover=("systemctl", "restart", "pure-ftpd"),
    ),
    probe=Probing(usual=("ftp://127.0.0.1:21",)),
    detect=Detection(
        programs=("pure-ftpd*",), configuration=("/etc/ssl/private/pure-ftpd.pem",), reader="fixed", dialects=("ftp",)
    ),
    remarks=("SIGHUP stops the service. Never use it to reload.",),
    proven=True,
)
