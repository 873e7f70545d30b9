"""`target kinds`, `target show` and what `target add` takes: contract and console share the rows behind them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command import command
from tests.support.fake_engine import FakeEngine


def test_kinds_in_json() -> None:
    """Each kind says its files, its reader of the key, its action and its probe; one kind alone is one object."""
    answer = command("target", "kinds", "--json", engine=FakeEngine())
    kinds = {each["name"]: each for each in json.loads(answer.out)["kinds"]}
    assert {"nginx", "postfix", "postgresql", "files", "command"} <= set(kinds)
    assert kinds["postgresql"]["key_reader_at_reload"] == "postgres"
    assert kinds["unbound"]["action"] == "restart"
    one = json.loads(command("target", "kinds", "haproxy", "--json", engine=FakeEngine()).out)
    assert (one["name"], one["layouts"][0]) == ("haproxy", "combined")


@pytest.mark.parametrize(
    ("argv", "status", "words"),
    [
        (["target", "kinds", "postfixx"], 1, "Did you mean 'postfix'?"),
        (["target", "show", "nothing"], 1, "There is no target 'nothing'."),
        (["target", "add", "m", "--kind", "postfixx", "--certificate", "/c", "--key", "/k"], 2, "Did you mean 'postfix'?"),
        (["target", "add", "m", "--kind", "postfix", "--certificate", "/c"], 2, "needs --certificate and --key"),
        (["target", "add", "m", "--kind", "haproxy"], 2, "needs --certificate: m"),
        (["target", "add", "m", "--layout", "odd"], 2, "odd"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(argv: list[str], status: int, words: str) -> None:
    """What does not exist is 1, a word that cannot be is 2, and the nearest is named."""
    answer = command(*argv, engine=FakeEngine())
    assert (answer.status, words in answer.err) == (status, True), answer.err


def test_show_tells_what_to_know(tmp_path: Path) -> None:
    """A target is shown as configured, with the remarks of its kind and whether it was tested with the real service."""
    answer = command("target", "show", "nginx", engine=FakeEngine())
    assert answer.status == 0
    assert "nginx -s reload" in answer.out
    assert "certdeck's tests deploy to the real service" in answer.out
    about = json.loads(command("target", "show", "nginx", "--json", engine=FakeEngine()).out)["about"]
    assert about["proven"] is True


def test_a_restart_is_said_when_a_target_is_added() -> None:
    """Whoever adds a service that only a restart helps hears that its connections end, and of the window."""
    answer = command(
        "target", "add", "dns", "--kind", "unbound", "--certificate", "/c", "--key", "/k", engine=FakeEngine()
    )
    assert "closes its connections" in answer.out
    assert "--window" in answer.out
