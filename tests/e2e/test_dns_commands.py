"""DNS providers by command on a real name server: added, tried, used up to its limits, removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.bind import BindServer
from tests.support.command import Answer, process
from tests.support.zones import KEY, SUB_KEY

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BindServer]:
    """A name server with the zone example.com, changed by signed updates."""
    server = BindServer(tmp_path_factory.mktemp("bind"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def box(home: Path, bind: BindServer) -> Path:
    """A box that asks this name server who has which record."""
    (home / "etc").mkdir(parents=True)
    (home / "etc" / "certdeck.toml").write_text(
        f'# by hand\n[dns01]\nresolvers = ["{bind.address}"]\ntimeout_seconds = 5\n'
    )
    return home


def run(home: Path, *argv: str, **options: Any) -> Answer:
    return process(*argv, "--json", home=home, **options)


def add(home: Path, bind: BindServer, name: str, secret: str, *more: str, key: str = KEY.name) -> Answer:
    """Add an entry for the name server; the secret comes over standard input."""
    settings = ("server=127.0.0.1", f"port={bind.port}", f"tsig_name={key}")
    argv = ("dns", "add", name, "--kind", "rfc2136", "--set", *settings, "--secret", "tsig_secret=-", *more)
    return run(home, *argv, stdin=secret.encode())


def test_an_entry_from_adding_to_removing(box: Path, bind: BindServer) -> None:
    """Added with its secret from standard input, tried the whole way, listed, removed; the zone is as before (ST-23, ST-24)."""
    before = bind.query("_acme-challenge.example.com")
    added = add(box, bind, "ns", KEY.secret, "--zone", "example.com")
    assert added.status == 0, added.out + added.err
    text = (box / "etc" / "certdeck.toml").read_text()
    assert text.startswith("# by hand\n")
    assert KEY.secret not in text + added.out + added.err
    tested = run(box, "dns", "test", "ns")
    assert tested.status == 0, tested.out + tested.err
    found = tested.json
    assert (found["ok"], found["zone"]) == (True, "example.com")
    assert [each["status"] for each in found["steps"]] == ["pass"] * 5
    assert [each["state"] for each in found["servers"]] == ["has"]
    assert bind.query("_acme-challenge.example.com") == before
    plain = process("dns", "test", "ns", home=box)
    assert plain.status == 0
    assert "ns works for example.com." in plain.out
    (listed,) = run(box, "dns", "list").json["providers"]
    assert (listed["name"], listed["missing"], listed["secrets"]) == ("ns", [], {"tsig_secret": True})
    assert run(box, "dns", "remove", "ns").status == 0
    assert run(box, "dns", "list").json == {"providers": []}


def test_a_cname_leads_elsewhere(box: Path, bind: BindServer) -> None:
    """A name whose proof leads into another zone by a CNAME is tried there."""
    assert add(box, bind, "ns", KEY.secret, "--zone", "example.com", "delegated.example.net").status == 0
    found = run(box, "dns", "test", "ns", "--domain", "www.example.com").json
    assert (found["ok"], found["zone"]) == (True, "delegated.example.net")


@pytest.mark.parametrize(
    ("key", "algorithm", "secret"),
    [
        pytest.param(KEY.name, KEY.algorithm, SUB_KEY.secret, id="wrong-secret"),
        pytest.param("nobody", KEY.algorithm, KEY.secret, id="unknown-key"),
        pytest.param(SUB_KEY.name, SUB_KEY.algorithm, SUB_KEY.secret, id="not-permitted"),
    ],
)
def test_what_is_wrong_is_said(box: Path, bind: BindServer, key: str, algorithm: str, secret: str) -> None:
    """A wrong key, an unknown one and one without the permission each fail at a step, with what to mend, and exit 1."""
    more = ("--zone", "example.com", "--set", f"tsig_algorithm={algorithm}")
    assert add(box, bind, "ns", secret, *more, key=key).status == 0
    answer = run(box, "dns", "test", "ns")
    assert answer.status == 1, answer.out
    failed = [each for each in answer.json["steps"] if each["status"] == "fail"]
    assert [each["id"] for each in failed] == ["write"]
    assert failed[0]["fix"]
    assert secret not in answer.out + answer.err


def test_a_name_of_somebody_else_s_zone(box: Path, bind: BindServer) -> None:
    """A domain that the entry's zones do not hold fails at the zone, before anything is written."""
    assert add(box, bind, "ns", KEY.secret, "--zone", "example.com").status == 0
    answer = run(box, "dns", "test", "ns", "--domain", "www.example.org")
    assert answer.status == 1
    assert [(each["id"], each["status"]) for each in answer.json["steps"]][1:3] == [("zone", "fail"), ("write", "skip")]
