"""Homes that earlier releases left are opened, used and changed by this one; what a later release wrote is refused.

The archives are made by `tests/support/homes/make.py` with the releases before a format changed: `first` is the first release,
`before-structs` the last with hand-written records, `before-notes` the last before the notes of the scheduled run; `index-5` has
revocations in its index, and is the first archive with open orders, deleted certificates, entries with secrets and a backup.
"""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path
from zlib import crc32

import pytest

from tests.support.command import process
from tests.support.homes.make import PLACE

ARCHIVES = sorted((Path(__file__).parents[1] / "support" / "homes").glob("*.tar.gz"))
NEWEST = next(path for path in ARCHIVES if path.name == "index-5.tar.gz")
NOTES = ("backup.json", "checked-release.json", "clock.json")
"""Without these something is only said or looked at once more: one that cannot be read counts as missing."""
FACTS = ("names", "sha256", "not_after", "version")


@pytest.fixture(params=ARCHIVES, ids=lambda path: path.name.removesuffix(".tar.gz"))
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder of a box as an earlier release left it: `home`, `tls` and the uploaded files."""
    return opened(request.param, tmp_path)


def opened(archive: Path, tmp_path: Path) -> Path:
    """Unpack an archive, and put its folder in the place of the one where it was made."""
    with tarfile.open(archive) as files:
        files.extractall(tmp_path, filter="tar")
    for path in tmp_path.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.suffix in {".toml", ".json"}:
            path.write_bytes(path.read_bytes().replace(PLACE.encode(), str(tmp_path).encode()))
    return tmp_path


def test_a_home_of_an_earlier_release_is_used_on(box: Path) -> None:
    """Every certificate, version, key, request and log entry is there, and can be changed, deployed, exported and removed."""
    home = box / "home"

    def done(*argv: str) -> str:
        answer = process(*argv, home=home)
        assert answer.status == 0, (argv, answer.out, answer.err)
        return answer.out

    def told(*argv: str) -> list[tuple[object, ...]]:
        return [tuple(each.get(fact) for fact in FACTS) for each in json.loads(done(*argv, "--json"))["certificates"]]

    before = json.loads((box / "shown.json").read_text())["certificates"]
    assert told("status") == [tuple(each.get(fact) for fact in FACTS) for each in before]
    done("self-check")
    done("log", "--verify")
    if (box / "box.backup").exists():
        secret = ("--passphrase-file", str(box / "secret"))
        done("restore", str(box / "box.backup"), "--dry-run", *secret)
        assert [each["name"] for each in json.loads(done("undelete", "--json"))["deleted"]] == ["gone"]
        done("undelete", "gone")
        done("delete", "gone", "--yes")
        assert "lab" in done("dns", "list")
        assert "chat" in done("notify", "list")
    served = (box / "tls" / "web.crt").read_bytes()
    done("rollback", "shop")
    assert (box / "tls" / "web.crt").read_bytes() != served
    done("deploy", "shop", "--version", "2")
    assert (box / "tls" / "web.crt").read_bytes() == served
    done("export", "shop", "--format", "pem", "--out", str(box / "shop.pem"))
    assert "PRIVATE KEY" in (box / "shop.pem").read_text()
    done("import", "corp", "--cert", str(box / "corp-1.crt"), "--key", str(box / "corp-1.key"))
    done("vault", "rotate")
    done("delete", "corp", "--yes")
    done("undelete", "corp")
    assert len(told("status")) == len(before)


def later(record: bytes) -> bytes:
    """Return a record as a release with another format writes it; the index begins with a sum of the rest."""
    changed = re.sub(rb'("format": ?)\d+', rb"\g<1>99", record)
    index = re.match(rb'\{"sum":"[0-9a-f]{8}",', changed)
    return b'{"sum":"%08x",' % crc32(changed[index.end() :]) + changed[index.end() :] if index else changed


def test_each_record_of_a_later_release_is_refused(tmp_path: Path) -> None:
    """Whichever record is of a later release: the self-check reports it, says to install that one, and leaves it as it is."""
    box = opened(NEWEST, tmp_path)
    state = box / "home" / "state"
    records = [path for path in sorted(state.rglob("*.json")) if path.name not in NOTES]
    assert len(records) > 10
    for record in records:
        before = record.read_bytes()
        record.write_bytes(later(before))
        answer = process("self-check", "--json", home=box / "home")
        wrong = [each for each in json.loads(answer.out)["findings"] if each["status"] == "fail"]
        assert record.read_bytes() == later(before), record
        record.write_bytes(before)
        assert answer.status == 1, record
        assert {each["fix"] for each in wrong} == {"Install that release. Nothing was changed."}, (record, wrong)


def test_a_record_of_a_later_release_is_refused(box: Path) -> None:
    """State in a format that this release does not know is left as it is, and the message says to update."""
    record = box / "home" / "state" / "lineages" / "corp" / "1" / "version.json"
    record.write_text(json.dumps({**json.loads(record.read_bytes()), "format": 99}))
    before = record.read_bytes()
    answer = process("deploy", "corp", "--version", "1", "--json", home=box / "home")
    assert (answer.status, answer.error["code"]) == (1, "store-too-new")
    assert record.read_bytes() == before
