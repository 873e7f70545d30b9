"""Certificates proved through name servers that people run themselves, and through programs of their own; Pebble asks the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.ports import Response
from tests.support.bind import BindServer
from tests.support.knot import KnotServer
from tests.support.pebble import PebbleServer
from tests.support.powerdns import API_KEY, PowerDnsServer
from tests.support.real_box import RealBox
from tests.support.transport import Asked
from tests.support.vendor import served
from tests.support.vendors.acme_dns import AcmeDnsVendor
from tests.support.zones import KEY, NameServer

pytestmark = pytest.mark.e2e

NAMES = ("example.com", "*.example.com")
"""Somebody else has a value at their proof's name."""
QUIET_NAMES = ("box.example.com", "*.box.example.com")
"""Nobody else has: where whole sets are written, nothing need be waited for."""
PASSWORD = "0" * 40
Boxes = Callable[[NameServer], RealBox]


@pytest.fixture
def boxes(home: Path, pebbles: Callable[..., PebbleServer]) -> Boxes:
    """Make a box whose CA and whose own looks ask one name server."""

    def make(server: NameServer) -> RealBox:
        box = RealBox(home, pebbles(name_server=server.address), None)
        box.configure(f'[dns01]\nresolvers = ["{server.address}"]\ntimeout_seconds = 10\n')
        return box

    return make


def started(server: KnotServer | BindServer | PowerDnsServer) -> Iterator[KnotServer | BindServer | PowerDnsServer]:
    server.start()
    yield server
    server.stop()


@pytest.fixture
def knot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnotServer]:
    yield from started(KnotServer(tmp_path_factory.mktemp("knot")))


@pytest.fixture
def bind(tmp_path: Path) -> Iterator[BindServer]:
    yield from started(BindServer(tmp_path / "bind"))


@pytest.fixture
def powerdns(tmp_path: Path) -> Iterator[PowerDnsServer]:
    yield from started(PowerDnsServer(tmp_path / "pdns"))


def add(box: RealBox, kind: str, secret: tuple[str, str], *zones: str, **settings: object) -> None:
    """Add the entry `own`, its secret through a file."""
    key, value = secret
    file = box.home / "secret"
    file.write_text(f"{value}\n")
    given = [word for setting, each in settings.items() for word in ("--set", f"{setting}={each}")]
    zone_words = [word for zone in zones for word in ("--zone", zone)]
    box.done("dns", "add", "own", "--kind", kind, *zone_words, *given, "--secret", f"{key}={file}")
    file.unlink()


def prove(box: RealBox, *names: str) -> None:
    """Test the entry, issue a certificate with it, and renew it."""
    test = box.done("dns", "test", "own", "--domain", names[0])
    assert [step["status"] for step in test["steps"]] == ["pass"] * 5
    assert box.done("issue", "-d", *names, "--dns", "own")["certificate"]["method"] == "dns-01"
    assert box.done("--renew", "--force")["renewed"] == [names[0]]


def test_knot_by_updates(knot: KnotServer, boxes: Boxes) -> None:
    """Name and wildcard through Knot; afterwards its zone is as it was."""
    box = boxes(knot)
    before = knot.records("example.com")
    add(
        box,
        "rfc2136",
        ("tsig_secret", KEY.secret),
        "example.com",
        server="127.0.0.1",
        port=knot.port,
        tsig_name=KEY.name,
    )
    prove(box, *NAMES)
    assert knot.records("example.com") == before


def test_powerdns_by_its_api(powerdns: PowerDnsServer, boxes: Boxes) -> None:
    """Name and wildcard through PowerDNS, the zone found in its list; afterwards it is as it was, disabled records too."""
    box = boxes(powerdns)
    before = powerdns.snapshot()
    add(box, "powerdns", ("api_key", API_KEY), endpoint=powerdns.endpoint)
    prove(box, *QUIET_NAMES)
    assert powerdns.snapshot() == before


def test_powerdns_by_lexicon(powerdns: PowerDnsServer, boxes: Boxes) -> None:
    """Name and wildcard through dns-lexicon, in a child process; afterwards the zone is as it was."""
    box = boxes(powerdns)
    before = powerdns.snapshot()
    add(box, "lexicon:powerdns", ("auth_token", API_KEY), "example.com", pdns_server=powerdns.endpoint)
    prove(box, *QUIET_NAMES)
    assert powerdns.snapshot() == before


HOOK = """\
#!/bin/sh
set -eu
case $1 in present) verb=add ttl=119 ;; cleanup) verb=del ttl= ;; esac
{{
    echo 'server 127.0.0.1 {port}'
    echo 'zone example.com.'
    echo "key hmac-sha256:certdeck $TSIG_SECRET"
    echo "$verb $2. $ttl TXT \\"$3\\""
    echo send
}} | knsupdate
"""


def test_a_program_of_ones_own(knot: KnotServer, boxes: Boxes, tmp_path: Path) -> None:
    """Name and wildcard through a shell script that updates Knot with a secret from the vault; nothing is left behind."""
    box = boxes(knot)
    before = knot.records("example.com")
    script = tmp_path / "hook.sh"
    script.write_text(HOOK.format(port=knot.port))
    script.chmod(0o755)
    add(box, "hook", ("TSIG_SECRET", KEY.secret), command=script)
    prove(box, *NAMES)
    assert knot.records("example.com") == before


class Published(AcmeDnsVendor):
    """acme-dns whose account `www` answers at www.delegated.example.net, where a CNAME leads."""

    def __init__(self, server: NameServer) -> None:
        super().__init__()
        self._server = server
        self.accounts["admin"] = (PASSWORD, "www", [])
        self.values["www"] = ["", ""]

    def answer(self, asked: Asked) -> Response:
        said = super().answer(asked)
        if said.status == 200:
            self._server.put("www.delegated.example.net", self.values["www"][1], zone="delegated.example.net")
        return said


def test_acme_dns_behind_a_cname(bind: BindServer, boxes: Boxes) -> None:
    """The CNAME of the name leads to the account at acme-dns, and the CA follows it; the zone of the name is not touched."""
    box = boxes(bind)
    before = bind.records("example.com")
    with served(Published(bind)) as endpoint:
        add(box, "acme-dns", ("password", PASSWORD), endpoint=endpoint, subdomain="www", username="admin")
        prove(box, "www.example.com")
        error = box.refused("issue", "-d", "shop2.example.com", "--dns", "own")
    assert error["code"] == "dns-provider-error"
    assert "CNAME record from _acme-challenge.shop2.example.com to www." in error["fix"]
    assert bind.records("example.com") == before
