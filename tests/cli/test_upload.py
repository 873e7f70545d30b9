"""`certdeck check` and `certdeck import`: their arguments, their words, and the JSON of the contract."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.command import Answer, command, process
from tests.support.fake_dns import open_order
from tests.support.fake_engine import FakeEngine
from tests.support.fake_uploads import good_check, refused_check, result
from tests.support.uploads import upload

CONTRACT = ["parse", "key-match", "validity", "chain", "expiry-soon", "host-match", "key-strength", "signature"]


def given(engine: FakeEngine, method: str) -> dict[str, object]:
    """Return with what a method of the engine was called."""
    return next(arguments for called, arguments in reversed(engine.calls) if called == method)


def test_check_in_json() -> None:
    """`check --json` is one object of the contract's form, and exit status 0 when the upload is accepted."""
    answer = command("check", "--cert", "site.pem", "--json")
    assert answer.status == 0
    assert list(answer.json) == ["accepted", "checks", "certificate", "notes", "left_out"]
    assert answer.json["accepted"] is True
    assert [each["id"] for each in answer.json["checks"]][: len(CONTRACT)] == CONTRACT
    assert {tuple(each) for each in answer.json["checks"]} == {("id", "status", "detail")}
    assert answer.json["certificate"]["method"] == "upload"


def test_a_refused_check_in_json() -> None:
    """A refused upload is the same object with `accepted` false, nothing on stderr, and exit status 1."""
    engine = FakeEngine()
    engine.upload_check = refused_check()
    for words in (("check",), ("import", "shop", "--replace")):
        answer = command(*words, "--cert", "site.pem", "--json", engine=engine)
        assert (answer.status, answer.err) == (1, "")
        assert answer.json["accepted"] is False
        assert answer.json["checks"][1] == {
            "id": "key-match",
            "status": "fail",
            "detail": "The private key (EC P-256) does not match this certificate.",
        }


def test_an_import_in_json() -> None:
    """`import --json` shows the checks and the certificate as status shows it now."""
    engine = FakeEngine()
    answer = command("import", "shop", "--cert", "a.pem", "--target", "nginx", "--replace", "--json", engine=engine)
    assert answer.status == 0
    assert answer.json["accepted"] is True
    assert answer.json["certificate"]["name"] == "shop"
    assert [each["state"] for each in answer.json["certificate"]["targets"]] == ["deployed"]


def test_every_file_is_read_once() -> None:
    """A file that is named twice is read once, and all of them are one upload in the order given."""
    engine = FakeEngine()
    command(
        "check",
        "--cert",
        "all.pem",
        "--key",
        "all.pem",
        "--chain",
        "ca.pem",
        "root.pem",
        "--host",
        "a.b",
        engine=engine,
    )
    read = [str(arguments["path"]) for called, arguments in engine.calls if called == "read_part"]
    assert read == ["all.pem", "ca.pem", "root.pem"]
    asked = given(engine, "check_upload")
    assert (asked["host"], asked["name"]) == ("a.b", None)


def test_arguments_of_import() -> None:
    """Name, host, targets, force and replace arrive as they were given."""
    engine = FakeEngine()
    command(
        "import",
        "shop",
        "--pfx",
        "a.pfx",
        "--host",
        "a.b",
        "--target",
        "nginx",
        "postfix",
        "--force",
        "--fetch-chain",
        "--replace",
        engine=engine,
    )
    asked = given(engine, "import_upload")
    asked.pop("upload")
    assert asked == {
        "name": "shop",
        "host": "a.b",
        "targets": ("nginx", "postfix"),
        "force": True,
        "fetch_chain": True,
        "replace": True,
    }


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (["check"], "--cert"),
        (["check", "--key", "a.key"], "--cert"),
        (["check", "--cert", "a", "--pfx", "b"], "cannot be used together"),
        (["check", "--cert", "-", "--passphrase-file", "-"], "two things"),
        (["import"], "NAME"),
        (["import", "shop", "--cert", "a", "--passphrase", "x"], "--passphrase"),
    ],
)
def test_wrong_usage(argv: list[str], word: str) -> None:
    """What cannot be meant is refused with exit status 2; a passphrase cannot be given as an argument."""
    answer = command(*argv, "--json")
    assert answer.status == 2
    assert word in answer.error["what"] + answer.error["why"] + answer.error["fix"]


def test_a_passphrase_comes_from_a_file(tmp_path: Path) -> None:
    """The passphrase is a file's first line without its end, and in no output."""
    (tmp_path / "word").write_bytes(b"hunter2\n")
    engine = FakeEngine()
    answer = command("check", "--pfx", "a.pfx", "--passphrase-file", str(tmp_path / "word"), engine=engine)
    asked = given(engine, "check_upload")["upload"]
    assert asked == type(upload())(asked.parts, b"hunter2")
    assert "hunter2" not in answer.out + answer.err + repr(engine.calls)


