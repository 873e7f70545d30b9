"""`issuer show` says how limits stand; `issuer compare` puts the CAs side by side from the one table."""

from __future__ import annotations

import json

import pytest

from core.budget import ORDERS, PER_DOMAIN, PER_NAMES, Use
from core.errors import NotFound
from core.issuers import BUILT_IN
from core.rate_limits import Limit
from core.store import ledger
from core.store import limits as told
from core.store.accounts import account_id
from tests.support.appliance import Appliance
from tests.support.command import command

LETSENCRYPT = account_id("letsencrypt", BUILT_IN["letsencrypt"].directory or "")


def test_what_was_used_is_shown(appliance: Appliance) -> None:
    """Each subject of which something is used has a line with what is left; limits that nothing was used of are there, too."""
    now = appliance.clock.now().timestamp()
    uses = [Use(account=LETSENCRYPT, limit=PER_NAMES, subject="a.example.com", at=now)] * 5
    uses += [
        Use(account=LETSENCRYPT, limit=PER_DOMAIN, subject=each, at=now) for each in ("example.com", "example.org")
    ]
    appliance.paths.state.mkdir()
    ledger.save(appliance.paths, uses)
    found = appliance.engine.issuer("letsencrypt")
    assert found.limits_as_of == "2026-08-05"
    shown = [(each.limit, each.subject, each.used, each.left) for each in found.limits]
    assert shown == [
        (ORDERS, None, 0, 300),
        (PER_DOMAIN, "example.com", 1, 49),
        (PER_DOMAIN, "example.org", 1, 49),
        (PER_NAMES, "a.example.com", 5, 0),
        ("failed-authorizations", None, 0, 5),
    ]
    assert found.limits[3].free_at is not None
    answer = command("issuer", "show", "letsencrypt", engine=appliance.engine)
    assert "22 Nov 2026 21:36 UTC" in answer.out
    assert "This box counts only its own orders." in answer.out


def test_what_the_ca_has_said_is_shown(appliance: Appliance) -> None:
    """A refusal that a CA has dated is shown with the date and its words."""
    now = appliance.clock.now().timestamp()
    limit = Limit(account=LETSENCRYPT, kind="newOrder", until=now + 3600, noted=now, said="too many new orders")
    appliance.paths.state.mkdir()
    told.save(appliance.paths, [limit])
    (closed,) = appliance.engine.issuer("letsencrypt").closed
    assert (closed.what, closed.said) == ("accepts no new orders", "too many new orders")


def test_a_ca_without_known_limits_says_so(appliance: Appliance) -> None:
    """Nothing is counted against an issuer of somebody's own, and that is said."""
    answer = command("issuer", "show", "ca", engine=appliance.engine)
    assert answer.status == 0
    assert "No limits of this CA are known, so nothing is counted." in answer.out
    shown = json.loads(command("issuer", "show", "ca", "--json", engine=appliance.engine).out)
    assert (shown["limits"], shown["limits_as_of"]) == ([], None)


def test_what_is_not_known_of_a_ca_is_said_the_same_way_everywhere(appliance: Appliance) -> None:
    """Whether an issuer of somebody's own gives wildcards is as unknown when it is shown as when it is compared."""
    shown = command("issuer", "show", "ca", engine=appliance.engine).out
    assert [line.split() for line in shown.splitlines() if "Wildcards" in line] == [["Wildcards", "unknown"]]
    info = appliance.engine.issuer("ca").issuer
    assert (info.wildcard, info.ip, info.needs_eab) == (None, None, None)
    assert appliance.engine.issuer("letsencrypt").issuer.wildcard is True


def test_an_unknown_issuer_is_not_found(appliance: Appliance) -> None:
    """A name that no issuer has is refused with the nearest one."""
    with pytest.raises(NotFound, match="letsencrypt"):
        appliance.engine.issuer("letsencript")


def test_the_comparison_holds_every_ca(appliance: Appliance) -> None:
    """CC-31: production CAs with price, lifetime, names, limits, ARI, profiles and the date of the facts."""
    found = {each.name: each for each in appliance.engine.compare_issuers()}
    assert next(iter(found)) == "ca"
    assert set(found) == {"ca", "letsencrypt", "zerossl", "google", "sslcom", "sslcom-rsa", "actalis", "appliance-ca"}
    assert (found["ca"].as_of, found["ca"].wildcard, found["ca"].price) == ("", None, "unknown")
    letsencrypt = found["letsencrypt"]
    assert "50 certificates for a registered domain in 7 days" in letsencrypt.limits
    assert (letsencrypt.price, letsencrypt.eab, letsencrypt.as_of) == ("free", False, "2026-08-05")
    assert all(each.as_of for each in found.values() if each.name not in ("ca", "appliance-ca"))


def test_what_dv_ov_and_ev_mean_is_said_where_one_chooses(appliance: Appliance) -> None:
    """SO-04: the comparison and its help explain them, and that Let's Encrypt gives DV only."""
    for argv in (["issuer", "compare"], ["issuer", "compare", "--help"], ["issue", "--help"]):
        answer = command(*argv, engine=appliance.engine)
        assert all(word in answer.out for word in ("DV", "OV", "EV")), argv
