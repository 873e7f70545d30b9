"""The wizard: what is entered stays, what is wrong is said where it is, and the order can be left and found again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from core.errors import AuthorizationFailed, DirectoryUnreachable
from core.events import ChallengeValidated, Event
from core.operations import Finding, Issued, IssueRequest, IssuerInfo
from tests.support.deck import NARROW, WIDE, deck, settled, shown
from tests.support.fake_engine import FakeEngine
from tests.support.showcase import ISSUER_TEST
from tui.app import CertdeckApp
from tui.screens.dialogs.confirm import ConfirmDialog
from tui.screens.issue import IssueScreen
from tui.screens.issue.check import CheckStep
from tui.screens.lineages import LineagesScreen
from tui.screens.progress import ProgressScreen
from tui.terminal import Terminal
from tui.widgets.footer import PageFooter
from tui.widgets.one_of import OneOf
from tui.widgets.row_list import RowList
from tui.widgets.tray import Tray

Snap = Callable[[App[Any], str], None]

REFUSED = AuthorizationFailed(
    "Let's Encrypt could not validate shop.example.com.",
    "It could not fetch the proof.",
    "Open port 80 towards this box, then try again.",
    details={"problems": {"shop.example.com": {"detail": "192.0.2.10: Connection [bold]refused[/x]"}}},
)
GOOD = (Finding(id="clock", status="pass", title="Clock", detail="right"),)


class Box(FakeEngine):
    """An engine whose issuers a test may change, and whose checks find nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.findings = GOOD
        self.change_issuer: Callable[[IssuerInfo], IssuerInfo] = lambda issuer: issuer

    def issuers(self) -> tuple[IssuerInfo, ...]:
        return tuple(map(self.change_issuer, super().issuers()))

    @property
    def ordered(self) -> IssueRequest:
        """The request of the only order."""
        found = [arguments["request"] for method, arguments in self.calls if method == "issue"]
        assert len(found) == 1
        return found[0]


async def _wizard(pilot: Pilot[Any], names: str = "") -> IssueScreen:
    await pilot.press("i")
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, IssueScreen)
    screen.query_one("#names", TextArea).text = names
    await pilot.pause()
    return screen


async def _until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    for _ in range(400):
        if holds():
            return
        await pilot.pause(0.01)
    raise AssertionError("it did not come to that")


async def _to(pilot: Pilot[Any], title: str) -> None:
    """Go on until a step is the current one."""
    for _ in range(6):
        screen = pilot.app.screen
        if isinstance(screen, IssueScreen) and title == screen.step.TITLE:
            return
        await pilot.press("ctrl+n")
        await settled(pilot)
    raise AssertionError(f"{title} was not reached:\n{shown(_app(pilot))}")


def _app(pilot: Pilot[Any]) -> CertdeckApp:
    app = pilot.app
    assert isinstance(app, CertdeckApp)
    return app


# -- names ---------------------------------------------------------------------------------------------------------------


async def test_names_are_shown_as_they_are_sent() -> None:
    """Names apart by blanks, commas and lines are taken, and an international one stands beside what is sent."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "shop.example.com, pay.example.com\nmünchen.example.com *.lan.example.com")
        text = shown(app)
        assert "✔ münchen.example.com  sent as xn--mnchen-3ya.example.com" in text
        assert "✔ *.lan.example.com  every name one level below" in text
        assert [each.value for each in screen.draft.identifiers()][:2] == ["shop.example.com", "pay.example.com"]


async def test_www_is_offered_beside_a_bare_domain() -> None:
    """The www. companion stands ticked beside a bare domain, says why, and space takes it away (SO-14)."""
    engine = Box()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "example.com")
        assert "[✔] www.example.com  beside example.com" in shown(app)
        assert screen.draft.request().domains == ("example.com", "www.example.com")
        await pilot.press("tab", "space")
        assert "[ ] www.example.com" in shown(app)
        assert screen.draft.request().domains == ("example.com",)


async def test_a_wrong_name_says_what_why_and_what_to_do() -> None:
    """A wrong name is explained once the word is left, and Next does not go on; a word under way is not called wrong."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot)
        await pilot.press(*"foo_bar".replace("_", "-"), "underscore")
        assert "✖" not in shown(app)
        await pilot.press("x", "space")
        text = shown(app)
        assert "✖ 'foo-bar_x' is no name for a certificate. Host names have no underscore." in text
        assert "→ Use a dash, or another name." in text
        await pilot.press("enter")
        assert screen.step.TITLE == "Names"


