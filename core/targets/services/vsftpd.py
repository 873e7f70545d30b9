"""vsftpd: only a restart reads the files; it prints no message if it cannot start."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import COMBINED, CUT, KEY_FIRST, RESTART, SEPARATE, Action, Files, Kind, Probing

KIND = Kind(
    name="vsftpd",
    title="vsftpd",
    group="ftp",
    measured="vsftpd 3.0.3-13+b2",
    package="vsftpd",
    unit="vsftpd.service",
    files=Files(layouts=(SEPARATE, COMBINED, KEY_FIRST)),
    action=Action(
        how=RESTART,
        command=("systemctl", "restart", "vsftpd"),
        sessions=CUT,
        bad_pair="The restart fails without a message, and the service is down.",
        recover=("systemctl", "restart", "vsftpd"),
    ),
    probe=Probing(usual=("ftp://127.0.0.1:21",)),
    detect=Detection(
        programs=("vsftpd",),
        configuration=("/etc/vsftpd.conf", "/etc/vsftpd/vsftpd.conf"),
        certificate=("rsa_cert_file",),
        key=("rsa_private_key_file",),
        contains="ssl_enable=YES",
        dialects=("ftp",),
    ),
    remarks=("SIGHUP, which is the unit's reload, does nothing.",),
    proven=True,
)
