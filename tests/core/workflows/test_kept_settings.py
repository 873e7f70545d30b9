"""What a certificate was first had with stays its own: defaults are for new ones, and changes are steps of their own."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from core.config.edit import write_lineage
from core.config.load import load_lineage
from core.config.model import LineageConfig
from core.errors import ConfigTestFailed, NotFound, UsageError
from core.events import CertificateIssued, RehearsalPassed, Warned
from core.health import health
from core.operations import IssuerChange, LineageStatus
from core.ports import Completed
from core.store import renewal_state
from tests.support.acme_server import problem
from tests.support.appliance import Appliance

NAME = "shop.example.com"
REFUSED = Completed(returncode=1, output="nginx: [emerg] unknown directive")


def settings(appliance: Appliance, name: str = NAME) -> dict[str, Any]:
    """Return what stands in a certificate's file."""
    return tomllib.loads((appliance.paths.certificates / f"{name}.toml").read_text())


def leave_out(appliance: Appliance, *keys: str) -> None:
    """Take lines out of a certificate's file, as an earlier release had never written them."""
    path = appliance.paths.certificates / f"{NAME}.toml"
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if not line.startswith(keys)))


def row(appliance: Appliance, name: str = NAME) -> LineageStatus:
    """Return the certificate's status."""
    return appliance.engine.status((name,)).lineages[0]


def test_the_first_order_writes_down_what_decided_it(appliance: Appliance) -> None:
    """Issuer, key type, challenge, profile, chain and fallback issuers stand in the certificate's file, also what were defaults."""
    appliance.issue(NAME)
    default = appliance.engine.config().defaults
    assert settings(appliance) == {
        "domains": [NAME],
        "issuer": default.issuer,
        "key_type": default.key_type,
        "challenge": default.challenge,
        "profile": "",
        "preferred_chain": "",
        "fallback_issuers": [],
    }


def test_another_default_moves_no_certificate(appliance: Appliance) -> None:
    """`issuer default` is for new certificates: an existing one is renewed by its own issuer, and is named as one that stays."""
    appliance.issue(NAME)
    before = row(appliance).ca
    assert appliance.engine.set_default_issuer("appliance-ca") == (NAME,)
    assert appliance.reopened().renew(force=True).renewed == (NAME,)
    assert (row(appliance).ca, settings(appliance)["issuer"]) == (before, before)


def test_other_defaults_of_key_and_profile_move_no_certificate(appliance: Appliance) -> None:
    """Key type, profile and fallback issuers that become defaults later do not reach a certificate that was had without."""
    appliance.issue(NAME)
    text = appliance.paths.config.read_text()
    issuer = appliance.engine.config().defaults.issuer
    text = text.replace("[defaults]", '[defaults]\nkey_type = "rsa-2048"\nfallback_issuers = ["appliance-ca"]')
    appliance.paths.config.write_text(
        text.replace(f"[issuers.{issuer}]", f'[issuers.{issuer}]\nprofile = "shortlived"')
    )
    assert appliance.reopened().renew(force=True).renewed == (NAME,)
    assert (row(appliance).key_type, row(appliance).profile) == ("ec-256", None)
    assert settings(appliance)["fallback_issuers"] == []


@pytest.mark.parametrize("keys", [("issuer",), ("issuer", "key_type", "challenge", "profile", "fallback", "preferred")])
def test_a_file_of_an_earlier_release_takes_what_it_was_had_with(appliance: Appliance, keys: tuple[str, ...]) -> None:
    """A file that names no issuer, key or challenge is renewed as its certificate was, and the next write keeps that."""
    appliance.issue(NAME, key_type="ec-384")
    before = row(appliance)
    leave_out(appliance, *keys)
    appliance.engine.set_default_issuer("appliance-ca")
    engine = appliance.reopened()
    assert engine.status((NAME,)).lineages[0].wanted == {}
    engine.set_lineage(NAME, auto_renew=True)
    assert (settings(appliance)["issuer"], settings(appliance)["key_type"]) == (before.ca, "ec-384")
    assert engine.renew(force=True).renewed == (NAME,)
    assert (row(appliance).ca, row(appliance).key_type, row(appliance).method) == (before.ca, "ec-384", before.method)


