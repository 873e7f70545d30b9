"""Themes are data: the shipped ones can be read by everybody, and a vendor's wrong one is refused in words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from rich.color import ColorSystem
from textual.color import Color
from textual.widgets import OptionList

from core.errors import ConfigError
from tests.support.deck import NARROW, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tests.support.sources import ROOT
from tui import theming
from tui.app import CertdeckApp
from tui.terminal import Terminal

SHIPPED = theming.load().themes
GOOD = 'name = "acme"\nprimary = "#ff0000"\nbackground = "#000000"\nforeground = "#ffffff"\n'

TEXTS = (
    "foreground",
    "text-muted",
    "footer-text",
    "faint-text",
    "brand",
    "key",
    "frame-title",
    "severity-green",
    "severity-yellow",
    "severity-red",
)
GROUNDS = ("background", "surface", "panel", "header-background", "cursor-row")


def test_ships_five() -> None:
    """There is a dark, a light, a high-contrast theme and two of sixteen colours, and the default is among them."""
    assert set(SHIPPED) == {"dark", "light", "contrast", "ansi", "ansi-light"}
    assert theming.DEFAULT in SHIPPED
    assert SHIPPED[theming.ANSI].ansi


@pytest.mark.parametrize("name", [name for name, theme in SHIPPED.items() if not theme.ansi])
def test_text_can_be_read(name: str) -> None:
    """Every text on every ground has a contrast of 4.5 (WCAG 2 AA), in the high-contrast theme of 7 (AAA)."""
    theme = SHIPPED[name]
    colours = {**theme.to_color_system().generate(), **theme.variables}
    least = 7.0 if name == "contrast" else 4.5
    weak = {
        (text, ground): round(theming.contrast(colours[text], colours[ground]), 2)
        for text in TEXTS
        for ground in GROUNDS
        if theming.contrast(colours[text], colours[ground]) < least
    }
    assert weak == {}


TEXT_ROLES = (
    "foreground",
    "text-muted",
    "severity-green",
    "severity-yellow",
    "severity-red",
    "key",
    "brand",
    "frame-title",
)
MARK_ROLES = ("bar-used", "tick")


def _rounded(colour: str) -> str:
    """Return what a terminal with 256 colours shows for it: Rich rounds, as it does over SSH."""
    triplet = Color.parse(colour).rich_color.downgrade(ColorSystem.EIGHT_BIT).get_truecolor()
    return f"#{triplet.red:02x}{triplet.green:02x}{triplet.blue:02x}"


@pytest.mark.parametrize("name", ["dark", "light", "contrast"])
def test_256_colours_can_be_read(name: str) -> None:
    """With 256 colours, as over SSH, text has 4.5 and a mark 3 on every ground, the selected row's included; grounds are grey."""
    theme = theming.load(only=name, depth=256).themes[name]
    colours = {**theme.to_color_system().generate(), **theme.variables}
    shown = {key: _rounded(colours[key]) for key in {*TEXT_ROLES, *MARK_ROLES, *GROUNDS}}
    weak = {
        (role, ground): round(theming.contrast(shown[role], shown[ground]), 2)
        for ground in GROUNDS
        for role, least in [*((role, 4.5) for role in TEXT_ROLES), *((role, 3.0) for role in MARK_ROLES)]
        if theming.contrast(shown[role], shown[ground]) < least
    }
    assert weak == {}
    assert [ground for ground in GROUNDS if len(set(Color.parse(shown[ground]).rgb)) > 1] == []


@pytest.mark.parametrize("depth", [1 << 24, 256])
@pytest.mark.parametrize("name", ["dark", "light", "contrast"])
def test_placeholders_can_be_read(name: str, depth: int) -> None:
    """What an empty field says has 4.5 on every ground that a field has, and a button shows on the ground of a dialog."""
    theme = theming.load(only=name, depth=depth).themes[name]
    colours = {**theme.to_color_system().generate(), **theme.variables}
    shown = {key: colours[key] if depth != 256 else _rounded(colours[key]) for key in ("placeholder", *GROUNDS)}
    for ground in ("background", "surface", "panel"):
        assert theming.contrast(shown["placeholder"], shown[ground]) >= 4.5
    assert shown["panel"] != shown["surface"]


