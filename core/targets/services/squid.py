"""Squid: a plain SIGHUP with a mismatched pair stops it; `squid -k reconfigure` checks first and fails."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import COMBINED, SEPARATE, Action, ConfigTest, Files, Kind

KIND = Kind(
    name="squid",
    title="Squid",
    group="proxy",
    measured="squid-openssl 5.7-2+deb12u6",
    package="squid-openssl",
    unit="squid.service",
    files=Files(layouts=(SEPARATE, COMBINED)),
    test=ConfigTest(command=("squid", "-k", "parse"), missing=True, mismatch=True),
    action=Action(
        command=("squid", "-k", "reconfigure"),
        idle_signs=("no running copy", "failed to open /run/squid.pid"),
        bad_pair="squid -k reconfigure fails and sends no signal. The unit's own reload stops the service.",
        recover=("systemctl", "restart", "squid"),
    ),
    detect=Detection(
        programs=("squid",),
        configuration=("/etc/squid/squid.conf",),
        options=("-f",),
        certificate=("tls-cert", "cert"),
        key=("tls-key", "key"),
    ),
    remarks=("The port refuses new connections for about 30 ms.", "It does not serve an Ed25519 certificate."),
    proven=True,
)
