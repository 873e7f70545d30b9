"""Dialogs: the safe answer comes first, secrets are not shown, and wrong input is refused in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.widgets import Input

from core.errors import CertdeckError
from tests.support.deck import NARROW, deck, settled, shown
from tui.screens.dialogs.confirm import ConfirmDialog
from tui.screens.dialogs.error import ErrorDialog
from tui.screens.dialogs.export import ExportChoice, ExportDialog
from tui.screens.dialogs.passphrase import PassphraseDialog
from tui.screens.dialogs.path import PathDialog, complete, path_fault

Snap = Callable[[App[Any], str], None]


@pytest.mark.parametrize(
    ("danger", "keys", "answer"),
    [
        (True, ["enter"], False),
        (False, ["enter"], True),
        (True, ["right", "enter"], True),
        (True, ["y"], True),
        (True, ["n"], None),
        (True, ["escape"], None),
        (True, ["ctrl+j"], False),
    ],
)
async def test_confirm(danger: bool, keys: list[str], answer: bool | None) -> None:
    """Where something is lost Enter is the safe answer; y, n and Esc do what they say; a serial line's LF is Enter."""
    app = deck()
    answers: list[bool | None] = []
    async with app.run_test(size=NARROW) as pilot:
        app.push_screen(ConfirmDialog("Delete it?", "It goes.", yes="Delete", danger=danger), answers.append)
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
    assert answers == [answer]


