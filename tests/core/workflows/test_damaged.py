"""What stands in `state/live`, changed by somebody: said by status, put right by a run, and nothing of it removed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import CertdeckError, ConfigTestFailed
from core.events import Recovered
from core.ports import Completed, TransportFailure
from core.store import lineages
from core.upload.values import ImportRequest, Part, Upload
from tests.support.appliance import Appliance
from tests.support.authority import self_signed
from tests.support.clock import NOON

NAME = "shop.example.com"
REFUSES = Completed(returncode=1, output="nginx: [emerg] unknown directive")


def problem(appliance: Appliance) -> CertdeckError:
    """Return the one thing that status says is wrong."""
    [found] = appliance.engine.status().problems
    assert found.lineage == NAME
    return found


def _a_folder(link: Path, _: Path) -> None:
    link.unlink()
    link.mkdir()
    (link / "kept.txt").write_text("mine")


def _a_file(link: Path, _: Path) -> None:
    link.unlink()
    link.write_text("mine")


def _a_link_elsewhere(link: Path, outside: Path) -> None:
    outside.mkdir()
    (outside / "kept.txt").write_text("mine")
    link.unlink()
    link.symlink_to(outside)


def _another_lineages_version(link: Path, _: Path) -> None:
    link.unlink()
    link.symlink_to("../lineages/other.example.com/1")


def _a_number_that_is_none(link: Path, _: Path) -> None:
    link.unlink()
    link.symlink_to(f"../lineages/{NAME}/²")


@pytest.mark.parametrize(
    "spoil", [_a_folder, _a_file, _a_link_elsewhere, _another_lineages_version, _a_number_that_is_none]
)
def test_what_stands_in_the_place_of_a_live_link_is_moved_aside(
    appliance: Appliance, tmp_path: Path, spoil: Callable[[Path, Path], None]
) -> None:
    """A folder, file or foreign link at live/NAME was a traceback or was overwritten; a run moves it away and mends."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    appliance.issue("other.example.com")
    before, link = appliance.live(NAME), appliance.paths.live / NAME
    spoil(link, tmp_path / "outside")
    there = link.read_text() if link.is_file() else None
    assert "certdeck --renew" in problem(appliance).fix
    assert [lineage.name for lineage in appliance.engine.status().lineages] == ["other.example.com"]

    report = appliance.engine.renew(report=appliance.told.append)
    assert (report.renewed, report.failed) == ((), ())
    assert appliance.engine.status().problems == ()
    assert appliance.live(NAME) == before == service.serves
    [said] = [event for event in appliance.of(Recovered) if isinstance(event, Recovered)]
    [moved] = appliance.paths.set_aside.iterdir()
    assert str(moved) in said.what
    if there is not None:
        assert moved.read_text() == there
    elif (moved / "kept.txt").exists():
        assert (moved / "kept.txt").read_text() == "mine"


def test_something_foreign_in_live_is_left_alone(appliance: Appliance) -> None:
    """What somebody keeps in live under a name that is no lineage's is not certdeck's to move."""
    appliance.issue(NAME)
    (appliance.paths.live / "notes").mkdir()
    appliance.engine.renew((NAME,), force=True)
    assert (appliance.paths.live / "notes").is_dir()


def test_a_waiting_version_goes_on_waiting(appliance: Appliance, tmp_path: Path) -> None:
    """Mending a link takes the version that was live, not a newer one that the service had refused."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    service.test_answers.append(REFUSES)
    appliance.engine.renew(force=True)
    (appliance.paths.live / NAME).unlink()
    (appliance.paths.live / NAME).mkdir()
    service.test_answers.append(REFUSES)
    with pytest.raises(ConfigTestFailed):
        appliance.engine.deploy(NAME)
    lineage = appliance.engine.status().lineages[0]
    assert (lineage.version, lineage.waiting_version) == (1, 2)


@pytest.mark.parametrize("damage", ["folder", "certificate", "facts and certificate"])
@pytest.mark.parametrize("issuer", ["ca", "self-signed"])
def test_a_live_version_that_cannot_be_read_is_renewed(
    appliance: Appliance, tmp_path: Path, issuer: str, damage: str
) -> None:
    """A live version that was removed or damaged made every run say the same and do nothing, `--force` too."""
    service = appliance.add_service(tmp_path / "srv")
    if issuer == "ca":
        appliance.issue(NAME, targets=("web",))
    else:
        appliance.engine.first_boot()
    name = NAME if issuer == "ca" else "default"
    home = lineages.folder(appliance.paths, name, 1)
    if damage == "folder":
        shutil.rmtree(home)
    else:
        (home / "cert.pem").write_text("garbage")
        (home / "version.json").write_text("{" if "facts" in damage else (home / "version.json").read_text())
    assert [each.lineage for each in appliance.engine.status().problems] == [name]
    assert appliance.engine.renew(dry_run=True).due == (name,)
    report = appliance.engine.renew()
    assert (report.renewed, report.failed) == ((name,), ())
    assert appliance.live(name) == service.serves
    assert appliance.engine.status().problems == ()


def test_a_renewal_over_a_missing_version_can_be_undone(appliance: Appliance, tmp_path: Path) -> None:
    """A failed deployment tried for ever to make the missing version live again, and held up every later one."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    before = service.serves
    shutil.rmtree(lineages.folder(appliance.paths, NAME, 1))
    service.test_answers.append(REFUSES)
    assert [each.name for each in appliance.engine.renew().failed] == [NAME]
    assert service.serves == before
    assert list(appliance.paths.transactions.iterdir()) == []
    assert lineages.versions(appliance.paths, NAME) == (2,)  # number 1 would have been live at once
    assert appliance.engine.renew((NAME,)).renewed == (NAME,)


