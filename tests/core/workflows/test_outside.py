"""Beside another ACME client: its newer certificate is told, named, taken in, and never overwritten without a word."""

from __future__ import annotations

import os
import shlex
import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import CertdeckError, NewerElsewhere
from core.store.versions import certificate_facts
from core.upload.values import ImportRequest, Part, Upload
from core.workflows.deploying.outside import flaw_of
from tests.support.appliance import Appliance
from tests.support.authority import Authority, Leaf, self_signed
from tests.support.clock import NOON
from tests.support.other_clients import unpack
from tests.support.services import Service

NAME = "shop.example.com"
LINE = '3 6 * * * "/root/.acme.sh"/acme.sh --cron --home "/root/.acme.sh" > /dev/null'


@pytest.fixture
def service(appliance: Appliance, tmp_path: Path) -> Service:
    """A service with a certificate of ours, two days old."""
    made = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    appliance.clock.advance(days=2)
    return made


def write_through(service: Service, leaf: Leaf) -> None:
    """Write a pair as acme.sh does: through whatever links are there."""
    Path(service.target.certificate).write_bytes(leaf.fullchain_pem)
    Path(service.target.key).write_bytes(leaf.key_pem)


def from_another_client(appliance: Appliance, service: Service, names: list[str] | None = None) -> Leaf:
    """Let acme.sh, with its timer, have a newer certificate and write it to the service's paths."""
    leaf = Authority.new(now=appliance.clock.now()).leaf(names or [NAME])
    folder = appliance.root / f"root/.acme.sh/{NAME}_ecc"
    folder.mkdir(parents=True)
    (folder / "fullchain.cer").write_bytes(leaf.fullchain_pem)
    (folder / f"{NAME}.cer").write_bytes(leaf.certificate_pem)
    (folder / f"{NAME}.key").write_bytes(leaf.key_pem)
    crontabs = appliance.root / "var/spool/cron/crontabs"
    crontabs.mkdir(parents=True)
    (crontabs / "root").write_text(f"{LINE}\n")
    write_through(service, leaf)
    return leaf


def test_status_names_the_client_and_what_to_do(appliance: Appliance, service: Service) -> None:
    """A newer certificate of another client is told with its owner, its end, the import that takes it in and the timer's line."""
    leaf = from_another_client(appliance, service)
    state = appliance.engine.status().lineages[0].targets[0]
    assert state.state == "stale"
    found = state.outside
    assert found is not None
    assert (found.client, found.newer) == ("acme.sh", True)
    assert int(found.serial, 16) == leaf.certificate.serial_number
    folder = appliance.root / f"root/.acme.sh/{NAME}_ecc"
    assert shlex.split(found.command) == [
        *("certdeck", "import", NAME, "--cert", f"{folder}/fullchain.cer", "--key", f"{folder}/{NAME}.key"),
        "--keep-issuer",
    ]
    assert found.timer.endswith(LINE)
    assert found.timer_off in state.why
    assert "deploy again" not in state.why


def test_deploy_does_not_put_an_older_one_over_it(appliance: Appliance, service: Service) -> None:
    """The older certificate goes there with --force alone; nothing is touched before."""
    leaf = from_another_client(appliance, service)
    before = list(service.did)
    with pytest.raises(NewerElsewhere) as refused:
        appliance.engine.deploy(NAME)
    error = refused.value
    assert (error.code, error.details["client"]) == ("newer-elsewhere", "acme.sh")
    assert "certdeck import" in error.fix
    assert "--force" in error.fix
    assert service.did == before
    assert Path(service.target.certificate).read_bytes() == leaf.fullchain_pem
    appliance.engine.deploy(NAME, force=True)
    assert service.serves == appliance.live(NAME)


def test_a_rollback_does_not_either(appliance: Appliance, service: Service) -> None:
    """Going back to an older version is refused there as well, unless forced."""
    appliance.engine.renew((NAME,), force=True)
    appliance.clock.advance(days=1)
    from_another_client(appliance, service)
    with pytest.raises(NewerElsewhere):
        appliance.engine.rollback(NAME)
    assert appliance.engine.rollback(NAME, force=True).version == 1


def test_it_can_be_taken_in_and_is_renewed_as_before(appliance: Appliance, service: Service) -> None:
    """The offered import makes it the live version, and certdeck goes on renewing."""
    leaf = from_another_client(appliance, service)
    upload = Upload(parts=(Part("c.pem", leaf.fullchain_pem), Part("k.pem", leaf.key_pem)))
    done = appliance.engine.import_upload(ImportRequest(name=NAME, upload=upload, force=True, keep_issuer=True))
    assert done.status.sha256 == leaf.sha256
    assert done.status.auto_renew
    status = appliance.engine.status().lineages[0]
    assert status.targets[0].state == "deployed"
    appliance.clock.advance(days=80)
    assert appliance.engine.renew().renewed == (NAME,)