async def test_without_a_name_it_does_not_go_on() -> None:
    """Enter in an empty box says that a name is missing."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot)
        await pilot.press("enter")
        assert "✖ No name was given" in shown(app)
        assert screen.step.TITLE == "Names"


async def test_a_line_feed_is_enter() -> None:
    """A serial line that sends a line feed for Enter goes on as well, from the box and from a list."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "shop.example.com")
        await pilot.press("ctrl+j")
        assert screen.step.TITLE == "Proof"
        await pilot.press("ctrl+j")
        assert screen.step.TITLE == "Issuer & key"


async def test_a_bad_lineage_name_is_refused_where_it_is() -> None:
    """What cannot be the name of a folder is refused below its field (SO-11)."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "shop.example.com")
        screen.query_one("#lineage Input", Input).value = "../evil"
        await pilot.press("ctrl+n")
        assert "✖ '../evil' cannot be used as a name." in shown(app)
        assert screen.step.TITLE == "Names"


async def test_a_name_that_is_there_already_is_said() -> None:
    """Issuing under the name of a certificate that exists says that it takes over, and ticks the services it has."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "shop.example.com")
        screen.query_one("#lineage Input", Input).value = "shop"
        await pilot.pause()
        assert "There is a certificate shop already" in shown(app)
        await _to(pilot, "Service")
        assert screen.draft.targets == ("nginx", "postfix")


# -- back ----------------------------------------------------------------------------------------------------------------


async def test_back_never_loses_input() -> None:
    """Going back from the checks to the beginning and on again keeps names, key, services and rehearsal."""
    engine = Box()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "shop.example.com pay.example.com")
        await _to(pilot, "Issuer & key")
        screen.query_one("#key").focus()
        await pilot.press("right", "tab", "tab", "space")
        await _to(pilot, "Service")
        await pilot.press("space")
        await _to(pilot, "Check")
        before = screen.draft.request()
        assert (before.key_type, before.targets) == ("ec-384", ("nginx",))
        for _ in range(4):
            await pilot.press("escape")
        assert screen.step.TITLE == "Names"
        assert screen.query_one("#names", TextArea).text == "shop.example.com pay.example.com"
        await _to(pilot, "Issuer & key")
        assert "[EC P-384]" in shown(app)
        await _to(pilot, "Check")
        assert screen.draft.request() == before


async def test_leaving_asks_where_something_would_be_lost() -> None:
    """Esc on the first step asks before it throws names away, and q does not quit the console by a slip."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "shop.example.com")
        await pilot.press("escape")
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press("escape")
        await pilot.press("enter", "q")
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press("escape")
        assert app.screen is screen
        assert screen.draft.typed == "shop.example.com"


async def test_an_empty_wizard_is_left_at_once() -> None:
    """Nothing is asked where nothing was entered."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        await _wizard(pilot)
        await pilot.press("escape")
        assert isinstance(app.screen, LineagesScreen)


# -- proof ---------------------------------------------------------------------------------------------------------------


async def test_http_01_says_what_it_needs() -> None:
    """HTTP-01 names its two requirements (ST-11), who answers, and the lines for a web server, which can be copied (SO-22)."""
    engine = Box()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _wizard(pilot, "shop.example.com")
        await _to(pilot, "Proof")
        text = shown(app)
        assert "Port 80 of every name is reachable from the internet." in text
        assert "The DNS entries (A and AAAA) of every name lead to this box." in text
        assert "certdeck itself answers on 0.0.0.0:80" in text
        snippet = engine.http01_snippets()["nginx"]
        assert all(line.strip() in text for line in snippet.splitlines())
        await pilot.press("c")
        assert app.clipboard == snippet


