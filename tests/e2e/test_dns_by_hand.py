"""DNS-01 by hand, by command, on a real CA: every command is a process of its own, as somebody types them over some days."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.nginx import NginxServer
from tests.support.pebble import PebbleServer
from tests.support.real_box import RealBox

pytestmark = pytest.mark.e2e

FreshName = Callable[[str], str]


@pytest.fixture
def box(home: Path, pebble: PebbleServer, nginx: NginxServer) -> RealBox:
    """A box that asks the CA's own DNS who has which record."""
    made = RealBox(home, pebble, nginx)
    made.configure(f'[dns01]\nresolvers = ["{pebble.dns_address}"]\ntimeout_seconds = 1\n')
    return made


def test_by_hand_from_the_first_word_to_the_renewal(box: RealBox, pebble: PebbleServer, fresh_name: FreshName) -> None:
    """Records shown, missing, half there, all there, issued; the same values throughout, and renewed by hand (ST-14 to ST-17)."""
    domain = fresh_name("wild")
    begun = box.run("issue", "-d", f"*.{domain}", domain, "--name", "wild", "--manual", "--target", "web", "--json")
    assert begun.status == 3, begun.out + begun.err
    pending = begun.json
    assert (pending["name"], pending["state"], pending["certificate"]) == ("wild", "pending", None)
    records = pending["records"]
    assert [(each["name"], each["type"]) for each in records] == [(f"_acme-challenge.{domain}", "TXT")] * 2
    values = [each["value"] for each in records]
    assert len(set(values)) == 2

    # Hours later, another process: the order is there, with the same values, and nobody has them yet.
    found = box.done("status")
    assert [(each["name"], each["by_hand"], each["records"]) for each in found["open_orders"]] == [
        ("wild", True, records)
    ]
    shown = box.run("status", "wild")
    assert (shown.status, set(values) - set(shown.out.splitlines())) == (0, set())
    waiting = box.run("complete", "wild", "--json")
    assert waiting.status == 3, waiting.out + waiting.err
    assert waiting.json["records"] == records
    assert [each["seen"] for each in waiting.json["seen"]] == [False, False]
    again = box.run("issue", "-d", f"*.{domain}", domain, "--name", "wild", "--manual", "--target", "web", "--json")
    assert (again.status, again.json["records"]) == (3, records)

    # One of two values is not enough, and costs nothing.
    pebble.set_txt(records[0]["name"], values[0])
    half = box.run("complete", "wild", "--json")
    assert half.status == 3, half.out + half.err
    assert sorted(each["seen"] for each in half.json["seen"]) == [False, True]
    plain = box.run("complete", "wild")
    assert (plain.status, set(values) - set(plain.out.splitlines())) == (3, set())

    pebble.set_txt(records[1]["name"], values[1])
    done = box.done("complete", "wild")
    assert (done["state"], done["certificate"]["method"]) == ("issued", "manual-dns-01")
    box.serves("wild")
    assert "open_orders" not in box.done("status")
    assert "renews manually before" in box.run("status", "wild").out
    skipped = {each["name"]: each["why"] for each in box.done("--renew")["skipped"]}
    assert "set manually" in skipped["wild"]
    assert box.refused("complete", "wild")["code"] == "not-found"


def test_answered_too_early(box: RealBox, fresh_name: FreshName) -> None:
    """`--anyway` lets the CA look at once; when it finds nothing the order is over, and another has another value (ST-15)."""
    domain = fresh_name("early")
    first = box.run("issue", "-d", domain, "--name", "early", "--manual", "--json")
    assert first.status == 3, first.out + first.err
    error = box.refused("complete", "early", "--anyway")
    assert error["what"]
    assert error["fix"]
    second = box.run("issue", "-d", domain, "--name", "early", "--manual", "--json")
    assert second.status == 3, second.out + second.err
    assert second.json["records"][0]["value"] != first.json["records"][0]["value"]


def test_given_up(box: RealBox, fresh_name: FreshName) -> None:
    """An order that is given up is gone from the status, and its lineage never was there."""
    domain = fresh_name("gone")
    assert box.run("issue", "-d", domain, "--name", "gone", "--manual").status == 3
    assert box.done("complete", "gone", "--give-up") == {"name": "gone", "state": "given-up"}
    assert "open_orders" not in box.done("status")
    assert box.refused("status", "gone")["code"] == "not-found"


def test_a_record_that_is_set_once(box: RealBox, pebble: PebbleServer, fresh_name: FreshName) -> None:
    """dns-persist-01: the record is set once, and the next order needs nobody."""
    domain = fresh_name("once")
    argv = ("issue", "-d", domain, "--name", "once", "--manual", "--challenge", "dns-persist-01", "--json")
    begun = box.run(*argv)
    assert begun.status == 3, begun.out + begun.err
    (record,) = begun.json["records"]
    assert record["name"] == f"_validation-persist.{domain}"
    pebble.set_txt(record["name"], record["value"])
    assert box.done("complete", "once")["certificate"]["method"] == "dns-persist-01"
    assert box.done("--renew", "once", "--force")["renewed"] == ["once"]
