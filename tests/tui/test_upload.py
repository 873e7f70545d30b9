"""The upload screen as a person uses it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

from core.errors import TargetError, UsageError
from core.upload.values import Upload
from tests.support.authority import Authority, Leaf
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tests.support.fake_uploads import good_check, refused_check, result
from tests.support.lineages import lineage
from tui.screens.dialogs.confirm import ConfirmDialog
from tui.screens.dialogs.passphrase import PassphraseDialog
from tui.screens.dialogs.path import PathDialog
from tui.screens.lineages import LineagesScreen
from tui.screens.upload import UploadScreen
from tui.screens.upload.box import PathLine, UploadBox
from tui.screens.upload.progress import UploadProgress

Snap = Callable[[App[Any], str], None]


@pytest.fixture(scope="module")
def leaf() -> Leaf:
    return Authority.new("Bought").leaf(["shop.example.com", "www.shop.example.com"])


def bundle(leaf: Leaf) -> str:
    return (leaf.key_pem + leaf.fullchain_pem).decode()


def secret_of(leaf: Leaf) -> str:
    return leaf.key_pem.decode().splitlines()[1]


async def opened(pilot: Pilot[Any]) -> UploadScreen:
    """Open it for `shop`, the second certificate of the list."""
    await pilot.press("down", "u")
    await settled(pilot)
    assert isinstance(pilot.app.screen, UploadScreen)
    return pilot.app.screen


async def paste(pilot: Pilot[Any], text: str) -> None:
    """Paste as a terminal does it, and wait for the checks."""
    assert pilot.app.focused is not None
    pilot.app.focused.post_message(events.Paste(text))
    await checked(pilot)


async def checked(pilot: Pilot[Any]) -> None:
    """Wait until nothing is left to look at."""
    await pilot.pause()
    for _ in range(400):
        screens = [each for each in pilot.app.screen_stack if isinstance(each, UploadScreen)]
        if not screens or not screens[0].is_pending:
            break
        await pilot.pause(0.01)
    else:
        raise AssertionError("the checks never end")
    await settled(pilot)


def uploads(engine: FakeEngine, method: str = "check_upload") -> list[dict[str, Any]]:
    return [arguments for called, arguments in engine.calls if called == method]


async def within(app: Any, size: tuple[int, int], do: Callable[[Pilot[Any]], Awaitable[None]]) -> None:
    async with app.run_test(size=size) as pilot:
        await do(pilot)


# -- giving ------------------------------------------------------------------------------------------------------------


async def test_a_paste_of_everything(leaf: Leaf) -> None:
    """One paste is told apart, checked, and stands beside what is live; the key is nowhere on the screen (ST-03, ST-32)."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await paste(pilot, bundle(leaf))
        text = shown(app)
        assert "Found  1 certificate · 1 key · 2 in the chain" in text
        assert "in one paste, put in order" in text
        assert "(private key, 240 characters, hidden)" in text
        assert "▲ warning  Names kept" in text
        assert "✔ Key belongs      It belongs (EC P-256)" in text
        assert "Let's Encrypt → DigiCert" in text
        assert "1 warning. Apply is allowed." in text
        assert "BEGIN" not in text
    upload: Upload = uploads(engine)[-1]["upload"]
    assert upload.parts[0].data == bundle(leaf).encode()
    assert uploads(engine)[-1]["name"] == "shop"


async def test_a_paste_that_the_terminal_types(leaf: Leaf) -> None:
    """Where the terminal has no bracketed paste the keys of a paste are taken too, and not one line of them is shown."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        typed = bundle(leaf)
        line = pilot.app.screen.query_one(PathLine)
        for character in typed:
            key = events.Key("enter", "\r") if character == "\n" else events.Key(character, character)
            line.post_message(key)
        await pilot.pause()
        assert secret_of(leaf)[:8] not in shown(app)
        await pilot.pause(0.7)
        await checked(pilot)
        text = shown(app)
        assert "(private key, 240 characters, hidden)" in text
        assert secret_of(leaf)[:8] not in text
    assert uploads(engine)[-1]["upload"].parts[0].data.strip() == typed.strip().encode()


async def test_300_kilobytes_do_not_freeze_it(leaf: Leaf) -> None:
    """A paste of 300 kB is on the screen as one line, and the next key is answered, within a second."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        much = bundle(leaf) + leaf.certificate_pem.decode() * (300_000 // len(leaf.certificate_pem))
        loop = asyncio.get_running_loop()
        began = loop.time()
        pilot.app.focused.post_message(events.Paste(much))  # type: ignore[union-attr]
        await pilot.press("/", "x")
        assert pilot.app.screen.query_one(PathLine).value == "/x"
        assert loop.time() - began < 1
        await checked(pilot)
        assert f"{much.count('BEGIN CERT')} certificates · (private key" in shown(app)


