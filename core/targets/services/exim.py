"""Exim: its own account reads the key for each load, also for the first; a HUP makes it read the files."""

from __future__ import annotations

from core.targets.kind import COMBINED, SEPARATE, Action, ConfigTest, Files, KeyReader, Kind, Probing

KIND = Kind(
    name="exim",
    title="Exim",
    group="mail",
    measured="exim4-daemon-light 4.96-15+deb12u11",
    package="exim4-daemon-light",
    unit="exim4.service",
    files=Files(layouts=(SEPARATE, COMBINED)),
    key=KeyReader(at_start="Debian-exim", at_reload="Debian-exim", group="Debian-exim"),
    test=ConfigTest(command=("exim4", "-bV"), missing=False, mismatch=False),
    action=Action(
        command=("systemctl", "reload", "exim4"),
        bad_pair="STARTTLS is offered and answers 454, and the TLS port closes connections.",
    ),
    probe=Probing(usual=("smtp://127.0.0.1:25",)),
    remarks=(
        "It notices a file that was replaced in its folder within about 5 s, but never a switched link: the reload is needed.",
    ),
)
