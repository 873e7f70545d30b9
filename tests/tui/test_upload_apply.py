"""The upload screen: applying, and leaving."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from textual import events
from textual.widgets import Button, Input

from core.errors import TargetError, UsageError
from core.upload.values import ImportRequest
from tests.support.authority import Authority, Leaf
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tests.support.fake_requests import signing_request
from tests.support.fake_uploads import forceable_check, good_check, refused_check
from tests.support.lineages import lineage
from tests.support.uploading import bundle, checked, opened, paste, secret_of, uploads, with_upload
from tui.screens.dialogs.confirm import ConfirmDialog
from tui.screens.lineages import LineagesScreen
from tui.screens.upload import UploadScreen
from tui.screens.upload.applying import so_far
from tui.screens.upload.progress import UploadProgress


@pytest.fixture(scope="module")
def leaf() -> Leaf:
    return Authority.new("Bought").leaf(["shop.example.com", "www.shop.example.com"])


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
        app.focused.post_message(events.Paste(bundle(leaf)))
        await pilot.press("ctrl+s")
        await checked(pilot)
        assert isinstance(app.screen, ConfirmDialog)


async def test_a_service_that_refuses_leaves_everything_where_it_was(leaf: Leaf) -> None:
    """A failed deployment says so in the progress; back on the screen everything that was given is still there (ST-41)."""
    engine = FakeEngine()

    def refuse(request: ImportRequest, **_: Any) -> Any:
        raise TargetError("nginx refuses the new files.", "Its test said no.", "The old pair is back. Mend it.")

    engine.import_upload = refuse
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

    def refuse(request: ImportRequest, **_: Any) -> Any:
        given.append(request.targets)
        engine.lineages = [lineage(request.name, "new.example.com", targets=(), method="upload", ca=None)]
        raise TargetError("nginx refuses the new files.", "Its test said no.", "The old pair is back. Mend it.")

    engine.import_upload = refuse
    engine.upload_check = good_check("new.example.com")
    infos = tuple(replace(each, lineage=None) for each in engine.targets())
    engine.targets = lambda: infos
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
        assert "Apply is off: the text in the box is not a file" in text
        assert "^s Apply" not in text
    assert not uploads(engine, "import_upload")


@pytest.mark.parametrize("arrow", ["down", "tab"])
async def test_what_is_typed_right_behind_the_arrow_is_the_name(leaf: Leaf, arrow: str) -> None:
    """Down or Tab and a name in one burst, as a fast typist or a script sends it, end up in the field for the name."""
    engine = FakeEngine([])
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("u")
        await settled(pilot)
        await paste(pilot, bundle(leaf))
        for each in (arrow, *"web"):
            app.post_message(events.Key(each, None if each == arrow else each))
        await checked(pilot)
        assert app.screen.query_one("#name Input", Input).value == "web"


async def test_what_stops_no_service_can_be_overridden(leaf: Leaf) -> None:
    """Where only such failures remain, Apply says what is overridden and asks; a no changes nothing, a yes applies with force."""
    engine = FakeEngine()
    engine.upload_check = forceable_check()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await paste(pilot, bundle(leaf))
        assert "^s Apply" in shown(app)
        for answer in ("no", "yes"):
            await pilot.press("ctrl+s")
            await settled(pilot)
            assert isinstance(app.screen, ConfirmDialog)
            assert "R9, in the chain, expired" in shown(app)
            app.screen.query_one(f"#{answer}", Button).press()
            await settled(pilot)
            assert uploads(engine, "import_upload") == []
        assert "Replace shop by an upload?" in shown(app)
        app.screen.query_one("#yes", Button).press()
        await settled(pilot)
    applied = uploads(engine, "import_upload")[0]
    assert (applied["force"], applied["replace"]) == (True, True)


async def test_a_real_failure_cannot_be_overridden(leaf: Leaf) -> None:
    """What would stop a service keeps Apply off, whatever else could be overridden."""
    engine = FakeEngine()
    engine.upload_check = refused_check()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await paste(pilot, bundle(leaf))
        assert "^s Apply" not in shown(app)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert isinstance(app.screen, UploadScreen)
    assert uploads(engine, "import_upload") == []


async def test_a_missing_intermediate_is_fetched_when_asked(leaf: Leaf) -> None:
    """Nothing is fetched by itself; the key asks for it once, what is applied is what was checked, and new input starts afresh."""
    engine = FakeEngine()
    engine.upload_check = good_check(can_be_fetched=True)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await opened(pilot)
        await paste(pilot, bundle(leaf))
        assert uploads(engine)[-1]["fetch_chain"] is False
        assert "^l Fetch chain" in shown(app)
        engine.upload_check = good_check()
        await pilot.press("ctrl+l")
        await checked(pilot)
        assert uploads(engine)[-1]["fetch_chain"] is True
        assert "^l" not in shown(app)
        await pilot.press("ctrl+s")
        await settled(pilot)
        app.screen.query_one("#yes", Button).press()
        await settled(pilot)
        assert uploads(engine, "import_upload")[-1]["fetch_chain"] is True


async def test_what_the_row_is_called_says_nothing_of_what_is_brought(leaf: Leaf) -> None:
    """The certificate under the cursor lends its name only where it was uploaded itself; else the brought one names itself."""
    engine = FakeEngine()
    engine.upload_check = good_check("new.example.com")
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(pilot)
        await paste(pilot, bundle(leaf))
        assert screen.called == "new.example.com"
        assert "new.example.com  (unless you enter another)" in shown(app)
    app = deck(with_upload())
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(pilot)
        assert screen.called == "shop"


async def test_a_certificate_for_other_names_is_a_new_one(leaf: Leaf) -> None:
    """What shares no name with the uploaded certificate under the cursor does not replace it, unless its name is typed."""
    engine = with_upload()
    found = good_check("new.example.com")
    assert found.certificate is not None
    engine.upload_check = replace(found, certificate=replace(found.certificate, domains=("new.example.com",)))
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(pilot)
        await paste(pilot, bundle(leaf))
        await checked(pilot)
        assert screen.called == "new.example.com"
        assert uploads(engine)[-1]["name"] is None
        screen.query_one("#name Input", Input).value = "shop"
        await checked(pilot)
        assert screen.called == "shop"
        assert uploads(engine)[-1]["name"] == "shop"


async def test_it_is_called_as_the_request_that_it_answers(leaf: Leaf) -> None:
    """Where the key of an open request belongs to it, it is called as that request, not as another whose name begins so."""
    engine = FakeEngine()
    engine.requests["web"] = signing_request("web")
    engine.requests["web-2"] = signing_request("web-2")
    engine.upload_check = good_check("new.example.com", request="web-2")
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await paste(pilot, bundle(leaf))
    assert [each["name"] for each in uploads(engine)] == [None, "web-2"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Let's Encrypt renews it now."),
        ({"method": "manual-dns-01", "renew_why": "by hand"}, "it is renewed manually: you set its DNS records."),
        ({"auto_renew": False, "renew_why": "off"}, "its automatic renewal is off."),
    ],
    ids=["by itself", "by hand", "off"],
)
def test_the_question_says_who_renews_it_so_far(fields: dict[str, Any], words: str) -> None:
    """What an upload would end is told as it is: a renewal by itself, by hand, or one that is switched off."""
    shop = next(each for each in FakeEngine().lineages if each.name == "shop")
    assert words in so_far(replace(shop, **fields))


async def test_an_order_that_waits_is_asked_about_in_the_words_of_the_engine(leaf: Leaf) -> None:
    """Where the engine refuses without `replace` its words are the question, and only a yes applies it."""
    engine = FakeEngine([])
    engine.upload_check = good_check("new.example.com")
    apply = engine.import_upload

    def refuse(request: ImportRequest, **more: Any) -> Any:
        if not request.replace:
            why = "Its records may be set already."
            raise UsageError("An order of it waits.", why, "Add --replace.", details={"needs": "replace"})
        return apply(request, **more)

    engine.import_upload = refuse
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("u")
        await settled(pilot)
        await paste(pilot, bundle(leaf))
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert isinstance(app.screen, ConfirmDialog)
        assert "An order of it waits. Its records may be set already." in shown(app)
        assert not engine.lineages
        await pilot.press("y")
        await settled(pilot)
    assert [each.name for each in engine.lineages] == ["new.example.com"]
