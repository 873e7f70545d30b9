"""What people type by habit, told what it is called here."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.support.command import command
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import seven


@pytest.mark.parametrize(
    ("argv", "fix"),
    [
        (["check", "my.crt"], "`--cert my.crt`"),
        (["check", "my cert.pem", "--host", "a.example.com"], "`--cert 'my cert.pem'`"),
        (["log", "shop"], "`--lineage shop`"),
        (["import", "shop", "my.crt"], "`--cert my.crt`"),
    ],
)
def test_a_word_without_its_option(argv: list[str], fix: str) -> None:
    """A file or a name given without an option was "not known here"; now the answer is what was meant, to be typed."""
    engine = FakeEngine()
    answer = command(*argv, "--json", engine=engine)
    assert answer.status == 2
    assert fix in answer.error["fix"]
    assert engine.calls == []


def test_status_says_how_a_newer_version_is_had_again() -> None:
    """After a rollback the detail names the newer version and the command for it; the JSON has its number."""
    lineages = [replace(each, newer_version=3, version=2) if each.name == "shop" else each for each in seven()]
    assert "certdeck deploy shop --version 3" in command("status", "shop", engine=FakeEngine(lineages)).out
    found = command("status", "shop", "--json", engine=FakeEngine(lineages)).json["certificates"][0]
    assert found["newer_version"] == 3
    assert (
        "newer_version" not in command("status", "mail", "--json", engine=FakeEngine(lineages)).json["certificates"][0]
    )


def test_a_kept_version_is_deployed_by_its_number() -> None:
    """`deploy NAME --version N` asks for that one; without it, nothing is said of versions."""
    engine = FakeEngine()
    assert command("deploy", "shop", "--version", "3", engine=engine).status == 0
    assert command("deploy", "shop", engine=engine).status == 0
    asked = [given for name, given in engine.calls if name == "deploy"]
    assert [given.get("version") for given in asked] == [3, None]


def test_an_nginx_target_says_which_nginx_is_tested() -> None:
    """A target for a second nginx tested the system's without a word; with commands of its own there is nothing to say."""
    files = ("--certificate", "/etc/ssl/a.crt", "--key", "/etc/ssl/a.key", "--probe", "127.0.0.1:8443")
    said = command("target", "add", "second", "--kind", "nginx", *files, engine=FakeEngine()).out
    assert "the nginx of the system" in said
    own = ("--test", "nginx -t -c /srv/n.conf", "--reload", "nginx -s reload -c /srv/n.conf")
    assert "system" not in command("target", "add", "second", "--kind", "nginx", *files, *own, engine=FakeEngine()).out
