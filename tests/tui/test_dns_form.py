"""The form of a DNS provider: made from what its kind asks for, right or wrong as a field is left, secrets never shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual.app import App
from textual.events import Paste
from textual.widgets import Input

from core.config.model import DnsProviderConfig
from core.errors import LockHeld, UsageError
from core.operations import DnsKind, EntryField
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.dns_screens import (
    SECRET,
    added,
    engine_with_providers,
    field,
    fill,
    open_change,
    open_form,
    open_list,
)
from tests.support.fake_dns import KINDS, provider_info
from tests.support.fake_engine import FakeEngine
from tui.screens.dialogs.confirm import ConfirmDialog
from tui.screens.dialogs.error import ErrorDialog
from tui.screens.dns import DnsScreen
from tui.screens.dns.asked import content_of, sentence
from tui.screens.dns.form import ProviderForm
from tui.screens.dns.kinds import KindScreen
from tui.terminal import Terminal
from tui.widgets.one_of import OneOf

Snap = Callable[[App[Any], str], None]
LONG = DnsKind(
    name="long",
    title="A long form",
    fields=tuple(
        EntryField(
            key=f"field_{number}", label=f"Field {number}", help=f"What field {number} is for.", required=number < 2
        )
        for number in range(24)
    ),
    help="A provider that wants to know a lot.",
)


# -- adding ------------------------------------------------------------------------------------------------------------


async def test_what_is_typed_is_what_is_kept() -> None:
    """Settings, zones, delegations and the secret reach the engine as they were typed, each in its place (ST-23, CC-04)."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_form(pilot, "rfc2136")
        fill(app, name="bind", zones="example.com, lan.example.net", server="ns1.example.com", tsig_name="certdeck")
        fill(app, tsig_secret=SECRET, delegations="a.example.com=proofs.example.org")
        app.screen.query_one(OneOf).focus()
        await pilot.press("right", "ctrl+s")
        await settled(pilot)
    given = added(engine)
    assert given == {
        "config": DnsProviderConfig(
            name="bind",
            kind="rfc2136",
            zones=("example.com", "lan.example.net"),
            settings={"server": "ns1.example.com", "tsig_name": "certdeck", "tsig_algorithm": "hmac-sha512"},
            delegations={"a.example.com": "proofs.example.org"},
        ),
        "secrets": {"tsig_secret": SECRET.encode()},
        "replace": False,
    }


async def test_keys_alone_do() -> None:
    """The whole form can be filled in with the keyboard: arrows and Tab move, Enter saves."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_form(pilot, "cloudflare")
        await pilot.press("down", *"example.com", "tab", *"tok-1", "enter")
        await settled(pilot)
        await settled(pilot)
        assert isinstance(app.screen, DnsScreen)
    given = added(engine)
    assert (given["config"].name, given["config"].zones) == ("cloudflare", ("example.com",))
    assert given["secrets"] == {"api_token": b"tok-1"}


async def test_a_free_name_is_proposed() -> None:
    """The name of the kind is proposed, with a number where it is taken, and a taken one is refused as it is left."""
    engine = FakeEngine()
    entry = DnsProviderConfig(name="cloudflare", kind="cloudflare")
    engine.settings = replace(engine.settings, dns_providers={"cloudflare": entry})
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_form(pilot, "cloudflare")
        assert field(app, "name").value == "cloudflare-2"
        fill(app, name="cloudflare")
        await pilot.press("tab")
        assert "✖ Name: The entry cloudflare already exists." in shown(app)


async def test_raw_pairs_are_taken_where_the_kind_passes_them_on() -> None:
    """A program of one's own takes further settings and secrets as KEY=VALUE pairs (SO-26)."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_form(pilot, "hook")
        fill(
            app,
            command="/usr/local/bin/hook",
            more__settings="REGION=eu 'NOTE=two words'",
            more__secrets=f"TOKEN={SECRET}",
        )
        await pilot.press("ctrl+s")
        await settled(pilot)
    given = added(engine)
    assert given["config"].settings == {"command": "/usr/local/bin/hook", "REGION": "eu", "NOTE": "two words"}
    assert given["secrets"] == {"TOKEN": SECRET.encode()}


