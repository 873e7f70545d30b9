"""Prosody: after a reload with a mismatched pair, STARTTLS is no longer offered."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import Action, ConfigTest, KeyReader, Kind, Probing

KIND = Kind(
    name="prosody",
    title="Prosody",
    group="messaging",
    measured="prosody 0.12.3-1+deb12u1",
    package="prosody",
    unit="prosody.service",
    key=KeyReader(at_start="prosody", at_reload="prosody", group="prosody"),
    test=ConfigTest(missing=True, mismatch=True),
    action=Action(
        command=("systemctl", "reload", "prosody"),
        bad_pair="STARTTLS is no longer offered. The port with direct TLS keeps the old certificate.",
    ),
    probe=Probing(usual=("xmpp://127.0.0.1:5222",)),
    detect=Detection(
        programs=("lua*", "prosody"),
        word="prosody",
        configuration=("/etc/prosody/prosody.cfg.lua",),
        options=("--config",),
        certificate=("certificate",),
        key=("key",),
        dialects=("xmpp", ""),
    ),
    remarks=(
        "`prosodyctl check certs` detects a mismatched pair, but also fails for an expired certificate: do not use it as the test.",
    ),
    proven=True,
)
