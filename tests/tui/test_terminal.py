"""Whether the console starts, and in which signs and colours."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import UsageError
from tui.terminal import Terminal, baud_of, look


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
        pytest.param(_look("vt100"), True, 0, id="vt100"),
        pytest.param(_look("vt220"), True, 0, id="vt220"),
        pytest.param(_look(LC_ALL="C"), True, 256, id="locale-c"),
        pytest.param(_look(LC_ALL="POSIX"), True, 256, id="locale-posix"),
        pytest.param(_look(LC_ALL="C.UTF-8", LC_CTYPE="C"), False, 256, id="locale-all-first"),
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


@pytest.mark.parametrize(
    ("given", "slow", "colours"),
    [
        ({"baud": 9600}, True, 16),
        ({"baud": 19200}, True, 16),
        ({"baud": 38400}, False, 256),
        ({"baud": 115200}, False, 256),
        ({"baud": 0}, False, 256),
        ({"plain": True}, True, 16),
    ],
    ids=["9600", "19200", "ssh", "115200", "unknown", "plain"],
)
def test_a_slow_line_gets_less(given: dict[str, Any], slow: bool, colours: int) -> None:
    """Below the speed that a pseudo-terminal names there is a wire: few colours, nothing moves; --plain asks for that and ASCII."""
    terminal = look(
        {"TERM": "xterm-256color"}, stdin_is_terminal=True, stdout_is_terminal=True, encoding="utf-8", **given
    )
    assert (terminal.is_slow, terminal.colours, terminal.ascii) == (slow, colours, given.get("plain", False))


def test_the_speed_of_a_line() -> None:
    """The speed is what the terminal says; what is no terminal has none."""
    import os
    import termios

    ours, theirs = os.openpty()
    try:
        settings = termios.tcgetattr(theirs)
        settings[4] = settings[5] = termios.B9600
        termios.tcsetattr(theirs, termios.TCSANOW, settings)
        assert baud_of(theirs) == 9600
    finally:
        os.close(ours)
        os.close(theirs)
    with open(os.devnull) as nothing:
        assert baud_of(nothing.fileno()) == 0
