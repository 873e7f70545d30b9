"""`backup`, `restore` and `status --what-if`: what scripts read, what people read, and how they end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from core.forecast import Subject
from core.operations import Status
from tests.support.command import command, process
from tests.support.fake_engine import FakeEngine


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "secret"
    path.write_text("correct horse\n")
    return str(path)


def test_backup_says_what_it_holds(secret: str) -> None:
    """The result has path, counts and what seals it; for people also where the passphrase belongs."""
    engine = FakeEngine()
    answer = command("backup", "--out", "/x/box.backup", "--passphrase-file", secret, "--json", engine=engine)
    assert answer.status == 0
    assert answer.json == {
        "path": "/x/box.backup",
        "files": 42,
        "bytes": 123456,
        "certificates": 3,
        "sealed_for": "passphrase",
        "master_key": "file",
    }
    said = command("backup", "--out", "/x/box.backup", "--passphrase-file", secret, engine=engine).out
    assert "Wrote /x/box.backup (3 certificates, 42 files, 121 KiB)." in said
    assert "correct horse" not in said
    engine.backup_key_source, engine.backup_skips = "credential", ("/x/state/evil",)
    warnings = command("backup", "--out", "b", "--passphrase-file", secret, "--json", engine=engine).json["warnings"]
    assert [each["code"] for each in warnings] == ["master-key-not-in-backup", "not-in-backup"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["backup"],
        ["backup", "--out", "-"],
        ["backup", "--out", "b"],
        ["backup", "--out", "b", "--passphrase-file", "s", "--to-key", "k"],
        ["backup", "--out", "b", "--elsewhere"],
        ["restore"],
        ["restore", "b"],
        ["restore", "b", "--passphrase-file", "s", "--key", "k"],
        ["status", "--what-if", "2027-02-30"],
        ["status", "--what-if", "tomorrow"],
        ["status", "--what-if", "9999-01-01"],
        ["status", "--what-if", "2027-02-10", "--check"],
    ],
)
def test_what_cannot_be_is_wrong_usage(arguments: list[str]) -> None:
    """What is missing, contradicts itself or is no date ends with status 2 and one error object; nothing is done."""
    engine = FakeEngine()
    answer = command(*arguments, "--json", engine=engine)
    assert answer.status == 2
    assert answer.error["code"] == "usage"
    assert [call for call in engine.calls if call[0] in ("backup", "restore")] == []


def test_backed_up_by_other_means() -> None:
    """`backup --elsewhere` only ends the reminder."""
    answer = command("backup", "--elsewhere", "--json", engine=FakeEngine())
    assert (answer.status, answer.json) == (0, {"elsewhere": True})


def test_restore_tells_before_it_does(secret: str) -> None:
    """A dry run lists the differences and says how to go on; without --replace a box that is set up is left as it is."""
    engine = FakeEngine()
    answer = command("restore", "b", "--passphrase-file", secret, "--dry-run", "--json", engine=engine)
    assert answer.status == 0
    assert answer.json == {
        "path": "b",
        "applied": False,
        "made": "2026-11-21T04:02:00Z",
        "version": "1.0",
        "hostname": "old.example.com",
        "certificates": 3,
        "files": 42,
        "bytes": 9000,
        "needs_replace": True,
        "differences": [
            {
                "kind": "target",
                "name": "web",
                "state": "missing-path",
                "text": "/etc/nginx of the target web does not exist here.",
            }
        ],
        "set_aside": [],
    }
    said = command("restore", "b", "--passphrase-file", secret, "--dry-run", engine=engine).out
    assert "Nothing was changed. To restore it here, add --replace." in said
    refused = command("restore", "b", "--passphrase-file", secret, "--json", engine=engine)
    assert (refused.status, refused.error["code"]) == (1, "already-there")
    done = command("restore", "b", "--passphrase-file", secret, "--replace", engine=engine)
    assert done.status == 0
    assert "The previous files are in /nowhere/etc/replaced-1" in done.out
    missing = command("restore", "missing", "--passphrase-file", secret, "--dry-run", "--json", engine=engine)
    assert (missing.status, missing.error["code"]) == (1, "not-found")


def test_status_reminds_of_the_backup(monkeypatch: pytest.MonkeyPatch) -> None:
    """A master key that was never backed up is a line of `status` and a warning of `status --json`, and no problem of a check."""
    engine = FakeEngine()
    before = command("status", engine=engine).out
    assert "never backed up" not in before
    honest = engine.status

    def status(*arguments: Any, **given: Any) -> Status:
        return replace(honest(*arguments, **given), never_backed_up=True)

    monkeypatch.setattr(engine, "status", status)
    assert "The master key of this box was never backed up." in command("status", engine=engine).out
    assert command("status", "--json", engine=engine).json["warnings"][0]["code"] == "no-backup"


def test_what_if_has_its_shape() -> None:
    """The JSON has date, certificates, CAs, orders, runs, announcements and problems; the text says the same."""
    engine = FakeEngine()
    by_hand = Subject(name="mail", issuer="letsencrypt", kind="letsencrypt", lifetime_days=90.0, by_hand=True)
    engine.subjects = (*engine.subjects, by_hand)
    found = command("status", "--what-if", "2028-02-16", "--json", engine=engine).json
    assert found["date"] == "2028-02-16"
    shop, mail = found["certificates"]
    assert (shop["name"], shop["lifetime_days"], shop["renews_every_days"], shop["problems"]) == ("shop", 45, 30.0, [])
    assert shop["source"].startswith("Let's Encrypt, 2 Dec 2025")
    assert [problem["code"] for problem in mail["problems"]] == ["manual-dns"]
    assert found["orders_per_week"] == 0.47
    assert found["runs_per_week"] == 14
    assert [each["date"] for each in found["changes"]] == ["2027-02-10", "2027-03-15", "2028-02-16"]
    assert found["problems"] == []
    said = command("status", "--what-if", "2028-02-16", engine=engine).out
    assert "45 days (now 90)" in said
    assert "about 12 times a year" in said
    assert "15 Mar 2027: no public CA issues for more than 100 days." in said


def test_on_a_real_box(home: Path, tmp_path: Path, secret: str) -> None:
    """First boot, backup, loss of everything, dry run, restore, status: with the real program each time."""
    assert process("first-boot", "--hostname", "box.example.com", home=home).status == 0
    file = str(tmp_path / "box.backup")
    made = process("backup", "--out", file, "--passphrase-file", secret, "--json", home=home)
    assert made.status == 0, made.err
    sha256 = process("status", "--json", home=home).json["certificates"][0]["sha256"]
    other = tmp_path / "other"
    looked = process("restore", file, "--passphrase-file", secret, "--dry-run", "--json", home=other)
    assert looked.status == 0, looked.err
    assert not other.exists()
    assert process("restore", file, "--passphrase-file", secret, home=other).status == 0
    assert process("status", "--json", home=other).json["certificates"][0]["sha256"] == sha256
    assert process("--renew", "--json", home=other).json["failed"] == []
    again = process("restore", file, "--passphrase-file", secret, "--json", home=other)
    assert (again.status, again.error["code"]) == (1, "already-there")
    then = process("status", "--what-if", "2029-04-01", "--json", home=other)
    assert then.json["certificates"][0]["name"] == "default"


def test_report_takes_the_texts_of_the_front_end() -> None:
    """Status and findings go into the report as people and scripts see them; the result names the file and what is in it."""
    engine = FakeEngine()
    answer = command("report", "--out", "/x/r.tar.gz", "--json", engine=engine)
    assert answer.status == 0
    assert answer.json == {
        "path": "/x/r.tar.gz",
        "files": ["versions.txt", "status.txt", "status.json", "doctor.txt"],
    }
    assert "Read it before you send it." in command("report", "--out", "r", engine=engine).out
    assert command("report", "--out", "-", engine=engine).status == 2
    assert command("report", engine=engine).status == 2