async def test_a_path_counts_as_soon_as_it_leads_to_a_file(tmp_path: Path) -> None:
    """A typed path is completed by Tab and checked without Enter; Enter adds it and makes room for another."""
    (tmp_path / "shop.pfx").write_bytes(b"x")
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        line = app.screen.query_one(PathLine)
        line.value = f"{tmp_path}/sh"
        await pilot.press("end", "tab")
        assert line.value == f"{tmp_path}/shop.pfx"
        await checked(pilot)
        assert "from shop.pfx" in shown(app)
        await pilot.press("enter")
        await checked(pilot)
        assert line.value == ""
        assert [piece.path for piece in app.screen.query_one(UploadBox).pieces()] == [tmp_path / "shop.pfx"]
        line.value = "/nowhere/at/all"
        await pilot.press("enter")
        await checked(pilot)
        assert "✖ There is no such file." in shown(app)
        line.value = ""
        await pilot.press("backspace")
        await checked(pilot)
        assert app.screen.query_one(UploadBox).is_empty
    assert ("read_part", {"path": tmp_path / "shop.pfx"}) in engine.calls


async def test_files_are_added_by_a_dialog(tmp_path: Path) -> None:
    """Ctrl+O asks for a path; what it answers is one more piece."""
    (tmp_path / "chain.pem").write_bytes(b"x")
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+o")
        assert isinstance(app.screen, PathDialog)
        app.screen.query_one(Input).value = str(tmp_path / "chain.pem")
        await pilot.press("enter")
        await checked(pilot)
        assert "from chain.pem" in shown(app)


async def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """What the engine says of a file stands where the checks stand, and Apply is off."""
    (tmp_path / "key.pem").write_bytes(b"x")
    engine = FakeEngine()
    engine.fails["read_part"] = UsageError("key.pem cannot be read.", "This user may not read it.", "Run it as root.")

    def refuse(path: Path) -> Any:
        raise engine.fails["read_part"]  # type: ignore[misc]

    engine.read_part = refuse  # type: ignore[method-assign]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await opened(pilot)
        screen.query_one(UploadBox).add_path(str(tmp_path / "key.pem"))
        await checked(pilot)
        text = shown(app)
        assert "✖ key.pem cannot be read." in text
        assert "→ Run it as root." in text
        assert "Apply is off" in text


async def test_the_newest_input_wins(leaf: Leaf) -> None:
    """While an older check is under way only one more is made, for what is there then."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        for _ in range(5):
            pilot.app.focused.post_message(events.Paste(bundle(leaf)))  # type: ignore[union-attr]
        await checked(pilot)
        assert "in 5 pastes" in shown(app)
    assert [len(each["upload"].parts) for each in uploads(engine)] == [5]


# -- the passphrase ----------------------------------------------------------------------------------------------------


async def test_three_wrong_passphrases(leaf: Leaf) -> None:
    """The passphrase is asked for three times; then it is left alone, and Ctrl+T begins again."""
    engine = FakeEngine()
    engine.upload_check = [
        refused_check(passphrase="needed"),
        *[refused_check(passphrase="wrong")] * 3,
        good_check(),
    ]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await paste(pilot, bundle(leaf))
        for left in ("", "2 tries left", "1 try left"):
            assert isinstance(app.screen, PassphraseDialog)
            assert left in shown(app)
            await pilot.press(*"wrong", "enter")
            await checked(pilot)
        assert isinstance(app.screen, UploadScreen)
        text = shown(app)
        assert "Apply is off: it is protected by a passphrase. ^t asks for it." in text
        assert "wrong" not in text
        await pilot.press("ctrl+t", *"right", "enter")
        await checked(pilot)
        assert "Apply: keep the old pair" in shown(app)
    given = [each["upload"].passphrase for each in uploads(engine)]
    assert given == [None, b"wrong", b"wrong", b"wrong", b"right"]


# -- what stands in the way --------------------------------------------------------------------------------------------


async def test_a_failing_check_keeps_apply_off(leaf: Leaf) -> None:
    """A failure stands first, with what to do; Ctrl+S applies nothing and says why."""
    engine = FakeEngine()
    engine.upload_check = refused_check()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await paste(pilot, bundle(leaf))
        text = shown(app)
        assert "✖ failed  Key belongs" in text
        assert "→ Give the key of the CSR." in text
        assert "✖ Apply is off: 1 check failed." in text
        assert "^s Apply" not in text
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert isinstance(app.screen, UploadScreen)
        assert "Not applied" in [each.title for each in app._notifications]
    assert not uploads(engine, "import_upload")


async def test_hostile_words_are_data(leaf: Leaf) -> None:
    """Markup, terminal codes and bidi controls in what a certificate says are shown as text."""
    evil = "[bold]x[/] \x1b[31mred\x1b[0m \u202egnp.exe [@click=app.quit]"
    engine = FakeEngine()
    check = good_check(changes=[result("chain", "warn", evil, evil)], notes=(evil,), found=(evil,))
    assert check.certificate is not None
    engine.upload_check = replace(
        check, certificate=replace(check.certificate, issuer=f"CN={evil}", domains=(evil, "shop.example.com"))
    )
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await paste(pilot, bundle(leaf))
        text = shown(app)
        assert "[bold]x[/]" in text
        assert "[@click=app.quit]" in text
        assert "\x1b" not in text
        assert "\u202e" not in text


async def test_a_bad_name_keeps_apply_off(leaf: Leaf) -> None:
    """A name that no certificate here can have is said at its field and at the end."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        screen = await opened(pilot)
        await paste(pilot, bundle(leaf))
        screen.query_one("#name Input", Input).value = "../etc"
        await checked(pilot)
        assert "Apply is off" in shown(app)