# -- wrong -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"port": "dns"}, "✖ Port: It is no port."),
        ({"zones": "example.com *"}, "✖ Zones: A zone is a domain name."),
        ({"delegations": "a.example.com"}, "✖ Delegations: Write DOMAIN=WHERE."),
    ],
)
async def test_a_field_says_what_is_wrong_as_it_is_left(values: dict[str, str], words: str) -> None:
    """What the engine says against a value stands below its field as soon as that is left, and nothing is saved."""
    engine = FakeEngine()
    engine._problems = lambda config, secrets: (
        FakeEngine._problems(engine, config, secrets)
        | ({"zones": "A zone is a domain name."} if "*" in config.zones else {})
    )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_form(pilot, "rfc2136")
        (key,) = values
        field(app, key).query_one(Input).focus()
        fill(app, **values)
        assert words not in shown(app)
        await pilot.press("tab")
        assert words in shown(app)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert isinstance(app.screen, ProviderForm)
    assert not any(method == "add_dns_provider" for method, _ in engine.calls)


async def test_everything_that_is_missing_is_said_at_its_field() -> None:
    """Saving an empty form says at each field that it is missing, and puts the cursor into the first of them."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await open_form(pilot, "rfc2136")
        await pilot.press("ctrl+s")
        await settled(pilot)
        text = shown(app)
        for label in ("Server", "TSIG key name", "TSIG secret"):
            assert f"✖ {label} is missing." in text
        assert app.focused is field(app, "server").query_one(Input)
        await pilot.press(*"ns1.example.com", "tab")
        assert "✖ Server is missing." not in shown(app)


async def test_what_belongs_to_no_field_is_said_below_them() -> None:
    """An error of the engine that names no field, another certdeck at work for one, stands below, and nothing typed is lost."""
    engine = FakeEngine()
    engine.fails["add_dns_provider"] = LockHeld(
        "Another certdeck process is running.", "Only one may write.", "Try again soon."
    )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_form(pilot, "cloudflare")
        fill(app, api_token=SECRET)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "✖ Another certdeck process is running." in shown(app)
        assert field(app, "api_token").value == SECRET


async def test_a_problem_with_something_that_has_no_field_is_named() -> None:
    """A problem with a pick list or an unknown key is told by its label below the fields."""
    engine = FakeEngine()
    engine.fails["add_dns_provider"] = UsageError(
        "It cannot be kept.", "…", "…", details={"problems": {"tsig_algorithm": "it is too old"}}
    )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_form(pilot, "rfc2136")
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "✖ TSIG algorithm: it is too old." in shown(app)


@pytest.mark.parametrize(
    ("label", "problem", "said"),
    [
        ("API token", "it is missing", "API token: it is missing."),
        ("API token", "API token is missing.", "API token is missing."),
        ("Zones", "Is that a domain?", "Zones: Is that a domain?"),
    ],
)
def test_a_problem_is_one_sentence(label: str, problem: str, said: str) -> None:
    """A problem is told as one sentence that names its field once."""
    assert sentence(label, problem) == said


# -- secrets -----------------------------------------------------------------------------------------------------------


async def test_a_secret_is_never_shown() -> None:
    """A secret stands nowhere on the screen, not while it is typed, and not in the clipboard after ctrl+c (ST-26)."""
    app = deck(FakeEngine())
    async with app.run_test(size=WIDE) as pilot:
        await open_form(pilot, "cloudflare")
        field(app, "api_token").query_one(Input).focus()
        await pilot.press(*SECRET)
        text = shown(app)
        assert SECRET[:4] not in text
        assert "•" * len(SECRET) in text
        field(app, "api_token").query_one(Input).action_select_all()
        await pilot.press("ctrl+c")
        assert app.clipboard == ""
        await pilot.press("ctrl+x")
        assert (app.clipboard, field(app, "api_token").value) == ("", "")


async def test_a_secret_is_read_from_a_file(tmp_path: Path) -> None:
    """ctrl+o reads a secret of several lines from a file, without the line end at its end; its name is shown, not its content."""
    path = tmp_path / "key.pem"
    path.write_text("-----BEGIN\nabc\n-----END\n")
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await open_form(pilot, "cloudflare")
        assert "From file" not in shown(app)
        field(app, "api_token").query_one(Input).focus()
        await pilot.pause()
        assert "^o From file" in shown(app)
        await pilot.press("ctrl+o")
        app.screen.query_one("#path", Input).value = str(path)
        await pilot.press("enter")
        await pilot.pause()
        assert "from key.pem; type to replace" in shown(app)
        await pilot.press("ctrl+s")
        await settled(pilot)
    assert added(engine)["secrets"] == {"api_token": b"-----BEGIN\nabc\n-----END"}


async def test_a_pasted_key_of_several_lines_is_kept_whole() -> None:
    """A secret of several lines can be pasted: all of it is kept, none of it shown; one line is as if it were typed."""
    engine = FakeEngine()
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await open_form(pilot, "godaddy")
        for key, text in (("api_key", "-----BEGIN\r\nabc\r\n-----END\r\n"), ("api_secret", "one-line\n")):
            box = field(app, key).query_one(Input)
            box.focus()
            box.post_message(Paste(text))
            await pilot.pause()
        assert "from a paste of 3 lines; type to replace" in shown(app)
        assert "BEGIN" not in shown(app)
        await pilot.press("ctrl+s")
        await settled(pilot)
    assert added(engine)["secrets"] == {"api_key": b"-----BEGIN\nabc\n-----END", "api_secret": b"one-line"}


async def test_pasted_lines_of_zones_are_all_taken() -> None:
    """Zones pasted one to a line are all taken, not the first of them alone."""
    app = deck(FakeEngine())
    async with app.run_test(size=NARROW) as pilot:
        await open_form(pilot, "cloudflare")
        box = field(app, "zones").query_one(Input)
        box.focus()
        box.post_message(Paste("example.com\nexample.net\n"))
        await pilot.pause()
        assert field(app, "zones").value == "example.com example.net"


async def test_a_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """An empty file is refused with the reason, and the field stays as it was."""
    path = tmp_path / "empty"
    path.write_bytes(b"\n")
    app = deck(FakeEngine())
    async with app.run_test(size=NARROW) as pilot:
        await open_form(pilot, "cloudflare")
        field(app, "api_token").query_one(Input).focus()
        await pilot.press("ctrl+o")
        app.screen.query_one("#path", Input).value = str(path)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, ErrorDialog)
        assert "It is empty." in shown(app)


@pytest.mark.parametrize("content", [b"", b"a\0b", b"x" * 70_000], ids=["empty", "binary", "huge"])
def test_files_that_hold_no_secret(tmp_path: Path, content: bytes) -> None:
    """What is empty, binary or huge is refused, in words that hold nothing of it."""
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        content_of(str(path))
    assert "xxxx" not in f"{caught.value.what}{caught.value.why}{caught.value.fix}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A file that cannot be read says why."""
    with pytest.raises(UsageError) as caught:
        content_of(str(tmp_path / "none"))
    assert "no such file" in caught.value.why