def test_a_failure_of_a_damaged_lineage_waits_like_any_other(appliance: Appliance) -> None:
    """A damaged lineage whose CA does not answer is tried again after the usual pause, not in each run."""
    appliance.issue(NAME)
    shutil.rmtree(lineages.folder(appliance.paths, NAME, 1))
    appliance.ca.fail("/directory", TransportFailure("unreachable", "connection refused"), times=99)
    assert [each.name for each in appliance.engine.renew().failed] == [NAME]
    asked = len(appliance.ca.asked)
    assert [each.error.code for each in appliance.engine.renew().failed] == ["store-corrupt"]
    assert len(appliance.ca.asked) == asked


def test_a_first_boot_makes_a_damaged_certificate_anew(appliance: Appliance) -> None:
    """A box whose own self-signed certificate was damaged did not get through its next boot."""
    appliance.engine.first_boot()
    shutil.rmtree(lineages.folder(appliance.paths, "default", 1))
    appliance.engine.first_boot()
    assert appliance.engine.status().problems == ()


def test_an_upload_whose_version_is_gone_says_the_way_out(appliance: Appliance) -> None:
    """What nobody can order is not tried: the problem stays said, and the version before it can be had."""
    for _ in range(2):
        leaf = self_signed([NAME], now=NOON)
        upload = Upload(parts=(Part(label="pair.pem", data=leaf.fullchain_pem + leaf.key_pem),))
        appliance.engine.import_upload(ImportRequest(name=NAME, upload=upload, force=True))
    shutil.rmtree(lineages.folder(appliance.paths, NAME, 2))
    assert [each.name for each in appliance.engine.renew().failed] == [NAME]
    assert appliance.engine.rollback(NAME).version == 1
    assert appliance.engine.status().problems == ()


@pytest.mark.parametrize("file", ["privkey.pem", "fullchain.pem"])
@pytest.mark.parametrize("content", [b"", b"-----BEGIN", b"\0" * 300])
def test_a_live_version_whose_files_are_damaged_is_renewed(
    appliance: Appliance, tmp_path: Path, file: str, content: bytes
) -> None:
    """A scheduled run repairs a live key or chain that a disk or a program has emptied; before, only its service told on it."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    (appliance.paths.live / NAME / file).write_bytes(content)
    report = appliance.engine.renew()
    assert (report.renewed, report.failed, report.warnings) == ((NAME,), (), ())
    assert appliance.live(NAME) == service.serves
    assert appliance.engine.renew().renewed == ()


def test_an_uploaded_version_that_is_damaged_says_what_helps(appliance: Appliance, tmp_path: Path) -> None:
    """What cannot be ordered is not deployed again either: the warning says to import it, and names the files as the cause."""
    appliance.add_service(tmp_path / "srv")
    made = self_signed([NAME], now=NOON)
    upload = Upload(parts=(Part(label="all.pem", data=made.fullchain_pem + made.key_pem),))
    appliance.engine.import_upload(ImportRequest(name=NAME, upload=upload, targets=("web",)))
    (appliance.paths.live / NAME / "privkey.pem").write_bytes(b"")
    report = appliance.engine.renew()
    assert report.renewed == ()
    [warning] = report.warnings
    assert warning.code == "live-damaged"
    assert "import it again" in warning.fix