async def test_a_key_does_not_get_into_the_field_for_the_name(leaf: Leaf) -> None:
    """A paste into the wrong field goes to the box, unseen."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        screen = await opened(pilot)
        field = screen.query_one("#name Input", Input)
        field.focus()
        await paste(pilot, leaf.key_pem.decode())
        assert field.value == "shop"
        assert "(private key, 240 characters, hidden)" in shown(app)


# -- applying ----------------------------------------------------------------------------------------------------------


async def test_apply_asks_before_it_replaces_a_ca(leaf: Leaf) -> None:
    """A certificate that a CA renews so far is replaced after a question; then the progress and what to do next."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await paste(pilot, bundle(leaf))
        await pilot.press("ctrl+s")
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press("y")
        await settled(pilot)
        assert isinstance(app.screen, UploadProgress)
        text = shown(app)
        assert "✔ shop has its new certificate." in text
        assert "rolls back to version" in text
        assert "exports it" in text
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, LineagesScreen)
    applied = uploads(engine, "import_upload")
    assert [(each["name"], each["targets"], each["replace"]) for each in applied] == [
        ("shop", ("nginx", "postfix"), True)
    ]


async def test_apply_pressed_too_early_waits_for_the_checks(leaf: Leaf) -> None:
    """Ctrl+S right behind the paste is not lost: it is done when the checks are through."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        app.focused.post_message(events.Paste(bundle(leaf)))  # type: ignore[union-attr]
        await pilot.press("ctrl+s")
        await checked(pilot)
        assert isinstance(app.screen, ConfirmDialog)


async def test_a_service_that_refuses_leaves_everything_where_it_was(leaf: Leaf) -> None:
    """A failed deployment says so in the progress; back on the screen everything that was given is still there (ST-41)."""
    engine = FakeEngine()

    def refuse(name: str, upload: Upload, **_: Any) -> Any:
        raise TargetError("nginx refuses the new files.", "Its test said no.", "The old pair is back. Mend it.")

    engine.import_upload = refuse  # type: ignore[method-assign]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await paste(pilot, bundle(leaf))
        await pilot.press("ctrl+s", "y")
        await settled(pilot)
        assert "✖ nginx refuses the new files." in shown(app)
        await pilot.press("escape")
        await checked(pilot)
        assert isinstance(app.screen, UploadScreen)
        assert "(private key, 240 characters, hidden)" in shown(app)
        assert "^s Apply" in shown(app)


async def test_a_new_one_is_called_as_the_certificate_says(leaf: Leaf) -> None:
    """Without a name the certificate's own is taken, and the services that carry nothing yet get it."""
    engine = FakeEngine([])
    engine.upload_check = good_check("new.example.com")
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("u")
        await settled(pilot)
        await paste(pilot, bundle(leaf))
        assert "Upload  to new.example.com" in shown(app)
        await pilot.press("ctrl+s")
        await settled(pilot)
    assert [each["name"] for each in uploads(engine, "import_upload")] == ["new.example.com"]
    assert uploads(engine)[0]["name"] is None