PALETTES = {
    "vga": "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa 555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff",
    "xterm": "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff",
    "putty": "000000 bb0000 00bb00 bbbb00 0000bb bb00bb 00bbbb bbbbbb 555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff",
    "windows": "0c0c0c c50f1f 13a10e c19c00 0037da 881798 3a96dd cccccc 767676 e74856 16c60c f9f1a5 3b78ff b4009e 61d6d6 f2f2f2",
    "gnome": "171421 c01c28 26a269 a2734c 12488b a347ba 2aa1b3 d0cfcc 5e5c64 f66151 33d17a e9ad0c 2a7bde c061cb 33c7de ffffff",
}
"""What terminals show for the sixteen colours."""
NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def _of_palette(colour: str, palette: str, ground: str, ink: str) -> str:
    """Return what a terminal with this palette shows for a colour of an ansi theme."""
    name = colour.partition(" ")[0].removeprefix("ansi_")
    if name == "default":
        return ink
    number = NAMES.index(name.removeprefix("bright_")) + (8 if name.startswith("bright_") else 0)
    return f"#{PALETTES[palette].split()[number]}"


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("name", ["ansi", "ansi-light"])
def test_16_colours_can_be_read(name: str, palette: str) -> None:
    """With sixteen colours text has 4.5 and a mark 3, whichever of the usual terminals shows them, on its dark or light ground."""
    theme = SHIPPED[name]
    colours = {"foreground": theme.foreground or "", **theme.variables}
    ground, ink = (f"#{PALETTES[palette].split()[0]}", "#cccccc") if theme.dark else ("#ffffff", "#000000")
    roles = [
        *((role, 4.5) for role in (*TEXTS, "faint")),
        *((role, 3.0) for role in (*MARK_ROLES, "bar-rest", "frame")),
    ]
    weak = {
        role: round(theming.contrast(shown, ground), 2)
        for role, least in roles
        if theming.contrast(shown := _of_palette(colours[role], palette, ground, ink), ground) < least
    }
    assert weak == {}


async def test_without_colour_nothing_is_told_by_colour() -> None:
    """On a monochrome terminal no colour is sent at all: rows, counters and details differ by signs, words, bold and reverse."""
    app = deck(terminal=Terminal(colours=0, ascii=True))
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("down")
        await pilot.pause()
        styles = [
            segment.style for strip in app.screen._compositor.render_strips() for segment in strip if segment.style
        ]
        assert [style for style in styles if style.color is not None and not style.color.is_default] == []
        assert [style for style in styles if style.bgcolor is not None and not style.bgcolor.is_default] == []
        assert any(style.reverse for style in styles)
        text = shown(app)
        assert {"x  mail", "!  shop", "*  edge"} <= {line[2:9].rstrip() for line in text.splitlines()}


@pytest.mark.parametrize("colours", [0, 16])
@pytest.mark.parametrize("keys", [["e"], ["question_mark"], ["colon"]], ids=["export", "menu", "palette"])
async def test_the_chosen_option_is_seen_without_shades(keys: list[str], colours: int) -> None:
    """With sixteen colours or none the chosen line of a dialog's list is in reverse, and no other one."""
    app = deck(terminal=Terminal(colours=colours, ascii=True))
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press(*keys)
        await settled(pilot)
        options = app.screen.query_one(OptionList)
        reverse = [
            all(style is not None and bool(style.reverse) for text, style, _ in strip if text.strip())
            for strip in (options.render_line(y) for y in range(options.size.height))
        ]
        assert reverse.index(True) == 0
        assert reverse.count(True) == 1


@pytest.mark.parametrize(
    ("wanted", "name"),
    [(None, "ansi"), ("dark", "ansi"), ("contrast", "ansi"), ("light", "ansi-light"), ("no", "ansi")],
)
def test_sixteen_colours_follow_the_configured_theme(wanted: str | None, name: str) -> None:
    """A light theme is configured for a light background: with sixteen colours the light ones stand in for it."""
    assert theming.native(None, wanted) == name


