"""Whether the console starts, and in which signs and colours."""

from __future__ import annotations

import pytest

from core.errors import UsageError
from tui.terminal import Terminal, look


def _look(
    term: str = "xterm-256color", *, encoding: str = "utf-8", stdin: bool = True, stdout: bool = True, **more: str
) -> Terminal:
    variables = {"TERM": term, **more}
    return look(variables, stdin_is_terminal=stdin, stdout_is_terminal=stdout, encoding=encoding)


@pytest.mark.parametrize(
    ("terminal", "ascii_only", "colours"),
    [
        pytest.param(_look(), False, 256, id="256"),
        pytest.param(_look(COLORTERM="truecolor"), False, 1 << 24, id="24-bit"),
        pytest.param(_look("linux"), True, 16, id="linux-console"),
        pytest.param(_look("xterm"), False, 16, id="xterm"),
        pytest.param(_look("screen"), False, 16, id="screen"),
        pytest.param(_look("vt100"), False, 0, id="vt100"),
        pytest.param(_look(NO_COLOR="1"), False, 0, id="no-color"),
        pytest.param(_look(NO_COLOR=""), False, 0, id="no-color-empty"),
        pytest.param(_look(encoding="ISO-8859-1"), True, 256, id="latin-1"),
        pytest.param(_look(encoding="UTF8"), False, 256, id="utf8"),
    ],
)
def test_what_a_terminal_can_do(terminal: Terminal, ascii_only: bool, colours: int) -> None:
    """TERM, COLORTERM, NO_COLOR and the encoding decide on ASCII and on the number of colours."""
    assert (terminal.ascii, terminal.colours) == (ascii_only, colours)
    assert terminal.native == (colours <= 16)


@pytest.mark.parametrize("term", ["", "dumb", "unknown"])
def test_a_terminal_that_cannot_draw_is_refused(term: str) -> None:
    """TERM=dumb and the like are refused, and the commands are named."""
    with pytest.raises(UsageError) as caught:
        _look(term)
    assert "TERM" in caught.value.why
    assert "certdeck status" in caught.value.fix


@pytest.mark.parametrize(
    ("stdin", "stdout", "word"), [(False, True, "input"), (True, False, "output"), (False, False, "input")]
)
def test_no_terminal_is_refused(stdin: bool, stdout: bool, word: str) -> None:
    """Without a terminal at both ends the console would hang: it says which end, and what to use instead."""
    with pytest.raises(UsageError) as caught:
        _look(stdin=stdin, stdout=stdout)
    assert f"Standard {word}" in caught.value.why
    assert "certdeck status" in caught.value.fix
