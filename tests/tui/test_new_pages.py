"""The pages for what was a command alone: schedule, doctor, notifications, maintenance, settings of a certificate, forecast."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual.events import Key
from textual.widgets import Button, Input, Static

from core.lineage_status import TimerState
from core.notifications import NotificationInfo
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tests.support.lineages import without_certificate
from tui.palette import MenuDialog
from tui.screens.dialogs.choice import ChoiceDialog
from tui.screens.dialogs.deploy import DeployDialog
from tui.screens.doctor import DoctorScreen
from tui.screens.help import HelpScreen
from tui.screens.issue import IssueScreen
from tui.screens.issuer_forms import ContactForm
from tui.screens.lineage_settings import LineageSettingsScreen
from tui.screens.lineages import LineagesScreen
from tui.screens.log import LogScreen
from tui.screens.notifications import NotificationForm
from tui.screens.progress import ProgressScreen
from tui.screens.schedule import ScheduleScreen
from tui.widgets.certificate_table import CertificateTable
from tui.widgets.field import Field

PAGES = {"S": "schedule", "x": "doctor", "N": "notifications", "M": "maintenance", "W": "what-if", "o": "settings"}


def _asked(engine: FakeEngine, name: str) -> list[dict[str, Any]]:
    return [given for called, given in engine.calls if called == name]


def _says(app: Any) -> list[str]:
    return [note.message for note in app._notifications]


@pytest.mark.parametrize("key", PAGES, ids=list(PAGES.values()))
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_how_they_look(snap: Any, key: str, size: tuple[int, int]) -> None:
    """Each page: its list, and below it what the row under the cursor means."""
    app = deck()
    async with app.run_test(size=size) as pilot:
        app.screen.query_one(CertificateTable).choose("shop")
        await pilot.press(key)
        await settled(pilot)
        snap(app, PAGES[key])


async def test_the_schedule_is_switched_on() -> None:
    """Where nothing renews, S and Enter set the timer, and the page says so."""
    engine = FakeEngine()
    engine.timer = TimerState(state="off", is_absent=True)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("S")
        await settled(pilot)
        assert isinstance(app.screen, ScheduleScreen)
        assert "No timer is set." in shown(app)
        await pilot.press("enter")
        await settled(pilot)
        assert _asked(engine, "set_schedule") == [{"preset": "twice-daily", "at": ()}]
        assert "✔ Certificates renew automatically every day at 03:00 and 15:00." in shown(app)


async def test_the_schedule_takes_times_of_ones_own() -> None:
    """Own times are typed, checked as times of the day, and set."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("S")
        await settled(pilot)
        await pilot.press("down", "down", "down", "enter")
        await settled(pilot)
        field = app.screen.query_one("#times", Field)
        field.value = "25:00"
        await pilot.press("enter")
        await pilot.pause()
        assert "This is not a time of day." in shown(app)
        field.value = "04:00, 16:00"
        await pilot.press("enter")
        await settled(pilot)
        assert _asked(engine, "set_schedule") == [{"preset": None, "at": ("04:00", "16:00")}]


