"""VPN servers. What they serve is seen by a peer of the same program, which completes the handshake."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from core.config.model import TargetConfig
from core.targets.fingerprint import sha256_of_der
from core.targets.kind import LEAF
from tests.support.authority import self_signed
from tests.support.daemons.base import NAME, Daemon, write
from tests.support.programs import Program, find_program, free_port

_FINGERPRINT = "(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}"


class _Unprobed(Daemon):
    """A service that certdeck cannot probe."""

    def target(self, name: str = "svc") -> TargetConfig:
        return replace(super().target(name), probe=())

    def must_serve(self, sha256: str) -> None:
        self.wait_served(sha256)  # a deployment cannot see it, and does not wait for it


class Openvpn(_Unprobed):
    kind = "openvpn"
    programs = ("openvpn",)

    def configure(self) -> None:
        peer = self_signed(["peer.example.com"])
        peer.write(self.folder / "peer.crt", self.folder / "peer.key")
        write(
            self.folder / "server.conf",
            f"mode server\ntls-server\ndev tun\nifconfig-noexec\nroute-noexec\nserver 10.213.77.0 255.255.255.0\n"
            f"local 127.0.0.1\nport {self.port}\nproto udp\ndh none\nkeepalive 10 60\npersist-tun\n"
            f"cert {self.certificate}\nkey {self.key}\n<peer-fingerprint>\n{peer.sha256}\n</peer-fingerprint>\n",
        )

    def command(self) -> list[str]:
        return ["openvpn", "--config", f"{self.folder}/server.conf"]

    def served(self) -> str | None:
        found = re.search(f"got certificate fingerprint: ({_FINGERPRINT})", self._connect("00:" * 31 + "00"))
        if found is None or "Peer Connection Initiated" not in self._connect(found[1]):
            return None
        return found[1].upper()

    def _connect(self, expected: str) -> str:
        """Connect as a peer that expects a certificate, and return what it says."""
        argv = [
            find_program("openvpn"), "--client", "--dev", "null", "--remote", "127.0.0.1", str(self.port), "udp", "--nobind",
            "--route-noexec", "--ifconfig-noexec", "--cert", f"{self.folder}/peer.crt", "--key", f"{self.folder}/peer.key",
            "--tls-exit", "--connect-retry-max", "1", "--connect-timeout", "2", "--hand-window", "2", "--verb", "3",
            "--peer-fingerprint", expected,
        ]  # fmt: skip
        said = ""
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
            assert child.stdout is not None
            for line in child.stdout:
                said += line
                if "Peer Connection Initiated" in line:
                    break
            child.terminate()
        return said


class _Charon:
    """One strongSwan daemon with a folder, ports and a control socket of its own."""

    FOLDERS = ("x509", "x509ca", "x509ocsp", "x509aa", "x509ac", "x509crl", "pubkey", "private", "rsa", "ecdsa", "bliss",
               "pkcs8", "pkcs12")  # fmt: skip

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.nat_port = folder, free_port(), free_port()
        self.socket = f"unix://{folder}/vici"
        for name in self.FOLDERS:
            (folder / name).mkdir(parents=True)

    def configure(self, connections: str, *, dumps: bool = False) -> None:
        write(
            self.folder / "strongswan.conf",
            f"charon-systemd {{\n  port = {self.port}\n  port_nat_t = {self.nat_port}\n  install_routes = no\n"
            f"  journal {{\n    default = -1\n  }}\n  filelog {{\n    out {{\n      path = {self.folder}/log\n"
            f"      flush_line = yes\n      default = 1\n      enc = {3 if dumps else 1}\n    }}\n  }}\n"
            f"  plugins {{\n    include /etc/strongswan.d/charon/*.conf\n    vici {{\n      socket = {self.socket}\n"
            "    }\n  }\n}\n"
            "swanctl {\n  load = pem pkcs1 pkcs8 x509 openssl pubkey random nonce\n}\n",
        )
        secret = "secrets {\n  ike-peer {\n    id = peer\n    secret = test\n  }\n}\n"
        write(self.folder / "swanctl.conf", f"connections {{\n  site {{\n{connections}\n  }}\n}}\n{secret}")

    @property
    def variables(self) -> dict[str, str]:
        return {"STRONGSWAN_CONF": f"{self.folder}/strongswan.conf", "SWANCTL_DIR": str(self.folder)}

    def words(self, *arguments: str) -> tuple[str, ...]:
        """Return a command to it."""
        variables = (f"{name}={value}" for name, value in self.variables.items())
        return ("env", *variables, "swanctl", *arguments, "--uri", self.socket)

    def tell(self, *arguments: str) -> str | None:
        """Run a command to it, and return what it says; None where it fails."""
        ended = subprocess.run(self.words(*arguments), capture_output=True, text=True, timeout=20, check=False)
        return ended.stdout if ended.returncode == 0 else None


class Strongswan(_Unprobed):
    kind = "strongswan"
    programs = ("charon-systemd", "swanctl")
    layout = LEAF

    def __init__(self) -> None:
        super().__init__()
        self.server, self.peer = _Charon(self.folder / "server"), _Charon(self.folder / "peer")
        place = self.server.folder
        self.certificate, self.key = place / "x509" / "site.pem", place / "private" / "site.pem"
        self.chain = place / "x509ca" / "site.pem"
        self._asking: Program | None = None

    def configure(self) -> None:
        self.server.configure(
            "local_addrs = 127.0.0.1\nsend_cert = always\n"
            f"local {{\n auth = pubkey\n id = {NAME}\n}}\nremote {{\n auth = psk\n id = peer\n}}"
        )
        self._expect("")

    def _expect(self, certificate: str) -> None:
        """Say which certificate the peer trusts."""
        self.peer.configure(
            f"remote_addrs = 127.0.0.1\nremote_port = {self.server.nat_port}\nlocal_port = {self.peer.nat_port}\n"
            "childless = force\nlocal {\n auth = psk\n id = peer\n}\n"
            f"remote {{\n auth = pubkey\n id = {NAME}\n{certificate}\n}}",
            dumps=True,
        )

    def command(self) -> list[str]:
        return ["charon-systemd"]

    def variables(self) -> Mapping[str, str]:
        return self.server.variables

    def start(self, *, patience: float = 60.0) -> None:
        self._is_loaded = False
        if self._asking is None:
            self._expect("")
            self._asking = Program([find_program("charon-systemd")], self.log, self.peer.variables)
        super().start(patience=patience)

    def reload(self) -> tuple[str, ...]:
        return self.server.words("--load-creds", "--clear", "--noprompt")

    def served(self) -> str | None:
        # What the unit runs after the start.
        self._is_loaded = self._is_loaded or self.server.tell("--load-all", "--noprompt") is not None
        if not self._is_loaded:
            return None
        self._expect("")
        (self.peer.folder / "x509" / "seen.der").unlink(missing_ok=True)
        (self.peer.folder / "log").write_text("")
        if self.peer.tell("--load-all", "--clear", "--noprompt") is None:
            return None
        self.peer.tell("--initiate", "--ike", "site", "--timeout", "3")
        shown = _first_der((self.peer.folder / "log").read_text(errors="replace"))
        if shown is None:
            return None
        (self.peer.folder / "x509" / "seen.der").write_bytes(shown)
        self._expect(" certs = seen.der")
        self.peer.tell("--load-all", "--clear", "--noprompt")
        is_established = self.peer.tell("--initiate", "--ike", "site", "--timeout", "3") is not None
        self.peer.tell("--terminate", "--ike", "site", "--force")
        return sha256_of_der(shown) if is_established else None

    def stop(self) -> None:
        super().stop()
        if self._asking is not None:
            self._asking.stop()
            self._asking = None


def _first_der(log: str) -> bytes | None:
    """Return the first certificate in the dumps of a log: a block whose bytes are a DER sequence from beginning to end."""
    for block in re.finditer(r"=> (\d+) bytes @ \S+\n((?:.*\[ENC\] +\d+:(?: [0-9A-F]{2})+  .*\n)+)", log):
        pairs = "".join(re.findall(r"\[ENC\] +\d+:((?: [0-9A-F]{2})+)", block[2]))
        found = bytes.fromhex(pairs)[: int(block[1])]
        if found[:2] == b"\x30\x82" and len(found) == int.from_bytes(found[2:4], "big") + 4:
            return found
    return None
