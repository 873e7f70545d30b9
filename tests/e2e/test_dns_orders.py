"""Proofs through the DNS by command, on real Pebble and BIND, with zones full of records that are somebody else's."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.bind import BindServer
from tests.support.pebble import PebbleServer
from tests.support.real_box import RealBox
from tests.support.zones import KEY, SUB_KEY, TsigKey

pytestmark = pytest.mark.e2e

ZONES = ("example.com", "sub.example.com", "delegated.example.net")


@pytest.fixture
def bind(tmp_path: Path) -> Iterator[BindServer]:
    server = BindServer(tmp_path / "bind")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def box(home: Path, bind: BindServer, pebbles: Callable[..., PebbleServer], tmp_path: Path) -> RealBox:
    """A box whose CA and whose own looks ask the same BIND; two keys, one for each administration."""
    pebble = pebbles(name_server=bind.address)
    box = RealBox(home, pebble, None)
    box.configure(f'[dns01]\nresolvers = ["{bind.address}"]\ntimeout_seconds = 10\n')
    add_key(box, bind, "bind", KEY, "example.com", "delegated.example.net")
    add_key(box, bind, "sub", SUB_KEY, "sub.example.com")
    return box


def add_key(box: RealBox, bind: BindServer, name: str, key: TsigKey, *zones: str) -> None:
    secret = box.home / f"{key.name}.secret"
    secret.write_text(key.secret + "\n")
    given = {"server": "127.0.0.1", "port": bind.port, "tsig_name": key.name, "tsig_algorithm": key.algorithm}
    settings = [word for setting, value in given.items() for word in ("--set", f"{setting}={value}")]
    zone_words = [word for zone in zones for word in ("--zone", zone)]
    box.done("dns", "add", name, "--kind", "rfc2136", *zone_words, *settings, "--secret", f"tsig_secret={secret}")
    secret.unlink()


def everything(bind: BindServer) -> dict[str, list[str]]:
    """Return all records of all zones, but for the serial."""
    return {zone: bind.records(zone) for zone in ZONES}


def test_wildcard_bare_and_delegated_names_in_one_order(box: RealBox, bind: BindServer) -> None:
    """One order proves a name, its wildcard, a CNAME elsewhere and a sub-zone with another key; nothing else changes."""
    before = everything(bind)
    test = box.done("dns", "test", "bind")
    assert [step["status"] for step in test["steps"]] == ["pass"] * 5
    assert everything(bind) == before

    names = ["example.com", "*.example.com", "www.example.com", "box.sub.example.com"]
    issued = box.done("issue", "-d", *names, "--dns", "bind")
    assert issued["state"] == "issued"
    assert issued["certificate"]["method"] == "dns-01"
    assert set(issued["certificate"]["domains"]) == set(names)
    assert everything(bind) == before

    assert box.done("--renew", "--force")["renewed"] == ["example.com"]
    assert everything(bind) == before


def test_a_wrong_key_says_what_to_mend(box: RealBox, bind: BindServer) -> None:
    """A key that may not change the zone fails in words; the order stays, and the right key finishes it."""
    add_key(box, bind, "wrong", TsigKey("certdeck-sub", "hmac-sha512"), "example.com")
    error = box.refused("issue", "-d", "example.com", "--dns", "wrong")
    assert error["code"] == "dns-provider-error"
    assert error["fix"]
    assert KEY.secret not in str(error)
    answer = box.run("dns", "test", "wrong", "--json")
    assert answer.status == 1
    assert answer.json["ok"] is False
    assert box.done("issue", "-d", "example.com", "--dns", "bind")["state"] == "issued"


def test_by_hand_over_several_processes(box: RealBox, pebbles: Callable[..., PebbleServer]) -> None:
    """Each step is a process of its own: status 3 while it waits, 0 at the end, the same values throughout (ST-14..16)."""
    pebble = box.pebble = pebbles()
    box.configure(f'[dns01]\nresolvers = ["{pebble.dns_address}"]\ntimeout_seconds = 3\n')
    names = ("hand.example.org", "*.hand.example.org")
    begun = box.run("issue", "-d", *names, "--manual", "--json")
    assert begun.status == 3
    records = begun.json["records"]
    assert begun.json["state"] == "pending"
    assert [record["name"] for record in records] == ["_acme-challenge.hand.example.org"] * 2
    again = box.run("complete", "hand.example.org", "--json")
    assert (again.status, again.json["records"]) == (3, records)
    set_txt(pebble, records[0])
    half = box.run("complete", "hand.example.org", "--json")
    assert (half.status, half.json["records"]) == (3, records)
    set_txt(pebble, records[1])
    assert box.done("complete", "hand.example.org")["certificate"]["method"] == "manual-dns-01"
    assert box.refused("complete", "hand.example.org")["code"] == "not-found"
    assert "set manually" in box.done("--renew", "--force")["skipped"][0]["why"]
    named = box.run("--renew", "hand.example.org", "--force", "--json")
    assert (named.status, named.json["renewed"]) == (3, [])


@pytest.mark.parametrize("challenge", ["dns-account-01", "dns-persist-01"])
def test_the_newer_challenges_on_a_real_ca(box: RealBox, pebbles: Callable[..., PebbleServer], challenge: str) -> None:
    """Pebble accepts our dns-account-01 and dns-persist-01 records; the lasting one renews by itself."""
    pebble = box.pebble = pebbles()
    box.configure(f'[dns01]\nresolvers = ["{pebble.dns_address}"]\ntimeout_seconds = 3\n')
    name = f"{challenge}.example.org"
    begun = box.run("issue", "-d", name, f"*.{name}", "--challenge", challenge, "--manual", "--json")
    assert begun.status == 3, begun.out + begun.err
    for record in begun.json["records"]:
        set_txt(pebble, record)
    box.done("complete", name)
    renewed = box.done("--renew", "--force")["renewed"]
    assert renewed == ([name] if challenge == "dns-persist-01" else [])


def set_txt(pebble: PebbleServer, record: dict[str, str]) -> None:
    body = json.dumps({"host": f"{record['name']}.", "value": record["value"]}).encode()
    urllib.request.urlopen(f"{pebble.challtestsrv_url}/set-txt", body, timeout=5).close()  # noqa: S310