async def test_confirm_looks(snap: Snap) -> None:
    """A dangerous question looks as agreed."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        app.push_screen(
            ConfirmDialog("Delete shop?", "Its files go. A copy is kept for 30 days.", yes="Delete", danger=True)
        )
        await pilot.pause()
        snap(app, "danger")


async def test_error_tells_what_why_and_what_to_do(snap: Snap) -> None:
    """An error is told in its own three sentences, with every problem it lists; nothing in it is markup."""
    app = deck()
    error = CertdeckError(
        "The configuration is wrong.", "[b]2[/b] problems.", "Mend them.", details={"problems": ["line 3", "line [9]"]}
    )
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        app.push_screen(ErrorDialog(error))
        await pilot.pause()
        text = shown(app)
        assert all(
            words in text for words in ("The configuration is wrong.", "[b]2[/b] problems.", "Mend them.", "line [9]")
        )
        snap(app, "error")
        await pilot.press("enter")
        assert not isinstance(app.screen, ErrorDialog)


async def test_passphrase_is_not_shown() -> None:
    """A passphrase comes back as bytes and is never on the screen."""
    app = deck()
    answers: list[bytes | None] = []
    async with app.run_test(size=NARROW) as pilot:
        app.push_screen(PassphraseDialog("Passphrase", "Of the file."), answers.append)
        await pilot.pause()
        await pilot.press(*"hünter2")
        await pilot.pause()
        assert "nter2" not in shown(app)
        await pilot.press("enter")
        await pilot.pause()
    assert answers == ["hünter2".encode()]


async def test_enter_alone_is_the_empty_passphrase() -> None:
    """A file that exists may have an empty passphrase: Enter alone answers it."""
    app = deck()
    answers: list[bytes | None] = []
    async with app.run_test(size=NARROW) as pilot:
        app.push_screen(PassphraseDialog("Passphrase", "Of the file."), answers.append)
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
    assert answers == [b""]


async def test_a_new_passphrase_is_typed_twice() -> None:
    """A new passphrase must be typed twice alike, and an empty one is refused."""
    app = deck()
    answers: list[bytes | None] = []
    async with app.run_test(size=NARROW) as pilot:
        app.push_screen(PassphraseDialog("Passphrase", "For the file.", confirm=True), answers.append)
        await pilot.pause()
        await pilot.press("enter", "enter")
        await pilot.pause()
        assert "an empty one protects nothing" in shown(app)
        await pilot.press(*"one", "enter", *"two", "enter")
        await pilot.pause()
        assert "The two passphrases differ." in shown(app)
        app.screen.query_one("#second", Input).value = "one"
        await pilot.press("enter", "enter")
        await pilot.pause()
    assert answers == [b"one"]


async def test_path_is_completed_and_checked(tmp_path: Path) -> None:
    """Tab completes a path; a folder or a missing file is refused in words; Enter answers the absolute path."""
    (tmp_path / "certificate.pem").touch()
    app = deck()
    answers: list[Path | None] = []
    async with app.run_test(size=NARROW) as pilot:
        dialog = PathDialog("File", "Which one?", value=f"{tmp_path}/", must_exist=True)
        app.push_screen(dialog, answers.append)
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert "This is a folder" in shown(app)
        await pilot.press("tab")
        assert app.screen.query_one(Input).value == str(tmp_path / "certificate.pem")
        await pilot.press("enter")
        await pilot.pause()
    assert answers == [tmp_path / "certificate.pem"]


def test_completion(tmp_path: Path) -> None:
    """Completion goes as far as the names agree, adds the slash of a lone folder, and leaves alone what it cannot read."""
    for name in ("box-1.pem", "box-2.pem", ".hidden", "evil\x1b[2J"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    assert complete(f"{tmp_path}/b") == f"{tmp_path}/box-"
    assert complete(f"{tmp_path}/f") == f"{tmp_path}/folder/"
    assert complete(f"{tmp_path}/e") == f"{tmp_path}/e"
    assert complete("/no/such/place/x") == "/no/such/place/x"
    assert complete("\0") == "\0"


@pytest.mark.parametrize(
    ("typed", "must_exist", "fault"),
    [
        ("", False, "Type the path of a file."),
        ("a\0b", False, "Type the path of a file."),
        ("/", False, "This is a folder; add a file name."),
        ("/no/such/file", True, "This file does not exist."),
        ("/no/such/file", False, "The folder /no/such does not exist."),
        ("/tmp/new-file-of-certdeck", False, ""),
    ],
)
def test_faults_of_a_path(typed: str, must_exist: bool, fault: str) -> None:
    """What is wrong with a path is one short sentence."""
    assert path_fault(typed, must_exist=must_exist) == fault


async def test_export_suggests_a_file_and_wants_a_passphrase(tmp_path: Path, snap: Snap) -> None:
    """The export offers each format with a file name; PKCS#12, which holds the key, only with a passphrase."""
    app = deck()
    answers: list[ExportChoice | None] = []
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l")
        await settled(pilot)
        app.push_screen(ExportDialog("shop", Path("/")), answers.append)
        await pilot.pause()
        assert app.screen.query_one("#path", Input).value == "/shop-fullchain.pem"
        await pilot.press("down", "down", "down")
        await pilot.pause()
        assert app.screen.query_one("#path", Input).value == "/shop.pfx"
        snap(app, "pfx")
        field = app.screen.query_one("#path", Input)
        field.value = str(tmp_path / "shop.pfx")
        await pilot.press("enter", "enter", "enter")
        await pilot.pause()
        assert "A PKCS#12 file contains the private key" in shown(app)
        app.screen.query_one("#passphrase", Input).value = "hünter2"
        await pilot.pause()
        assert "Java cannot open a file" in shown(app)
        app.screen.query_one("#passphrase", Input).value = "hunter2"
        await pilot.pause()
        app.screen.query_one("#again", Input).value = "hunter3"
        await pilot.press("enter")
        await pilot.pause()
        assert "The two passphrases differ." in shown(app)
        app.screen.query_one("#again", Input).value = "hunter2"
        await pilot.press("enter")
        await pilot.pause()
    assert answers == [ExportChoice(format="pfx", out=tmp_path / "shop.pfx", passphrase=b"hunter2")]
    assert "hunter2" not in repr(answers)


async def test_the_last_line_has_the_keys_of_the_dialog() -> None:
    """While a dialog is open the last line names its own keys: those of the page below do nothing."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("D")
        await pilot.pause()
        last = shown(app).splitlines()[-1]
        assert "y Delete" in last
        assert "n Cancel" in last
        assert "Issue" not in last
