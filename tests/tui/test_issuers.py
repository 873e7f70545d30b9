"""Issuers and accounts on their screen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual import events
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

from core.config.model import IssuerConfig
from core.errors import AccountError, DirectoryUnreachable, UsageError
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tui.screens.dialogs.error import ErrorDialog
from tui.screens.issuer_forms import EabForm, IssuerForm
from tui.screens.issuers import IssuersScreen
from tui.widgets.row_list import RowList

Snap = Callable[[App[Any], str], None]


async def _open(pilot: Pilot[Any]) -> None:
    await pilot.press("m")
    await settled(pilot)
    assert isinstance(pilot.app.screen, IssuersScreen)


def _fill(app: App[Any], **values: str) -> None:
    for id, value in values.items():
        app.screen.query_one(f"#{id} Input", Input).value = value


async def test_the_default_comes_first_with_what_it_takes() -> None:
    """The default issuer stands first and says so; its limits, its account, and who needs a binding can be read."""
    engine = FakeEngine()
    engine.settings = replace(engine.settings, defaults=replace(engine.settings.defaults, issuer="zerossl"))
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await _open(pilot)
        assert app.screen.query_one(RowList).chosen == "zerossl"
        text = shown(app)
        assert "ZeroSSL (default)" in text
        assert "needs EAB" in text
        assert "no IP addresses" in text
        await pilot.press("down")
        text = shown(app)
        assert "100 names, wildcards, IP addresses" in text
        assert "cct/42" in text
        assert "admin@example.com" in text


async def test_a_test_reads_the_directory() -> None:
    """x shows terms, CAA names, profiles, renewal times and our clock, as the directory says."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("x")
        await settled(pilot)
        text = shown(app)
        assert "✔ Its directory responds in 141 ms." in text
        assert "https://letsencrypt.org/documents/LE-SA-v1.5.pdf" in text
        assert "shortlived: Six days" in text
        assert "suggests when to renew (ARI)" in text


async def test_a_directory_that_does_not_answer_is_words() -> None:
    """A failed test says what, why and what to do."""
    engine = FakeEngine()
    engine.fails["test_issuer"] = DirectoryUnreachable(
        "The CA does not answer.", "No route to host.", "Look at the network."
    )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("x")
        await settled(pilot)
        assert "✖ The CA does not answer. No route to host." in shown(app)


async def test_making_another_one_the_default() -> None:
    """d makes the chosen issuer the default, and the list follows."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("down", "d")
        await settled(pilot)
        await settled(pilot)
        assert "Let's Encrypt (staging) (default)" in shown(app)
    assert ("set_default_issuer", {"name": "letsencrypt-staging"}) in engine.calls


async def test_adding_an_issuer() -> None:
    """The form checks name and directory where they are, and hands the rest to the engine as typed."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("n")
        assert isinstance(app.screen, IssuerForm)
        _fill(app, name="my ca", directory="http://ca.example.com")
        await pilot.press("ctrl+s")
        text = shown(app)
        assert "'my ca' is not a valid name." in text
        assert "An ACME directory is an https address." in text
        _fill(
            app,
            name="company",
            directory="https://ca.example.com/directory",
            bundle="/etc/root.pem",
            email="a@example.com",
            limits="orders=300/3h",
        )
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert isinstance(app.screen, IssuersScreen)
    config = IssuerConfig(
        directory="https://ca.example.com/directory",
        ca_bundle="/etc/root.pem",
        email="a@example.com",
        limits={"orders": "300/3h"},
    )
    assert ("add_issuer", {"name": "company", "config": config}) in engine.calls


async def test_limits_that_cannot_be_read_are_refused_in_their_field() -> None:
    """A limit without number and period is refused with an example, and nothing is saved."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await _open(pilot)
        await pilot.press("n")
        _fill(app, name="company", directory="https://ca.example.com/directory", limits="orders=many")
        await pilot.press("ctrl+s")
        assert "These limits cannot be used." in shown(app)
        assert 'orders = "300/3h"' in shown(app)
    assert "add_issuer" not in dict(engine.calls)


async def test_a_refused_form_keeps_what_was_typed() -> None:
    """What the engine refuses is said in the form, and nothing typed is lost."""
    engine = FakeEngine()
    engine.fails["add_issuer"] = UsageError("It cannot be.", "Because.", "Do otherwise.")
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await _open(pilot)
        await pilot.press("n")
        _fill(app, name="company", directory="https://ca.example.com/directory")
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, IssuerForm)
        assert "✖ It cannot be. Because." in shown(app)
        assert app.screen.query_one("#name Input", Input).value == "company"


async def test_a_binding_is_masked_and_kept() -> None:
    """The HMAC key is never on the screen; it goes to the engine as it was typed."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("down", "down", "e")
        assert isinstance(app.screen, EabForm)
        _fill(app, kid="kid-7", hmac="c2VjcmV0LXNlY3JldC1zZWNyZXQ")
        await pilot.pause()
        assert "c2VjcmV0" not in shown(app)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, IssuersScreen)
    assert ("set_eab", {"issuer": "zerossl", "kid": "kid-7", "hmac": b"c2VjcmV0LXNlY3JldC1zZWNyZXQ"}) in engine.calls


