"""What the upload box makes of pastes and paths, without showing what is in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.authority import Authority
from tui.screens.upload.given import Piece, described, is_material, is_open, pasted, paths_in, source

KEY = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def test_blocks_are_named_and_keys_are_hidden() -> None:
    """A paste is told as certificates and keys with their lengths, and no character of a key is in it."""
    leaf = Authority.new().leaf(["shop.example.com"])
    words = described((leaf.fullchain_pem + leaf.key_pem).decode())
    assert words == ("2 certificates", f"(private key, {len(leaf.key_pem.decode().strip())} characters, hidden)")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (KEY.replace("PRIVATE", "ENCRYPTED PRIVATE"), "(private key, 82 characters, hidden)"),
        (KEY.partition("-----END")[0], "(private key, 37 characters, hidden, without its end)"),
        ("-----BEGIN DH PARAMETERS-----\nAA\n-----END DH PARAMETERS-----", "(dh parameters, 60 characters, hidden)"),
        ("TUlJ" * 40, "(160 characters of base64, hidden)"),
        ("a few words\nof nothing", "(22 characters of text, hidden)"),
    ],
)
def test_everything_else_is_named_too(text: str, words: str) -> None:
    """Unfinished blocks, other blocks, base64 and plain text are told by their kind and length alone."""
    assert described(text) == (words,)


def test_a_piece_keeps_its_text_out_of_its_repr() -> None:
    """What is pasted does not get into messages or logs through a repr."""
    assert "c2VjcmV0" not in repr(pasted(KEY, 0))


@pytest.mark.parametrize("line", ["-----BEGIN ", "x -----BEGIN RSA", "MIIE" * 15, '{"key": "' + "TUlJ" * 15])
def test_lines_that_begin_material(line: str) -> None:
    """A block's first line and long base64 are recognised while they are typed."""
    assert is_material(line)


@pytest.mark.parametrize("line", ["/" + "a" * 80, "~/certificates/" + "b" * 60, "shop.pem", "-----BEGI"])
def test_lines_that_are_paths(line: str) -> None:
    """Paths are not taken for material, however long they are."""
    assert not is_material(line)


def test_an_open_block_waits_for_its_end() -> None:
    """A paste that arrives in parts is whole when its last block has its end."""
    assert is_open(CERTIFICATE + KEY[:40])
    assert not is_open(CERTIFICATE + KEY)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("/etc/ssl/a.pem\n", ("/etc/ssl/a.pem",)),
        ("'/etc/my certs/a.pem'\n~/b.key", ("/etc/my certs/a.pem", "~/b.key")),
        ("hello", ()),
        ("/etc/a.pem\n" + KEY, ()),
        ("/etc/\x1b[31m", ()),
        ("/a\n" * 21, ()),
    ],
)
def test_paths_are_pasted_as_paths(text: str, paths: tuple[str, ...]) -> None:
    """A paste of nothing but paths is taken as such, quoted or not; anything else is not."""
    assert paths_in(text) == paths


def test_where_it_comes_from() -> None:
    """The line of what was found says in how many pastes and files it came."""
    paste = pasted(KEY, 0)
    path = _file("/tmp/shop.pfx")
    assert source([paste]) == "in one paste"
    assert source([paste, paste]) == "in 2 pastes"
    assert source([path]) == "from shop.pfx"
    assert source([path, _file("/tmp/key"), paste]) == "in 2 files and a paste"


def _file(path: str) -> Piece:
    return Piece(label=path, path=Path(path))