async def test_the_schedule_off_and_run() -> None:
    """Off asks first, and cancelling says that nothing was changed; Run now does what the timer does."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("S")
        await settled(pilot)
        await pilot.press("end", "up", "enter")
        await pilot.pause()
        await pilot.press("n")
        await settled(pilot)
        assert "Nothing was changed." in _says(app)
        assert not _asked(engine, "unschedule")
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("y")
        await settled(pilot)
        assert len(_asked(engine, "unschedule")) == 1
        await pilot.press("end", "enter")
        await pilot.pause()
        await pilot.press("y")
        await settled(pilot)
        assert _asked(engine, "renew") == [{"names": (), "force": False, "dry_run": False}]


async def test_the_doctor_leads_to_the_fix() -> None:
    """x checks the certificate under the cursor; Enter on a finding opens the page where it is fixed."""
    engine = FakeEngine()
    engine.findings = (replace(engine.findings[0], id="timer", status="fail", title="Timer"), *engine.findings[1:])
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.screen.query_one(CertificateTable).choose("shop")
        await pilot.press("x")
        await settled(pilot)
        assert isinstance(app.screen, DoctorScreen)
        assert _asked(engine, "doctor")[-1]["name"] == "shop"
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, ScheduleScreen)


async def test_the_doctor_looks_at_an_order_without_a_certificate() -> None:
    """A certificate that waits for its first version has no settings yet: its names are checked."""
    engine = FakeEngine()
    engine.lineages = [without_certificate("wild", "*.example.org", open_order=True)]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("x")
        await settled(pilot)
        assert isinstance(app.screen, DoctorScreen)
        asked = _asked(engine, "doctor")[-1]
        assert asked["name"] is None
        assert asked["request"].domains == ("*.example.org",)


@pytest.mark.parametrize("id", ["dns", "caa", "clock", "permissions"])
async def test_the_doctor_offers_no_page_that_fixes_nothing(id: str) -> None:
    """A record at the DNS provider, the clock or a file is not fixed in the console: Enter is not offered and leads nowhere."""
    engine = FakeEngine()
    engine.findings = (replace(engine.findings[0], id=id, status="fail", title="Bad", fix="Add the record."),)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("x")
        await settled(pilot)
        assert "enter Fix" not in shown(app)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, DoctorScreen)


async def test_a_notification_is_added_and_tested() -> None:
    """n asks how the message travels, its form takes what that kind needs, and x sends a test message."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("N")
        await settled(pilot)
        await pilot.press("n")
        await settled(pilot)
        assert isinstance(app.screen, ChoiceDialog)
        await pilot.press("down", "enter")
        await settled(pilot)
        assert isinstance(app.screen, NotificationForm)
        app.screen.query_one("#name", Field).value = "ops"
        app.screen.query_one("#field-url", Field).value = "https://hooks.example.com/x"
        await pilot.press("ctrl+s")
        await settled(pilot)
        (added,) = _asked(engine, "add_notification")
        assert (added["config"].name, added["config"].kind) == ("ops", "webhook")
        assert dict(added["config"].settings) == {"url": "https://hooks.example.com/x"}
        await pilot.press("x")
        await settled(pilot)
        assert "The message was accepted in 12 ms: HTTP 200" in shown(app)


async def test_a_notification_keeps_its_secret() -> None:
    """A change keeps a secret that is not typed again, and never shows it."""
    engine = FakeEngine()
    engine.known_channels = (
        NotificationInfo(
            name="ops",
            kind="webhook",
            title="Webhook",
            on=("failed",),
            settings={"url": "https://hooks.example.com/x"},
            secrets={"signing_key": True},
        ),
    )
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("N")
        await settled(pilot)
        await pilot.press("e")
        await settled(pilot)
        assert "Kept unless you enter a new one." in " ".join(shown(app).split())
        await pilot.press("ctrl+s")
        await settled(pilot)
        (changed,) = _asked(engine, "add_notification")
        assert changed["replace"]
        assert changed["secrets"] == {}
        assert changed["config"].on == ("failed",)