async def test_webroot_is_told_as_configured() -> None:
    """With webroot in the configuration the step names the folder."""
    engine = Box()
    engine.settings = replace(
        engine.settings, http01=replace(engine.settings.http01, mode="webroot", webroot="/srv/www")
    )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _wizard(pilot, "shop.example.com")
        await _to(pilot, "Proof")
        assert "put into /srv/www" in shown(app)


async def test_without_proof_only_the_private_ca_is_offered() -> None:
    """Choosing no proof leads to the private CA of this box, and to an order for it."""
    engine = Box()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "box.lan")
        await _to(pilot, "Proof")
        await pilot.press("down")
        assert "Nothing to do." in shown(app)
        await _to(pilot, "Issuer & key")
        assert screen.query_one("#issuer", RowList).keys == ("appliance-ca",)
        assert "Terms" not in shown(app)
        await _to(pilot, "Issue")
        await settled(pilot)
    assert engine.ordered.issuer == "appliance-ca"


async def test_a_wildcard_cannot_be_proven_by_http_01() -> None:
    """A wildcard stops at the proof, with what to do instead; with the private CA it goes on."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "*.example.com")
        await pilot.press("enter", "enter")
        assert "✖ A wildcard like *.example.com cannot be proven by HTTP-01." in shown(app)
        assert screen.step.TITLE == "Proof"
        await pilot.press("down", "enter")
        assert screen.step.TITLE == "Issuer & key"


# -- issuer and key --------------------------------------------------------------------------------------------------------


async def test_only_what_an_issuer_takes_is_offered() -> None:
    """Another issuer narrows the key types, and a type it does not take falls back to one it does."""
    engine = Box()
    engine.change_issuer = lambda each: (
        replace(each, key_types=("rsa-2048", "rsa-4096"), max_names=2, needs_eab=True)
        if each.name == "zerossl"
        else each
    )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "shop.example.com")
        await _to(pilot, "Issuer & key")
        assert screen.query_one("#key", OneOf).values == ("ec-256", "ec-384", "rsa-2048", "rsa-3072", "rsa-4096")
        await pilot.press("down", "down")
        assert screen.draft.issuer == "zerossl"
        assert screen.query_one("#key", OneOf).values == ("rsa-2048", "rsa-4096")
        assert screen.draft.key_type == "rsa-2048"
        text = shown(app)
        assert "It takes 2 names at most, yours are 1" in text
        assert "It wants an external account binding, and none is set" in text
        assert "Rehearse first" not in text


async def test_what_stands_against_an_issuer_is_said_at_once() -> None:
    """The engine's offline check speaks on this step, and a failure keeps one here."""
    engine = Box()
    engine.request_findings = (
        Finding(
            id="usage",
            status="fail",
            title="Let's Encrypt cannot issue this",
            detail="It takes 100 names.",
            fix="Take fewer.",
        ),
    )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "shop.example.com")
        await _to(pilot, "Issuer & key")
        await pilot.press("ctrl+n")
        assert screen.step.TITLE == "Issuer & key"
        text = shown(app)
        assert "✖ failed   Let's Encrypt cannot issue this: It takes 100 names." in text
        assert "→ Take fewer." in text


async def test_terms_are_read_and_have_to_be_agreed_to() -> None:
    """The address of the terms comes from the directory; without the tick it does not go on, with it the request says so."""
    engine = Box()
    engine.change_issuer = lambda each: replace(each, terms_agreed=False, account_url=None)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "shop.example.com")
        await _to(pilot, "Issuer & key")
        await _until(pilot, lambda: str(ISSUER_TEST.terms_of_service) in shown(app))
        await pilot.press("ctrl+n")
        assert screen.step.TITLE == "Issuer & key"
        assert "issues nothing before somebody has agreed" in shown(app)
        await pilot.press("space")
        assert "[✔] I agree to these terms of service" in shown(app)
        await _to(pilot, "Service")
        assert screen.draft.request().agree_tos is True


