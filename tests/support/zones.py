"""The zones that the real name servers of the tests hold, their keys, and questions to them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsigkeyring
import dns.update
import dns.zone

from tests.support.programs import free_port

SECONDS = 30.0
HAS_IPV6 = "00000000000000000000000000000001 " in (
    Path("/proc/net/if_inet6").read_text() if Path("/proc/net/if_inet6").exists() else ""
)


@dataclass(frozen=True, slots=True)
class TsigKey:
    """A key that may change a zone."""

    name: str
    """Without a final dot."""
    algorithm: str = "hmac-sha256"

    @property
    def secret(self) -> str:
        """In base64, as configurations have it; the same in every run."""
        return base64.b64encode(hashlib.sha512(self.name.encode()).digest()[:32]).decode()


KEY = TsigKey("certdeck")
"""Changes TXT records anywhere in example.com and delegated.example.net."""
SUB_KEY = TsigKey("certdeck-sub", "hmac-sha512")
"""Changes TXT records in sub.example.com alone."""
NARROW_KEY = TsigKey("certdeck-narrow")
"""Changes the TXT records of `_acme-challenge.narrow.example.com` alone."""
KEYS = (KEY, SUB_KEY, NARROW_KEY)
NARROW_NAME = "_acme-challenge.narrow.example.com"

_HEAD = """\
$TTL 3600
@ 3600 IN SOA ns1.example.com. hostmaster.example.com. 2026112100 3600 900 1209600 60
@ 86400 IN NS ns1.example.com.
"""
_SERVER = "ns1 3600 IN A 127.0.0.1\n" + ("ns1 3600 IN AAAA ::1\n" if HAS_IPV6 else "")

ZONES: Mapping[str, str] = {
    "example.com": _HEAD
    + _SERVER
    + r"""
@ 300 IN A 127.0.0.1
@ 7207 IN MX 10 mail.example.com.
@ 7207 IN MX 20 mail.example.net.
@ 3600 IN TXT "v=spf1 mx include:_spf.example.net -all"
@ 3600 IN TXT "site-verification=abc\"def\\ghi" "second string of the same record"
mail 300 IN A 127.0.0.1
shop 300 IN CNAME mail.example.com.
caa 601 IN CAA 0 issue "ca.example.net"
_sip._tcp 123 IN SRV 10 60 5060 mail.example.com.
key._domainkey 3600 IN TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA" "xyz"
_acme-challenge 119 IN TXT "somebody-elses-value-of-forty-three-charact"
_acme-challenge.www 300 IN CNAME www.delegated.example.net.
sub 3600 IN NS ns1.example.com.
""",
    "sub.example.com": _HEAD
    + """
@ 300 IN A 127.0.0.1
@ 3600 IN TXT "in the sub-zone"
""",
    "delegated.example.net": _HEAD
    + """
@ 300 IN TXT "proofs only"
other 300 IN TXT "of another appliance"
""",
}
"""What stands in each zone at first."""


class NameServer:
    """A server on loopback, asked and changed as anybody could."""

    def __init__(self) -> None:
        self.port = free_port()

    @property
    def address(self) -> str:
        """`HOST:PORT` where it answers, over UDP and TCP; `[::1]` has the same port where there is IPv6."""
        return f"127.0.0.1:{self.port}"

    def query(self, name: str, type: str = "TXT", *, address: str = "127.0.0.1") -> list[str]:
        """Return the values at a name, sorted; TXT plain. CNAMEs within the server are followed by it."""
        asked = dns.message.make_query(name, type)
        answer = dns.query.tcp(asked, address, port=self.port, timeout=SECONDS)
        wanted = dns.rdatatype.from_text(type)
        found = [item for each in answer.answer if each.rdtype == wanted for item in each]
        if type == "TXT":
            return sorted(b"".join(item.strings).decode() for item in found)
        return sorted(item.to_text() for item in found)

    def records(self, zone: str) -> list[str]:
        """Return every record of a zone but the SOA, whose serial counts changes, as sorted lines of a zone file."""
        transfer = dns.query.xfr("127.0.0.1", zone, port=self.port, timeout=SECONDS, relativize=False)
        whole = dns.zone.from_xfr(transfer, relativize=False, check_origin=False)
        return sorted(
            f"{name} {ttl} {dns.rdatatype.to_text(data.rdtype)} {data.to_text(relativize=False)}"
            for name, ttl, data in whole.iterate_rdatas()
            if data.rdtype != dns.rdatatype.SOA
        )

    def put(self, name: str, value: str, *, zone: str = "example.com", key: TsigKey = KEY, ttl: int = 77) -> None:
        """Add a TXT value as another client of the zone would."""
        update = dns.update.UpdateMessage(
            zone, keyring=dns.tsigkeyring.from_text({key.name: key.secret}), keyalgorithm=key.algorithm
        )
        update.add(f"{name}.", ttl, "TXT", f'"{value}"')
        said = dns.query.tcp(update, "127.0.0.1", port=self.port, timeout=SECONDS)
        assert said.rcode() == dns.rcode.NOERROR, dns.rcode.to_text(said.rcode())


def write_zones(folder: Path) -> None:
    """Write the zone files that are not there yet, as `ZONE.zone`."""
    for zone, text in ZONES.items():
        path = folder / f"{zone}.zone"
        if not path.exists():
            path.write_text(text)
