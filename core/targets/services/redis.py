"""Redis: CONFIG SET with both paths reads the files again; a rejection is reported only in the output, with status 0."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import Action, KeyReader, Kind, Probing

KIND = Kind(
    name="redis",
    title="Redis",
    group="database",
    measured="redis-server 7.0.15-1~deb12u10",
    package="redis-server",
    unit="redis-server.service",
    key=KeyReader(at_start="redis", at_reload="redis", group="redis"),
    action=Action(
        command=("redis-cli", "CONFIG", "SET", "tls-cert-file", "{certificate}", "tls-key-file", "{key}"),
        says=("OK",),
        failure_signs=("err ", "noauth", "wrongpass", "noperm"),
        idle_signs=("could not connect to redis",),
        bad_pair="The response is ERR with status 0, and the old certificate stays in use.",
    ),
    probe=Probing(usual=("127.0.0.1:6379",)),
    detect=Detection(
        # Debian's redis-server is a link to redis-check-rdb, and the kernel uses that name for the executable.
        programs=("redis-server", "redis-check-rdb", "valkey-server", "valkey-check-rdb"),
        configuration=("/etc/redis/redis.conf", "/etc/valkey/valkey.conf"),
        reader="redis",
    ),
    remarks=(
        "If redis-cli needs a password or TLS, set a reload command with its options in the target (-s, --tls, --user).",
    ),
    proven=True,
)
