"""Secrets as editors and shells write them: what was meant comes out, what is no text is refused without being shown."""

from __future__ import annotations

import pytest

from core.secret_text import NotSecretText, secret_line, secret_text, typed_secret

MEANT = "pä$$ wörd €"


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_marks_and_the_line_end_are_undone(encoding: str, end: str) -> None:
    """Whatever encoding has a mark, with any line end, gives the same bytes in UTF-8."""
    assert secret_line((MEANT + end).encode(encoding)) == MEANT.encode()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_recognised_where_nothing_else_can_be_meant(encoding: str) -> None:
    """Characters of two bytes, of which one is always zero, are UTF-16 without a mark."""
    assert secret_line("changeit\r\n".encode(encoding)) == b"changeit"


def test_only_one_line_end_is_taken() -> None:
    """Blanks are part of a passphrase; a second line is refused; nothing at all is the empty passphrase."""
    assert secret_line(b" two words \n") == b" two words "
    assert secret_line(b"") == secret_line(b"\n") == secret_line("\n".encode("utf-16")) == b""
    for lines in (b"one\ntwo\n", b"one\n\n", b"one\rtwo"):
        with pytest.raises(NotSecretText, match="several lines"):
            secret_line(lines)
    assert secret_text(b"one\r\ntwo\r\n") == b"one\r\ntwo\r\n"


@pytest.mark.parametrize(
    "content",
    [
        b"hunter2\0",
        b"hun\0ter2",
        b"\0\0\0\0hunter2",
        b"hunter2\xe4",
        b"\xff\xfehunter2",
        b"\xff\xfe\x00\xd8h\x00",
        b"hunter2" + "\ud800".encode("utf-8", "surrogatepass"),
        "a\0hunter2".encode("utf-16"),
    ],
)
def test_what_is_no_text_is_refused_unseen(content: bytes) -> None:
    """A NUL, and what no encoding explains, are refused in one sentence that shows nothing, nor does its cause."""
    with pytest.raises(NotSecretText) as caught:
        secret_line(content)
    assert str(caught.value).count(".") == 1
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_prompt_gives_the_same_bytes() -> None:
    """What is typed is UTF-8; bytes that the terminal's encoding does not know are refused."""
    assert typed_secret(MEANT) == MEANT.encode()
    assert typed_secret("") == b""
    with pytest.raises(NotSecretText):
        typed_secret("caf\udce9")
