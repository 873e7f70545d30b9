"""The first order for some names: its companions, a rehearsal, and a certificate that is here already."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import AuthorizationFailed, UsageError
from core.events import RehearsalPassed, Warned
from core.operations import IssueRequest
from tests.support.appliance import Appliance
from tests.support.command import command

NAME = "www.example.com"
REFUSED = {"type": "urn:ietf:params:acme:error:connection", "detail": "Connection refused", "status": 400}


@pytest.fixture
def staged(appliance: Appliance) -> Appliance:
    """A box whose CA has a staging."""
    text = appliance.paths.config.read_text().replace("[issuers.ca]\n", '[issuers.ca]\nstaging = "ca-staging"\n')
    appliance.paths.config.write_text(
        text + '\n[issuers.ca-staging]\ndirectory = "https://ca.test/directory"\nagree_tos = true\n'
    )
    return appliance


def warned(appliance: Appliance) -> list[str]:
    return [one.code for one in appliance.of(Warned) if isinstance(one, Warned)]


def rehearsals(appliance: Appliance) -> int:
    return len(appliance.of(RehearsalPassed))


def test_the_first_order_is_rehearsed(staged: Appliance) -> None:
    """Without being asked, the first order goes to the staging first; a later one for the same names does not (CC-27)."""
    assert staged.issue(NAME).status.ca == "ca"
    assert rehearsals(staged) == 1
    staged.issue(NAME, force=True)
    assert rehearsals(staged) == 1
    staged.issue("other.example.com")
    assert rehearsals(staged) == 2


def test_a_rehearsal_can_be_left_out(staged: Appliance) -> None:
    """`--no-rehearsal` leaves it out once, `rehearse = false` in [defaults] always."""
    staged.issue(NAME, rehearse=False)
    staged.paths.config.write_text(
        staged.paths.config.read_text().replace("[defaults]\n", "[defaults]\nrehearse = false\n")
    )
    staged.issue("other.example.com")
    assert rehearsals(staged) == 0


def test_what_a_rehearsal_finds_costs_no_order(staged: Appliance) -> None:
    """A name that staging cannot validate is not ordered from production, and nothing of it renews automatically (SO-30)."""
    staged.ca.judge = lambda _name, _kind: REFUSED
    with pytest.raises(AuthorizationFailed) as caught:
        staged.issue(NAME)
    assert "nothing was ordered from ca" in caught.value.fix
    assert "--no-rehearsal" in caught.value.fix
    assert len(staged.ca.orders) == 1
    assert staged.engine.status().lineages == ()
    before = len(staged.ca.asked)
    report = staged.engine.renew()
    assert (report.renewed, report.failed, len(staged.ca.asked)) == ((), (), before)


def test_a_staging_out_of_reach_says_nothing(staged: Appliance) -> None:
    """A staging that cannot be used is told, and the order goes on."""
    text = staged.paths.config.read_text()
    ours, theirs = text.split("[issuers.ca-staging]")
    staged.paths.config.write_text(f"{ours}[issuers.ca-staging]{theirs.replace('/directory', '/nothing')}")
    assert staged.issue(NAME).status.ca == "ca"
    assert "rehearsal-left-out" in warned(staged)


def test_www_is_added(appliance: Appliance) -> None:
    """`--with-www` orders both names, and says which one was added."""
    status = appliance.issue("example.com", with_www=True).status
    assert status.domains == ("example.com", "www.example.com")
    assert status.name == "example.com"
    assert "names-added" in warned(appliance)


def test_a_wildcard_needs_the_dns(appliance: Appliance) -> None:
    """`--with-wildcard` cannot be used with http-01."""
    with pytest.raises(UsageError, match="cannot be used with http-01"):
        appliance.issue("example.com", with_wildcard=True, challenge="http-01")
    with pytest.raises(UsageError, match="wildcard"):
        appliance.issue("example.com", with_wildcard=True)
    status = appliance.issue("example.com", with_wildcard=True, issuer="appliance-ca").status
    assert status.domains == ("example.com", "*.example.com")


def test_the_options_reach_the_engine(appliance: Appliance) -> None:
    """The command adds the name; both options at once are wrong usage."""
    done = command("issue", "-d", "example.com", "--with-www", "--json", engine=appliance.engine)
    assert done.json["certificate"]["domains"] == ["example.com", "www.example.com"]
    wrong = command("issue", "-d", "example.com", "--with-www", "--with-wildcard", engine=appliance.engine)
    assert wrong.status == 2


def test_a_certificate_under_another_name_is_used(appliance: Appliance, tmp_path: Path) -> None:
    """CL-12: the same names under another label cost no order; the certificate that is there gets the service asked for."""
    appliance.issue("a.example.com", "b.example.com", name="first")
    service = appliance.add_service(tmp_path / "srv")
    engine = appliance.reopened()
    done = command(
        "issue", "-d", "b.example.com", "a.example.com", "--name", "second", "--target", "web", "--json", engine=engine
    )
    assert (done.status, done.json["name"], done.json["reused"]) == (0, "first", True)
    assert service.serves == appliance.live("first")
    assert len(appliance.ca.orders) == 1
    assert [each.name for each in engine.status().lineages] == ["first"]


@pytest.mark.parametrize(
    ("given", "days"),
    [({"force": True}, 0), ({"key_type": "rsa-2048"}, 0), ({}, 70), ({"issuer": "appliance-ca"}, 0)],
)
def test_what_is_no_match_is_ordered(appliance: Appliance, given: dict[str, object], days: int) -> None:
    """With --force, another key type, another CA, or when the other one is due, a certificate of its own is had."""
    appliance.issue(NAME, name="first")
    appliance.clock.advance(days=days)
    assert appliance.issue(NAME, name="second", **given).status.name == "second"


def test_what_would_be_reused_is_found_before(appliance: Appliance) -> None:
    """The check of a request says that a certificate under another name will be used."""
    appliance.issue(NAME, name="first")
    found = appliance.engine.check_request(IssueRequest(domains=(NAME,), name="second"))
    assert any("first is a valid certificate for exactly these names" in each.detail for each in found)
