"""memcached: refreshed over a TLS connection; after a failed refresh no TLS connection is left for another attempt."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import Action, Exchange, KeyReader, Kind, Probing

KIND = Kind(
    name="memcached",
    title="memcached",
    group="database",
    measured="memcached 1.6.18-1+deb12u1",
    package="memcached",
    unit="memcached.service",
    key=KeyReader(at_reload="memcache", group="memcache"),
    action=Action(
        exchange=Exchange(socket="{probe}", say=("refresh_certs\r\n",)),
        says=("OK",),
        bad_pair="Every new handshake fails, and only a restart helps.",
        recover=("systemctl", "restart", "memcached"),
    ),
    probe=Probing(usual=("127.0.0.1:11211",)),
    detect=Detection(
        programs=("memcached",),
        configuration=("/etc/memcached.conf",),
        certificate=("ssl_chain_cert",),
        key=("ssl_key",),
    ),
    remarks=(
        "root reads the key at the start, and memcache at a refresh: mode 0600 works at first and fails at the first renewal.",
        "SIGHUP does nothing.",
    ),
    proven=True,
)
