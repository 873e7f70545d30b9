from __future__ import annotations

from pathlib import Path

import pytest

from core.operations import Finding, IssueRequest
from core.ports import Response, TransportFailure
from core.system.listener import SystemListener
from core.system.web_reader import SystemWebReader
from tests.support.appliance import Appliance
from tests.support.programs import free_port

NAME = "shop.example.com"
FOLDER = "/.well-known/acme-challenge/"


def asked(box: Appliance, **given: object) -> list[Finding]:
    request = IssueRequest(domains=(NAME,), **given)
    return [each for each in box.engine.doctor(request) if each.id.startswith("http01-") or each.id == "webroot"]


@pytest.fixture
def zoned(appliance: Appliance) -> Appliance:
    """A box whose name stands in a zone, with an address of each family, both its own."""
    appliance.dns.zone("example.com")
    appliance.host.own = ["192.0.2.10", "2001:db8::10"]
    appliance.dns.set(NAME, "A", "192.0.2.10")
    appliance.dns.set(NAME, "AAAA", "2001:db8::10")
    return appliance


def test_every_address_is_asked_for_the_file(zoned: Appliance) -> None:
    """The file is put up while the doctor looks, and asked for at each address of both families."""
    found = asked(zoned, issuer="letsencrypt")
    assert [(each.id, each.status) for each in found] == [
        ("http01-port", "pass"),
        ("http01-request", "pass"),
        ("http01-request", "pass"),
    ]
    url = f"http://{NAME}{FOLDER}test.txt"
    assert sorted(zoned.web.asked) == [("192.0.2.10", url), ("2001:db8::10", url)]


def test_ipv6_that_leads_nowhere_is_found(zoned: Appliance) -> None:
    """An AAAA record behind which nothing answers fails for a public CA, with the address."""
    zoned.web.pages["2001:db8::10", ""] = TransportFailure("unreachable", "[2001:db8::10] cannot be reached.")
    bad = [each for each in asked(zoned, issuer="letsencrypt") if each.status == "fail"]
    assert [each.title for each in bad] == [f"{NAME} over IPv6"]
    assert "2001:db8::10" in bad[0].detail


def test_another_server_on_port_80_is_found(zoned: Appliance) -> None:
    """A page that is not the file of this box is no pass, whatever its status is."""
    for page in (
        Response(status=404, headers={}, body=b""),
        Response(status=200, headers={}, body=b"Let's Encrypt Ready"),
    ):
        zoned.web.pages["192.0.2.10", ""] = page
        bad = [each for each in asked(zoned, issuer="letsencrypt") if each.status == "fail"]
        assert [each.title for each in bad] == [f"{NAME} over IPv4"]


def test_an_address_of_a_router_is_not_judged_from_inside(zoned: Appliance) -> None:
    """What this box sees at an address that is not its own need not be what a CA sees: a warning, with a way to find out."""
    zoned.dns.set(NAME, "A", "203.0.113.5")
    zoned.dns.set(NAME, "AAAA")
    zoned.web.pages["203.0.113.5", ""] = TransportFailure("timeout", "203.0.113.5 did not answer.")
    (bad,) = [each for each in asked(zoned, issuer="letsencrypt") if each.status != "pass"]
    assert bad.status == "warn"
    assert "doctor --listen" in bad.fix


def test_a_redirect_that_no_ca_follows_is_found(zoned: Appliance) -> None:
    """A redirect to port 8443 fails, with the address it leads to."""
    page = Response(status=301, headers={"location": f"https://{NAME}:8443/"}, body=b"")
    zoned.web.pages["192.0.2.10", ""] = page
    (bad,) = [each for each in asked(zoned, issuer="letsencrypt") if each.status != "pass"]
    assert (bad.id, bad.status) == ("http01-redirect", "fail")
    assert ":8443" in bad.detail


def test_the_webroot_is_used_and_left_as_it_was(zoned: Appliance, tmp_path: Path) -> None:
    """With a webroot the file goes there, is gone afterwards, and an existing test.txt stays as it was."""
    root = tmp_path / "www"
    root.mkdir()
    zoned.configure(f'\n[http01]\nmode = "webroot"\nwebroot = "{root}"\n')
    box = zoned.reopened()

    class Files:
        """A web server over the folder."""

        def get(self, url: str, **_: object) -> Response:
            path = root / url.partition(NAME)[2].lstrip("/")
            seen.append(path.name)
            return Response(status=200, headers={}, body=path.read_bytes())

    seen: list[str] = []
    zoned.web.get = Files().get
    request = IssueRequest(domains=(NAME,), issuer="letsencrypt")
    assert {each.status for each in box.doctor(request) if each.id == "http01-request"} == {"pass"}
    assert not list(root.iterdir())
    left = root / FOLDER.strip("/") / "test.txt"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"Let's Encrypt Ready\n" + b"0123456789abcdef01234567\n")
    assert {each.status for each in box.doctor(request) if each.id == "http01-request"} == {"pass"}
    assert not list(left.parent.iterdir()), "what a killed doctor left is removed by the next one"
    mine = root / FOLDER.strip("/") / "test.txt"
    mine.write_text("mine")
    assert {each.status for each in box.doctor(request) if each.id == "http01-request"} == {"pass"}
    assert [path.name for path in mine.parent.iterdir()] == ["test.txt"]
    assert mine.read_text() == "mine"
    assert {"test.txt"} < set(seen)


def test_over_real_sockets(zoned: Appliance) -> None:
    """A real listener is put up and asked over a real connection."""
    port = free_port()
    zoned.configure(f'\n[http01]\naddress = "127.0.0.1"\nport = {port}\n')
    zoned.dns.set(NAME, "A", "127.0.0.1")
    zoned.dns.set(NAME, "AAAA")
    zoned.listener = SystemListener()
    zoned.web = SystemWebReader({80: port})
    zoned.engine = zoned.reopened()
    assert [(each.id, each.status) for each in asked(zoned)] == [("http01-port", "pass"), ("http01-request", "pass")]