# -- changing ----------------------------------------------------------------------------------------------------------


async def test_changing_begins_with_what_is_set_and_keeps_secrets() -> None:
    """The form opens with settings, zones and delegations; a secret is not handed back, and left empty it is kept."""
    engine = engine_with_providers()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_list(pilot)
        await pilot.press("down")
        await open_change(pilot)
        assert not app.screen.query("#name")
        assert app.focused is field(app, "zones").query_one(Input)
        assert field(app, "zones").value == "example.net lan.example.net"
        assert field(app, "delegations").value == "a.example.net=proofs.example.org"
        assert field(app, "tsig_secret").query_one(Input).value == ""
        assert "kept; type to replace" in shown(app)
        await pilot.press("space", *"example.org", "down")
        fill(app, server="ns2.example.net")
        await pilot.press("ctrl+s")
        await settled(pilot)
        await settled(pilot)
        assert isinstance(app.screen, DnsScreen)
    given = added(engine)
    assert (given["config"].settings["server"], given["secrets"], given["replace"]) == ("ns2.example.net", {}, True)
    assert given["config"].zones == ("example.net", "lan.example.net", "example.org")


async def test_changing_keeps_raw_pairs() -> None:
    """Settings beyond the fields stand in the form again, quoted where they have to be, and go back unchanged."""
    engine = FakeEngine()
    settings = {"command": "/bin/hook", "NOTE": "two words"}
    secrets = {"TOKEN": True}
    engine.known_providers = (provider_info("mine", "hook", zones=(), settings=settings, secrets=secrets),)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await open_list(pilot)
        await open_change(pilot)
        assert "TOKEN kept" in shown(app)
        await pilot.press("ctrl+s")
        await settled(pilot)
    assert added(engine)["config"].settings == settings


