"""BIND, the name server, on loopback: zones that are changed by TSIG-signed updates, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

from tests.support.programs import Program, find_program, wait_until
from tests.support.zones import (
    HAS_IPV6,
    KEY,
    KEYS,
    NARROW_KEY,
    NARROW_NAME,
    SUB_KEY,
    ZONES,
    NameServer,
    write_zones,
)

ROOT_ZONE = """\
$TTL 60
@ IN SOA ns. hostmaster.ns. 1 3600 900 1209600 60
@ IN NS ns.
ns IN A 127.0.0.1
"""
POLICIES = {
    "example.com": f"grant {KEY.name}. zonesub TXT; grant {NARROW_KEY.name}. name {NARROW_NAME}. TXT;",
    "sub.example.com": f"grant {SUB_KEY.name}. zonesub TXT;",
    "delegated.example.net": f"grant {KEY.name}. zonesub TXT;",
}


class BindServer(NameServer):
    """A running server with the zones of tests/support/zones.py; keys as values there.

    `_acme-challenge.www.example.com` is a CNAME into delegated.example.net, and sub.example.com is delegated, to this server.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._program: Program | None = None
        self.folder = folder

    @property
    def log(self) -> str:
        return (self.folder / "named.log").read_text(errors="replace")

    def start(self) -> None:
        """Start it and return when it answers. After a `stop` it goes on with the zones as they were."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_zones(self.folder)
        configuration = self.folder / "named.conf"
        configuration.write_text(self._configuration())
        argv = [find_program("named"), "-g", "-n", "1", "-c", str(configuration)]
        self._program = Program(argv, self.folder / "named.log")
        self._program.wait_for_port(self.port)
        wait_until(lambda: all(self.query(zone, "SOA") for zone in ZONES), "BIND loading its zones")

    def stop(self) -> None:
        if self._program is not None:
            self._program.stop()

    def _configuration(self) -> str:
        keys = "\n".join(f'key "{key.name}." {{ algorithm {key.algorithm}; secret "{key.secret}"; }};' for key in KEYS)
        zones = "\n".join(
            f'zone "{zone}" {{ type primary; file "{zone}.zone"; update-policy {{ {POLICIES[zone]} }}; }};'
            for zone in ZONES
        )
        # Without recursion a CNAME is not followed into another zone; with it and a root of its own nothing is asked elsewhere.
        (self.folder / "root.zone").write_text(ROOT_ZONE)
        return f"""\
options {{
    directory "{self.folder}";
    pid-file none; lock-file none;
    session-keyfile "{self.folder}/session.key";
    listen-on port {self.port} {{ 127.0.0.1; }};
    listen-on-v6 port {self.port} {{ {"::1" if HAS_IPV6 else "none"}; }};
    recursion yes; allow-recursion {{ any; }}; allow-query {{ any; }}; allow-transfer {{ 127.0.0.1; }};
    tcp-clients 1000; tcp-listen-queue 512;
    notify no; dnssec-validation no; empty-zones-enable no; minimal-responses yes; max-cache-size 8m;
}};
controls {{ }};
{keys}
{zones}
zone "." {{ type primary; file "root.zone"; }};
"""