def test_the_checklist_for_people() -> None:
    """The words show what was found, each check with its mark, what to do, and the verdict."""
    engine = FakeEngine()
    engine.upload_check = good_check(changes=[result("names-kept", "warn", "pay.example.com is missing.", "Add it.")])
    out = command("check", "--cert", "a.pem", engine=engine).out
    assert "Found 1 certificate, 1 key, 2 in the chain." in out
    assert "✔ Key matches certificate: EC P-256." in out
    assert "▲ Names kept: pay.example.com is missing.\n  fix: Add it." in out
    assert out.endswith("Good, 1 warning.\n")
    engine.upload_check = refused_check()
    refused = command("check", "--cert", "a.pem", engine=engine)
    assert refused.status == 1
    assert "✖ Key matches certificate" in refused.out
    assert refused.out.endswith("Refused.\n")


def test_nothing_of_a_certificate_reaches_the_terminal() -> None:
    """Details with terminal codes are shown without them."""
    engine = FakeEngine()
    engine.upload_check = good_check(
        changes=[result("chain", "warn", "\x1b[31mred\u202e", "\x07")], notes=("\x1b]0;x\x07",)
    )
    assert not set("\x1b\x07\u202e") & set(command("check", "--cert", "a.pem", engine=engine).out)


def test_a_refused_import_for_people() -> None:
    """A refused import shows the checklist, and the three lines of an error on stderr."""
    engine = FakeEngine()
    engine.upload_check = refused_check()
    answer = command("import", "shop", "--cert", "a.pem", "--replace", engine=engine)
    assert answer.status == 1
    assert "✖ Key matches certificate" in answer.out
    assert len(answer.err.splitlines()) == 3


def test_an_import_for_people() -> None:
    """An import ends with who serves it, and that nobody renews it: the next one has to be brought by hand (SO-37)."""
    answer = command("import", "shop", "--cert", "a.pem", "--replace")
    assert "Imported shop. Served by: nginx, postfix." in answer.out
    assert "does not renew automatically" in answer.out


def test_an_import_without_its_chain_says_so_again() -> None:
    """That intermediates are missing stands in the result too: the checklist above it is long."""
    engine = FakeEngine()
    missing = good_check(changes=[result("chain", "warn", "An intermediate is missing.")])
    engine.upload_check = replace(missing, chain_state="incomplete")
    out = command("import", "fresh", "--cert", "c", engine=engine).out
    assert "many clients will reject it" in out.splitlines()[-2]
    assert "many clients" not in command("import", "fresh", "--cert", "c", engine=FakeEngine()).out


def test_giving_up_an_open_order_is_asked() -> None:
    """On a terminal somebody is asked before an import takes the place of an order, and a no leaves it."""
    for typed, status in (("n\n", 1), ("y\n", 0)):
        engine = FakeEngine()
        engine.orders = {"fresh": open_order("fresh")}
        answer = command("import", "fresh", "--cert", "c", engine=engine, terminal=True, typed=typed)
        assert answer.status == status
        assert "has an open order" in answer.err
        assert [given["replace"] for name, given in engine.calls if name == "import_upload"] == [True] * (status == 0)


def test_replacing_a_cas_certificate_is_asked() -> None:
    """Somebody is asked before a lineage that renews becomes one that does not; of an uploaded one nothing is asked."""
    engine = FakeEngine()
    no = command("import", "shop", "--cert", "a.pem", engine=engine, terminal=True, typed="n\n")
    assert no.status == 1
    assert "import_upload" not in [called for called, _ in engine.calls]
    yes = command("import", "shop", "--cert", "a.pem", engine=engine, terminal=True, typed="y\n")
    assert yes.status == 0
    assert given(engine, "import_upload")["replace"] is True
    uploaded = next(each.name for each in engine.lineages if each.method == "upload")
    assert command("import", uploaded, "--cert", "a.pem", engine=engine, terminal=True).status == 0
    assert given(engine, "import_upload")["replace"] is False


def _real(home: Path, *argv: str, stdin: bytes = b"") -> Answer:
    return process(*argv, "--json", home=home, stdin=stdin)


def test_real_files(home: Path, tmp_path: Path) -> None:
    """In a process of its own: a folder, a missing file and standard input are answered, and a check makes no state."""
    assert _real(home, "check", "--cert", str(tmp_path)).status == 2
    assert _real(home, "check", "--cert", str(tmp_path / "missing")).status == 2
    answer = _real(home, "check", "--cert", "-", stdin=b"nonsense")
    assert answer.status == 1
    assert "Standard input contains neither" in answer.json["checks"][0]["detail"]
    assert answer.json["certificate"] is None
    assert not (home / "state").exists()
