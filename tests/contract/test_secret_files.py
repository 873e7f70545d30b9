"""Secrets and files that people name, in the real program: read as they were meant, refused in words, never waited for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from tests.support.authority import Authority, Leaf
from tests.support.clock import NOON
from tests.support.command import Answer, process
from tests.support.programs import find_program

WORDS = ("changeit", "pä$$ wörd")


@pytest.fixture(scope="module")
def shop() -> Leaf:
    """A certificate with its key and chain."""
    return Authority.new(now=NOON).leaf(["shop.example.com"])


def pfx(leaf: Leaf, word: str) -> bytes:
    """Return a PFX under a passphrase."""
    protection = BestAvailableEncryption(word.encode())
    return pkcs12.serialize_key_and_certificates(b"shop", leaf.key, leaf.certificate, leaf.chain, protection)


def parsed(answer: Answer) -> str:
    """Return how the upload's files were read, and that there is no traceback."""
    assert "Traceback" not in answer.err
    assert "panicked" not in answer.err
    return str(answer.json["checks"][0]["status"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("word", WORDS)
def test_a_passphrase_file_in_any_encoding(home: Path, tmp_path: Path, shop: Leaf, word: str, encoding: str) -> None:
    """A passphrase in UTF-8 or UTF-16, with a mark or without, with CRLF or without, opens the PFX."""
    (tmp_path / "shop.pfx").write_bytes(pfx(shop, word))
    (tmp_path / "word").write_bytes(f"{word}\r\n".encode(encoding))
    argv = ["check", "--pfx", str(tmp_path / "shop.pfx"), "--json", "--passphrase-file"]
    assert parsed(process(*argv, str(tmp_path / "word"), home=home)) == "pass"
    assert parsed(process(*argv, "-", home=home, stdin=(tmp_path / "word").read_bytes())) == "pass"


@pytest.mark.parametrize("content", [b"hunter2\0", b"hunter2\xe4\n", b"hun\0ter2", b"\xff\xfe\x00\xd8"])
def test_a_passphrase_that_is_no_text(home: Path, tmp_path: Path, shop: Leaf, content: bytes) -> None:
    """What is no text is refused in words that show nothing of it, for every command that takes a passphrase."""
    process("first-boot", "--hostname", "box.example.com", home=home)
    (tmp_path / "shop.pfx").write_bytes(pfx(shop, "changeit"))
    (tmp_path / "word").write_bytes(content)
    site, out = str(tmp_path / "shop.pfx"), str(tmp_path / "out.pfx")
    for argv in (
        ["check", "--pfx", site],
        ["import", "shop", "--pfx", site],
        ["export", "default", "--format", "pfx", "--out", out],
    ):
        answer = process(*argv, "--passphrase-file", str(tmp_path / "word"), "--json", home=home)
        assert (answer.status, answer.error["code"], answer.err) == (2, "usage", "")
        assert "hun" not in answer.out.replace(str(tmp_path), "")
    assert not Path(out).exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("word", WORDS)
def test_an_exported_pfx_opens_with_exactly_its_passphrase(
    home: Path, tmp_path: Path, word: str, encoding: str
) -> None:
    """Another program opens the PFX with the passphrase that was meant; outside ASCII, a warning names Java."""
    process("first-boot", "--hostname", "box.example.com", home=home)
    (tmp_path / "word").write_bytes(f"{word}\r\n".encode(encoding))
    out = tmp_path / "out.pfx"
    argv = ["export", "default", "--format", "pfx", "--out", str(out), "--passphrase-file", str(tmp_path / "word")]
    answer = process(*argv, "--json", home=home)
    assert answer.status == 0
    assert [each["code"] for each in answer.json.get("warnings", [])] == (
        [] if word.isascii() else ["passphrase-not-ascii"]
    )
    opens = [find_program("openssl"), "pkcs12", "-in", str(out), "-nodes", "-passin", f"pass:{word}"]
    assert subprocess.run(opens, capture_output=True, check=False).returncode == 0


def test_an_empty_passphrase_is_a_passphrase(home: Path, tmp_path: Path, shop: Leaf) -> None:
    """An empty file opens a PFX without a password, and is a wrong passphrase, not a missing one, for another."""
    for name, content in {"key": shop.key_pem, "cert": shop.fullchain_pem, "word": b""}.items():
        (tmp_path / name).write_bytes(content)
    argv = [find_program("openssl"), "pkcs12", "-export", "-inkey", "key", "-in", "cert", "-passout", "pass:"]
    subprocess.run([*argv, "-out", "shop.pfx"], check=True, capture_output=True, cwd=tmp_path)
    (tmp_path / "other.pfx").write_bytes(pfx(shop, "changeit"))
    word = str(tmp_path / "word")
    given = ["--passphrase-file", word, "--json"]
    assert parsed(process("check", "--pfx", str(tmp_path / "shop.pfx"), *given, home=home)) == "pass"
    refused = process("check", "--pfx", str(tmp_path / "other.pfx"), *given, home=home)
    assert parsed(refused) == "fail"
    assert "the passphrase is wrong" in refused.json["checks"][0]["detail"]


@pytest.mark.parametrize("kind", ["--cert", "--key", "--chain", "--passphrase-file"])
def test_a_named_pipe_is_refused_at_once(home: Path, tmp_path: Path, shop: Leaf, kind: str) -> None:
    """A named pipe in the place of a file is refused in words and not waited for."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "site.pem").write_bytes(shop.fullchain_pem)
    argv = [] if kind == "--cert" else ["--cert", str(tmp_path / "site.pem")]
    answer = process("check", *argv, kind, str(tmp_path / "pipe"), "--json", home=home, timeout=20)
    assert (answer.status, answer.error["code"]) == (2, "usage")
    assert "pipe" in answer.error["why"]


def test_the_vault_does_not_wait_for_a_named_pipe(home: Path, tmp_path: Path) -> None:
    """A named pipe as CERTDECK_PASSPHRASE_FILE is refused in words, and holds no lock."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "secret").write_bytes(b"s3cret\n")
    add = ["dns", "add", "cf", "--kind", "cloudflare", "--zone", "example.com"]
    add += ["--secret", f"api_token={tmp_path / 'secret'}", "--json"]
    answer = process(*add, home=home, env={"CERTDECK_PASSPHRASE_FILE": str(tmp_path / "pipe")}, timeout=20)
    assert (answer.status, answer.error["code"]) == (1, "master-key-missing")
    assert process("first-boot", "--hostname", "box.example.com", home=home, timeout=20).status == 0
