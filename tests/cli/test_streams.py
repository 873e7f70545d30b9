"""Where text goes and what may be in it: two streams, terminals, encodings, pipes that break, and hostile words."""

from __future__ import annotations

import re
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import AcmeProblem
from core.events import ChallengeFailed
from core.lineage_status import TargetState
from core.operations import Finding, LogEntry
from tests.support.command import SCRIPT, command, environment_for, process
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import NOW, lineage

NASTY = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\x9b31m\r\nfix: run rm -rf\x00\u2028\u200b[bold]"
ESCAPE = re.compile(r"\x1b\[(?:0|[0-9;]+)m")


def hostile() -> FakeEngine:
    """An engine where everything that comes from outside wants to do something to the terminal."""
    said = {"code": NASTY, "what": NASTY, "why": NASTY, "fix": NASTY, "at": NASTY}
    engine = FakeEngine(
        [
            lineage(
                "shop",
                subject=NASTY,
                issuer=NASTY,
                serial=NASTY,
                ca=NASTY,
                key_type=NASTY,
                method=NASTY,
                profile=NASTY,
                renew_why=NASTY,
                last_error=said,
                targets=(TargetState(name=NASTY, state="failed", why=NASTY),),
            )
        ]
    )
    engine.findings = (Finding(id="x", status="fail", title=NASTY, detail=NASTY, fix=NASTY),)
    engine.entries = [
        LogEntry(number=1, at=NOW, run="0badcafe", lineage="shop", kind="failed", facts=said, who=NASTY),
        LogEntry(number=2, at=NOW, run="0badcafe", lineage=NASTY, kind=NASTY, facts={"x": NASTY}),
    ]
    engine.altered = NASTY
    return engine


@pytest.mark.parametrize(
    "argv",
    [
        ["status"],
        ["status", "shop"],
        ["status", "--check"],
        ["doctor"],
        ["log"],
        ["log", "--verify"],
        ["issue", "-d", NASTY],
        ["deploy", NASTY],
        ["deploy", "shop"],
        ["frobnicate" + NASTY],
        ["status", "--" + NASTY],
        ["export", "shop", "--format", NASTY, "--out", "x"],
        ["account", "eab", "zerossl", "--kid", NASTY, "--hmac", NASTY.replace("\x00", "")],
    ],
    ids=lambda argv: " ".join(argv)[:20].encode("ascii", "ignore").decode().strip("\x1b"),
)
@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
def test_hostile_words_do_nothing(argv: list[str], terminal: bool) -> None:
    """Nothing that certificates, CAs, services or arguments say reaches the terminal as a command, a new line or hidden text."""
    engine = hostile()
    problem = AcmeProblem(NASTY, NASTY, NASTY, lineage=NASTY, details={"output": NASTY, "detail": NASTY})
    engine.fails["deploy"] = problem
    answer = command(*argv, engine=engine, terminal=terminal)
    text = ESCAPE.sub("", answer.out + answer.err) if terminal else answer.out + answer.err
    assert text.replace("\n", "").isprintable()
    assert "\u202e" not in text
    assert not any(line.startswith("fix: run") for line in text.splitlines())


def test_hostile_words_in_progress() -> None:
    """What a CA says in the middle of an operation is cleaned, too."""

    class Telling(FakeEngine):
        def deploy(self, name: str, **named: object) -> object:
            narrator = self._narrator(named["report"])
            narrator.about(NASTY).tell(ChallengeFailed(identifier=NASTY, problem=NASTY))
            return super().deploy(name)

    answer = command("deploy", "shop", engine=Telling())
    assert answer.status == 0
    assert "gnp.exe" in answer.err
    assert answer.err.replace("\n", "").isprintable()


# -- terminals and encodings -------------------------------------------------------------------------------------------


