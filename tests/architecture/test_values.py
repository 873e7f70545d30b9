"""Errors and events: what leaves the engine keeps its form."""

from __future__ import annotations

import importlib
import re
import types
from collections.abc import Iterator
from datetime import datetime
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

from core import errors, events
from core.errors import CertdeckError
from core.events import Event
from tests.support.sources import sources

SECRET_WORDS = frozenset({"hmac", "key", "passphrase", "password", "pem", "private", "secret", "token"})
HARMLESS = {
    ("KeyUsed", "key"): "names which key was used; the field's docstring says so",
}


@pytest.fixture(scope="module", autouse=True)
def _everything_is_imported() -> None:
    """A class counts wherever it is defined."""
    for source in sources("core"):
        importlib.import_module(source.module)


def _below(base: type[Any]) -> Iterator[type[Any]]:
    """Yield the classes that derive from `base`."""
    for child in base.__subclasses__():
        yield child
        yield from _below(child)


def test_error_codes_are_unique_and_stable_words() -> None:
    """Every error class has a code of its own, in kebab-case: scripts match on it."""
    classes = [CertdeckError, *_below(CertdeckError)]
    codes = [each.code for each in classes]
    assert [code for code in codes if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", code)] == []
    assert sorted(code for code in set(codes) if codes.count(code) > 1) == []
    assert [each.__name__ for each in classes if "code" not in vars(each)] == []


def test_the_tree_of_errors_is_drawn() -> None:
    """The docstring of core.errors draws every class, so that the family is seen in one look."""
    assert [each.__name__ for each in _below(CertdeckError) if each.__name__ not in (errors.__doc__ or "")] == []


def _plain(annotation: Any) -> bool:
    """Tell whether a type can hold plain values only."""
    if annotation in {str, int, float, bool, datetime, type(None)}:
        return True
    if get_origin(annotation) in {types.UnionType, tuple}:
        return all(_plain(each) for each in get_args(annotation) if each is not Ellipsis)
    return False


def test_events_hold_plain_values_and_no_secret() -> None:
    """No event has a field named or typed so that a key, a token or a password could be in it."""
    found = []
    for event in _below(Event):
        hints = get_type_hints(event, vars(events) | {"datetime": datetime})
        for field in msgspec.structs.fields(event):
            words = set(field.name.split("_"))
            if (words & SECRET_WORDS and (event.__name__, field.name) not in HARMLESS) or not _plain(hints[field.name]):
                found.append(f"{event.__name__}.{field.name}: {hints[field.name]}")
    assert found == []


def test_events_are_frozen_facts() -> None:
    """Events are frozen Structs with keywords only: nobody changes one on its way, nothing is mixed up."""
    for event in _below(Event):
        parameters = event.__dataclass_params__
        assert parameters.frozen, event
        assert "__slots__" in vars(event), event
        assert all(field.kw_only for field in msgspec.structs.fields(event)), event
