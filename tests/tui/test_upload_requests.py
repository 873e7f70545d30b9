"""Signing requests in the console: made, looked at, copied, saved, forgotten (CL-15)."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Button, Input

from core.errors import StoreFull
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tests.support.fake_requests import PEM, signing_request
from tests.support.uploading import opened, with_upload
from tui.screens.dialogs.confirm import ConfirmDialog
from tui.screens.dialogs.path import PathDialog
from tui.screens.upload import UploadScreen
from tui.screens.upload.request_form import RequestForm
from tui.screens.upload.requests import RequestsScreen


def with_request(**fields: Any) -> FakeEngine:
    engine = with_upload()
    engine.requests["shop"] = signing_request("shop", **fields)
    return engine


async def test_a_first_request_is_made_at_once() -> None:
    """Without an open request the key leads to the form, with the names of the certificate at hand; then the request is shown."""
    engine = with_upload()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+r")
        await settled(pilot)
        form = app.screen
        assert isinstance(form, RequestForm)
        assert form.query_one("#called Input", Input).value == "shop"
        assert form.query_one("#names Input", Input).value.startswith("shop.example.com ")
        form.query_one("#names Input", Input).value = "*.example.com"
        form.query_one("#subject-O Input", Input).value = "Acme, Ltd"
        form.query_one("#subject-C Input", Input).value = "de"
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert isinstance(app.screen, RequestsScreen)
        text = shown(app)
        assert "-----BEGIN CERTIFICATE REQUEST-----" in text
        assert "*.example.com does not cover example.com" in text
        assert r"C=DE,O=Acme\, Ltd" in text
        assert "no key is needed" in text
        await pilot.press("escape")
        assert isinstance(app.screen, UploadScreen)
    asked = next(arguments for called, arguments in engine.calls if called == "make_csr")
    assert asked["domains"] == ("*.example.com",)
    assert (asked["key_type"], asked["replace"]) == ("ec-256", False)


async def test_no_foreign_name_is_filled_in() -> None:
    """A certificate under the cursor that a CA renews lends a request neither its name nor its domains."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+r")
        await settled(pilot)
        assert isinstance(app.screen, RequestForm)
        assert app.screen.query_one("#called Input", Input).value == ""
        assert app.screen.query_one("#names Input", Input).value == ""


async def test_leaving_the_first_form_leads_back() -> None:
    """Who does not want one after all is on the upload screen again, not on an empty list."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+r")
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, UploadScreen)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("names", "", "The names are missing."),
        ("names", "not*a*name", "A star replaces exactly one label"),
        ("called", "../x", "is not a valid name"),
        ("subject-C", "Germany", "two-letter"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(field: str, value: str, words: str) -> None:
    """A field that is wrong says so, and nothing is made."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+r")
        await settled(pilot)
        app.screen.query_one(f"#{field} Input", Input).value = value
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert words in shown(app)
    assert "make_csr" not in [called for called, _ in engine.calls]


async def test_another_request_of_the_name_is_asked_about() -> None:
    """A request for other names replaces the open one only after a yes."""
    engine = with_request()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+r")
        await settled(pilot)
        await pilot.press("n")
        await settled(pilot)
        app.screen.query_one("#names Input", Input).value = "other.example.com"
        for answer in ("no", "yes"):
            await pilot.press("ctrl+s")
            await settled(pilot)
            assert isinstance(app.screen, ConfirmDialog)
            assert "The signing request shop already exists" in shown(app)
            app.screen.query_one(f"#{answer}", Button).press()
            await settled(pilot)
            assert isinstance(app.screen, RequestForm if answer == "no" else RequestsScreen)
    assert engine.requests["shop"].domains == ("other.example.com",)


async def test_copied_saved_and_forgotten(tmp_path: Path) -> None:
    """The request goes to the terminal's clipboard, into a file, and away after a yes."""
    engine = with_request()
    app = deck(engine)
    copied: list[str] = []
    async with app.run_test(size=NARROW) as pilot:
        app.copy_to_clipboard = copied.append
        await opened(pilot)
        await pilot.press("ctrl+r")
        await settled(pilot)
        await pilot.press("c")
        assert copied == [PEM]
        await pilot.press("e")
        await settled(pilot)
        assert isinstance(app.screen, PathDialog)
        app.screen.query_one("#path", Input).value = str(tmp_path / "shop.csr")
        await pilot.press("enter")
        await settled(pilot)
        assert ("write_csr", {"name": "shop", "out": tmp_path / "shop.csr"}) in engine.calls
        await pilot.press("delete")
        await settled(pilot)
        assert isinstance(app.screen, ConfirmDialog)
        app.screen.query_one("#yes", Button).press()
        await settled(pilot)
        assert "n creates one" in shown(app)
    assert engine.requests == {}


async def test_a_failure_is_said() -> None:
    """A full disk is said where the request was to be made, and the form keeps what was typed."""
    engine = with_upload()
    engine.fails["make_csr"] = StoreFull("It could not be written.", "The disk is full.", "Free some space.")
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+r")
        await settled(pilot)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert isinstance(app.screen, RequestForm)
        assert "The disk is full." in shown(app)


async def test_hostile_words_are_data() -> None:
    """What stands in a request is text, never markup and never a terminal's code."""
    engine = with_request(advice=("[bold red]x[/] \x1b[31m\u202e",), subject="O=[blink]\x07")
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+r")
        await settled(pilot)
        text = shown(app)
        assert "[bold red]x[/]" in text
        assert not set("\x1b\x07\u202e") & set(text)


async def test_it_is_called_as_its_first_name() -> None:
    """Without a name of its own a request is called as the certificate will be."""
    engine = FakeEngine([])
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("u", "ctrl+r")
        await settled(pilot)
        app.screen.query_one("#names Input", Input).value = "*.example.com example.com"
        await pilot.press("ctrl+s")
        await settled(pilot)
    assert list(engine.requests) == ["_wildcard.example.com"]


async def test_leaving_while_the_key_is_made() -> None:
    """A large key takes a while: who leaves meanwhile loses nothing, and finds the request in the list."""
    engine, gate = with_upload(), threading.Event()
    make = engine.make_csr

    def slow(*arguments: Any, **options: Any) -> Any:
        assert gate.wait(10)
        return make(*arguments, **options)

    engine.make_csr = slow
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+r")
        await settled(pilot)
        await pilot.press("ctrl+s")
        for _ in range(100):
            await pilot.pause(0.01)
            if "Creating the key" in shown(app):
                break
        else:
            raise AssertionError(shown(app))
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, UploadScreen)
        gate.set()
        await settled(pilot)
        await pilot.press("ctrl+r")
        await settled(pilot)
        assert isinstance(app.screen, RequestsScreen)
        assert "BEGIN CERTIFICATE REQUEST" in shown(app)