def test_another_issuer_for_existing_certificates(appliance: Appliance) -> None:
    """`set --issuer` lists what changes; the next run orders it from the new issuer, once."""
    appliance.issue(NAME)
    before = row(appliance).ca or ""
    change = (IssuerChange(name=NAME, before=before, after="appliance-ca"),)
    assert appliance.engine.change_issuer((NAME,), "appliance-ca", dry_run=True) == change
    assert settings(appliance)["issuer"] == before
    assert appliance.engine.change_issuer((NAME,), "appliance-ca") == change
    assert (row(appliance).ca, dict(row(appliance).wanted)) == (before, {"issuer": "appliance-ca"})
    assert appliance.engine.renew().renewed == (NAME,)
    assert (row(appliance).ca, dict(row(appliance).wanted)) == ("appliance-ca", {})
    assert appliance.engine.renew().renewed == ()
    assert appliance.engine.change_issuer((NAME,), "appliance-ca") == ()


def test_what_cannot_get_another_issuer(appliance: Appliance) -> None:
    """An unknown issuer or certificate, the box's own and an upload are refused, and then nothing has changed."""
    appliance.issue(NAME)
    appliance.engine.first_boot()
    write_lineage(appliance.paths, LineageConfig(name="corp", domains=("corp.example",), issuer="upload"))
    for names in ((NAME, "default"), (NAME, "corp")):
        with pytest.raises(UsageError):
            appliance.engine.change_issuer(names, "appliance-ca")
    with pytest.raises(NotFound):
        appliance.engine.change_issuer((NAME,), "nobody")
    with pytest.raises(NotFound):
        appliance.engine.change_issuer((NAME, "nothing"), "appliance-ca")
    assert settings(appliance)["issuer"] != "appliance-ca"
    with pytest.raises(UsageError):
        appliance.engine.set_lineage("corp", auto_renew=True)


def test_names_edited_by_hand_are_shown_and_ordered_once(appliance: Appliance) -> None:
    """A name added to the file is not shown as covered; the difference shows, and one run orders it."""
    appliance.issue(NAME)
    path = appliance.paths.certificates / f"{NAME}.toml"
    path.write_text(path.read_text().replace(f'["{NAME}"]', f'["{NAME}", "WWW.example.com"]'))
    found = row(appliance)
    assert (found.domains, dict(found.wanted)) == ((NAME,), {"domains": [NAME, "WWW.example.com"]})
    assert [reason.code for reason in health(found).reasons if reason.code != "no-timer"] == ["settings-differ"]
    orders = len(appliance.ca.orders)
    assert appliance.engine.renew().renewed == (NAME,)
    assert (row(appliance).domains, dict(row(appliance).wanted)) == ((NAME, "www.example.com"), {})
    assert appliance.engine.renew().renewed == ()
    assert len(appliance.ca.orders) == orders + 1


def test_what_differs_waits_after_a_failure(appliance: Appliance) -> None:
    """A name that the CA refuses is tried again after the usual waits, not with every run."""
    appliance.issue(NAME)
    path = appliance.paths.certificates / f"{NAME}.toml"
    path.write_text(path.read_text().replace(f'["{NAME}"]', f'["{NAME}", "www.example.com"]'))
    appliance.ca.fail("/new-order", problem("serverInternal", 403), times=2)
    assert len(appliance.engine.renew().failed) == 1
    assert (appliance.engine.renew().failed, appliance.engine.renew().renewed) == ((), ())
    appliance.clock.advance(minutes=3)
    assert appliance.engine.renew().renewed == (NAME,)


def test_a_rollback_is_no_change_of_settings(appliance: Appliance) -> None:
    """An older certificate that a person brought back is not ordered anew by the next run, although its names are fewer."""
    appliance.issue(NAME)
    appliance.issue(NAME, "www.example.com", name=NAME)
    appliance.engine.rollback(NAME)
    assert row(appliance).domains == (NAME,)
    assert set(row(appliance).wanted) == {"domains"}
    assert appliance.engine.renew().renewed == ()