async def test_passing_over_issuers_asks_none_of_them() -> None:
    """The directory of an issuer that the cursor merely passes is not asked."""
    engine = Box()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _wizard(pilot, "shop.example.com")
        await _to(pilot, "Issuer & key")
        await pilot.press("down", "down")
        await _until(pilot, lambda: any(method == "test_issuer" for method, _ in engine.calls))
    assert [arguments["name"] for method, arguments in engine.calls if method == "test_issuer"] == ["zerossl"]


async def test_an_unreachable_directory_is_words() -> None:
    """A directory that does not answer is told with what to do, and nothing else stops."""
    engine = Box()
    engine.fails["test_issuer"] = DirectoryUnreachable(
        "The CA does not answer.", "No route to host.", "Look at the network."
    )
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "shop.example.com")
        await _to(pilot, "Issuer & key")
        await _until(pilot, lambda: "✖ The CA does not answer. No route to host." in shown(app))
        await _to(pilot, "Service")
        assert screen.step.TITLE == "Service"


async def test_profiles_are_those_of_the_directory() -> None:
    """Once the directory has answered, its profiles can be chosen, each with the CA's own words."""
    engine = Box()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "shop.example.com")
        await _to(pilot, "Issuer & key")
        await _until(pilot, lambda: "shortlived" in shown(app))
        screen.query_one("#profile").focus()
        await pilot.press("right", "right")
        assert screen.draft.request().profile == "shortlived"
        assert "Six days" in shown(app)


async def test_a_wrong_address_is_said_as_it_is_left() -> None:
    """An e-mail address that is none is refused when the field is left."""
    engine = Box()
    engine.change_issuer = lambda each: replace(each, account_url=None)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "shop.example.com")
        await _to(pilot, "Issuer & key")
        screen.query_one("#email Input", Input).value = "nobody"
        screen.query_one("#email Input").focus()
        await pilot.press("tab")
        await pilot.pause()
        assert "✖ 'nobody' is no e-mail address." in shown(app)


# -- service ---------------------------------------------------------------------------------------------------------------


async def test_a_service_that_is_taken_over_says_whose_it_is() -> None:
    """Each service shows whose certificate it carries, and ticking it says that it is taken over."""
    app = deck(Box())
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "pay.example.com")
        await _to(pilot, "Service")
        await pilot.press("space")
        text = shown(app)
        assert "▲ nginx carries shop now: it is taken over" in text
        assert screen.draft.request().targets == ("nginx",)


async def test_without_services_it_goes_on() -> None:
    """A box without targets says where the certificate will lie, and the wizard goes on."""
    engine = Box()
    engine.known_targets = []
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _wizard(pilot, "pay.example.com")
        await _to(pilot, "Service")
        assert "No service is set up" in shown(app)
        await _to(pilot, "Check")


# -- check -----------------------------------------------------------------------------------------------------------------


async def test_findings_come_worst_first_with_what_to_do() -> None:
    """The doctor's findings have a sign and a word each, failures first, and a failure asks before the order."""
    engine = Box()
    engine.findings = FakeEngine().findings
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "pay.example.com")
        await _to(pilot, "Check")
        text = shown(app)
        assert (
            text.index("✖ failed   Port 80")
            < text.index("▲ warning  shop.example.com")
            < text.index("✔ passed   Clock")
        )
        assert "→ Use webroot mode" in text
        assert "✖ 1 failure · ▲ 1 warning" in text
        await pilot.press("enter")
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press("enter")
        assert app.screen is screen
        await pilot.press("enter", "y")
        await settled(pilot)
        assert screen.step.TITLE == "Issue"
    assert engine.ordered.domains == ("pay.example.com",)