# -- leaving -----------------------------------------------------------------------------------------------------------


async def test_leaving_asks_where_something_typed_would_be_lost() -> None:
    """Esc asks once a field, a secret included, was changed; Stay keeps everything; an untouched form is left at once."""
    app = deck(FakeEngine())
    async with app.run_test(size=NARROW) as pilot:
        form = await open_form(pilot, "cloudflare")
        field(app, "api_token").query_one(Input).focus()
        await pilot.press("x", "escape")
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press("escape")
        assert app.screen is form
        assert field(app, "api_token").value == "x"
        await pilot.press("backspace", "escape")
        assert isinstance(app.screen, KindScreen)


# -- the help line and long forms --------------------------------------------------------------------------------------


async def test_the_field_with_the_focus_is_explained() -> None:
    """The box at the bottom follows the focus: what the field is for, and for a secret where it goes."""
    app = deck(FakeEngine())
    async with app.run_test(size=NARROW) as pilot:
        await open_form(pilot, "rfc2136")
        assert "Its name in the wizard and in commands." in shown(app)
        await pilot.press("down", "down")
        assert "╭─ Server ─" in shown(app)
        assert "Name or address of the primary." in shown(app)
        field(app, "tsig_secret").query_one(Input).focus()
        await pilot.pause()
        assert "It is stored in the vault and never shown; ^o reads it from a file." in shown(app)


async def test_what_surprises_people_stands_above_the_fields() -> None:
    """Access rules of a provider are told before anything is typed."""
    app = deck(FakeEngine())
    async with app.run_test(size=NARROW) as pilot:
        await open_form(pilot, "godaddy")
        assert "▲ GoDaddy gives the API only to accounts with ten domains" in shown(app)


async def test_a_long_form_scrolls_with_the_focus() -> None:
    """Every field of a form with more fields than lines can be reached and seen at 80x24."""
    engine = FakeEngine()
    engine.kinds = (*KINDS, LONG)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        form = await open_form(pilot, "long")
        for _ in range(25):
            await pilot.press("down")
        await pilot.pause()
        assert "What field 23 is for." in shown(app)
        assert field(app, "field_23").region.bottom <= form.query_one("#field-help").region.y


# -- looks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_looks(snap: Snap, size: tuple[int, int], theme: str) -> None:
    """A form under way, with a pick list, a secret and what is wrong."""
    app = deck(FakeEngine(), theme=theme)
    async with app.run_test(size=size) as pilot:
        await open_form(pilot, "rfc2136")
        fill(app, name="bind", zones="example.com", port="dns", tsig_secret=SECRET)
        await pilot.press("ctrl+s")
        await settled(pilot)
        field(app, "tsig_secret").query_one(Input).focus()
        await pilot.pause()
        snap(app, "form")


async def test_looks_without_colour_or_signs(snap: Snap) -> None:
    """The form on a terminal without colours that draws ASCII alone."""
    app = deck(engine_with_providers(), terminal=Terminal(ascii=True, colours=0))
    async with app.run_test(size=NARROW) as pilot:
        await open_list(pilot)
        await pilot.press("down", "down")
        await open_change(pilot)
        snap(app, "form")
