"""The upload screen: what a person gives it, and what it says of that."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual import events
from textual.widgets import Input

from core.errors import UsageError
from core.upload.values import Upload
from tests.support.authority import Authority, Leaf
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tests.support.fake_uploads import good_check, refused_check, result
from tests.support.uploading import bundle, checked, opened, paste, secret_of, uploads
from tui.screens.dialogs.passphrase import PassphraseDialog
from tui.screens.dialogs.path import PathDialog
from tui.screens.upload import UploadScreen
from tui.screens.upload.box import PathLine, UploadBox


@pytest.fixture(scope="module")
def leaf() -> Leaf:
    return Authority.new("Bought").leaf(["shop.example.com", "www.shop.example.com"])


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
        assert "in one paste, sorted" in text
        assert "(private key, 240 characters, hidden)" in text
        assert "▲ warning  Names kept" in text
        assert "✔ Key matches      EC P-256" in text
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


async def test_a_paste_that_comes_in_slowly_is_seen(leaf: Leaf) -> None:
    """While a terminal types a long paste its length is shown, and nothing of it; Backspace gives it up."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        line = pilot.app.screen.query_one(PathLine)
        for character in bundle(leaf)[:200].replace("\n", ""):
            line.post_message(events.Key(character, character))
        for _ in range(100):
            await pilot.pause(0.02)
            if "receiving a paste" in shown(app):
                break
        assert "characters so far" in shown(app)
        assert secret_of(leaf)[:8] not in shown(app)
        await pilot.press("backspace")
        await pilot.pause()
        assert "paste everything here" in shown(app)


async def test_300_kilobytes_do_not_freeze_it(leaf: Leaf) -> None:
    """A paste of 300 kB is on the screen as one line, and the next key is answered, in seconds of processor time."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        much = bundle(leaf) + leaf.certificate_pem.decode() * (300_000 // len(leaf.certificate_pem))
        began = time.process_time()
        pilot.app.focused.post_message(events.Paste(much))
        await pilot.press("/", "x")
        assert pilot.app.screen.query_one(PathLine).value == "/x"
        assert time.process_time() - began < 3
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
        assert "✖ This file does not exist." in shown(app)
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
    engine.fails["read_part"] = UsageError(
        "key.pem cannot be read.", "This user does not have permission to read it.", "Run it as root."
    )

    def refuse(path: Path) -> Any:
        raise engine.fails["read_part"]

    engine.read_part = refuse
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
            pilot.app.focused.post_message(events.Paste(bundle(leaf)))
        await checked(pilot)
        assert "in 5 pastes" in shown(app)
    assert [(len(each["upload"].parts), each["name"]) for each in uploads(engine)] == [(5, None), (5, "shop")]


# -- the passphrase ----------------------------------------------------------------------------------------------------


async def test_three_wrong_passphrases(leaf: Leaf) -> None:
    """The passphrase is asked for three times; then it is left alone, and Ctrl+T begins again."""
    engine = FakeEngine()
    engine.upload_check = [
        refused_check(passphrase="needed"),
        *[refused_check(passphrase="wrong")] * 3,
        good_check("new"),
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


async def test_a_corrected_line_keeps_the_passphrase(leaf: Leaf) -> None:
    """What is typed into the line and deleted again adds nothing, so the passphrase of what was given still counts."""
    engine = FakeEngine()
    engine.upload_check = [refused_check(passphrase="needed"), *[good_check("new")] * 8]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await paste(pilot, bundle(leaf))
        await pilot.press(*"right", "enter")
        await checked(pilot)
        await pilot.press("x", "backspace")
        await checked(pilot)
    assert {each["upload"].passphrase for each in uploads(engine)[1:]} == {b"right"}


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
        assert "✖ failed  Key matches" in text
        assert "→ Give the private key of the CSR." in text
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
        assert field.value == ""
        assert "(private key, 240 characters, hidden)" in shown(app)
