"""core.workflows.keeping.inspect_store: what is wrong with the stored state is seen before it is needed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.operations import Finding
from core.schedule.record import ScheduleRecord
from core.schedule.record import save as save_schedule
from core.schedule.timetable import TWICE_DAILY
from core.store import lineages
from core.store.orders import OrderRecord, begin_order
from core.store.vault import Vault
from tests.support.appliance import Appliance
from tests.support.authority import Authority
from tests.support.clock import NOON
from tests.support.command import Answer, command

CONFIG = '[defaults]\nissuer = "appliance-ca"\n'


@pytest.fixture
def box(tmp_path: Path) -> Appliance:
    made = Appliance(tmp_path / "box", CONFIG)
    made.issue("shop.example.com", name="shop")
    made.issue("shop.example.com", name="shop", force=True)
    return made


def run(box: Appliance, *argv: str) -> Answer:
    engine: object = box.reopened()
    return command(*argv, engine=engine)


def wrong(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(each.id, each.status) for each in findings if each.status != "pass"]


def files(box: Appliance) -> dict[str, bytes]:
    root = box.paths.state.parent
    every = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {
        str(path): path.read_bytes() for path in every if path.suffix != ".sqlite-shm"
    }  # whoever reads the log writes there


def test_a_sound_store_passes_and_stays_as_it_is(box: Appliance) -> None:
    """With nothing wrong every part passes, and looking changes no file."""
    before = files(box)
    answer = run(box, "self-check", "--json")
    assert answer.status == 0, answer
    assert answer.json["ok"] is True
    assert {each["id"] for each in answer.json["findings"]} >= {
        "modules",
        "settings",
        "vault-records",
        "live-keys",
        "state-files",
        "log-chain",
    }
    assert files(box) == before


def test_a_sealed_record_that_does_not_open(box: Appliance) -> None:
    """A vault record that was altered is found by name, although nobody needs it today."""
    vault = Vault(box.paths, box.engine.env)
    vault.put("eab/other", b"secret")
    path = vault.path_of("eab/other")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    found = [each for each in box.engine.self_check() if each.id == "vault-records"]
    assert [each.status for each in found] == ["fail"]
    assert "eab/other" in found[0].detail


@pytest.mark.parametrize("pattern", ["orders/*/privkey.sealed", "vault/*.sealed", "lineages/*/1/privkey.sealed"])
def test_a_sealed_file_that_was_overwritten(box: Appliance, pattern: str) -> None:
    """Text in place of any sealed file fails the check as damage: it was told as written by a newer release, and passed."""
    vault = Vault(box.paths, box.engine.env)
    vault.put("eab/other", b"secret")
    order = OrderRecord(name="open", issuer="ca", directory="", account_url="", identifiers=(), created=NOON)
    begin_order(box.paths, vault, order, b"key")
    next(box.paths.state.glob(pattern)).write_bytes(b"x" * 100)
    answer = run(box, "self-check")
    assert answer.status == 1, answer
    assert "changed, damaged or moved" in answer.out
    assert "newer release" not in answer.out


def test_a_sealed_file_of_a_later_release(box: Appliance) -> None:
    """A sealed record in a later format is a warning: nothing is lost with the release that wrote it."""
    vault = Vault(box.paths, box.engine.env)
    vault.put("eab/other", b"secret")
    path = vault.path_of("eab/other")
    path.write_bytes(b"\x02" + path.read_bytes()[1:])
    assert wrong(box.engine.self_check()) == [("vault-records", "warn")]


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_something_else_in_place_of_the_last_result(box: Appliance, make: Callable[[Path], None]) -> None:
    """A folder or a pipe in place of the result of the daily check is told by its own path, not by that of the state."""
    box.paths.last_look.unlink(missing_ok=True)
    make(box.paths.last_look)
    found = [each for each in box.engine.self_check() if each.status != "pass"]
    assert [each.id for each in found] == ["state-files"]
    assert str(box.paths.last_look) in found[0].detail


def test_a_live_key_of_another_certificate(box: Appliance) -> None:
    """A live key that does not belong to its certificate is found before the service is reloaded."""
    version = lineages.live_version(box.paths, "shop")
    assert version is not None
    key = lineages.folder(box.paths, "shop", version) / lineages.KEY
    key.write_bytes(Authority.new(now=NOON).leaf(["shop.example.com"]).key_pem)
    assert wrong(box.engine.self_check()) == [("live-keys", "fail")]
    assert ("live-keys", "fail") in wrong(box.engine.daily_look())


@pytest.mark.parametrize("file", ["chain.pem", "cert.pem"])
@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_live_file_that_differs_from_the_fullchain(box: Appliance, file: str, content: bytes) -> None:
    """A live chain or certificate that was emptied or changed is found, although no service of certdeck reads that file."""
    version = lineages.live_version(box.paths, "shop")
    assert version is not None
    (lineages.folder(box.paths, "shop", version) / file).write_bytes(content)
    assert ("live-keys", "fail") in wrong(box.engine.self_check())


def test_names_that_the_certificate_lacks(box: Appliance) -> None:
    """A name that stands in the settings and not in the certificate is a warning."""
    settings = box.paths.certificates / "shop.toml"
    settings.write_text(settings.read_text().replace('["shop.example.com"]', '["shop.example.com", "b.example.com"]'))
    assert wrong(box.engine.self_check()) == [("live-names", "warn")]


def test_state_of_a_later_release(box: Appliance) -> None:
    """A state file of a later format is told as that, with its path; the commands that need it refuse, and it stays."""
    path = box.paths.lineages / "shop" / "renewal.json"
    text = json.dumps({**json.loads(path.read_bytes()), "format": 3})
    path.write_text(text)
    found = [each for each in box.engine.self_check() if each.status != "pass"]
    assert {each.id for each in found} == {"state-files"}
    assert str(path) in found[0].detail
    for argv in (
        ("status", "shop", "--json"),
        ("--renew", "shop", "--force", "--json"),
        ("rollback", "shop", "--json"),
    ):
        answer = run(box, *argv)
        assert answer.status == 1, (argv, answer)
        assert "store-too-new" in answer.out or "newer release" in answer.out, (argv, answer)
        assert "Traceback" not in answer.err
    assert path.read_text() == text


def test_status_check_looks_once_a_day(box: Appliance) -> None:
    """`status --check` looks at the store once a day while all is well, and each time while something is wrong."""
    assert run(box, "status", "--check").status == 1, "there is no timer"
    looked = box.paths.last_look.read_bytes()
    vault = Vault(box.paths, box.engine.env)
    vault.put("eab/other", b"secret")
    good = vault.path_of("eab/other").read_bytes()
    vault.path_of("eab/other").write_bytes(b"")
    box.clock.advance(hours=23)
    assert run(box, "status", "--check").status == 1
    assert box.paths.last_look.read_bytes() == looked
    box.clock.advance(hours=2)
    answer = run(box, "status", "--check")
    assert answer.status == 2, answer
    assert "eab/other" in answer.out
    assert run(box, "status", "--check", "--json").json["store"][0]["id"] == "vault-records"
    vault.path_of("eab/other").write_bytes(good)
    assert run(box, "status", "--check").status == 1


def test_a_clock_that_was_ahead_delays_no_look(box: Appliance) -> None:
    """A last look that lies in the future counts for nothing."""
    box.clock.advance(days=3650)
    box.engine.daily_look()
    box.clock.advance(days=-3649)
    before = box.paths.last_look.read_bytes()
    box.engine.daily_look()
    assert box.paths.last_look.read_bytes() != before


def test_the_doctor_tells_of_a_log_whose_end_is_in_doubt(box: Appliance) -> None:
    """The doctor's look at the whole box holds the store's findings."""
    os.unlink(box.paths.state / "history.head")
    found = [each for each in box.engine.doctor() if each.id == "log-chain"]
    assert [each.status for each in found] == ["warn"]
    assert "cannot verify the end of the log" in found[0].detail
    assert "--new-chain" in found[0].fix


def test_a_change_of_the_timer_is_a_row_of_the_log(box: Appliance) -> None:
    """`status --check` sees a timer that died, was switched off or is back; each change is one row, whoever is told of it."""

    def rows() -> list[str]:
        told = [str(each.facts.get("what", "")) for each in box.engine.log()]
        return [what for what in reversed(told) if "timer" in what]

    since = box.clock.now()
    box.engine.daily_look()
    assert rows() == []
    save_schedule(box.paths, ScheduleRecord(how="cron", since=since, timetable=TWICE_DAILY))
    for _ in range(2):
        box.engine.daily_look()
    assert len(rows()) == 1
    save_schedule(box.paths, ScheduleRecord(how="off", since=since, timetable=TWICE_DAILY))
    for _ in range(2):
        box.engine.daily_look()
    assert len(rows()) == 2
    assert "is off" in rows()[-1]
