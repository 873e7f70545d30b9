"""The double that the front ends are tested with takes and offers what the real engine does."""

from __future__ import annotations

import inspect

import pytest

from core.engine import Engine
from tests.support.fake_engine import FakeEngine

OPERATIONS = sorted(
    name
    for name, method in inspect.getmembers(Engine, inspect.isfunction)
    if not name.startswith("_") and name != "writing"
)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_double_has_the_engines_interface(name: str) -> None:
    """Every public method of the engine is there with the same parameters, kinds and defaults."""
    theirs, ours = (inspect.signature(getattr(each, name)) for each in (Engine, FakeEngine))
    assert [(each.name, each.kind, each.default) for each in ours.parameters.values()] == [
        (each.name, each.kind, each.default) for each in theirs.parameters.values()
    ]


def test_a_thousand_lineages_are_sorted() -> None:
    """`with_lineages` gives as many as asked for, by name, in every severity."""
    lineages = FakeEngine.with_lineages(1000).status().lineages
    assert [each.name for each in lineages] == sorted({each.name for each in lineages})
    assert len(lineages) == 1000
    assert {each.severity for each in lineages} == {"green", "yellow", "red"}