def test_the_scheduled_run_reports_it(appliance: Appliance, service: Service) -> None:
    """With nothing due, the run still says that a target carries another certificate, and fails nothing."""
    assert appliance.engine.renew().warnings == ()
    from_another_client(appliance, service)
    report = appliance.engine.renew()
    assert (report.renewed, report.failed) == ((), ())
    (warning,) = report.warnings
    assert warning.code == "other-certificate"
    assert NAME in warning.what
    assert "acme.sh" in warning.what
    assert warning.fix.startswith("certdeck import")
    assert appliance.engine.renew(dry_run=True).warnings == (warning,)


@pytest.mark.parametrize("how", ["deleted", "changed"])
def test_the_scheduled_run_reports_a_key_that_is_not_ours(appliance: Appliance, service: Service, how: str) -> None:
    """A key file that was deleted or replaced fails the service's next start: the run says so, as of a certificate file."""
    key = Path(service.target.key)
    key.unlink()
    if how == "changed":
        key.write_bytes(Authority.new(now=appliance.clock.now()).leaf([NAME]).key_pem)
    for dry_run in (True, False):
        (warning,) = appliance.engine.renew(dry_run=dry_run).warnings
        assert (warning.code, warning.target) == ("other-certificate", "web")
        assert str(key) in warning.what
        assert warning.fix == f"certdeck deploy {NAME}"
    appliance.engine.deploy(NAME)
    assert appliance.engine.renew().warnings == ()


def test_a_file_that_somebody_changed_is_deployed_again(appliance: Appliance, service: Service) -> None:
    """An older certificate, a self-signed one, one for other names, and half a pair are no loss: they are put right."""
    now = appliance.clock.now()
    authority = Authority.new(now=now)
    half = authority.leaf([NAME])
    for leaf, key, why in (
        (self_signed([NAME], now=now), None, "which is self-signed"),
        (authority.leaf(["other.example.com"]), None, "which is not for the same names"),
        (half, b"no key", "which has no matching key"),
    ):
        write_through(service, leaf)
        if key is not None:
            Path(service.target.key).write_bytes(key)
        state = appliance.engine.status().lineages[0].targets[0]
        assert state.outside is not None
        assert not state.outside.newer
        assert f"{why}. Deploy again" in state.why
        assert appliance.engine.renew().warnings[0].fix == f"certdeck deploy {NAME}"
        appliance.engine.deploy(NAME)
        assert appliance.engine.status().lineages[0].targets[0].state == "deployed"


def test_a_certificate_of_ours_is_nobody_elses(appliance: Appliance, service: Service) -> None:
    """Another lineage of this box on the same service is no outside change."""
    appliance.issue("other.example.com", NAME, name="both", targets=())
    appliance.clock.advance(hours=1)
    appliance.engine.deploy("both", targets=("web",))
    appliance.engine.deploy(NAME, targets=("web",))
    assert service.serves == appliance.live(NAME)


def test_status_of_one_knows_the_others(appliance: Appliance, service: Service) -> None:
    """Of one certificate alone, too: what its service serves instead, and is another one of this box, is nobody else's."""
    appliance.issue("other.example.com", NAME, name="both", targets=())
    Path(service.target.certificate).write_bytes(appliance.live("both"))
    (row,) = appliance.engine.status([NAME]).lineages
    assert (row.targets[0].state, row.targets[0].outside) == ("stale", None)


def test_monitoring_does_not_search_for_other_clients(appliance: Appliance, service: Service) -> None:
    """The monitoring line has no room for whose certificate a service has: it is not searched for."""
    from_another_client(appliance, service)
    (row,) = appliance.engine.summary().lineages
    assert (row.targets[0].state, row.targets[0].outside) == ("stale", None)


@pytest.mark.parametrize(
    ("names", "days_later", "issuer", "flaw"),
    [
        ([NAME], 1, "Test", ""),
        ([NAME, "www.example.com"], 1, "Test", ""),
        (["*.example.com"], 1, "Test", ""),
        (["example.com"], 1, "Test", "is not for the same names"),
        ([NAME], -1, "Test", "is not newer"),
        ([NAME], 0, "Test", "is not newer"),
        ([NAME], 3, "Test", "is not valid now"),
        ([NAME], 1, "(STAGING) Wannabe Watercress R11", "comes from a staging CA"),
        ([NAME], 1, "Fake LE Intermediate X1", "comes from a staging CA"),
    ],
)
def test_newer_means_a_loss(names: list[str], days_later: int, issuer: str, flaw: str) -> None:
    """Issued later, for every name of ours, and of a CA that clients trust like ours; else it is said what is wrong with it."""
    ours = certificate_facts(Authority.new(now=NOON).leaf([NAME]).fullchain_pem)
    theirs = certificate_facts(Authority.new(issuer, now=NOON + timedelta(days=days_later)).leaf(names).fullchain_pem)
    assert flaw_of(theirs, ours, NOON + timedelta(days=2)) == flaw