def test_colours_only_on_a_terminal() -> None:
    """Colours are for terminals: never in a pipe, and every one is switched off again."""
    assert "\x1b" not in command("status").out
    text = command("status", terminal=True).out
    assert "\x1b[" in text
    assert ESCAPE.sub("", text) == command("status").out
    for line in text.splitlines():
        assert line.count("\x1b[0m") == len(ESCAPE.findall(line)) / 2


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_colours_where_nobody_wants_them(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """NO_COLOR and a dumb terminal mean no colours."""
    monkeypatch.setenv(name, value)
    for argv in (["status"], ["status", "mail"], ["doctor"], ["frobnicate"]):
        answer = command(*argv, terminal=True)
        assert "\x1b" not in answer.out + answer.err


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1"])
@pytest.mark.parametrize("argv", [["status"], ["status", "mail"], ["doctor"], ["log"], ["--help"], ["issue", "--help"]])
def test_without_unicode(encoding: str, argv: list[str]) -> None:
    """On a terminal without Unicode everything is ASCII, and as aligned as before."""
    answer = command(*argv, encoding=encoding)
    assert (answer.out + answer.err).isascii()
    plain = command(*argv)
    assert [len(line) for line in answer.out.splitlines()] == [len(line) for line in plain.out.splitlines()]


def test_names_in_other_scripts_stay_aligned() -> None:
    """Wide characters count two cells."""
    engine = FakeEngine([lineage("a", "xn--fiqs8s.example"), lineage("b", "plain.example")])
    rows = [line for line in command("status", engine=engine).out.splitlines() if ".example" in line]
    columns = [line.split(".example")[0] for line in rows]
    assert len({len(each.encode("utf-16-le")) for each in columns}) <= 2
    assert any("中国" in line for line in rows)


# -- pipes -------------------------------------------------------------------------------------------------------------


def test_a_reader_that_goes_away(home: Path) -> None:
    """`certdeck --help | head -1` ends quietly: no traceback, no complaint."""
    process("first-boot", "--hostname", "box.example.com", home=home)
    for argv in (["--help"], ["status"], ["log"], ["status", "--json"]):
        child = subprocess.Popen(
            [*SCRIPT, *argv],
            env=environment_for(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert child.stdout is not None
        child.stdout.close()
        assert child.stderr is not None
        with child.stderr as stream:
            told = stream.read()
        assert (child.wait(30), told) == (0, b""), argv


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["at the end", "at once"])
def test_a_result_that_cannot_be_written(home: Path, unbuffered: str) -> None:
    """When stdout takes nothing the status is 1 and stderr says so: a script must not take silence for success.

    A write that failed at once, as one longer than the buffer does, was told on the same broken stdout.
    """
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*SCRIPT, "status", "--json"],
            check=False,
            env={**environment_for(home), "PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=30,
        )
    assert done.returncode == 1
    assert b"could not be written" in done.stderr
    assert b"Traceback" not in done.stderr


def test_progress_that_nobody_can_read_stops_nothing(home: Path) -> None:
    """An operation goes on when its terminal is gone: stderr may fail, the work may not."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*SCRIPT, "first-boot", "--hostname", "box.example.com", "--json"],
            check=False,
            env=environment_for(home),
            stdout=subprocess.PIPE,
            stderr=full,
            timeout=30,
        )
    assert done.returncode == 0
    assert b'"created": true' in done.stdout


def test_closed_streams(home: Path) -> None:
    """A process that was started with closed streams (an old init) does its work."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *SCRIPT, "first-boot", "--hostname", "box.example.com"],
        check=False,
        env=environment_for(home),
        timeout=30,
    )
    assert done.returncode == 0
    assert (home / "state" / "live" / "default" / "fullchain.pem").exists()


def test_expiry_is_told_in_the_person_s_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times for people are local and name their zone; JSON stays UTC."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    engine = FakeEngine([lineage("shop", left=timedelta(days=30))])
    assert "13:02 JST" in command("status", "shop", engine=engine).out
    assert "T04:02:00Z" in command("status", "shop", "--json", engine=engine).out
