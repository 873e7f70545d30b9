"""A chain as a tree, and the renewals of a year."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from core.chain_links import ChainLink, ChainView
from tests.support.deck import NARROW, deck, settled, shown
from tests.support.lineages import NOW
from tui.screens.what_if import months, year
from tui.widgets.chain_lines import chain_lines
from tui.widgets.ink import Ink

INK = Ink({"foreground": "#ffffff"}, ansi=False)
LEAF = ChainLink(subject="shop.example.com", not_after=NOW + timedelta(days=80))
MIDDLE = ChainLink(subject="E8", not_after=NOW + timedelta(days=40))
ROOT = ChainLink(subject="ISRG [b]Root[/b]", not_after=NOW + timedelta(days=900), is_sent=False)


def _text(chain: ChainView, width: int = 76) -> list[str]:
    return ["".join(text for text, _ in line) for line in chain_lines(chain, width, INK)]


def test_each_certificate_stands_below_the_one_that_it_signed() -> None:
    """Each certificate has a line with its end, indented below the one before; the last line says who trusts it."""
    chain = ChainView(links=(LEAF, MIDDLE, ROOT), issuer="ISRG", trusted_by="this system's trust store")
    lines = _text(chain)
    assert [line.split("ends")[0].rstrip() for line in lines[:3]] == [
        "shop.example.com",
        "└ E8",
        "  └ ISRG [b]Root[/b]",
    ]
    assert [line.endswith("not sent") for line in lines[:3]] == [False, False, True]
    assert lines[3] == "✔ Trusted by this system's trust store."


@pytest.mark.parametrize("width", [45, 60, 100])
def test_it_fits(width: int) -> None:
    """Long names are cut, so that each end is seen at every width."""
    long = ChainLink(subject="a" * 200, not_after=NOW)
    lines = _text(ChainView(links=(long, long, ROOT), issuer="b" * 40, trusted_by=""), width)
    assert all(len(line) <= width for line in lines)
    assert all("ends" in line for line in lines[:3])


async def test_the_pem_page_shows_it_first() -> None:
    """The page with the PEM begins with the chain."""
    app = deck()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("down", "v")
        await settled(pilot)
        text = shown(app)
        assert "└ ISRG Root X1" in text
        assert text.index("Trusted by this system's trust store.") < text.index("BEGIN CERTIFICATE")


def test_a_year_has_a_mark_for_each_renewal() -> None:
    """Each renewal of a year has a mark at its place, and several in one cell are a digit; letters tell the months."""
    assert year(43, 36).count("◇") == 8
    assert year(43, 36).index("◇") == 4
    assert year(4, 24)[12].isdigit()
    assert year(400, 24) == "·" * 24
    assert months(date(2027, 2, 10), 24) == "F M A M J J A S O N D J "
