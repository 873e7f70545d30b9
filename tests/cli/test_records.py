"""Orders whose DNS records somebody sets by hand, on the command line: shown, copied, looked at, completed, given up."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from core.errors import StoreCorrupt
from core.operations import Record
from tests.support.command import Answer, command
from tests.support.fake_dns import VALUES, open_order, records, views
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NOW, lineage

ISSUE = ("issue", "-d", "*.example.com", "example.com", "--name", "wild", "--manual")
GRANT = "letsencrypt.org; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/42; policy=wildcard"


def shown(answer: Answer) -> str:
    return f"-- stdout\n{answer.out}-- stderr\n{answer.err}-- exit status {answer.status}\n"


def waiting(*states: str, **fields: object) -> FakeEngine:
    """Make an engine with an open order for a wildcard and its domain, of whose records servers say `states`."""
    engine = FakeEngine(())
    engine.orders = {"wild": open_order("wild", "*.example.com", "example.com")}
    engine.looks = [views(*states, of=engine.orders["wild"].records, **fields)] if states else ()
    return engine


# -- issue -------------------------------------------------------------------------------------------------------------


def test_an_order_shows_every_record(golden: SnapshotAssertion) -> None:
    """`issue --manual` shows each record, until when the order lives, the way out and the next command (ST-14, ST-17)."""
    engine = FakeEngine()
    engine.pending = True
    answer = command(*ISSUE, engine=engine)
    assert answer.status == 3
    assert shown(answer) == golden


def test_values_stand_alone() -> None:
    """Name, type and each value are whole lines of their own, on a terminal, too: what is marked there is right (ST-14)."""
    engine = FakeEngine()
    engine.pending = True
    for terminal in (False, True):
        lines = command(*ISSUE, engine=engine, terminal=terminal).out.splitlines()
        for alone in ("_acme-challenge.example.com", "TXT", *VALUES):
            assert alone in lines


def test_two_values_at_one_name_must_both_stand() -> None:
    """That the values of a wildcard and of its domain stand beside each other is said (CC-18); of a single one it is not."""
    engine = FakeEngine()
    engine.pending = True
    assert "both are required at this name" in command(*ISSUE, engine=engine).out
    assert "must stand" not in command("issue", "-d", "a.example.com", "--manual", engine=engine).out


def test_records_as_lines_of_a_zone_file() -> None:
    """The same records stand there as lines of a zone file, ready for one."""
    engine = FakeEngine()
    engine.pending = True
    found = re.findall(r'^(\S+)\. 60 IN TXT "([^"]+)"$', command(*ISSUE, engine=engine).out, re.MULTILINE)
    assert found == [("_acme-challenge.example.com", value) for value in VALUES]


def test_a_record_that_is_set_once(golden: SnapshotAssertion) -> None:
    """A record of dns-persist-01 is to stay, and is not told to be set again with every renewal."""
    engine = waiting("lacks")
    record = Record(name="_validation-persist.example.com", type="TXT", value=GRANT)
    engine.orders = {"wild": open_order("wild", challenge="dns-persist-01", records=(record,))}
    engine.looks = [views("lacks", of=[record])]
    answer = command("complete", "wild", engine=engine)
    assert "Leave the record in place" in answer.out
    assert GRANT in answer.out.splitlines()
    assert "sets them again" not in answer.out
    assert shown(answer) == golden


def test_hostile_values_are_data() -> None:
    """A name or value with terminal codes, quotes or line ends in it is shown harmless, and quoted in the zone file."""
    engine = waiting("lacks")
    record = Record(name="_acme-challenge.a\x1b[2J.example", type="TXT", value='x"; y\\\r\n\x07z')
    engine.orders = {"wild": open_order("wild", records=(record,))}
    engine.looks = [views("lacks", of=[record], problem="no\x1b]0;owned\x07 zone")]
    answer = command("complete", "wild", engine=engine)
    assert answer.status == 3
    assert answer.out.replace("\n", "").isprintable()
    assert r'IN TXT "x\"; y\\' in answer.out


# -- QR codes ----------------------------------------------------------------------------------------------------------


def test_codes_only_when_asked_and_on_a_terminal() -> None:
    """`--qr` draws a code for every value, black on white; in a pipe there is none and it is said on stderr."""
    engine = FakeEngine()
    engine.pending = True
    assert "█" not in command(*ISSUE, engine=engine, terminal=True).out
    drawn = command(*ISSUE, "--qr", engine=engine, terminal=True).out
    assert drawn.count("Value 1 of 2 of _acme-challenge.example.com\n") == 1
    codes = [line for line in drawn.splitlines() if line.startswith("\x1b[30;107m")]
    assert len(codes) == 2 * 17
    assert all(line.endswith("\x1b[0m") for line in codes)
    piped = command(*ISSUE, "--qr", engine=engine)
    assert "█" not in piped.out
    assert "No QR code" in piped.err


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_codes_without_colour(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """With NO_COLOR the light modules are drawn, right on a dark terminal; without Unicode they are made of `##`."""
    monkeypatch.setenv("NO_COLOR", "1")
    engine = FakeEngine()
    engine.pending = True
    out = command(*ISSUE, "--qr", engine=engine, terminal=True, encoding=encoding).out
    assert "\x1b" not in out
    solid = "█" * 33 if encoding == "utf-8" else "#" * 66
    assert solid in out.splitlines()


def test_no_code_in_json() -> None:
    """With --json there is one object on stdout, also with --qr."""
    engine = FakeEngine()
    engine.pending = True
    assert command(*ISSUE, "--qr", "--json", engine=engine).json["state"] == "pending"


# -- complete ----------------------------------------------------------------------------------------------------------


def test_who_has_what(golden: SnapshotAssertion) -> None:
    """While records are missing `complete` shows what each name server has, over IPv4 and IPv6, and exits 3 (ST-15, CC-23)."""
    answer = command("complete", "wild", engine=waiting("has", "lacks", "silent", "unreachable"))
    assert answer.status == 3
    assert shown(answer) == golden


def test_what_all_have_is_one_line() -> None:
    """A record that every server has takes a line, and the table is for the one that some lack."""
    engine = waiting("lacks")
    first, second = engine.orders["wild"].records
    engine.looks = [(*views("lacks", "has", of=[first]), *views("has", "has", of=[second]))]
    lines = command("complete", "wild", engine=engine).out.splitlines()
    assert f"✔ all have _acme-challenge.example.com = {second.value}" in lines
    assert lines.count("NAME SERVER      ADDRESS      RECORD      TIME") == 1
    assert lines.index(f"_acme-challenge.example.com = {first.value}") < lines.index(
        "NAME SERVER      ADDRESS      RECORD      TIME"
    )


def test_a_cname_is_followed() -> None:
    """Where a CNAME leads elsewhere the record is shown under the name at which it has to stand."""
    engine = waiting("lacks", written_at="wild.proofs.example.net", zone="proofs.example.net")
    out = command("complete", "wild", engine=engine).out
    assert "is a CNAME to wild.proofs.example.net" in out
    assert "wild.proofs.example.net" in out.splitlines()
    assert f'wild.proofs.example.net. 60 IN TXT "{VALUES[0]}"' in out.splitlines()


def test_nobody_could_be_asked() -> None:
    """Where no zone or no server could be found, that stands there instead of a table."""
    engine = waiting()
    engine.looks = [views(of=engine.orders["wild"].records, problem="No zone of this name answers.")]
    assert "No zone of this name answers." in command("complete", "wild", engine=engine).out


def test_complete_goes_on_when_all_have_it() -> None:
    """Once every server has every record the order is completed, and the certificate is there."""
    engine = waiting("has", "has")
    answer = command("complete", "wild", "--json", engine=engine)
    assert (answer.status, answer.json["state"]) == (0, "issued")
    assert engine.orders == {}


def test_anyway_is_passed_on() -> None:
    """`--anyway` lets the CA look although a server lacks the record; without it nothing is risked."""
    engine = waiting("has", "lacks")
    assert command("complete", "wild", engine=engine).status == 3
    assert command("complete", "wild", "--anyway", engine=engine).status == 0
    assert [given["anyway"] for called, given in engine.calls if called == "complete"] == [False, True]


def test_give_up() -> None:
    """`--give-up` forgets the order and says that its records are of no use any more; it cannot stand beside --anyway."""
    engine = waiting()
    assert command("complete", "wild", "--give-up", "--anyway", engine=engine).status == 2
    answer = command("complete", "wild", "--give-up", engine=engine)
    assert answer.status == 0
    assert "You can delete the DNS records" in answer.out
    assert engine.orders == {}
    assert command("complete", "wild", "--give-up", "--json", engine=engine).status == 1


def test_an_order_that_is_over() -> None:
    """An order whose time is over is not said to live."""
    engine = waiting("lacks")
    engine.orders = {"wild": open_order("wild", expires=NOW - timedelta(hours=1))}
    engine.looks = [views("lacks", of=records("wild.example.com"))]
    assert "The order ended on 21 Nov 2026" in command("complete", "wild", engine=engine).out


# -- status ------------------------------------------------------------------------------------------------------------


def test_status_names_the_order_and_shows_its_records(golden: SnapshotAssertion) -> None:
    """The overview says who waits and for how long; `status NAME` has the records again, also before there is a certificate."""
    engine = waiting()
    engine.lineages = [
        lineage(
            "shop", "shop.example.com", method="manual-dns-01", renew_at=None, renew_why="by hand", auto_renew=False
        )
    ]
    told = shown(command("status", engine=engine)) + shown(command("status", "shop", "wild", engine=engine))
    assert "renews manually before 23 Jan 2027" in told
    assert "It can renew automatically with" in told
    assert told == golden


def test_an_order_that_was_cut_off_before_its_records() -> None:
    """An order that a kill has ended before its records were known shows no empty list, and how to go on."""
    engine = waiting()
    engine.orders = {"wild": open_order("wild", records=())}
    assert "wild waits for you: its DNS records" in command("status", engine=engine).out
    out = command("status", "wild", engine=engine).out
    assert "has no DNS records yet" in out
    assert "certdeck complete wild" in out
    assert "Name" not in out


@pytest.mark.parametrize("method", ["open_orders", "open_order"])
def test_an_order_that_cannot_be_read_hides_no_certificate(method: str) -> None:
    """A damaged order is told by the command that goes on with it; the status shows everything else."""
    engine = waiting()
    engine.lineages = [lineage("shop")]
    engine.fails[method] = StoreCorrupt("The order is damaged.", "It was changed.", "Remove it.")
    answer = command("status", engine=engine)
    assert answer.status == 0
    assert "shop.example.com" in answer.out
    assert "waits for you" not in answer.out


def test_an_order_that_goes_on_by_itself_asks_for_nobody() -> None:
    """An open order that no person is needed for is in the JSON, and not among those that wait."""
    engine = waiting()
    engine.orders = {"wild": open_order("wild", challenge="http-01", records=(), is_manual=False)}
    assert "waits for you" not in command("status", engine=engine).out
    assert command("status", "--json", engine=engine).json["open_orders"][0]["by_hand"] is False
