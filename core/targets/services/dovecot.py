"""Dovecot: neither test nor reload detects a mismatched pair; every handshake then fails."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import COMBINED, KEY_FIRST, SEPARATE, Action, ConfigTest, Files, Kind, Probing

KIND = Kind(
    name="dovecot",
    title="Dovecot",
    group="mail",
    measured="dovecot 2.3.19.1+dfsg1-2.1+deb12u7",
    package="dovecot-core",
    unit="dovecot.service",
    files=Files(layouts=(SEPARATE, COMBINED, KEY_FIRST)),
    test=ConfigTest(command=("doveconf", "-n"), missing=False, mismatch=False),
    action=Action(
        command=("doveadm", "reload"),
        idle_signs=("dovecot is not running",),
        bad_pair="The reload reports success, and every handshake fails.",
    ),
    probe=Probing(usual=("127.0.0.1:993",)),
    detect=Detection(
        programs=("dovecot",),
        configuration=("/etc/dovecot/dovecot.conf",),
        reader="dovecot",
        dialects=("imap", "pop3", "sieve", ""),
    ),
    remarks=("doveconf -n does not open the files. doveconf -x would, but prints the key.",),
    proven=True,
)