def test_what_waits_stays_away_from_a_target_decided_since(appliance: Appliance, tmp_path: Path) -> None:
    """A refused certificate goes live with the next run, but not on a service that somebody gave another one meanwhile."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.engine.first_boot()
    service.test_answers.append(REFUSED)
    with pytest.raises(ConfigTestFailed) as refused:
        appliance.issue(NAME, targets=("web",))
    assert "The next scheduled run deploys it, except to a target that gets another certificate" in refused.value.why
    appliance.clock.advance(minutes=5)
    appliance.issue("other.example.com", targets=("web",))
    chosen = service.serves
    assert appliance.engine.renew(report=appliance.told.append).renewed == (NAME,)
    assert service.serves == chosen
    assert "target-decided-otherwise" in [event.code for event in appliance.of(Warned)]
    assert load_lineage(appliance.paths, "other.example.com").targets == ("web",)
    assert row(appliance).waiting_version is None
    appliance.engine.deploy(NAME, targets=("web",))
    assert service.serves == appliance.live(NAME)


def test_the_same_target_deployed_again_is_a_decision(appliance: Appliance, tmp_path: Path) -> None:
    """Whoever deploys on a service what it had already has decided, too."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.engine.first_boot()
    service.test_answers.append(REFUSED)
    with pytest.raises(ConfigTestFailed):
        appliance.issue(NAME, targets=("web",))
    appliance.clock.advance(minutes=5)
    appliance.engine.deploy("default")
    appliance.engine.renew()
    assert service.serves == appliance.live("default")


def test_an_older_version_that_a_service_refused_does_not_wait(appliance: Appliance, tmp_path: Path) -> None:
    """A version that was rolled back from and refused when somebody tried it again is not deployed by the next run."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    appliance.engine.renew(force=True)
    appliance.engine.rollback(NAME)
    service.test_answers.append(REFUSED)
    with pytest.raises(ConfigTestFailed):
        appliance.engine.deploy(NAME, version=2)
    assert row(appliance).waiting_version is None
    appliance.engine.renew()
    assert row(appliance).version == 1


def test_a_revoked_certificate_is_critical_and_due(appliance: Appliance) -> None:
    """A certificate that is known to be revoked is critical, and the next run brings a new one."""
    appliance.issue(NAME)
    state = renewal_state.RenewalState(revoked=row(appliance).sha256)
    renewal_state.save(appliance.paths, NAME, state)
    found = health(row(appliance))
    assert (found.level, found.reasons[0].code) == ("critical", "revoked")
    assert appliance.engine.renew().renewed == (NAME,)
    assert not row(appliance).revoked


def test_a_run_by_hand_says_nothing_about_the_timer(appliance: Appliance) -> None:
    """A renewal that somebody asks for by name is not the scheduled run: what that did last stays to be seen."""
    appliance.issue(NAME)
    appliance.engine.renew()
    ran = appliance.engine.status().timer.last_run
    appliance.clock.advance(hours=1)
    appliance.engine.renew((NAME,), force=True)
    assert appliance.engine.status().timer.last_run == ran


def test_a_run_reports_what_is_not_served(appliance: Appliance, tmp_path: Path) -> None:
    """A target that somebody gave another certificate is in the result of a run with nothing due, and changes nothing else."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    assert appliance.engine.renew().warnings == ()
    Path(service.target.certificate).unlink()
    Path(service.target.certificate).write_text("another")
    for dry_run in (True, False):
        (found,) = appliance.engine.renew(dry_run=dry_run).warnings
        assert found.code == "other-certificate"
        assert f"Target web does not serve {NAME}" in found.what
        assert "changed by another program" in found.what


def test_a_rehearsal_tells_that_it_passed(appliance: Appliance) -> None:
    """A rehearsal ends with an event of its own, and no certificate is told as issued."""
    appliance.configure('[issuers.lab]\ndirectory = "https://ca.test/directory"\nagree_tos = true\n')
    text = appliance.paths.config.read_text().replace("[issuers.ca]", '[issuers.ca]\nstaging = "lab"')
    appliance.paths.config.write_text(text)
    appliance.issue(NAME, staging=True)
    assert [event.issuer for event in appliance.of(RehearsalPassed)] == ["lab"]
    assert appliance.of(CertificateIssued) == []
