"""coturn: SIGUSR2 reads the files; with a bad pair it starts without a TLS port, or with one whose handshakes fail."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import Action, KeyReader, Kind, Probing

KIND = Kind(
    name="coturn",
    title="coturn",
    group="messaging",
    measured="coturn 4.6.1-1",
    package="coturn",
    unit="coturn.service",
    key=KeyReader(at_start="turnserver", at_reload="turnserver", group="turnserver"),
    action=Action(
        command=("systemctl", "kill", "--signal=USR2", "--kill-whom=main", "coturn"),
        bad_pair="The signal reports nothing, and the old certificate stays in use.",
    ),
    probe=Probing(usual=("127.0.0.1:5349",)),
    detect=Detection(
        programs=("turnserver",),
        configuration=("/etc/turnserver.conf",),
        options=("-c",),
        certificate=("cert", "--cert"),
        key=("pkey", "--pkey"),
    ),
    remarks=("SIGHUP does not read the files.", "With a mismatched pair it starts without TLS."),
    proven=True,
)