async def test_a_backup_is_made(tmp_path: Path) -> None:
    """Back up asks for a file and twice for a passphrase, and says what is in the file."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("M")
        await settled(pilot)
        await pilot.press("enter")
        await pilot.pause()
        app.screen.query_one("#path", Input).value = str(tmp_path / "box.backup")
        await pilot.press("enter")
        await settled(pilot)
        app.screen.query_one("#first", Input).value = "horse"
        app.screen.query_one("#second", Input).value = "horse"
        app.screen.query_one("#use", Button).press()
        await settled(pilot)
        assert _asked(engine, "backup") == [{"out": tmp_path / "box.backup", "passphrase": b"horse", "to_key": None}]
        assert "contains 3 certificates in 42 files" in " ".join(shown(app).split()).replace("│ │ ", "")


async def test_settings_of_a_certificate() -> None:
    """o lists every setting; the issuer is chosen from a list, and names open the wizard with everything filled in."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.screen.query_one(CertificateTable).choose("shop")
        await pilot.press("o")
        await settled(pilot)
        assert isinstance(app.screen, LineageSettingsScreen)
        await pilot.press("down", "down", "enter")
        await settled(pilot)
        await pilot.press("down", "down", "y")
        await settled(pilot)
        assert _asked(engine, "change_issuer")[-1]["issuer"] == "zerossl"
        await pilot.press("down", "enter")
        await settled(pilot)
        assert isinstance(app.screen, IssueScreen)
        draft = app.screen.draft
        assert [each.value for each in draft.identifiers()] == [
            "shop.example.com",
            "www.shop.example.com",
            "pay.example.com",
        ]
        assert (draft.name, draft.targets) == ("shop", ("nginx", "postfix"))


async def test_an_older_version_warns() -> None:
    """b shows the live version and the one before it side by side, warns that it ends sooner, and Enter cancels."""
    engine = FakeEngine()
    engine.lineages = [replace(each, version=3) if each.name == "shop" else each for each in engine.lineages]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.screen.query_one(CertificateTable).choose("shop")
        await pilot.press("b")
        await settled(pilot)
        assert isinstance(app.screen, DeployDialog)
        text = shown(app)
        assert "Version 3, live" in text
        assert "▲ It expires 60 days sooner than the live one." in text
        box = app.screen.query_one(".box")
        assert box.virtual_size.height <= box.size.height, "a scroll bar at 80x24"
        await pilot.press("enter")
        await settled(pilot)
        assert "Nothing was changed." in _says(app)
        assert not _asked(engine, "deploy")


async def test_forward_again() -> None:
    """After a rollback d offers the newer version that is kept."""
    engine = FakeEngine()
    shop = next(each for each in engine.lineages if each.name == "shop")
    engine.lineages = [replace(shop, version=1, newer_version=2)]
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        assert "2 is newer and was rolled back" in " ".join(shown(app).split())
        await pilot.press("d")
        await settled(pilot)
        app.screen.query_one("#ladder").focus()
        await pilot.press("right")
        await pilot.pause()
        await pilot.press("y")
        await settled(pilot)
        assert _asked(engine, "deploy")[-1]["version"] == 2


async def test_revoking_asks_for_the_reason() -> None:
    """R asks why, stands on Cancel, and hands the reason on."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.screen.query_one(CertificateTable).choose("shop")
        await pilot.press("R")
        await pilot.pause()
        await pilot.press("down", "enter", "enter")
        await settled(pilot)
        assert not _asked(engine, "revoke")
        await pilot.press("R")
        await pilot.pause()
        await pilot.press("down", "y")
        await settled(pilot)
        assert _asked(engine, "revoke")[-1]["reason"] == "keyCompromise"
        assert "shop is revoked (key compromised)." in [note.message for note in app._notifications]


@pytest.mark.parametrize(
    ("timer", "method", "next_step"),
    [
        ("active", "http-01", "The scheduled run orders a new one."),
        ("absent", "http-01", "r orders a new one."),
        ("active", "upload", "u uploads a new one."),
    ],
)
async def test_revoking_says_what_replaces_it(timer: str, method: str, next_step: str) -> None:
    """Before it revokes, the dialog says what brings a new certificate: the scheduled run only where there is one."""
    engine = FakeEngine()
    engine.lineages = [
        replace(each, timer=timer, method=method) if each.name == "shop" else each for each in engine.lineages
    ]
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        app.screen.query_one(CertificateTable).choose("shop")
        await pilot.press("R")
        await pilot.pause()
        assert isinstance(app.screen, ChoiceDialog)
        assert next_step in str(app.screen.query_one(".words", Static).render())


async def test_an_upload_is_not_set_to_renew() -> None:
    """Automatic renewal cannot be switched on for an uploaded certificate: it says what to do instead."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.screen.query_one(CertificateTable).choose("partner")
        await pilot.press("a")
        await settled(pilot)
        assert isinstance(app.screen, LineagesScreen)
        assert any("u uploads a new one" in said for said in _says(app))
        assert not _asked(engine, "set_lineage")


