"""PowerDNS Authoritative on loopback over an SQLite file: DNS and the HTTP API with a key, in a folder of its own."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from pathlib import Path
from typing import Any

from tests.support.programs import NotThere, Program, find_program, free_port
from tests.support.zones import NameServer

API_KEY = "q7GdB0cmYz-powerdns-api-key"
SCHEMA = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"
ZONE = "example.com"
CHALLENGE = f"_acme-challenge.{ZONE}"
SETS: tuple[dict[str, Any], ...] = (
    {"name": ZONE, "type": "A", "ttl": 300, "records": ["192.0.2.1"]},
    {"name": ZONE, "type": "MX", "ttl": 7207, "records": ["10 mail.example.com.", "20 mail.example.net."]},
    {
        "name": ZONE,
        "type": "TXT",
        "ttl": 3600,
        "records": ['"v=spf1 mx -all"', '"site-verification=abc\\"def\\\\ghi" "second string of the same record"'],
    },
    {"name": f"shop.{ZONE}", "type": "CNAME", "ttl": 300, "records": ["example.com."]},
    {"name": f"caa.{ZONE}", "type": "CAA", "ttl": 601, "records": ['0 issue "ca.example.net"']},
    {"name": f"_sip._tcp.{ZONE}", "type": "SRV", "ttl": 123, "records": ["10 60 5060 mail.example.com."]},
    {
        "name": CHALLENGE,
        "type": "TXT",
        "ttl": 119,
        "records": ['"somebody-elses-value-of-forty-three-charact"', '"switched-off"'],
        "disabled": ['"switched-off"'],
        "comments": [{"content": "of the other appliance", "account": "ops"}],
    },
)
"""What stands in the zone besides SOA and NS."""


class PowerDnsServer(NameServer):
    """A running server that holds example.com, and the secondary zone secondary.example.com."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.api_port = free_port()
        self._program: Program | None = None
        self.folder = folder

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    def start(self) -> None:
        """Start it with fresh zones and return when it answers."""
        if not Path(SCHEMA).exists():
            raise NotThere("pdns-backend-sqlite3 is missing: run `make servers` once")
        self.folder.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self.folder / "zones.sqlite3")
        database.executescript(Path(SCHEMA).read_text())
        database.close()
        (self.folder / "pdns.conf").write_text(self._configuration())
        argv = [find_program("pdns_server"), f"--config-dir={self.folder}"]
        self._program = Program(argv, self.folder / "pdns.log")
        self._program.wait_for_port(self.api_port)
        self._program.wait_for_port(self.port)
        self.call("POST", "", {"name": f"{ZONE}.", "kind": "Native", "nameservers": ["ns1.example.com."]})
        self.call("POST", "", {"name": f"secondary.{ZONE}.", "kind": "Slave", "masters": ["127.0.0.9"]})
        self.call("PATCH", f"/{ZONE}.", {"rrsets": [_given(each) for each in SETS]})

    def stop(self) -> None:
        if self._program is not None:
            self._program.stop()

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Use the API below its zones as another client would."""
        request = urllib.request.Request(  # noqa: S310 - our own URL
            f"{self.endpoint}/api/v1/servers/localhost/zones{path}",
            None if body is None else json.dumps(body).encode(),
            {"X-API-Key": API_KEY, "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own URL
            return json.loads(answer.read() or b"null")

    def snapshot(self) -> list[dict[str, Any]]:
        """Return every set of example.com as the API shows it, comments and disabled records too, but for the SOA's serial."""
        sets = self.call("GET", f"/{ZONE}.")["rrsets"]
        for each in sets:
            each["records"].sort(key=lambda record: record["content"])
        return sorted((each for each in sets if each["type"] != "SOA"), key=lambda each: (each["name"], each["type"]))

    def _configuration(self) -> str:
        return f"""\
launch=gsqlite3
gsqlite3-database={self.folder}/zones.sqlite3
gsqlite3-pragma-synchronous=0
local-address=127.0.0.1
local-port={self.port}
api=yes
api-key={API_KEY}
webserver-address=127.0.0.1
webserver-port={self.api_port}
socket-dir={self.folder}
daemon=no
guardian=no
disable-syslog=yes
security-poll-suffix=
receiver-threads=1
distributor-threads=1
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
"""


def _given(each: dict[str, Any]) -> dict[str, Any]:
    off = each.get("disabled", ())
    return {
        **{key: value for key, value in each.items() if key != "disabled"},
        "name": f"{each['name']}.",
        "changetype": "REPLACE",
        "records": [{"content": content, "disabled": content in off} for content in each["records"]],
    }
