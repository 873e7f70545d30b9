"""The end of the chain counts like the end of the certificate: what ends first among the certificates that are sent decides."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.engine import Engine
from core.events import Warned
from core.health import health
from core.lineage_status import LineageStatus
from core.upload.values import ImportRequest
from core.x509.certificate import parse_pem
from core.x509.chain_end import first_end
from tests.support.appliance import Appliance
from tests.support.authority import Authority
from tests.support.command import command
from tests.support.uploads import upload

NAME = "shop.example.com"


def row(appliance: Appliance) -> LineageStatus:
    return appliance.engine.status((NAME,)).lineages[0]


@pytest.fixture
def short_chain(appliance: Appliance) -> Appliance:
    """A box whose CA sends an intermediate that ends in 40 days, and a certificate of 90 days from it."""
    appliance.ca.authority = Authority.new("Old", now=appliance.clock.now(), intermediate_days=40)
    appliance.issue(NAME)
    return appliance


def test_the_intermediate_that_ends_first_is_shown(short_chain: Appliance) -> None:
    """Days, colour and JSON go by the intermediate that ends first, and it is named."""
    found = row(short_chain)
    assert found.chain_end == "Old Intermediate"
    assert found.chain_not_after is not None
    assert found.not_after is not None
    assert (found.chain_not_after - short_chain.clock.now()).days in (39, 40)
    assert (found.days_left, found.severity) in ((39, "green"), (40, "green"))
    short_chain.clock.advance(days=8)
    found = row(short_chain)
    assert found.severity == "green"
    short_chain.clock.advance(days=5)
    found = row(short_chain)
    assert found.severity == "yellow"
    assert "chain-ends-first" in [reason.code for reason in health(found).reasons]


def test_a_renewal_comes_before_the_chain_ends(short_chain: Appliance) -> None:
    """The certificate is due when a third of the time to the chain's end is left, and with the new chain it is in order."""
    short_chain.clock.advance(days=26)
    assert short_chain.engine.renew().renewed == ()
    short_chain.clock.advance(days=1)
    short_chain.ca.authority = Authority.new("New", now=short_chain.clock.now())
    assert short_chain.engine.renew().renewed == (NAME,)
    assert row(short_chain).chain_end == ""
    assert short_chain.engine.renew().renewed == ()


def test_the_same_chain_again_makes_no_loop(short_chain: Appliance) -> None:
    """A CA that still sends the old intermediate is asked once a day, which is told; not with every run."""
    short_chain.clock.advance(days=36)
    assert short_chain.engine.renew(report=short_chain.told.append).renewed == (NAME,)
    assert row(short_chain).chain_end == "Old Intermediate"
    assert "chain-ends-first" in [event.code for event in short_chain.of(Warned)]
    assert short_chain.engine.renew().renewed == ()
    short_chain.clock.advance(days=2, hours=5)
    assert short_chain.engine.renew().renewed == (NAME,)
    for _ in range(2):  # half of its time is over, and the CA was asked less than a day ago
        short_chain.clock.advance(hours=11)
        assert short_chain.engine.renew().renewed == ()
    short_chain.clock.advance(hours=5)
    short_chain.ca.authority = Authority.new("New", now=short_chain.clock.now())
    assert short_chain.engine.renew().renewed == (NAME,)
    assert row(short_chain).chain_end == ""


def test_an_upload_with_a_chain_that_ends_first(appliance: Appliance, tmp_path: Path) -> None:
    """A certificate of a year below an intermediate of three weeks is taken with a warning, in the checks and from then on."""
    ca = Authority.new("Bought", now=appliance.clock.now(), intermediate_days=21)
    bundle = tmp_path / "roots.pem"
    bundle.write_bytes(ca.root_pem)
    appliance.engine = Engine(appliance.paths, replace(appliance.engine.env, variables={"SSL_CERT_FILE": str(bundle)}))
    leaf = ca.leaf([NAME], days=365)
    given = upload(leaf.fullchain_pem, leaf.key_pem)
    check = appliance.engine.check_upload(given)
    found = {each.id: each for each in check.checks}["chain-expiry"]
    assert (check.accepted, found.status, "Bought Intermediate" in found.detail) == (True, "warn", True)
    assert check.certificate is not None
    assert (check.certificate.auto_renew, check.certificate.chain_end) == (False, "Bought Intermediate")
    appliance.engine.import_upload(ImportRequest(name=NAME, upload=given))
    status = row(appliance)
    assert (status.severity, status.days_left) == ("yellow", 21)
    judged = health(status)
    assert (judged.level, [reason.code for reason in judged.reasons]) == ("warning", ["chain-ends-first"])


def test_a_root_does_not_count(appliance: Appliance) -> None:
    """A root that is sent along may end before the certificate: clients use the copy that they hold."""
    now = appliance.clock.now()
    ca = Authority.new("Test", now=now)
    leaf = ca.leaf([NAME], not_after=now + timedelta(days=3700), not_before=now)
    certificates = parse_pem(leaf.fullchain_pem + ca.root_pem)
    assert first_end(certificates[0], certificates[1:]).subject == "Test Intermediate"
    assert first_end(certificates[0], certificates[2:]) is certificates[0]


def test_facts_of_an_earlier_release_are_completed(short_chain: Appliance) -> None:
    """A version that was stored without the chain's end is read again, once, and shows it."""
    path = short_chain.paths.lineages / NAME / "1" / "version.json"
    kept = json.loads(path.read_text())
    del kept["certificate"]["chain_not_after"], kept["certificate"]["chain_end"]
    path.write_text(json.dumps(kept))
    short_chain.paths.index.unlink(missing_ok=True)
    assert row(short_chain).chain_end == "Old Intermediate"


def test_a_root_is_no_intermediate(appliance: Appliance) -> None:
    """A root that the CA sends is told as the root, and not counted as an intermediate."""
    appliance.issue(NAME, issuer="appliance-ca")
    found = row(appliance)
    assert (found.chain_length, found.root_sent) == (1, True)
    told = command("status", NAME, engine=appliance.engine).out
    assert "complete, with the root" in told
