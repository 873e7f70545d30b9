"""Targets on their screen, and the form that describes one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

from core.config.model import TargetConfig
from core.errors import ConfigError, UsageError
from core.operations import Finding
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tui.screens.dialogs.error import ErrorDialog
from tui.screens.target_form import TargetForm
from tui.screens.targets import TargetsScreen
from tui.widgets.field import Field
from tui.widgets.row_list import RowList

Snap = Callable[[App[Any], str], None]


async def _open(pilot: Pilot[Any]) -> None:
    await pilot.press("y")
    await settled(pilot)
    assert isinstance(pilot.app.screen, TargetsScreen)


def _fill(app: App[Any], **values: str) -> None:
    for id, value in values.items():
        app.screen.query_one(f"#{id.replace('_', '-')} Input", Input).value = value


async def test_targets_with_whose_certificate_and_state() -> None:
    """Each target shows its files, whose certificate it carries and what it serves, by sign and word."""
    app = deck()
    async with app.run_test(size=WIDE) as pilot:
        await _open(pilot)
        text = shown(app)
        assert "● nginx" in text
        assert "serves this one" in text
        assert "▲ postfix" in text
        assert "serves another one" in text
        assert "nginx -s reload" in text


async def test_a_test_shows_what_it_found() -> None:
    """x tests in the background and shows findings with their fix."""
    engine = FakeEngine()
    bad = Finding(
        id="t", status="fail", title="nginx", detail="[emerg] unknown directive", fix="Mend the configuration."
    )
    engine.test_target = lambda name, cancel=None: (bad,)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("x")
        await settled(pilot)
        text = shown(app)
        assert "✖ failed   nginx: [emerg] unknown directive" in text
        assert "→ Mend the configuration." in text


async def test_adding_a_target_shows_each_word_of_its_commands() -> None:
    """A command is split as a shell would, its words are shown one by one, and they reach the engine as a list."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await _open(pilot)
        await pilot.press("n")
        assert isinstance(app.screen, TargetForm)
        _fill(app, name="web", certificate="/etc/web/tls.crt", key="/etc/web/tls.key", probe="[::1]:443")
        _fill(app, test="nginx -t -c '/etc/my nginx.conf'", reload="systemctl reload nginx")
        await pilot.pause()
        assert "[nginx] [-t] [-c] [/etc/my nginx.conf]" in shown(app)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert isinstance(app.screen, TargetsScreen)
        assert "web" in app.screen.query_one(RowList).keys
    added = next(arguments["config"] for method, arguments in engine.calls if method == "add_target")
    assert added == TargetConfig(
        name="web",
        kind="nginx",
        certificate="/etc/web/tls.crt",
        key="/etc/web/tls.key",
        test=("nginx", "-t", "-c", "/etc/my nginx.conf"),
        reload=("systemctl", "reload", "nginx"),
        probe=("[::1]:443",),
    )


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "../web", "is not a valid name."),
        ("certificate", "", "The path of the certificate is missing."),
        ("key", "tls.key", "is not an absolute path."),
        ("test", "nginx 'x", "A quotation mark is not closed."),
        ("probe", "443", "is not HOST:PORT."),
    ],
)
async def test_each_field_says_what_is_wrong(field: str, value: str, words: str) -> None:
    """A wrong value is refused below its field, and nothing is saved."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await _open(pilot)
        await pilot.press("n")
        _fill(app, name="web", certificate="/etc/web/tls.crt", key="/etc/web/tls.key")
        _fill(app, **{field: value})
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert words in shown(app)
    assert not any(method == "add_target" for method, _ in engine.calls)


async def test_changing_keeps_what_the_form_does_not_ask() -> None:
    """Changing a target begins with what is configured and keeps owner, mode and time-outs."""
    engine = FakeEngine()
    known = TargetConfig(
        name="nginx", kind="nginx", certificate="/a.crt", key="/a.key", owner="www", file_mode="0640", timeout_seconds=5
    )
    engine.settings = replace(engine.settings, targets={"nginx": known})
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await _open(pilot)
        await pilot.press("e")
        assert isinstance(app.screen, TargetForm)
        assert app.screen.query_one("#certificate Input", Input).value == "/a.crt"
        _fill(app, certificate="/b.crt")
        await pilot.press("enter")
        await settled(pilot)
    added = next(arguments["config"] for method, arguments in engine.calls if method == "add_target")
    assert added == replace(known, certificate="/b.crt")


async def test_a_refused_target_keeps_what_was_typed() -> None:
    """What the engine refuses is said in the form."""
    engine = FakeEngine()
    engine.fails["add_target"] = ConfigError(
        "Two targets share a file.", "One would overwrite the other.", "Use another path."
    )
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await _open(pilot)
        await pilot.press("n")
        _fill(app, name="web", certificate="/etc/web/tls.crt", key="/etc/web/tls.key")
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, TargetForm)
        assert "✖ Two targets share a file." in shown(app)


@pytest.mark.parametrize("refused", [False, True])
async def test_removing_asks_first(refused: bool) -> None:
    """Removing asks; a target in use is refused in the engine's words."""
    engine = FakeEngine()
    if refused:
        engine.fails["remove_target"] = UsageError(
            "It serves shop.", "The certificate would no longer be renewed there.", "Deploy elsewhere."
        )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("delete", "y")
        await settled(pilot)
        await settled(pilot)
        assert isinstance(app.screen, ErrorDialog) is refused
        if not refused:
            assert app.screen.query_one(RowList).keys == ("postfix",)