async def test_another_try_is_for_the_same_services(leaf: Leaf) -> None:
    """A deployment that failed leaves a lineage without services; the next try goes to the chosen ones all the same."""
    engine = FakeEngine([])
    given: list[Any] = []

    def refuse(name: str, upload: Upload, *, targets: Any, **_: Any) -> Any:
        given.append(targets)
        engine.lineages = [lineage(name, "new.example.com", targets=(), method="upload", ca=None)]
        raise TargetError("nginx refuses the new files.", "Its test said no.", "The old pair is back. Mend it.")

    engine.import_upload = refuse  # type: ignore[method-assign, assignment]
    engine.upload_check = good_check("new.example.com")
    infos = tuple(replace(each, lineage=None) for each in engine.targets())
    engine.targets = lambda: infos  # type: ignore[method-assign]
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("u")
        await settled(pilot)
        await paste(pilot, bundle(leaf))
        for _ in range(2):
            await pilot.press("ctrl+s")
            await settled(pilot)
            await pilot.press("escape")
            await checked(pilot)
    assert given == [tuple(each.name for each in infos)] * 2
    assert given[0]


async def test_services_are_chosen(leaf: Leaf) -> None:
    """Enter on the line of services ticks others, and those get it."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await opened(pilot)
        await paste(pilot, bundle(leaf))
        screen.query_one("#services").focus()
        await pilot.press("enter", "space", "enter")
        await settled(pilot)
        assert "Services       postfix" in shown(app)
        await pilot.press("ctrl+s", "y")
        await settled(pilot)
    assert uploads(engine, "import_upload")[0]["targets"] == ("postfix",)


async def test_leaving_asks_where_something_was_given(leaf: Leaf) -> None:
    """Esc on an empty screen leaves; with something in the box it asks first."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await pilot.press("escape")
        assert isinstance(app.screen, LineagesScreen)
        await pilot.press("u")
        await settled(pilot)
        await paste(pilot, bundle(leaf))
        await pilot.press("escape")
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press("n")
        assert "hidden)" in shown(app)


async def test_the_key_is_in_no_picture_and_not_in_the_clipboard(leaf: Leaf) -> None:
    """Neither the picture of any state, nor the clipboard, nor what the app knows by name holds a line of the key."""
    app = deck()
    pictures: list[str] = []
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await paste(pilot, bundle(leaf))
        pictures.append(app.export_screenshot())
        await pilot.press("ctrl+c", "ctrl+s", "y")
        await settled(pilot)
        pictures.append(app.export_screenshot())
        await pilot.press("v")
        pictures.append(app.export_screenshot())
        assert secret_of(leaf)[:16] not in app.clipboard
    assert not any(secret_of(leaf)[:16] in picture for picture in pictures)


async def test_the_key_is_for_the_first_screen() -> None:
    """u opens nothing where no certificate is under the cursor: on the log, or on the upload itself."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("l", "u")
        await settled(pilot)
        assert not isinstance(app.screen, UploadScreen)
        await pilot.press("escape", "u")
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, UploadScreen)
        screen.query_one("#checks").focus()
        await pilot.press("u")
        await settled(pilot)
        assert app.screen is screen


async def test_a_path_that_leads_nowhere_keeps_apply_off(leaf: Leaf) -> None:
    """Something typed that is no file may have been meant for another field: it is said, and nothing is applied."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await paste(pilot, bundle(leaf))
        await pilot.press(*"nowhere", "ctrl+s")
        await checked(pilot)
        text = shown(app)
        assert "Apply is off: what stands in the box is no file" in text
        assert "^s Apply" not in text
    assert not uploads(engine, "import_upload")


async def test_what_is_typed_right_behind_the_arrow_is_the_name(leaf: Leaf) -> None:
    """Down and a name in one burst, as a fast typist or a script sends it, end up in the field for the name."""
    engine = FakeEngine([])
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("u")
        await settled(pilot)
        await paste(pilot, bundle(leaf))
        for key in ("down", *"web"):
            app.post_message(events.Key(key, None if key == "down" else key))
        await checked(pilot)
        assert app.screen.query_one("#name Input", Input).value == "web"
