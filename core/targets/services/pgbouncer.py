"""PgBouncer: RELOAD responds RELOAD, whether or not the new pair was loaded."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import Action, KeyReader, Kind, Probing

KIND = Kind(
    name="pgbouncer",
    title="PgBouncer",
    group="database",
    measured="pgbouncer 1.18.0-1+deb12u1",
    package="pgbouncer",
    unit="pgbouncer.service",
    key=KeyReader(at_start="postgres", at_reload="postgres", group="postgres"),
    action=Action(
        command=("systemctl", "reload", "pgbouncer"),
        bad_pair="The response is the same as for success, and the old certificate stays in use.",
    ),
    probe=Probing(usual=("postgres://127.0.0.1:6432",)),
    detect=Detection(
        programs=("pgbouncer",),
        configuration=("/etc/pgbouncer/pgbouncer.ini",),
        certificate=("client_tls_cert_file",),
        key=("client_tls_key_file",),
        dialects=("postgres",),
    ),
    proven=True,
)