async def test_the_menu_runs_what_is_chosen() -> None:
    """? lists what the keys do, finds one by typing, Enter runs it, and ? once more explains the screen."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, MenuDialog)
        await pilot.press(*"open the log", "enter")
        await settled(pilot)
        assert isinstance(app.screen, LogScreen)
        await pilot.press("question_mark")
        await pilot.pause()
        await pilot.press("question_mark")
        await settled(pilot)
        assert isinstance(app.screen, HelpScreen)


async def test_text_runs_no_commands() -> None:
    """What is pasted as keys where no field is runs at most its first letter; the rest is ignored, with a word about it."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        for letter in "/t"[1:] + "mnyh":
            app.post_message(Key(letter, letter))
        await settled(pilot)
        assert isinstance(app.screen, LineagesScreen)
        assert "There is no field here. The text was ignored." in _says(app)


async def test_a_long_text_without_a_field_is_told_of_once() -> None:
    """However long the text is, one message tells that it was ignored: the screen is not filled with them."""
    app = deck()
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        for _ in range(15):
            app.say_no_field()
            await asyncio.sleep(0)
        await pilot.pause(0.1)
        assert len(app.screen.query("Toast")) == 1


async def test_two_quick_keys_open_one_dialog() -> None:
    """d and e sent together open one dialog, not one over the other."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        for letter in "de":
            app.post_message(Key(letter, letter))
        await settled(pilot)
        assert len(app.screen_stack) == 2
        assert isinstance(app.screen, DeployDialog)


async def test_a_result_closes_with_enter() -> None:
    """When an operation has ended, Enter goes back to the list."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        app.screen.query_one(CertificateTable).choose("api")
        await pilot.press("r", "enter")
        await settled(pilot)
        assert isinstance(app.screen, ProgressScreen)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, LineagesScreen)


async def test_accounts_are_changed_in_the_console() -> None:
    """On the issuers' page: agree, change, contact, new key, deactivate; each asks or opens its form."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("m")
        await settled(pilot)
        await pilot.press("a")
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert _asked(engine, "agree_terms") == [{"issuer": "letsencrypt"}]
        await pilot.press("K")
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert len(_asked(engine, "roll_over_account")) == 1
        await pilot.press("o")
        await settled(pilot)
        assert isinstance(app.screen, ContactForm)
        app.screen.query_one("#email", Field).value = "new@example.com"
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert _asked(engine, "set_account_contact")[-1]["email"] == "new@example.com"


async def test_an_issuer_that_exists_is_not_replaced_unasked() -> None:
    """A new issuer with the name of another one asks before it takes its place."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("m")
        await settled(pilot)
        await pilot.press("n")
        await settled(pilot)
        app.screen.query_one("#name", Field).value = "zerossl"
        app.screen.query_one("#directory", Field).value = "https://ca.example.com/dir"
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "Replace zerossl?" in shown(app)
        await pilot.press("n")
        await settled(pilot)
        assert not _asked(engine, "add_issuer")


async def test_the_theme_is_kept() -> None:
    """Ctrl+S on the settings page writes the theme that is on to the configuration."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("comma")
        await settled(pilot)
        app.theme = "light"
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert _asked(engine, "set_theme") == [{"name": "light"}]


def test_near_is_within_the_day() -> None:
    """A retry within a day is told by its time alone."""
    from tests.support.lineages import NOW
    from tui.wording.state import near

    assert near(NOW + timedelta(hours=5), NOW) == "09:02"
