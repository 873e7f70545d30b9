"""How a certificate stands in one word and in a few, and the language of the filter."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.operations import TargetState
from tests.support.lineages import NOW, lineage, seven, without_certificate
from tui.wording import certificate_filter, state

ERROR = {"code": "unauthorized", "what": "x", "why": "y", "fix": "z"}
SOON = {"severity": "yellow", "left": timedelta(days=20)}
LATER = {"renew_why": "retry", "renew_at": NOW + timedelta(hours=3)}


@pytest.mark.parametrize(
    ("fields", "word", "why"),
    [
        ({}, "healthy", ""),
        (SOON, "soon", ""),
        ({**SOON, "renew_at": None, "auto_renew": False}, "warning", "expires soon"),
        ({"last_error": ERROR, "failures": 1}, "failed", "renewal failed"),
        ({"last_error": ERROR, "failures": 3, **LATER}, "failed", "failed 3×, next 07:02"),
        ({**SOON, "last_error": ERROR, "failures": 3, **LATER}, "failed", "failed 3×, next 07:02"),
        ({"targets": (TargetState(name="web", state="stale"),)}, "not-served", "web serves another"),
        ({"targets": (TargetState(name="web", state="failed"),)}, "urgent", "deploy failed"),
        ({"revoked": True}, "urgent", "revoked"),
        ({"timer": "absent"}, "no-timer", "no timer"),
        ({"timer": "off", "last_error": ERROR}, "failed", "renewal failed"),
        ({"chain_end": "R3", "chain_not_after": NOW, "severity": "yellow"}, "warning", "chain ends first"),
    ],
)
def test_each_kind_of_trouble_has_a_word(fields: dict[str, Any], word: str, why: str) -> None:
    """A failure, a service that shows another, and no timer are counted apart, each with a few words that say why."""
    one = lineage("shop", **fields)
    assert state.standing_of(one) == word
    assert state.why_shown(one, NOW) == why


def test_a_waiting_order_comes_first() -> None:
    """An order that waits for DNS records is counted as such unless its certificate is in trouble itself."""
    assert state.standing_of(lineage("wild"), waits=True) == "waiting"
    assert state.standing_of(without_certificate("wild"), waits=True) == "waiting"
    assert state.standing_of(lineage("wild", severity="red"), waits=True) == "urgent"


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("state:urgent", ["mail"]),
        ("state:not", ["shop"]),
        ("state:healthy -default", ["api", "edge", "partner", "wild"]),
        ("!state:healthy", ["mail", "shop"]),
        ("due<30d", ["edge", "mail", "shop"]),
        ("due>5w", ["api", "default", "partner", "wild"]),
        ("renews<1d", ["mail", "shop"]),
        ("service:postfix", ["shop"]),
        ("service:", ["default"]),
        ("issuer:zero", ["api"]),
        ("state:healthy due<30d", ["edge"]),
        ("- shop", ["shop"]),
        ("due<", []),
    ],
)
def test_the_filter_has_a_language(words: str, names: list[str]) -> None:
    """State, service, issuer and time are terms, a minus excludes, and what is no term is a plain word."""
    tests = certificate_filter.parsed(words)
    assert sorted(row.name for row in certificate_filter.narrowed(seven(), tests, NOW)) == names


@pytest.mark.parametrize(("target", "word"), [("failed", "state:failed"), ("stale", "state:not-served")])
def test_a_trouble_is_found_whatever_else_is_wrong(target: str, word: str) -> None:
    """A failure and a service that shows another are found by their words also where the certificate needs somebody at once."""
    one = lineage("shop", revoked=True, targets=(TargetState(name="web", state=target),))
    assert state.standing_of(one) == "urgent"
    other = lineage("other", revoked=True)
    assert certificate_filter.narrowed([one, other], certificate_filter.parsed(word), NOW) == [one]