def test_a_vendors_surfaces_become_grey_with_256_colours() -> None:
    """A theme without values for 256 colours keeps its colours, and its dark or light surfaces become shades of grey."""
    text = GOOD + 'surface = "#171a25"\n[variables]\ncursor-row = "#26304f"\n'
    theme = theming.parse(text, "acme.toml", 256)
    assert (theme.surface, theme.variables["cursor-row"], theme.primary) == ("#1e1e1e", "#3a3a3a", "#ff0000")


def test_contrast_is_the_known_one() -> None:
    """Black on white is 21, and a colour on itself 1."""
    assert theming.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert theming.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert theming.contrast("#123456", "#123456") == pytest.approx(1)


@pytest.mark.parametrize("name", SHIPPED)
def test_sets_every_variable_of_ours(name: str) -> None:
    """A shipped theme says every colour itself; none is left to a stand-in."""
    text = (Path(__file__).parents[2] / "themes" / f"{name}.toml").read_text()
    assert [variable for variable in theming.OURS if f"\n{variable} = " not in text] == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name = ", "It is not TOML: Invalid value (at end of document)."),
        ('primary = "red"\n', "`name` is missing."),
        ('name = "acme"\n', "`primary` is missing."),
        ('name = "acme"\nprimary = "reddish"\n', "`primary` is 'reddish', which is not a color."),
        ('name = "acme"\nprimary = 7\n', "`primary` must be a color in quotes."),
        (GOOD + 'backgound = "#000000"\n', "`backgound` is not a field of a theme. Did you mean `background`?"),
        (GOOD + "dark = 1\n", "`dark` must be true or false."),
        (GOOD + 'luminosity_spread = "much"\n', "`luminosity_spread` must be a number."),
        (GOOD + "variables = 3\n", "`variables` must be a table of names and colors."),
        (GOOD + '[variables]\ntick = "#12"\n', "`variables.tick` is '#12', which is not a color."),
        (GOOD + "[variables]\ntick = 12\n", "`variables.tick` must be text in quotes."),
    ],
)
def test_a_wrong_file_is_refused_in_a_sentence(text: str, why: str) -> None:
    """What is wrong with a theme is said with the file's name and the nearest right word."""
    with pytest.raises(ConfigError) as caught:
        theming.parse(text, "acme.toml")
    assert caught.value.what == "The theme acme.toml cannot be used."
    assert caught.value.why == why


def test_a_small_theme_is_filled_up() -> None:
    """A vendor's theme of four lines works: our variables take the nearest field."""
    theme = theming.parse(GOOD, "acme.toml")
    assert theme.variables["brand"] == "#ff0000"
    assert theme.variables["text-muted"] == "#ffffff"


def test_a_vendor_drops_one_in(tmp_path: Path) -> None:
    """A file in etc/themes is a theme more; a wrong one beside it is a problem, not a failure."""
    folder = tmp_path / "themes"
    folder.mkdir()
    (folder / "acme.toml").write_text(GOOD)
    (folder / "bad.toml").write_text("name = ")
    (folder / "latin.toml").write_bytes(b'name = "\xe9"\n')
    loaded = theming.load(tmp_path)
    assert "acme" in loaded.themes
    assert [problem.what for problem in loaded.problems] == [
        f"The theme {folder / 'bad.toml'} cannot be used.",
        f"The theme {folder / 'latin.toml'} cannot be used.",
    ]


def damaged(folder: Path) -> Path:
    """Make a folder of the shipped themes in which two are damaged and one is missing."""
    for path in (ROOT / "themes").glob("*.toml"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "dark.toml").write_text("name = ")
    (folder / "light.toml").write_bytes(b"\xff")
    (folder / "contrast.toml").unlink()
    return folder


