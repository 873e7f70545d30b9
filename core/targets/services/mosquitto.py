"""Mosquitto: a reload with a mismatched pair breaks every new handshake until the files are correct again."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import Action, KeyReader, Kind, Probing

KIND = Kind(
    name="mosquitto",
    title="Mosquitto",
    group="messaging",
    measured="mosquitto 2.0.11-1.2+deb12u2",
    package="mosquitto",
    unit="mosquitto.service",
    key=KeyReader(at_start="mosquitto", at_reload="mosquitto", group="mosquitto"),
    action=Action(
        command=("systemctl", "reload", "mosquitto"),
        bad_pair="Every new handshake fails until the files are correct and the service is reloaded again.",
    ),
    probe=Probing(usual=("127.0.0.1:8883",)),
    detect=Detection(
        programs=("mosquitto",),
        configuration=("/etc/mosquitto/mosquitto.conf",),
        options=("-c",),
        certificate=("certfile",),
        key=("keyfile",),
    ),
    proven=True,
)
