"""Unbound: reload responds `ok` and keeps the old certificate; only a restart helps."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import CUT, RESTART, Action, ConfigTest, Kind, Probing

KIND = Kind(
    name="unbound",
    title="Unbound",
    group="dns",
    measured="unbound 1.17.1-2+deb12u4",
    package="unbound",
    unit="unbound.service",
    test=ConfigTest(command=("unbound-checkconf",), missing=False, mismatch=False),
    action=Action(
        how=RESTART,
        command=("systemctl", "restart", "unbound"),
        sessions=CUT,
        bad_pair="The restart fails, and the service is down.",
        recover=("systemctl", "restart", "unbound"),
    ),
    probe=Probing(usual=("127.0.0.1:853",)),
    detect=Detection(
        programs=("unbound",),
        configuration=("/etc/unbound/unbound.conf",),
        options=("-c",),
        certificate=("tls-service-pem", "ssl-service-pem"),
        key=("tls-service-key", "ssl-service-key"),
    ),
    remarks=("`unbound-control reload`, reload_keep_cache and SIGHUP report success but keep the old certificate.",),
    proven=True,
)
