"""ngIRCd: a reload with a bad pair closes the TLS port; its test does not read the files."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import Action, ConfigTest, KeyReader, Kind, Probing

KIND = Kind(
    name="ngircd",
    title="ngIRCd",
    group="messaging",
    measured="ngircd 26.1-1+deb12u1",
    package="ngircd",
    unit="ngircd.service",
    key=KeyReader(at_start="irc", at_reload="irc", group="irc"),
    test=ConfigTest(command=("ngircd", "--configtest"), missing=False, mismatch=False),
    action=Action(
        command=("systemctl", "reload", "ngircd"),
        bad_pair="The TLS port is closed until the next good reload.",
    ),
    probe=Probing(usual=("127.0.0.1:6697",)),
    detect=Detection(
        programs=("ngircd",),
        configuration=("/etc/ngircd/ngircd.conf",),
        options=("-f", "--config"),
        certificate=("CertFile",),
        key=("KeyFile",),
    ),
    remarks=(
        "Debian's unit starts it as irc. Started by root, it reads a key with mode 0600 once and not at the first reload.",
    ),
    proven=True,
)
