"""Everything about one certificate."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from core.operations import LineageStatus, TargetState
from tests.support.lineages import NOW, fingerprint, lineage, seven, without_certificate
from tui.widgets.details import details
from tui.widgets.ink import Ink
from tui.widgets.lines import length

INK = Ink({"foreground": "white"}, ansi=False)
WIDTHS = (30, 42, 72, 110)


def _text(one: LineageStatus, width: int = 42, look: str = "") -> str:
    return "\n".join("".join(text for text, _ in line).rstrip() for line in details(one, NOW, look=look)(width, INK))


def _together(one: LineageStatus, width: int = 42) -> str:
    return " ".join(_text(one, width).split())


SHOP = next(each for each in seven() if each.name == "shop")
MAIL = next(each for each in seven() if each.name == "mail")
DEFAULT = next(each for each in seven() if each.name == "default")


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param("Subject shop.example.com", id="ST-42"),
        pytest.param("Issuer Let's Encrypt E8", id="ST-43"),
        pytest.param("Valid from 13 Sep 2026 12:02 UTC Valid to 12 Dec 2026 12:02 UTC", id="ST-44"),
        pytest.param("▲ 21 days left", id="ST-45"),
        pytest.param("Names shop.example.com www.shop.example.com pay.example.com", id="ST-46"),
        pytest.param("Self-signed no", id="ST-47"),
        pytest.param("Chain complete, 1 intermediate", id="ST-48"),
        pytest.param("Key EC P-256", id="key"),
        pytest.param("Method HTTP-01", id="method"),
        pytest.param("● nginx serves this one", id="served"),
    ],
)
def test_every_field_is_there(wanted: str) -> None:
    """ST-42 to ST-48, and what else somebody asks for, is told of the chosen certificate."""
    assert wanted in _together(SHOP)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("one", [SHOP, MAIL, DEFAULT], ids=lambda one: one.name)
def test_the_fingerprint_is_whole(one: LineageStatus, width: int) -> None:
    """ST-49: the SHA-256 is shown whole at every width, broken between bytes."""
    from itertools import pairwise

    pairs = one.sha256.split(":")
    text = _text(one, width)
    assert all(
        f"{first}:{second}" in text or f"{first}\n" in text or f"{first} " in text for first, second in pairwise(pairs)
    )
    assert text.count(":") >= 24


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("one", [*seven(), without_certificate("new", "new.example.com")], ids=lambda one: one.name)
def test_no_line_is_too_wide(one: LineageStatus, width: int) -> None:
    """Whatever the width, no line is wider than that."""
    assert max(length(line) for line in details(one, NOW)(width, INK)) <= width


def test_trouble_comes_first() -> None:
    """What stands in the way stands before every field: what, why, what to do, and what waits."""
    text = _text(MAIL, 72)
    assert (
        text.index("nginx refused to load")
        < text.index("[emerg]")
        < text.index("Mend the configuration")
        < text.index("Subject")
    )
    assert text.index("Version 2 is issued and waits") < text.index("Subject")


def test_an_open_order_is_told() -> None:
    """An order that has not ended is told, with the key that goes on with it."""
    assert "An order is open" in _text(replace(SHOP, open_order=True))


def test_no_certificate_yet() -> None:
    """A lineage that waits for its first certificate says so, and shows what it is to have."""
    text = _together(without_certificate("new", "new.example.com"))
    assert "no certificate yet" in text
    assert "new.example.com" in text
    assert "SHA-256" not in text


def test_addresses_and_encoded_names_are_marked() -> None:
    """ST-46: IP addresses are told apart; an encoded name is shown as written, with what a machine calls it."""
    text = _text(lineage("x", "xn--bcher-kva.example", "203.0.113.7"), 110)
    assert "bücher.example" in text
    assert "xn--bcher-kva.example" in text
    assert "203.0.113.7  IP address" in text


def test_a_hundred_names_are_all_there() -> None:
    """A certificate with a hundred names shows each of them."""
    names = [f"n{number}.example.com" for number in range(100)]
    text = _text(lineage("x", *names))
    assert all(name in text for name in names)


@pytest.mark.parametrize(
    ("state", "words"),
    [("deployed", "● nginx  serves this one"), ("stale", "▲ nginx"), ("failed", "✖ nginx"), ("unknown", "○ nginx")],
)
def test_each_state_of_a_target(state: str, words: str) -> None:
    """What a service serves is told by a sign and in words."""
    one = lineage("x", targets=(TargetState(name="nginx", state=state, served_sha256=fingerprint("y")),))
    assert words in _text(one, 60)


def test_services_that_are_being_asked() -> None:
    """While the services are asked, those that are not known yet say so."""
    one = lineage("x", targets=(TargetState(name="nginx", state="unknown"),))
    assert "asking it …" in _text(one, 60, look="asking it …")


def test_hostile_text_does_nothing() -> None:
    """Markup, escapes and marks of direction in a subject, an issuer or an error are shown as text or not at all."""
    hostile = "[bold]x[/foo] [@click=app.quit]y[/] \x1b]52;c;ZQ==\x07 \u202egnp\n.exe"
    one = lineage(
        "x",
        subject=hostile,
        issuer=hostile,
        serial="\x1b[2J00",
        last_error={"what": hostile, "why": hostile, "fix": hostile},
        targets=(TargetState(name="n\x1b[31m", state="failed", why=hostile),),
    )
    text = _text(one, 110)
    assert "[@click=app.quit]" in text
    assert not any(ord(sign) < 32 and sign != "\n" for sign in text)
    assert "\u202e" not in text


def test_a_broken_lifetime_is_survived() -> None:
    """A certificate whose times make no sense is shown all the same."""
    one = lineage("x", left=timedelta(days=-4000), life_days=0)
    assert "expired" in _text(one)


def test_a_chain_without_intermediates_is_said_first() -> None:
    """An uploaded certificate that is sent alone says what that means, as calmly as the upload did; others say nothing of it."""
    warning = "· No intermediate is sent: only clients that trust"
    bare = replace(SHOP, method="upload", chain=False, chain_length=0)
    assert warning in _together(bare)
    for other in (replace(bare, self_signed=True), replace(bare, chain=True), replace(bare, sha256=""), SHOP):
        assert warning not in _together(other)


def test_a_failure_says_when_how_often_and_when_next() -> None:
    """Below what, why and what to do stands when it failed, how many attempts did, and when the next one comes."""
    failed = replace(MAIL, failures=3)
    words = "Failed 21 Nov 2026 03:00 UTC, 3 attempts in a row, next attempt tonight 03:02."
    assert words in _together(failed, 100)