async def test_checks_run_in_the_background_and_again_when_something_changed() -> None:
    """While the checks run the keys work; going back and changing something runs them again, going back alone does not."""
    engine, gate = Box(), threading.Event()
    doctor = engine.doctor

    def slow(request: IssueRequest | None = None, **more: Any) -> tuple[Finding, ...]:
        assert gate.wait(10)
        return doctor(request, **more)

    engine.doctor = slow  # type: ignore[method-assign]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "pay.example.com")
        await _to(pilot, "Service")
        await pilot.press("enter")
        await pilot.pause()
        assert "◐ Looking at clock" in shown(app)
        await pilot.press("enter")
        assert screen.step.TITLE == "Check"
        gate.set()
        await settled(pilot)
        assert "✔ Nothing stands in the way" in shown(app)
        asked = sum(method == "doctor" for method, _ in engine.calls)
        await pilot.press("escape", "enter")
        await settled(pilot)
        assert sum(method == "doctor" for method, _ in engine.calls) == asked
        await pilot.press("escape", "space", "enter")
        await settled(pilot)
        assert sum(method == "doctor" for method, _ in engine.calls) == asked + 1
        await pilot.press("ctrl+r")
        await settled(pilot)
        assert sum(method == "doctor" for method, _ in engine.calls) == asked + 2
        assert screen.query_one(CheckStep).failures == 0


# -- issue -----------------------------------------------------------------------------------------------------------------


class Gate:
    """Lets an order go on only as far as a test wants."""

    def __init__(self, engine: FakeEngine) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        engine.before_event = self._before

    def _before(self, event: Event) -> None:
        if isinstance(event, ChallengeValidated):
            self.reached.set()
            assert self.opened.wait(10)


async def test_the_order_is_left_and_found_again() -> None:
    """Esc during the order leaves it running; the line above the keys tells of it, w shows it, and it ends well."""
    engine = Box()
    gate = Gate(engine)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _wizard(pilot, "pay.example.com")
        await _to(pilot, "Check")
        await pilot.press("enter")
        assert gate.reached.wait(5)
        await pilot.pause(0.05)
        text = shown(app)
        assert "◐ pay.example.com" in text
        assert "Close the window if you like: the order goes on" in text
        assert shown(app, app.screen.query_one(Tray)).strip() == ""
        await pilot.press("escape")
        await pilot.pause(0.05)
        assert isinstance(app.screen, LineagesScreen)
        assert "issuing pay.example.com" in shown(app, app.screen.query_one(Tray))
        await pilot.press("w")
        await pilot.pause()
        assert isinstance(app.screen, ProgressScreen)
        assert "◐ pay.example.com" in shown(app)
        gate.opened.set()
        await settled(pilot)
        assert "pay.example.com is issued" in shown(app)
    assert app.bridge.operation is not None
    assert isinstance(app.bridge.operation.result, Issued)


async def test_success_shows_the_certificate_and_what_next() -> None:
    """At the end stand names, end, SHA-256, services, and what to do next; Enter goes back to the list."""
    engine = Box()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "pay.example.com")
        await _to(pilot, "Service")
        await pilot.press("space")
        await _to(pilot, "Issue")
        await settled(pilot)
        text = shown(app)
        made = next(each for each in engine.lineages if each.name == "pay.example.com")
        assert "✔ pay.example.com has its certificate." in text
        assert made.sha256[:47] in text
        assert "nginx (serves this one)" in text
        assert "What next" in text
        assert "✔ Check" in text
        assert "enter Close" in shown(app, screen.query_one(PageFooter)).replace("↵", "enter")
        assert app.bridge.operation is not None
        assert app.bridge.operation.seen
        await pilot.press("enter")
        assert isinstance(app.screen, LineagesScreen)


async def test_failure_shows_the_words_of_the_ca_and_keeps_everything() -> None:
    """What the CA said stands there as it is, with what to do; esc leads back to the checks, and the order can be tried again."""
    engine = Box()
    engine.fails["issue"] = [REFUSED]
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "shop.example.com")
        await _to(pilot, "Issue")
        await settled(pilot)
        text = shown(app)
        assert "✖ Let's Encrypt could not validate shop.example.com." in text
        assert "192.0.2.10: Connection [bold]refused[/x]" in " ".join(text.replace("│", " ").split())
        assert "→ Open port 80 towards this box, then try again." in text
        await pilot.press("escape")
        assert screen.step.TITLE == "Check"
        assert screen.draft.typed == "shop.example.com"
        await pilot.press("enter")
        await settled(pilot)
        assert "✔ shop.example.com has its certificate." in shown(app)


