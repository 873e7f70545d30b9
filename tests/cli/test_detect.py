"""`target detect`: what people and scripts read of the services of a box, and taking them over."""

from __future__ import annotations

import shlex
from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from core.config.model import Config
from core.lineage_status import Unmanaged
from core.operations import Status
from core.summary import summary_of
from tests.support.command import command
from tests.support.fake_detect import SERVICES
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NOW, fingerprint
from tui.cli import exits
from tui.cli.detect_text import add_command
from tui.cli.status_text import check_line

UNMANAGED = tuple(
    Unmanaged(
        kind="postfix",
        title="Postfix",
        address="smtp://127.0.0.1:25",
        sha256=fingerprint("mail"),
        subject="mail.example.com",
        not_after=NOW + timedelta(days=days),
        days_left=days,
        severity=severity,
        seen=NOW,
    )
    for days, severity in ((3, "red"), (90, "green"))
)


def test_in_words(golden: SnapshotAssertion) -> None:
    """A table of what each address serves; for each service its files, what is wrong, and the command that takes it over."""
    assert command("target", "detect").out == golden


def test_as_json(golden_json: SnapshotAssertion) -> None:
    """Every field of every service, and the settings of the target that would take it over."""
    assert command("target", "detect", "--json").json == golden_json


def test_the_command_to_copy_is_what_takes_it_over() -> None:
    """Typed as it is shown, it adds the target that is suggested."""
    for service in SERVICES:
        if service.suggest is None:
            continue
        engine = FakeEngine()
        engine.settings = Config()
        _, *words = shlex.split(add_command(service))
        assert command(*words, engine=engine).status == 0
        assert ("add_target", {"config": service.suggest}) in engine.calls


def test_foreign_text_does_not_reach_the_terminal() -> None:
    """What a configuration or a certificate says is shown without anything that a terminal would obey."""
    engine = FakeEngine()
    from msgspec.structs import replace

    engine.services = (replace(SERVICES[1], title="Post\x1b[2Jfix", problems=("It says \x1b]0;owned\x07.",)),)
    assert "\x1b" not in command("target", "detect", engine=engine).out


@pytest.mark.parametrize(
    "words", [("target", "detect", "--add", "postfix"), ("target", "add", "mx", "--detected", "postfix")]
)
def test_taking_over(words: tuple[str, ...]) -> None:
    """One command takes a service over, under its own name or a given one."""
    engine = FakeEngine()
    assert command(*words, engine=engine).status == exits.DONE
    name = "mx" if "mx" in words else None
    assert ("take_over", {"ids": ("postfix",), "name": name}) in engine.calls


def test_a_service_that_is_not_there() -> None:
    """An unknown id is exit 1, and no target is written."""
    answer = command("target", "detect", "--add", "nothing", "--json")
    assert (answer.status, answer.error["code"]) == (exits.FAILED, "not-found")


def _status(found: tuple[Unmanaged, ...]) -> Status:
    from msgspec.structs import replace

    return replace(FakeEngine(()).status(), unmanaged=found)


def test_status_shows_what_is_not_managed(golden: SnapshotAssertion) -> None:
    """`status` lists services that serve somebody else's certificate, and `--json` has them under `unmanaged`."""
    engine = FakeEngine()
    engine.unmanaged = UNMANAGED
    assert command("status", engine=engine).out == golden
    found = command("status", "--json", engine=engine).json["unmanaged"]
    assert [(each["address"], each["days_left"]) for each in found] == [
        ("smtp://127.0.0.1:25", days) for days in (3, 90)
    ]


def test_monitoring_warns_of_what_is_about_to_end() -> None:
    """`status --check` warns of a certificate of somebody else's that ends soon, and of no other."""
    level, line = check_line(summary_of(_status(UNMANAGED)))
    assert level == exits.WARNING
    assert "Postfix on smtp://127.0.0.1:25: 3 days left, not managed" in line
    assert line.count("not managed") == 1
    assert check_line(summary_of(_status(UNMANAGED[1:])))[0] == exits.OK
