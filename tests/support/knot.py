"""Knot DNS on loopback: the same zones and keys as BIND's, with Knot's own ways of saying no."""

from __future__ import annotations

from pathlib import Path

from tests.support.programs import Program, find_program, wait_until
from tests.support.zones import HAS_IPV6, KEY, KEYS, NARROW_KEY, NARROW_NAME, SUB_KEY, ZONES, NameServer, write_zones

ACLS = {"example.com": [KEY, NARROW_KEY], "sub.example.com": [SUB_KEY], "delegated.example.net": [KEY]}


class KnotServer(NameServer):
    """A running server with the zones of tests/support/zones.py; keys as values there."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._program: Program | None = None
        self.folder = folder

    @property
    def log(self) -> str:
        return (self.folder / "knotd.log").read_text(errors="replace")

    def start(self) -> None:
        """Start it and return when it answers. After a `stop` it goes on with the zones as they were."""
        for name in ("run", "database"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        write_zones(self.folder)
        configuration = self.folder / "knot.conf"
        configuration.write_text(self._configuration())
        argv = [find_program("knotd"), "--config", str(configuration)]
        self._program = Program(argv, self.folder / "knotd.log")
        self._program.wait_for_port(self.port)
        wait_until(lambda: all(self.query(zone, "SOA") for zone in ZONES), "Knot loading its zones")

    def stop(self) -> None:
        if self._program is not None:
            self._program.stop()

    def _configuration(self) -> str:
        keys = "\n".join(
            f"  - id: {key.name}.\n    algorithm: {key.algorithm}\n    secret: {key.secret}" for key in KEYS
        )
        zones = "\n".join(
            f"  - domain: {zone}\n    acl: [transfer, {', '.join(key.name for key in allowed)}]"
            for zone, allowed in ACLS.items()
        )
        listen = [f"127.0.0.1@{self.port}", *([f"::1@{self.port}"] if HAS_IPV6 else [])]
        return f"""\
server:
    listen: [{", ".join(listen)}]
    rundir: "{self.folder}/run"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: "{self.folder}/database"
    journal-db-max-size: 16M
key:
{keys}
acl:
  - id: transfer
    address: 127.0.0.1
    action: transfer
  - id: {KEY.name}
    key: {KEY.name}.
    action: update
    update-type: TXT
  - id: {SUB_KEY.name}
    key: {SUB_KEY.name}.
    action: update
    update-type: TXT
  - id: {NARROW_KEY.name}
    key: {NARROW_KEY.name}.
    action: update
    update-type: TXT
    update-owner: name
    update-owner-match: equal
    update-owner-name: [{NARROW_NAME}.]
template:
  - id: default
    storage: "{self.folder}"
    file: "%s.zone"
    journal-max-usage: 4M
zone:
{zones}
"""
