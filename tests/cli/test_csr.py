"""`certdeck csr`: the request alone on stdout, its JSON, and what fits together."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from tests.support.command import command, process
from tests.support.fake_engine import FakeEngine
from tests.support.fake_requests import PEM, signing_request

SHOP = ("csr", "shop", "-d", "shop.example.com", "www.shop.example.com")


def with_request(**fields: object) -> FakeEngine:
    engine = FakeEngine()
    engine.requests["shop"] = signing_request("shop", **fields)
    return engine


def test_a_new_request() -> None:
    """The request alone is on stdout, to be sent on; what it is for and what comes then is on stderr (CL-15)."""
    engine = FakeEngine()
    answer = command(*SHOP, "--key-type", "rsa-2048", "--subject", "O=Acme Ltd,C=DE", engine=engine)
    assert (answer.status, answer.out) == (0, PEM)
    assert "shop.example.com +1" in answer.err
    assert "certdeck import shop --cert FILE" in answer.err
    assert engine.calls[0] == (
        "make_csr",
        {
            "name": "shop",
            "domains": ("shop.example.com", "www.shop.example.com"),
            "key_type": "rsa-2048",
            "subject": "O=Acme Ltd,C=DE",
            "replace": False,
        },
    )


def test_in_json() -> None:
    """`--json` is one object with the request as PEM, what it is for, and whether it is new."""
    engine = FakeEngine()
    first, second = (command("csr", "wild", "-d", "*.example.com", "--json", engine=engine).json for _ in range(2))
    assert first["csr"] == PEM
    assert (first["name"], first["domains"], first["key_type"]) == ("wild", ["*.example.com"], "ec-256")
    assert "does not cover example.com itself" in first["advice"][0]
    assert (first["new"], first["out"]) == (True, None)
    assert command("csr", "--json", engine=engine).json["requests"][0]["name"] == "wild"
    assert second["csr"] == first["csr"]


def test_listed_and_shown() -> None:
    """Without a name the open ones are listed; with a name alone that one is shown again."""
    assert command("csr").out == "There is no open signing request.\n"
    engine = with_request()
    assert command("csr", engine=engine).out.splitlines()[1].split()[:3] == ["shop", "shop.example.com", "+1"]
    assert command("csr", "shop", engine=engine).out == PEM
    assert command("csr", "nope", "--json", engine=engine).error["code"] == "not-found"


def test_another_one_needs_a_word() -> None:
    """A request for other names is refused with exit status 1, and made with --replace."""
    engine = with_request()
    other = ("csr", "shop", "-d", "other.example.com")
    refused = command(*other, "--json", engine=engine)
    assert (refused.status, refused.error["details"]["needs"]) == (1, "replace")
    assert command(*other, "--replace", engine=engine).status == 0


def test_into_a_file() -> None:
    """`--out` writes it to a file and says so; nothing of it is on stdout then."""
    engine = with_request()
    answer = command("csr", "shop", "--out", "shop.csr", engine=engine)
    assert "Wrote the signing request shop to shop.csr." in answer.out
    assert "BEGIN" not in answer.out
    assert ("write_csr", {"name": "shop", "out": Path("shop.csr")}) in engine.calls


def test_removing_is_asked() -> None:
    """On a terminal somebody is asked before the key is gone; a script has to say --yes, and is told so."""
    engine = with_request()
    assert command("csr", "shop", "--remove", engine=engine, terminal=True, typed="n\n").status == 1
    assert "shop" in engine.requests
    assert command("csr", "shop", "--remove", engine=engine, terminal=True, typed="y\n").status == 0
    assert "shop" not in engine.requests
    engine = with_request()
    refused = command("csr", "shop", "--remove", "--json", engine=engine)
    assert (refused.status, "--yes" in refused.error["fix"], "shop" in engine.requests) == (2, True, True)
    assert command("csr", "nothere", "--remove", engine=engine).status == 1
    assert command("csr", "shop", "--remove", "--yes", "--json", engine=engine).json == {
        "name": "shop",
        "removed": True,
    }


@pytest.mark.parametrize(
    "argv",
    [
        ("-d", "a.example.com"),
        ("--out", "a.csr"),
        ("--remove",),
        ("shop", "--remove", "-d", "a.example.com"),
        ("shop", "--key-type", "ec-384"),
        ("shop", "--subject", "O=Acme"),
        ("shop", "--replace"),
        ("shop", "-d", "a.example.com", "--yes"),
        ("shop", "--out", "-"),
        ("shop", "-d", "a.example.com", "--key-type", "dsa"),
    ],
)
def test_what_does_not_fit_together(argv: tuple[str, ...]) -> None:
    """Arguments without a meaning together are refused with exit status 2, and nothing is made."""
    engine = FakeEngine()
    assert command("csr", *argv, engine=engine).status == 2
    assert engine.calls == []


def test_a_hostile_name_is_data() -> None:
    """What came from outside reaches no terminal as it is."""
    engine = FakeEngine()
    engine.requests["shop"] = signing_request("shop", "a.example.com", key_type="\x1b[31m", advice=("\x1b]0;x\x07",))
    answer = command("csr", "shop", engine=engine)
    assert not {"\x1b", "\x07"} & set(answer.out + answer.err)


def test_in_a_process_of_its_own(home: Path, tmp_path: Path) -> None:
    """The whole way: made, written, readable by others, the same again; a place that is a folder is refused."""
    out = tmp_path / "shop.csr"
    made = process(*SHOP, "--subject", "O=Acme", "--out", str(out), "--json", home=home)
    assert made.status == 0
    csr = x509.load_pem_x509_csr(out.read_bytes())
    assert csr.is_signature_valid
    assert out.stat().st_mode & 0o777 == 0o644
    assert process("csr", "shop", home=home).out.encode() == out.read_bytes()
    assert process("csr", "shop", "--out", str(tmp_path), "--json", home=home).status == 2
    assert process("csr", "shop", "--out", str(home / "state" / "x"), "--json", home=home).status == 2
