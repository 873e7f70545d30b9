"""The limits of a CA of somebody's own, as they are written into the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.budget import Allowance
from core.config.load import parse_config
from core.errors import ConfigError
from core.limit_table import allowances, as_line, broken, from_line, keys, window_words
from core.workflows.issuing.plan import issuer_named

HOUR, WEEK = 3600.0, 7 * 86400.0
TABLE = {
    "orders": "300/3h",
    "certificates_per_domain": "50 / 1w",
    "certificates_per_name_set": "5/7d",
    "failed_authorizations": "5/90m",
    "exempt": "replaces, renewal",
}


def test_each_key_is_a_limit() -> None:
    """Number and time of each key become a limit of that kind, with what does not count."""
    exempt = ("replaces", "renewal")
    assert broken(TABLE) is None
    assert set(keys()) == set(TABLE)
    assert allowances(TABLE) == (
        Allowance(limit="orders", count=300, seconds=3 * HOUR, exempt=exempt),
        Allowance(limit="certificates-per-domain", count=50, seconds=WEEK, exempt=exempt),
        Allowance(limit="certificates-per-name-set", count=5, seconds=WEEK, exempt=exempt),
        Allowance(limit="failed-authorizations", count=5, seconds=1.5 * HOUR, exempt=exempt),
    )


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"exempt": "replaces"},
        {"order": "300/3h"},
        {"orders": "300"},
        {"orders": "0/3h"},
        {"orders": "-1/3h"},
        {"orders": "300/0h"},
        {"orders": "300/2y"},
        {"orders": "٣/3h"},
        {"orders": "300/60000d"},
        {"orders": "300/3h", "exempt": "everything"},
    ],
    ids=str,
)
def test_what_is_no_limit_is_refused(table: dict[str, str]) -> None:
    """A wrong key, number, time or kind of order is named, with how to write it."""
    found = broken(table)
    assert found is not None
    assert all(found)


def test_the_configuration_takes_a_word_or_a_table(tmp_path: Path) -> None:
    """`limits` of an issuer is the name of one whose limits are known, or a table; a wrong table says file, line and key."""
    path = tmp_path / "certdeck.toml"
    head = '[issuers.corp]\ndirectory = "https://ca.corp.example/dir"\n'
    config = parse_config(f'{head}\n[issuers.corp.limits]\norders = "20/1d"\n'.encode(), path)
    assert issuer_named(config, "corp").limits == (Allowance(limit="orders", count=20, seconds=86400.0),)
    assert issuer_named(parse_config(f'{head}limits = "letsencrypt"\n'.encode(), path), "corp").limits
    with pytest.raises(ConfigError) as caught:
        parse_config(f'{head}limits = {{ orders = "many" }}\n'.encode(), path)
    (problem,) = caught.value.details["problems"]
    assert (problem["line"], problem["key"]) == (3, "issuers.corp.limits")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (WEEK, "7 days"),
        (3 * HOUR, "3 hours"),
        (HOUR, "1 hour"),
        (24 * HOUR, "24 hours"),
        (60 * HOUR, "60 hours"),
        (5400, "90 minutes"),
    ],
)
def test_a_window_in_words(seconds: float, words: str) -> None:
    """A window is said in the largest unit that fits it without a rest."""
    assert window_words(seconds) == words


@pytest.mark.parametrize("limits", [None, "none", "letsencrypt", TABLE, {"orders": "300/3h"}, {"exempt": "replaces"}])
def test_a_line_says_the_same(limits: str | dict[str, str] | None) -> None:
    """What a form shows of the limits is read back as the same limits."""
    assert from_line(as_line(limits)) == limits


def test_a_typed_line_may_be_spaced_as_people_do() -> None:
    """Spaces and separators are of no importance; what is no limit is left for the rules to name."""
    assert from_line(" orders = 300/3h ; exempt=replaces renewal ") == {
        "orders": "300/3h",
        "exempt": "replaces renewal",
    }
    assert broken({"order": "3"}) is not None
    assert from_line("order=3") == {"order": "3"}
    assert from_line("a few") == "a few"
