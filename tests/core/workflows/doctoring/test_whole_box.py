from __future__ import annotations

from pathlib import Path

import pytest

from core.operations import Finding, IssueRequest
from core.ports import TransportFailure
from core.rate_limits import Limit
from core.store import limits
from core.store.accounts import account_id
from core.workflows.doctoring.dns_proof import bound_address
from tests.support.appliance import Appliance

NAME = "shop.example.com"


def whole(box: Appliance) -> dict[str, Finding]:
    return {each.id: each for each in box.engine.doctor()}


def test_a_box_without_a_timer(appliance: Appliance) -> None:
    """That nothing renews is told, with the command that changes it."""
    found = whole(appliance)["timer"]
    assert (found.status, found.fix) == ("warn", "certdeck schedule on")


def test_the_trust_store(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without roots of its own is told; where they are otherwise."""
    assert "/etc/ssl/certs" in whole(appliance)["trust-store"].detail
    monkeypatch.setattr(appliance.host, "trusted_roots", lambda: None)
    assert whole(appliance)["trust-store"].status == "warn"


def test_the_box_s_own_name_leads_elsewhere(appliance: Appliance) -> None:
    """The host name is compared with the addresses of the box."""
    appliance.dns.zone("example.com")
    appliance.dns.set("box.example.com", "A", "203.0.113.9")
    assert "203.0.113.9" in whole(appliance)["box-name"].detail
    appliance.dns.set("box.example.com", "A", "192.0.2.10")
    assert whole(appliance)["box-name"].status == "pass"


def test_a_whole_box_without_a_network(appliance: Appliance) -> None:
    """Without a network the whole box gets one finding for all that could not be asked."""
    appliance.dns.statuses["resolver"] = "UNREACHABLE"
    appliance.host.known["box.example.com"] = []
    appliance.ca.fail("", TransportFailure("unreachable", "network is unreachable"), times=99)
    found = appliance.engine.doctor()
    assert [each.id for each in found if each.status == "fail"] == ["network"]


def test_a_limit_that_the_issuer_told(appliance: Appliance) -> None:
    """A limit that closes orders is told before one is spent, with its end and the CA's words."""
    now = appliance.clock.now().timestamp()
    account = account_id("ca", "https://ca.test/directory")
    limits.save(
        appliance.paths,
        [Limit(account=account, kind="newOrder", until=now + 7200, noted=now, said="too many certificates")],
    )
    found = {each.id: each for each in appliance.engine.doctor(IssueRequest(domains=(NAME,)))}["budget"]
    assert found.status == "fail"
    assert "21 Nov 2026 14:00 UTC" in found.detail
    assert "too many certificates" in found.why


@pytest.mark.parametrize(
    ("own", "status"),
    [
        (["203.0.113.7"], "pass"),
        (["192.168.1.5"], "pass"),
        (["203.0.113.8", "2001:db8::1"], "warn"),
    ],
)
def test_an_address_that_credentials_are_bound_to(own: list[str], status: str) -> None:
    """A provider that accepts one address only is compared with the public addresses of the box (ST-22)."""
    found = bound_address("nc", "Namecheap", "203.0.113.7", own)
    assert found.status == status
    if status == "warn":
        assert "client_ip=203.0.113.8" in found.fix


def test_who_holds_port_80_of_a_webroot(appliance: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a webroot the program on port 80 and its address are named, and that there is none."""
    appliance.configure(f'\n[http01]\nmode = "webroot"\nwebroot = "{tmp_path}"\n')
    appliance.engine = appliance.reopened()
    assert whole(appliance)["http01-port"].status == "warn"
    monkeypatch.setattr(appliance.host, "listening", lambda port: ["nginx (process 7) listens on 192.0.2.10:80"])
    assert "nginx (process 7) listens on 192.0.2.10:80" in whole(appliance)["http01-port"].detail


def test_terms_that_have_changed(appliance: Appliance) -> None:
    """The account's terms are compared with those of the directory."""
    appliance.issue(NAME)
    assert "terms-changed" not in whole(appliance)
    appliance.ca.meta["termsOfService"] = "https://ca.test/terms-2"
    found = whole(appliance)["terms-changed"]
    assert found.status == "warn"
    assert "https://ca.test/terms-2" in found.detail


def test_of_many_names_some_are_asked(appliance: Appliance) -> None:
    """Of an order with many names the first twenty are asked for the file, and that is said."""
    names = tuple(f"n{number}.example.com" for number in range(25))
    found = [each for each in appliance.engine.doctor(IssueRequest(domains=names)) if each.id == "http01-request"]
    assert [each.detail for each in found if each.status == "skip"] == [
        "the first 20 of 25 names were checked for the challenge file"
    ]
    assert len(appliance.web.asked) == 20