async def test_an_empty_list_says_what_to_do() -> None:
    """Without targets the screen says what one is for and how to add one."""
    engine = FakeEngine()
    engine.known_targets = []
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        assert "n adds one manually." in shown(app)


async def test_a_click_chooses() -> None:
    """The mouse puts the cursor on a row."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.click("#rows", offset=(6, 3))
        assert app.screen.query_one(RowList).chosen == "postfix"


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_looks(snap: Snap, size: tuple[int, int]) -> None:
    """The list with its detail, and the form."""
    app = deck()
    async with app.run_test(size=size) as pilot:
        await _open(pilot)
        await pilot.press("x")
        await settled(pilot)
        snap(app, "tested")
        await pilot.press("n")
        _fill(app, name="web", certificate="tls.crt", key="/etc/web/tls.key", test="nginx -t")
        await pilot.press("ctrl+s")
        await settled(pilot)
        snap(app, "form")


async def test_another_machine_has_fields_of_its_own() -> None:
    """The kind ssh shows the fields of the other machine, and no other kind does; they reach the engine as settings."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await _open(pilot)
        await pilot.press("n")
        assert "Machine" not in shown(app)
        _fill(app, name="printer", kind="ssh", certificate="/etc/p/tls.crt", key="/etc/p/tls.key")
        await pilot.pause()
        assert "Machine" in shown(app)
        _fill(app, host="printer.example.com", user="root", port="2222", remote_certificate="/etc/ssl/p.crt")
        _fill(app, remote_key="/etc/ssl/p.key", remote_reload="systemctl reload nginx", identity_file="/root/.ssh/p")
        await pilot.press("ctrl+s")
        await settled(pilot)
    added = next(arguments["config"] for method, arguments in engine.calls if method == "add_target")
    assert added == TargetConfig(
        name="printer",
        kind="ssh",
        certificate="/etc/p/tls.crt",
        key="/etc/p/tls.key",
        host="printer.example.com",
        user="root",
        port=2222,
        remote_certificate="/etc/ssl/p.crt",
        remote_key="/etc/ssl/p.key",
        remote_reload=("systemctl", "reload", "nginx"),
        identity_file="/root/.ssh/p",
    )


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("host", "", "The other machine is missing."),
        ("port", "70000", "This is not a port."),
        ("remote_key", "tls.key", "tls.key"),
        ("identity_file", "/root/my key", "cannot be passed to ssh"),
    ],
)
async def test_a_field_of_another_machine_says_what_is_wrong(field: str, value: str, words: str) -> None:
    """A wrong value for the other machine is refused below its field, and nothing is saved."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await _open(pilot)
        await pilot.press("n")
        _fill(app, name="p", kind="ssh", certificate="/etc/p/tls.crt", key="/etc/p/tls.key", host="p.example.com")
        await pilot.pause()
        _fill(app, **{field: value})
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert words in shown(app)
    assert "add_target" not in [method for method, _ in engine.calls]


@pytest.mark.parametrize("rows", [24, 16])
async def test_the_field_with_the_cursor_stays_in_view(rows: int) -> None:
    """A note that grows above the field in which somebody types does not push that field out of the visible part."""
    app = deck()
    async with app.run_test(size=(80, rows)) as pilot:
        app.push_screen(TargetForm())
        await pilot.pause()
        line = app.screen.query_one("#reload Input", Input)
        line.focus()
        await pilot.pause()
        form = app.screen.query_one("#form")
        assert line.region in form.region
        app.screen.query_one("#name", Field).note = "It is longer now. " * 40
        await pilot.pause()
        await pilot.pause()
        assert line.region in form.region
        app.screen.query_one("#kind", Field).tell(UsageError("It is wrong.", "Very wrong. " * 30, "Change it. " * 30))
        await pilot.pause()
        await pilot.pause()
        assert line.region in form.region


async def test_web_settings_are_refused_in_words() -> None:
    """b on a target that is no web server says for which kinds there are web settings."""
    app = deck(FakeEngine())
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("y")
        await settled(pilot)
        await pilot.press("end", "b")
        await settled(pilot)
        assert [note.message for note in app._notifications] == [
            "Web settings exist for nginx, Apache httpd, HAProxy and Caddy."
        ]