async def test_a_binding_from_a_file(tmp_path: Path) -> None:
    """The HMAC key can lie in a file; one that cannot be read is refused with the reason."""
    engine = FakeEngine()
    app = deck(engine)
    (tmp_path / "hmac").write_text("c2VjcmV0LXNlY3JldC1zZWNyZXQ\n")
    async with app.run_test(size=WIDE) as pilot:
        await _open(pilot)
        await pilot.press("down", "down", "e")
        _fill(app, kid="kid-7", file=str(tmp_path / "missing"))
        await pilot.press("enter")
        await settled(pilot)
        assert "There is no such file" in " ".join(shown(app).split())
        _fill(app, file=str(tmp_path / "hmac"))
        await pilot.press("enter")
        await settled(pilot)
    assert ("set_eab", {"issuer": "zerossl", "kid": "kid-7", "hmac": b"c2VjcmV0LXNlY3JldC1zZWNyZXQ"}) in engine.calls


async def test_a_refused_binding_never_shows_the_key() -> None:
    """A key that the engine refuses is refused without being repeated."""
    engine = FakeEngine()
    engine.fails["set_eab"] = AccountError("The HMAC key is not valid.", "It is not base64url.", "Copy it again.")
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await _open(pilot)
        await pilot.press("down", "down", "e")
        _fill(app, kid="kid-7", hmac="!!!not-a-key!!!")
        await pilot.press("enter")
        await settled(pilot)
        text = shown(app)
        assert "The HMAC key is not valid." in text
        assert "not-a-key" not in text


@pytest.mark.parametrize("refused", [False, True])
async def test_removing_asks_first(refused: bool) -> None:
    """Removing asks; a refusal of the engine is shown in its words."""
    engine = FakeEngine()
    if refused:
        engine.fails["remove_issuer"] = UsageError(
            "letsencrypt is still used.", "It could not renew.", "Give another one."
        )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("delete")
        assert not any(method == "remove_issuer" for method, _ in engine.calls)
        await pilot.press("y")
        await settled(pilot)
        assert isinstance(app.screen, ErrorDialog) is refused
    assert ("remove_issuer", {"name": "letsencrypt"}) in engine.calls


async def test_what_does_not_apply_is_not_offered() -> None:
    """The private CA of this box has no directory to test, no binding and nothing to remove."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("end", "up")
        assert app.screen.query_one(RowList).chosen == "appliance-ca"
        text = shown(app)
        assert "x Test" not in text
        assert "e EAB" not in text
        assert "d Default" in text


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_looks(snap: Snap, size: tuple[int, int]) -> None:
    """The list with its detail, and a form."""
    app = deck()
    async with app.run_test(size=size) as pilot:
        await _open(pilot)
        await pilot.press("x")
        await settled(pilot)
        snap(app, "tested")
        await pilot.press("n", "ctrl+s")
        await settled(pilot)
        snap(app, "form")


async def test_typing_begins_in_the_first_field_that_is_shown() -> None:
    """Where a form changes an issuer, its name is hidden, and what is typed at once goes to the directory."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("c")
        assert isinstance(app.screen, IssuerForm)
        await pilot.press("x")
        assert app.screen.query_one("#name Input", Input).value == "letsencrypt"
        assert app.screen.query_one("#directory Input", Input).value == "x"


async def test_what_arrives_with_a_tab_goes_to_the_next_field() -> None:
    """A slow connection brings several keys at once: what was typed after Tab is in the next field, not in the one before."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("n")
        await settled(pilot)
        for key in ("a", "tab", "b", "down", "c", "shift+tab", "d"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await settled(pilot)
        values = [app.screen.query_one(f"#{id} Input", Input).value for id in ("name", "directory", "title")]
        assert values == ["a", "d", "c"]  # a field that gets the focus again has its text selected, and "d" replaces it


async def test_keys_that_come_before_the_list_count() -> None:
    """Where reading takes a while, an arrow that was pressed meanwhile moves the cursor once the rows are there."""
    engine, opened = FakeEngine(), threading.Event()
    read = engine.issuers

    def slow() -> Any:
        assert opened.wait(10)
        return read()

    engine.issuers = slow
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("m", "down", "down")
        assert app.screen.query_one(RowList).chosen is None
        opened.set()
        await settled(pilot)
        assert app.screen.query_one(RowList).chosen == app.screen.query_one(RowList).keys[2]


@pytest.mark.parametrize("name", ["company", "zerossl"])
async def test_the_cursor_goes_to_what_was_saved(name: str) -> None:
    """After saving an issuer, new or replaced, the cursor is on it: x tests that one and not the one before."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _open(pilot)
        await pilot.press("n")
        _fill(app, name=name, directory="https://ca.example.com/directory")
        await pilot.press("ctrl+s")
        await settled(pilot)
        if name == "zerossl":
            await pilot.press("y")
            await settled(pilot)
        assert isinstance(app.screen, IssuersScreen)
        assert app.screen.query_one(RowList).chosen == name
