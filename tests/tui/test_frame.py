"""What is sent to the terminal: only cells that change, and after each update the terminal shows what it should."""

from __future__ import annotations

import io
import random
import re

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from tui.frame import Frame

WIDTH, HEIGHT = 24, 4
STYLES = [
    None,
    Style(),
    Style.parse("red"),
    Style.parse("bold red on color(236)"),
    Style.parse("white on color(236)"),
    Style.parse("reverse"),
    Style.parse("underline blue"),
    Style.parse("color(117) on color(233)"),
    Style.parse("bright_red on bright_black"),
    Style.parse("default on default"),
    Style.parse("bold"),
    Style.parse("bold default on default"),
    Style.parse("bold red on default"),
]
SIGNS = ["a", "b", " ", "  ", "─", "日", "é"]


def _console() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, color_system="256")


def _update(lines: list[list[Segment]]) -> LayoutUpdate:
    strips = [[Strip(line).adjust_cell_length(WIDTH)] for line in lines]
    return LayoutUpdate(strips, Region(0, 0, WIDTH, HEIGHT))  # as Textual makes them


class Screen:
    """A terminal that knows what is sent here: movements, colours and characters."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], tuple[str, str]] = {}
        self._x = self._y = 0
        self._pen = {"": "", "3": "", "4": ""}

    def feed(self, sent: str) -> None:
        for move, column, ahead, sgr, sign in re.findall(
            r"\x1b\[(\d+);(\d+)H|\x1b\[(\d+)C|\x1b\[([\d;]*)m|(.)", sent, re.DOTALL
        ):
            if move:
                self._y, self._x = int(move) - 1, int(column) - 1
            elif ahead:
                self._x += int(ahead)
            elif sign:
                width = 2 if sign == "日" else 1
                self.cells[self._x, self._y] = (sign, self._seen(sign))
                for more in range(1, width):
                    self.cells[self._x + more, self._y] = ("", "")
                self._x += width
            else:
                self._set(sgr.split(";"))

    def _seen(self, sign: str) -> str:
        """Return what is seen of the pen: of a blank the background alone, unless it is drawn with the ink."""
        is_blank = sign == " " and not {"7", "4"} & set(self._pen[""].split())
        return self._pen["4"] if is_blank else str(self._pen)

    def _set(self, numbers: list[str]) -> None:
        while numbers:
            number = numbers.pop(0)
            if number in ("", "0"):
                self._pen = {"": "", "3": "", "4": ""}
            elif number in ("38", "48"):
                count = 2 if numbers[0] == "5" else 4
                self._pen[number[0]] = " ".join(numbers[:count])
                del numbers[:count]
            elif number in ("39", "49"):
                self._pen[number[0]] = ""
            elif 30 <= int(number) <= 37 or 90 <= int(number) <= 97:
                self._pen["3"] = number
            elif 40 <= int(number) <= 47 or 100 <= int(number) <= 107:
                self._pen["4"] = number
            else:
                self._pen[""] += f"{number} "


def test_the_terminal_shows_what_it_should() -> None:
    """After any number of random updates the terminal shows the same as one that got the last whole from Textual."""
    chance = random.Random(7)
    frame, console, screen = Frame(), _console(), Screen()
    frame.fit(WIDTH, HEIGHT)
    lines: list[list[Segment]] = [[] for _ in range(HEIGHT)]
    for _ in range(300):
        for number in chance.sample(range(HEIGHT), chance.randint(0, 2)):
            lines[number] = [
                Segment(chance.choice(SIGNS) * chance.randint(1, 4), chance.choice(STYLES)) for _ in range(6)
            ]
        screen.feed(frame.changes(_update(lines), console) or "")
        whole = Screen()
        whole.feed(_update(lines).render_segments(console).replace("\n", ""))
        assert screen.cells == whole.cells


def test_a_fresh_frame_sends_what_textual_sends() -> None:
    """The first update shows the same cells as Textual's own way of sending it."""
    console, ours, theirs = _console(), Screen(), Screen()
    lines = [[Segment("ab  ", style), Segment("─ 日", STYLES[3])] for style in STYLES[:HEIGHT]]
    frame = Frame()
    frame.fit(WIDTH, HEIGHT)
    ours.feed(frame.changes(_update(lines), console) or "")
    theirs.feed(_update(lines).render_segments(console).replace("\n", ""))
    assert ours.cells == theirs.cells


def test_nothing_is_sent_twice() -> None:
    """What the terminal shows already costs nothing; after it was written over by somebody else, everything is sent."""
    console, frame = _console(), Frame()
    lines = [[Segment("the same", STYLES[2])] for _ in range(HEIGHT)]
    frame.fit(WIDTH, HEIGHT)
    first = frame.changes(_update(lines), console)
    assert first
    assert frame.changes(_update(lines), console) == ""
    frame.forget()
    frame.fit(WIDTH, HEIGHT)
    assert frame.changes(_update(lines), console) == first


def test_what_a_dialog_dims_is_grey() -> None:
    """With 256 colours a faint mixture is sent as a grey of the ramp, not as the olive or navy that it would be rounded to."""
    frame = Frame()
    frame.fit(WIDTH, HEIGHT)
    dimmed = [Style.parse(words) for words in ("#4d4129 on #121212", "#59353a", "#a8c5d1 on #f0f0f0", "#1b1d2a")]
    sent = frame.changes(_update([[Segment("a", style)] for style in dimmed]), _console()) or ""
    numbers = [int(number) for number in re.findall(r"[34]8;5;(\d+)", sent)]
    assert len(numbers) >= len(dimmed)
    assert [number for number in numbers if not 232 <= number <= 255] == []
    accent = frame.changes(_update([[Segment("b", Style.parse("#af5f00"))]] * HEIGHT), _console()) or ""
    assert "38;5;130" in accent