async def test_stopping_asks_the_order_to_stop() -> None:
    """Ctrl+X stops the order at the next safe point, and the step says that it was stopped."""
    engine = Box()
    gate = Gate(engine)
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _wizard(pilot, "pay.example.com")
        await _to(pilot, "Check")
        await pilot.press("enter")
        assert gate.reached.wait(5)
        await pilot.press("ctrl+x")
        gate.opened.set()
        await settled(pilot)
        assert "Stopped" in shown(app)
    assert not any(each.name == "pay.example.com" for each in engine.lineages)


async def test_another_operation_keeps_the_order_waiting() -> None:
    """While something else runs no order begins, and the wizard stays where it is."""
    engine, gate = Box(), threading.Event()
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        screen = await _wizard(pilot, "pay.example.com")
        await _to(pilot, "Check")
        app.bridge.start("Other", "doing", lambda report, cancel: gate.wait(10))
        await pilot.press("enter")
        await pilot.pause()
        assert screen.step.TITLE == "Check"
        gate.set()
        await settled(pilot)
    assert not any(method == "issue" for method, _ in engine.calls)


async def test_hostile_words_do_nothing() -> None:
    """Markup and terminal codes from issuers, targets and findings are shown as they are, or not at all."""
    hostile = "\x1b]0;evil\x07[bold]x[/foo]"
    engine = Box()
    engine.findings = (Finding(id="x", status="fail", title=hostile, detail=hostile, fix=hostile),)
    engine.request_findings = (Finding(id="x", status="warn", title=hostile, detail=hostile),)
    engine.known_targets = [
        replace(each, name=hostile, certificate=hostile, lineage=hostile) for each in engine.known_targets
    ]
    engine.change_issuer = lambda each: replace(each, title=hostile, notes=(hostile,))
    app = deck(engine)
    async with app.run_test(size=WIDE) as pilot:
        await _wizard(pilot, "pay.example.com")
        for title in ("Proof", "Issuer & key", "Service", "Check"):
            await _to(pilot, title)
            assert "\x1b" not in shown(app)
        assert "[bold]x[/foo]" in shown(app)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_looks(snap: Snap, size: tuple[int, int]) -> None:
    """The six steps as a person sees them."""
    engine = Box()
    engine.findings = FakeEngine().findings
    app = deck(engine)
    async with app.run_test(size=size) as pilot:
        await _wizard(pilot, "example.com münchen.example.com foo_bar")
        await pilot.press("tab")
        snap(app, "1-names")
        app.screen.query_one("#names", TextArea).text = "example.com münchen.example.com"
        await _to(pilot, "Proof")
        snap(app, "2-proof")
        await _to(pilot, "Issuer & key")
        await _until(pilot, lambda: "shortlived" in shown(app))
        snap(app, "3-issuer")
        await _to(pilot, "Service")
        await pilot.press("space")
        snap(app, "4-service")
        await _to(pilot, "Check")
        snap(app, "5-check")
        await pilot.press("enter", "y")
        await settled(pilot)
        snap(app, "6-issue")


async def test_looks_without_colour_or_signs(snap: Snap) -> None:
    """The checks on a terminal of sixteen colours that draws ASCII alone."""
    engine = Box()
    engine.findings = FakeEngine().findings
    app = deck(engine, terminal=Terminal(ascii=True, colours=16))
    async with app.run_test(size=NARROW) as pilot:
        await _wizard(pilot, "example.com")
        await _to(pilot, "Check")
        snap(app, "check")


async def test_looks_when_it_failed(snap: Snap) -> None:
    """A failed order."""
    engine = Box()
    engine.fails["issue"] = REFUSED
    app = deck(engine)
    async with app.run_test(size=NARROW) as pilot:
        await _wizard(pilot, "shop.example.com")
        await _to(pilot, "Issue")
        await settled(pilot)
        snap(app, "failed")
