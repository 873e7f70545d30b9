"""Signed zones on loopback and a resolver that verifies them: two BIND processes, one with zones, one with trust anchors.

`example.test` is signed well. `broken.test` is signed with a key that the resolver does not trust, as after a change
of keys without one of the DS record. `other.test` and `bare.test` are not signed; the server fails for `unloaded.test`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from core.system.resolver import SystemResolver
from tests.support.programs import Program, find_program, free_port, wait_until

_HEAD = "$TTL 60\n@ IN SOA ns.example.test. hostmaster.example.test. 1 3600 900 1209600 60\n@ IN NS ns.example.test.\n"
ZONES: Mapping[str, str] = {
    "example.test": """\
ns IN A 127.0.0.1
@ IN A 203.0.113.80
@ IN CAA 0 issue "ca.test"
@ IN CAA 0 issuewild ";"
plain IN A 203.0.113.81
plain IN AAAA 2001:db8::81
shop IN A 203.0.113.82
shop IN CAA 0 issue "other-ca.test; validationmethods=dns-01"
alias IN CNAME target.other.test.
chain IN CNAME alias.example.test.
bare-alias IN CNAME nothing.other.test.
""",
    "broken.test": "www IN A 203.0.113.90\n_acme-challenge.www IN TXT x\n",
    "other.test": """\
@ IN CAA 0 issue ";"
target IN CAA 0 issue "target-ca.test"
target IN A 203.0.113.91
nothing IN A 203.0.113.92
""",
    "bare.test": "nothing IN A 203.0.113.93\n",
    "test": "ns.example IN A 127.0.0.1\n"
    + "".join(f"{name} IN NS ns.example.test.\n" for name in ("example", "broken", "other", "bare")),
}
SIGNED = ("example.test", "broken.test")


class SignedZones:
    """Both servers. `primary` and `resolver` are addresses as `Resolver.ask` takes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ports = (free_port(), free_port())
        self._programs: list[Program] = []

    @property
    def primary(self) -> str:
        return f"127.0.0.1:{self._ports[0]}"

    @property
    def resolver(self) -> str:
        return f"127.0.0.1:{self._ports[1]}"

    def start(self) -> None:
        """Sign the zones, start both and return when they answer."""
        keys = {zone: self._signed(zone) for zone in SIGNED}
        for zone, text in ZONES.items():
            if zone not in SIGNED:
                (self.folder / zone).write_text(_HEAD + text)
        # The key of another zone: the DS record of broken.test is of a key that it does not have.
        anchors = {"example.test": keys["example.test"], "broken.test": keys["example.test"]}
        zones = "\n".join(
            f'zone "{zone}" {{ type primary; file "{zone}{".signed" if zone in SIGNED else ""}"; }};' for zone in ZONES
        )
        zones += '\nzone "unloaded.test" { type primary; file "not-there"; };'  # answers SERVFAIL
        self._run("primary", self._ports[0], "recursion no;", zones)
        trusted = "\n".join(f'"{zone}." static-key {key};' for zone, key in anchors.items())
        forward = f'zone "test" {{ type forward; forward only; forwarders {{ 127.0.0.1 port {self._ports[0]}; }}; }};'
        self._run(
            "resolver",
            self._ports[1],
            "recursion yes; allow-recursion { any; }; dnssec-validation yes;",
            f"trust-anchors {{ {trusted} }};\n{forward}",
        )
        ask = SystemResolver().ask
        wait_until(
            lambda: ask("plain.example.test", "A", server=self.resolver, timeout=5).is_authenticated, "BIND verifying"
        )

    def stop(self) -> None:
        for program in self._programs:
            program.stop()

    def _signed(self, zone: str) -> str:
        """Sign a zone with a key of its own, and return the key as a trust anchor is written."""
        made = subprocess.run(
            [find_program("dnssec-keygen"), "-q", "-K", self.folder, "-a", "ECDSAP256SHA256", "-f", "KSK", zone],
            check=True,
            capture_output=True,
            text=True,
        )
        fields = (self.folder / f"{made.stdout.strip()}.key").read_text().splitlines()[-1].split("DNSKEY", 1)[1].split()
        source = self.folder / zone
        source.write_text(_HEAD + ZONES[zone])
        subprocess.run(
            [find_program("dnssec-signzone"), "-q", "-S", "-z", "-K", self.folder, "-o", zone, source],
            check=True,
            capture_output=True,
            cwd=self.folder,
        )
        return f'{fields[0]} {fields[1]} {fields[2]} "{"".join(fields[3:])}"'

    def _run(self, name: str, port: int, options: str, rest: str) -> None:
        configuration = self.folder / f"{name}.conf"
        configuration.write_text(f"""\
options {{
    directory "{self.folder}";
    pid-file none; lock-file none; session-keyfile "{self.folder}/{name}.key";
    listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
    allow-query {{ any; }}; notify no; empty-zones-enable no; max-cache-size 8m; {options}
}};
controls {{ }};
{rest}
""")
        argv = [find_program("named"), "-g", "-n", "1", "-c", str(configuration)]
        self._programs.append(Program(argv, self.folder / f"{name}.log"))
        self._programs[-1].wait_for_port(port)