async def test_a_damaged_default_theme_keeps_nobody_out(tmp_path: Path) -> None:
    """If the file of the default theme is damaged, the console starts with a built-in one, and says so."""
    loaded = theming.load(only="dark", package=damaged(tmp_path))
    double: Any = FakeEngine()
    app = CertdeckApp(double, themes=loaded, loading=False)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.pause()
        assert app.theme == "dark"
        assert "shop.example.com" in shown(app)
        assert "The theme themes/dark.toml cannot be used." in [note.title for note in app._notifications]


def test_a_missing_package_of_themes_is_a_problem_too(tmp_path: Path) -> None:
    """Without any theme file there is still the built-in one, and each missing file is a problem."""
    loaded = theming.load(package=tmp_path)
    assert set(loaded.themes) == {"dark"}
    assert len(loaded.problems) == len(theming.SHIPPED)


def test_the_self_check_finds_damaged_themes(tmp_path: Path) -> None:
    """Each damaged or missing theme is a failure with what to do, and so is a configured theme that does not exist."""
    (tmp_path / "package").mkdir()
    found = list(theming.findings(tmp_path, "acme", package=damaged(tmp_path / "package")))
    assert [(each.id, each.status) for each in found] == [("themes", "fail")] * 4
    assert {each.fix for each in found[:3]} == {"Reinstall certdeck."}
    assert "There is no theme 'acme'." in found[3].detail
    # A shipped theme exists, damaged or not.
    assert len(list(theming.findings(tmp_path, "light", package=tmp_path / "package"))) == 3
    (good,) = theming.findings(tmp_path, "light")
    assert (good.status, good.detail) == ("pass", "5 themes can be read")


async def test_the_configured_theme_is_on(tmp_path: Path) -> None:
    """The theme of the configuration is used, a vendor's too; an unknown one falls back to the default."""
    folder = tmp_path / "etc" / "themes"
    folder.mkdir(parents=True)
    (folder / "acme.toml").write_text(GOOD)
    for wanted, got in (("acme", "acme"), ("light", "light"), ("nothing", "dark"), (None, "dark")):
        app = deck(FakeEngine(home=tmp_path), theme=wanted)
        async with app.run_test(size=NARROW):
            assert app.theme == got
            assert "shop.example.com" in shown(app)


async def test_a_theme_that_is_not_there_is_told() -> None:
    """A configured theme that does not exist is told when the console opens, with those that do."""
    app = deck(theme="drak")
    async with app.run_test(size=NARROW) as pilot:
        await pilot.pause()
        assert [(note.title, note.severity) for note in app._notifications] == [
            ("There is no theme 'drak'.", "warning")
        ]


async def test_t_goes_through_the_themes() -> None:
    """t goes to the next theme and comes round; everything stays drawn."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        seen = []
        for _ in range(4):
            seen.append(app.theme)
            await pilot.press("t")
            await pilot.pause()
            assert "shop.example.com" in shown(app)
    assert seen == ["dark", "light", "contrast", "dark"]


@pytest.mark.parametrize(
    "terminal",
    [
        pytest.param(Terminal(colours=16), id="sixteen"),
        pytest.param(Terminal(colours=0, ascii=True), id="none-ascii"),
    ],
)
async def test_poor_terminals_use_their_own_colours(terminal: Terminal) -> None:
    """With sixteen colours or none the terminal's own ones are used, whatever theme is configured, and RGB never."""
    app = deck(theme="light", terminal=terminal)
    async with app.run_test(size=NARROW):
        assert app.theme == "ansi-light"
        assert app.native_ansi_color
        for strip in app.screen._compositor.render_strips():
            for segment in strip:
                colours = (segment.style.color, segment.style.bgcolor) if segment.style else ()
                assert all(colour is None or colour.triplet is None for colour in colours), segment


def test_a_theme_that_is_a_pipe_holds_nobody_up(tmp_path: Path) -> None:
    """A named pipe among one's own themes is told of, and not waited for."""
    (tmp_path / "themes").mkdir()
    os.mkfifo(tmp_path / "themes" / "own.toml")
    loaded = theming.load(tmp_path)
    assert "cannot be read" in loaded.problems[0].why
    assert theming.DEFAULT in loaded.themes
