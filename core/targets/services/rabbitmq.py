"""RabbitMQ: it caches files for up to 120 s, ignores older ones, and serves a mismatched pair."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import Action, KeyReader, Kind, Probing

KIND = Kind(
    name="rabbitmq",
    title="RabbitMQ",
    group="messaging",
    measured="rabbitmq-server 3.10.8-1.1+deb12u1",
    package="rabbitmq-server",
    unit="rabbitmq-server.service",
    key=KeyReader(at_start="rabbitmq", at_reload="rabbitmq", group="rabbitmq"),
    action=Action(
        command=("rabbitmqctl", "eval", "ssl:clear_pem_cache()."),
        says=("ok",),
        idle_signs=("unable to perform an operation on node", "nodedown"),
        bad_pair="It is served: clients see an invalid signature.",
        seconds=120,
    ),
    probe=Probing(usual=("127.0.0.1:5671",)),
    detect=Detection(
        programs=("beam.smp",),
        word="rabbit",
        configuration=("/etc/rabbitmq/rabbitmq.conf",),
        variable="RABBITMQ_CONFIG_FILE",
        certificate=("ssl_options.certfile",),
        key=("ssl_options.keyfile",),
    ),
    remarks=(
        "Without the command, it loads new files within 120 s, but never older files.",
        "A mismatched pair is served even after a restart. Only a complete handshake detects it.",
    ),
    proven=True,
)