@pytest.mark.parametrize(
    ("client", "file"),
    [
        ("acme.sh", "root/.acme.sh/revoked.example.org_ecc/fullchain.cer"),
        ("lego", "root/.lego/archives/1795900915.revoked.example.org.crt"),
        ("dehydrated", "var/lib/dehydrated/certs/revoked.example.org/fullchain.pem"),
        ("uacme", "etc/ssl/uacme/revoked.example.org/revoked-1795901591.pem"),
    ],
)
def test_what_another_client_revoked_is_not_taken_in_without_a_hint(
    appliance: Appliance, client: str, file: str
) -> None:
    """A certificate that another client has marked as revoked gets a warning that names the client."""
    text = (unpack(client, appliance.root) / file).read_bytes()
    checked = appliance.engine.check_upload(Upload(parts=(Part("c.pem", text),)))
    (found,) = [each for each in checked.checks if each.id == "revoked"]
    assert (found.status, client in found.detail) == ("warn", True)
    other = Authority.new(now=appliance.clock.now()).leaf([NAME])
    checked = appliance.engine.check_upload(Upload(parts=(Part("c.pem", other.fullchain_pem),)))
    assert not [each for each in checked.checks if each.id == "revoked"]


def test_what_this_box_revoked_is_not_taken_in_without_a_hint(appliance: Appliance, service: Service) -> None:
    """A certificate that was revoked here is known, for as long as its lineage remembers it."""
    text = appliance.live(NAME)
    appliance.engine.revoke(NAME)
    checked = appliance.engine.check_upload(Upload(parts=(Part("c.pem", text),)))
    (found,) = [each for each in checked.checks if each.id == "revoked"]
    assert f"certdeck revoke {NAME}" in found.detail


def test_the_status_as_json_has_it(appliance: Appliance, service: Service) -> None:
    """Scripts read whose certificate it is, what takes it in, and every listener."""
    from tui.cli.jsonout import target_json

    from_another_client(appliance, service)
    found = target_json(appliance.engine.status(probe=True).lineages[0].targets[0])
    assert list(found) == ["name", "state", "served_sha256", "listeners", "outside"]
    outside = found["outside"]
    assert isinstance(outside, dict)
    assert (outside["client"], outside["newer"]) == ("acme.sh", True)
    assert outside["not_after"].endswith("Z")
    assert found["listeners"] == [
        {"address": "web:443", "state": "deployed", "served_sha256": found["served_sha256"]},
    ]


def test_a_folder_that_another_account_fills_is_in_no_command(appliance: Appliance, service: Service) -> None:
    """Any account can copy a public certificate into an acme.sh folder of its own; root is not told to import from there."""
    leaf = Authority.new(now=appliance.clock.now()).leaf([NAME])
    folder = appliance.root / f"home/mallory/.acme.sh/{NAME}"
    folder.mkdir(parents=True)
    (folder / "fullchain.cer").write_bytes(leaf.fullchain_pem)
    (folder / f"{NAME}.key").write_bytes(b"another key")
    folder.chmod(0o777)
    write_through(service, leaf)
    found = appliance.engine.status().lineages[0].targets[0].outside
    assert found is not None
    assert shlex.split(found.command)[3:7] == ["--cert", service.target.certificate, "--key", service.target.key]
    assert found.path == service.target.certificate


@pytest.mark.parametrize("place", ["target", "client"])
def test_no_device_is_opened(appliance: Appliance, service: Service, tmp_path: Path, place: str) -> None:
    """Whoever owns a target's folder or a home can put a link to a device there; opening one can already do something."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    if place == "target":
        certificate = Path(service.target.certificate)
        certificate.unlink()
        certificate.symlink_to(pipe)
    else:
        folder = appliance.root / f"home/mallory/.acme.sh/{NAME}"
        folder.mkdir(parents=True)
        (folder / "fullchain.cer").symlink_to(pipe)
        write_through(service, Authority.new(now=appliance.clock.now()).leaf([NAME]))
    writer = threading.Thread(target=lambda: os.close(os.open(pipe, os.O_WRONLY)), daemon=True)
    writer.start()  # ends as soon as somebody opens the other end
    appliance.engine.status()
    with suppress(CertdeckError):
        appliance.engine.deploy(NAME)
    writer.join(0.3)
    was_opened = not writer.is_alive()
    os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
    assert not was_opened
